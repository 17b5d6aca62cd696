"""Wide nouns that every exchange makes, filled in half the time.

A frozen dataclass sets each field by a call of `object.__setattr__`: 6 us for the 30 fields of an intent. Here a new
instance is of a twin class while it is filled, one that has the same slots and is not frozen; then it is what it was.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar, cast

T = TypeVar("T")


def swift(noun: type[T]) -> type[T]:
    """A frozen, slotted, keyword-only dataclass, with an `__init__` that takes the same and does the same."""
    found = fields(cast(Any, noun))
    names = [each.name for each in found]
    twin = type(f"{noun.__name__} being filled", (), {"__slots__": names})
    known = {"change": object.__setattr__, "twin": twin, "noun": noun, "UNSET": object()}
    known |= {f"default_{each.name}": each.default for each in found}
    known |= {f"make_{each.name}": each.default_factory for each in found}
    exec(_text(found), known)  # noqa: S102  the names of fields, as `dataclass` itself does it
    noun.__init__ = known["__init__"]  # type: ignore[assignment]
    return noun


def _text(found: tuple[Field[Any], ...]) -> str:
    given = ", ".join(map(_parameter, found))
    lines = [f"  self.{each.name} = {_value(each)}" for each in found]
    body = ["  change(self, '__class__', twin)", *lines, "  self.__class__ = noun"]
    return "\n".join([f"def __init__(self, *, {given}):", *body])


def _parameter(each: Field[Any]) -> str:
    if each.default is not MISSING:
        return f"{each.name}=default_{each.name}"
    return each.name if each.default_factory is MISSING else f"{each.name}=UNSET"


def _value(each: Field[Any]) -> str:
    if each.default_factory is MISSING:
        return each.name
    return f"make_{each.name}() if {each.name} is UNSET else {each.name}"
