"""Dates of birth, ages of minors, and machine-readable zones of travel documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

BIRTH_WORDS = listed(
    "born birth birthday birthdate dob d.o.b geboren geburtsdatum geburtstag geb. née né_le naissance nacido "
    "nacida nacimiento nac. f.nac f_nac fnac ddn naiss. nasc. data_nasc gebdat geb.-dat geb-dat "
    "nato_il nata_il nato_a nata_a nascita geboortedatum geboorte nascido nascida nascimento urodz "
    "född födelsedatum syntynyt syntymäaika født fødselsdato fødselsdag cumpleaños compleanno anniversaire"
)
AGE_WORDS = listed("year old years aged age jahre jährig ans años anni jaar anos lat år vuotta")
WORDS = (*BIRTH_WORDS, *AGE_WORDS, "<<")

MONTHS = (
    r"(?:jan(?:uary|uar|vier|\.)?|gennaio|enero|janeiro|januari|feb(?:ruary|ruar|rero|braio|ruari|\.)?"
    r"|f[ée]v(?:rier|ereiro|\.)?|mar(?:ch|s|zo|ço|ts|et|\.)?|märz|maart"
    r"|apr(?:il|ile|\.)?|avr(?:il|\.)?|abril?|may|mai(?:o)?|mayo|mei|maggio|maj|june?|juni|juin|junio|giugno|junho|july?|juli|juillet"
    r"|julio|luglio|julho|aug(?:ust|ustus|\.)?|ao[ûu]t|agosto|sep(?:t(?:ember|embre|iembre|\.)?|\.)?|settembre|setembro"
    r"|o[ck]t(?:ober|obre|ubre|\.)?|ottobre|outubro|nov(?:ember|embre|iembre|embro|\.)?|de[cz](?:ember|embre|iembre|embro|\.)?"
    r"|d[ée]c(?:embre|\.)?|dicembre|diciembre"
    r"|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia"
    r"|(?:tammi|helmi|maalis|huhti|touko|kesä|heinä|elo|syys|loka|marras|joulu)kuuta)"
)
DATE = re.compile(
    r"(?<![\w/.-])(?:(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:3[01]|[12]\d|0[1-9])|(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:3[01]|[12]\d|0?[1-9])"
    r"|(?:3[01]|[12]\d|0?[1-9])[-./ ]{1,2}(?:3[01]|[12]\d|0?[1-9])[-./ ]{1,2}(?:(?:19|20)\d\d|\d\d)"
    rf"|(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th|er|\.|º)?[ -](?:de |of )?{MONTHS},?[ -](?:de |del )?"
    r"(?:(?:19|20)\d\d|\d\d)"
    rf"|{MONTHS}[ -](?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?,? ?(?:19|20)\d\d)(?![\w/-]|\.\d)",
    re.IGNORECASE,
)
DIGIT = re.compile(r"\d")
AFTER_WORD = 48
AGE = re.compile(
    r"(?<![\w.])(?:aged? (?:of )?:?(?P<first>\d{1,2})"
    r"|(?P<age>\d{1,2})[ -]?(?:years?[ -]old|yrs?[ -]old|y/o|jahre alt|jährige?[rsn]?|jaar oud|anos de idade|år gammal"
    r"|år gammel|-?vuotias)"
    r"|(?:âgée?s? de|enfant de|fille de|garçon de|fils de|edad de|niñ[oa] de|tiene|di|ha|bambin[oa] di|wieku|ma) "
    r"(?P<said>\d{1,2}) (?:ans|años|anni|lat)(?![\w]))",
    re.IGNORECASE,
)
AGE_REACH = 20
OF_AGE = 18
MRZ = re.compile(r"[PIACV][A-Z<][A-Z]{3}[A-Z0-9<]{25,39}\s{1,2}[A-Z0-9<]{30,44}(?:\s{1,2}[A-Z0-9<]{30})?")
"""ICAO Doc 9303: TD3 two lines of 44, TD2 two of 36, TD1 three of 30."""
DETECTOR = "rules/person-facts"


def dates(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`."""
    present = set(words)
    for word in present.intersection(BIRTH_WORDS):
        for at in places(low, word):
            yield from _births(text, at, at + len(word))
    for word in present.intersection(AGE_WORDS):
        for at in places(low, word):
            yield from _minors(text, at)
    if "<<" in present:
        for match in MRZ.finditer(text):
            yield Span(*match.span(), "PASSPORT_MRZ", 1.0, DETECTOR, Strength.PROVEN)


def _births(text: str, start: int, end: int) -> Iterator[Span]:
    if start and text[start - 1].isalpha() and text[start].islower() and text[start - 1] != "_":
        return
    match = DATE.search(text, end, end + AFTER_WORD) if DIGIT.search(text, end, end + AFTER_WORD) else None
    if match and "\n\n" not in text[end : match.start()]:
        stop = match.end()
        if not text[stop : stop + 1].isalnum():
            yield Span(match.start(), stop, "DATE_OF_BIRTH", 0.85, DETECTOR, Strength.PROVEN)


def _minors(text: str, at: int) -> Iterator[Span]:
    """Around one of the words: the number stands just before or just after it."""
    start, end = max(0, at - AGE_REACH), at + AGE_REACH
    match = AGE.search(text, start, end) if DIGIT.search(text, start, end) else None
    if match:
        age = int(match.group("age") or match.group("first") or match.group("said"))
        if age < OF_AGE:
            yield Span(*match.span(), "MINOR", 0.6, DETECTOR, Strength.LIST)
