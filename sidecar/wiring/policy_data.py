"""What the default packs' settings (`policy.data`) say: whether they can be read and fulfilled, and whom they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sidecar.config import Problem
from sidecar.drivers.bundle import Bundle
from sidecar.wiring.detection import unfindable

PACK = "pii_egress"
ANY = "*"
TYPED = (("redact",), ("stricter",), ("reply", "redact"), ("forbidden",), ("reply", "forbidden"))
"""The settings of that pack that name types of personal data: lists, lists by side, or a mapping by type."""
INTEGERS = range(-(2**63), 2**64)
"""What JSON's readers hold exactly; the engine and OPA would each make something else of more."""


def unwritable(value: object, place: str = "policy.data") -> Iterator[Problem]:
    """What no bundle can hold, at any depth: YAML has names and values that JSON has not."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                yield Problem(f"{place}.{key}", "the name must be text; write it in quotes")
            yield from unwritable(inner, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from unwritable(inner, f"{place}.{number}")
    elif isinstance(value, int) and value not in INTEGERS:
        yield Problem(place, "must be an integer of at most 64 bit")
    elif isinstance(value, float) and not abs(value) < float("inf"):
        yield Problem(place, "must be a finite number")
    elif not (value is None or isinstance(value, str | int | float)):
        yield Problem(place, "must be text, a number, true or false; write it in quotes")


def unknown_types(bundle: Bundle, known: Iterable[str]) -> Iterator[Problem]:
    """Types that nobody finds, where the pack for personal data is in use: what they should protect would leave."""
    if not _runs(bundle):
        return
    types = frozenset(known)
    for steps in TYPED:
        name = ".".join(("policy.data.pii", *steps))
        for entity in dict.fromkeys(_named(_at(bundle.data, "governor", "config", "pii", *steps))):
            if entity == ANY and "forbidden" in steps:
                yield Problem(name, "* stands for no type here; name each type that is forbidden")
            elif entity != ANY and entity not in types:
                yield Problem(name, unfindable(entity, types))


def listed_names(bundle: Bundle) -> frozenset[str]:
    """The models and tools that the packs' settings name, patterns too: the operator's own words."""
    config = _at(bundle.data, "governor", "config")
    return frozenset(_texts([_at(config, "models"), _at(config, "tools")])) - {ANY}


def _runs(bundle: Bundle) -> bool:
    """Whether a phase asks the pack; a bundle without it may mean anything by `pii`."""
    return PACK in _texts(_at(bundle.data, "governor", "routes"))


def _at(tree: Any, *steps: str) -> Any:
    """What stands there, None where nothing does."""
    for step in steps:
        tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree


def _named(value: object) -> Iterator[str]:
    """The types of a list, of the lists of each side, or of a mapping from type to mode."""
    if isinstance(value, list):
        yield from map(str, value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from map(str, inner) if isinstance(inner, list) else (key,)


def _texts(value: object) -> Iterator[str]:
    """Every string at any depth; names of fields are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | Mapping):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)
