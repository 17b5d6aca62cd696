"""Both engines keep one contract and decide alike: the embedded one and a real OPA server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import generate
from policies.build import cases
from sidecar import policy
from sidecar.drivers import bundle
from sidecar.drivers.opa_server import OpaServer
from sidecar.drivers.rego_engine import RegoEngine, default_bundle
from sidecar.errors import OwnError
from sidecar.model import Verdict
from sidecar.policy.contract import UNREADABLE
from sidecar.ports import Decide, EngineAnswer
from sidecar.testing import FakeDecide, Transcript
from tests.drivers import opa_process
from tests.drivers.engines_kit import CLOCK


@pytest.fixture(scope="module")
def contract_bundle() -> bundle.Bundle:
    return bundle.parse(opa_process.build(opa_process.CONTRACT))


@pytest.fixture(scope="module")
def contract_url(contract_bundle: bundle.Bundle) -> Iterator[str]:
    with opa_process.serving(contract_bundle.raw) as url:
        yield url


@pytest.fixture(params=["embedded", "opa"])
async def decide(
    request: pytest.FixtureRequest, contract_bundle: bundle.Bundle, contract_url: str
) -> AsyncIterator[Decide]:
    if request.param == "embedded":
        yield RegoEngine(contract_bundle, CLOCK)
        return
    digests = {contract_bundle.revision: contract_bundle.sha256}
    async with OpaServer(contract_url, CLOCK, digests=digests, timeout=2.0) as server:
        yield server


# --- one contract


async def test_an_answer(decide: Decide, contract_bundle: bundle.Bundle) -> None:
    answer = await decide.decide({"case": "allow"})
    assert answer.result == {"contract": "1", "allow": True, "denies": [], "obligations": []}
    assert not answer.undefined
    assert answer.policy.bundle_sha256 == contract_bundle.sha256
    assert answer.policy.revision == "contract"
    assert answer.policy.engine_version
    assert answer.eval_us >= 0


async def test_large_integers_stay_exact(decide: Decide) -> None:
    answer = await decide.decide({"case": "deny"})
    assert answer.result["denies"] == [{"code": "NO", "params": {"n": 70000000000000000000}}]


@pytest.mark.parametrize("document", [{}, {"case": "other"}, {"case": None}])
async def test_undefined_denies(decide: Decide, document: dict[str, Any]) -> None:
    answer = await decide.decide(document)
    assert answer.undefined
    assert policy.read(answer).codes == ("PDP_UNDEFINED",)


@pytest.mark.parametrize("document", [{"case": "conflict"}, {"case": "error", "text": "x"}])
async def test_a_rule_that_fails_is_a_fault(decide: Decide, document: dict[str, Any]) -> None:
    with pytest.raises(OwnError) as raised:
        await decide.decide(document)
    assert raised.value.code == "PDP_ERROR"


async def test_an_answer_that_is_no_decision_denies(decide: Decide) -> None:
    assert policy.read(await decide.decide({"case": "error", "text": "12"})).codes == ("PDP_CONTRACT",)


async def test_a_policy_that_does_not_end_is_stopped(decide: Decide) -> None:
    started = time.perf_counter()
    with pytest.raises(OwnError) as raised:
        await decide.decide({"case": "long"})
    assert raised.value.code in ("PDP_LIMIT", "PDP_TIMEOUT")
    assert time.perf_counter() - started < 3


async def test_an_input_over_the_limit_is_a_fault(decide: Decide) -> None:
    with pytest.raises(OwnError) as raised:
        await decide.decide({"case": "allow", "text": "x" * 300_000})
    assert raised.value.code == "INPUT_INVALID"


async def test_decisions_side_by_side(decide: Decide) -> None:
    answers = await asyncio.gather(*(decide.decide({"case": case}) for case in ("allow", "deny") * 20))
    assert [answer.result["allow"] for answer in answers] == [True, False] * 20


async def test_the_fake_keeps_it_too() -> None:
    fake = FakeDecide(Transcript())
    answer = await fake.decide({"phase": "request"})
    assert isinstance(answer, EngineAnswer)
    assert policy.read(answer).verdict is Verdict.ALLOW


# --- both engines, the default packs


async def test_both_engines_agree_on_every_sample() -> None:
    """Also under a configuration: the configured bundle is one that an OPA server runs."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for case in cases():
        groups.setdefault(json.dumps(case.config), []).append(case.input)
    for config, documents in groups.items():
        configured = bundle.with_config(default_bundle(), json.loads(config))
        engine = RegoEngine(configured, CLOCK)
        with opa_process.serving(configured.raw) as url:
            async with OpaServer(url, CLOCK, timeout=5.0) as server:
                for document in documents:
                    theirs, ours = await server.decide(document), engine.decide_now(document)
                    assert (theirs.result, theirs.policy.revision) == (ours.result, ours.policy.revision)


words = st.sampled_from(["gpt-4o", "o3", UNREADABLE, "shell", "lookup_order", "PRIVATE_KEY", "EMAIL_ADDRESS", "image"])
changes = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.sampled_from(["request", "response", "response_window", "tool_call"]),
        "side": st.sampled_from(["egress", "inbound"]),
        "principal": st.fixed_dictionaries({"tenant": words}),
        "model": st.fixed_dictionaries({"requested": st.none() | words}),
        "request": st.fixed_dictionaries(
            {
                "max_tokens": st.none() | st.integers(0, 10_000_000),
                "tools_offered": st.lists(words, unique=True, max_size=3).map(sorted),
                "operation": st.sampled_from(["chat", "embeddings", "opaque"]),
            }
        ),
        "content": st.fixed_dictionaries(
            {
                "entities": st.lists(
                    st.fixed_dictionaries(
                        {"type": words, "role": st.just("user"), "count": st.integers(1, 9), "score_ppm": st.just(5)}
                    ),
                    max_size=3,
                ),
                "uninspectable": st.lists(
                    st.fixed_dictionaries({"kind": words, "count": st.just(1), "label": st.just("x")}), max_size=2
                ),
            }
        ),
        "response": st.fixed_dictionaries({"confidence_ppm": st.none() | st.integers(0, 1_000_000)}),
    },
)


def test_both_engines_agree_on_generated_inputs(default_url: str) -> None:
    engine = RegoEngine(default_bundle(), CLOCK)

    async def agree(documents: list[dict[str, Any]]) -> None:
        async with OpaServer(default_url, CLOCK, timeout=5.0) as server:
            for document in documents:
                ours, theirs = engine.decide_now(document), await server.decide(document)
                assert json.dumps(ours.result, sort_keys=True) == json.dumps(theirs.result, sort_keys=True)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(changes, min_size=5, max_size=5))
    def check(drawn: list[dict[str, Any]]) -> None:
        starts = [
            generate.example_response() if "response" in change else generate.example_request() for change in drawn
        ]
        asyncio.run(agree([generate.merge_patch(*pair) for pair in zip(starts, drawn, strict=True)]))

    check()
