"""Names that a place tells: columns of names, speakers of a chat; and dates of birth behind names."""

from __future__ import annotations

import pytest

from sidecar.drivers.inspector_worker import Detectors, Plan
from sidecar.inspection.catalogue import Settings
from sidecar.inspection.named import birth_behind, names_by_place
from tests.inspection.cost import assert_linear

COLUMNS = {
    "vorname;nachname;ort\nBjörn;Stein;Ulm\nYusuf;Koch;Köln\n": ["Björn", "Stein", "Yusuf", "Koch"],
    "prenom;nom;ville\nRose;Boulanger;Nice\n": ["Rose", "Boulanger"],
    "nombre,apellidos,dni\nPilar,Cruz Iglesias,12345678Z\n": ["Pilar", "Cruz Iglesias"],
    "cognome\tnome\tcitta\nMarino\tGioia\tRoma\n": ["Marino", "Gioia"],
    "voornaam;achternaam;bsn\nRoos;van der Berg;123456782\n": ["Roos", "van der Berg"],
    "id,firstName,lastName,dept\n1,Hope,Young,IT\n2,Will,Power,HR\n": ["Hope", "Young", "Will", "Power"],
    'Customer Name,Order\n"O\'Brien, Siobhán",10442\n"King, Mark",10443\n': ["O'Brien, Siobhán", "King, Mark"],
    "| Name | E-Mail |\n|---|---|\n| Rose Baker | rb@x.example |\n": ["Rose Baker"],
    "<table><tr><th>Vorname</th><th>Alter</th></tr>\n<tr><td>\n <b>Mia</b></td><td>3</td></tr></table>": ["Mia"],
    "<TABLE><TR><TH>VORNAME</TH><TH>ALTER</TH></TR>\n<TR><TD>Mia</TD><TD>3</TD></TR></TABLE>": ["Mia"],
    "INSERT INTO people (id, surname) VALUES (1, 'Stone'), (2, NULL);": ["Stone"],
    "CREATE TABLE p (id int(11) NOT NULL, `nachname` varchar(64), KEY `k` (`id`));\nINSERT INTO p VALUES (1,'Koch');": [
        "Koch"
    ],
    "surname;given name\nde la Cruz;Ana maria\n": ["de la Cruz", "Ana maria"],
    "CREATE TABLE p (PRIMARY KEY (id), id int, surname text);\nINSERT INTO p VALUES (1,'Stein');": ["Stein"],
    "[09:14] Jess: hi\n[09:15] Ravi Menon: sure\n": ["Jess", "Ravi Menon"],
    "[12/02/24, 20:41:03] Bram: hoi\n[9:05 PM] Ana: hola\n": ["Bram", "Ana"],
    "12/02/2024, 20:41 - Sjoukje: Hallo\n12/02/2024, 20:43 - +44 7700 900654: yes": ["Sjoukje"],
}
NOBODY = [
    "| Name | Type | Default |\n|---|---|---|\n| Timeout | Integer | Thirty |\n",
    "name,version,licence\nRequests,2.1,Apache\n",
    "| Setting | Who is the account holder |\n|---|---|\n| Refuse | Refuse anonymous callers. |\n",
    "first name, last name and all that\nGrace, Hopper and others said so\n",
    "[09:14:22] INFO: Started\n[09:14:23] Server: Ready\n09:15 Status: Fine\n10:00 Worker_3: Up\n",
    "10:15:22 Kernel: up\n2024-03-05 10:00:01 Scheduler: tick\n",
    "<table><tr><td>Surname 1</td><td>3</td></tr>\n<tr><td>Timeout</td><td>4</td></tr></table>",
    "surname;age\nNULL;3\n-;4\nunknown;5\nA;6\n",
    "[09:14] Please Call The Front Desk: now\n[09:15] Cache-Warmer: done\n",
]


@pytest.mark.parametrize("text", COLUMNS)
def test_cells_below_a_heading_for_names_are_names(text: str) -> None:
    assert [text[span.start : span.end] for span in names_by_place(text)] == COLUMNS[text]


@pytest.mark.parametrize("text", NOBODY)
def test_names_of_things_are_nobodys(text: str) -> None:
    assert names_by_place(text) == []


@pytest.mark.parametrize(
    ("behind", "date"),
    [
        (", 07.09.1936, Metoprolol", "07.09.1936"),
        (" (12/03/1985)", "12/03/1985"),
        ('";"12.12.1982"', "12.12.1982"),
        (" 1965-04-30", "1965-04-30"),
        (", 07.09.2023", None),
        (", 01.01.1990 - 31.12.1995", None),
        (" 1965-04-30T12:00", None),
        (" wrote on 07.09.1936", None),
    ],
)
def test_a_date_right_behind_a_name_is_of_birth(behind: str, date: str | None) -> None:
    span = birth_behind(f"Anna Weber{behind}", 10)
    assert (span and f"Anna Weber{behind}"[span.start : span.end]) == date


def test_the_worker_adds_them_to_the_models_names_and_leaves_out_labels() -> None:
    found = Detectors(Plan(settings=Settings(), names=True)).find
    text = "nom;prénom;naissance\nPetit;Rose;\nBoulanger;Ambre;\n\nRp. Wilhelmine Großmann, 07.09.1936"
    spans = [(span.entity, text[span.start : span.end]) for span in found(text)]
    assert [value for entity, value in spans if entity == "PERSON"] == [
        "Petit", "Rose", "Boulanger", "Ambre", "Wilhelmine Großmann",
    ]  # fmt: skip
    assert ("DATE_OF_BIRTH", "07.09.1936") in spans
    bank = "Bonifico a Ettore Sanna, IBAN IT60X0542811101000000123456"
    assert [bank[span.start : span.end] for span in found(bank)] == ["Ettore Sanna", "IT60X0542811101000000123456"]


class Placed:
    find = staticmethod(names_by_place)


@pytest.mark.parametrize("unit", ["surname;name\n", "a surname, ", "<td>surname</td>", "09:14 Jess: hi\n"])
def test_cost_is_linear(unit: str) -> None:
    assert_linear(Placed, unit)  # type: ignore[arg-type]


def test_without_a_names_model_nobody_is_named() -> None:
    """A record says who was looked for; columns alone are no search for names."""
    found = Detectors(Plan(settings=Settings())).find
    assert [span.entity for text in COLUMNS for span in found(text) if span.entity == "PERSON"] == []


def test_a_postcode_is_found_with_the_town_that_the_model_knows() -> None:
    find = Detectors(Plan(settings=Settings(), names=True)).find
    for text in ('{"name": "Lukas Gruber", "plz": "5020 Salzburg"}', "I live at 88 George Street, Sydney NSW 2000."):
        left = list(text)
        for span in find(text):
            left[span.start : span.end] = " " * (span.end - span.start)
        assert not any(char.isdigit() for char in left), text
