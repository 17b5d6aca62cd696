"""What generated code calls: one evaluation's state, and the statements that are too long to write in line.

`Run` is the only mutable thing. It counts steps (one per element scanned, per function entered, per
element a builtin made) so that a bound is met after a known amount of work and not after a known time
only; the deadline is looked at every `STRIDE` steps. Steps are added per scan, before it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from .errors import PDP_LIMIT, PDP_TIMEOUT, Conflict, OverLimit
from .values import UNDEFINED, RegoSet, Value, canonical, compare, in_order, ordered, same, sorted_keys, thaw

MISSING: Final = object()
STRIDE: Final = 1024
FAST: Final = frozenset({int, float})  # of these Python's order is Rego's, see numbers.normal
NUMBERS: Final = frozenset({int, float, Decimal})
LOOKUP: Final = (KeyError, TypeError, IndexError)


class Run:
    """One evaluation."""

    __slots__ = ("clock", "deadline", "limit", "memo", "memos", "slots", "steps", "stop", "trace")

    def __init__(self, slots: int, limit: int, clock: Callable[[], float] | None, seconds: float) -> None:
        self.slots = slots
        self.memo: list[Any] = [MISSING] * slots
        self.memos: dict[tuple[int, int], tuple[list[Any], Value, Value]] = {}
        self.steps = 0
        self.limit = limit
        self.clock = clock
        self.deadline = clock() + seconds if clock else 0.0
        self.stop = min(limit, STRIDE) if clock else limit
        self.trace: Any = None

    def spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > self.stop:
            self.checkpoint()

    def checkpoint(self) -> None:
        if self.steps > self.limit:
            raise OverLimit(PDP_LIMIT, "too many evaluation steps")
        if self.clock and self.clock() > self.deadline:
            raise OverLimit(PDP_TIMEOUT, "deadline passed")
        self.stop = min(self.limit, self.steps + STRIDE)

    def memo_for(self, document: Value, data: Value) -> list[Any]:
        """The memo of functions of exactly this input and data: `with` changes them, and back again.

        The pair is kept beside its memo so that an id is not used twice while the memo lives.
        """
        key = (id(document), id(data))
        if key not in self.memos:
            self.memos[key] = ([MISSING] * self.slots, document, data)
        return self.memos[key][0]


# --- lookup -----------------------------------------------------------------------------------------


def dot(source: Value, key: Value) -> Value:
    """`source[key]` or UNDEFINED; of a set, the element itself."""
    kind = type(source)
    if kind is dict or kind is RegoSet:
        return source.get(key if type(key) is str else canonical(key), UNDEFINED)
    if kind is list and type(key) is int and 0 <= key < len(source):  # `1.0` is no index in OPA either
        return source[key]
    return UNDEFINED


def length(value: Value) -> Value:
    return len(value) if isinstance(value, (list, dict, str)) else UNDEFINED


Functions = dict[tuple[str, ...], Callable[..., Value]]


def lookup(run: Run, functions: Functions, path: tuple[Value, ...], document: Value, data: Value) -> Value:
    """The rule at a path that is known only now, else base data there.

    A rule that is mapped but undefined is undefined: base data is not asked (compileCallDynamicStmt).
    """
    rule = functions.get(path) if all(type(part) is str for part in path) else None
    if rule is not None:
        return rule(run, document, data)
    for key in path[1:]:
        data = dot(data, key)
    return data


# --- scans ------------------------------------------------------------------------------------------
# `values`/`items` in any order, where the body cannot tell; `sorted_*` where it builds an array.


def values(run: Run, source: Value) -> Iterable[Value]:
    kind = type(source)
    if kind is list:
        run.spend(len(source))
        return source  # type: ignore[no-any-return]
    if kind is dict or kind is RegoSet:
        run.spend(len(source))
        return source.values()  # type: ignore[no-any-return]
    return ()


def items(run: Run, source: Value) -> Iterable[tuple[Value, Value]]:
    kind = type(source)
    if kind is list:
        run.spend(len(source))
        return enumerate(source)
    if kind is dict:
        run.spend(len(source))
        if tuple not in map(type, source):
            return source.items()  # type: ignore[no-any-return]
        return [(thaw(key), item) for key, item in source.items()]
    return paired(run, source.values()) if kind is RegoSet else ()


def paired(run: Run, elements: Iterable[Value]) -> list[tuple[Value, Value]]:
    pairs = [(element, element) for element in elements]
    run.spend(len(pairs))
    return pairs


def sorted_items(run: Run, source: Value) -> Iterable[tuple[Value, Value]]:
    kind = type(source)
    if kind is dict:
        run.spend(len(source))
        return [(thaw(key), source[key]) for key in sorted_keys(source)]
    if kind is RegoSet:
        return paired(run, ordered(source))
    return items(run, source)


def sorted_values(run: Run, source: Value) -> Iterable[Value]:
    kind = type(source)
    if kind is dict:
        run.spend(len(source))
        return [source[key] for key in sorted_keys(source)]
    if kind is RegoSet:
        run.spend(len(source))
        return in_order(source.values())
    return values(run, source)


# --- growing ----------------------------------------------------------------------------------------


def add(target: RegoSet, value: Value) -> None:
    target.setdefault(value if type(value) is str else canonical(value), value)


def insert(target: dict[Any, Value], key: Value, value: Value) -> None:
    target[key if type(key) is str else canonical(key)] = value


def absorb(run: Run, target: RegoSet, source: Value) -> None:
    """Every element of `source` into a set: the whole of many rules."""
    if type(source) is RegoSet and not target:
        run.spend(len(source))
        target.update(source)
    else:
        for value in values(run, source):
            add(target, value)


def mine(owned: set[int], target: Value) -> None:
    """A rule may grow only what rules made: `p[x] := input.o` and `p[x][y] := 1` together are a conflict."""
    if id(target) not in owned:
        raise Conflict("object keys must be unique")


def assign_once(old: Value, new: Value) -> Value:
    if old is not UNDEFINED and not same(old, new):
        raise Conflict("complete rules must not produce multiple outputs")
    return new


# --- comparisons in line ----------------------------------------------------------------------------


def less(a: Value, b: Value) -> bool:
    if type(a) in FAST and type(b) in FAST:
        return a < b  # type: ignore[no-any-return]
    return compare(a, b) < 0


def less_equal(a: Value, b: Value) -> bool:
    if type(a) in FAST and type(b) in FAST:
        return a <= b  # type: ignore[no-any-return]
    return compare(a, b) <= 0


def greater(a: Value, b: Value) -> bool:
    if type(a) in FAST and type(b) in FAST:
        return a > b  # type: ignore[no-any-return]
    return compare(a, b) > 0


def greater_equal(a: Value, b: Value) -> bool:
    if type(a) in FAST and type(b) in FAST:
        return a >= b  # type: ignore[no-any-return]
    return compare(a, b) >= 0


def member(value: Value, collection: Value) -> bool:
    """`value in collection` (topdown/aggregates.go, builtinMember)."""
    kind = type(collection)
    if kind is RegoSet:
        return (value if type(value) is str else canonical(value)) in collection
    if kind is list or kind is dict:
        elements = collection if kind is list else collection.values()
        if type(value) is str:
            return value in elements
        return any(same(value, element) for element in elements)
    return False
