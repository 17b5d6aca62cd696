"""Which strings of a body may enter the policy input: names, and only where no person can hide in them.

A model, a tool or an unknown parameter is named by the caller's body, so a policy needs the name and an attacker (or a
careless application) may write anything there. A name passes when it looks like one, holds no long run of digits (a
phone number, an account) and no value of a person that a detector found anywhere in the call; otherwise policy sees
UNREADABLE, which no allow list but `*` matches. Organisations and places are no persons, and words of the operator's
own lists are the operator's: a letter to Anthropic is no reason to refuse `anthropic/claude-3`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from sidecar.model import Finding, Part
from sidecar.policy.contract import UNREADABLE

TOOL = re.compile(r"[A-Za-z0-9_.-]{1,64}")
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}")
PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,63}")
LABEL = re.compile(r"[A-Za-z0-9_.:/\[\]-]{1,200}")
NAME_LENGTH = 128
LONG_DIGITS = re.compile(r"[0-9]{9}")
"""Dates have eight digits; subscriber numbers, cards and accounts have more."""
GAP = re.compile(r"[^A-Za-z0-9]")
FEW = 64
MOST_GAPS = 16
NOBODY = frozenset({"ORGANIZATION", "LOCATION"})
"""Types that tell of no person by themselves; models and tools are called after companies."""


def found_values(parts: Iterable[Part], findings: Sequence[Finding], listed: Collection[str] = ()) -> frozenset[str]:
    """The values that detectors found, and the whole of each identifier that holds one. Never leaves this room.

    `listed` are names and patterns of the operator's own lists: a value that stands in one as a word is no secret.
    """
    spans: dict[tuple[str | int, ...], list[tuple[int, int]]] = {}
    for place, start, end, entity, _, _ in findings:
        if entity not in NOBODY:
            spans.setdefault(place.path, []).append((start, end))
    if not spans:
        return frozenset()
    found, own = set[str](), "\n".join(listed)
    for part in parts:
        here, text = spans.get(part.place.path), part.text  # of a key and of its value the path is the same
        if here is None:
            continue
        values = [text[start:end] for start, end in here]
        values = [value for value in values if value not in own or not _in_any(listed, value)]
        found.update(values)
        if values and len(text) <= NAME_LENGTH:
            found.add(text)
    found.discard("")
    return frozenset(found)


def _in_any(listed: Iterable[str], value: str) -> bool:
    return any(value in name and _as_a_word(name, value) for name in listed)


def readable(name: str, shape: re.Pattern[str], found: frozenset[str]) -> str:
    """The name itself, or UNREADABLE."""
    if not shape.fullmatch(name) or LONG_DIGITS.search(name):
        return UNREADABLE
    if not found:
        return name
    holds = _holds if len(found) <= FEW else _holds_one_of_many
    return UNREADABLE if holds(name, found) else name


def readable_or_none(name: str | None, shape: re.Pattern[str], found: frozenset[str]) -> str | None:
    return None if name is None else readable(name, shape, found)


def readable_set(names: Iterable[str], shape: re.Pattern[str], found: frozenset[str]) -> list[str]:
    if not names:
        return []
    return sorted({readable(name, shape, found) for name in names})


def _holds(name: str, found: frozenset[str]) -> bool:
    return any(_as_a_word(name, value) for value in found if value in name)


def _holds_one_of_many(name: str, found: frozenset[str]) -> bool:
    """As `_holds`, by the runs of words that the name has: thousands of tools beside thousands of values would hold up
    everybody else. A name of more words than are looked through could hold anything."""
    gaps = [gap.start() for gap in GAP.finditer(name)]
    if len(gaps) > MOST_GAPS:
        return True
    starts, ends = [0, *(gap + 1 for gap in gaps)], [*gaps, len(name)]
    return any(name[start:end] in found for start in starts for end in ends if start < end)


def _as_a_word(name: str, value: str) -> bool:
    """Whether the value stands in the name as a word of its own (`or` is found in no `order_lookup`)."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", name) is not None
