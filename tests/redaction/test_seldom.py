"""Redaction where two rules meet in one name, a label is only ruled on, and a number is spelled sign by sign."""

from __future__ import annotations

import pytest

from sidecar.model import Channel, Finding, Part, Place, PlaceKind, RedactMode, Role
from sidecar.redaction import Restorer, redact
from sidecar.redaction.oneway import keyed_hash
from sidecar.redaction.styles import LIFELIKE
from sidecar.redaction.urls import names_host

PROSE = Place(path=("m",), label="m")
NAME = Place(path=("n",), label="n", kind=PlaceKind.IDENTIFIER)


def part(place: Place, text: str) -> Part:
    return Part(place=place, role=Role.USER, text=text)


def finding(place: Place, text: str, value: str, entity: str) -> Finding:
    at = text.index(value)
    return Finding(place, at, at + len(value), entity, 1.0, "test")


@pytest.mark.parametrize("first", [RedactMode.SURROGATE, RedactMode.MASK, RedactMode.DROP])
@pytest.mark.parametrize("second", [RedactMode.SURROGATE, RedactMode.MASK, RedactMode.DROP])
def test_of_two_rules_for_one_word_of_a_name_the_stricter_holds(first: RedactMode, second: RedactMode) -> None:
    text = "anna.bob_x"
    found = [finding(NAME, text, "anna", "PERSON"), finding(NAME, text, "bob", "USERNAME")]
    [edit] = redact([part(NAME, text)], found, {"PERSON": first, "USERNAME": second}).edits
    strict = max(first, second, key=list(RedactMode).index)
    if strict is RedactMode.DROP:
        assert edit.text == "_x"
    elif strict is RedactMode.MASK:
        assert edit.text in ("PERSON_x", "USERNAME_x")
    else:
        assert edit.text in ("PERSON_1_x", "USERNAME_1_x")


@pytest.mark.parametrize(("label", "is_literal"), [("PERSON", True), ("CASE_FILE", True), ("MAX_SIZE", False)])
def test_a_label_that_policy_rules_on_is_reserved_from_the_first_turn_on(label: str, is_literal: bool) -> None:
    """Else the first finding of that type in a later turn would change what an earlier one said upstream."""
    text = f"see <{label}_1>, a@b.example"
    rules = {"EMAIL_ADDRESS": RedactMode.SURROGATE, "CASE_FILE": RedactMode.SURROGATE}
    redaction = redact([part(PROSE, text)], [finding(PROSE, text, "a@b.example", "EMAIL_ADDRESS")], rules)
    [edit] = redaction.edits
    assert edit.text == ("see <LITERAL_1>, <EMAIL_ADDRESS_1>" if is_literal else f"see <{label}_1>, <EMAIL_ADDRESS_1>")
    restorer, channel = Restorer(redaction.vault), Channel(0, "content")
    assert restorer.feed(channel, edit.text) + restorer.finish(channel) == text


def test_a_number_that_is_spelled_sign_by_sign_comes_back_at_any_cut() -> None:
    text, value = "pay DE89370400440532013000 now", "DE89370400440532013000"
    rules = {"IBAN_CODE": RedactMode.SURROGATE}
    redaction = redact([part(PROSE, text)], [finding(PROSE, text, value, "IBAN_CODE")], rules, style=LIFELIKE)
    token = redaction.edits[0].text.removeprefix("pay ").removesuffix(" now")
    spelled = f"to {token[:4]} {' '.join(token[4:])}, please"
    for size in (1, 2, 3, 5, 50):
        restorer, channel = Restorer(redaction.vault), Channel(0, "content")
        pieces = [restorer.feed(channel, spelled[at : at + size]) for at in range(0, len(spelled), size)]
        assert "".join(pieces) + restorer.finish(channel) == f"to {value}, please"


def restored(asked: str, values: dict[str, str], reply: str) -> tuple[str, Restorer]:
    """The reply to a user's text in which these values were found."""
    found = sorted((finding(PROSE, asked, value, entity) for value, entity in values.items()), key=lambda f: f.start)
    redaction = redact([part(PROSE, asked)], found, {"*": RedactMode.SURROGATE})
    restorer, channel = Restorer(redaction.vault), Channel(0, "content")
    pieces = [restorer.feed(channel, sign) for sign in reply]
    return "".join(pieces) + restorer.finish(channel), restorer


MAIL = {"ann@good.example": "EMAIL_ADDRESS"}
HOST = {"good.example": "URL", "bob@evil.example": "EMAIL_ADDRESS"}
ASKED = "ann@good.example, see good.example"


@pytest.mark.parametrize(
    ("asked", "values", "reply"),
    [
        (ASKED, MAIL, "https://<EMAIL_ADDRESS_1>" + "a" * 300 + ".evil.example/x"),  # a host too long to wait for
        (ASKED, MAIL, "https://<EMAIL_ADDRESS_1>" + ".a" * 150 + "@good.example/x"),
        (ASKED, MAIL, "https://<EMAIL_ADDRESS_1>/x"),  # the value would be user and host at once
        ("good.example, bob@evil.example", HOST, "https://<URL_1><EMAIL_ADDRESS_1>/x"),
        ("good.example, bob@evil.example", HOST, "https://<URL_1>&lt;EMAIL_ADDRESS_1&gt;/x"),
    ],
)
def test_no_value_stands_in_a_host_that_is_not_whole_without_it(asked: str, values: dict[str, str], reply: str) -> None:
    got, restorer = restored(asked, values, f"see {reply} now")
    assert got == f"see {reply} now"
    assert not restorer.restored


def test_a_host_that_stands_as_a_users_name_is_not_named() -> None:
    text = "see https://intranet:secret@evil.example/ now"
    assert not names_host((text,), "intranet")
    assert names_host((text,), "evil.example")
    assert names_host(("see //intranet/x",), "intranet")


@pytest.mark.parametrize(("slashes", "comes_back"), [(1, True), (2, True), (4, True), (8, False), (16, False)])
def test_a_bracket_is_escaped_for_two_documents_at_most(slashes: int, comes_back: bool) -> None:
    escape = "\\" * slashes
    reply = f"x {escape}u003cEMAIL_ADDRESS_1{escape}u003e y"
    got, restorer = restored("ann@good.example", MAIL, reply)
    assert (got == "x ann@good.example y") is comes_back
    assert comes_back or (got, restorer.ambiguous) == (reply, 1)


def test_no_value_is_put_behind_an_escape_that_has_begun_in_an_inner_document() -> None:
    """It would be read as the escape's end, and the tool could not read its arguments any more."""
    redaction = redact(
        [part(PROSE, "ann@good.example")],
        [finding(PROSE, "ann@good.example", "ann@good.example", "EMAIL_ADDRESS")],
        {"*": RedactMode.SURROGATE},
    )
    for inner, comes_back in (("x", True), ("x\\\\\\\\", True), ("x\\\\", False)):
        reply = '{"a":"{\\"b\\":\\"' + inner + '<EMAIL_ADDRESS_1>\\"}"}'
        restorer, channel = Restorer(redaction.vault), Channel(0, "tool_calls.arguments", json_text=True)
        got = restorer.feed(channel, reply) + restorer.finish(channel)
        assert got == (reply.replace("<EMAIL_ADDRESS_1>", "ann@good.example") if comes_back else reply)
        assert (restorer.ambiguous, bool(restorer.restored)) == (int(not comes_back), comes_back)


def test_one_value_of_two_types_has_two_hashes() -> None:
    hashed = keyed_hash(b"k" * 16)
    digests = [hashed(entity, "x").partition("#")[2] for entity in ("PERSON", "USERNAME", "PERSON")]
    assert digests[0] == digests[2] != digests[1]
