"""The pack in docs/policies.md is checked, built and run as the page says, and what the page lists is true."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import get_args

import orjson

from policies import build, generate
from sidecar import policy
from sidecar.config import UpstreamSettings
from sidecar.drivers import bundle
from sidecar.drivers.clock import SystemClock
from sidecar.drivers.rego_engine import RegoEngine
from sidecar.model import Operation, ReleaseMode, Role
from tests.drivers.opa_process import opa_or_skip

PAGE = (generate.ROOT / "docs" / "policies.md").read_text()


def guided(tmp_path: Path) -> Path:
    """The default packs and the one of the page, routed as it says."""
    root = tmp_path / "policies"
    shutil.copytree(build.POLICIES, root)
    (root / "residency").mkdir()
    pack, test, trial = re.findall(r"```rego\n(.*?)```", PAGE, re.DOTALL)
    (root / "residency" / "pack.rego").write_text(f"{pack}\n{trial}")
    (root / "residency" / "pack_test.rego").write_text(test)
    [sample] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (root / "residency" / "samples").mkdir()
    (root / "residency" / "samples" / "credit.json").write_text(sample)
    data = json.loads((root / "data.json").read_text())
    data["governor"]["routes"]["request"].append("residency")
    (root / "data.json").write_text(json.dumps(data))
    return root


def test_the_pack_of_the_page(tmp_path: Path) -> None:
    engine = RegoEngine(bundle.parse(build.checked(opa_or_skip(), guided(tmp_path))), SystemClock())
    credit = generate.merge_patch(generate.example_request(), {"use_case": {"id": "credit"}})
    decision = policy.read(engine.decide_now(credit), orjson.dumps(credit))
    assert decision.codes == ("RESIDENCY_VIOLATION",)
    reason = engine.reasons["RESIDENCY_VIOLATION"]
    assert policy.render(reason, decision.denies[0].params) == "The use case credit may not be sent to openai."
    tools = {"request": {"tools_offered": list("abcdefghijklmnopqrstu")}}
    many = generate.merge_patch(generate.example_request(), tools)
    tried = policy.read(engine.decide_now(many), orjson.dumps(many))
    assert (tried.codes, tried.duties.annotations) == ((), {"would_deny": "TOO_MANY_TOOLS"})
    inside = generate.merge_patch(credit, {"side": "inbound"})
    held = policy.read(engine.decide_now(inside), orjson.dumps(inside))
    assert held.codes == ()
    assert held.duties.release.mode is ReleaseMode.WHOLE


def test_a_configured_bundle_is_the_one_a_sidecar_makes(tmp_path: Path) -> None:
    settings = tmp_path / "data.yaml"
    settings.write_text("models: {allow: {acme: [o3]}}")
    built = build.TARGET.read_bytes()
    made = bundle.with_config(bundle.parse(built), {"models": {"allow": {"acme": ["o3"]}}})
    assert build.configured(built, settings) == made.raw
    assert build.configured(built, None) == built


def test_the_obligations_of_the_page_are_those_fulfilled() -> None:
    table = PAGE.split("## What policy may demand")[1].split("Not fulfilled")[0]
    rows = dict(re.findall(r"^\| `([a-z_]+)` \|.*\| ([^|]*) \|$", table, re.MULTILINE))
    assert set(rows) == set(policy.FULFILLED["request"])
    everywhere = {name for name, where in rows.items() if where.startswith("everywhere")}
    assert everywhere == set(policy.FULFILLED["response"])


def test_what_the_page_calls_null_is_null() -> None:
    document = generate.example_request()
    usage = set(document["usage"].values())
    use_case, model = document["use_case"], document["model"]
    assert usage | {use_case["risk"], use_case["user_facing"], use_case["owner"]} == {None}
    assert {model["resolved"], model["region"], model["digest"], model["tier"], document["session_id"]} == {None}
    assert document["principal"]["subject"] is None
    assert document["principal"]["claims"] == {}


def test_the_words_of_the_page_are_those_of_the_types() -> None:
    table = PAGE.split("## What policy sees")[1].split("## What policy may demand")[0]
    rows = re.findall(r"^\| `([a-z_.]+)`[^|]*\| ([^\n]*) \|$", table, re.MULTILINE)
    words = {field: set(re.findall(r"`(\w+)`", text)) for field, text in rows}
    assert set(Role) <= words["content.entities"]
    assert set(Operation) <= words["route"]
    assert set(get_args(UpstreamSettings.model_fields["kind"].annotation)) <= words["model.provider"]
