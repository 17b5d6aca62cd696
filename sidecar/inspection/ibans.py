"""IBANs: the registry's length for the country, and ISO/IEC 7064 mod 97-10, in any grouping and either case."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sidecar.inspection.checksums import compact, mod97
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import Token

LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FO FI GL NL SD", 19: "MK SI", 20: "AT BA EE KZ XK LT LU MN",
        21: "HR LV LI CH", 22: "BH BG CR GE DE IE ME RS GB VA", 23: "GI IL IQ OM SO TL AE",
        24: "AD CZ MD PK RO SA SK ES SE TN VG DZ", 25: "PT ST AO CV", 26: "IS TR MG BI",
        27: "FR GR IT MR MC SM DJ CF CG CM GA GQ TD",
        28: "AL AZ BY CY DO SV GT HU LB NI PL BF BJ CI HN ML MA MZ NE SN TG",
        29: "BR EG PS QA UA", 30: "JO KW YE MU", 31: "MT SC",
        32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
"""SWIFT IBAN registry (release 99), and the African countries that use the format without being registered."""

GROUPS = re.compile(r"[A-Za-z]{2}[ \u00a0-]?[0-9]{2}(?:[ \u00a0.-]?[A-Za-z0-9]){11,31}")
DETECTOR = "rules/iban"


def ibans(text: str, tokens: Sequence[Token], tried: Sequence[int]) -> list[Span]:
    """At a token that begins with the country, or at the two check digits after it."""
    found: list[Span] = []
    for at in tried:
        start, end, numeric = tokens[at]
        if numeric:
            if end - start != 2 or start < 3:
                continue
            start -= 3
        length = LENGTHS.get(text[start : start + 2].upper())
        if length is not None and not (start and text[start - 1].isalnum()):
            stop = _end(text, start, length)
            if stop:
                found.append(Span(start, stop, "IBAN_CODE", 1.0, DETECTOR, Strength.PROVEN))
    return found


def _end(text: str, start: int, length: int) -> int:
    end, account = start + length, text[start : start + length]
    if not (len(account) == length and account.isascii() and account.isalnum() and account[2:4].isdecimal()):
        end = _grouped_end(text, start, length)
        account = compact(text[start:end])
    if not end or text[end : end + 1].isalnum():
        return 0
    account = account.upper()
    return end if mod97(account[4:] + account[:4]) else 0


def _grouped_end(text: str, start: int, length: int) -> int:
    """The offset after `length` letters and digits in groups, 0 if there are fewer."""
    match = GROUPS.match(text, start)
    for at in range(start, match.end() if match else start):
        length -= text[at].isalnum()
        if length == 0:
            return at + 1
    return 0
