"""Invented names: words that are in no list and sound like some language of the world, so that the context decides.

Syllables are strung together after fifteen manners (names_templates/manners.txt); none of them claims to be a language.
"""

from __future__ import annotations

import random
from pathlib import Path

Manner = tuple[list[str], list[str], list[str]]


def manners(path: Path) -> list[Manner]:
    """Read heads, middles and tails, a manner a line."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            heads, middles, tails = (part.split() for part in line.split("/"))
            found.append((heads, middles, tails))
    return found


def invented(pick: random.Random, known: list[Manner], longest: int) -> str:
    """Return one to `longest` words of one manner, mostly one."""
    manner = pick.choice(known)
    count = longest if longest > 1 and pick.random() < 0.3 else 1
    return " ".join(_word(pick, *manner) for _ in range(count))


def _word(pick: random.Random, heads: list[str], middles: list[str], tails: list[str]) -> str:
    inner = [pick.choice(middles) for _ in range(pick.choice((0, 0, 1, 1, 2)))] if middles else []
    return pick.choice(heads) + "".join(inner) + pick.choice(tails)
