"""What a rule's pattern may hold behind its first group of digits: the rules to be tried are chosen by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from sidecar.inspection.national import national_rules
from sidecar.inspection.presidio_rules import STARTS, presidio_rules
from sidecar.inspection.rules import LAST_ASCII, LEAST_ALONE, PARTING, Rule, RuleBook
from sidecar.inspection.serials import serial_rules

COUNTRIES = sorted({start.country for starts in STARTS.values() for start in starts} | {"no", "ch", "lu"})
SHORT = [
    rule
    for rule in (*presidio_rules(COUNTRIES), *national_rules(COUNTRIES), *serial_rules())
    if not rule.lead and rule.numeric and min(rule.numeric) < LEAST_ALONE
]
TAIL = "(/"
"""Before the key of a French number alone, behind all of its other groups."""


def _parsed(rule: Rule) -> Any:
    return parser.parse(rule.pattern.pattern, rule.pattern.flags & ~re.UNICODE)


def _marks(parsed: Any) -> Iterator[str]:
    """What a pattern takes in besides letters and digits; what it only looks at is left out."""
    for code, value in parsed:
        if code is codes.LITERAL:
            yield chr(value)
        elif code is codes.RANGE:
            yield from map(chr, range(value[0], value[1] + 1))
        elif code is codes.IN:
            yield from _marks(value)
        elif code is codes.CATEGORY:
            yield from PARTING[:10] if value is codes.CATEGORY_SPACE else () if value is codes.CATEGORY_DIGIT else "?"
        elif code is codes.BRANCH:
            for branch in value[1]:
                yield from _marks(branch)
        elif code is codes.SUBPATTERN:
            yield from _marks(value[3])
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            yield from _marks(value[2])
        elif code not in (codes.ASSERT, codes.ASSERT_NOT, codes.GROUPREF):
            yield f"? {code}"


@pytest.mark.parametrize("rule", SHORT, ids=lambda rule: f"{rule.name} {rule.pattern.pattern[12:40]}")
def test_a_short_group_is_tried_by_every_rule_that_may_start_with_it(rule: Rule) -> None:
    parsed = _parsed(rule)
    assert parsed.getwidth()[0] > max(size for size in rule.numeric if size < LEAST_ALONE)
    marks = {mark for mark in _marks(parsed) if not mark.isalnum() and mark <= LAST_ASCII} - set(TAIL)
    assert marks <= set(PARTING)
    book = RuleBook([rule], 0.0)
    size = min(rule.numeric)
    assert all(book._digits(size, mark) is not None for mark in marks)
    assert book._digits(size, "\u00a0") is not None


def test_a_mark_that_parts_no_number_is_tried_by_none() -> None:
    book = RuleBook(SHORT, 0.0)
    assert [mark for mark in map(chr, range(128)) if mark not in PARTING and book._digits(3, mark)] == []
    assert book._digits(3, "") is None
