"""Query and headers are text that a provider sees: found, redacted in place, and otherwise left byte for byte."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.carried import HEADERS, QUERY, SAID, carried_parts, headers_with, target_with
from sidecar.model import Asserted, Edit, Place
from sidecar.testing import arrival
from tests.exchange.kit import SECRET, Stage, question

PATH = "/v1/chat/completions"
SDK = (
    ("Host", "x"),
    ("Accept", "application/json"),
    ("Authorization", "Bearer sk-1"),
    ("User-Agent", "OpenAI/Python 2.1.0"),
    ("X-Stainless-Lang", "python"),
    ("OpenAI-Organization", "org-1"),
    ("X-Portkey-Api-Key", "pk-1"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
)


def test_what_protocols_and_sdks_say_is_left_alone() -> None:
    assert carried_parts(f"{PATH}?api-key=abc&sig=def&token=QW5uIE1pbGxlcg==", SDK) == ()
    assert carried_parts(PATH, ()) == ()
    assert carried_parts(f"{PATH}?user=", (("X-User", ""),)) == ()


LEFT_ALONE = """
    api-key x-api-key x-goog-api-key authorization x-auth client_secret password x-amz-signature sig x-auth-token
    access_tokens user-agent cookie-key openai-project anthropic-version sec-fetch-site cf-ray
    x-stainless-os x-request-id
"""
READ = "cookie x-monkey x-design x-tokenizer x-keyword x-user x-openai-user referer x-forwarded-for x-secretary"


@pytest.mark.parametrize(
    ("name", "read"), [*((name, False) for name in LEFT_ALONE.split()), *((name, True) for name in READ.split())]
)
def test_which_headers_are_read(name: str, read: bool) -> None:
    """A credential that was taken for a password would open no door any more; anything else may speak of somebody."""
    for spelled in (name, name.title()):
        assert bool(carried_parts(PATH, ((spelled, "Ann Miller, 0151 23456789"),))) is read


@pytest.mark.parametrize(
    ("name", "read"), [("api_key", False), ("sig", False), ("token", False), ("monkey", True), ("user-agent", True)]
)
def test_which_parameters_are_read(name: str, read: bool) -> None:
    assert bool(carried_parts(f"{PATH}?{name}=Ann+Miller", ())) is read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        *((text, False) for text in ("eu-west-1", "2024-10-21", "gold", "x" * 64)),
        *((text, True) for text in ("Gold", "12345", "a b", "0151-23456", "x" * 65)),
    ],
)
def test_which_words_say_something(text: str, read: bool) -> None:
    """A plain word routes; long numbers, capitals and sentences may be somebody's, and so is all that is a user's."""
    assert bool(carried_parts(PATH, (("X-Tier", text),))) is read
    assert carried_parts(PATH, (("X-User", text),))


def test_texts_have_their_name_as_key_and_a_label_without_content() -> None:
    headers = (("X-User-Email", "e"), ("Anna@x", "Y"), ("X-Tier", "gold"), ("X-Region", "eu-west-1"))
    parts = carried_parts(f"{PATH}?user=a%40b.c+d&Flag&Anna%20K=X&api-version=2024-10-21&id=12345", headers)
    assert [(part.place.path, part.place.label, part.key, part.text) for part in parts] == [
        ((QUERY, 0), "query.user", "user", "a@b.c d"),
        ((QUERY, 1), "query", "", "Flag"),
        ((QUERY, 2), "query", "", "Anna K=X"),
        ((QUERY, 4), "query.id", "id", "12345"),
        ((HEADERS, 0), "header.x-user-email", "X-User-Email", "e"),
        ((HEADERS, 1), "header", "Anna@x", "Y"),
    ]


def test_new_texts_stand_where_the_old_ones_did() -> None:
    target = f"{PATH}?a=%2f&user=x@y.z&b=+&c"
    edits = [
        Edit(Place(path=(QUERY, 1), label=""), "<EMAIL_ADDRESS_1>"),
        Edit(Place(path=(QUERY, 3), label=""), "<PERSON_1>"),
        Edit(Place(path=(HEADERS, 1), label=""), "<PERSON_1>"),
        Edit(Place(path=("messages", 0), label=""), "body"),
    ]
    assert target_with(target, edits) == f"{PATH}?a=%2f&user=%3CEMAIL_ADDRESS_1%3E&b=+&%3CPERSON_1%3E"
    named = [Edit(Place(path=(QUERY, 0), label=""), "<EMAIL_ADDRESS_1>=1")]
    assert target_with(f"{PATH}?ann%40x.org=1&a", named) == f"{PATH}?%3CEMAIL_ADDRESS_1%3E=1&a"
    assert headers_with((("A", "1"), ("B", "2"), ("a", "3")), edits) == (("A", "1"), ("B", "<PERSON_1>"), ("a", "3"))


@pytest.mark.parametrize("name", ["DE89370400440532013000", "Anna.Kowalska", "ann@x.org", "49151234567", "J\u00fcrg"])
def test_a_name_that_might_be_somebodys_is_text(name: str) -> None:
    assert [(part.text, part.key) for part in carried_parts(f"{PATH}?{name}=1", ())] == [(f"{name}=1", "")]


@given(st.text(max_size=60), st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)), max_size=4))
def test_any_query_and_headers_can_be_read(query: str, headers: list[tuple[str, str]]) -> None:
    target = f"{PATH}?{query}"
    for part in carried_parts(target, headers):
        assert part.text
        edit = [Edit(part.place, "<A_1>")]
        again = carried_parts(target_with(target, edit), headers_with(headers, edit))
        assert [other.text for other in again if other.place.path == part.place.path] == ["<A_1>"]
    assert (target_with(target, []), headers_with(headers, [])) == (target, tuple(headers))


@pytest.mark.parametrize("body", [question("hi"), question(f"I am {SECRET}")])
async def test_values_in_query_and_headers_stay_here(body: bytes) -> None:
    stage = Stage()
    sent = arrival(body)
    sent = replace(
        sent,
        target=f"{sent.target}?user={SECRET.replace('@', '%40')}&v=1&{SECRET}=1",
        headers=(*sent.headers, ("X-User-Email", SECRET), ("X-Tier", "gold")),
    )

    await stage.run(sent)

    (outbound,) = stage.forward.sent
    assert outbound.target == f"{arrival(body).target}?user=%3CEMAIL_ADDRESS_1%3E&v=1&%3CEMAIL_ADDRESS_1%3E=1"
    assert ("X-User-Email", "<EMAIL_ADDRESS_1>") in outbound.headers
    assert ("X-Tier", "gold") in outbound.headers
    assert SECRET.encode() not in outbound.body
    assert stage.record.intents[0].findings == {"EMAIL_ADDRESS": 3 + (SECRET.encode() in body)}


@pytest.mark.parametrize("body", [question("hi"), question(f"I am {SECRET}")])
@pytest.mark.parametrize("field", ["use_case", "prompt_name", "prompt_version"])
async def test_what_the_application_says_of_its_call_is_read_before_it_is_recorded(body: bytes, field: str) -> None:
    """It stands in a leaf in clear, where nothing can be erased, and policy sees it."""
    plain, stage = Stage(), Stage()
    await plain.run(body)

    sent = replace(arrival(body), asserted=Asserted(**{field: f"for {SECRET}"}))
    await stage.run(sent)

    assert stage.record.intents[0].personal == {field}
    assert SECRET.encode() not in stage.record.intents[0].decision.document
    assert stage.forward.sent == plain.forward.sent


def test_of_what_the_application_says_plain_words_cost_nothing_and_the_subject_is_a_disclosure() -> None:
    said = Asserted(use_case="claims", prompt_name="team/triage", prompt_version="3.2.0", subject="a@b.example")
    assert carried_parts(PATH, (), said) == ()
    [part] = carried_parts(PATH, (), Asserted(prompt_name="Anna Kowalska"))
    assert (part.place.path, part.place.label) == ((SAID, 1), "header.x-sidecar-prompt-name")
