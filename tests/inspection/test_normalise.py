"""The searched copy and the way back; what people hide values with."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.normalise import normalised

ENGINE = Engine(Settings())
PIECES = st.sampled_from(
    [*list("ab1 .@"), "\u200b", "ﬁ", "％", "%40", "\\u0040", "４", "а", "\xad", "1 2 3 4 5 6 7 8", " [at] "]
)

VALUES = {
    "EMAIL_ADDRESS": "anna.schmidt@corp.example",
    "CREDIT_CARD": "4111111111111111",
    "IBAN_CODE": "DE89370400440532013000",
    "US_SSN": "219-09-9999",
    "PHONE_NUMBER": "+4930901820",
    "IP_ADDRESS": "192.168.17.43",
    "DE_TAX_ID": "86095742719",
    "MAC_ADDRESS": "00:1B:44:11:3A:B7",
}
FULL_WIDTH = {char: chr(ord(char) + 0xFEE0) for char in map(chr, range(0x21, 0x7F))}
LOOKALIKE = str.maketrans("aeopcxABEHKMOPT", "аеорсхАВЕНКМОРТ")
VARIANTS = {
    "as it is": lambda value: value,
    "full width": lambda value: "".join(FULL_WIDTH.get(char, char) for char in value),
    "zero-width spaces": lambda value: "\u200b".join(value),
    "soft hyphens": lambda value: "\u00ad".join(value),
    "a look-alike alphabet": lambda value: value.translate(LOOKALIKE),
    "mathematical digits": lambda value: "".join(chr(0x1D7CE + int(c)) if c.isdigit() else c for c in value),
    "Arabic digits": lambda value: "".join(chr(0x0660 + int(c)) if c.isdigit() else c for c in value),
    "typographic hyphens": lambda value: value.replace("-", "\u2011"),
    "URL-encoded": lambda value: quote(value, safe=""),
    "JSON escapes": lambda value: "".join(f"\\u{ord(c):04x}" if not c.isalnum() else c for c in value),
    "base64": lambda value: b64encode(f"value: {value}".encode()).decode(),
}
SPLIT = {
    "CREDIT_CARD": " ".join(VALUES["CREDIT_CARD"]),
    "DE_TAX_ID": "-".join(VALUES["DE_TAX_ID"]),
}


@given(st.lists(PIECES, max_size=30).map("".join))
def test_every_span_of_the_copy_has_a_place_in_the_original(text: str) -> None:
    copy = normalised(text)
    if copy.back is None:
        assert copy.text == text
        return
    last = 0
    for at in range(len(copy.text)):
        start, end = copy.back(at, at + 1)
        assert 0 <= start < end <= len(text)
        assert start >= last
        last = start
    assert copy.back(0, len(copy.text)) if copy.text else True


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("entity", VALUES)
def test_a_disguised_value_is_found_and_wholly_covered(entity: str, variant: str) -> None:
    written = VARIANTS[variant](VALUES[entity])
    text = f"The value is {written} as agreed."
    found = [(text[span.start : span.end], span.entity) for span in ENGINE.find(text)]
    assert any(written.strip("=") in value for value, _ in found), found


@pytest.mark.parametrize("entity", SPLIT)
def test_split_digits(entity: str) -> None:
    text = f"It is {SPLIT[entity]} today"
    assert [(text[s.start : s.end], s.entity) for s in ENGINE.find(text)] == [(SPLIT[entity], entity)]


def test_spelled_out_addresses() -> None:
    text = "mail anna [at] corp [dot] example please"
    assert [text[s.start : s.end] for s in ENGINE.find(text)] == ["anna [at] corp [dot] example"]


def test_plain_text_is_its_own_copy() -> None:
    text = "Grüße aus Köln, 100 % sicher & günstig – naïve façade."
    assert normalised(text.replace("–", "-")).back is None
