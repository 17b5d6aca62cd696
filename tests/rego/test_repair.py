"""Three plans OPA's planner gets wrong: as written they answer otherwise than its evaluator, mended they agree."""

from __future__ import annotations

from typing import Any

import corpus
import opa
import pytest
from handmade import block, local, plan, stmt, string

from sidecar.rego import PlanRefused, engine, load

BLOCK_NOT = """
package t
import future.keywords.not
out contains x if { some x in ["a", "b", "c"]; not { some y in input[x]; y == 1 } }
"""


def answers(name: str) -> list[Any]:
    engine_ = load(corpus.plan(name), corpus.data(name), strict=False)
    return [engine_.evaluate(corpus.ENTRYPOINT, document) for document in corpus.inputs(name)]


def test_without_the_repair_a_deny_would_not_fire(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [answer for _, answer in corpus.answers("dispatch")]
    assert answers("dispatch") == wanted
    monkeypatch.setattr(engine, "repaired", lambda policy: policy)
    with pytest.raises(AttributeError):  # a dynamic call has no meaning of its own any more
        answers("dispatch")


def test_a_block_under_not_is_asked_afresh_for_each_element(real_opa: str) -> None:
    document = {"a": [1], "b": [2], "c": []}
    text = opa.compile_plan({"t.rego": BLOCK_NOT}, ["t/out"])
    assert load(text).evaluate("t/out", document) == ["b", "c"]
    assert opa.evaluate({"t.rego": BLOCK_NOT}, "data.t.out", [document]) == [["b", "c"]]


def test_negations_of_another_shape_are_refused() -> None:
    strange = stmt("BlockStmt", blocks=[block(stmt("IsArrayStmt", source=local(0)))])
    with pytest.raises(PlanRefused) as caught:
        load(plan(stmt("NotStmt", block=block(strange))))
    assert (caught.value.name, caught.value.position) == ("NotStmt", "rules.rego:7:3")


def test_what_is_refused_can_be_written_as_the_refusal_says(real_opa: str) -> None:
    rules = "package t\nr.a := 1 if input.x\nr.b.c := 2\n"
    with pytest.raises(PlanRefused, match=r"t\.rego:4:13: `not` over a reference .*: negate a rule of its own"):
        load(opa.compile_plan({"t.rego": f"{rules}out := 1 if not r[[input.y]] == 1\n"}, ["t/out"]))
    better = {"t.rego": f"{rules}held if r[[input.y]] == 1\nout := 1 if not held\n"}
    decided = load(opa.compile_plan(better, ["t/out"])).evaluate("t/out", {"x": 1, "y": "a"})
    assert [decided] == opa.evaluate(better, "data.t.out", [{"x": 1, "y": "a"}]) == [1]


def test_dynamic_calls_of_another_shape_are_refused() -> None:
    call = stmt("CallDynamicStmt", args=[0, 1], result=9, path=[string(0), local(0)])
    with pytest.raises(PlanRefused) as caught:
        load(plan(call))
    assert caught.value.name == "CallDynamicStmt"
