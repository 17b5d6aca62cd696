"""The policy input is total and content-free, whatever the call holds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from policies import generate
from sidecar.ledger.record import joined
from sidecar.model import (
    Arrival,
    Asserted,
    Call,
    Caller,
    Detector,
    Finding,
    Inspection,
    Operation,
    Part,
    Place,
    ReplyFacts,
    Role,
    Side,
    Uninspectable,
    Usage,
)
from sidecar.policy import recorded, request_document, response_document
from sidecar.policy.contract import UNREADABLE, Document

SCHEMA = Draft202012Validator(generate.schema_of(Document, "policy input"))
PLANTED = ("Ada Lovelace", "ada@example.org", "+49 151 23456789", "4915123456789", "DE89370400440532013000")
UNSAID = Asserted()
NOTHING = Inspection(findings=(), detectors=())

texts = st.text(max_size=40) | st.sampled_from(PLANTED)
words = st.one_of(texts, st.sampled_from(["gpt-4o", "lookup_order", "meta-llama/Llama-3"]))
places = st.builds(
    Place,
    path=st.tuples(st.sampled_from(["messages", "prompt"]), st.integers(0, 3)),
    label=st.just("messages[0].content"),
)
numbers = st.one_of(st.integers(), st.floats(), st.booleans(), texts)
calls = st.builds(
    Call,
    operation=st.sampled_from(Operation),
    model=st.none() | words,
    stream=st.booleans(),
    parts=st.lists(st.builds(Part, place=places, role=st.sampled_from(Role), text=texts), max_size=4).map(tuple),
    uninspectable=st.lists(st.builds(Uninspectable, label=words, kind=words), max_size=4).map(tuple),
    params=st.dictionaries(st.sampled_from(["temperature", "top_p", "n", "seed", "user"]), numbers),
    max_tokens=st.none() | st.integers(),
    tools=st.lists(words, max_size=4).map(tuple),
    json_output=st.booleans(),
    prompt_name=st.none() | words,
    prompt_version=st.none() | words,
    params_unknown=st.lists(words, max_size=3).map(tuple),
)
findings = st.builds(
    Finding,
    place=places,
    start=st.integers(0, 20),
    end=st.integers(0, 40),
    entity=st.sampled_from(["EMAIL_ADDRESS", "PERSON", "US_SSN"]),
    score=st.floats(allow_nan=True),
    detector=st.just("patterns"),
)
inspections = st.builds(
    Inspection,
    findings=st.lists(findings, max_size=4).map(tuple),
    detectors=st.just((Detector("patterns", "1"),)),
    not_looked_for=st.just(("NAME",)),
)
assertions = st.builds(
    Asserted,
    use_case=st.none() | words,
    prompt_name=st.none() | words,
    prompt_version=st.none() | words,
    subject=st.none() | texts,
    conversation=st.none() | texts,
)


def arrived(asserted: Asserted = UNSAID, at: int = 1_767_952_800_000_000) -> Arrival:
    return Arrival(
        id="01981f0e-7a3c-7000-8000-000000000001",
        at=at,
        method="POST",
        route="/v1/chat/completions",
        target="/v1/chat/completions?user=ada@example.org",
        headers=(("Authorization", "Bearer Ada Lovelace"),),
        body=b'{"user": "ada@example.org"}',
        caller=Caller(tenant="acme", app="helpdesk", user="ada@example.org", roles=("agent",), auth="api_key"),
        asserted=asserted,
    )


def document(call: Call, inspection: Inspection = NOTHING, asserted: Asserted = UNSAID) -> dict[str, Any]:
    return request_document(
        arrival=arrived(asserted), call=call, inspection=inspection, side=Side.EGRESS, provider="openai"
    )


def of_schema(value: dict[str, Any]) -> None:
    """Valid after a round trip through JSON, which has no enumerations, tuples or NaN."""
    SCHEMA.validate(json.loads(orjson.dumps(value)))


replies = st.builds(
    ReplyFacts,
    model_served=st.none() | words,
    response_id=st.none() | texts,
    finish_reasons=st.lists(words, max_size=2).map(tuple),
    usage=st.builds(Usage, input_tokens=st.none() | st.integers()),
    confidence_ppm=st.none() | st.integers(0, 10**6),
)


@settings(max_examples=80)
@given(calls, inspections, assertions)
def test_total(call: Call, inspection: Inspection, asserted: Asserted) -> None:
    of_schema(document(call, inspection, asserted))


@settings(max_examples=60)
@given(inspections, replies, st.booleans())
def test_reply_total(inspection: Inspection, facts: ReplyFacts, window: bool) -> None:
    answered = response_document(generate.example_request(), inspection=inspection, facts=facts, window=window)
    of_schema(answered)
    assert answered["phase"] == ("response_window" if window else "response")


@settings(max_examples=60)
@given(inspections, replies, st.booleans())
def test_what_is_recorded_of_a_reply_gives_its_whole_input_back(
    inspection: Inspection, facts: ReplyFacts, window: bool
) -> None:
    asked = generate.example_request()
    answered = response_document(asked, inspection=inspection, facts=facts, window=window)
    assert len(recorded(answered)) < len(orjson.dumps(answered)) - len(orjson.dumps(asked)) / 2
    assert joined(recorded(asked).decode(), recorded(answered).decode()) == orjson.dumps(answered).decode()


@pytest.mark.parametrize(
    ("asked", "added"), [(None, "{}"), ("{}", None), ("[]", "{}"), ("{}", "{"), ("{}", "1"), (3, "{}")]
)
def test_what_makes_no_policy_input_is_none(asked: Any, added: Any) -> None:
    assert joined(asked, added) is None


def everywhere(value: str) -> tuple[Call, Asserted]:
    """A call with the same value in every string that the caller writes."""
    place = Place(path=("messages", value), label="messages[0].content")
    return Call(
        operation=Operation.CHAT,
        model=value,
        parts=tuple(Part(place=place, role=role, text=value) for role in Role),
        uninspectable=(Uninspectable(value, value),),
        params={"temperature": value, "user": value, "top_p": value, "n": value},
        tools=(value, f"tool {value}"),
        prompt_name=value,
        prompt_version=value,
        params_unknown=(value,),
    ), Asserted(use_case=value, prompt_name=value, prompt_version=value, subject=value, conversation=value)


@pytest.mark.parametrize("value", PLANTED)
def test_no_planted_value_is_in_the_input(value: str) -> None:
    call, asserted = everywhere(value)
    facts = ReplyFacts(model_served=value, response_id=value, fingerprint=value, finish_reasons=(value,))
    asked = document(call, asserted=asserted)
    answered = response_document(asked, inspection=NOTHING, facts=facts, window=False)
    assert value not in json.dumps([asked, answered], ensure_ascii=False)
    assert "ada@example.org" not in json.dumps(answered)


@given(st.sampled_from(["Ada", "AdaLovelace", "x-Ada-y", "Ada_tool"]))
def test_a_name_with_a_found_value_in_it_is_unreadable(name: str) -> None:
    """Names that look like names still go when a detector found one of them somewhere in the call."""
    place = Place(path=("messages", 0), label="messages[0].content")
    value = "AdaLovelace" if name == "AdaLovelace" else "Ada"
    call = Call(
        operation=Operation.CHAT,
        model=name,
        tools=(name, "adaptive"),
        parts=(Part(place=place, role=Role.USER, text=f"I am {value}."),),
    )
    found = Finding(place=place, start=5, end=5 + len(value), entity="PERSON", score=0.9, detector="names")
    built = document(call, Inspection(findings=(found,), detectors=()))
    assert built["model"]["requested"] == UNREADABLE
    assert built["request"]["tools_offered"] == [UNREADABLE, "adaptive"]


def test_an_identifier_that_holds_a_finding_is_unreadable() -> None:
    place = Place(path=("tools", 0, "name"), label="tools[0].name")
    call = Call(
        operation=Operation.CHAT,
        model="gpt-4o",
        tools=("callAdaNow",),
        parts=(Part(place=place, role=Role.DEFINITION, text="callAdaNow"),),
    )
    found = Finding(place=place, start=4, end=7, entity="PERSON", score=0.9, detector="names")
    assert document(call, Inspection(findings=(found,), detectors=()))["request"]["tools_offered"] == [UNREADABLE]


def called(name: str, value: str, entity: str, *listed: str) -> tuple[str, list[str]]:
    """Model and tools as policy sees them, where the prompt holds `value` and the tool's name stands in the texts."""
    prompt, tool = Place(path=("messages", 0), label="messages[0].content"), Place(path=("tools", 0), label="tools[0]")
    parts = (Part(place=prompt, role=Role.USER, text=f"To {value}"), Part(place=tool, role=Role.DEFINITION, text=name))
    starts = ((part.place, part.text.find(value)) for part in parts)
    found = tuple(Finding(at, start, start + len(value), entity, 0.9, "names") for at, start in starts)
    call = Call(operation=Operation.CHAT, model=name, tools=(name,), parts=parts)
    built = request_document(
        arrival=arrived(),
        call=call,
        inspection=Inspection(findings=found, detectors=()),
        side=Side.EGRESS,
        provider="openai",
        listed=listed,
    )
    return built["model"]["requested"], built["request"]["tools_offered"]


@pytest.mark.parametrize("entity", ["ORGANIZATION", "LOCATION"])
@pytest.mark.parametrize(("name", "value"), [("openai/gpt-4o", "openai"), ("google_search", "google"), ("s", "s")])
def test_a_company_or_a_place_in_the_text_makes_no_name_unreadable(name: str, value: str, entity: str) -> None:
    assert called(name, value, entity) == (name, [UNREADABLE if "/" in name else name])


@pytest.mark.parametrize("listed", ["anthropic-x", "anthropic*", "x.anthropic"])
def test_words_of_the_operator_s_own_lists_may_be_read(listed: str) -> None:
    for name in ("anthropic", "anthropic-x", "anthropic_search"):
        assert called(name, "anthropic", "PERSON") == (UNREADABLE, [UNREADABLE])
        assert called(name, "anthropic", "PERSON", "other", listed) == (name, [name])


def test_a_list_makes_nobody_readable_but_whom_it_names() -> None:
    for listed in ("*", "anthropic*", "anthropicada", "ad*"):
        assert called("anthropic-ada", "ada", "PERSON", listed) == (UNREADABLE, [UNREADABLE])
    assert called("ada-x", "ada", "EMPLOYEE_NAME") == (UNREADABLE, [UNREADABLE]), "a type of the customer's own"


@pytest.mark.parametrize("name", ["a b", "a@b", "", "x" * 129, "tool123456789", "ä", "a\nb", "[unreadable]"])
def test_unreadable_names(name: str) -> None:
    built = document(Call(operation=Operation.CHAT, model=name, tools=(name,), params_unknown=(name,)))
    assert built["model"]["requested"] == UNREADABLE
    assert built["request"]["tools_offered"] == built["request"]["params_unknown"] == [UNREADABLE]


@pytest.mark.parametrize("name", ["gpt-4o", "meta-llama/Llama-3.1-8B", "ft:gpt-4o:org::8a", "claude-20240620"])
def test_readable_models(name: str) -> None:
    assert document(Call(operation=Operation.CHAT, model=name))["model"]["requested"] == name


def test_findings_are_grouped() -> None:
    place, other = Place(path=("a",), label="a"), Place(path=("b",), label="b")
    call = Call(
        operation=Operation.CHAT,
        model=None,
        parts=(Part(place=place, role=Role.SYSTEM, text="0123456789"), Part(place=other, role=Role.USER, text="abc")),
    )

    def one(where: Place, score: float) -> Finding:
        return Finding(place=where, start=0, end=1, entity="PERSON", score=score, detector="d")

    found = (one(place, 0.5), one(place, 0.75), one(other, float("nan")), one(other, 2.5), one(other, -1.0))
    content = document(call, Inspection(findings=found, detectors=()))["content"]
    assert content["chars"] == 13
    assert content["entities"] == [
        {"type": "PERSON", "role": "system", "count": 2, "score_ppm": 750_000},
        {"type": "PERSON", "role": "user", "count": 3, "score_ppm": 1_000_000},
    ]


def test_numbers_are_bounded() -> None:
    call = Call(
        operation=Operation.CHAT, model=None, max_tokens=4915123456789, params={"temperature": 4915123456789, "n": True}
    )
    asked = document(call)["request"]
    assert (asked["max_tokens"], asked["temperature"], asked["choices"]) == (10_000_000, None, None)


@pytest.mark.parametrize(
    ("said", "seen"), [(1, 1), (0.7, 0.7), (0.123456, 0.123), (-2, -2), (1000, None), (999.5, 999.5), (True, None)]
)
def test_a_setting_is_seen_as_it_was_said(said: float, seen: float | None) -> None:
    asked = document(Call(operation=Operation.CHAT, model=None, params={"temperature": said, "top_p": said}))["request"]
    assert (asked["temperature"], asked["top_p"]) == (seen, seen)


def test_uninspectable_is_one_line_a_kind() -> None:
    items = tuple(Uninspectable(f"messages[{n}].content[0]", "image") for n in range(1000))
    call = Call(operation=Operation.CHAT, model=None, uninspectable=(*items, Uninspectable("input[0]", "audio")))
    assert document(call)["content"]["uninspectable"] == [
        {"kind": "audio", "count": 1, "label": "input[0]"},
        {"kind": "image", "count": 1000, "label": "messages[0].content[0]"},
    ]


@given(st.integers(0, 7_000_000_000))
def test_time(seconds: int) -> None:
    utc, at = datetime.fromtimestamp(seconds, UTC), seconds * 1_000_000
    built = request_document(
        arrival=replace(arrived(), at=at),
        call=Call(operation=Operation.CHAT, model=None),
        inspection=NOTHING,
        side=Side.INBOUND,
        provider="vllm",
    )["time"]
    assert built == {"ns": at * 1000, "weekday": utc.strftime("%A"), "hour_utc": utc.hour}


def test_no_field_of_the_schema_can_hold_an_absent_value() -> None:
    """Total: in the schema every property is required and no object is open."""

    def check(node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                check(item)
        elif isinstance(node, dict):
            if "properties" in node:
                assert node["required"] == list(node["properties"])
                assert node["additionalProperties"] is False
            for value in node.values():
                check(value)

    check(SCHEMA.schema)
    assert not re.search(r'"array", "null"|"null", "array"', json.dumps(SCHEMA.schema))
