"""The bars on labelled sentences of another source: SIDECAR_TEST_DATA names the folder that holds them."""

from __future__ import annotations

import random
from pathlib import Path

from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.scoring import Label, Scorecard, examples, score


def scorecard(data: Path, mode: Mode) -> Scorecard:
    """Over the half that was held back while the rules were written."""
    every = list(examples((data / "presidio_research" / "generated_large.json").read_text("utf-8")))
    random.Random(7).shuffle(every)
    engine = Engine(Settings(mode=mode))
    held = every[len(every) // 2 :]
    return score(held, lambda text: [Label(span.start, span.end, span.entity) for span in engine.find(text)])


def test_checksum_types_and_addresses_are_covered(data: Path) -> None:
    types = scorecard(data, Mode.BALANCED).types
    for entity in ("CREDIT_CARD", "IBAN_CODE", "EMAIL_ADDRESS", "IP_ADDRESS", "US_SSN"):
        assert types[entity].coverage == 1.0, entity
        assert (types[entity].precision or 0) >= 0.99, entity


def test_phones_most_of_which_are_no_valid_numbers(data: Path) -> None:
    assert (scorecard(data, Mode.STRICT).types["PHONE_NUMBER"].coverage or 0) >= 0.95
    assert (scorecard(data, Mode.BALANCED).types["PHONE_NUMBER"].coverage or 0) >= 0.90
