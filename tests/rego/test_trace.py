"""Explanations: which rules fired, and the condition that stopped each other one."""

from __future__ import annotations

import json
from typing import Any

import pytest
import realistic

from sidecar.rego import UNDEFINED, Engine, Explanation, FailedCondition, load
from sidecar.rego.trace import MAX_TEXT, shown


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load(realistic.plan(), realistic.data())


def asked(engine: Engine, **changes: Any) -> Explanation:
    document = realistic.document()
    for path, value in changes.items():
        *parents, last = path.split("__")
        node = document
        for parent in parents:
            node = node[parent]
        node[last] = value
    return engine.explain(realistic.ENTRYPOINT, document)


def stopped(explanation: Explanation, file: str, row: int) -> FailedCondition:
    (found,) = (failed for failed in explanation.failed if (failed.rule.file, failed.rule.row) == (file, row))
    return found


def operands(failed: FailedCondition) -> list[tuple[str, Any]]:
    return [(looked.text, looked.value) for looked in failed.operands]


def test_the_value_is_the_decision(engine: Engine) -> None:
    document = realistic.document()
    assert engine.explain(realistic.ENTRYPOINT, document).value == engine.evaluate(realistic.ENTRYPOINT, document)


def test_rules_that_fired(engine: Engine) -> None:
    fired = {(site.path, site.file, site.row) for site in asked(engine, use_case__risk="prohibited").fired}
    assert ("data.packs.risk.deny", "risk.rego", 3) in fired
    assert ("data.governor.decide.denies", "decide.rego", 16) in fired
    assert ("data.governor.decide.allow", "decide.rego", 7) in fired  # the default
    assert ("data.governor.decide.allow", "decide.rego", 9) not in fired


def test_a_default_is_told_from_a_rule_that_fired(engine: Engine) -> None:
    """`allow` has "fired" in every denial otherwise."""
    told = {(site.path, site.default) for site in asked(engine, use_case__risk="prohibited").fired}
    assert ("data.governor.decide.allow", True) in told and ("data.packs.risk.deny", False) in told
    allowed = asked(engine)
    assert ("data.governor.decide.allow", False) in {(site.path, site.default) for site in allowed.fired}
    assert not [failed for failed in allowed.failed if failed.rule.default]


def test_values_without_a_name_are_left_out(engine: Engine) -> None:
    looked = [looked.text for failed in asked(engine).failed for looked in failed.operands]
    assert looked and "_" not in looked


def test_a_comparison_with_both_sides(engine: Engine) -> None:
    failed = stopped(asked(engine, model__tier=1), "models.rego", 15)
    assert (failed.row, failed.text) == (16, "input.model.tier > data.packs.models.tenant.max_tier")
    assert operands(failed) == [("input.model.tier", 1), ("data.packs.models.tenant.max_tier", 2)]


def test_a_negation_with_what_it_looked_at(engine: Engine) -> None:
    failed = stopped(asked(engine), "models.rego", 11)
    assert failed.text == "not input.model.region in data.packs.models.tenant.regions"
    assert operands(failed)[0] == ("input.model.region", "eu-west")


def test_the_first_condition_of_several(engine: Engine) -> None:
    unknown = stopped(asked(engine, usage__cost_today=None), "budget.rego", 10)
    below = stopped(asked(engine, usage__cost_today=1), "budget.rego", 10)
    assert (unknown.row, unknown.text, operands(unknown)) == (
        11, "is_number(input.usage.cost_today)", [("input.usage.cost_today", None)],
    )  # fmt: skip
    assert (below.row, operands(below)[0]) == (12, ("input.usage.cost_today", 1))


def test_of_elements_the_one_that_got_furthest(engine: Engine) -> None:
    detectors = [{"label": "topic", "score": 1, "name": "t"}, {"label": "injection", "score": 0.2, "name": "i"}]
    failed = stopped(asked(engine, content__detectors=detectors), "risk.rego", 21)
    assert (failed.row, operands(failed)) == (24, [("input.content.detectors[_].score", 0.2)])


def test_no_element_at_all(engine: Engine) -> None:
    failed = stopped(asked(engine, content__detectors=[]), "risk.rego", 21)
    assert (failed.row, failed.text, operands(failed)) == (
        22, "some element of input.content.detectors", [("input.content.detectors", [])],
    )  # fmt: skip


def test_a_missing_field_is_told_apart_from_null(engine: Engine) -> None:
    document = realistic.document()
    del document["use_case"]["risk"]
    failed = stopped(engine.explain(realistic.ENTRYPOINT, document), "risk.rego", 3)
    assert operands(failed) == [("input.use_case.risk", UNDEFINED)]


def test_the_source_line_where_the_source_is_at_hand() -> None:
    engine = load(realistic.plan(), realistic.data(), sources=realistic.modules())
    assert stopped(asked(engine), "models.rego", 15).text == "input.model.tier > tenant.max_tier"


def test_at_most_one_entry_for_a_rule_body(engine: Engine) -> None:
    explanation = engine.explain(realistic.ENTRYPOINT, realistic.document(200))
    sites = [(failed.rule.file, failed.rule.row) for failed in explanation.failed]
    assert len(sites) == len(set(sites)) <= 40


def test_values_are_cut_to_a_printable_size() -> None:
    assert shown("x" * 5000) == "x" * MAX_TEXT + "..."
    assert shown(list(range(5000))) == "<5000 elements>"
    assert shown({"a": [1]}) == {"a": [1]}


def test_everything_but_undefined_is_json(engine: Engine) -> None:
    values = [looked.value for failed in asked(engine).failed for looked in failed.operands]
    kept = [value for value in values if value is not UNDEFINED]
    assert 0 < len(kept) < len(values)
    assert json.loads(json.dumps(kept)) == kept
