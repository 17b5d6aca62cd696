"""Whether the Rego in a bundle is the text its plan was made of.

`opa build` reformats the Rego it packs, but the rows in the plan stay those of the text it was given. Where the two
differ, a row leads to some other line, and quoting that one would tell a condition that was never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from .ir import Place
from .trace import RuleSite, line_at

HEAD: Final = re.compile(r"\s*(?:default\s+)?(\w+)")
ELSE: Final = re.compile(r"\s*}?\s*else\b")


def as_compiled(sources: Mapping[str, str], rules: Iterable[RuleSite], places: Iterable[Place]) -> dict[str, str]:
    """Those of `sources` in which every rule's head and every condition stands where the plan says."""
    moved = {rule.file for rule in rules if not is_head(line_at(sources.get(rule.file, ""), rule.row), rule.path)}
    moved |= {at.file for at in places if at.row and not begins(line_at(sources.get(at.file, ""), at.row), at.col)}
    return {file: source for file, source in sources.items() if file not in moved}


def is_head(line: str, path: str) -> bool:
    """Whether a head of the rule at `path` begins here, or an `else` of it."""
    found = HEAD.match(line)
    return ELSE.match(line) is not None or (found is not None and found[1] in path.split("."))


def begins(line: str, col: int) -> bool:
    """Whether a word or a sign begins at this column, counted from 1. Of lines beyond ASCII it is believed: OPA counts
    their columns otherwise."""
    if not line.isascii():
        return True
    before, here = line[: col - 1][-1:], line[col - 1 : col]
    return bool(here.strip()) and not (is_word(before) and is_word(here))


def is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"
