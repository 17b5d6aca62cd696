"""presidio-anonymizer's operators as one-way modes of redaction."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sidecar.drivers.anonymizer import operator
from sidecar.errors import OwnError
from sidecar.model import RedactMode
from sidecar.redaction import Restorer, redact
from tests.redaction.kit import mark, part, stream

SALT = "0123456789abcdef"
MASK = {"masking_char": "*", "chars_to_mask": 4, "from_end": False}


@pytest.mark.parametrize(
    ("name", "params", "pattern"),
    [
        ("mask", MASK, r"\*\*\*\* Smith"),
        ("hash", {"salt": SALT}, "[0-9a-f]{64}"),
        ("redact", {}, ""),
        ("replace", {"new_value": "someone"}, "someone"),
        ("replace", {}, "<PERSON>"),
        ("encrypt", {"key": SALT}, "[A-Za-z0-9_=-]{40,}"),
    ],
)
def test_each_operator_replaces_and_nothing_comes_back(name: str, params: dict[str, Any], pattern: str) -> None:
    made = part("Dear Anna Smith!")
    chosen = {RedactMode.HASH: operator(name, params)}
    result = redact([made], [mark(made, 5, 15)], {"*": RedactMode.HASH}, operators=chosen)
    assert re.fullmatch(f"Dear {pattern}!", result.edits[0].text)
    assert not result.vault
    assert stream(Restorer(result.vault), [result.edits[0].text]) == result.edits[0].text


def test_equal_values_have_equal_hashes_of_this_salt_only() -> None:
    first, other = operator("hash", {"salt": SALT}), operator("hash", {"salt": SALT[::-1]})
    assert first("PERSON", "Anna") == first("PERSON", "Anna") != other("PERSON", "Anna")


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("keep", {}),
        ("custom", {"lambda": str}),
        ("hash", {}),
        ("hash", {"salt": "short"}),
        ("hash", {"salt": SALT, "hash_type": "md5"}),
        ("mask", {}),
        ("mask", {**MASK, "masking_char": "**"}),
        ("mask", {**MASK, "chars_to_mask": 0}),
        ("mask", {**MASK, "chars_to_mask": -1}),
        ("encrypt", {"key": "short"}),
        ("encrypt", {}),
    ],
)
def test_wrong_parameters_are_found_at_start(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"operator|salt"):
        operator(name, params)


def test_an_operator_that_fails_is_our_fault_and_does_not_tell_the_value() -> None:
    hashing = operator("hash", {"salt": SALT})
    with pytest.raises(OwnError) as fault:
        hashing("PERSON", "Anna \ud800")  # Presidio encodes it as UTF-8, which cannot hold it
    assert fault.value.code == "INTERNAL"
    assert fault.value.__cause__ is fault.value.__context__ is None
    assert "Anna" not in str(fault.value) + fault.value.advice
