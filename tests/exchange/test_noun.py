"""A swift noun is the frozen dataclass it was: only how its fields are filled is another matter."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from inspect import signature
from typing import Any

import pytest

from sidecar.ledger.facts import Intent, Outcome
from sidecar.model import Arrival, Call, Decision, ReplyFacts
from sidecar.noun import swift
from sidecar.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    a: int
    b: str = "b"
    c: list[int] = field(default_factory=list)
    d: str = field(default="hidden", repr=False)


@swift
@dataclass(frozen=True, slots=True, kw_only=True)
class Swift:
    a: int
    b: str = "b"
    c: list[int] = field(default_factory=list)
    d: str = field(default="hidden", repr=False)


@pytest.mark.parametrize("given", [{"a": 1}, {"a": 1, "b": "x", "c": [2]}, {"a": None, "c": None, "d": "y"}])
def test_it_holds_what_the_plain_one_holds(given: dict[str, Any]) -> None:
    made = Swift(**given)
    assert asdict(made) == asdict(Slow(**given))
    assert repr(made) == repr(Slow(**given)).replace("Slow", "Swift")
    assert type(made) is Swift
    assert made == Swift(**given)
    assert replace(made, a=7) == Swift(**{**given, "a": 7})
    assert copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == made


@pytest.mark.parametrize("given", [{}, {"a": 1, "e": 2}])
def test_it_refuses_what_the_plain_one_refuses(given: dict[str, Any]) -> None:
    for noun in (Slow, Swift):
        with pytest.raises(TypeError):
            noun(**given)
    with pytest.raises(TypeError):
        Swift(1)  # type: ignore[misc]


def test_it_is_frozen_and_has_no_room_for_more() -> None:
    made = Swift(a=1)
    with pytest.raises(FrozenInstanceError):
        made.a = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del made.a
    assert not hasattr(made, "__dict__")


def test_each_has_a_default_of_its_own() -> None:
    assert Swift(a=1).c is not Swift(a=1).c


@pytest.mark.parametrize("noun", [Arrival, Call, Decision, Intent, Outcome, Plan, ReplyFacts])
def test_the_nouns_take_their_fields(noun: Any) -> None:
    assert list(signature(noun.__init__).parameters) == ["self", *[each.name for each in fields(noun)]]
    made = noun(**{each.name: each.name for each in fields(noun)})
    assert [getattr(made, each.name) for each in fields(noun)] == [each.name for each in fields(noun)]
