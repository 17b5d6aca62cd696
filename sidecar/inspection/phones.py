"""Phone numbers, by libphonenumber's numbering plans (derived table), only where a number can stand.

Presidio runs libphonenumber's matcher over the whole text once per region: 26 ms for a dense kilobyte, IPv4 addresses
called phones, the "+1 " left outside the span (reference/pii.md 2.2, 2.4). Here a candidate is found at a token,
its digits are compared with the plans of the configured countries (or of its own "+" calling code), and nothing else.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from typing import Any

from sidecar.inspection.context import Context, Neighbourhood
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import DIGITS, Token

CANDIDATE = re.compile(r"(?:\+|\(\+?|00)?[0-9](?:[ \u00a0.\-/()\u2010-\u2015\u202f]{0,3}[0-9]){6,17}(?!\d)")
EXTENSION = re.compile(
    r"[ \u00a0]?(?:,[ ]?)?(?:x|ext\.?|extension|poste|durchwahl|#)[ :.]{0,2}\d{1,6}(?![^\W_])", re.IGNORECASE
)
DATE = re.compile(
    r"\d{4}([-./] ?)(?:0?[1-9]|1[0-2])\1(?:3[01]|[12]\d|0?[1-9])(?!\d)"
    r"|[0-3]?\d([-./] ?)[0-3]?\d\2(?:(?:19|20)\d\d|\d\d)(?![-./]?\d)"
)
CLOCK = re.compile(
    r"^(?:19|20)\d\d [+-]\d{4}$|^(?:19|20)\d\d ?[-\u2013/] ?(?:19|20)\d\d$"
    r"|(?<!\d)(?:19|20)\d\d-[01]\d-[0-3]\d(?!\d)"
)
"""The end of a date in a log of git, `2022 -0700`; from year to year; a date among other figures."""
FIGURES = re.compile(r"\.\.|\d{1,3}(?:\.\d{3})+(?!\S)| / |(?<![\d.])0\.\d|\. |\.\d+[ /]|[ /]\d+\.\d")
"""Thousands, decimals, sums, lists of figures: what dots and slashes mean in tables rather than in phone numbers."""
OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
QUAD = re.compile(rf"{OCTET}(?:\.{OCTET}){{3}}(?![.\d])")
DECIMAL = re.compile(r"\d+[.,]\d+(?!\S)")
TRUNKED = re.compile(r"0\d{1,5}\.\d+")
"""`06.12345678`, `0664.123456`: no decimal is written so."""
CONTEXT = Context.words(
    """
    anruf anrufen appeler appelez bel bellen call called calling calls cell cellphone cellulare celular chiamami
    chiamare dial fax festnetz gsm handy handynummer hotline komórka landline ligar llamar llame mobiel mobil
    mobile mobilephone mobilnummer msisdn móvil pager phone phonenumber phones puh puhelin puhelinnumero ring ringa
    rufnummer sms soita tel telefon telefone telefonnummer telefono telefoon telefoonnummer telemóvel telephone
    teléfono tlf tél téléphone voicemail whatsapp zadzwoń
    """
)
GENERIC = Context.words("number numéro número numero numer nummer contact text reach signal")
"""Words that stand beside a phone number, and beside every other kind too."""
SPOKEN = Context.words(
    """
    phone telephone tel tél call called calling mobile cell cellphone fax whatsapp sms dial office answering hotline puh
    telefon telefonnummer handy rufnummer mobil mobilnummer téléphone portable teléfono telefono móvil celular cellulare
    telefoon telefoonnummer gsm telemóvel telefone puhelin tlf landline festnetz
    """
)
"""Words beside which even a local number (no area code) is one."""
NORTH_AMERICAN = re.compile(r"(?:(?:\+|00)?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}")
"""The written form of the North American plan, whatever its area code: people and generators mistype area codes."""
SSN_FORM = re.compile(r"\d{3}-\d\d-\d{4}")
SPACED_FORM = re.compile(r"\d{3} \d{3} \d{3}|\d{3} \d\d \d\d \d\d|\d\d \d{3} \d\d \d\d|\d\d \d\d \d\d \d\d")
"""How Spain, Poland, Portugal, Denmark write numbers without a trunk prefix."""
DETECTOR = "rules/phone"
SHORTEST, LONGEST = 7, 15
"""ITU-T E.164: at most 15 digits."""
MOST_GROUPS = 8


@cache
def _table() -> dict[str, Any]:
    data = pkgutil.get_data(__package__, "phone_plans.json")
    assert data is not None
    loaded: dict[str, Any] = json.loads(data)
    return loaded


def version() -> str:
    return str(_table()["version"])


@cache
def _codes() -> dict[str, tuple[str, ...]]:
    codes: dict[str, list[str]] = {}
    for region, row in _table()["regions"].items():
        codes.setdefault(str(row[0]), []).append(region)
    return {code: tuple(regions) for code, regions in codes.items()}


def _number(region: str) -> str:
    """A regular expression for the region's national (significant) numbers."""
    *_, general, numbers = _table()["regions"][region]
    return f"(?=(?:{general})$)(?:{'|'.join(numbers)})"


@cache
def _significant(code: str) -> re.Pattern[str]:
    """Numbers after a calling code, possibly after a trunk "0" as in +44 (0)20."""
    return re.compile(f"0?(?:{'|'.join(map(_number, _codes()[code]))})")


def _dialled(region: str) -> str:
    """A regular expression for numbers as they are dialled inside the region."""
    _, trunk, *_ = _table()["regions"][region]
    number = _number(region)
    after_trunk = f"(?>{trunk})(?!^){number}" if trunk else ""
    return after_trunk if trunk == "0" else f"{number}|{after_trunk}" if trunk else number


class Phones:
    """The phone recogniser for some countries; numbers with "+" or "00" are recognised for every country."""

    __slots__ = ("_is_national",)

    def __init__(self, countries: Iterable[str]) -> None:
        known = [country.upper() for country in countries if country.upper() in _table()["regions"]]
        self._is_national = re.compile("|".join(map(_dialled, known)) or "(?!)").fullmatch

    def find(self, text: str, tokens: Sequence[Token], tried: Sequence[int], threshold: float) -> list[Span]:
        found: list[Span] = []
        after, last = 0, len(tokens) - 1
        around = Neighbourhood(text)
        for at in tried:
            start, end, _ = tokens[at]
            if start < after or (end - start < SHORTEST and (at == last or tokens[at + 1][0] - end > 3)):
                continue
            candidate = CANDIDATE.match(text, _opening(text, start, after)) if _may_start(text, start) else None
            span = self._best(around, candidate, threshold) if candidate is not None else None
            if span is not None:
                after = span.end
                found.append(span)
        return found

    def _best(self, around: Neighbourhood, candidate: re.Match[str], threshold: float) -> Span | None:
        """The longest run of groups from the start that is a number; the rest may be the next number."""
        text, (start, limit) = around.text, candidate.span()
        number = ""
        ends: list[tuple[int, int]] = []
        for run in islice(DIGITS.finditer(text, start, limit), MOST_GROUPS):
            number += run.group()
            ends.append((run.end(), len(number)))
        for end, size in reversed(ends):
            if size < SHORTEST:
                break
            score = self._score(around, start, end, number[:size]) if size <= LONGEST + 2 else 0.0
            if score >= threshold:
                match = EXTENSION.match(text, end)
                if match is None and text[end : end + 1].isalpha():
                    continue
                strength = Strength.PROVEN if score >= 0.85 else Strength.WEAK
                return Span(start, match.end() if match else end, "PHONE_NUMBER", score, DETECTOR, strength)
        return None

    def _score(self, around: Neighbourhood, start: int, end: int, number: str) -> float:
        written = around.text[start:end]
        if written.count("(") != written.count(")") or number.count(number[0]) == len(number):
            return 0.0
        if DATE.match(written) or CLOCK.search(written) or ("." in written and QUAD.fullmatch(written)):
            return 0.0
        if written[0] == "+" and around.text[start - 1 : start].isalnum():
            return 0.0  # version 2.4+20151223
        if "+" in written[:2]:
            return 1.0 if is_international(number) else 0.5 if 8 <= len(number) <= LONGEST else 0.0
        if number.startswith("00") and is_international(number[2:]):
            return 0.85
        return self._national(around, start, end, written, number)

    def _national(self, around: Neighbourhood, start: int, end: int, written: str, number: str) -> float:
        if ("." in written or "/" in written) and (DECIMAL.fullmatch(written) or FIGURES.search(written)):
            return self._dotted(around, start, end, written, number)
        if not self._is_national(number):
            if NORTH_AMERICAN.fullmatch(written):
                return 0.5
            local = len(number) <= 12 and not written.isdigit() and SPOKEN.among(around.words(start, end))
            return 0.45 if local else 0.0
        if SSN_FORM.fullmatch(written):
            return 0.5 if SPOKEN.among(around.words(start, end)) else 0.0
        if CONTEXT.among(around.words(start, end)):
            return 0.75 if written.isdigit() else 0.85
        if GENERIC.among(around.words(start, end)):
            return 0.4 if written.isdigit() else 0.55
        if written.isdigit() or _is_in_a_row(around.text, start, end) or not _has_form(written, number):
            return 0.35
        return 0.5

    def _dotted(self, around: Neighbourhood, start: int, end: int, written: str, number: str) -> float:
        """What looks like a decimal or like thousands: a number only where somebody says so."""
        if "/" in written or ". " in written or ".." in written or not self._is_national(number):
            return 0.0
        words, trunked = around.words(start, end), TRUNKED.fullmatch(written) is not None
        if not trunked and DECIMAL.fullmatch(written):
            return 0.0
        if SPOKEN.among(words) or (trunked and (CONTEXT.among(words) or GENERIC.among(words))):
            return 0.5
        return 0.35 if trunked else 0.0


def _is_in_a_row(text: str, start: int, end: int) -> bool:
    """`12 14 15 18 21 22 23`: figures go on before or behind it."""
    before, behind = text[max(0, start - 2) : start], text[end : end + 2]
    return (before[-1:] == " " and before[:1].isdigit()) or (behind[:1] == " " and behind[1:].isdigit())


def _has_form(written: str, number: str) -> bool:
    """Whether the punctuation says "phone": not only spaces, or spaces as numbers without a trunk prefix have them."""
    if number.startswith("0") or "-" in written or "/" in written or "(" in written or "." in written:
        return True
    return SPACED_FORM.fullmatch(written) is not None


def _may_start(text: str, start: int) -> bool:
    """Not after a letter, a decimal point, a currency sign or inside a longer run."""
    if not text[start].isdecimal():
        return False
    before = text[start - 1 : start]
    return before not in ("_", "$", "€", "£", "@") and not (
        before in (".", ",", ":", "-", "/") and text[start - 2 : start - 1].isalnum()
    )


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
