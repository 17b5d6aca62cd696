"""The program being written: its constants, its texts, and how it is built.

The text of a generated module holds integers, names made of a letter and an integer, and `repr()` of
strings, nothing else of a bundle (tests/rego/test_hostile.py). Values that have no literal are bound by
name in the namespace the module runs in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from . import runtime, values
from .errors import Conflict, PlanRefused
from .ir import NOWHERE, Block, Func, Place, Policy


class Line(NamedTuple):
    """A line of the text, and where in the Rego it is from. It holds no newline: `repr()` escapes them."""

    indent: int
    text: str
    at: Place


@dataclass(slots=True)
class Module:
    """The program being written: one per policy."""

    policy: Policy
    data: Any
    builtins: dict[str, Callable[..., Any]]
    names: dict[str, Any]
    lines: list[Line] = field(default_factory=list)
    outlined: int = 0
    constants: dict[int, str] = field(default_factory=dict)
    string_sets: dict[int, tuple[Any, frozenset[str]]] = field(default_factory=dict)
    total: frozenset[str] = frozenset()  # functions that are never undefined

    def constant(self, value: Any) -> str:
        """A name for a value that has no literal. The value is kept, so its id is its own."""
        known = self.constants.get(id(value))
        if known is None:
            known = self.constants[id(value)] = f"K{len(self.constants)}"
            self.names[known] = value
        return known


FUNCTION_NAMES: Final = {
    "U": values.UNDEFINED, "MISSING": runtime.MISSING, "LOOKUP": runtime.LOOKUP,
    "Conflict": Conflict, "NUMBERS": runtime.NUMBERS, "RegoSet": values.RegoSet,
    "canonical": values.canonical, "same": values.same, "merge": values.merge, "upsert": values.upsert,
    "insert_once": values.insert_once, "dot": runtime.dot, "length": runtime.length,
    "lookup": runtime.lookup, "values": runtime.values, "items": runtime.items,
    "sorted_items": runtime.sorted_items, "sorted_values": runtime.sorted_values,
    "add": runtime.add, "insert": runtime.insert, "mine": runtime.mine,
    "absorb": runtime.absorb, "assign_once": runtime.assign_once,
    "less": runtime.less, "less_equal": runtime.less_equal, "greater": runtime.greater,
    "greater_equal": runtime.greater_equal,
}  # fmt: skip


# All of Python that generated code may name.
PYTHON: Final = {
    kind.__name__: kind
    for kind in (bool, dict, float, frozenset, id, int, isinstance, len, list, set, str, type)
}  # fmt: skip


def module_of(policy: Policy, data: Any, builtins: dict[str, Callable[..., Any]]) -> Module:
    module = Module(policy, data, builtins, {**FUNCTION_NAMES, "__builtins__": PYTHON})
    for index, name in enumerate(sorted(builtins)):
        module.names[f"B{index}"] = builtins[name]
    return module


class Writer(Protocol):
    """What writes one function or plan: emit.Plain and what is built on it."""

    def function(self, index: int, func: Func) -> list[Line]: ...

    def plan(self, index: int, blocks: tuple[Block, ...]) -> list[Line]: ...


WriterOf = Callable[[Module, dict[str, int], dict[str, int]], Writer]


def write(module: Module, writer: WriterOf) -> str:
    """The whole program: `f*` for functions, `p*` for plans, `o*` for what had to be outlined."""
    funcs = {func.name: index for index, func in enumerate(module.policy.funcs)}
    builtins = {name: index for index, name in enumerate(sorted(module.builtins))}
    for index, func in enumerate(module.policy.funcs):
        module.lines += writer(module, funcs, builtins).function(index, func)
    for index, (_, blocks) in enumerate(module.policy.plans):
        module.lines += writer(module, funcs, builtins).plan(index, blocks)
    rules = enumerate(module.policy.funcs)
    paths = (f"{func.path!r}: f{index}" for index, func in rules if len(func.params) == 2)
    module.lines.append(Line(0, f"PATHS.update({{{', '.join(paths)}}})", NOWHERE))
    return "".join(f"{' ' * line.indent}{line.text}\n" for line in module.lines)


FILE: Final = "<rego plan>"


def build(module: Module, source: str) -> dict[str, Any]:
    """Runs the generated module; returns its namespace."""
    module.names["PATHS"] = {}
    try:
        exec(compile(source, FILE, "exec"), module.names)  # noqa: S102 (the text is ours: see above)
    except (SyntaxError, RecursionError, MemoryError, ValueError) as cause:
        raise PlanRefused(f"plan too large to build ({type(cause).__name__})", name="plan.json") from cause
    return module.names
