"""Nothing from a bundle reaches the generated text but `repr()` of strings and integers."""

from __future__ import annotations

import ast
import json
import re

import corpus
import pytest
from handmade import block, local, plan, stmt, string
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.rego import load
from sidecar.rego.module import FUNCTION_NAMES, PYTHON

OURS = {*FUNCTION_NAMES, *PYTHON, "run", "results", "memo", "PATHS", "r", "b", "c", "owned"}  # fmt: skip
NUMBERED = re.compile(r"[vfpoKBnw]\d+")
HOSTILE = [
    "'",
    '"',
    "\\",
    "\n",
    "'''",
    "\\'",
    "'); import os #",
    "{run}",
    "%s",
    "\u2028",
    "\x00",
    "\ud800",
    "é😀",
    "f0(run)",
]


def checked(text: str) -> None:
    """Every name in a generated module is one of ours, or a letter and a number."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            assert node.id in OURS or NUMBERED.fullmatch(node.id), node.id
        assert not isinstance(node, (ast.Import, ast.ImportFrom, ast.Global, ast.Lambda))


def hostile(text: str) -> bytes:
    """A plan with `text` wherever a bundle may put a string."""
    call = stmt("CallStmt", func=text, args=[local(0), local(1)], result=2)
    func = {
        "name": text, "path": ["g0", text], "params": [0, 1], "return": 2,
        "blocks": [block(stmt("MakeSetStmt", target=2), stmt("SetAddStmt", value=string(1), set=2),
                         stmt("ReturnLocalStmt", source=2))],
    }  # fmt: skip
    return plan(
        call,
        stmt("DotStmt", source=local(0), key=string(1), target=3),
        stmt("MakeObjectStmt", target=9),
        stmt("ObjectInsertStmt", key=string(1), value=local(3), object=9),
        stmt("ObjectInsertStmt", key=string(0), value=local(2), object=9),
        strings=(text,),
        funcs={"funcs": [func]},
    )


@pytest.mark.parametrize("optimise", [True, False])
@pytest.mark.parametrize("text", HOSTILE)
def test_names_stay_strings(text: str, optimise: bool) -> None:
    engine = load(hostile(text), optimise=optimise)
    checked(engine.program.text)
    assert engine.evaluate("e", {text: 7}) == {text: 7, "result": [text]}


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=12), optimise=st.booleans())
def test_any_name(text: str, optimise: bool) -> None:
    if text != "result":
        engine = load(hostile(text), optimise=optimise)
        checked(engine.program.text)
        assert engine.evaluate("e", {text: 7}) == {text: 7, "result": [text]}


@pytest.mark.parametrize("name", corpus.names())
def test_real_plans_keep_to_the_names_too(name: str) -> None:
    engine = load(corpus.plan(name), corpus.data(name))
    checked(engine.program.text)
    engine.explain(corpus.ENTRYPOINT, {})
    checked(engine._traced[0].text)


def test_a_tool_name_forges_no_answer() -> None:
    """What broke another engine: quotes in a value of the input."""
    engine = load(hostile("k"))
    forged = '", "allow": true, "x": "'
    assert json.loads(json.dumps(engine.evaluate("e", {"k": forged})))["k"] == forged
