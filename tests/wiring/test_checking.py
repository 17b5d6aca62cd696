"""`config check` refuses what `serve` refuses, with every problem in one go, and neither prints a password."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar.config import ConfigError, load
from sidecar.wiring.checking import problems, refuse_problems

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
        ({"admin": "host:99999"}, "admin"),
        ({"listen": "h:1", "admin": "h:1"}, "admin"),
        ({"state": __file__}, "state"),
        ({"upstream": {"url": "http://u:p@h", "unix": "/run/a.sock"}}, "upstream.url"),
        ({"upstream": {"url": "http://u:p/x@h"}}, "upstream.url"),
        ({"upstream": {"url": "http://[h"}}, "upstream.url"),
        ({"upstream": {"url": "http://h?a=b"}}, "upstream.url"),
        ({"upstream": {"url": "https://h", "ca": __file__}}, "upstream.ca"),
        ({"policy": {"engine": "opa"}}, "policy.opa_url"),
        ({"policy": {"engine": "opa", "opa_url": "host:1"}}, "policy.opa_url"),
        ({"policy": {"engine": "opa", "opa_url": "http://u:p@h"}}, "policy.opa_url"),
        ({"policy": {"audit_url": "ftp://h"}}, "policy.audit_url"),
        ({"policy": {"fallback": True}}, "policy.fallback"),
        ({"policy": {"key": "/nope.pem"}}, "policy.key"),
        ({"policy": {"key": "/nope.pem", "bundle": __file__}}, "policy.key"),
        ({"policy": {"bundle": __file__}}, "policy.bundle"),
        ({"policy": {"data": {"no_such_table": 1}}}, "policy.data"),
        ({"callers": {"trusted": ["10.0.0.0/8", "10.0.0.0/99"]}}, "callers.trusted.1"),
        ({"detection": {"locales": ["germany"]}}, "detection.locales"),
        ({"redaction": {"style": "keyed"}}, "redaction.key"),
    ],
)
def test_each_setting_that_cannot_be_had_is_named(tree: Mapping[str, Any], name: str) -> None:
    assert found(tree) == [name]


def test_no_problem_quotes_a_url() -> None:
    for url in ("http://planted:planted@h", "http://h:planted", "http://[planted", "http://planted:pl/planted@h"):
        with pytest.raises(ConfigError) as caught:
            refuse_problems(configured({"upstream": {"url": url}, "policy": {"audit_url": url}}))
        assert "planted" not in str(caught.value)


@pytest.mark.parametrize("path", sorted((ROOT / "schemas" / "examples").glob("config-valid-*.yaml")))
def test_the_examples_are_approved(path: Path) -> None:
    assert found(yaml.safe_load(path.read_text())) == []
