"""load() and evaluate(): what is refused, what is bounded, what is left alone."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import corpus
import pytest
import realistic
from handmade import block, local, plan, stmt, string

from sidecar.rego import UNDEFINED, EvaluationFault, Limits, PlanRefused, load

DEEP = 2_000


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def identity() -> bytes:
    """A plan that answers with its input."""
    return plan(stmt("AssignVarStmt", source=local(0), target=9))


def fault(document: Any, **limits: Any) -> EvaluationFault:
    engine = load(identity(), limits=Limits(**limits))
    with pytest.raises(EvaluationFault) as caught:
        engine.evaluate("e", document)
    return caught.value


def test_a_large_number_changes_no_other() -> None:
    """`1.0` is shown as it was written, whatever else is in the input."""
    found = load(identity()).evaluate("e", {"a": 1.0, "b": [2.0, 2.0**60]})
    assert [type(item) for item in (found["a"], *found["b"])] == [float, float, int]


class TestRefused:
    def refusal(self, text: bytes, **options: Any) -> PlanRefused:
        with pytest.raises(PlanRefused) as caught:
            load(text, **options)
        return caught.value

    def test_unknown_statement_by_name_and_position(self) -> None:
        refusal = self.refusal(plan(stmt("TeleportStmt", target=9)))
        assert (refusal.name, str(refusal)) == ("TeleportStmt", "rules.rego:7:3: unknown statement 'TeleportStmt'")

    @pytest.mark.parametrize(
        ("text", "field"),
        [
            (plan(stmt("AssignVarStmt", source=local(0), target=9, unless=3)), "unless"),
            (plan(stmt("BlockStmt", blocks=[{"stmts": [], "optional": True}])), "optional"),
            (plan(funcs={"funcs": [{"name": "g0.x", "params": [0, 1], "return": 2, "lazy": True}]}), "lazy"),
        ],
    )
    def test_a_field_that_is_not_known(self, text: bytes, field: str) -> None:
        """A later OPA may say with it that a statement means something else."""
        refusal = self.refusal(text)
        assert refusal.name == field
        assert f"unknown field {field!r}" in str(refusal)

    def test_builtin_outside_the_list_by_first_use(self) -> None:
        call = stmt("CallStmt", func="http.send", args=[local(0)], result=9)
        refusal = self.refusal(plan(call, builtins=("http.send",)))
        assert (refusal.name, str(refusal)) == (
            "http.send",
            "rules.rego:7:3: builtin 'http.send' is not available here",
        )

    def test_function_that_is_neither_planned_nor_declared(self) -> None:
        assert self.refusal(plan(stmt("CallStmt", func="g0.x", args=[], result=9))).name == "g0.x"

    def test_another_version_of_the_format(self) -> None:
        assert self.refusal(plan(version=2)).name == "plan.json"

    def test_unknown_operand(self) -> None:
        assert self.refusal(plan(stmt("AssignVarStmt", source={"type": "float", "value": 1}, target=9))).name == "float"

    def test_jump_out_of_a_scan(self) -> None:
        scan = stmt("ScanStmt", source=0, key=2, value=3, block=block(stmt("BreakStmt", index=1)))
        assert "jump out of a loop" in str(self.refusal(plan(scan)))

    @pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"a":1,"a":2}', b'{"plans":{"plans":[{}]}}', b"\xff"])
    def test_not_a_plan(self, text: bytes) -> None:
        self.refusal(text)

    @pytest.mark.parametrize(
        "data", [b'{"a":1,"a":2}', b'{"a":NaN}', b"[1]", {"a": float("inf")}, {"a": {1: 2}}, {"a": ()}]
    )
    def test_base_data_that_is_not_json(self, data: Any) -> None:
        self.refusal(identity(), data=data)

    def test_nesting_beyond_reason(self) -> None:
        opening, closing = '{"type":"NotStmt","stmt":{"block":{"stmts":[', "]}}}"
        inner = opening * DEEP + closing * DEEP
        self.refusal(plan(stmt("NopStmt")).replace(b'{"type": "NopStmt"', f'{inner}, {{"type": "NopStmt"'.encode()))


class TestBounded:
    def test_depth(self) -> None:
        assert load(identity()).evaluate("e", nested(64)) == nested(64)
        assert fault(nested(65)).code == "INPUT_INVALID"

    def test_size(self) -> None:
        assert fault({"a": "x" * 300_000}).code == "INPUT_INVALID"

    def test_result(self) -> None:
        assert fault(["x" * 100] * 10, result_bytes=999).code == "PDP_LIMIT"

    def test_steps(self) -> None:
        text = plan(stmt("ScanStmt", source=0, key=2, value=3, block=block(stmt("NopStmt"))))
        with pytest.raises(EvaluationFault) as caught:
            load(text, limits=Limits(steps=100)).evaluate("e", [0] * 200)
        assert caught.value.code == "PDP_LIMIT"

    def test_deadline_on_the_clock_given(self) -> None:
        ticks = count()
        scan = stmt("ScanStmt", source=0, key=2, value=3, block=block(stmt("NopStmt")))
        engine = load(plan(scan, stmt("AssignVarStmt", source=local(0), target=9)))
        assert engine.evaluate("e", [0] * 5000) == [0] * 5000
        with pytest.raises(EvaluationFault) as caught:
            engine.evaluate("e", [0] * 5000, now=lambda: float(next(ticks)))
        assert caught.value.code == "PDP_TIMEOUT"

    @pytest.mark.parametrize("document", [float("nan"), [float("inf")], {1: 2}, {"a": (1,)}, {"a": object()}, 10**2000])
    def test_what_is_not_json(self, document: Any) -> None:
        assert fault(document).code == "INPUT_INVALID"

    def test_work_of_a_quadratic_policy(self) -> None:
        engine = load(realistic.plan(), realistic.data(), limits=Limits(steps=500))
        with pytest.raises(EvaluationFault) as caught:
            engine.evaluate(realistic.ENTRYPOINT, realistic.document(200))
        assert caught.value.code == "PDP_LIMIT"


class TestStrict:
    def engine(self, *, strict: bool) -> Any:
        call = stmt("CallStmt", func="upper", args=[local(0)], result=9)
        return load(plan(call, builtins=("upper",)), strict=strict)

    def test_an_error_is_a_fault_by_default(self) -> None:
        with pytest.raises(EvaluationFault) as caught:
            self.engine(strict=True).evaluate("e", 3)
        assert (caught.value.code, str(caught.value)) == (
            "PDP_ERROR",
            "PDP_ERROR rules.rego:7:3: operand 1 must be string but got number",
        )

    def test_and_undefined_in_opas_lenient_mode(self) -> None:
        assert self.engine(strict=False).evaluate("e", 3) is UNDEFINED


class TestEvaluate:
    def test_undefined_is_not_false(self) -> None:
        text = plan(stmt("DotStmt", source=local(0), key=string(1), target=9), strings=("k",))
        engine = load(text)
        assert engine.evaluate("e", {"k": False}) is False
        assert engine.evaluate("e", {}) is UNDEFINED
        assert not UNDEFINED

    def test_no_input_at_all(self) -> None:
        text = plan(stmt("IsDefinedStmt", source=0), stmt("AssignVarStmt", source=local(0), target=9))
        assert load(text).evaluate("e", UNDEFINED) is UNDEFINED

    def test_unknown_entrypoint(self) -> None:
        with pytest.raises(EvaluationFault) as caught:
            load(identity()).evaluate("other", {})
        assert caught.value.code == "PDP_ERROR"

    def test_doubles_are_what_their_text_says(self) -> None:
        """1e23 is not the double nearest to it: OPA reads the text, and so do we."""
        assert load(identity()).evaluate("e", [1e23, 1e16, 0.1, 1.0]) == [10**23, 10**16, 0.1, 1.0]

    def test_a_fault_holds_no_value(self) -> None:
        engine = load(corpus.plan("language"), corpus.data("language"))
        with pytest.raises(EvaluationFault) as caught:
            engine.evaluate(corpus.ENTRYPOINT, {"score": "planted-value-4711", "a": 1, "b": 1})
        assert caught.value.position.startswith("t.rego:19:")  # the second of the two rules that differ
        assert "planted" not in f"{caught.value!r}{caught.value.__cause__!r}"

    def test_neither_input_nor_data_is_changed(self) -> None:
        data, document = realistic.data(), realistic.document()
        before = copy.deepcopy((data, document))
        engine = load(realistic.plan(), data)
        first = engine.evaluate(realistic.ENTRYPOINT, document)
        data["tenants"].clear()  # the engine has its own copy
        assert engine.evaluate(realistic.ENTRYPOINT, document) == first
        assert (document, before[0] != data) == (before[1], True)

    def test_shared_by_threads(self) -> None:
        engine = load(realistic.plan(), realistic.data())
        given = [realistic.document(entities) for entities in range(40)]
        wanted = [json.dumps(engine.evaluate(realistic.ENTRYPOINT, document)) for document in given]
        with ThreadPoolExecutor(8) as pool:
            found = list(
                pool.map(lambda document: json.dumps(engine.evaluate(realistic.ENTRYPOINT, document)), given * 5)
            )
        assert found == wanted * 5

    def test_realistic_policy_in_a_fraction_of_a_millisecond(self) -> None:
        """About 0.08 ms on an idle core; ten times that is a mistake, not a slow machine."""
        engine, document = load(realistic.plan(), realistic.data()), realistic.document()
        p50, _ = realistic.percentiles(lambda: engine.evaluate(realistic.ENTRYPOINT, document), 300)
        assert p50 < 0.8
