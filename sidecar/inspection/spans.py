"""What a detector marks in a text, and how overlapping marks become disjoint spans."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from sidecar.inspection.keywords import listed

WORD = re.compile(r"[^\W_]")
WORDS = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
ADDRESS = "STREET_ADDRESS"
NAMES = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})
LABELS = frozenset(
    listed(
        "blz kto vsnr kvnr kennz kennzeichen imei vin mrn svnr eref sepa svwz remi telnr passwort password contraseña"
        " wachtwoord teilnehmer gps matricola matricule polizza póliza policy police tessera sanitaria cni durchwahl"
        " reisepass paspoort passaporto pasaporte passeport passport"
        " acct account bic bsn cif cpf cpr cvv dni dob dowodem dowodu dowód e-mail email fax fon handy iban id idnr"
        " insee kontonr kvnr login mail mob mobil mobile nie nif nin nino nip nir no nr nss num osobisty osobistego"
        " osobistym pesel phone pps ppsn rvnr seria siren siret ssn steuer steuerid stnr svnr swift tax tel telefon"
        " kreditkarte kreditkartennummer numer n º p in der dem im am an"
        " telefono telephone tin tva uid user username ust ustid ustidnr vat"
    )
)
"""Words before a number that say what it is: a model that runs on over the number takes them along."""
LABEL_ENDS = ("nummer", "number", "nr", "numéro", "numero", "número")
MOST_RUN = 64
"""Code points by which a mark grows on either side: a longer run of letters and digits is no word of anybody's."""
LATIN_END = "\u0250"


class Strength(IntEnum):
    """What a mark rests on; the stronger one names the span where two overlap."""

    WEAK = 1  # a shape that many other things have too
    LIST = 2  # words and forms that the rules know: a street, an illness
    MODEL = 3  # a trained model
    OWN = 4  # a word of the customer's own lists: it says what that word is
    PROVEN = 5  # a checksum, or a structure nothing else has (an e-mail address, a private key's header)


class Span(NamedTuple):
    """`start` and `end` are code points. Ordered fields, so that spans sort by position."""

    start: int
    end: int
    entity: str
    score: float
    detector: str
    strength: Strength = Strength.WEAK


def resolve(spans: Iterable[Span], text: str) -> list[Span]:
    """Disjoint spans, by position, that cover every letter and digit any detector marked (but words like "Tel.").

    Of numbers and words that overlap the strongest names all: a loser that sticks out widens it (half a number left
    standing is a leak), unless what sticks out is only punctuation. Addresses are cut at those, and a model's names at
    both, since policy asks for types: "Anna Schmidt, BSN 123456782" is two things, though a model sees one.
    """
    ordered = sorted(spans)
    if all(left.end <= right.start for left, right in pairwise(ordered)):
        return ordered
    groups: tuple[list[Span], list[Span], list[Span]] = ([], [], [])
    for span in ordered:
        groups[_rank(span)].append(span)
    others, addresses, names = (_joined(group, text) for group in groups)
    return _cut(names, _cut(addresses, others, text), text)


def _rank(span: Span) -> int:
    """0: what may cut; 1: addresses; 2: a model's names."""
    if span.entity == ADDRESS:
        return int(span.strength < Strength.OWN)
    return 2 if span.strength is Strength.MODEL and span.entity in NAMES else 0


def whole(span: Span, text: str) -> Span:
    """A model's span with the rest of the number or Latin word that it cuts at either end ("93 1011|5 Berlin",
    "Hyun-|woo")."""
    start, end = span.start, span.end
    if _is_latin(text[end - 1 : end]) or text[end - 1 : end] == "-":
        limit = min(len(text), end + MOST_RUN)
        while end < limit and _is_latin(text[end]):
            end += 1
    if _is_latin(text[start : start + 1]):
        limit = max(0, start - MOST_RUN)
        while start > limit and _is_latin(text[start - 1]):
            start -= 1
    return span if (start, end) == (span.start, span.end) else span._replace(start=start, end=end)


def _is_latin(mark: str) -> bool:
    """A letter or a digit of a script that parts words by spaces."""
    return mark < LATIN_END and mark.isalnum()


def _joined(spans: Sequence[Span], text: str) -> list[Span]:
    """Disjoint spans of some in order: those that overlap become one."""
    settled: list[Span] = []
    for span in spans:
        while settled and settled[-1].end > span.start:
            span = _join(settled.pop(), span, text)
        settled.append(span)
    return settled


def _join(left: Span, right: Span, text: str) -> Span:
    winner, loser = (left, right) if _weight(left) >= _weight(right) else (right, left)
    start = _widened(loser.start, winner.start, text)
    end = max(winner.end, loser.end)
    if end > winner.end and not _has_word(text, winner.end, end):
        end = winner.end
    return winner._replace(start=start, end=end)


def _widened(outer: int, inner: int, text: str) -> int:
    return outer if outer < inner and _has_word(text, outer, inner) else inner


def _has_word(text: str, start: int, end: int) -> bool:
    return WORD.search(text, start, end) is not None


def _weight(span: Span) -> tuple[int, float, int]:
    return (span.strength, span.score, span.end - span.start)


def _cut(spans: Sequence[Span], marks: Sequence[Span], text: str) -> list[Span]:
    """Both, each disjoint and in order, without overlaps: the spans are cut at the marks, or keep them inside."""
    if not spans:
        return list(marks)
    starts, ends = [mark.start for mark in marks], [mark.end for mark in marks]
    found: list[Span] = []
    inside = set[Span]()
    for span in spans:
        near = marks[bisect_right(ends, span.start) : bisect_left(starts, span.end)]
        cutting = _cutting(span, near, text) if near else []
        kept = set(near).difference(cutting)
        inside |= kept
        found += _pieces(span._replace(start=min([span.start, *(mark.start for mark in kept)])), cutting, text)
    return sorted(found + [mark for mark in marks if mark not in inside])


def _cutting(span: Span, marks: Sequence[Span], text: str) -> list[Span]:
    """Of the marks that overlap a span those that keep their own name, in order; the others are a part of it.

    Shapes that many other things have, too, do where they stick out, and at the end of a model's span: it ran on.
    """
    end, found = span.end, []
    for mark in reversed(marks):
        is_last = span.strength is Strength.MODEL and mark.strength is Strength.WEAK
        if _is_sharp(mark, span) or (is_last and not _says_more(text, mark.end, end)):
            found.append(mark)
            end = mark.start
    return found[::-1]


def _is_sharp(mark: Span, span: Span) -> bool:
    if mark.strength not in (Strength.WEAK, Strength.MODEL) or mark.entity == ADDRESS:
        return True
    if (mark.start, mark.end) == (span.start, span.end):
        return span.strength is Strength.MODEL
    runs_in = mark.start < span.start and mark.end <= span.end
    if runs_in and mark.strength is Strength.WEAK and span.strength is Strength.LIST:
        return False  # "Suite 680 36 4022 Oakridge Lane": the house's number is no end of another
    return mark.start < span.start or mark.end > span.end


def _pieces(span: Span, marks: Sequence[Span], text: str) -> Iterator[Span]:
    """What is left of a span between the marks that cut it: letters and digits, but no words for what follows."""
    start = span.start
    for mark in marks:
        end = _before_label(text, start, mark.start)
        if end > start:
            yield span._replace(start=start, end=end)
        start = mark.end
        while start < span.end and not text[start].isalnum():
            start += 1
    if start < span.end and (not marks or _says_more(text, start, span.end)):
        yield span._replace(start=start)


def is_label(text: str, start: int, end: int) -> bool:
    """Whether a mark holds words for numbers and no name: `DNI`, `IBAN`, `USt-IdNr`."""
    return not any(char.isdigit() for char in text[start:end]) and not _says_more(text, start, end)


def _says_more(text: str, start: int, end: int) -> bool:
    """Whether there is a word that is no label, or a piece of one."""
    return any(not _is_label(text, *found.span()) for found in WORDS.finditer(text, start, end))


def _before_label(text: str, start: int, end: int) -> int:
    """The end of the last word that is no label, `start` where there is none."""
    while end > start:
        while end > start and not text[end - 1].isalnum():
            end -= 1
        begin = end
        while begin > start and (text[begin - 1].isalnum() or text[begin - 1] == "-"):
            begin -= 1
        if begin < end and not _is_label(text, begin, end):
            return end
        end = begin
    return start


def _is_label(text: str, start: int, end: int) -> bool:
    """A whole word: of one that letters go on from, what was cut off may be anything."""
    if text[start - 1 : start].isalpha() or text[end : end + 1].isalpha():
        return False
    low = text[start:end].lower().strip("-")
    return low in LABELS or all(part in LABELS or part.endswith(LABEL_ENDS) for part in low.split("-"))
