"""Reading an engine's answer is total: any result becomes a decision, and any doubt denies."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.model import Decision, Deny, PolicyVersion, RedactMode, Verdict
from sidecar.policy import FAULTS, fault, read
from sidecar.ports import EngineAnswer

POLICY = PolicyVersion(engine="fake", engine_version="1", bundle_sha256="0" * 64, revision="r")
ALLOW: dict[str, Any] = {"contract": "1", "allow": True, "denies": [], "obligations": []}
REDACT = {"type": "redact", "id": "r", "params": {"entities": ["*"], "mode": "mask"}}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
keys = st.sampled_from(["contract", "allow", "denies", "obligations", "code", "params", "type", "id", "critical", "x"])
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
nearly = st.fixed_dictionaries(
    {"contract": st.just("1"), "allow": st.booleans() | scalars},
    optional={
        "denies": st.lists(st.fixed_dictionaries({"code": st.just("A_CODE") | scalars}, optional={"params": anything})),
        "obligations": st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["redact", "cap_tokens", "route", "annotate", "release", "rate"]) | scalars},
                optional={"params": anything, "id": scalars, "critical": scalars},
            )
        ),
    },
)


def answered(result: Any, *, undefined: bool = False, document: bytes = b"") -> Decision:
    return read(EngineAnswer(result, undefined, POLICY, 7), document)


@settings(max_examples=250)
@given(anything | nearly)
def test_total_and_strict(result: Any) -> None:
    decision = answered(result)
    allowed = isinstance(result, dict) and result.get("allow") is True and result.get("denies") == []
    assert decision.verdict is Verdict.DENY or allowed
    assert (decision.verdict is Verdict.DENY) == bool(decision.denies)
    assert decision.policy is POLICY
    assert decision.eval_us == 7
    for deny in decision.denies:
        hash(deny.code)
        assert deny.code == deny.code.upper()


def test_allow() -> None:
    decision = answered({**ALLOW, "obligations": [REDACT]}, document=b"{}")
    assert decision.verdict is Verdict.ALLOW
    assert decision.duties.redact == {"*": RedactMode.MASK}
    assert decision.document == b"{}"


def test_deny_keeps_its_parameters() -> None:
    denies = [{"code": "MODEL_NOT_ALLOWED", "params": {"model": "o3", "score": 0.5, "n": 3, "kinds": ["a", "b"]}}]
    decision = answered({**ALLOW, "allow": False, "denies": denies})
    assert decision.denies == (Deny("MODEL_NOT_ALLOWED", {"model": "o3", "score": "0.5", "n": 3, "kinds": ["a", "b"]}),)


def test_undefined_denies() -> None:
    assert answered(None, undefined=True).codes == ("PDP_UNDEFINED",)
    assert answered(ALLOW, undefined=True).codes == ("PDP_UNDEFINED",)


def test_denies_beat_allow() -> None:
    assert answered({**ALLOW, "denies": [{"code": "NO"}]}).codes == ("NO",)


def test_no_without_a_reason() -> None:
    assert answered({**ALLOW, "allow": False}).codes == ("POLICY_DENIED",)


MALFORMED: list[Any] = [
    None,
    True,
    [],
    {},
    {**ALLOW, "contract": "2"},
    {**ALLOW, "contract": 1},
    {**ALLOW, "allow": 1},
    {**ALLOW, "allow": "true"},
    {**ALLOW, "denies": None},
    {**ALLOW, "denies": {}},
    {**ALLOW, "denies": ["NO"]},
    {**ALLOW, "denies": [{"code": "lower"}]},
    {**ALLOW, "denies": [{"code": "TOLD_OF ann@example.org"}]},
    {**ALLOW, "denies": [{"code": "N" + "O" * 64}]},
    {**ALLOW, "denies": [{"code": "LINE\n"}]},
    {**ALLOW, "denies": [{"code": "NO", "text": "x"}]},
    {**ALLOW, "denies": [{"code": "NO", "params": {"deep": {"er": 1}}}]},
    {**ALLOW, "denies": [{"code": "NO", "params": {"long": "x" * 300}}]},
    {**ALLOW, "denies": [{"code": "NO"}] * 300},
    {**ALLOW, "obligations": None},
    {**ALLOW, "obligations": [{"id": "x"}]},
    {**ALLOW, "obligations": [{"type": "redact", "critical": "false"}]},
    {**ALLOW, "obligations": [{"type": "redact", "param": {"entities": ["*"]}}]},
    {**ALLOW, "obligations": [{"type": "Redact"}]},
    {**ALLOW, "obligations": [{"type": "redact ann@example.org"}]},
    {**ALLOW, "obligations": [{"type": "redact\n"}]},
    {**ALLOW, "obligations": [{"type": "redact", "id": "x" * 257}]},
    {**ALLOW, "obligations": [REDACT] * 257},
    {**ALLOW, "denies": [{"code": "NO", "params": {"many": ["x"] * 257}}]},
    {**ALLOW, "denies": [{"code": "NO", "params": {"half": "\ud800"}}]},
    {**ALLOW, "obligations": [{"type": "annotate", "params": {"half": ["\udfff"]}}]},
    {**ALLOW, "obligations": [{"type": "annotate", "id": "\ud800"}]},
    {**ALLOW, "more": 1},
    {"contract": "1", "allow": True, "denies": []},
]


@pytest.mark.parametrize("result", MALFORMED)
def test_malformed_denies(result: Any) -> None:
    assert answered(result).codes == ("PDP_CONTRACT",)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"more": 1}, "decision"), ({"contract": 1}, "contract"), ({"allow": "true"}, "allow"),
        ({"denies": None}, "denies"), ({"denies": ["ann@example.org"]}, "denies"),
        ({"denies": [{"code": "TOLD_OF ann@example.org"}]}, "denies.code"),
        ({"denies": [{"code": "NO", "params": {"ann@example.org": {}}}]}, "denies.params"),
        ({"obligations": {}}, "obligations"), ({"obligations": [{"id": "x"}]}, "obligations.type"),
        ({"obligations": [{"type": "redact", "id": 1}]}, "obligations.id"),
        ({"obligations": [{"type": "redact", "params": []}]}, "obligations.params"),
        ({"obligations": [{"type": "redact", "critical": 1}]}, "obligations.critical"),
    ],
)  # fmt: skip
def test_the_record_says_which_field_is_malformed(change: dict[str, Any], field: str) -> None:
    """By the contract's own names: what else stands there may be anything (guarantee 4)."""
    assert answered({**ALLOW, **change}).denies == (Deny("PDP_CONTRACT", {"at": field}),)


@pytest.mark.parametrize(
    "obligation",
    [
        {"type": "rate", "params": {"key": "tenant", "per_min": 3}},
        {"type": "telepathy"},
        {"type": "human_review", "params": {"mode": "hold", "queue": "q"}},
        {"type": "human_review", "params": {"queue": "q"}},
        {"type": "route", "params": {"tier": "eu"}},
        {"type": "retain", "params": {"content": "full", "days": 3}},
        {"type": "notice", "params": {"text_id": "ai", "placement": "body"}},
        {"type": "redact", "params": {"entities": "*"}},
        {"type": "redact", "params": {"entities": ["*"], "mode": "pixelate"}},
        {"type": "cap_tokens", "params": {"max": "12"}},
        {"type": "cap_tokens", "params": {"max": True}},
        {"type": "cap_tokens", "params": {"max": 0}},
        {"type": "cap_tokens", "params": {"max": 1.5}},
        {"type": "release", "params": {"mode": "soon"}},
        {"type": "disable_tools", "params": {"names": ["a b"]}},
        {"type": "annotate", "params": {"k": None}},
    ],
)
def test_what_cannot_be_fulfilled_denies_unless_it_may_be_ignored(obligation: dict[str, Any]) -> None:
    demanded = {**ALLOW, "obligations": [obligation]}
    decision = answered(demanded)
    assert decision.codes == ("OBLIGATION_UNSUPPORTED",)
    assert decision.denies[0].params["type"] == obligation["type"]
    ignorable = {**ALLOW, "obligations": [{**obligation, "critical": False}]}
    assert answered(ignorable).verdict is Verdict.ALLOW


@pytest.mark.parametrize("kind", ["cap_tokens", "route", "disable_tools", "release", "notice"])
def test_after_the_head_is_out_some_duties_come_too_late(kind: str) -> None:
    params = {
        "cap_tokens": {"max": 3},
        "route": {"model": "m"},
        "disable_tools": {"names": ["a"]},
        "release": {"mode": "whole"},
        "notice": {"text_id": "ai"},
    }[kind]
    result = {**ALLOW, "obligations": [{"type": kind, "params": params}]}
    assert answered(result, document=b'{"contract":"1","phase":"request"}').verdict is Verdict.ALLOW
    for phase in (b"response", b"response_window"):
        late = answered(result, document=b'{"contract":"1","phase":"' + phase + b'"}')
        assert late.codes == ("OBLIGATION_UNSUPPORTED",)


def test_route_conflict() -> None:
    routes = [{"type": "route", "id": model, "params": {"model": model}} for model in ("a", "b")]
    assert answered({**ALLOW, "obligations": routes}).codes == ("ROUTE_CONFLICT",)
    assert answered({**ALLOW, "obligations": routes[:1] * 2}).duties.model == "a"


def test_large_numbers_and_floats_do_not_reach_the_record() -> None:
    denies = [{"code": "NO", "params": {"a": 2**70, "b": 1e300, "c": float("nan"), "d": 10**5000}}]
    params = answered({**ALLOW, "denies": denies}).denies[0].params
    assert params == {"a": str(2**70), "b": "1e+300", "c": "nan", "d": "[large]"}


def test_reading_changes_nothing() -> None:
    result = {**ALLOW, "obligations": [copy.deepcopy(REDACT)]}
    answered(result)
    assert result == {**ALLOW, "obligations": [REDACT]}


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_a_fault_denies(code: str) -> None:
    decision = fault(code, POLICY, b"{}")
    assert (decision.verdict, decision.codes, decision.document) == (Verdict.DENY, (code,), b"{}")


@settings(max_examples=100)
@given(anything | nearly)
def test_an_answer_is_read_the_same_the_second_time(result: Any) -> None:
    first = answered(copy.deepcopy(result))
    assert repr(answered(copy.deepcopy(result))) == repr(first)


def test_answers_that_python_takes_for_equal_are_told_apart() -> None:
    def said(value: Any) -> str:
        return repr(answered({**ALLOW, "denies": [{"code": "A_CODE", "params": {"n": value}}]}).denies[0].params)

    values = [1, 1.0, True, -0.0, 0, 0.0, None, float("nan"), float("inf"), 2**70, 2**70 + 1]
    assert len({said(value) for value in values * 2}) == len(values)
    assert answered({**ALLOW, "allow": True}).verdict is Verdict.ALLOW
    assert answered({**ALLOW, "allow": 1}).codes == ("PDP_CONTRACT",)


def test_the_same_answer_to_another_phase_is_read_anew() -> None:
    capped = {**ALLOW, "obligations": [{"type": "cap_tokens", "params": {"max": 7}}]}
    assert answered(capped, document=b'{"phase":"request"}').duties.cap_tokens == 7
    assert answered(capped, document=b'{"phase":"response"}').codes == ("OBLIGATION_UNSUPPORTED",)
    assert answered(capped, document=b'{"phase":"request"}').duties.cap_tokens == 7


def test_what_is_no_plain_value_is_read_too() -> None:
    class Table(dict[str, Any]):
        pass

    assert answered(Table(ALLOW)).verdict is Verdict.ALLOW
    assert answered({**ALLOW, "obligations": [{"type": "annotate", "params": {"k": ["x" * 200] * 100}}]}).duties
    assert answered({**ALLOW, "denies": {object()}}).codes == ("PDP_CONTRACT",)
