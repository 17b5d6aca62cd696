"""What a policy reads, and answers given before: the answer is the one the engine gives, or there is a look anew."""

from __future__ import annotations

import copy
import json
import marshal
from collections.abc import Iterator
from typing import Any

import corpus
import pytest
from handmade import block, local, plan, stmt, string

from policies import generate
from sidecar.drivers.rego_engine import default_bundle
from sidecar.policy import ENTRYPOINT
from sidecar.rego import UNDEFINED, Engine, EvaluationFault, Limits, Recall, load
from sidecar.rego.reads import Reads, projected, projection

ODD: list[Any] = [None, True, 1, 1.0, "x", [], {}, ["x"], {"x": 1}]


def told(engine: Engine | Recall, *asked: Any) -> str:
    try:
        answer = engine.evaluate(*asked)
    except EvaluationFault as fault:
        return fault.code
    return "undefined" if answer is UNDEFINED else json.dumps(answer)


def changed(value: Any) -> Iterator[Any]:
    """`value` with one place of it made another, or taken out."""
    yield from ODD
    if isinstance(value, dict):
        for key, item in value.items():
            rest = {name: other for name, other in value.items() if name != key}
            yield rest
            yield from ({**rest, key: other} for other in changed(item))
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield value[:index] + value[index + 1 :]
            yield from ([*value[:index], other, *value[index + 1 :]] for other in changed(item))


def agree(engine: Engine, entrypoint: str, document: Any) -> tuple[int, int]:
    """How many changes the policy does not see, and of how many. Where it sees none, it answers the same."""
    assert engine.reads is not None
    seen = projection(engine.reads)
    before, wanted = marshal.dumps(seen(document), 2), told(engine, entrypoint, document)
    unseen, others = 0, list(changed(document))
    for other in others:
        key = marshal.dumps(seen(other), 2)
        assert key == marshal.dumps(projected(other, engine.reads), 2)
        if key == before:
            unseen += 1
            assert told(engine, entrypoint, other) == wanted
    return unseen, len(others)


REPLACING = {"dispatch", "language"}
"""Policies of the corpus that replace their input (`with`): what they read cannot be told."""


@pytest.mark.parametrize("name", corpus.names())
def test_what_is_not_read_changes_nothing(name: str) -> None:
    engine = load(corpus.plan(name), corpus.data(name), strict=False)
    assert (engine.reads is None) is (name in REPLACING)
    found = [agree(engine, corpus.ENTRYPOINT, document) for document in corpus.inputs(name)[:20] if engine.reads]
    assert any(unseen for unseen, _ in found) or name in REPLACING


@pytest.fixture(scope="module")
def engine() -> Engine:
    bundle = default_bundle()
    return load(bundle.plan, bundle.data)


@pytest.fixture
def recall(engine: Engine) -> Recall:
    return Recall(engine, ENTRYPOINT)


def answered() -> dict[str, Any]:
    response = {"complete": True, "tokens": {"output": 7}, "confidence_ppm": None, "entities": []}
    return {**generate.example_request(), "phase": "response", "response": response}


@pytest.mark.parametrize("document", [generate.example_request(), answered()], ids=["request", "response"])
def test_the_default_bundle_reads_little(engine: Engine, document: dict[str, Any]) -> None:
    unseen, changes = agree(engine, ENTRYPOINT, document)
    assert unseen > changes / 2


def test_the_reads_of_the_default_bundle(engine: Engine) -> None:
    reads = engine.reads
    assert reads is not None
    assert "time" not in reads
    assert "request_id" not in reads
    assert reads["content"]["entities"] == {None: {"count": {}, "type": {}}}
    assert set(reads["response"]) == {"confidence_ppm", "entities"}


def test_answers_are_the_engines(engine: Engine, recall: Recall) -> None:
    given = [other for document in (generate.example_request(), answered()) for other in changed(document)]
    wanted = [told(engine, ENTRYPOINT, document) for document in given]
    assert [told(recall, document) for document in given] == wanted
    known = [told(recall, document) for document in given]
    assert known == wanted


class Counted:
    """An engine that counts how often it is asked."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.reads, self.limits, self.asked = engine, engine.reads, engine.limits, 0

    def evaluate(self, *asked: Any, **more: Any) -> Any:
        self.asked += 1
        return self.engine.evaluate(*asked, **more)


def counting(engine: Engine, **more: Any) -> tuple[Counted, Recall]:
    counted = Counted(engine)
    return counted, Recall(counted, ENTRYPOINT, **more)  # type: ignore[arg-type]


def test_another_call_of_the_same_kind_is_not_evaluated(engine: Engine) -> None:
    counted, recall = counting(engine)
    document = generate.example_request()
    first = recall.evaluate(document)
    assert recall.evaluate({**document, "request_id": "another", "time": {"ns": 1}}) is first
    assert counted.asked == 1
    recall.evaluate({**document, "side": "inbound"})
    assert counted.asked == 2


def test_what_is_kept_is_bounded(engine: Engine) -> None:
    counted, recall = counting(engine, kept=3)
    for number in [0, 1, 2, 3, 3, 1, 0]:
        document = {**generate.example_request(), "principal": {"tenant": f"tenant-{number}"}}
        assert told(recall, document) == told(engine, ENTRYPOINT, document)
    assert counted.asked == 5
    wide = {**generate.example_request(), "principal": {"tenant": "x" * 5000}}
    assert told(recall, wide) == told(recall, wide)
    assert counted.asked == 7


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize("unseen", ["x" * 300_000, nested(70), nested(300), {1: 2}, 2**5000, {1}, b""], ids=type)
def test_an_input_that_the_engine_refuses_is_refused(engine: Engine, recall: Recall, unseen: Any) -> None:
    """Also where only what no rule reads is wrong with it, and the answer to the rest is known."""
    document = generate.example_request()
    recall.evaluate(document)
    assert told(recall, {**document, "session_id": unseen}) == "INPUT_INVALID"
    assert told(engine, ENTRYPOINT, {**document, "session_id": unseen}) == "INPUT_INVALID"


@pytest.mark.parametrize("seen", [("acme",), {"tenant": ("acme",)}, UNDEFINED])
def test_what_is_not_json_is_not_taken_for_what_is(recall: Recall, seen: Any) -> None:
    document = generate.example_request()
    recall.evaluate(document)
    assert told(recall, {**document, "principal": seen}) == "INPUT_INVALID"


def test_many_brackets_are_no_depth(recall: Recall) -> None:
    document = {**generate.example_request(), "session_id": [[] for _ in range(200)]}
    assert told(recall, document) == told(recall, copy.deepcopy(document))


def test_faults_are_not_kept(engine: Engine) -> None:
    hurried = load(default_bundle().plan, default_bundle().data, limits=Limits(steps=3))
    counted, recall = counting(hurried)
    assert [told(recall, generate.example_request()) for _ in range(2)] == ["PDP_LIMIT", "PDP_LIMIT"]
    assert counted.asked == 2


def test_a_policy_that_sees_all_of_its_input_is_always_asked() -> None:
    whole = load(plan(stmt("AssignVarStmt", source=local(0), target=9)))
    assert whole.reads is None
    recall = Recall(whole, "e")
    assert [told(recall, document) for document in ({"a": 1}, {"a": 1.5})] == ['{"a": 1}', '{"a": 1.5}']


def test_a_policy_that_replaces_its_input_is_always_asked() -> None:
    inner = block(stmt("DotStmt", source=local(0), key=string(1), target=9))
    replaced = stmt("WithStmt", local=0, path=[1], value={"type": "bool", "value": True}, block=inner)
    assert load(plan(replaced, strings=("k",))).reads is None


@pytest.mark.parametrize("levels", [1, 50, 51, 400])
def test_a_policy_may_read_as_deep_as_it_likes(levels: int) -> None:
    reads: Reads = {}
    value: Any = 1
    for level in range(levels):
        reads, value = {f"a\"'\\{level}": reads}, {f"a\"'\\{level}": value, "unread": 2}
    assert projection(reads)(value) == projected(value, reads)
    assert projection(reads)({"another": 1}) == projected({"another": 1}, reads)
