"""The schemas, their examples and the reason codes in the tree are what the types and packs generate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from policies import generate
from sidecar.policy import FAULTS
from sidecar.policy.answer import ANSWER_KEYS, DENY_KEYS, OBLIGATION_KEYS
from sidecar.policy.contract import DecisionAnswer, DenyAnswer, ObligationAnswer

EXAMPLES = sorted(generate.ROOT.glob("schemas/*.examples/*/*.json"))
OURS = [path for path in EXAMPLES if path.parts[-3] in ("policy-input.examples", "decision.examples")]


@pytest.mark.parametrize("path", generate.files(), ids=lambda path: path.relative_to(generate.ROOT).as_posix())
def test_the_tree_holds_what_is_generated(path: Path) -> None:
    assert path.read_text() == generate.files()[path], "run python -m policies.generate"


@pytest.mark.parametrize("path", OURS, ids=lambda path: "/".join(path.parts[-3:]))
def test_examples(path: Path) -> None:
    name = path.parts[-3].removesuffix(".examples")
    schema = json.loads((generate.ROOT / "schemas" / f"{name}.schema.json").read_text())
    assert Draft202012Validator(schema).is_valid(json.loads(path.read_text())) == (path.parts[-2] == "valid")


def test_no_example_was_left_behind() -> None:
    assert set(OURS) <= set(generate.files())


def test_the_reader_knows_the_fields_of_the_types() -> None:
    assert set(DecisionAnswer.__annotations__) == ANSWER_KEYS
    assert set(DenyAnswer.__annotations__) == DENY_KEYS
    assert set(ObligationAnswer.__annotations__) == OBLIGATION_KEYS


def test_every_code_is_documented() -> None:
    page = generate.reason_codes()
    assert all(f"`{code}`" in page for code in FAULTS)
    assert "`MODEL_NOT_ALLOWED`" in page
