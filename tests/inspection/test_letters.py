"""Names by where letters and messages have them, and what stands right behind a person's name."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.letters import names_in_letters
from sidecar.inspection.named import behind_person
from sidecar.inspection.spans import Span
from tests.inspection.cost import assert_linear


class Letters(Engine):
    """As an engine, to be timed as one."""

    def find(self, text: str) -> list[Span]:
        return list(names_in_letters(text))


def told(text: str) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in names_in_letters(text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Can you bring the keys? - Bixby", "Bixby"),
        ("Bis morgen, LG Wanja", "Wanja"),
        ("See you there.\nCheers,\nOzzie", "Ozzie"),
        ("Nos vemos el lunes. Un abrazo, Chelo", "Chelo"),
        ("Hoi Fenna,\nkun je bellen?", "Fenna"),
        ('Translate: "Liebe Uschi, wie geht es dir?"', "Uschi"),
        ("Buenas tardes, Nacho: le adjunto el parte.", "Nacho"),
        ("hey, my name is ozan and i need help", "ozan"),
        ("mi chiamo Fiammetta De Luca, abito a Pisa", "Fiammetta De Luca"),
        ("Ich heiße Ann-Kathrin, bin 30", "Ann-Kathrin"),
        ("je m'appelle Zoé, j'écris de Nice", "Zoé"),
    ],
)
def test_a_name_is_found_where_letters_have_it(text: str, name: str) -> None:
    assert told(text) == [("PERSON", name)]


@pytest.mark.parametrize(
    "text",
    [
        "Dear Customer,\nyour parcel is late.",
        "Hello World,",
        "Hi Team,\nsee below.",
        "To buy:\n- Flour\n- Butter\n- Sugar",
        "To buy:\n- Flour",
        "Zu kaufen\n1. Mehl\n– Butter",
        "- Summary",
        "The hair cut -.- LongHairProblems",
        "my name is not important",
        "Best regards,\nSupport",
        "the name is Anna's",
        "Thanks. - TODO",
    ],
)
def test_whom_a_form_letter_is_to_is_nobody(text: str) -> None:
    assert told(text) == []


def test_the_town_a_letter_was_written_in_is_a_place() -> None:
    assert told("Anbei die Unterlagen.\nHerne, den 4. Februar") == [("LOCATION", "Herne")]
    assert told("Lyon, le 3 mars 2024") == [("LOCATION", "Lyon")]
    assert told("Zuerst kam Rot, den 4 Farben nach") == []


@pytest.mark.parametrize(
    ("text", "end", "entity", "value"),
    [
        ("kevin lopez, 0788213460", 11, "PHONE_NUMBER", "0788213460"),
        ("Lotte Maes, 17 jaar, is", 10, "MINOR", "17 jaar"),
        ("Mohamed El Khattabi, de 13 años, ha", 19, "MINOR", "13 años"),
        ('"McKenzie, Ailsa" as', 9, "PERSON", "McKenzie, Ailsa"),
        ("Anna Weber, 07.09.1936", 10, "DATE_OF_BIRTH", "07.09.1936"),
    ],
)
def test_what_stands_right_behind_a_name_is_that_persons(text: str, end: int, entity: str, value: str) -> None:
    start = 1 if text[0] == '"' else 0
    assert [(span.entity, text[span.start : span.end]) for span in behind_person(text, start, end)] == [(entity, value)]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("Anna Weber, 12 years ago", 10),
        ("Anna Weber, 17 of them", 10),
        ("Anna Weber, 45 Jahre", 10),
        ("Anna Weber, 10442", 10),
        ("Said Weber, Anna and others", 10),
        ("Weber, Anna and others", 5),
    ],
)
def test_other_figures_and_names_behind_a_name_are_not(text: str, end: int) -> None:
    assert list(behind_person(text, 0, end)) == []


@pytest.mark.parametrize(
    "piece",
    ["my name is ", '"Hi Anna ', "LG ", "Ulm, den 4. ", "Hi Ann-Ann-", "\n- ", "?.- Ab ", "Anna, Anna, ", " \t \n "],
)
def test_the_time_grows_in_step_with_the_text(piece: str) -> None:
    assert_linear(Letters(Settings()), piece)
