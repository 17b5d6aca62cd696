"""`config check` refuses what `serve` refuses, with every problem in one go, and neither prints a password."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from policies import build
from sidecar.config import ConfigError, PolicySettings, load
from sidecar.drivers import bundle
from sidecar.wiring.checking import problems, refuse_problems
from sidecar.wiring.engines import bundle_of
from sidecar.wiring.policy_data import unknown_types
from tests.ledger.factory import start

ROOT = Path(__file__).resolve().parents[2]
BROKEN = """
listen: foo
upstream: {url: "http://user:geheim@host", ca: /nonexistent.pem}
policy: {bundle: /nope.tar.gz, opa_url: "http://host:8181"}
callers: {trusted: [not-an-ip]}
detection: {entities: [EMAIL]}
"""
NAMED = ["listen", "upstream.url", "upstream.ca", "policy.opa_url", "policy.bundle", "callers.trusted.0"]
NAMED += ["detection.entities"]


def sidecar(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sidecar", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)


def test_check_and_serve_refuse_alike(tmp_path: Path) -> None:
    file = tmp_path / "sidecar.yaml"
    file.write_text(BROKEN)
    flags = ("--config", str(file), "--state", str(tmp_path / "state"))

    checked, served = sidecar("config", "check", *flags), sidecar("serve", *flags)

    assert (checked.returncode, served.returncode) == (2, 2)
    told = [line for line in checked.stderr.splitlines() if "warning" not in line]
    assert [line.split()[1] for line in told] == NAMED
    assert all(f"(file {file})" in line for line in told)
    assert told == [line for line in served.stderr.splitlines() if "warning" not in line]
    assert "geheim" not in checked.stdout + checked.stderr + served.stdout + served.stderr
    assert "http://(hidden)@host" in checked.stdout
    assert not (tmp_path / "state").exists(), "a refused start leaves nothing behind"


def test_what_will_be_called_is_told() -> None:
    told = sidecar("config", "check", "--upstream", "https://h/v1beta/openai").stdout
    assert told.endswith("POST /v1/chat/completions goes to https://h/v1beta/openai/chat/completions\n")


def test_a_configuration_without_an_upstream_is_not_approved() -> None:
    without, with_one = sidecar("config", "check"), sidecar("config", "check", "--upstream", "http://h")
    assert (without.returncode, with_one.returncode) == (2, 0)
    assert "upstream.url: --upstream URL is needed" in without.stderr


def found(tree: Mapping[str, Any]) -> list[str]:
    return [problem.name for problem in problems(configured(tree).config)]


def configured(tree: Mapping[str, Any]) -> Any:
    flat = {
        f"{name}.{leaf}" if leaf else name: inner
        for name, value in {"upstream": {"url": "http://h"}, **tree}.items()
        for leaf, inner in (value.items() if isinstance(value, Mapping) else [("", value)])
    }
    return load(flat, environ={})


@pytest.mark.parametrize(
    ("tree", "name"),
    [
        ({"listen": "host"}, "listen"),
        ({"listen": "http://127.0.0.1:8400"}, "listen"),
        ({"admin": "host:99999"}, "admin"),
        ({"listen": "h:1", "admin": "h:1"}, "admin"),
        ({"state": __file__}, "state"),
        ({"upstream": {"url": "http://u:p@h", "unix": "/run/a.sock"}}, "upstream.url"),
        ({"upstream": {"url": "http://u:p/x@h"}}, "upstream.url"),
        ({"upstream": {"url": "http://[h"}}, "upstream.url"),
        ({"upstream": {"url": "http://h?a=b"}}, "upstream.url"),
        ({"upstream": {"url": "https://h/v1/chat/completions"}}, "upstream.url"),
        ({"upstream": {"url": "http://localhost:8400/v1"}}, "upstream.url"),
        ({"upstream": {"url": "http://[::1]:80"}, "listen": "*:80"}, "upstream.url"),
        ({"upstream": {"url": "http://h:80/v1"}, "listen": "h:80"}, "upstream.url"),
        ({"upstream": {"url": "http://h", "unix": "a.sock"}, "listen": "unix:a.sock"}, "upstream.url"),
        ({"upstream": {"url": "https://h", "ca": __file__}}, "upstream.ca"),
        ({"policy": {"engine": "opa"}}, "policy.opa_url"),
        ({"policy": {"engine": "opa", "opa_url": "host:1"}}, "policy.opa_url"),
        ({"policy": {"engine": "opa", "opa_url": "http://u:p@h"}}, "policy.opa_url"),
        ({"policy": {"engine": "opa", "opa_url": "http://:p@h"}}, "policy.opa_url"),
        ({"policy": {"audit_url": "ftp://h"}}, "policy.audit_url"),
        ({"policy": {"fallback": True}}, "policy.fallback"),
        ({"policy": {"key": "/nope.pem"}}, "policy.key"),
        ({"policy": {"key": "/nope.pem", "bundle": __file__}}, "policy.key"),
        ({"policy": {"bundle": __file__}}, "policy.bundle"),
        ({"policy": {"data": {"no_such_table": 1}}}, "policy.data"),
        ({"callers": {"trusted": ["10.0.0.0/8", "10.0.0.0/99"]}}, "callers.trusted.1"),
        ({"callers": {"required": True}}, "callers.required"),
        ({"callers": {"required": True, "trusted": ["10.0.0.0/8"], "roles_header": "x"}}, "callers.required"),
        ({"callers": {"required": True, "user_header": "x"}}, "callers.required"),
        ({"detection": {"locales": ["germany"]}}, "detection.locales"),
        ({"redaction": {"style": "keyed"}}, "redaction.key"),
    ],
)
def test_each_setting_that_cannot_be_had_is_named(tree: Mapping[str, Any], name: str) -> None:
    assert found(tree) == [name]


@pytest.mark.parametrize(
    "tree",
    [
        {"upstream": {"url": "http://localhost:8000"}},
        {"upstream": {"url": "http://10.0.0.1:8400"}},
        {"upstream": {"url": "http://[::1]:8400"}},
        {"upstream": {"url": "http://localhost:8400", "unix": "a.sock"}},
        {"upstream": {"url": "http://h", "unix": "a.sock"}, "listen": "unix:b.sock"},
        {"upstream": {"url": "http://127.0.0.1:8400"}, "listen": "unix:a.sock"},
    ],
)
def test_a_server_elsewhere_is_not_taken_for_the_sidecar_itself(tree: Mapping[str, Any]) -> None:
    assert found(tree) == []


def test_a_bundle_the_engine_cannot_run_is_not_laid_to_settings_nobody_made(tmp_path: Path) -> None:
    files = bundle.unpack(build.TARGET.read_bytes())
    plan = orjson.loads(files["plan.json"])
    plan["static"]["builtin_funcs"].append({"name": "internal.print", "decl": {"args": [], "type": "function"}})
    files["plan.json"] = orjson.dumps(plan)
    (tmp_path / "b.tar.gz").write_bytes(bundle.pack(files))
    (problem,) = problems(configured({"policy": {"bundle": str(tmp_path / "b.tar.gz")}}).config)
    assert problem.name == "policy.bundle"
    assert "print() is for `opa test`" in problem.what


async def test_a_log_keeps_its_name(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with await start(state):
        pass
    named = {"state": str(state), "origin": "other.example"}
    (problem,) = problems(configured(named).config)
    assert problem.name == "origin" and "ledger.example/audit" in problem.what
    assert found({**named, "origin": "ledger.example"}) == []
    assert found({**named, "origin": "ledger.example/"}) == []
    assert found({"state": str(state)}) == [], "who says nothing contradicts nothing"
    assert found({**named, "state": str(tmp_path / "new")}) == []


PII = ("redact.egress", "redact.inbound", "forbidden.egress", "stricter", "reply.redact", "reply.forbidden")
OWN = {"detection": {"deny": {"PROJECT": ["x"]}, "names": False}}


def pii(setting: str, *types: str) -> dict[str, Any]:
    """policy.data with these types in that setting of the pack for personal data."""
    value: Any = dict.fromkeys(types, "drop") if setting == "stricter" else list(types)
    for step in reversed(setting.split(".")):
        value = {step: value}
    return {"data": {"pii": value}}


@pytest.mark.parametrize("setting", PII)
def test_a_type_that_nobody_finds_protects_nothing(setting: str) -> None:
    [problem] = problems(configured({"policy": pii(setting, "EMAIL", "IBAN_CODE", "PERSON", "PROJECT"), **OWN}).config)
    assert problem.name == f"policy.data.pii.{setting.removesuffix('.egress').removesuffix('.inbound')}"
    assert problem.what == "no detector finds EMAIL; did you mean EMAIL_ADDRESS?"
    assert found({"policy": pii(setting, "PROJECT")}) == [problem.name], "known by these settings only"


@pytest.mark.parametrize("setting", PII)
def test_all_types_may_be_replaced_but_not_forbidden(setting: str) -> None:
    assert len(found({"policy": pii(setting, "*")})) == ("forbidden" in setting)


def test_another_bundle_may_mean_anything_by_the_same_settings() -> None:
    bundle = bundle_of(PolicySettings(data={"pii": {"redact": {"egress": ["EMAIL"]}}}))
    routes = {"request": ["models"]}
    data = orjson.dumps({"governor": {**bundle.data["governor"], "routes": routes}})
    other = replace(bundle, files={**bundle.files, "data.json": data})
    assert len(list(unknown_types(bundle, ["URL"]))) == 2 and not list(unknown_types(other, ["URL"]))


@pytest.mark.parametrize(
    ("written", "place", "what"),
    [
        ("{models: {allow: {4711: [x]}}}", "models.allow.4711", "the name must be text"),
        ("{models: {allow: {no: [x]}}}", "models.allow.False", "the name must be text"),
        ("{models: {allow: {a: [18446744073709551616]}}}", "models.allow.a.0", "must be an integer of at most 64"),
        ("{token_cap: {max: {a: -9223372036854775809}}}", "token_cap.max.a", "must be an integer of at most 64"),
        ("{token_cap: {max: {a: .nan}}}", "token_cap.max.a", "must be a finite number"),
        ("{tools: {allow: {a: !!set {b}}}}", "tools.allow.a", "must be text, a number"),
    ],
)
def test_what_no_bundle_can_hold_is_named(tmp_path: Path, written: str, place: str, what: str) -> None:
    file = tmp_path / "sidecar.yaml"
    file.write_text(f"upstream: {{url: 'http://h'}}\npolicy:\n  data: {written}\n")
    done = sidecar("config", "check", "--config", str(file))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"policy.data.{place} (file {file}): {what}" in done.stderr


def test_the_largest_integers_are_taken() -> None:
    assert found({"policy": {"data": {"token_cap": {"max": {"a": 2**64 - 1, "b": -(2**63)}}}}}) == []


def test_no_problem_quotes_a_url() -> None:
    for url in ("http://planted:planted@h", "http://h:planted", "http://[planted", "http://planted:pl/planted@h"):
        with pytest.raises(ConfigError) as caught:
            refuse_problems(configured({"upstream": {"url": url}, "policy": {"audit_url": url}}))
        assert "planted" not in str(caught.value)


def test_who_puts_the_key_into_the_url_is_told_where_it_belongs() -> None:
    [problem] = problems(configured({"upstream": {"url": "http://u:p@h"}}).config)
    assert "upstream.key" in problem.what


@pytest.mark.parametrize("path", sorted((ROOT / "schemas" / "examples").glob("config-valid-*.yaml")))
def test_the_examples_are_approved(path: Path) -> None:
    assert found(yaml.safe_load(path.read_text())) == []


def test_a_key_that_is_listed_twice_or_is_none_is_named() -> None:
    """The last owner had the first one's calls in his records; whoever sent `Bearer` and nothing was let in."""
    key, nothing = {"tenant": "a", "sha256": "1" * 64}, {"tenant": "a", "sha256": hashlib.sha256(b"").hexdigest()}
    peers = [{"tenant": "a", "uid": 1}, {"tenant": "b", "uid": 2}, {"tenant": "c", "uid": 1}]
    assert found({"callers": {"keys": [key, nothing, {**key, "tenant": "b"}], "peers": peers}}) == [
        "callers.keys.1",
        "callers.keys.2",
        "callers.peers.2",
    ]


@pytest.mark.parametrize(
    "named",
    [
        {"keys": [{"tenant": "a", "sha256": "1" * 64}]},
        {"peers": [{"tenant": "a", "uid": 1}]},
        {"trusted": ["10.0.0.0/8"], "user_header": "x-user"},
    ],
)
def test_callers_may_be_required_where_somebody_is_named(named: Mapping[str, Any]) -> None:
    assert found({"callers": {"required": True, **named}}) == []
