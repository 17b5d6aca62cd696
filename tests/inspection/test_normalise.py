"""The searched copy and the way back; what people hide values with."""

from __future__ import annotations

import re
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
    [
        *list("ab1 .@"), "\u200b", "ﬁ", "％", "%40", "\\u0040", "４", "а", "\xad", "1 2 3 4 5 6 7 8", " [at] ",
        "&x=1+a", "?q=", "=C3=BC", "=20", "=\n", '=3D"', "=?utf-8?q?", "?=", "=?utf-8?b?QUJD?= ", "\\x41", "1\\-",
        "\u0336", "\u0308",
    ]
)  # fmt: skip

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


FORM = "name=Anna+Schmidt&iban=DE89+3704+0044+0532+0130+00&phone=%2B49+171+1234567&street=Hauptstra%C3%9Fe+12&x=1"
MAIL = "Die Stra=C3=9Fe: Hauptstra=C3=9Fe 12, Tel. 0171=\n1234567, IBAN DE89 3704 0044 05=\r\n32 0130 00=20\nGr=C3=BC"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (FORM, ["DE89+3704+0044+0532+0130+00", "%2B49+171+1234567", "Hauptstra%C3%9Fe+12"]),
        (f"curl -d '{FORM}' https://shop.example/pay", ["DE89+3704+0044+0532+0130+00", "%2B49+171+1234567"]),
        ("GET /pay?card=4111+1111+1111+1111 HTTP/1.1", ["4111+1111+1111+1111"]),
        ("<a href='/x?a=1&amp;tel=0171+1234567&amp;b=2'>", ["0171+1234567"]),
        ("a=1&tel=+49+171+1234567", ["+49+171+1234567"]),
        (MAIL, ["Hauptstra=C3=9Fe 12", "0171=\n1234567", "DE89 3704 0044 05=\r\n32 0130 00"]),
        ("Content-Transfer-Encoding: quoted-printable\n\nmail anna=40corp.exa=\nmple", ["anna=40corp.exa=\nmple"]),
        (
            f"{'write to us or to our people at the office in Cologne,':<60} or anna@corp=\n.example",
            ["anna@corp=\n.example"],
        ),
        ("=44=45=38=39 3704 0044 0532 0130 00", ["=44=45=38=39 3704 0044 0532 0130 00"]),
        ("Subject: =?utf-8?Q?f=C3=BCr_anna=40corp.example?=", ["anna=40corp.example"]),
        (
            "Subject: =?iso-8859-1?q?Stra=DFe_12=2C_Tel_+49_171?=\r\n =?UTF-8?q?1234567?=",
            ["+49_171?=\r\n =?UTF-8?q?1234567"],
        ),
        (
            "To: =?UTF-8?B?YW5uYUBjb3JwLmV4YW1wbGU=?= <x@y.example>",
            ["=?UTF-8?B?YW5uYUBjb3JwLmV4YW1wbGU=?=", "x@y.example"],
        ),
        ('say("anna\\x40corp\\x2eexample")', ["anna\\x40corp\\x2eexample"]),
        ("SSN 219\\-09\\-9999 from 192\\.168\\.17\\.43", ["219\\-09\\-9999", "192\\.168\\.17\\.43"]),
        ("write to anna\\_schmidt@corp\\.example", ["anna\\_schmidt@corp\\.example"]),
        ("IBAN " + "".join(f"{char}\u0336" for char in "DE89370400440532013000"), ["DE89370400440532013000"]),
        ("card " + re.sub("(.)", "\\1\ufe0f\u20e3", "4111111111111111"), ["4111111111111111"]),
    ],
)
def test_what_mail_forms_and_markup_do_to_a_value_hides_none(text: str, values: list[str]) -> None:
    found = [re.sub("[\u0336\ufe0f\u20e3]", "", text[span.start : span.end]) for span in ENGINE.find(text)]
    assert [value for value in values if value not in found] == [], found


@pytest.mark.parametrize(
    "text",
    [
        "C++ and 1+1=2, a+b & c+d; x = y+z ? a+b : c",
        "if (a+b==c && d==e+f) return x?y+1:z;",
        "call +49 171 & co",
        "sig=nYx2+8fKq0ZbT7eR4/UwV1mQ3cJ6hLs9dP5oA0iB7gE=&x=1",
        "https://x.example/?sig=nYx2+8fKq0ZbT7eR4UwV1mQ3cJ6hLs9dP5oA0iB7gEzzz",
        "width=20 height=30 color=FF0000 id=DE89 age=42",
        "KEY=\nOTHER=value\nEMPTY=\n",
        "token =\n    value",
        "aGVsbG8gd29ybGQgaGVsbG8gd29ybA9=\n9GVsbG8gd29ybGQ",
        "re.compile(r'\\d+\\-\\d+\\.\\w')",
        "what is =?this? and =?that?=",
        "\\x00\\x01\\x02 and C:\\xampp",
        "naïve façade, über",
    ],
)
def test_code_and_other_text_is_its_own_copy(text: str) -> None:
    assert normalised(text).text == text


def test_a_letter_keeps_its_accent_and_other_scripts_their_marks() -> None:
    assert normalised("Mu\u0308ller, Rene\u0301 x\u0336").text == "Müller, René x"
    assert normalised("и\u0306 \u05d0\u05b8").text == "и\u0306 \u05d0\u05b8"


def test_plain_text_is_its_own_copy() -> None:
    text = "Grüße aus Köln, 100 % sicher & günstig – naïve façade."
    assert normalised(text.replace("–", "-")).back is None
