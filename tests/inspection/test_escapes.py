"""Text pasted with its escapes: JSON within a message, log lines, HTML. A value behind `\\n` is a value."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from tests.inspection.cost import assert_linear

ENGINE = Engine(Settings())
VALUES = {
    "4111111111111111": "CREDIT_CARD",
    "5555 5555 5555 4444": "CREDIT_CARD",
    "DE44500105175407324931": "IBAN_CODE",
    "0171 2345678": "PHONE_NUMBER",
    "+49 171 2345678": "PHONE_NUMBER",
    "219-09-9999": "US_SSN",
    "85031212343": "PL_PESEL",
    "10.1.2.3": "IP_ADDRESS",
    "2001:db8::1": "IP_ADDRESS",
    "52:54:00:12:34:56": "MAC_ADDRESS",
    "bob@example.com": "EMAIL_ADDRESS",
    "AKIAQYLPMN5HHHFPZAM2": "API_KEY",
    "sk_live_51HqLyjWDarjtT1zdp7dcTYooMQauvdEDq54NiTphI7jx": "API_KEY",
    "Hauptstraße 5, 70565 Stuttgart": "STREET_ADDRESS",
}


def found(text: str) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)]


ESCAPES = ["\\n", "\\r\\n", "\\t", "\\n\\n", "\\n- "]
TWICE = "\\\\n"
"""Before a small letter it may be a folder's name."""


@pytest.mark.parametrize(
    ("value", "escape"),
    [(value, escape) for value in VALUES for escape in (ESCAPES if value[0].islower() else [*ESCAPES, TWICE])],
)
def test_a_value_between_escapes_is_found_and_none_of_them(value: str, escape: str) -> None:
    text = f'Mend this: {{"note": "please see{escape}{value}{escape}Thanks"}}'
    assert found(text) == [(VALUES[value], value)]


def test_what_is_left_of_json_in_a_message_stays_json() -> None:
    note = json.dumps({"note": 'see\nbob@example.com\n"0171 2345678"\t4111111111111111', "id": 7})
    spans = ENGINE.find(note)
    for span in reversed(spans):
        note = f"{note[: span.start]}<X>{note[span.end :]}"
    assert json.loads(note) == {"note": 'see\n<X>\n"<X>"\t<X>', "id": 7}


def test_a_token_leaves_the_escape_of_the_quote_behind_it() -> None:
    token = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    )
    text = json.dumps({"body": json.dumps({"jwt": token})})
    assert found(text) == [("JWT", token)]


@pytest.mark.parametrize(
    "path",
    [r"C:\Users\nina\notes\report.txt", r"in C:\Users\tom\new", r'"C:\\Users\\nina\\x"'],
)
def test_folders_are_no_escapes(path: str) -> None:
    assert [entity for entity, _ in found(f'see "{path}": it\\n"is" there')] == ["USERNAME"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('data-user="{&quot;password&quot;:&quot;Xk29fjq!z&quot;}"', [("PASSWORD", "Xk29fjq!z")]),
        ("lat=&quot;48.521637&quot;", [("GEO_COORDINATES", "48.521637")]),
        ("T&eacute;l&eacute;phone&nbsp;: 0612345678", [("PHONE_NUMBER", "0612345678")]),
        ("a &foo; b &total; c &x; &amp", []),
    ],
)  # fmt: skip
def test_references_of_html(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "unit", ["\\n", "\\na", '":\\na', "C:\\na", "ab:\\n", "\\" * 50 + "n", "&lt;&gt;", "&foo;", "&A", "\\t0"]
)
def test_cost_is_linear_in_escapes(unit: str) -> None:
    assert_linear(ENGINE, unit)


def test_colours_of_a_log_are_no_part_of_its_values() -> None:
    text = "\x1b[32manna.kowalska@corp.internal\x1b[0m from \x1b[1;33m192.168.17.4\x1b[m"
    assert found(text) == [("EMAIL_ADDRESS", "anna.kowalska@corp.internal"), ("IP_ADDRESS", "192.168.17.4")]


@pytest.mark.parametrize(
    "hidden", ["а", "ａ", "a\u200b", "a\u00ad"], ids=["Cyrillic", "full-width", "zero-width", "soft"]
)
@pytest.mark.parametrize("form", ["json", "url", "html"])
def test_letters_that_were_disguised_before_they_were_escaped_are_read(hidden: str, form: str) -> None:
    """json.dumps, urlencode and a page's encoder write a disguise with escapes, and so hid it."""
    value = "anna@corp.example".replace("a", hidden)
    written = {
        "json": json.dumps(value)[1:-1],
        "url": quote(value),
        "html": "".join(char if char.isascii() else f"&#{ord(char)};" for char in value),
    }[form]
    assert found(f"mail {written}, please") == [("EMAIL_ADDRESS", written)]
