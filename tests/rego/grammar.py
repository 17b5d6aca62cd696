"""Random modules that lean to what `generate` leaves out, many of them for one build of a plan.

Patterns, `walk`, heads with dots, nested partial rules, chains of `else`, functions of several bodies and with
defaults, `every` with a key, `with` over rules and builtins. `modules(random, number)` gives packages `t0`, `t1`, ...
each with a rule `out`. Most are no Rego (types, unsafe variables): callers ask the compiler which.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

SCALARS = ["null", "true", "false", "0", "1", "2", "1.0", "0.5", "-1", "1e+23", '"a"', '"b"', '""', '"é"']
TERMS = [*SCALARS, "[]", "{}", "set()", "[1, 2]", '{"a": 1}', "{1, 2}"]
REFS = [
    "input.a", "input.b", "input.c.d", "input.xs", "input.m", "input.xs[0]", "input.m.a", "input.n", "input.s",
    "input.ys", "data.base.list", "data.base.map", "data.base.one", "data.base.deep.x.y", "data.base.none",
]  # fmt: skip
COLLECTIONS = ["input.xs", "input.m", "data.base.list", "data.base.map", "input.ys", "data.base.mixed"]
CALLS = [
    "count({0})", "sum({0})", "sort({0})", "max({0})", "json.marshal({0})", 'sprintf("%v", [{0}])', '$"x{{{0}}}"',
    "{0} + {1}", "{0} - {1}", "{0} & {1}", "{0} | {1}", "array.concat({0}, {1})", "object.union({0}, {1})",
    "object.get({0}, [{1}], 7)", "contains({0}, {1})", "glob.match({0}, null, {1})", "split({0}, {1})",
]  # fmt: skip
PATTERNS = ["[{0}, {1}]", '{{"a": {0}, "b": {1}}}', "[{0}, [{1}, _]]", "[_, {0}, {1}]"]
REPLACED = ["input.a", "input.xs", "input", "data.base.one", "data.base.map.a", "data.base"]


class _Module:
    def __init__(self, random: Random, package: str) -> None:
        self.random, self.package = random, package
        self.values: list[str] = []
        self.partial: list[str] = []
        self.functions: list[str] = []
        self.fresh = 0

    def pick(self, choices: list[str]) -> str:
        return self.random.choice(choices)

    def names(self, local: list[str], number: int) -> list[str]:
        found = [f"v{self.fresh + at}" for at in range(number)]
        self.fresh += number
        local += found
        return found

    def simple(self, local: list[str]) -> str:
        return self.pick([self.pick(TERMS), self.pick(REFS), self.pick(REFS), *local])

    def term(self, local: list[str]) -> str:
        makers: list[Callable[[], str]] = [
            lambda: self.pick(CALLS).format(self.simple(local), self.simple(local)),
            lambda: f"[{self.simple(local)}, {self.simple(local)}]",
            lambda: f"{{{self.simple(local)}, {self.simple(local)}}}",
            lambda: self.pick(self.values or REFS),
            lambda: f"{self.pick(self.partial or COLLECTIONS)}[{self.simple(local)}]",
            lambda: f"{self.pick(self.functions or ['mock'])}({self.simple(local)})",
            lambda: self.comprehension(local),
        ]
        return self.random.choice(makers)() if self.random.random() < 0.5 else self.simple(local)

    def comprehension(self, local: list[str]) -> str:
        body, inner = self.body(local, 2)
        head = self.pick(["[{0} | {2}]", "{{{0} | {2}}}", "{{{1}: {0} | {2}}}"])
        return head.format(self.simple(inner), self.simple(inner), body)

    def test(self, local: list[str]) -> str:
        return f"{self.term(local)} {self.pick(['==', '!=', '<', '<=', '>', '>='])} {self.term(local)}"

    def body(self, local: list[str], most: int) -> tuple[str, list[str]]:
        known = list(local)
        parts = [self.expression(known) for _ in range(self.random.randint(1, most))]
        if added := known[len(local) :]:
            parts.append(f"is_array([{', '.join(added)}])")  # a variable that nobody reads is an error
        return "; ".join(parts), known

    def expression(self, local: list[str]) -> str:
        before, kind = list(local), self.random.randrange(13)
        if kind < 7:
            one, other = self.names(local, 2)
            pattern = self.pick(PATTERNS).format(one, other)
            where = self.pick([*COLLECTIONS, *self.partial])
            return [
                f"{one} := {self.simple(before)}; {other} := {self.simple(before)}",
                f"some {one}, {other} in {where}",
                f"some {one}; {other} = {where}[{one}]",
                f"some {one}, {other}; walk({self.pick(REFS)}, [{one}, {other}])",
                f"{pattern} = {self.pick([*REFS, *before])}",
                f"{pattern} := {self.pick([*REFS, *before])}",
                f"some {pattern} in {where}",
            ][kind]
        return self.condition(kind - 7, local)

    def condition(self, kind: int, local: list[str]) -> str:
        one, other = self.names([], 2)
        inside = [*local, one, other]
        return [
            f"not {self.test(local)}",
            f"every {one}, {other} in {self.pick(COLLECTIONS)} {{ is_array([{one}, {other}]); {self.test(inside)} }}",
            f"{self.test(local)} with {self.pick([*REPLACED, *self.values])} as {self.simple(local)}",
            f"count(input.xs) == {self.simple(local)} with count as {self.pick(['7', 'mock'])}",
            f"({self.simple(local)}, {self.simple(local)} in {self.pick(COLLECTIONS)})",
            self.test(local),
        ][kind]

    def rule(self, name: str) -> str:
        kind = self.random.randrange(8)
        (body, local), (second, others) = self.body([], 3), self.body([], 2)
        value, key = self.term(local), self.pick([*local, '"q"'])
        if kind < 3:
            self.values.append(name)
            default = f"default {name} := {self.pick(TERMS)}\n" if kind == 2 else ""
            rest = f" else := {self.term(others)} if {{ {second} }} else := {self.pick(TERMS)}" if kind else ""
            return f"{default}{name} := {value} if {{ {body} }}{rest}\n"
        if kind == 3:
            return self.function(name)
        self.partial.append(name)
        return [
            f"{name} contains {value} if {{ {body} }}\n{name} contains {self.term(others)} if {{ {second} }}\n",
            f"{name}[{key}] contains {value} if {{ {body} }}\n",
            f"{name}[{key}][{self.pick([*local, '1'])}] := {value} if {{ {body} }}\n",
            f"{name}.a := {value} if {{ {body} }}\n{name}.b.c := {self.term(others)} if {{ {second} }}\n",
        ][kind - 4]

    def function(self, name: str) -> str:
        (body, local), (second, others) = self.body(["x", "y"], 2), self.body(["z"], 1)
        self.functions.append(name)
        default = f"default {name}(_) := {self.pick(SCALARS)}\n" if self.random.random() < 0.3 else ""
        return (
            f"{default}{name}([x, y]) := {self.term(local)} if {{ {body} }}\n"
            f"{name}(z) := {self.term(others)} if {{ is_string(z); {second} }}\n"
        )

    def text(self) -> str:
        rules = [self.rule(f"r{at}") for at in range(self.random.randint(2, 5))]
        shown = [f'out["{name}"] := {name}\n' for name in [*self.values, *self.partial]]
        return "".join([f"package {self.package}\n", 'out["always"] := 1\n', *shown, *rules, "mock(x) := [x]\n"])


def modules(random: Random, number: int) -> dict[str, str]:
    """By file name, `t0.rego` and on."""
    return {f"t{at}.rego": _Module(random, f"t{at}").text() for at in range(number)}
