"""Random policies and inputs: optimised, unoptimised, traced, and OPA's own evaluator must agree.

What this found is told in sidecar/rego/repair.py and in the differences listed below, which are not the
engine's to remove:

- OPA's rule index may skip a body whose error a plan runs into: there is no answer here where OPA has one.
- `sum` of integers that overflow 64 bits wraps around in OPA; here it does not.
- `10.0 == 1` is true in OPA (NumberCompare trims zeros of both kinds); here it is not.
- Which of `1` and `1.0`, equal for both, a set keeps depends on the order in which they came: compared as one number.
- A computed number that is neither integral nor below a million is spelled `1.5e+06` by json.marshal there.
"""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import corpus
import generate
import grammar
import opa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.rego import UNDEFINED, Engine, EvaluationFault, PlanRefused, load

SLOW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
NO_ANSWER = "no answer"


def text(value: Any) -> str:
    return "undefined" if value is UNDEFINED else json.dumps(plain(value), sort_keys=True)


def plain(value: Any) -> Any:
    """With every integral number an integer."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(Decimal(repr(value))) if isinstance(value, float) and value.is_integer() else value


def decided(engine: Engine, entrypoint: str, document: Any) -> str:
    try:
        return text(engine.evaluate(entrypoint, document))
    except EvaluationFault as fault:
        assert fault.code == "PDP_ERROR", fault
        assert "must" in str(fault), fault  # a conflict; anything else is a mistake of ours
        return NO_ANSWER


def explained(engine: Engine, entrypoint: str, document: Any) -> str:
    try:
        return text(engine.explain(entrypoint, document).value)
    except EvaluationFault:
        return NO_ANSWER


def wanted(modules: dict[str, str], document: Any) -> str:
    (answer,) = opa.evaluate(modules, "data.t.out", [document], generate.DATA)
    if isinstance(answer, dict) and "error" in answer:
        return NO_ANSWER
    return "undefined" if answer == {"undefined": True} else text(answer)


@SLOW
@given(seed=st.integers(0, 2**32))
def test_random_policies(real_opa: str, plans: Path, seed: int) -> None:
    random = Random(seed)
    modules = generate.policy(random)
    try:
        plan = opa.compile_plan(modules, [generate.ENTRYPOINT], plans)
        engines = [load(plan, generate.DATA, optimise=optimise, strict=False) for optimise in (True, False)]
    except (opa.NotCompiled, PlanRefused):
        return
    for document in (generate.document(random) for _ in range(3)):
        ours = {decided(engine, generate.ENTRYPOINT, document) for engine in engines}
        assert len(ours) == 1, (modules, document)
        assert ours == {explained(engines[0], generate.ENTRYPOINT, document)}, (modules, document)
        assert ours in ({wanted(modules, document)}, {NO_ANSWER}), (modules, document)


def all_wanted(modules: dict[str, str], documents: list[Any]) -> dict[str, list[str]]:
    """OPA's answers of many modules from one process; one without an answer hides the others', so then by halves."""
    names = [name.removesuffix(".rego") for name in modules]
    query = ", ".join(f'"{name}": data.{name}.out' for name in names)
    found = opa.evaluate(modules, f"{{{query}}}", documents, generate.DATA)
    if "error" not in str(found[0])[:8]:
        return {name: [text(answer[name]) for answer in found] for name in names}  # type: ignore[index]
    if len(names) == 1:
        return {names[0]: [NO_ANSWER] * len(documents)}
    items, half = list(modules.items()), len(names) // 2
    return all_wanted(dict(items[:half]), documents) | all_wanted(dict(items[half:]), documents)


def test_many_random_modules(real_opa: str) -> None:
    """Always the same ones. Where OPA has no answer to one input, its answers to the others are not asked for."""
    random = Random(1)
    modules = opa.accepted(grammar.modules(random, 80))
    names = [name.removesuffix(".rego") for name in modules]
    documents = [generate.document(random) for _ in range(3)] + [generate.FULL]
    plan = opa.compile_plan(modules, [f"{name}/out" for name in names])
    engines = [load(plan, generate.DATA, optimise=optimise, strict=False) for optimise in (True, False)]
    wanted = all_wanted(modules, documents)
    answered = 0
    for name, (at, document) in product(names, enumerate(documents)):
        ours = {decided(engine, f"{name}/out", document) for engine in engines}
        ours.add(explained(engines[0], f"{name}/out", document))
        expected = wanted[name][at]
        assert len(ours) == 1 and (expected == NO_ANSWER or ours in ({expected}, {NO_ANSWER})), (modules, document)
        answered += expected != NO_ANSWER and ours == {expected}
    assert answered > 100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def documents() -> st.SearchStrategy[Any]:
    """Inputs of the shape the recorded policies ask for, with anything in them."""
    names = [
        "one",
        "onef",
        "yes",
        "zero",
        "no",
        "huge",
        "tenth",
        "list",
        "a",
        "b",
        "xs",
        "score",
        "lists",
        "deep",
        "ns",
    ]
    return st.dictionaries(st.sampled_from(names), JSON, max_size=8)


ENGINES = {
    name: [load(corpus.plan(name), corpus.data(name), optimise=optimise, strict=False) for optimise in (True, False)]
    for name in corpus.names()
}


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(corpus.names()), document=documents())
def test_modes_agree_on_recorded_policies(name: str, document: Any) -> None:
    fast, plain = ENGINES[name]
    answer = decided(fast, corpus.ENTRYPOINT, document)
    assert answer == decided(plain, corpus.ENTRYPOINT, document)
    assert answer == explained(fast, corpus.ENTRYPOINT, document)
