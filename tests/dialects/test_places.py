"""Every place where a provider would read a text: found as a part, edited alone, and labelled without the text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from sidecar.account import system_text
from sidecar.dialects.collect import DECLARED
from sidecar.dialects.openai.fields import MODEL
from sidecar.errors import CallerError
from sidecar.model import INSIDE, Edit, PlaceKind, Role
from sidecar.policy.contract import UNREADABLE
from sidecar.policy.names import PARAMETER, readable_set
from tests.dialects import shapes
from tests.dialects.samples import CHAT, COMPLETION, CORPUS, DIGITS, EMBEDDING, PLANTED, PLANTS, Plant, dialect

NEW = "<PERSON_1>"


def strings(tree: Any) -> list[str]:
    """All texts below, keys included, JSON in strings opened."""
    if isinstance(tree, dict):
        return [text for key, value in tree.items() for text in [key, *strings(value)]]
    if isinstance(tree, list):
        return [text for value in tree for text in strings(value)]
    if isinstance(tree, str):
        try:
            return strings(orjson.loads(tree)) if tree[:1] in '{["' else [tree]
        except orjson.JSONDecodeError:
            return [tree]
    return [repr(tree)]


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.name for plant in PLANTS])
def test_a_planted_text_is_found_and_edited_alone(plant: Plant) -> None:
    call = plant.dialect.parse(plant.body)
    found = [part for part in call.parts if part.text == plant.text]
    assert [part.place.label for part in found] == [plant.label]

    edited = plant.dialect.edit(plant.body, [Edit(found[0].place, NEW)])

    before, after = strings(orjson.loads(plant.body)), strings(orjson.loads(edited))
    at = after.index(NEW)
    assert len(before) == len(after)
    assert [text for i, text in enumerate(before) if i != at] == [text for i, text in enumerate(after) if i != at]
    assert b"corp.internal" not in edited
    assert DIGITS.encode() not in edited


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.name for plant in PLANTS])
def test_an_edit_that_changes_nothing_changes_no_byte(plant: Plant) -> None:
    parts = plant.dialect.parse(plant.body).parts
    assert plant.dialect.edit(plant.body, [Edit(part.place, part.text) for part in parts]) == plant.body
    assert plant.dialect.edit(plant.body, []) is plant.body


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.name for plant in PLANTS])
def test_neither_labels_nor_reprs_nor_settings_show_the_text(plant: Plant) -> None:
    call = plant.dialect.parse(plant.body)
    shown = repr((call, call.parts, call.uninspectable, call.params, call.params_unknown, call.prompt_name))
    assert "corp.internal" not in shown
    assert DIGITS not in shown


def label(name: str) -> str:
    """What the record calls a place of an SDK's body: `messages[0].name` for `chat.messages[]<AssistantMessage>.name`.
    Of what the application names itself, the field that holds it."""
    path = re.sub("<.*?>", "", name.partition(".")[2]).replace("metadata{key}", "metadata[]").replace("[]", "[0]")
    return re.split("[{:]", path.replace("metadata{}", "metadata[0]"))[0]


def test_each_place_of_the_sdks_bodies_is_known_by_its_name() -> None:
    named, refused = {}, set()
    for name, endpoint, tree in shapes.requests(PLANTED):
        body = orjson.dumps(tree)
        try:
            call = endpoint.parse(body)
        except CallerError as fault:
            refused.add(fault.code)
            assert "corp.internal" not in fault.advice
            continue
        [found] = [part for part in call.parts if part.text == PLANTED or PLANTED in part.text[:64]]
        assert "corp.internal" not in repr((call, call.parts, call.uninspectable, call.params, call.params_unknown))
        assert endpoint.edit(body, [Edit(part.place, part.text) for part in call.parts]) == body
        if name not in shapes.EXTRA_REQUESTS:
            named[label(name)] = found.place.label
    assert refused == {"BODY_INVALID"} and len(named) > 80
    assert {name: told for name, told in named.items() if not name.startswith(told)} == {}


def test_the_sdks_own_words_are_nobodys_text() -> None:
    """A detector that took one for a name (`lark`) would break the call."""
    read = {shape.name: shape.dialect.parse(orjson.dumps(shape.tree)) for shape in shapes.settings()}
    assert {name: call.params_unknown for name, call in read.items() if call.params_unknown} == {}
    texts = {name: {part.text for part in call.parts} for name, call in read.items()}
    assert {name: said for name, said in texts.items() if not said <= {"x", "k"}} == {}


def test_parts_come_declarations_first_then_the_conversation_then_the_rest() -> None:
    body = orjson.dumps(
        {
            "user": "u",
            "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "f"}},
            "zzz": "z",
            "tools": [{"type": "function", "function": {"name": "t"}}],
            "stop": "x",
        }
    )
    call = CHAT.parse(body)
    assert [part.text for part in call.parts] == ["t", "f", "s", "q", "u", "zzz", "z", "x"]
    assert call.parts[0].place.kind is PlaceKind.IDENTIFIER
    assert system_text(call) == "s"


def test_a_grown_conversation_keeps_its_prefix_of_parts() -> None:
    def parts(count: int) -> list[str]:
        messages = [{"role": "user", "content": f"m{i}"} for i in range(count)]
        return [part.text for part in CHAT.parse(orjson.dumps({"messages": messages, "tools": []})).parts]

    assert parts(5)[:3] == parts(3)


@pytest.mark.parametrize(
    ("role", "expected"),
    [("system", Role.SYSTEM), ("developer", Role.SYSTEM), ("user", Role.USER), ("assistant", Role.ASSISTANT),
     ("tool", Role.TOOL), ("function", Role.TOOL), ("critic", Role.USER)],
)  # fmt: skip
def test_roles(role: str, expected: Role) -> None:
    call = CHAT.parse(orjson.dumps({"messages": [{"role": role, "content": "x y"}]}))
    assert {part.role for part in call.parts if part.text == "x y"} == {expected}


@pytest.mark.parametrize(
    ("endpoint", "fields", "expected"),
    [
        (COMPLETION, {"prompt": [1, 2]}, [("prompt", "token_ids")]),
        (COMPLETION, {"prompt": ["a", [1, 2], [3]]}, [("prompt[1]", "token_ids"), ("prompt[2]", "token_ids")]),
        (COMPLETION, {"prompt_embeds": "AAAA" * 100}, [("prompt_embeds", "embeddings")]),
        (COMPLETION, {"prompt": {"id": "pmpt_1"}}, [("prompt", "reference")]),
        (EMBEDDING, {"input": [1]}, [("input", "token_ids")]),
        (EMBEDDING, {"input": [[1], [2]]}, [("input[0]", "token_ids"), ("input[1]", "token_ids")]),
        (CHAT, {"store": True}, [("store", "state")]),
        (CHAT, {"store": False}, []),
        (CHAT, {"previous_response_id": "resp_1"}, [("previous_response_id", "reference")]),
        (CHAT, {"conversation": "c"}, [("conversation", "state")]),
        (CHAT, {"kv_transfer_params": {"do_remote_prefill": True}}, [("kv_transfer_params", "state")]),
        (CHAT, {"input_ids": [1, 2]}, [("input_ids", "token_ids")]),
    ],
)
def test_what_cannot_be_read_is_said(endpoint: Any, fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    call = endpoint.parse(orjson.dumps({"messages": [], **fields}))
    assert [tuple(one) for one in call.uninspectable] == expected


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, "image"),
        ({"type": "image_url", "image_url": {"url": "https://x/y.png"}}, "reference"),
        ({"type": "image_url", "image_url": None, "uuid": "u"}, "reference"),
        ({"image_url": "data:image/png;base64,AAAA"}, "image"),
        ({"type": "input_audio", "input_audio": {"data": "AAAA" * 100, "format": "wav"}}, "audio"),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}}, "file"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "reference"),
        ({"type": "file", "file": {}}, "file"),
        ({"type": "video_url", "video_url": {"url": "https://x"}}, "reference"),
        ({"type": "image_embeds", "image_embeds": "AAAA" * 100}, "embeddings"),
        ({"type": "poem", "lines": 3}, "unknown"),
        ({"type": ["text"], "text": "x"}, "unknown"),
    ],
)
def test_content_parts_without_text_are_said(part: dict[str, Any], kind: str) -> None:
    call = CHAT.parse(orjson.dumps({"messages": [{"role": "user", "content": [part]}]}))
    assert [one.kind for one in call.uninspectable] == [kind]
    assert not any("AAAA" in found.text for found in call.parts)


def test_a_data_url_that_is_no_base64_is_text_too() -> None:
    part = {"type": "image_url", "image_url": {"url": f"data:text/plain,{PLANTED}"}}
    call = CHAT.parse(orjson.dumps({"messages": [{"role": "user", "content": [part]}]}))
    assert [one.kind for one in call.uninspectable] == ["unknown"]
    assert any(PLANTED in found.text for found in call.parts)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (f"{PLANTED} lives at Bahnhofstrasse 12 Berlin " * 8, "image"),
        (f"data:image/png;base64,{PLANTED} lives at Bahnhofstrasse 12", "image"),
        ("data:text/plain;base64,QW5uYSBLb3dhbHNrYQ==", "unknown"),
    ],
)
def test_a_sentence_is_no_image(url: str, kind: str) -> None:
    """Where policy lets images pass, text must not pass for one."""
    part = {"type": "image_url", "image_url": {"url": url}}
    call = CHAT.parse(orjson.dumps({"messages": [{"role": "user", "content": [part]}]}))
    assert [one.kind for one in call.uninspectable] == [kind]
    assert [found.text for found in call.parts] == ([url] if PLANTED in url else [])


def test_a_value_in_data_knows_its_key() -> None:
    data = {"password": "a b", "people": [{"born": "1980-03-04", "ids": ["x", 123456789]}]}
    text = json.dumps(data)
    messages = [{"role": "tool", "tool_call_id": "c", "content": text}, {"role": "user", "content": text}]
    call = CHAT.parse(orjson.dumps({"messages": messages, "user": "u", "metadata": {"owner": "o"}}))
    told = {part.text: part.key for part in call.parts if part.place.kind is not PlaceKind.KEY}
    assert told == {
        "c": "", "a b": "password", "1980-03-04": "born", "x": "ids", "123456789": "ids", text: "", "u": "",
        "o": "owner",
    }  # fmt: skip
    assert {part.text: part.key for part in call.parts if part.place.kind is PlaceKind.KEY}["people"] == "people"


def test_short_numbers_are_places_where_their_key_says_what_they_are() -> None:
    data = {"cvv": 123, "zipCode": 10115, "lat": 52.5200066, "count": 4711, "latency": 250, "pin": 47, "n": [{"x": 9}]}
    call = CHAT.parse(orjson.dumps({"messages": [], "metadata": data}))
    numbers = {part.key: part.text for part in call.parts if part.place.kind is PlaceKind.NUMBER}
    assert numbers == {"cvv": "123", "zipCode": "10115", "lat": "52.5200066"}


@pytest.mark.parametrize(
    ("endpoint", "fields", "choices"),
    [
        (CHAT, {"messages": []}, 1),
        (CHAT, {"messages": [], "n": 3}, 3),
        (COMPLETION, {"prompt": "a"}, 1),
        (COMPLETION, {"prompt": ["a", "b"], "n": 2}, 4),
        (COMPLETION, {"prompt": [1, 2, 3]}, 1),
        (COMPLETION, {"prompt": [[1, 2], [3]]}, 2),
    ],
)
def test_how_many_choices_a_reply_will_have(endpoint: Any, fields: dict[str, Any], choices: int) -> None:
    assert endpoint.parse(orjson.dumps(fields)).choices == choices


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_tokens": -1}, None),
        ({"max_tokens": -1, "max_completion_tokens": 5}, None),
    ],
)
def test_a_negative_limit_is_none(fields: dict[str, Any], limit: int | None) -> None:
    assert CHAT.parse(orjson.dumps({"messages": [], **fields})).max_tokens == limit


def test_settings_are_kept_apart_from_text() -> None:
    fields = {
        "temperature": 0.7, "top_p": 1, "n": 2, "seed": 123456789012, "logprobs": True, "top_logprobs": 5,
        "stream": True, "stream_options": {"include_usage": True}, "parallel_tool_calls": False,
        "service_tier": "flex", "reasoning_effort": "low", "logit_bias": {"50256": -100}, "tool_choice": "auto",
        "response_format": {"type": "json_object"}, "max_tokens": 10, "max_completion_tokens": 20, "model": "gpt-4o",
        "metadata": {"prompt_name": "triage", "prompt_version": "3"}, "top_k": None, "brand_new": 1, "Odd-Name": 1,
    }  # fmt: skip
    call = CHAT.parse(orjson.dumps({"messages": [], **fields}))
    assert dict(call.params) == {
        "temperature": 0.7, "top_p": 1, "n": 2, "seed": 123456789012, "logprobs": True, "top_logprobs": 5,
        "stream": True, "stream_options.include_usage": True, "parallel_tool_calls": False, "service_tier": "flex",
        "reasoning_effort": "low", "logit_bias": 1, "tool_choice": "auto", "response_format": "json_object",
        "max_tokens": 10, "max_completion_tokens": 20,
    }  # fmt: skip
    assert (call.model, call.stream, call.max_tokens, call.json_output) == ("gpt-4o", True, 20, True)
    assert (call.prompt_name, call.prompt_version) == ("triage", "3")
    assert call.params_unknown == ("brand_new", "[unreadable]")
    assert [part.text for part in call.parts if part.place.label == "unknown"] == ["brand_new", "Odd-Name"]


@pytest.mark.parametrize("name", ["Foo", "generationConfig", "x-y", "ä", "", "a" * 41, "top_k2", "a@example.org"])
def test_an_unknown_field_is_told_of_whatever_it_is_called(name: str) -> None:
    call = CHAT.parse(orjson.dumps({"messages": [], name: 1}))
    assert call.params_unknown == ("[unreadable]",)
    assert readable_set(call.params_unknown, PARAMETER, frozenset()) == [UNREADABLE]


def told(**fields: Any) -> tuple[list[str], tuple[str, ...]]:
    """The texts of a chat beside its one question, and its unknown fields."""
    messages = [{"role": "user", "content": "?"}, *fields.pop("more", [])]
    call = CHAT.parse(orjson.dumps({"model": "m", "messages": messages, **fields}))
    assert call.uninspectable == ()
    return [part.text for part in call.parts if part.text != "?"], call.params_unknown


def test_what_newer_sdks_send_is_known_and_closed_values_are_no_text() -> None:
    """As openai-python 3.54 types it."""
    asked: dict[str, Any] = {
        "service_tier": "fast",
        "prompt_cache_options": {"mode": "explicit", "ttl": "30m"},
        "moderation": {"model": "omni-moderation-latest", "policy": {"input": {"mode": "block"}, "output": None}},
    }
    assert told(**asked) == (["omni-moderation-latest"], ())
    asked["prompt_cache_options"]["ttl"] = asked["moderation"]["policy"]["input"]["mode"] = PLANTED
    assert told(**asked) == ([PLANTED, "omni-moderation-latest", PLANTED], ())


def test_the_routing_of_a_gateway_is_no_text_and_what_is_written_beside_it_is() -> None:
    """OpenRouter's: `Anthropic` and `max_price` were taken for a company and a person, and the call went elsewhere."""
    order = ["Anthropic", "Google Vertex", "google-vertex/europe", "deepinfra/fp8"]
    assert told(provider={"order": order, "only": "groq", "max_price": {}}) == ([], ("provider",))
    stowed = ["Anna Kowalska", "openai/anna-kowalska", {"note": "Bob"}]
    texts, _ = told(provider={"ignore": stowed, "anna": 1})
    assert texts == ["Anna Kowalska", "openai/anna-kowalska", "note", "Bob", "anna"]


def test_settings_of_other_servers_are_no_names() -> None:
    """Gemini's and vLLM's: a detector takes `google` and `xgrammar` for a company and a person."""
    thinking = {"google": {"thinking_config": {}}}
    assert told(extra_body=thinking, **thinking) == ([], ("extra_body", "google"))
    assert told(guided_decoding_backend="xgrammar") == ([], ("guided_decoding_backend",))
    assert told(guided_decoding_backend="Anna") == (["Anna"], ("guided_decoding_backend",))
    assert told(google="Anna") == (["Anna"], ("google",))


def test_the_signature_of_a_thought_stands_under_its_own_names() -> None:
    """Gemini refuses the next turn of a tool call whose `extra_content.google` came back as a surrogate."""
    extra: Any = {"google": {"thought_signature": "c2lnbmVk"}}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": extra}
    said = {"role": "assistant", "content": None, "tool_calls": [call], "extra_content": extra}
    assert told(more=[said])[0] == ["c", "f", "c2lnbmVk", "c2lnbmVk"]
    stowed = {"google": {"anna": "x"}, "bob": ["y"]}
    assert told(more=[{**said, "tool_calls": [], "extra_content": stowed}])[0] == ["anna", "x", "bob", "y"]
    assert told(more=[{**said, "tool_calls": [], "extra_content": "Anna"}])[0] == ["Anna"]


def test_offered_tools_are_named() -> None:
    tools = [
        {"type": "function", "function": {"name": "a"}},
        {"type": "custom", "custom": {"name": "b"}},
        {"type": "web_search"},
        {"type": "function", "name": "c"},
        {"type": "function"},
    ]
    call = CHAT.parse(orjson.dumps({"messages": [], "tools": tools, "functions": [{"name": "d"}]}))
    assert call.tools == ("a", "b", "web_search", "c", "d")


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema"}},
        {"guided_json": {"type": "object"}},
        {"json_schema": '{"type": "object"}'},
        {"structured_outputs": {"json": {}, "json_object": True}},
    ],
)
def test_declared_json_output_is_seen(fields: dict[str, Any]) -> None:
    assert CHAT.parse(orjson.dumps({"messages": [], **fields})).json_output
    assert not CHAT.parse(orjson.dumps({"messages": [], "response_format": {"type": "text"}})).json_output


@pytest.mark.parametrize(
    "name",
    ["gpt-4o-mini-2024-07-18", "ft:gpt-4o:org::AbC1", "meta-llama/Llama-3.1-8B", "/models/llama", "@cf/meta/llama-3",
     "claude-3-5@20240620", "~/m.gguf", "llama3.1:8b-q4_K_M", "o1"],
)  # fmt: skip
def test_model_names(name: str) -> None:
    assert MODEL.fullmatch(name)
    assert CHAT.parse(orjson.dumps({"messages": [], "model": name})).model == name


@pytest.mark.parametrize("name", ["bob@x.com", "4155551234", "Bob Smith", "", "a" * 300, "é", "m\n", 5, ["m"], {}])
def test_a_model_that_is_no_name_is_refused(name: Any) -> None:
    with pytest.raises(CallerError) as refused:
        CHAT.parse(orjson.dumps({"messages": [], "model": name}))
    assert refused.value.code == "BODY_INVALID"
    assert str(name) not in refused.value.advice or name == ""


def test_a_missing_model_is_none() -> None:
    assert dialect(kind="vllm").parse(b'{"messages":[]}').model is None


def test_json_inside_strings_stops_at_four_levels() -> None:
    def nested(levels: int) -> bytes:
        text = PLANTED
        for _ in range(levels):
            text = orjson.dumps({"a": text}).decode()
        return orjson.dumps({"messages": [{"role": "tool", "content": text}]})

    assert sum(step == INSIDE for step in CHAT.parse(nested(4)).parts[-1].place.path) == 4
    five = CHAT.parse(nested(5)).parts[-1]  # what is deeper shows everything as plain text
    assert "corp.internal" in five.text
    escaped = nested(5).replace(b"corp.internal", b"corp" + b"\\" * 32 + b"u002einternal")
    with pytest.raises(CallerError) as refused:  # unless escapes hide characters
        CHAT.parse(escaped)
    assert refused.value.code == "BODY_TOO_DEEP"


def test_deep_json_inside_a_string_is_plain_text() -> None:
    text = "[" * 90 + '"zoe@corp.internal"' + "]" * 90
    for deep in (text, "[" * 2000 + "]" * 2000):
        call = CHAT.parse(orjson.dumps({"messages": [{"role": "tool", "content": deep}]}))
        assert [part.text for part in call.parts] == [deep]


def test_duplicate_keys_inside_a_string_are_read_as_plain_text() -> None:
    text = '{"a":"zoe@corp.internal","a":"x"}'
    call = CHAT.parse(orjson.dumps({"messages": [{"role": "tool", "content": text}]}))
    assert [part.text for part in call.parts] == [text]


@pytest.mark.parametrize("path", sorted((CORPUS / "requests").iterdir()), ids=lambda path: path.name)
def test_the_corpus_of_requests(path: Path) -> None:
    """Each text is at its place: numbered texts written there are found again there, and all else is unchanged."""
    endpoint = {"embeddings": EMBEDDING, "completion": COMPLETION}.get(path.stem.partition("-")[0], CHAT)
    body = path.read_bytes()
    parts = endpoint.parse(body).parts
    assert endpoint.edit(body, [Edit(part.place, part.text) for part in parts]) == body or "double" in path.name

    numbered = endpoint.edit(body, [Edit(part.place, f"<X_{i}>") for i, part in enumerate(parts)])

    assert [part.text for part in endpoint.parse(numbered).parts] == [f"<X_{i}>" for i in range(len(parts))]


def test_a_tools_name_is_read_beside_one_key_wherever_it_stands() -> None:
    """Or it would be a surrogate in one place and itself in another, and no model could tell that they are one."""
    function = {"name": "arxiv"}
    call = {"id": "c1", "type": "function", "function": {**function, "arguments": "{}"}}
    body = {
        "tools": [{"type": "function", "function": function}, {"type": "custom", "custom": function}],
        "functions": [function],
        "tool_choice": {"type": "function", "function": function},
        "function_call": function,
        "response_format": {"type": "json_schema", "json_schema": {**function, "schema": {"type": "object"}}},
        "messages": [
            {"role": "user", "name": "anna", "content": "Hi."},
            {"role": "assistant", "tool_calls": [call], "function_call": {**function, "arguments": "{}"}},
            {"role": "tool", "name": "arxiv", "tool_call_id": "c1", "content": "Found."},
        ],
    }
    keys: dict[str, list[str]] = {}
    for part in CHAT.parse(orjson.dumps(body)).parts:
        keys.setdefault(part.text, []).append(part.key)
    assert keys["arxiv"] == [DECLARED] * 9
    assert keys["anna"] == [""]
