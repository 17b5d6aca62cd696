"""Payment cards: every issuer range, 12 to 19 digits, in any grouping, proven by Luhn.

Presidio knows no 2-series Mastercard, 19-digit Visa, 12-digit Maestro or 15-digit JCB. Ranges: ISO/IEC 7812
issuer identification numbers as published by the schemes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from sidecar.inspection.checksums import luhn, weighted
from sidecar.inspection.context import Context
from sidecar.inspection.rules import MISTYPED
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import Token

Range = tuple[int, int, range]

RANGES: tuple[Range, ...] = (
    (1800, 1800, range(15, 16)),  # JCB
    (2131, 2131, range(15, 16)),  # JCB
    (2200, 2204, range(16, 20)),  # Mir
    (2221, 2720, range(16, 17)),  # Mastercard 2-series
    (3000, 3059, range(14, 20)),  # Diners Club
    (3095, 3095, range(14, 20)),  # Diners Club
    (3400, 3499, range(15, 16)),  # American Express
    (3500, 3599, range(16, 20)),  # JCB (3528 to 3589 are issued)
    (3600, 3699, range(14, 20)),  # Diners Club
    (3700, 3799, range(15, 16)),  # American Express
    (3800, 3999, range(14, 20)),  # Diners Club
    (4000, 4999, range(13, 20, 3)),  # Visa
    (5000, 5099, range(12, 20)),  # Maestro, Dankort, Verve
    (5100, 5599, range(16, 17)),  # Mastercard
    (5600, 5899, range(12, 20)),  # Maestro
    (6000, 6999, range(12, 20)),  # Maestro, Discover, UnionPay, RuPay, InstaPayment
    (8100, 8199, range(16, 20)),  # UnionPay, RuPay
    (9792, 9792, range(16, 17)),  # Troy
)
"""Disjoint, by prefix."""
LOWEST = [low for low, _, _ in RANGES]
CONTEXT = Context.words(
    """
    amex bancaire card cardnumber cards carta carte cartão cc ccnumber credit creditcard diners discover
    girocard jcb kaart karta karte kartennummer kort kortnummer kortti kreditkarte kreditkartennummer maestro
    mastercard pan payment tarjeta visa
    """
)
SEPARATORS = " .\u00a0\u2009\u2011\u2013-"
TWELVE = re.compile(f"[{SEPARATORS}]?+".join(["[0-9]"] * 12))
"""What every card begins with, and few other numbers do."""
DETECTOR = "rules/card"


def cards(text: str, tokens: Sequence[Token], tried: Sequence[int], threshold: float) -> list[Span]:
    found: list[Span] = []
    after = 0
    for at in tried:
        start, end, numeric = tokens[at]
        if numeric and start >= after and end - start <= 19 and TWELVE.match(text, start):
            span = _longest(text, tokens, at, threshold)
            if span is not None:
                after = span.end
                found.append(span)
    return found


def _longest(text: str, tokens: Sequence[Token], at: int, threshold: float) -> Span | None:
    """The longest card that starts at token `at`."""
    start, number = tokens[at][0], ""
    ends: list[int] = []
    sizes: list[int] = []
    for low, high, numeric in tokens[at : at + 10]:
        if ends and not (numeric and low - ends[-1] == 1 and text[low - 1] in SEPARATORS):
            break  # the next group of digits stands one separator from the last
        if len(number) + high - low > 19:
            break
        number += text[low:high]
        ends.append(high)
        sizes.append(high - low)
    mistyped = _mistyped(number, sizes, text, start, ends[-1]) if threshold <= MISTYPED else None
    while len(number) >= 12:
        if luhn(number) and len(set(number)) > 1:
            score = _score(number, sizes, text, start, ends[-1])
            if score >= threshold:
                return Span(start, ends[-1], "CREDIT_CARD", score, DETECTOR, Strength.PROVEN)
        ends.pop()
        number = number[: -sizes.pop()]
    return mistyped


def _mistyped(number: str, sizes: Sequence[int], text: str, start: int, end: int) -> Span | None:
    """Grouped as a card of an issuer's range right behind a word for one, whatever its check digit."""
    if not (len(number) >= 12 and _is_grouped(sizes) and _is_issued(number) and CONTEXT.labels(text, start)):
        return None
    return Span(start, end, "CREDIT_CARD", MISTYPED, DETECTOR)


def _score(number: str, sizes: Sequence[int], text: str, start: int, end: int) -> float:
    """1.0 in an issuer's range; elsewhere what Presidio takes (13 to 17 digits after 1, 3, 4, 50-55, 6) needs more."""
    grouped = _is_grouped(sizes)
    if len(sizes) == 1 and is_article(number):
        return 0.75 if CONTEXT.near(text, start, end) else 0.3
    if grouped and _is_issued(number):
        return 1.0
    if grouped and len(sizes) >= 3 and len(number) >= 13:
        return 0.6
    return 0.75 if CONTEXT.near(text, start, end) else 0.3


def is_article(number: str) -> bool:
    """GTIN-13 and GLN: German ones begin with 4, as the cards of thirteen digits did that nobody issues any more."""
    return len(number) == 13 and weighted([int(digit) for digit in number], (1, 3) * 6 + (1,)) % 10 == 0


def _is_issued(number: str) -> bool:
    prefix = int(number[:4])
    _, high, lengths = RANGES[max(0, bisect_right(LOWEST, prefix) - 1)]
    return LOWEST[0] <= prefix <= high and len(number) in lengths


def _is_grouped(sizes: Sequence[int]) -> bool:
    """One run, fours with a shorter or longer rest, 4-6-5 and 4-6-4, or as Presidio has it: 4, 3-4, 3-4, 3-5.

    Figures of a table make Luhn sums too, one in ten.
    """
    *heads, last = sizes
    if not heads or (heads.count(4) == len(heads) and last <= 7):
        return True
    presidio = len(sizes) == 4 and sizes[0] == 4 and max(sizes[1:3]) <= 4 and min(sizes[1:]) >= 3 and last <= 5
    return presidio or list(sizes[:2]) == [4, 6]
