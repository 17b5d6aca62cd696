"""What the build says of packs, samples and settings that it cannot use: a sentence, and no traceback."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from policies import build
from tests.drivers.opa_process import opa_or_skip

SAMPLE: dict[str, Any] = {"why": "It is right.", "start": "request", "patch": {}, "expect": {"allow": True}}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "3", '{"why": "x"}',
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
