"""Obligations on the body: what they name changes, every other byte stays."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.dialects import Dialect
from tests.dialects.samples import CHAT, COMPLETION, CORPUS, EMBEDDING, dialect
from tests.dialects.spelling import TREES, write

VLLM = dialect(kind="vllm")
NONE: frozenset[str] = frozenset()
MESSAGES = b'"messages":[{"role":"user","content":"caf\\u00e9"}]'


def shaped(
    body: bytes,
    endpoint: Dialect = CHAT,
    *,
    cap: int | None = None,
    model: str | None = None,
    disabled: frozenset[str] | set[str] = NONE,
) -> bytes:
    return endpoint.shape(body, cap_tokens=cap, model=model, disable_tools=frozenset(disabled))


@pytest.mark.parametrize(
    ("endpoint", "before", "after"),
    [
        (CHAT, b"{%b}", b'{"max_completion_tokens":100,%b}'),
        (VLLM, b"{%b}", b'{"max_tokens":100,%b}'),
        (COMPLETION, b"{%b}", b'{"max_tokens":100,%b}'),
        (EMBEDDING, b"{%b}", b"{%b}"),
        (CHAT, b'{"max_tokens":-1,%b}', b'{"max_tokens":100,%b}'),
        (CHAT, b'{"max_tokens":-1,"max_completion_tokens":7,%b}', b'{"max_tokens":100,"max_completion_tokens":7,%b}'),
        (CHAT, b' {\n %b, "max_tokens" : 4096 }', b' {\n %b, "max_tokens" : 100 }'),
        (CHAT, b'{%b,"max_tokens":99,"temperature":0.70}', b'{%b,"max_tokens":99,"temperature":0.70}'),
        (VLLM, b'{"max_completion_tokens":101,%b}', b'{"max_completion_tokens":100,%b}'),
        (CHAT, b'{"max_completion_tokens":50,%b,"max_tokens":500}',
         b'{"max_completion_tokens":50,%b,"max_tokens":100}'),
        (CHAT, b'{"max_completion_tokens": null,%b}', b'{"max_completion_tokens": 100,%b}'),
        (VLLM, b'{"max_completion_tokens":null,%b}', b'{"max_tokens":100,"max_completion_tokens":null,%b}'),
    ],
)
def test_a_cap_lowers_or_is_set(endpoint: Dialect, before: bytes, after: bytes) -> None:
    assert shaped(before % MESSAGES, endpoint, cap=100) == after % MESSAGES


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"model" : "gpt-4o",%b}', b'{"model" : "own/m",%b}'),
        (b'{%b,"model":null}', b'{%b,"model":"own/m"}'),
        (b"{%b}", b'{"model":"own/m",%b}'),
        (b'{%b,"model":"own/m","x":1.0}', b'{%b,"model":"own/m","x":1.0}'),
    ],
)
def test_a_model_is_routed(before: bytes, after: bytes) -> None:
    assert shaped(before % MESSAGES, model="own/m") == after % MESSAGES


A = b'{"type":"function","function":{"name":"a"}}'
B = b'{"type": "custom", "custom": {"name": "b"}}'
C = b'{"type":"web_search"}'


@pytest.mark.parametrize(
    ("disabled", "before", "after"),
    [
        ({"a"}, b'{"tools":[%(A)b, %(B)b],"n":1}', b'{"tools":[%(B)b],"n":1}'),
        ({"b"}, b'{"tools":[%(A)b, %(B)b],"n":1}', b'{"tools":[%(A)b],"n":1}'),
        ({"a", "web_search"}, b'{"tools":[ %(A)b, %(B)b ,%(C)b ]}', b'{"tools":[ %(B)b ]}'),
        ({"z"}, b'{"tools":[%(A)b , %(B)b]}', b'{"tools":[%(A)b , %(B)b]}'),
        ({"a"}, b'{"tools":[%(A)b],"n":1}', b'{"n":1}'),
        ({"a"}, b'{"n":1,"tools":[%(A)b]}', b'{"n":1}'),
        ({"a"}, b'{"x":0,"tools":[%(A)b],"tool_choice":"auto","parallel_tool_calls":true,"n":1}', b'{"x":0,"n":1}'),
        ({"a"}, b'{"tools":[%(A)b]}', b"{}"),
        ({"a"}, b'{"tools":[%(A)b,%(B)b],"tool_choice":"required"}', b'{"tools":[%(B)b],"tool_choice":"required"}'),
        ({"a"}, b'{"tools":[%(A)b,%(B)b],"tool_choice":%(A)b,"n":1}', b'{"tools":[%(B)b],"n":1}'),
        ({"a"}, b'{"tools":[%(A)b,%(B)b],"tool_choice":%(B)b}', b'{"tools":[%(B)b],"tool_choice":%(B)b}'),
        ({"a"}, b'{"functions":[{"name":"a"},{"name":"b"}],"function_call":{"name":"a"}}',
         b'{"functions":[{"name":"b"}]}'),
        ({"a"}, b'{"functions":[{"name":"a"}],"function_call":"auto","n":1}', b'{"n":1}'),
        (
            {"a"},
            b'{"tools":[%(A)b,%(B)b],"tool_choice":{"type":"allowed_tools","allowed_tools":{"tools":[%(A)b,%(B)b]}}}',
            b'{"tools":[%(B)b],"tool_choice":{"type":"allowed_tools","allowed_tools":{"tools":[%(B)b]}}}',
        ),
        (
            {"a"},
            b'{"tools":[%(A)b,%(B)b],"tool_choice":{"type":"allowed_tools","allowed_tools":{"tools":[%(A)b]}}}',
            b'{"tools":[%(B)b]}',
        ),
    ],
)  # fmt: skip
def test_tools_are_withdrawn(disabled: set[str], before: bytes, after: bytes) -> None:
    names = {b"A": A, b"B": B, b"C": C}
    assert shaped(before % names, disabled=disabled) == after % names


def test_all_at_once() -> None:
    body = b'{"model":"gpt-4o", "tools":[%b], "max_tokens":9000, "user":"u"}' % A
    left = shaped(body, cap=10, model="own", disabled={"a"})
    assert left == b'{"model":"own", "max_tokens":10, "user":"u"}'
    assert shaped(b'{"tools":[%b]}' % A, cap=10, disabled={"a"}) == b'{"max_completion_tokens":10}'


@pytest.mark.parametrize("path", sorted((CORPUS / "requests").iterdir()), ids=lambda path: path.name)
def test_without_obligations_no_byte_changes(path: Any) -> None:
    body = path.read_bytes()
    assert shaped(body) is body
    assert shaped(body, cap=10**9, disabled={"nobody"}, endpoint=EMBEDDING) is body


@given(
    rest=st.dictionaries(st.text(max_size=4), TREES, max_size=4),
    tools=st.lists(st.sampled_from("abcd"), max_size=5),
    disabled=st.frozensets(st.sampled_from("abcd")),
    cap=st.none() | st.integers(1, 100),
    limit=st.none() | st.integers(0, 200),
    dice=st.randoms(use_true_random=False),
)
def test_shaping_means_the_same_in_any_spelling(
    rest: Any, tools: list[str], disabled: frozenset[str], cap: int | None, limit: int | None, dice: Random
) -> None:
    fields = [*rest.items(), ("tools", [{"function": {"name": name}} for name in tools]), ("max_tokens", limit)]
    dice.shuffle(fields)
    spelled = write({**dict(fields), "messages": []}, dice)
    if limit is not None:  # the writer spells plain integers as JSON does
        assert json.loads(spelled)["max_tokens"] == limit
    body = spelled.encode()

    after = orjson.loads(VLLM.shape(body, cap_tokens=cap, model=None, disable_tools=disabled))

    expected = orjson.loads(body)
    left = [tool for tool in expected["tools"] if tool["function"]["name"] not in disabled]
    if left or not tools:
        expected["tools"] = left
    else:
        del expected["tools"]
    if cap is not None:
        expected["max_tokens"] = cap if limit is None else min(cap, limit)
    assert after == expected
