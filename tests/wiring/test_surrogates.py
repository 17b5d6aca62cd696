"""What stands in a value's place, as configured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from sidecar.config import ConfigError, explain, load
from sidecar.drivers.clock import SystemEntropy
from sidecar.wiring.checking import problems
from sidecar.wiring.surrogates import surrogates_of
from tests.exchange.kit import HOUSE, SECRET, Stage, obliged, question

FILE = """
redaction:
  operators:
    mask: {operator: mask, masking_char: "*", chars_to_mask: 4, from_end: false}
    hash: {operator: encrypt, key: 0123456789abcdef}
"""


def configured(tmp_path: Path, text: str = FILE) -> Any:
    (tmp_path / "sidecar.yaml").write_text(text)
    return load({"upstream.url": "http://h"}, file=tmp_path / "sidecar.yaml", environ={})


async def sent(mode: str, settings: Any) -> str:
    """What the model server gets of a value that policy wants in this mode."""
    duty = {"type": "redact", "id": "r", "params": {"entities": ["EMAIL_ADDRESS"], "mode": mode}}
    stage = Stage(answers={"request": {**obliged(), "obligations": [duty]}})
    await stage.run(question(SECRET), replace(HOUSE, surrogates=surrogates_of(settings, SystemEntropy())))
    assert stage.answer.error is None
    assert SECRET.encode() not in stage.answer.body
    content = orjson.loads(stage.forward.sent[0].body)["messages"][0]["content"]
    assert isinstance(content, str)
    return content


async def test_policy_s_modes_use_the_operators_of_the_configuration(tmp_path: Path) -> None:
    settings = configured(tmp_path).config.redaction
    assert await sent("mask", settings) == "****" + SECRET[4:]
    assert len(encrypted := await sent("hash", settings)) > 40 and SECRET not in encrypted
    assert await sent("drop", settings) == ""


async def test_hashes_compare_across_processes_that_share_a_key(tmp_path: Path) -> None:
    keyed = configured(tmp_path, f"redaction: {{key: {'a1' * 16}}}").config.redaction
    assert await sent("hash", keyed) == await sent("hash", keyed)
    alone = configured(tmp_path, "").config.redaction
    assert await sent("hash", alone) != await sent("hash", alone)


def test_their_keys_are_shown_to_nobody(tmp_path: Path) -> None:
    loaded = configured(tmp_path)
    assert "0123456789abcdef" not in explain(loaded) + repr(loaded.config)
    assert problems(loaded.config) == []


@pytest.mark.parametrize(
    ("operators", "names"),
    [
        ("{mask: {}}", ["redaction.operators.mask"]),
        ("{mask: {operator: hide}, drop: {operator: redact}}", ["redaction.operators.mask"]),
        ("{hash: {operator: hash}, mask: {operator: keep}}", ["redaction.operators.hash", "redaction.operators.mask"]),
        ("{hash: {operator: encrypt, key: short}}", ["redaction.operators.hash"]),
    ],
)
def test_an_operator_that_cannot_be_had_is_named(tmp_path: Path, operators: str, names: list[str]) -> None:
    config = configured(tmp_path, f"redaction: {{operators: {operators}}}").config
    assert [problem.name for problem in problems(config)] == names
    with pytest.raises(ConfigError, match=names[0]):
        surrogates_of(config.redaction, SystemEntropy())


def test_a_surrogate_takes_no_operator(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"redaction\.operators\.surrogate"):
        configured(tmp_path, "redaction: {operators: {surrogate: {operator: mask}}}")
