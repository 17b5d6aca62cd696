"""Disguised values of every type: what is found, and that docs/threat-model.md lists what is not.

`SIDECAR_UPDATE=1 python -m pytest tests/inspection/test_variants.py` writes the lists anew, as after a new model.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sidecar.drivers.inspector_worker import Detectors, Plan
from sidecar.drivers.names_model import NamesModel
from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from tests.inspection.variants import (
    EVERYWHERE,
    NAMES,
    VARIANTS,
    WRITTEN,
    Measured,
    engine_for,
    is_covered,
    measured,
    measured_names,
    planted,
    types,
    value_only,
)
from tests.test_docs import same

PAGE = Path(__file__).resolve().parents[2] / "docs" / "threat-model.md"
COVERED = list(VARIANTS)[:6]
"""Other alphabets, other digits, invisible characters: whatever the type."""


def test_there_is_a_value_of_every_type() -> None:
    assert sorted(WRITTEN) == types()


@pytest.mark.parametrize("entity", WRITTEN)
def test_each_value_is_found_under_its_own_name(entity: str) -> None:
    """Alone, for several countries give the same shape to their passports and postcodes; with all the rest, covered."""
    before, value, after = planted(entity)
    text = before + value + after
    alone = Engine(Settings(entities=frozenset({entity}), countries=EVERYWHERE))
    assert (entity, value) in [(span.entity, text[span.start : span.end]) for span in alone.find(text)]
    assert is_covered(value_only(str)(before, value, after), engine_for(entity).find(text))


@pytest.mark.parametrize("name", COVERED)
def test_other_alphabets_and_invisible_characters_hide_no_type(name: str) -> None:
    assert measured(name).missed == []


def test_an_encoded_sentence_hides_no_value_of_one_line() -> None:
    for name in ("URL-encoded sentence", "base64 of the sentence in JSON"):
        assert [entity for entity in measured(name).missed if "\n" not in planted(entity)[1]] == []


def told(found: Measured) -> str:
    """The shorter list: those not found, or those found."""
    if len(found.missed) <= found.tried / 2 + 20:
        return ", ".join(found.missed)
    rest = ", ".join(sorted(set(types()) - set(found.missed)))
    return f"all but {rest}" if rest else "all"


def table() -> str:
    lines = ["| disguise | found | not found |", "|---|---|---|"]
    for name in VARIANTS:
        found = measured(name)
        lines.append(f"| {name} | {found.tried - len(found.missed)} of {found.tried} | {told(found)} |")
    return "\n".join(lines)


def names_table() -> str:
    """Of six sentences each; without those disguises that change no letter."""
    find = Detectors(Plan(settings=Settings(), names=True)).find
    lines = [f"| disguise (model {NamesModel().version}) | {' | '.join(NAMES)} |", "|---|" + "---|" * len(NAMES)]
    for name in VARIANTS:
        row = measured_names(name, find).values()
        if all(found.tried for found in row):
            cells = " | ".join(f"{found.tried - len(found.missed)} of {found.tried}" for found in row)
            lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def section(name: str, text: str) -> None:
    """Hold what stands between a section's two marks equal to the text."""
    page = PAGE.read_text("utf-8")
    marks = re.compile(rf"(<!-- {name}: tests/inspection/test_variants\.py -->\n).*?(\n<!-- end -->)", re.DOTALL)
    assert len(marks.findall(page)) == 1, name
    same(PAGE, marks.sub(lambda match: match[1] + text + match[2], page))


def test_the_threat_model_lists_what_is_not_found() -> None:
    section("disguised values", table())


def test_the_threat_model_says_what_disguises_do_to_names() -> None:
    section("disguised names", names_table())
