"""Our copies of Presidio's checks answer as the originals do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sidecar.inspection.presidio_checks import CHECKS
from sidecar.inspection.presidio_rules import STARTS, presidio_rules, table
from sidecar.inspection.rules import RuleBook
from sidecar.inspection.tokens import tokens


def original(recogniser: Any, text: str) -> bool | None:
    """validate_result with invalidate_result folded in, as PatternRecognizer scores them."""
    if recogniser.invalidate_result(text):
        return False
    answer = recogniser.validate_result(text)
    return None if answer is None else bool(answer)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_the_same_answer_on_generated_values(
    name: str, presidio: Any, matching: Callable[[str, int], list[str]]
) -> None:
    recogniser = getattr(presidio.predefined_recognizers, name)()
    answers = []
    for _, _, regex in table()["recognisers"][name]["patterns"]:
        for text in matching(regex, 400):
            answers.append(CHECKS[name](text))
            assert answers[-1] == original(recogniser, text), text
    assert len(answers) > 100
    assert len(set(answers)) > 1 or name == "DeBsnrRecognizer", "the samples never meet the check"


KNOWN_LOSSES = {
    "ItVatCodeRecognizer": "eleven digits with a space anywhere",
    "SePersonnummerRecognizer": "seven digits of birth date, which no date has",
    "UsHealthInsuranceMemberIdRecognizer": "four or five letters before the hyphen",
    "UsClaimNumberRecognizer": "labelled by look-behind only",
    "UsPrescriptionNumberRecognizer": "labelled by look-behind only",
}


@pytest.mark.parametrize("name", sorted(set(STARTS) - set(KNOWN_LOSSES)))
def test_whatever_its_pattern_matches_is_tried_where_it_stands(
    name: str, matching: Callable[[str, int], list[str]]
) -> None:
    """The tokens a rule may start at lose nothing against a search over the whole text (in upper case)."""
    countries = {start.country for start in STARTS[name]}
    rules = [rule for rule in presidio_rules(countries) if rule.name == f"presidio/{name}"]
    book = RuleBook([replace(rule, score=1.0, check=None, context=None) for rule in rules], 0.0)
    for _, _, regex in table()["recognisers"][name]["patterns"]:
        for value in map(str.upper, matching(regex, 60) if "(?<=" not in regex else ()):
            if (
                "  " in value
                or "_" in value
                or value != value.strip()
                or not re.search(regex.replace("(?i)", ""), value)
            ):
                continue  # runs of separators that no recogniser means
            text = f"see {value} there"
            numbers = tokens(text)
            found = book.find(text, numbers, range(len(numbers)))
            assert any(span.start <= 4 and span.end >= 4 + len(value) for span in found), (value, found)
