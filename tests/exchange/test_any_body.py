"""Whole exchanges over strange but legal JSON: only values change on the way out, and all of them come back."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.model import Outbound
from sidecar.plan import Surrogates
from sidecar.testing import EMAIL, ScriptedReply
from tests.dialects.spelling import LEAVES, Number, Token, tokens, write
from tests.exchange.kit import HOUSE, Stage

UNGUARDED = replace(HOUSE, surrogates=Surrogates(guard=False))
FRAGMENTS = (
    "ann@example.org", "bob@x.example", "Bob@x.example", "<EMAIL_ADDRESS_1>", "<email_address_2>", "EMAIL_ADDRESS_1",
    "<LITERAL_1>", "\\<EMAIL\\_ADDRESS_1\\>", "&lt;EMAIL_ADDRESS_1&gt;", "%3CEMAIL_ADDRESS_2%3E",
    "<EMAIL_", "ADDRESS_1", "\\u003cEMAIL_ADDRESS_1\\u003e", "\0", "\ufeff", "\r\n", " ", "\u2028", "\\", '"', "/",
    "é", "😀", "data:,", "1e400",
)  # fmt: skip
SAID = st.lists(st.sampled_from(FRAGMENTS), max_size=6).map("".join)
DATA = st.recursive(
    LEAVES | SAID, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SAID, inner, max_size=3), max_leaves=8
)
ROLES = st.sampled_from(["system", "user", "assistant", "tool", "critic"])


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """A call, strangely spelled; the JSON within its strings is, too. That is objects and lists: a JSON text which is
    a string alone counts as a document where it is redacted, and as none where it is restored (redaction/jsontext.py).
    """
    dice = Random(draw(st.integers(0, 2**32)))
    inner = [draw(DATA)]
    arguments = write([write(inner, dice)] if dice.random() < 0.5 else inner, dice)
    called = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [
        {"role": draw(ROLES), "content": draw(SAID)},
        {"role": "user", "content": [{"type": "text", "text": draw(SAID)}, {"text": "", "note": draw(DATA)}]},
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "tool_call_id": "c", "content": write([draw(DATA)], dice)},
    ]
    more = draw(st.dictionaries(SAID.map(lambda said: f"k{said}"), DATA, max_size=2))
    return write({"messages": messages, "model": "m", "metadata": draw(DATA), "user": draw(SAID), **more}, dice)


def echoed(outbound: Outbound) -> ScriptedReply:
    """The first message, and all that was sent as a tool's arguments."""
    text = outbound.body.decode()
    called = {"index": 0, "id": "c", "function": {"name": "f", "arguments": text}}
    message = {"role": "assistant", "content": json.loads(text)["messages"][0]["content"], "tool_calls": [called]}
    return ScriptedReply(chunks=[json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()])


@settings(max_examples=60)
@given(bodies())
async def test_only_values_change_and_each_comes_back(body: str) -> None:
    stage = Stage(echoed)

    await stage.run(body.encode(), UNGUARDED)

    assert stage.answer.error is None
    sent = stage.forward.sent[0].body.decode()
    before, after = list(tokens(body)), list(tokens(sent))
    assert between(body, before) == between(sent, after)
    for old, new in zip(before, after, strict=True):
        was, now = body[old.start : old.end], sent[new.start : new.end]
        assert not EMAIL.search(" ".join(texts(opened(now))))
        assert was == now or EMAIL.search(" ".join(texts(opened(was)))) or "LITERAL_" in now
    assert sent == body or "_1>" in sent
    message = json.loads(stage.answer.body)["choices"][0]["message"]
    assert message["content"] == json.loads(body)["messages"][0]["content"]
    assert opened(message["tool_calls"][0]["function"]["arguments"]) == opened(body)


def opened(text: str) -> Any:
    """The tree of a JSON text, with the trees of the JSON texts in it: how those spell a value may change."""
    return _opened(json.loads(text, parse_float=Number, parse_int=Number))


def _opened(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {"object": [[_opened(key), _opened(value)] for key, value in tree.items()]}
    if isinstance(tree, list):
        return [_opened(value) for value in tree]
    if type(tree) is str:
        try:
            return {"json": opened(tree)}
        except ValueError:
            pass
    return tree


def texts(tree: Any) -> list[str]:
    below = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [text for value in below for text in texts(value)] + ([tree] if isinstance(tree, str) else [])


def between(text: str, found: list[Token]) -> list[str]:
    """What stands between the tokens."""
    starts, ends = [token.start for token in found], [token.end for token in found]
    return [text[start:end] for start, end in zip([0, *ends], [*starts, len(text)], strict=True)]
