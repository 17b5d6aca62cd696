"""IBANs: the registry's length for the country, and ISO/IEC 7064 mod 97-10, in any grouping and either case.

And Polish accounts as they are written at home: the same without the country (numer rachunku bankowego, NRB).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sidecar.inspection.checksums import compact, digits, mod97, weighted
from sidecar.inspection.context import Context
from sidecar.inspection.rules import MISTYPED
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import Token

LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FO FI FK GL NL SD", 19: "MK SI", 20: "AT BA EE KZ XK LT LU MN",
        21: "HR LV LI CH", 22: "BH BG CR GE DE IE ME RS GB VA", 23: "GI IL IQ OM SO TL AE",
        24: "AD CZ MD PK RO SA SK ES SE TN VG", 25: "PT ST LY AO CV GW MZ", 26: "IS TR DZ IR",
        27: "FR GR IT MR MC SM DJ BI CF CG CM GA GQ KM MG TD",
        28: "AL AZ BY CY DO SV GT HU LB NI PL BF BJ CI HN ML MA NE SN TG",
        29: "BR EG PS QA UA", 30: "JO KW YE MU", 31: "MT SC",
        32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
"""SWIFT IBAN registry (release 99), and the countries that use the format without being registered."""

BETWEEN = r"(?:[ \u00a0.-]|[ \t]{2,4}|[ \t]{0,2}\r?\n[ \t>]{0,8})?"
"""A separator, blanks as tables have them, or the end of a line that was too short."""
GROUPS = re.compile(rf"[A-Za-z]{{2}}[ \u00a0-]?[0-9]{{2}}(?:{BETWEEN}[A-Za-z0-9]){{11,31}}")
WIDE = re.compile(r"\n|[ \t]{2}")
DETECTOR = "rules/iban"
LABEL = Context.words("iban")
POLISH = re.compile(rf"[0-9]{{2}}(?:{BETWEEN}[0-9]{{4}}){{6}}(?![^\W_])")
POLISH_WORDS = Context.words(
    "konto konta koncie kontem rachunek rachunku rachunkiem nrb przelew przelewu bankowe bankowego"
)


def ibans(text: str, tokens: Sequence[Token], tried: Sequence[int], threshold: float = 1.0) -> list[Span]:
    """At a token that begins with the country, or at the two check digits after it.

    One whose check digits are wrong is MISTYPED right behind the word "IBAN", else nothing.
    """
    found: list[Span] = []
    for at in tried:
        start, end, numeric = tokens[at]
        span = None
        if not numeric:
            span = _at(text, start)
        elif end - start in (2, 26):
            span = (_at(text, start - 3) if start > 2 else None) or _polish(text, start)
        if span is not None and span.score >= threshold:
            found.append(span)
    return found


def _at(text: str, start: int) -> Span | None:
    length = LENGTHS.get(text[start : start + 2].upper())
    return None if length is None or (start and text[start - 1].isalnum()) else _iban(text, start, length)


def _polish(text: str, start: int) -> Span | None:
    """Whose bank's number has its own check digit right, or beside a word for an account."""
    match = POLISH.match(text, start)
    if match is None:
        return None
    account = compact(match.group())
    if not mod97(f"{account[2:]}PL{account[:2]}"):
        return None
    if not is_polish_bank(account[2:10]) and not POLISH_WORDS.near(text, *match.span()):
        return None
    return Span(start, match.end(), "IBAN_CODE", 1.0, DETECTOR, Strength.PROVEN)


def is_polish_bank(number: str) -> bool:
    """Numer rozliczeniowy: eight digits, weights 3 9 7 1 3 9 7, the last makes the sum a multiple of ten (NBP)."""
    return any(values := digits(number)) and weighted(values, (3, 9, 7, 1, 3, 9, 7, 1)) % 10 == 0


def _iban(text: str, start: int, length: int) -> Span | None:
    end, account = start + length, text[start : start + length]
    if not (len(account) == length and account.isascii() and account.isalnum() and account[2:4].isdecimal()):
        end = _grouped_end(text, start, length)
        if not end:
            return None
        account = compact(text[start:end])
    if text[end : end + 1].isalnum():
        return None
    account = account.upper()
    if mod97(account[4:] + account[:4]):
        return Span(start, end, "IBAN_CODE", 1.0, DETECTOR, Strength.PROVEN)
    if WIDE.search(text, start, end) or not LABEL.labels(text, start):
        return None
    return Span(start, end, "IBAN_CODE", MISTYPED, DETECTOR)


def _grouped_end(text: str, start: int, length: int) -> int:
    """The offset after `length` letters and digits in groups, 0 if there are fewer."""
    match = GROUPS.match(text, start)
    for at in range(start, match.end() if match else start):
        length -= text[at].isalnum()
        if length == 0:
            return at + 1
    return 0
