"""Fields of persons in records that systems send each other: HL7 v2, X12, EDIFACT, account statements, vCard, LDIF.

A field's place says what it holds; no word does.

Sources: HL7 v2.8 chapters 3 and 6 (PID, NK1, GT1, IN1, MRG, PV1), ASC X12 005010 (NM1, N3, N4, DMG, REF, PER),
UN/EDIFACT D.96A (NAD, CTA, COM), DFÜ-Abkommen annex 3 (field 86 of MT940), RFC 6350 (vCard), RFC 4519 (LDAP).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

PERSON, ADDRESS, PHONE, BORN = "PERSON", "STREET_ADDRESS", "PHONE_NUMBER", "DATE_OF_BIRTH"
RECORD, MEMBER, SSN, LICENCE, ACCOUNT, IBAN = (
    "MEDICAL_RECORD_NUMBER", "US_HEALTH_INSURANCE_MEMBER_ID", "US_SSN", "US_DRIVER_LICENSE", "DE_BANK_ACCOUNT",
    "IBAN_CODE",
)  # fmt: skip
TYPES = (ADDRESS, PHONE, BORN, RECORD, MEMBER, SSN, LICENCE, ACCOUNT, IBAN)
"""Without PERSON, which is looked for beside the names model only (`names_in_records`)."""
DETECTOR = "rules/record"
SCORE = 0.85
LONGEST = 2000
"""Code points of one segment."""
FORMS = {
    PERSON: re.compile(r"[^\W\d_][^\d_@]{1,79}"),
    ADDRESS: re.compile(r"(?s)(?=.*[^\W_]).{2,200}"),
    PHONE: re.compile(r"[+(]?\d[\d ()/.+-]{4,24}"),
    BORN: re.compile(r"(?:19|20)\d\d-?(?:0[1-9]|1[0-2])-?(?:[0-2]\d|3[01])"),
    RECORD: re.compile(r"(?=[^\d]*\d)[\w.-]{2,40}"),
    MEMBER: re.compile(r"(?=[^\d]*\d)[\w-]{4,40}"),
    SSN: re.compile(r"\d{3}-?\d\d-?\d{4}"),
    LICENCE: re.compile(r"(?=[^\d]*\d)[\w-]{4,24}"),
    ACCOUNT: re.compile(r"\d{5,12}"),
    IBAN: re.compile(r"[A-Z]{2}\d\d[A-Z0-9]{11,30}"),
}
"""What a field of a type looks like: an empty one, or one that holds something else, is left as it is."""


class Field(NamedTuple):
    """A field's components from `first` to `last` (from 1), each a value by itself, or all one where it is `joined`."""

    entity: str
    first: int = 1
    last: int = 1
    joined: bool = False


NAME = Field(PERSON, 1, 3)
STAFF = Field(PERSON, 2, 4)
"""Behind a number (HL7 type XCN)."""
PLACE = Field(ADDRESS, 1, 5, joined=True)
CALL, BIRTH, NUMBER = Field(PHONE), Field(BORN), Field(RECORD)
HL7: dict[str, dict[int, Field]] = {
    "pid|": {2: NUMBER, 3: NUMBER, 4: NUMBER, 5: NAME, 6: NAME, 7: BIRTH, 9: NAME, 11: PLACE, 13: CALL, 14: CALL,
             18: NUMBER, 19: Field(SSN), 20: Field(LICENCE)},
    "nk1|": {2: NAME, 4: PLACE, 5: CALL, 6: CALL, 16: BIRTH, 30: NAME, 31: CALL, 32: PLACE, 37: Field(SSN)},
    "gt1|": {3: NAME, 4: NAME, 5: PLACE, 6: CALL, 7: CALL, 8: BIRTH, 12: Field(SSN)},
    "in1|": {16: NAME, 18: BIRTH, 19: PLACE, 36: Field(MEMBER), 49: Field(MEMBER)},
    "mrg|": {1: NUMBER, 3: NUMBER, 4: NUMBER, 7: NAME},
    "pv1|": {7: STAFF, 8: STAFF, 9: STAFF, 17: STAFF},
}  # fmt: skip
"""By segment and field."""
X12 = re.compile(r"(?P<segment>NM1|N3|N4|DMG|REF|PER)\*(?P<fields>[^~\r\n]{2,400})(?:~|$)", re.MULTILINE)
X12_NUMBERS = {"34": SSN, "SY": SSN, "MI": MEMBER, "EA": RECORD, "1W": RECORD}
"""By the qualifier of a number."""
X12_CALLS = frozenset({"TE", "FX", "CP", "HP", "WP"})
PARTY = re.compile(r"NAD\+[A-Z]{2,3}\+[^+'\n]{0,80}\+[^+'\n]{0,200}\+[^+'\n]{0,200}\+(?P<value>[^'\n]{4,200})'")
CONTACT = re.compile(r"CTA\+[A-Z]{0,3}\+[^:'\n]{0,40}:(?P<value>[^'+:\n]{2,80})'")
CHANNEL = re.compile(r"COM\+(?P<value>(?:\?[+:']|[^:'+?\n]){5,40}):(?:TE|FX|AL|MA|CA)'")
HOLDER = re.compile(r"\?3[23](?P<value>[^?\n]{2,54})")
NUMBERED = re.compile(r"\?31(?P<value>[A-Z0-9]{5,34})(?![A-Z0-9])")
HELD = re.compile(r":25:\d{8}/(?P<value>\d{5,10})(?!\d)")
CARD = re.compile(r"begin:vcard(?P<lines>.{10,4000}?)end:vcard", re.IGNORECASE | re.DOTALL)
CARD_LINE = re.compile(
    r"^(?:item\d{1,2}\.)?(?P<name>N|FN|NICKNAME|ADR|LABEL)(?:;[^:\n]{0,100})?:(?P<value>[^\r\n]{2,300})",
    re.IGNORECASE | re.MULTILINE,
)
POSTAL = re.compile(
    r"(?:(?<=\n)|\A)(?:home|registered)?postaladdress: {1,2}(?P<value>[^\r\n]{0,100}\$[^\r\n]{1,200})", re.IGNORECASE
)
ONE = {
    "nad+": (PARTY, ADDRESS), "cta+": (CONTACT, PERSON), "com+": (CHANNEL, PHONE), "?32": (HOLDER, PERSON),
    "?33": (HOLDER, PERSON), ":25:": (HELD, ACCOUNT), "postaladdress:": (POSTAL, ADDRESS),
    "homepostaladdress:": (POSTAL, ADDRESS), "registeredpostaladdress:": (POSTAL, ADDRESS),
}  # fmt: skip
"""By word: records with one field of a person."""
X12_WORDS = ("nm1*", "n3*", "n4*", "dmg*", "ref*", "per*")
WORDS = (*HL7, *X12_WORDS, *ONE, "?31", "begin:vcard")


def records(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        for at in places(low, word):
            if not text[at - 1 : at].isalnum() or word[0] in "?:":
                yield from filter(None, _read(text, at, word))


def names_in_records(text: str, low: str) -> list[Span]:
    """The names alone."""
    return [span for span in records(text, low, [word for word in WORDS if word in low]) if span.entity == PERSON]


def _read(text: str, at: int, word: str) -> Iterator[Span | None]:
    if word in HL7:
        yield from _hl7(text, at, HL7[word])
    elif word in X12_WORDS:
        yield from _x12(text, at)
    elif word == "begin:vcard":
        yield from _card(text, at)
    elif word == "?31":
        match = NUMBERED.match(text, at)
        yield match and (_field(text, *match.span("value"), IBAN) or _field(text, *match.span("value"), ACCOUNT))
    else:
        pattern, entity = ONE[word]
        match = pattern.match(text, at)
        yield match and _field(text, *match.span("value"), entity)


def _hl7(text: str, at: int, fields: dict[int, Field]) -> Iterator[Span | None]:
    """A segment begins in capitals, ends with its line, and has components somewhere."""
    end = min((text.find(mark, at, at + LONGEST) % (len(text) + 1) for mark in "\r\n"), default=len(text))
    end = min(end, at + LONGEST, len(text))
    if text[at].islower() or text.count("|", at, end) < 4 or text.find("^", at, end) < 0:
        return
    for number, (start, stop) in enumerate(_parts(text, at, end, "|")):
        field = fields.get(number)
        for place in _parts(text, start, stop, "~") if field and stop > start else ():
            yield from _components(text, *place, "^", field) if field else ()


def _components(text: str, start: int, end: int, mark: str, field: Field) -> Iterator[Span | None]:
    parts = _parts(text, start, end, mark)
    told = [part for part in parts[field.first - 1 : field.last] if part[1] > part[0]]
    entity = field.entity
    if entity == RECORD and len(parts) > 4:  # HL7 type CX: the fifth names the kind of number
        kind = text[slice(*parts[4])]
        entity = {"SS": SSN, "DL": LICENCE}.get(kind, RECORD)
    if told and field.joined:
        yield _field(text, told[0][0], told[-1][1], entity)
    elif told:
        for place in told:
            yield _field(text, *place, entity)


def _x12(text: str, at: int) -> Iterator[Span | None]:
    match = X12.match(text, at)
    if match is None:
        return
    parts = _parts(text, *match.span("fields"), "*")
    told = [text[start:end] for start, end in parts]
    segment = match["segment"]
    if segment == "NM1" and told[1:2] == ["1"]:
        yield from (_field(text, *part, PERSON) for part in parts[2:5])
        yield from _number(text, parts[7:9])
    elif segment in ("N3", "N4") and text[match.end() - 1] == "~":
        yield _field(text, parts[0][0], parts[min(2, len(parts) - 1)][1], ADDRESS)
    elif segment == "DMG" and told[0] == "D8":
        yield from (_field(text, *part, BORN) for part in parts[1:2])
    elif segment == "REF":
        yield from _number(text, parts[:2])
    elif segment == "PER" and len(told) > 3:
        yield _field(text, *parts[1], PERSON)
        called = [part for kind, part in zip(told[2:], parts[3:], strict=False) if kind in X12_CALLS]
        yield from (_field(text, *part, PHONE) for part in called)


def _number(text: str, parts: list[tuple[int, int]]) -> Iterator[Span | None]:
    """A qualifier, and its number."""
    entity = X12_NUMBERS.get(text[slice(*parts[0])]) if len(parts) == 2 else None
    if entity:
        yield _field(text, *parts[1], entity)


def _card(text: str, at: int) -> Iterator[Span | None]:
    card = CARD.match(text, at)
    for line in CARD_LINE.finditer(text, *card.span("lines")) if card else ():
        name, (start, end) = line["name"].upper(), line.span("value")
        if name == "N":
            yield from _components(text, start, end, ";", NAME)
        elif name == "ADR":
            yield from _components(text, start, end, ";", Field(ADDRESS, 1, 6, joined=True))
        else:
            yield _field(text, start, end, ADDRESS if name == "LABEL" else PERSON)


def _parts(text: str, start: int, end: int, mark: str) -> list[tuple[int, int]]:
    parts = []
    for piece in text[start:end].split(mark):
        parts.append((start, start + len(piece)))
        start += len(piece) + 1
    return parts


def _field(text: str, start: int, end: int, entity: str) -> Span | None:
    written = text[start:end]
    start += len(written) - len(written.lstrip())
    match = FORMS[entity].match(written.strip())
    if match is None or (entity != BORN and match.end() < len(written.strip())):
        return None
    return Span(start, start + match.end(), entity, SCORE, DETECTOR, Strength.PROVEN)
