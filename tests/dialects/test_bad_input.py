"""Bodies that are refused: quickly, with a stable code, and without a word of what they hold."""

from __future__ import annotations

import json
import time
import tracemalloc
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.dialects import collect
from sidecar.dialects.jsontext import duplicated, load, load_inside, load_reply, spell
from sidecar.errors import CallerError, SidecarError, UpstreamError
from tests.dialects.samples import CHAT, COMPLETION, CORPUS, EMBEDDING
from tests.dialects.spelling import TREES, write

MIB = 1024 * 1024


def refused(body: bytes, endpoint: Any = CHAT) -> CallerError:
    with pytest.raises(CallerError) as caught:
        endpoint.parse(body)
    fault = caught.value
    assert fault.advice
    assert "planted" not in repr(fault.args) + fault.advice
    assert fault.__cause__ is None
    assert fault.__context__ is None, "the decoder's error holds the body"
    return fault


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "BODY_UNPARSABLE"),
        (b"planted", "BODY_UNPARSABLE"),
        (b'{"messages":[],"planted', "BODY_UNPARSABLE"),
        (b'{"messages":[]} planted', "BODY_UNPARSABLE"),
        (b'\xef\xbb\xbf{"messages":[]}', "BODY_UNPARSABLE"),
        (b'{"messages":[],"a":"\xff"}', "BODY_UNPARSABLE"),
        (b'{"messages":[],"a":"\xed\xa0\x80"}', "BODY_UNPARSABLE"),
        (b'{"messages":[],"a":"planted\n"}', "BODY_UNPARSABLE"),
        (b'{"messages":[],}', "BODY_UNPARSABLE"),
        (b"{'messages':[]}", "BODY_UNPARSABLE"),
        (b'{"messages":[]//planted\n}', "BODY_UNPARSABLE"),
        (b'{"messages":[],"n":01}', "BODY_UNPARSABLE"),
        (b"messages=planted&a=b", "BODY_UNPARSABLE"),
        ('{"messages":[]}'.encode("utf-16"), "BODY_UNPARSABLE"),
        (b"[]", "BODY_INVALID"),
        (b"null", "BODY_INVALID"),
        (b'"planted"', "BODY_INVALID"),
        (b'{"messages":[],"temperature":NaN}', "BODY_INVALID"),
        (b'{"messages":[],"temperature":Infinity}', "BODY_INVALID"),
        (b'{"messages":[],"temperature":-Infinity}', "BODY_INVALID"),
        (b'{"messages":[],"temperature":1e999}', "BODY_INVALID"),
        (b'{"messages":[],"seed":' + b"9" * 400 + b"}", "BODY_INVALID"),
        (rb'{"messages":[],"a":"planted \ud800"}', "LONE_SURROGATE"),
        (rb'{"messages":[],"a":"\udc00 planted"}', "LONE_SURROGATE"),
        (rb'{"messages":[],"a":"\ud83d\u0041 planted"}', "LONE_SURROGATE"),
        (rb'{"messages":[],"\udfff":"planted"}', "LONE_SURROGATE"),
        (b'{"messages":[],"a":' + b"[" * 65 + b"]" * 65 + b"}", "BODY_TOO_DEEP"),
        (b'{"messages":[],"a":' + b'{"a":' * 300 + b"1" + b"}" * 301, "BODY_TOO_DEEP"),
        (b'{"messages":[],"a":' + b"[" * 2000 + b"]" * 2000 + b"}", "BODY_TOO_DEEP"),
        (b'{"messages":[],"logit_bias":' + b"[" * 200 + b"]" * 200 + b"}", "BODY_TOO_DEEP"),
        (b'{"messages":[],"modalities":' + b"[" * 200 + b"]" * 200 + b"}", "BODY_TOO_DEEP"),
        (b'{"tools":[' + b'{"allowed_tools":{"tools":[' * 60 + b"]}}" * 60 + b"]}", "BODY_TOO_DEEP"),
        (b'{"messages":[],"guided_json":' + b'{"items":' * 200 + b"1" + b"}" * 201, "BODY_TOO_DEEP"),
    ],
)  # fmt: skip
def test_json_that_is_refused(body: bytes, code: str) -> None:
    fault = refused(body)
    assert (fault.code, fault.status) == (code, 400)


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b'[{"a":[', b'{"messages":[{"content":'])
def test_ten_mebibytes_of_nesting_are_refused_fast(unit: bytes) -> None:
    body = unit * (10 * MIB // len(unit))
    start = time.perf_counter()
    assert refused(body).code in ("BODY_TOO_DEEP", "BODY_TOO_LARGE")
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[],"messages":[]}',
        b'{"messages":[],"user":"planted","user":"x"}',
        rb'{"messages":[],"user":"planted","\u0075ser":"x"}',
        rb'{"messages":[{"role":"user","content":"planted","cont\u0065nt":"x"}]}',
        b'{"messages":[{"role":"user","content":"x"}],"a":{"b":[{"c":1,"c":2}]}}',
        b'{"messages":[],"":1,"":2}',
        rb'{"messages":[],"a\"":1,"a\u0022":2}',
        rb'{"messages":[],"x":"\u0022\\u0022\\\u0022","a":1,"a":1}',
        '{"messages":[],"é":1,"\\u00e9":2}'.encode(),
        b'{"messages":[],"a":{"b":1},"a":null}',
    ],
)
def test_a_key_given_twice_is_refused_wherever_it_stands(body: bytes) -> None:
    assert refused(body).code == "DUPLICATE_KEY"


@given(tree=TREES, dice=st.randoms(use_true_random=False))
@example(tree={'"': "\\u0022", "\\": '\\"\\'}, dice=Random(1))
def test_no_spelling_is_taken_for_a_duplicate(tree: Any, dice: Random) -> None:
    body = write(tree, dice).encode()
    assert not duplicated(body, orjson.loads(body))


@given(tree=st.dictionaries(st.text(max_size=5), TREES, min_size=1, max_size=4), dice=st.randoms(use_true_random=False))
def test_every_duplicate_is_seen(tree: dict[str, Any], dice: Random) -> None:
    twice = dice.choice(list(tree))
    doubled = write(tree, dice).strip()[:-1] + "," + write({twice: tree[twice]}, dice).strip()[1:]
    body = ('{"deep":[' + doubled + "]}").encode()
    with pytest.raises(CallerError) as fault:
        load(body)
    assert fault.value.code == "DUPLICATE_KEY"


WRONG = [
    {"messages": None}, {"messages": "planted"}, {"messages": {}}, {"messages": ["planted"]}, {"messages": [[]]},
    {"messages": [None]}, {"messages": [{}]}, {"messages": [{"role": 1}]}, {"messages": [{"role": None}]},
    {"messages": [{"role": "user", "content": 5}]}, {"messages": [{"role": "user", "content": {"a": 1}}]},
    {"messages": [{"role": "user", "content": [5]}]}, {"messages": [{"role": "user", "content": [[]]}]},
    {"messages": [{"role": "assistant", "tool_calls": {}}]}, {"messages": [{"role": "assistant", "tool_calls": [1]}]},
    {"messages": [{"role": "assistant", "tool_calls": [{"function": "planted"}]}]},
    {"messages": [{"role": "assistant", "function_call": "planted"}]},
    {"tools": {}}, {"tools": "planted"}, {"tools": ["planted"]}, {"functions": {"name": "f"}}, {"functions": [None]},
    {"response_format": "json"}, {"response_format": []}, {"stream_options": True}, {"stream_options": "planted"},
    {"stream": "true"}, {"stream": 1}, {"stream": []}, {"store": "true"}, {"store": 1}, {"echo": "planted"},
    {"max_tokens": "100"}, {"max_tokens": 1.5}, {"max_tokens": True}, {"max_completion_tokens": [1]}, {"n": "2"},
    {"n": 1.5}, {"temperature": "planted"}, {"temperature": True}, {"top_p": [1]}, {"logprobs": "yes"},
    {"model": 5}, {"model": ["planted"]}, {"model": "a planted model"}, {"seed": "planted"},
    {"stream_options": {"include_usage": "planted"}},
]  # fmt: skip


@pytest.mark.parametrize("fields", WRONG, ids=[json.dumps(fields) for fields in WRONG])
def test_wrong_types_are_refused(fields: dict[str, Any]) -> None:
    fault = refused(orjson.dumps({"messages": [], **fields}))
    assert (fault.code, fault.status) == ("BODY_INVALID", 400)


@pytest.mark.parametrize("value", [5, True, ["a", 1], [[1, "planted"]], [None], [[[1]]], [1, True], [[]]])
@pytest.mark.parametrize(("endpoint", "field"), [(COMPLETION, "prompt"), (EMBEDDING, "input")])
def test_inputs_of_wrong_types_are_refused(endpoint: Any, field: str, value: Any) -> None:
    assert refused(orjson.dumps({field: value}), endpoint).code == "BODY_INVALID"


def test_huge_integers_and_odd_floats_are_no_fault() -> None:
    body = b'{"messages":[],"seed":18446744073709551615,"temperature":0.70,"a":123456789012345678901234567890}'
    call = CHAT.parse(body)
    assert call.params["temperature"] == 0.7
    assert [part.text for part in call.parts] == ["a", "123456789012345678901234567890"]
    assert CHAT.edit(body, []) == body


def test_a_whole_number_counts_however_it_is_spelled() -> None:
    body = b'{"messages":[],"n":2.0,"max_tokens":50.0,"seed":-0.0}'
    call = CHAT.parse(body)
    assert (call.choices, call.max_tokens, call.params["n"]) == (2, 50, 2)
    assert all(type(value) is int for value in call.params.values())
    assert CHAT.edit(body, []) == body
    assert b'"max_tokens":20,' in CHAT.shape(body, cap_tokens=20, model=None, disable_tools=frozenset())
    for value in (b"2.5", b"9007199254740992.0", b"1e300"):
        assert refused(b'{"messages":[],"n":%s}' % value).code == "BODY_INVALID"


def test_an_integer_setting_beyond_64_bits_is_refused() -> None:
    assert refused(b'{"messages":[],"seed":18446744073709551616}').code == "BODY_INVALID"


def test_too_many_texts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MAX_PARTS", 3)
    fault = refused(orjson.dumps({"messages": [], "stop": ["a", "b", "c", "planted"]}))
    assert (fault.code, fault.status) == ("BODY_TOO_LARGE", 413)
    assert refused(orjson.dumps({"prompt": [[1]] * 4}), COMPLETION).code == "BODY_TOO_LARGE"


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MAX_NODES", 100)
    assert refused(orjson.dumps({"messages": [], "a": [1] * 101})).code == "BODY_TOO_LARGE"
    assert refused(orjson.dumps({"messages": [], "a": [[0] * 9] * 12})).code == "BODY_TOO_LARGE"


TREES_OF = {"lists": b"[],", "objects": b'{"":0},', "texts": b'"a",', "numbers": b"1.5,"}


def tree_of(unit: bytes, size: int = 40 * MIB) -> bytes:
    return b"[" + unit * (size // len(unit)) + b"0]"


@pytest.mark.parametrize("unit", TREES_OF.values(), ids=TREES_OF)
def test_a_tree_that_would_fill_the_memory_is_not_made(unit: bytes) -> None:
    """Of 64 MiB they took up to 2.3 GB."""
    tree = tree_of(unit)
    told = tree.replace(b'"', b'\\"')
    tracemalloc.start()
    try:
        assert refused(b'{"messages":[],"a":' + tree + b"}").code == "BODY_TOO_LARGE"
        with pytest.raises(CallerError, match="BODY_TOO_LARGE"):
            load_inside(tree.decode())
        with pytest.raises(ValueError, match="too many values"):
            load_reply(tree)
        assert tracemalloc.get_traced_memory()[1] < 5 * len(tree)
    finally:
        tracemalloc.stop()
    content = b'{"messages":[{"role":"tool","tool_call_id":"t","content":"' + told + b'"}]}'
    assert refused(content).code == "BODY_TOO_LARGE"


def test_a_reply_of_brackets_only_is_not_walked_to_its_end() -> None:
    """Each would be named by its place: seconds in which no other stream goes on."""
    reader = CHAT.reader(CHAT.parse(b'{"messages":[]}'), stream=False)
    reader.feed(b'{"a":[' + b"[]," * 300_000 + b"0]}")
    with pytest.raises(UpstreamError, match="UPSTREAM_INVALID"):
        reader.finish()


def test_long_texts_full_of_commas_and_brackets_are_read() -> None:
    table = "1,2,[3],{4},\\n" * MIB
    assert CHAT.parse(orjson.dumps({"messages": [{"role": "user", "content": table}]})).parts[0].text == table
    assert load_reply(orjson.dumps({"choices": [table]})) == {"choices": [table]}


def test_a_million_values_are_walked_in_time_that_grows_with_their_number() -> None:
    def cost(values: int) -> float:
        body = b'{"messages":[],"a":[' + b"1," * values + b"1]}"
        start = time.process_time()
        assert len(CHAT.parse(body).parts) == 1
        return time.process_time() - start

    assert cost(1_000_000) < 40 * min(cost(100_000) for _ in range(3))


@pytest.mark.parametrize("path", sorted((CORPUS / "bad").iterdir()), ids=lambda path: path.name)
def test_the_corpus_of_bad_bodies(path: Any) -> None:
    """A file's name begins with the code its body is refused with."""
    assert refused(path.read_bytes()).code == path.name.partition("--")[0]


@given(st.binary(max_size=80) | st.text(alphabet='{}[]",:\\u0aé1', max_size=60).map(str.encode))
def test_nothing_but_our_own_faults_comes_out_of_any_bytes(body: bytes) -> None:
    for endpoint in (CHAT, COMPLETION, EMBEDDING):
        try:
            endpoint.parse(body)
        except SidecarError as fault:
            assert fault.code.isupper()


FIELDS = st.sampled_from(
    ["messages", "tools", "functions", "response_format", "tool_choice", "stop", "model", "stream", "metadata",
     "prompt", "input", "audio", "prediction",
     "logit_bias", "web_search_options", "role", "content", "type", "function", "name",
     "arguments", "parameters", "properties", "text", "image_url", "url", "file", "tool_calls", "json_schema", "items"]
)  # fmt: skip
ODD = st.recursive(
    st.sampled_from(["user", "text", "function", "", '{"a":1}', "[", 1, 0.5, None, True, 4111111111111111]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(FIELDS, ODD, max_size=5))
def test_any_shape_is_read_or_refused(fields: dict[str, Any]) -> None:
    for endpoint in (CHAT, COMPLETION, EMBEDDING):
        try:
            endpoint.parse(orjson.dumps({"messages": [], **fields}))
        except CallerError as fault:
            assert fault.code == "BODY_INVALID"


def test_replies_may_hold_lone_surrogates() -> None:
    assert load_reply(rb'"\ud83d"') == "\ud83d"
    assert orjson.loads(spell("a")) == "a"
    assert json.loads(spell("\ud83d<")) == "\ud83d<"
    for bad in (b"{", b"", b"[" * 100_000, b"\xff"):
        with pytest.raises(ValueError, match="not JSON") as fault:
            load_reply(bad)
        assert fault.value.__context__ is None
