"""Phone numbers, by libphonenumber's numbering plans (derived table), only where a number can stand.

Presidio runs libphonenumber's matcher over the whole text once per region: 26 ms for a dense kilobyte, IPv4 addresses
called phones, the "+1 " left outside the span. Here a candidate is found at a token, its digits are compared with the
plans of the configured countries (or of its own "+" calling code), and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice

from sidecar.inspection.columns import Beside
from sidecar.inspection.context import WORDS, Context, Said
from sidecar.inspection.phone_forms import (
    CANDIDATE,
    CLOCK,
    DATE,
    DECIMAL,
    EXTENSION,
    FIGURES,
    FRACTION,
    GROUPED,
    HTTP_STATUS,
    ITALIAN,
    NORTH_AMERICAN,
    PARTED,
    QUAD,
    RUNNING,
    SLASHED,
    SPACED_DAY,
    SPACED_FORM,
    SPAN_OF_DAYS,
    SSN_FORM,
    STATE,
    TRUNK,
    TRUNKED,
    UNIT,
    ZIP,
)
from sidecar.inspection.phone_words import (
    BEFORE,
    CONTEXT,
    GENERIC,
    HEADINGS,
    NUMBERING,
    OTHER_HEADINGS,
    SPOKEN,
    is_phone,
    is_reference,
    is_said_before,
    label,
)
from sidecar.inspection.shipped import shipped
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import DIGITS, Token

DETECTOR = "rules/phone"
SHORTEST, LONGEST = 7, 15
"""ITU-T E.164: at most 15 digits."""
LEAST_FOREIGN = 8
"""Digits alone, of a country that is not looked for, right behind a word for a phone."""
LEAST_OF_TWO = 9
"""Digits of each where two numbers follow one another."""
MOST_GROUPS = 8
CELL_END = re.compile(r"[,;\t\r\n\"'`)\]}|\\]|\Z")
SAID = 0.75
"""The score of digits that a word calls a phone number."""
LABELLED = 20
"""Code points before a number in which the word lies that its full stop, hyphen or slash belongs to (`Tel.0171...`)."""


COLUMNS = Context.union((HEADINGS, OTHER_HEADINGS))
VOCABULARY = BEFORE.union(Context.union((COLUMNS, CONTEXT, GENERIC, SPOKEN)).heads)


@cache
def _codes() -> dict[str, tuple[str, ...]]:
    codes: dict[str, list[str]] = {}
    for region, row in shipped("phonenumbers")["regions"].items():
        codes.setdefault(str(row[0]), []).append(region)
    return {code: tuple(regions) for code, regions in codes.items()}


def _number(region: str) -> str:
    """A regular expression for the region's national (significant) numbers."""
    *_, general, numbers = shipped("phonenumbers")["regions"][region]
    return f"(?=(?:{general})$)(?:{'|'.join(numbers)})"


@cache
def _significant(code: str) -> re.Pattern[str]:
    """Numbers after a calling code, possibly after a trunk "0" as in +44 (0)20."""
    return re.compile(f"0?(?:{'|'.join(map(_number, _codes()[code]))})")


def _dialled(region: str) -> str:
    """A regular expression for numbers as they are dialled inside the region."""
    _, trunk, *_ = shipped("phonenumbers")["regions"][region]
    number = _number(region)
    after_trunk = f"(?>{trunk})(?!^){number}" if trunk else ""
    return after_trunk if trunk == "0" else f"{number}|{after_trunk}" if trunk else number


class Around(Beside):
    """And whether they speak of phones: of a cell only its column's heading does."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        super().__init__(text, COLUMNS, VOCABULARY)

    def said(self, start: int, end: int) -> Said:
        heading = self.heading(start)
        return heading if heading.words else self.near(start, end)

    def says(self, start: int, end: int) -> bool:
        """Whether a word says that a phone number stands there."""
        return CONTEXT.within(self.said(start, end)) or self.is_labelled(start, end)

    def speaks(self, start: int, end: int) -> bool:
        """Whether one says so of a number that looks like something else."""
        return SPOKEN.within(self.said(start, end)) or self.is_labelled(start, end)

    def is_other(self, start: int) -> bool:
        """Whether the heading names another number."""
        heading = self.heading(start)
        return OTHER_HEADINGS.within(heading) and not (CONTEXT.within(heading) or HEADINGS.within(heading))

    def is_labelled(self, start: int, end: int) -> bool:
        is_near = not BEFORE.isdisjoint(self.near(start, end).heads)
        return (is_near and is_said_before(label(self.text, start))) or HEADINGS.within(self.heading(start))


class Phones:
    """The phone recogniser for some countries; numbers with "+" or "00" are recognised for every country."""

    __slots__ = ("_is_national",)

    def __init__(self, countries: Iterable[str]) -> None:
        known = [country.upper() for country in countries if country.upper() in shipped("phonenumbers")["regions"]]
        self._is_national = re.compile("|".join(map(_dialled, known)) or "(?!)").fullmatch

    def find(self, text: str, tokens: Sequence[Token], tried: Sequence[int], threshold: float) -> list[Span]:
        found: list[Span] = []
        after, last = 0, len(tokens) - 1
        around: Around | None = None
        for at in tried:
            start, end, _ = tokens[at]
            if start < after or (end - start < SHORTEST and (at == last or tokens[at + 1][0] - end > 3)):
                continue
            candidate = CANDIDATE.match(text, _opening(text, start, after)) if _may_start(text, start, after) else None
            if candidate is None:
                continue
            around = around or Around(text)
            span = self._best(around, candidate, threshold)
            if span is not None and _is_apart(text, span, after):
                after = span.end
                found.append(span)
        return found

    def _best(self, around: Around, candidate: re.Match[str], threshold: float) -> Span | None:
        """The longest run of groups from the start that is a number; the rest may be the next number."""
        text, (start, limit) = around.text, candidate.span()
        if text[start] == "(" and text.find(")", start, limit) < 0:
            start += 1  # "(0221 908317)": the whole number is in brackets, and longer than a range, "(0-999999)"
            if limit - start <= LEAST_OF_TWO:
                return None
        number = ""
        ends: list[tuple[int, int]] = []
        for run in islice(DIGITS.finditer(text, start, limit), MOST_GROUPS):
            at, end = run.span()
            if text[at] == "0" and TRUNK.match(text, at) and self._is_whole(number) and self._is_begun(text, at):
                break
            number += text[at:end]
            ends.append((end, len(number)))
        for end, size in reversed(ends):
            if size < SHORTEST:
                break
            score = self._score(around, start, end, number[:size]) if size <= LONGEST + 2 else 0.0
            if score >= threshold and not _is_other(text, start, text[start:end]):
                match = EXTENSION.match(text, end)
                if match is None and text[end : end + 1].isalpha():
                    continue
                strength = Strength.PROVEN if score >= 0.85 else Strength.WEAK
                return Span(start, match.end() if match else end, "PHONE_NUMBER", score, DETECTOR, strength)
        return None

    def _is_whole(self, number: str) -> bool:
        """Whether another number may follow this one."""
        return len(number) >= LEAST_OF_TWO and bool(self._is_national(number) or is_international(number))

    def _is_begun(self, text: str, start: int) -> bool:
        """Whether a number begins at `start`, its own end unknown."""
        candidate, number = CANDIDATE.match(text, start), ""
        for run in islice(DIGITS.finditer(text, *candidate.span()), MOST_GROUPS) if candidate else ():
            number += run.group()
            if len(number) >= LEAST_OF_TWO and self._is_national(number):
                return True
        return False

    def _score(self, around: Around, start: int, end: int, number: str) -> float:
        written = around.text[start:end]
        if not number.strip(number[0]) or _is_half_in_brackets(written):
            return 0.0
        if ("." in written and QUAD.fullmatch(written)) or _is_time(around.text, start, written):
            return 0.0
        if written[0] == "+" and around.text[start - 1 : start].isalnum():
            return 0.0  # version 2.4+20151223
        if "+" in written[:2]:
            return 1.0 if is_international(number) else 0.5 if 8 <= len(number) <= LONGEST else 0.0
        if written.lstrip("(").startswith("00") and is_international(number[2:]):
            return 0.85
        return self._national(around, start, end, written, number)

    def _national(self, around: Around, start: int, end: int, written: str, number: str) -> float:
        if _is_figures(written):
            return self._dotted(around, start, end, written, number)
        if not self._is_national(number):
            if NORTH_AMERICAN.fullmatch(written):
                return 0.5
            if written.isdigit():
                words = label(around.text, start)
                said = is_phone(words) or HEADINGS.among(words[:2]) or HEADINGS.within(around.heading(start))
                return 0.45 if said and LEAST_FOREIGN <= len(number) <= 12 else 0.0
            return 0.45 if len(number) <= 12 and around.speaks(start, end) else 0.0
        if SSN_FORM.fullmatch(written):
            return 0.5 if SPOKEN.within(around.said(start, end)) else 0.0
        if around.says(start, end):
            return SAID if written.isdigit() else 0.85
        if GENERIC.within(around.said(start, end)) and not around.is_other(start):
            return 0.4 if written.isdigit() else 0.55
        if written.isdigit() or not _has_form(written, number):
            return 0.35
        return 0.35 if _is_in_a_row(around.text, start, end) and not GROUPED.fullmatch(written) else 0.5

    def _dotted(self, around: Around, start: int, end: int, written: str, number: str) -> float:
        """What looks like a decimal or like thousands: a number only where somebody says so."""
        if "/" in written or ". " in written or ".." in written or not self._is_national(number):
            return 0.0
        if ITALIAN.fullmatch(written):
            return 0.5 if _is_called(around.text, start) or around.is_labelled(start, end) else 0.0
        said, trunked = around.said(start, end), TRUNKED.fullmatch(written) is not None
        if not trunked and DECIMAL.fullmatch(written):
            return 0.0
        if around.speaks(start, end) or (trunked and (CONTEXT.within(said) or GENERIC.within(said))):
            return 0.5
        return 0.35 if trunked else 0.0


def _is_half_in_brackets(written: str) -> bool:
    return ("(" in written or ")" in written) and written.count("(") != written.count(")")


def _is_time(text: str, start: int, written: str) -> bool:
    """Days and years; also on a line that a patch adds (`+2026/03/12 10`)."""
    if not PARTED.search(written, 1):
        return SPACED_DAY.fullmatch(written) is not None
    has_year = "19" in written or "20" in written
    return bool(
        DATE.match(written.lstrip("+(")) or (has_year and CLOCK.search(written)) or SPAN_OF_DAYS.match(text, start)
    )


def _is_figures(written: str) -> bool:
    if "." not in written and "/" not in written:
        return False
    is_counted = DECIMAL.fullmatch(written) or FIGURES.search(written) or (written.count("/") > 1 and " " in written)
    return bool(is_counted) and not SLASHED.fullmatch(written)


def _is_called(text: str, start: int) -> bool:
    """Whether a word right before it says that a number to call follows."""
    words = label(text, start)
    return CONTEXT.among(words) or "numero" in words


def _is_other(text: str, start: int, written: str) -> bool:
    """Whether its form, or the word right before it, says that it is the number of an invoice, an order or a case."""
    if "+" in written[:2] or written.startswith("00"):
        return False
    words = label(text, start)
    if HTTP_STATUS.search(text, max(0, start - 12), start) or UNIT.match(text, start + len(written)):
        return True
    if RUNNING.fullmatch(written) and not CONTEXT.among(words[:2]):
        return True
    if ZIP.fullmatch(written) and STATE.search(text, max(0, start - 8), start):
        return True
    return is_reference(words, is_dialled=_is_dialled(written))


def _is_dialled(written: str) -> bool:
    """Written as phone numbers are and other figures seldom."""
    return written[0] in "0(+" or bool(NORTH_AMERICAN.fullmatch(written) or SPACED_FORM.fullmatch(written))


def _is_in_a_row(text: str, start: int, end: int) -> bool:
    """`12 14 15 18 21 22 23`: figures go on before or behind it."""
    before, behind = text[max(0, start - 2) : start], text[end : end + 2]
    return (before[-1:] == " " and before[:1].isdigit()) or (behind[:1] == " " and behind[1:].isdigit())


def _has_form(written: str, number: str) -> bool:
    """Whether the punctuation says "phone": not only spaces, or spaces as numbers without a trunk prefix have them."""
    if FRACTION.fullmatch(written):
        return False
    if number.startswith("0") or "-" in written or "/" in written or "(" in written or "." in written:
        return True
    return SPACED_FORM.fullmatch(written) is not None


def _may_start(text: str, start: int, after: int) -> bool:
    """Not after a decimal point, a currency sign or inside a longer run. `after` is the end of the number found last.

    What ends a label (`Tel:0171...`) or a cell (`1,0171 1234567,Ulm`) may stand before it; of a figure's comma see
    `_is_apart`.
    """
    if not text[start].isdecimal():
        return False
    mark, before = text[start - 1 : start], text[start - 2 : start - 1]
    if mark not in (".", ",", ":", "-", "/") or not before.isalnum():
        return mark not in ("_", "$", "€", "£", "@")
    if before.isdecimal():
        return mark == "," or (mark == "/" and start - 1 == after)
    return mark in (",", ":") or _is_phone_label(text, start - 1)


def _is_phone_label(text: str, end: int) -> bool:
    """`Tel.0171...`, `Tel.-Nr.0171...`; not `file.0171...`, `CVE-2024-...`."""
    words = [word for word in WORDS.findall(text[max(0, end - LABELLED) : end].lower()) if word not in NUMBERING][-1:]
    return CONTEXT.among(words) or is_said_before(words)


def _is_apart(text: str, span: Span, after: int) -> bool:
    """Whether the mark right before it parts it from what stands there.

    A figure's comma (`1,06 12 34`) does where the number fills a row's cell; a colon (`con:30/10/600/150`) where it is
    written as a phone number, or a word says that it is one.
    """
    start, end = span.start, span.end
    mark, before = text[start - 1 : start], text[start - 2 : start - 1]
    if mark not in (",", ":") or not before.isalnum() or start - 1 == after:
        return True
    if mark == ":":
        return span.score >= SAID or _is_dialled(text[start:end])
    return not before.isdecimal() or text[start] in "+(" or _is_cell(text, span)


def _is_cell(text: str, span: Span) -> bool:
    """Digits alone may be a decimal's, unless the row goes on behind them or a word says what they are."""
    is_bare = text[span.start : span.end].isdecimal()
    ends = CELL_END.match(text, span.end)
    return ends is not None and (not is_bare or span.score >= SAID or ends.group() == ",")


def _opening(text: str, start: int, floor: int) -> int:
    """Back over "(", "+" and "+(" before the first digit."""
    while start > floor and text[start - 1] in "+(" and text[start - 1] != text[start]:
        start -= 1
        if text[start] == "+" and text[start - 1 : start] != "(":
            break
    return start


def is_international(number: str) -> bool:
    """Digits that begin with a calling code, the national number possibly after a trunk "0" as in +44 (0)20."""
    codes = _codes()
    for size in (1, 2, 3):
        if number[:size] in codes:
            return _significant(number[:size]).fullmatch(number, size) is not None
    return False
