"""Random policies: small, legal most of the time, and fond of what compilers get wrong.

`policy(random)` is Rego text by file name with the entrypoint `t/out`, which gathers every rule that is
defined. `document(random)` is an input for it. What OPA's compiler refuses, callers skip.
"""

from __future__ import annotations

from random import Random
from typing import Any

ENTRYPOINT = "t/out"
SCALARS = ["null", "true", "false", "0", "1", "2", "1.0", "0.5", "-1", "3", '"a"', '"b"', '""', '"é"', "0.1"]
REFS = [
    "input.a", "input.b", "input.c.d", "input.xs", "input.m", "input.xs[0]", "input.m.a", "input.n", "input.s",
    "data.base.list", "data.base.map", "data.base.map.a", "data.base.one", "data.base.deep.x.y", "data.base.none",
    "input",
]  # fmt: skip
COLLECTIONS = ["input.xs", "input.m", "data.base.list", "data.base.map", "input.ys", "data.base.mixed"]
COMPARE = ["==", "!=", "<", "<=", ">", ">="]
UNARY = ["count({})", "sum({})", "sort({})", "type_name({})", "is_number({})", "is_string({})", "max({})",
         "to_number({})", "json.marshal({})", "object.keys({})", "abs({})", "upper({})",
         "array.reverse({})", "is_boolean({})"]  # fmt: skip
BINARY = ["{} + {}", "{} * {}", "{} - {}", "{} / {}", "{} % {}", 'object.get({}, "a", {})', "startswith({}, {})",
          "{} & {}", "{} | {}", "array.concat({}, {})", 'concat(",", [{}, {}])', 'sprintf("%v %v", [{}, {}])',
          "contains({}, {})"]  # fmt: skip


class _Writer:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.rules: list[str] = []  # complete rules and partial ones that may be referred to
        self.functions: list[str] = []
        self.fresh = 0

    def pick(self, choices: list[str]) -> str:
        return self.random.choice(choices)

    def name(self) -> str:
        self.fresh += 1
        return f"v{self.fresh}"

    # --- terms ---

    def term(self, depth: int, local: list[str]) -> str:
        roll = self.random.random()
        if local and roll < 0.25:
            return self.pick(local)
        if depth <= 0 or roll < 0.45:
            return self.pick(SCALARS) if self.random.random() < 0.3 else self.pick(REFS)
        return self.composite(depth - 1, local)

    def composite(self, depth: int, local: list[str]) -> str:
        kind = self.random.randrange(12)
        term = lambda: self.term(depth, local)  # noqa: E731 (a local shorthand)
        if kind == 0:
            return f"[{term()}, {term()}]"
        if kind == 1:
            return f'{{"a": {term()}, {self.pick(SCALARS)}: {term()}}}'
        if kind == 2:
            return f"{{{term()}, {term()}}}"
        if kind in (3, 4):
            return self.comprehension(depth, local)
        if kind == 5 and self.rules:
            return self.pick(self.rules)
        if kind == 6 and self.functions:
            return f"{self.pick(self.functions)}({term()})"
        if kind == 7 and local:
            return f"data.packs[{self.pick(local)}].{self.pick(['flag', 'n', 's', 'sub.z'])}"
        if kind == 8 and local:
            return f"{self.pick(COLLECTIONS)}[{self.pick(local)}]"
        if kind == 9:
            return self.pick(UNARY).format(self.soft(local))
        if kind == 10:
            return self.pick(BINARY).format(self.soft(local), self.soft(local))
        return self.pick(REFS)

    def soft(self, local: list[str]) -> str:
        """An operand whose type the compiler cannot know, so that it is ours to get right."""
        return self.pick([*REFS, *local])

    def comprehension(self, depth: int, local: list[str]) -> str:
        body, inner = self.body(depth, local, 2)
        head = self.term(depth, inner)
        kind = self.random.randrange(3)
        if kind == 0:
            return f"[{head} | {body}]"
        if kind == 1:
            return f"{{{head} | {body}}}"
        return f"{{{self.term(0, inner)}: {head} | {body}}}"

    # --- bodies ---

    def body(self, depth: int, local: list[str], most: int) -> tuple[str, list[str]]:
        known = list(local)
        parts = [self.expression(depth, known) for _ in range(self.random.randint(1, most))]
        return "; ".join(parts), known

    def expression(self, depth: int, local: list[str]) -> str:
        kind = self.random.randrange(11)
        if kind < 3:
            return self.binding(depth, local, kind)
        if kind == 3:
            return f"{self.term(depth, local)} in {self.term(depth, local)}"
        if kind == 4:
            return f"not {self.test(depth, local)}"
        if kind == 5:
            variable = self.name()
            test = self.test(depth - 1, [*local, variable])
            return f"every {variable} in {self.pick(COLLECTIONS)} {{ {variable} != 7; {test} }}"
        if kind == 6:
            return f"{self.test(depth, local)} with input.a as {self.term(0, local)}"
        if kind == 7 and local:
            return f"not data.packs[{self.pick(local)}].{self.pick(['flag', 'n == 3', 's[1]', 'sub.z'])}"
        return self.test(depth, local)

    def binding(self, depth: int, local: list[str], kind: int) -> str:
        one, other = self.name(), self.name()
        if kind == 0:
            text = f"{one} := {self.term(depth, local)}"
        elif kind == 1:
            text = f"some {one} in {self.pick([*COLLECTIONS, *self.rules])}"
        else:
            text = f"some {one}, {other} in {self.pick(COLLECTIONS)}"
            local.append(other)
        local.append(one)
        return text

    def test(self, depth: int, local: list[str]) -> str:
        if self.random.random() < 0.3:
            return self.pick([*REFS, *local, *self.rules])  # a bare literal is no condition: the planner drops it
        return f"{self.term(depth, local)} {self.pick(COMPARE)} {self.term(depth, local)}"

    # --- rules ---

    def rule(self, index: int) -> str:
        name, kind = f"r{index}", self.random.randrange(7)
        body, local = self.body(2, [], 3)
        value = self.term(2, local)
        text = self.written(name, kind, body, value, local)
        (self.functions if kind == 4 else [] if kind == 3 else self.rules).append(name)
        return text

    def written(self, name: str, kind: int, body: str, value: str, local: list[str]) -> str:
        if kind == 0:
            return f"{name} := {value} if {{ {body} }}\n"
        if kind == 1:
            return f"default {name} := {self.pick(SCALARS)}\n{name} := {value} if {{ {body} }}\n"
        if kind == 2:
            other, _ = self.body(2, [], 2)
            return f"{name} := {value} if {{ {body} }} else := {self.pick(SCALARS)} if {{ {other} }}\n"
        if kind == 3:
            return f"{name}[{self.term(0, local)}] := {value} if {{ {body} }}\n"
        if kind == 4:
            body, local = self.body(2, ["x"], 2)
            return f"{name}(x) := {self.term(1, local)} if {{ {body} }}\n"
        other, locals_ = self.body(2, [], 2)
        return f"{name} contains {value} if {{ {body} }}\n{name} contains {self.term(1, locals_)} if {{ {other} }}\n"


def policy(random: Random) -> dict[str, str]:
    writer = _Writer(random)
    rules = [writer.rule(index) for index in range(random.randint(2, 5))]
    names = [f"r{index}" for index in range(len(rules)) if f"r{index}" not in writer.functions]
    shown = "".join(f'out["{name}"] := {name}\n' for name in names)
    packs = {f"{name}.rego": pack(random, name) for name in ("a", "b")}
    if random.random() < 0.3:
        packs["c.rego"] = "package packs.c.flag\ndeep := 1\n"
    return {"t.rego": "package t\n" + shown + "".join(rules), **packs}


def pack(random: Random, name: str) -> str:
    rules = [
        f"flag := {random.choice(SCALARS)} if input.a == {random.choice(SCALARS)}",
        f"flag := {random.choice(SCALARS)}",
        f"n := {random.choice(['3', 'input.n', 'count(input.xs)'])}",
        "s contains x if some x in input.xs",
        "default flag := false",
    ]
    chosen = random.sample(rules, random.randint(1, 3))
    chosen = [
        rule for at, rule in enumerate(chosen) if rule.split()[0] not in {other.split()[0] for other in chosen[:at]}
    ]
    return f"package packs.{name}\n" + "\n".join(chosen) + "\n"


DATA: dict[str, Any] = {
    "base": {
        "list": ["a", "b", "c", 1, True], "map": {"a": 1, "b": {"x": [1, 2]}, "c": None}, "one": 1,
        "deep": {"x": {"y": "z"}}, "mixed": [1, 1.0, True, False, 0, None, "a", [1], [True], {"a": 1}, {"a": True}],
    },
    "packs": {"d": {"flag": False, "n": 3}},
}  # fmt: skip

_VALUES: list[Any] = [None, True, False, 0, 1, 2, 1.0, 0.5, -1, 3, "a", "b", "c", "d", "", "é", [], {}, 2**70, 0.1, 7]


def value(random: Random, depth: int = 2) -> Any:
    roll = random.random()
    if depth <= 0 or roll < 0.6:
        return random.choice(_VALUES)
    if roll < 0.8:
        return [value(random, depth - 1) for _ in range(random.randint(0, 3))]
    return {random.choice("abcdx"): value(random, depth - 1) for _ in range(random.randint(0, 3))}


def document(random: Random) -> dict[str, Any]:
    keys = random.sample(["a", "b", "c", "xs", "ys", "m", "n", "s"], random.randint(2, 8))
    result = {key: value(random) for key in keys}
    for key in ("xs", "ys"):
        if random.random() < 0.6:
            result[key] = [value(random, 1) for _ in range(random.randint(0, 4))]
    if random.random() < 0.5:
        result["m"] = {key: value(random, 1) for key in "abc"}
    return result


FULL: dict[str, Any] = {
    "a": "a", "b": 1, "c": {"d": [1, 2]}, "xs": [[1, 2], [2, 1], [3, [4, 5]]], "ys": ["a", "b", 1],
    "m": {"a": {"a": 1, "b": 2}, "b": {"a": 3}, "c": {"b": 1}}, "n": 3, "s": "x",
}  # fmt: skip
"""An input in which most references and patterns find something."""
