"""A call may offer hundreds of tools that are refused: it is told so, or goes without them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from policies import generate
from sidecar import policy
from sidecar.drivers import bundle
from sidecar.drivers.clock import SystemClock
from sidecar.drivers.rego_engine import RegoEngine, default_bundle
from sidecar.model import Decision

TOOLS = [f"shell_{number}" for number in range(600)]


def decided(action: str) -> Decision:
    config: dict[str, Any] = {"tools": {"allow": {"*": ["lookup_*"]}, "action": action}}
    engine = RegoEngine(bundle.with_config(default_bundle(), config), SystemClock())
    document = generate.merge_patch(generate.example_request(), {"request": {"tools_offered": ["lookup_a", *TOOLS]}})
    return policy.read(engine.decide_now(document), orjson.dumps(document))


@pytest.mark.parametrize("action", ["deny", "block"])
def test_they_are_refused_by_the_code_of_the_rule(action: str) -> None:
    assert set(decided(action).codes) == {"TOOL_NOT_ALLOWED"}


def test_they_are_taken_out() -> None:
    decision = decided("disable")
    assert decision.codes == ()
    assert decision.duties.disable_tools == frozenset(TOOLS)
