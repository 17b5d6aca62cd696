"""The packs pass every check of the build, and the bundle in the package is what they build."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from policies import build, generate
from policies.lint import breaches
from sidecar import policy
from sidecar.drivers import bundle
from tests.drivers.opa_process import opa_or_skip

PACKS = sorted(path.parent for path in build.POLICIES.glob("*/pack.rego"))


def test_the_pinned_digest_is_the_files() -> None:
    assert hashlib.sha256(build.TARGET.read_bytes()).hexdigest() == policy.DEFAULT_BUNDLE_SHA256


def test_the_checked_in_bundle_is_what_opa_builds() -> None:
    """Also shows, without a look at the digest, which file differs."""
    rebuilt = build.build(opa_or_skip())
    assert bundle.unpack(rebuilt) == bundle.unpack(build.TARGET.read_bytes())
    assert rebuilt == build.TARGET.read_bytes()


def test_building_elsewhere_makes_the_same_bundle(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(build.POLICIES, copy)
    assert build.build(opa_or_skip(), copy) == build.TARGET.read_bytes()


def test_format_types_lint_tests_and_coverage() -> None:
    build.check(opa_or_skip())


def test_opa_decides_every_sample_as_its_author_expects() -> None:
    build.check_samples(opa_or_skip(), build.TARGET.read_bytes())


def test_the_bundle_in_the_package_is_plain() -> None:
    files = bundle.parse(build.TARGET.read_bytes()).files
    assert not [name for name in files if name.startswith("/") or "test" in name]
    assert {"plan.json", "data.json", ".manifest", "governor/decide.rego"} <= set(files)


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_a_pack_is_whole(pack: Path) -> None:
    assert (pack / "pack_test.rego").exists()
    assert (pack / "README.md").exists()
    assert len(list((pack / "samples").glob("*.json"))) >= 3


def test_every_routed_pack_is_there() -> None:
    governor = json.loads((build.POLICIES / "data.json").read_text())["governor"]
    assert {name for names in governor["routes"].values() for name in names} == {pack.name for pack in PACKS}


def broken(tmp_path: Path, pack: str, old: str, new: str) -> Path:
    root = tmp_path / "policies"
    shutil.copytree(build.POLICIES, root)
    path = root / pack / "pack.rego"
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new))
    return root


@pytest.mark.parametrize(
    ("pack", "old", "new", "says"),
    [
        ("token_cap", "max_tokens > cap", "max_token > cap", "undefined ref: input.request.max_token"),
        ("token_cap", "over if not", "over  if not", "opa fmt"),
        ("models", "allowed := ", "allowed := http.send({}).body\n\nother := ", "undefined function http.send"),
        ("models", "allowed := ", "allow := true\n\nallowed := ", "defines `allow`"),
        ("models", '"code": "MODEL_NOT_ALLOWED"', '"code": "MODEL_UNKNOWN"', "MODEL_UNKNOWN has no METADATA"),
        ("models", "#   severity: medium\n", "", "no custom.severity"),
        ("models", "# description: This caller may not use the model {model}.\n", "", "has no description"),
        (
            "models",
            '"model": input.model.requested',
            '"model": sprintf("%v", [input.model])',
            "builds text with sprintf",
        ),
        ("models", "may not use the model {model}.", "may not use {modle}.", "{modle} in its description"),
        ("models", "not lib.matches(allowed", "lib.matches(allowed", "opa test"),
        ("token_cap", "cap := ", "named[x] := 1 if some x in [1]\n\ncap := ", "`named` is a partial object"),
        ("token_cap", "cap := ", "named.by[x] := 1 if some x in [1]\n\ncap := ", "`named` is a partial object"),
        ("models", '"model": input.model.requested', '"model": $"{input.model.provider}"', "with a template string"),
        (
            "models",
            'deny contains {"code": "MODEL_NOT_ALLOWED", "params": {"model": input.model.requested}} if {',
            "deny contains said if {\n"
            '\tsaid := {"code": "MODEL_NOT_ALLOWED", "params": {"model": input.model.requested}}',
            "no literal `code`",
        ),
    ],
)
def test_the_build_refuses(tmp_path: Path, pack: str, old: str, new: str, says: str) -> None:
    with pytest.raises(build.BuildFailed, match=says.replace("(", r"\(")):
        build.check(opa_or_skip(), broken(tmp_path, pack, old, new))


@pytest.mark.parametrize(
    "misspelt",
    [
        "input.response.confidense_ppm",
        "input.response.tokens.outptu",
        "input.response.entities[_].typ",
        "input.response.detectors[_].nme",
        "input.response.complete.ly",
        "input.content.entities[_].typ",
        "input.request.max_token",
    ],
)
def test_a_misspelt_input_does_not_compile(tmp_path: Path, misspelt: str) -> None:
    """Also of what is null in one phase: the rule would never hold, and nobody would notice."""
    spelt_right = "is_number(input.response.confidence_ppm)"
    root = broken(tmp_path, "human_review", spelt_right, f"{spelt_right}\n\t{misspelt} > 1")
    with pytest.raises(build.BuildFailed, match=f"undefined ref: {re.escape(misspelt)}"):
        build.check(opa_or_skip(), root)


def test_a_deny_without_a_literal_code() -> None:
    key = {"type": "object", "value": [[{"value": "code"}, {"type": "var", "value": "x"}]]}
    module = {
        "package": {"path": [{"value": "data"}, {"value": "packs"}, {"value": "p"}]},
        "rules": [{"head": {"ref": [{"value": "deny"}], "key": key}}],
    }
    assert "a deny has no literal `code`" in list(breaches(module))


def test_capabilities_hold_nothing_that_reaches_out_or_rolls_dice() -> None:
    allowed = {item["name"] for item in json.loads((build.POLICIES / "capabilities.json").read_text())["builtins"]}
    banned = {"http.send", "opa.runtime", "net.lookup_ip_addr", "rand.intn", "uuid.rfc4122", "time.now_ns"}
    assert not allowed & banned
    assert not [name for name in allowed if name.startswith("io.jwt.") and name != "io.jwt.decode"]
    assert {"glob.match", "count", "regex.match"} <= allowed


def test_capabilities_are_what_the_engine_has() -> None:
    assert build.CAPABILITIES.read_text() == build.capabilities(opa_or_skip()), "run python -m policies.build"


def test_patching_an_example_keeps_null() -> None:
    """RFC 7386 would delete; the contract is total, so null is a value."""
    assert generate.merge_patch({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}}) == {
        "a": None,
        "b": {"c": 2, "d": 3},
    }
