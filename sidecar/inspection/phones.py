"""Phone numbers, by libphonenumber's numbering plans (derived table), only where a number can stand.

Presidio runs libphonenumber's matcher over the whole text once per region: 26 ms for a dense kilobyte, IPv4 addresses
called phones, the "+1 " left outside the span (reference/pii.md 2.2, 2.4). Here a candidate is found at a token,
its digits are compared with the plans of the configured countries (or of its own "+" calling code), and nothing else.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from sidecar.inspection.context import Context, Neighbourhood
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import DIGITS, Token, grouped

CANDIDATE = re.compile(r"(?:\+|\(\+?|00)?\d(?:[ \u00a0.\-/()\u2010-\u2015\u202f]{0,3}\d){5,17}(?!\d)")
EXTENSION = re.compile(
    r"[ \u00a0]?(?:,[ ]?)?(?:x|ext\.?|extension|poste|durchwahl|#)[ :.]{0,2}\d{1,6}(?![^\W_])", re.IGNORECASE
)
DATE = re.compile(
    r"\d{4}([-./] ?)(?:0?[1-9]|1[0-2])\1(?:3[01]|[12]\d|0?[1-9])(?!\d)"
    r"|[0-3]?\d([-./] ?)[0-3]?\d\2(?:(?:19|20)\d\d|\d\d)(?![-./]?\d)"
)
FIGURES = re.compile(r"\.\.|\d{1,3}(?:\.\d{3})+(?!\S)| / |(?<![\d.])0\.\d|\. |\.\d+[ /]|[ /]\d+\.\d")
"""Thousands, decimals, sums, lists of figures: what dots and slashes mean in tables rather than in phone numbers."""
QUAD = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?![.\d])")
DECIMAL = re.compile(r"\d+[.,]\d+(?!\S)")
CONTEXT = Context.words(
    """
    anruf anrufen appeler appelez bellen call called calling calls cell cellphone cellulare celular chiamami
    chiamare dial fax festnetz gsm handy handynummer hotline komórka landline ligar llamar llame mobiel mobil
    mobile mobilephone mobilnummer msisdn móvil pager phone phonenumber phones puhelin puhelinnumero ring ringa
    rufnummer sms soita tel telefon telefone telefonnummer telefono telefoon telefoonnummer telemóvel telephone
    teléfono tlf tél téléphone voicemail whatsapp zadzwoń
    """
)
GENERIC = Context.words("number numéro número numero numer nummer contact text reach signal")
"""Words that stand beside a phone number, and beside every other kind too."""
SPOKEN = Context.words(
    """
    phone telephone tel tél call called calling mobile cell cellphone fax whatsapp sms dial office answering hotline
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
LONGEST = 15
"""ITU-T E.164: at most 15 digits."""


class Plan(NamedTuple):
    """One region's numbering plan; `number` matches a national (significant) number."""

    trunk: re.Pattern[str] | None
    number: re.Pattern[str]
    needs_trunk: bool


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


@cache
def plan(region: str) -> Plan:
    _, trunk, _, _, general, numbers = _table()["regions"][region]
    simple = trunk.isdigit() and len(trunk) == 1
    pattern = re.compile(f"(?=(?:{general})$)(?:{'|'.join(numbers)})")
    return Plan(re.compile(trunk) if trunk else None, pattern, simple and trunk == "0")


class Phones:
    """The phone recogniser for some countries; numbers with "+" or "00" are recognised for every country."""

    __slots__ = ("_plans",)

    def __init__(self, countries: Iterable[str]) -> None:
        known = _table()["regions"]
        self._plans = tuple(plan(country.upper()) for country in countries if country.upper() in known)

    def find(self, text: str, tokens: Sequence[Token], threshold: float) -> Iterator[Span]:
        after = 0
        around = Neighbourhood(text)
        for at in grouped(tokens, 6, 3):
            token = tokens[at]
            if token.start < after or not _may_start(text, token):
                continue
            start = _opening(text, token.start, after)
            candidate = CANDIDATE.match(text, start)
            if candidate is None:
                continue
            span = self._best(around, start, candidate.end(), threshold)
            if span is not None:
                after = span.end
                yield span

    def _best(self, around: Neighbourhood, start: int, limit: int, threshold: float) -> Span | None:
        """The longest run of groups from `start` that is a number; the rest may be the next number."""
        text = around.text
        ends = [run.end() for run in DIGITS.finditer(text, start, limit)]
        for end in reversed(ends[:8]):
            score = self._score(around, start, end)
            if score >= threshold:
                match = EXTENSION.match(text, end)
                if match is None and text[end : end + 1].isalpha():
                    continue
                strength = Strength.PROVEN if score >= 0.85 else Strength.WEAK
                return Span(start, match.end() if match else end, "PHONE_NUMBER", score, DETECTOR, strength)
        return None

    def _score(self, around: Neighbourhood, start: int, end: int) -> float:
        written = around.text[start:end]
        number = "".join(filter(str.isdigit, written))
        if not 7 <= len(number) <= LONGEST + 2 or written.count("(") != written.count(")"):
            return 0.0
        if QUAD.fullmatch(written) or DATE.match(written) or len(set(number)) < 2:
            return 0.0
        if "+" in written[:2]:
            return 1.0 if is_international(number) else 0.5 if 8 <= len(number) <= LONGEST else 0.0
        if number.startswith("00") and is_international(number[2:]):
            return 0.85
        return self._national(around, start, end, written, number)

    def _national(self, around: Neighbourhood, start: int, end: int, written: str, number: str) -> float:
        if DECIMAL.fullmatch(written) or FIGURES.search(written):
            return 0.0
        if not any(_is_national(plan, number) for plan in self._plans):
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
        return 0.35 if written.isdigit() else 0.5 if _has_form(written, number) else 0.35


def _has_form(written: str, number: str) -> bool:
    """Whether the punctuation says "phone": not only spaces, or spaces as numbers without a trunk prefix have them."""
    if number.startswith("0") or "-" in written or "/" in written or "(" in written or "." in written:
        return True
    return SPACED_FORM.fullmatch(written) is not None


def _may_start(text: str, token: Token) -> bool:
    """Not after a letter, a decimal point, a currency sign or inside a longer run."""
    if not text[token.start].isdecimal():
        return False
    before = text[token.start - 1 : token.start]
    return before not in ("_", "$", "€", "£", "@") and not (
        before in (".", ",", ":", "-", "/") and text[token.start - 2 : token.start - 1].isalnum()
    )


def _opening(text: str, start: int, floor: int) -> int:
    """Back over "(", "+" and "+(" before the first digit."""
    while start > floor and text[start - 1] in "+(" and text[start - 1] not in text[start : start + 1]:
        start -= 1
        if text[start] == "+" and text[start - 1 : start] != "(":
            break
    return start


def is_international(number: str) -> bool:
    """Digits that begin with a calling code, the national number possibly after a trunk "0" as in +44 (0)20."""
    for size in (1, 2, 3):
        regions = _codes().get(number[:size])
        if regions:
            national = number[size:]
            return any(_is_number(plan(region), national) for region in regions)
    return False


def _is_number(region: Plan, national: str) -> bool:
    if region.number.fullmatch(national):
        return True
    return national.startswith("0") and region.number.fullmatch(national[1:]) is not None


def _is_national(region: Plan, number: str) -> bool:
    match = region.trunk.match(number) if region.trunk else None
    if match and match.end() and region.number.fullmatch(number[match.end() :]):
        return True
    return not region.needs_trunk and region.number.fullmatch(number) is not None
