"""What the build says of packs, samples and settings that it cannot use: a sentence, and no traceback."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from policies import build, generate
from policies.probes import probes
from sidecar.drivers import bundle
from sidecar.drivers.bundle_refusal import BundleRefused
from tests.drivers.opa_process import opa_or_skip

SAMPLE: dict[str, Any] = {"why": "It is right.", "start": "request", "patch": {}, "expect": {"allow": True}}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "3", '{"why": "x"}', json.dumps({**SAMPLE, "expect": ["allow"]}),
        json.dumps({**SAMPLE, "start": "reply"}), json.dumps({**SAMPLE, "start": ["request"]}),
        json.dumps({**SAMPLE, "confg": {"models": {"allow": {"*": []}}}}),
    ],
)  # fmt: skip
def test_a_sample_that_is_none(tmp_path: Path, text: str) -> None:
    """Of a misspelt `config` the case would be another one, and go into the bundle as such."""
    (tmp_path / "pack" / "samples").mkdir(parents=True)
    (tmp_path / "pack" / "samples" / "one.json").write_text(text)
    with pytest.raises(build.BuildFailed, match=r"one\.json is not a sample"):
        list(build.cases(tmp_path))


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    settings, built = tmp_path / "data.yaml", build.TARGET.read_bytes()
    for text in ("{", "", "- models"):
        settings.write_text(text)
        with pytest.raises(build.BuildFailed, match="--config"):
            build.configured(built, settings)
    with pytest.raises(build.BuildFailed, match="--config"):
        build.configured(built, tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("words", "says"), [(["--packs", "nowhere"], "nowhere"), (["--config", "x.yaml"], "policy.data")]
)
def test_the_command_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    opa_or_skip()
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text("policy: {data: {}}")
    monkeypatch.setattr(sys, "argv", ["build", "--output", "b.tar.gz", *words])
    assert build.main() == 1
    assert says in capsys.readouterr().err
    assert not Path("b.tar.gz").exists()


@pytest.mark.parametrize("words", [["--packs", "."], ["--config", "x.yaml"]])
def test_other_packs_and_settings_do_not_become_the_default_bundle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    opa_or_skip()
    before = build.TARGET.read_bytes()
    monkeypatch.setattr(sys, "argv", ["build", *words])
    assert build.main() == 1
    assert "--output FILE" in capsys.readouterr().err
    assert before == build.TARGET.read_bytes()


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(build.POLICIES, tmp_path / "policies"))


def test_a_rule_that_fails_where_something_is_unknown(packs: Path) -> None:
    """OPA's tests take it for undefined; the sidecar would refuse the call with PDP_ERROR."""
    pack = packs / "models" / "pack.rego"
    matches = "lib.matches(allowed, input.model.requested)"
    pack.write_text(pack.read_text().replace(matches, 'startswith(input.model.requested, "gpt")'))
    built = bundle.parse(build.build(opa_or_skip(), packs))
    with pytest.raises(BundleRefused, match=r"model\.requested is null fails: PDP_ERROR.*models/pack\.rego:\d+:\d+"):
        build.try_engine(built, probes("An example", generate.example_request()))


def test_probes_leave_nothing_known_out() -> None:
    names = [probe.name for probe in probes("A reply", generate.example_response())]
    assert "A reply where model.requested is null" in names
    assert "A reply where response.confidence_ppm is null" in names
    assert names[-1] == "A reply where nothing is known"


def test_a_rule_that_only_a_sample_reaches_fails_where_something_is_unknown(packs: Path) -> None:
    """The examples are of a tenant and a model that the rule does not ask about."""
    (packs / "models" / "samples" / "no-model.json").unlink()
    pack = packs / "models" / "pack.rego"
    pack.write_text(
        pack.read_text().replace(
            "not lib.matches(allowed, input.model.requested)",
            'allowed != ["*"]\n\tnot startswith(input.model.requested, "gpt")',
        )
    )
    with pytest.raises(BundleRefused, match=r"models/.* where model\.requested is null fails: PDP_ERROR"):
        list(build.disagreements(opa_or_skip(), build.build(opa_or_skip(), packs), packs))


def test_a_rule_that_no_test_meets_is_not_made_up_for_by_other_packs(packs: Path) -> None:
    """It may never fire: of a misspelt setting in its head neither OPA nor the samples say anything."""
    pack = packs / "token_cap" / "pack_test.rego"
    pack.write_text("package packs.token_cap_test\n")
    with pytest.raises(build.BuildFailed, match=r"token_cap/pack\.rego: the tests run \d+ % of it; 90 are asked"):
        build.check(opa_or_skip(), packs)


def test_a_route_to_a_pack_that_is_not_there(packs: Path) -> None:
    """Each sample of each pack would say PACK_MISSING, and --accept write it into them."""
    data = packs / "data.json"
    data.write_text(data.read_text().replace('"token_cap"]', '"tokn_cap"]'))
    with pytest.raises(build.BuildFailed, match=r"routes\.request names tokn_cap, but no file is `package packs"):
        build.check(opa_or_skip(), packs)


def test_the_order_in_a_sample_does_not_count(packs: Path) -> None:
    opa, path = opa_or_skip(), packs / "token_cap" / "samples" / "lowered.json"
    sample = json.loads(path.read_text())
    sample["expect"]["obligations"].reverse()
    path.write_text(json.dumps(sample))
    assert len(sample["expect"]["obligations"]) > 1
    build.check_samples(opa, build.TARGET.read_bytes(), packs)


def test_an_engine_that_answers_otherwise(packs: Path) -> None:
    case = next(build.cases(packs))
    sample = bundle.Sample(name=case.name, input=case.input, answer={"allow": False})
    with pytest.raises(BundleRefused, match="not decided as OPA"):
        build.try_engine(bundle.parse(build.TARGET.read_bytes()), [sample])


def test_samples_accept_what_opa_says(packs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rule for every call changes the answers of all packs' samples; nobody should have to write them by hand."""
    opa, built, path = opa_or_skip(), build.TARGET.read_bytes(), packs / "models" / "samples" / "on-the-list.json"
    before = path.read_text()
    path.write_text(before.replace('"pii_egress/redact"', ""))
    with pytest.raises(build.BuildFailed, match=r"models/on-the-list: expected .*\n.*--accept"):
        build.check_samples(opa, built, packs)
    build.accept_samples(opa, built, packs)
    assert json.loads(path.read_text()) == json.loads(before)
    assert capsys.readouterr().out.startswith("models/on-the-list now expects")
    build.check_samples(opa, built, packs)
