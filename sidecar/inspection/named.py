"""Names that a place tells: cells below a heading for names, and fields of records.

Beside the names model, which reads sentences and knows few families called Stein, Petit or Young: a column of single
words is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sidecar.inspection.columns import FIGURES, LONGEST_ROW, headings
from sidecar.inspection.context import words_of
from sidecar.inspection.keywords import listed, lowered
from sidecar.inspection.letters import ONE, ROLES, names_in_letters
from sidecar.inspection.listings import rows
from sidecar.inspection.records import names_in_records
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tables import values

OWN = frozenset(
    listed(
        "vorname nachname familienname zuname rufname geburtsname vornamen kundenname patientenname mitarbeitername"
        " firstname lastname fullname surname forename givenname familyname middlename maidenname username_full"
        " customername clientname patientname employeename contactname cardholder accountholder displayname"
        " prénom prenom prénoms prenoms nomcomplet apellido apellidos cognome nominativo intestatario"
        " voornaam achternaam voornamen tussenvoegsel_naam contactpersoon"
        " imię nazwisko förnamn efternamn etunimi sukunimi fornavn efternavn etternavn apelido apelidos sobrenome"
        " ansprechpartner kontoinhaber karteninhaber sachbearbeiter"
    )
)
"""Words that name a column of people's names."""
OF = frozenset(
    listed(
        "first last full given family middle maiden customer client patient employee contact student guest member"
        " applicant holder cardholder beneficiary insured tenant borrower passenger candidate doctor physician manager"
        " recipient legal usual usage famille naissance jeune_fille client_e salarié completo cliente paziente paciente"
        " klant patiënt werknemer kunde"
    )
)
"""Beside a word for "name" in the same heading."""
SPEAKER = re.compile(
    r"^(?:\[?\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4},? \d{1,2}[:.]\d\d(?:[:.]\d\d)?|\[?\d{1,2}[:.]\d\d)"
    r"(?: ?[AaPp][Mm])?\]? (?:- )?"
    r"(?P<value>[^\W\d_][^:\n\d\[\](){}<>=]{1,40}): (?=\S)",
    re.MULTILINE,
)
"""Of a line in the export of a chat: `[09:14] Jess: ...`, `12/02/2024, 20:41 - Uncle Femi: ...`. Logs have seconds, and
dates that begin with the year."""
BEHIND = re.compile(
    r"(?:, ?|\"?; ?\"?| ?\(| )\*?(?P<date>(?:[0-2]?\d|3[01])[./-](?:0?\d|1[0-2])[./-](?:19[2-9]\d|200[0-5])"
    r"|(?:19[2-9]\d|200[0-5])-(?:0\d|1[0-2])-(?:[0-2]\d|3[01]))(?![\w/-]|[.:]\d| ?(?:[-–]|to|bis|au|al|tot) ?\d)"
)
NAME = frozenset(listed("name namen names nom noms nome nomi nombre nombres naam namn navn nimi"))
PERSONAL = frozenset(
    listed(
        "email mail e_mail phone tel telefon telefono teléfono téléphone telefoon mobile mobil handy dob birth"
        " birthdate birthday geburtsdatum geburtstag geb geboortedatum naissance nacimiento nascita ssn bsn dni nif"
        " pesel iban salary gehalt salaire salario stipendio salaris adresse anschrift address strasse straße street"
        " dirección indirizzo adres wohnort age alter âge edad età leeftijd gender geschlecht sexe sexo patient"
        " employee mitarbeiter"
    )
)
"""Headings beside which `name` alone is a person's, and no product's."""
HEAD = re.compile(
    r"name|namn|navn|naam|nimi|nom|prénom|apelli|surname|forename|nazwisko|imię|sobrenome|holder|inhaber|partner"
    r"|bearbeiter|intestatario|nominativo|contactpersoon",
    re.IGNORECASE,
)
CELL = re.compile(r"[^\W\d_][\w'’.`´-]{0,30}(?:,? [^\W\d_][\w'’.`´-]{0,30}){0,5}")
SMALL = frozenset(listed("van der den de het ten ter von zu zur vom la le les du des del di da dos das el al y e"))
SENTENCE = re.compile(r"[a-zà-ÿ]{4}\.$")
NOBODY = frozenset(
    listed("null none nan n/a na nil unknown unbekannt inconnu desconocido sconosciuto onbekend test true false yes no")
)
BEHIND_SURNAME = re.compile(rf", (?P<value>{ONE}(?: (?:{ONE}|[A-Z]\.?))?)(?=[\"'»”<;|\t\n]|\Z)")
"""`"McKenzie, Ailsa"`: the given name behind the comma of a cell or a quotation."""
CELL_BEGINS = "\"'«“„>;|\t\n"
CALLED_AT = re.compile(r"(?:[,:;]| [-–])? \(?(?P<value>0\d{8,10}|0\d(?: \d\d){3,5})(?![\w/-]|[.,]\d)")
"""A number to call, right behind whose it is: `kevin lopez, 0788213460`."""
AGED = re.compile(
    r"(?:,| \()? ?(?:aged |age |de |d['’]|di |van |von |im Alter von |ha |a )?(?P<value>1[0-7]|[1-9]) ?"
    r"(?:(?:years?|yrs?|yo|y/o)(?: old)?|Jahre?|J\.|ans|años|anni|jaar|jr|lat|lata|år|anos)(?![\w-])"
    r"(?! (?:ago|later|vor|später|plus tard|dopo|después|geleden|de|in|of|experience|Erfahrung))"
)
"""A child's age right behind its name: `Lotte Vandenbussche, 17 jaar`."""
DETECTOR = "rules/named"
SCORE = 0.8


def names_by_place(text: str) -> list[Span]:
    """In order; the engine makes them disjoint."""
    found = names_in_records(text, lowered(text))
    found += filter(None, map(_speaker, SPEAKER.finditer(text)))
    found += names_in_letters(text)
    if HEAD.search(text):
        found += _below_headings(text)
        cells_of = list(values(text))
        columns = list(dict.fromkeys(value.column for value in cells_of))
        chosen = {columns[at] for at in _columns([words_of(column) for column in columns])}
        found += filter(None, [_span(text, each.start, each.end) for each in cells_of if each.column in chosen])
    return sorted(found)


def birth_behind(text: str, end: int) -> Span | None:
    """The date right behind a person's name, of a year in which the living were born: `Anna Weber, 07.09.1936`."""
    match = BEHIND.match(text, end)
    return Span(*match.span("date"), "DATE_OF_BIRTH", 0.5, DETECTOR, Strength.LIST) if match else None


def behind_person(text: str, start: int, end: int) -> Iterator[Span]:
    """What stands right behind a person's name and is his: given name, birth, age of a child, number to call."""
    if start == 0 or text[start - 1] in CELL_BEGINS:
        given = BEHIND_SURNAME.match(text, end)
        if given is not None and " " not in text[start:end]:
            yield Span(start, given.end(), "PERSON", SCORE, DETECTOR, Strength.LIST)
    birth = birth_behind(text, end)
    if birth is not None:
        yield birth
    for pattern, entity in ((AGED, "MINOR"), (CALLED_AT, "PHONE_NUMBER")):
        match = pattern.match(text, end)
        if match is not None:
            last = match.end("value") if entity == "PHONE_NUMBER" else match.end()
            yield Span(match.start("value"), last, entity, 0.5, DETECTOR, Strength.LIST)


def _below_headings(text: str) -> Iterator[Span]:
    """Each line is looked at once."""
    after = 0
    for match in HEAD.finditer(text):
        if match.start() < after:
            continue
        start = text.rfind("\n", max(0, match.start() - LONGEST_ROW), match.start()) + 1
        end = text.find("\n", match.start(), match.start() + LONGEST_ROW)
        if end < 0:
            return
        after = end + 1
        line = text[start:end].rstrip("\r ")
        if match.start() - start > LONGEST_ROW or FIGURES.search(line):
            continue
        for mark, heading in headings(line).items():
            columns = _columns(heading) if len(heading) > 1 else []
            if columns:
                for below, row in rows(text, after, mark, len(heading), LONGEST_ROW):
                    yield from filter(None, [_span(text, *row[number]) for number in columns])
                    after = below
                break


def _speaker(match: re.Match[str]) -> Span | None:
    """Capitalised words, and no level of a log, no module's name and nobody's role."""
    words = match["value"].split()
    if len(words) > 4 or match["value"].isupper() or not ROLES.isdisjoint(word.lower() for word in words):
        return None
    return _span(match.string, *match.span("value")) if match["value"].replace(" ", "").isalpha() else None


def _columns(heading: Sequence[Sequence[str]]) -> list[int]:
    """The numbers of those that hold people's names."""
    own = [at for at, words in enumerate(heading) if _is_own(words)]
    if own or any(not PERSONAL.isdisjoint(words) for words in heading):
        return own + [at for at, words in enumerate(heading) if len(words) == 1 and words[0] in NAME]
    return []


def _is_own(words: Sequence[str]) -> bool:
    return not OWN.isdisjoint(words) or not (NAME.isdisjoint(words) or OF.isdisjoint(words))


def _span(text: str, start: int, end: int) -> Span | None:
    """Words, most of them with a capital, and nothing else: `van der Berg`, and no `Refuse anonymous callers`."""
    value = text[start:end]
    if len(value) < 2 or not CELL.fullmatch(value) or value.lower() in NOBODY:
        return None
    words = [word for word in value.split() if word not in SMALL]
    if 2 * sum(word[0].isupper() for word in words) < max(len(words), 1) or SENTENCE.search(value):
        return None
    return Span(start, end, "PERSON", SCORE, DETECTOR, Strength.LIST)
