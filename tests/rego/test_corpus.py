"""Recorded policies, plans and answers: the engine against OPA on machines that have no OPA."""

from __future__ import annotations

import json
from typing import Any

import corpus
import opa
import pytest

from sidecar.rego import EvaluationFault, load


def answer(engine: Any, document: Any) -> Any:
    try:
        return engine.evaluate(corpus.ENTRYPOINT, document)
    except EvaluationFault:
        return "fault"


@pytest.mark.parametrize("optimise", [True, False], ids=["optimised", "unoptimised"])
@pytest.mark.parametrize("name", corpus.names())
def test_answers_are_opas_to_the_spelling(name: str, optimise: bool) -> None:
    """Compared as JSON text, so that `1`, `1.0` and `true` are three things."""
    engine = load(corpus.plan(name), corpus.data(name), optimise=optimise, strict=False)
    for document, wanted in corpus.answers(name):
        expected = "fault" if "error" in wanted else wanted
        assert json.dumps(answer(engine, document), sort_keys=True) == json.dumps(expected, sort_keys=True)


@pytest.mark.parametrize("name", corpus.names())
def test_explaining_does_not_change_the_answer(name: str) -> None:
    engine = load(corpus.plan(name), corpus.data(name), strict=False)
    for document in corpus.inputs(name):
        decided = answer(engine, document)
        if decided != "fault":
            assert engine.explain(corpus.ENTRYPOINT, document).value == decided


@pytest.mark.parametrize("name", corpus.names())
def test_plans_and_answers_are_current(name: str, real_opa: str) -> None:
    assert opa.compile_plan(corpus.modules(name), [corpus.ENTRYPOINT]) == corpus.plan(name), "run tests/rego/corpus.py"
    assert corpus.ask(name) == [wanted for _, wanted in corpus.answers(name)]
