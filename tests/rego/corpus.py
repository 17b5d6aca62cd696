"""Policies that are checked in with their compiled plans and OPA's answers, for machines without OPA.

`python tests/rego/corpus.py` compiles and asks again (needs opa); the test compares what is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import opa

FOLDER = Path(__file__).parent / "corpus"
ENTRYPOINT = "t/out"


def names() -> list[str]:
    return sorted(path.parent.name for path in FOLDER.glob("*/inputs.json"))


def modules(name: str) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((FOLDER / name).glob("*.rego"))}


def data(name: str) -> dict[str, Any]:
    path = FOLDER / name / "data.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def plan(name: str) -> bytes:
    return (FOLDER / name / "plan.json").read_bytes()


def inputs(name: str) -> list[Any]:
    return json.loads((FOLDER / name / "inputs.json").read_text(encoding="utf-8"))


def answers(name: str) -> Iterator[tuple[Any, Any]]:
    """Each input with OPA's answer to it; {"error": code} where OPA has none."""
    recorded = json.loads((FOLDER / name / "answers.json").read_text(encoding="utf-8"))
    return zip(inputs(name), recorded, strict=True)


def ask(name: str) -> list[Any]:
    given = inputs(name)
    return [opa.evaluate(modules(name), "data.t.out", [document], data(name))[0] for document in given]


def record() -> None:
    for name in names():
        (FOLDER / name / "plan.json").write_bytes(opa.compile_plan(modules(name), [ENTRYPOINT]))
        text = json.dumps(ask(name), indent=1, sort_keys=True) + "\n"
        (FOLDER / name / "answers.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    record()
