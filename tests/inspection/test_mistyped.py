"""Numbers whose check digit is wrong, right behind a word that says what they are: strict mode finds them."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.rules import MISTYPED

STRICT, BALANCED = Engine(Settings(mode=Mode.STRICT)), Engine(Settings())

MISTYPED_NUMBERS = [
    ("FR_NIR", "Mon NIR est ", "1 85 05 78 006 084 37"),
    ("FR_NIR", '{"nir": "', "185057800608437"),
    ("NL_BSN", "Burgerservicenummer (BSN) nr. ", "111222334"),
    ("DE_SOCIAL_SECURITY", "Rentenversicherungsnummer ", "65 170839 J 009"),
    ("ES_NIF", "DNI ", "12345678A"),
    ("ES_NIE", "NIE: ", "X1234567A"),
    ("SE_PERSONNUMMER", "Personnummer ", "811218-9877"),
    ("US_SSN", "SSN: ", "000-12-3456"),
    ("IBAN_CODE", "Meine IBAN: ", "DE89370400440532013009"),
    ("IBAN_CODE", '"iban": "', "NL91ABNA0417164301"),
    ("CREDIT_CARD", "my card number is ", "4111111111111119"),
    ("CREDIT_CARD", "Kreditkarte Nr. ", "5500-0000-0000-0005"),
]


@pytest.mark.parametrize(("entity", "before", "number"), MISTYPED_NUMBERS)
def test_what_says_what_it_is_is_found_in_strict_mode_alone(entity: str, before: str, number: str) -> None:
    text = f"{before}{number} thanks"
    (span,) = STRICT.find(text)
    assert (span.entity, text[span.start : span.end], span.score) == (entity, number, MISTYPED)
    assert not any(span.entity == entity for span in BALANCED.find(text))


@pytest.mark.parametrize(
    "text",
    [
        "NIR, then something else; invoice 185057800608437",
        "the BSN\n111222334",
        "order number DE89370400440532013009",
        "plate number AB1, card 12, item 4111111111111112",
        "national register 85073003329",
    ],
)
def test_a_number_of_something_else_needs_its_check_digit(text: str) -> None:
    types = {span.entity for span in STRICT.find(text) if span.score == MISTYPED and span.detector.startswith("rules")}
    assert not types & {"FR_NIR", "NL_BSN", "IBAN_CODE", "CREDIT_CARD", "BE_NATIONAL_NUMBER"}


def test_a_threshold_brings_them_to_balanced_mode() -> None:
    engine = Engine(Settings(thresholds=(("NL_BSN", MISTYPED),)))
    assert [span.entity for span in engine.find("BSN: 111222334")] == ["NL_BSN"]
