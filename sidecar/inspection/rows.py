"""A national number in one row: what it looks like, where it may start, its check, the words that stand beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from sidecar.inspection.context import Context
from sidecar.inspection.keywords import unaccented
from sidecar.inspection.rules import GENERAL_WORDS, NEVER, NOT_INSIDE, NOT_ON, Check, Rule


class Row(NamedTuple):
    """`bare` is the score without such a word. `apart` are the lengths of the token behind letters that stand apart
    from it ("ATU 61804621"); `label` are the words that claim a number right behind them, where those of `context`
    would not all do."""

    entity: str
    regex: str
    context: str
    numeric: Iterable[int] = NEVER
    mixed: Iterable[int] = NEVER
    lead: bool = False
    check: Check | None = None
    proven: float = 1.0
    bare: float = 0.1
    apart: Iterable[int] = NEVER
    label: str = ""


def rules_of(row: Row) -> list[Rule]:
    """One, and its like for the letters apart."""
    rule = _rule(row)
    apart = frozenset(row.apart)
    return [rule, replace(rule, numeric=apart, mixed=apart, lead=True)] if apart else [rule]


def _rule(row: Row) -> Rule:
    context = Context.words(unaccented(row.context))
    own = Context.words(row.label) if row.label else context.without(GENERAL_WORDS.split())
    flags = (re.ASCII if row.check else 0) | (re.IGNORECASE if row.entity.endswith("VAT_ID") else 0)
    return Rule(
        name=f"rules/{row.entity.lower().replace('_', '-')}",
        entity=row.entity,
        pattern=re.compile(f"{NOT_INSIDE}(?:{row.regex}){NOT_ON}", flags),
        score=row.bare,
        proven_score=row.proven,
        check=row.check,
        context=context,
        label=own,
        numeric=frozenset(row.numeric),
        mixed=frozenset(row.mixed),
        lead=row.lead,
    )
