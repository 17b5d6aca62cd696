"""Digests and sizes in the record are those of the very bytes that came, were sent, came back and were answered."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sidecar.dialects.routes import match
from sidecar.errors import UpstreamError
from sidecar.ledger.facts import Intent, Outcome, State
from sidecar.ledger.fields import intent_fields, outcome_fields
from sidecar.testing import ScriptedReply, arrival, split
from tests.exchange.kit import (
    DENIED,
    MASK,
    SECRET,
    SSE,
    WHOLE,
    WINDOWED,
    Stage,
    completion,
    events,
    obliged,
    question,
    said,
)

BROKEN = UpstreamError("UPSTREAM_DISCONNECTED", "-")
GZIP = ("Content-Encoding", "gzip")
TEXT = "I am bob@corp.internal, " + "and so on " * 12 + "<EMAIL_ADDRESS_1>"
PASS: dict[str, Any] = {"type": "release", "id": "pass", "params": {"mode": "pass"}}
CAP: dict[str, Any] = {"type": "cap_tokens", "id": "cap", "params": {"max": 7}}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def told(intent: Intent) -> tuple[int, int, dict[str, str]]:
    """Sizes and digests as an entry has them."""
    draft = intent_fields(intent)
    return draft.fields["request_bytes"], draft.fields["outbound_bytes"], draft.disclosed["sha256"]


def told_of(outcome: Outcome) -> tuple[int, int, dict[str, str]]:
    draft = outcome_fields(outcome)
    return draft.fields["reply_bytes"], draft.fields["answer_bytes"], draft.disclosed.get("sha256", {})


def asked(text: str, *, coded: bool = False, **more: Any) -> tuple[bytes, dict[str, str]]:
    body = question(text, **more)
    return (gzip.compress(body, mtime=0), dict([GZIP])) if coded else (body, {})


REQUESTS = {
    "nothing found": (asked("hi"), {}),
    "a value": (asked(f"I am {SECRET}"), {}),
    "coded, nothing found": (asked("hi", coded=True), {}),
    "coded, a value": (asked(f"I am {SECRET}", coded=True), {}),
    "shaped": (asked("hi"), {"request": obliged(CAP)}),
}


@pytest.mark.parametrize(("sent", "answers"), REQUESTS.values(), ids=REQUESTS)
async def test_of_what_came_and_of_what_was_sent(sent: tuple[bytes, dict[str, str]], answers: dict[str, Any]) -> None:
    """Guarantee 2."""
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]), answers=answers)

    await stage.run(arrival(sent[0], headers=sent[1]))

    came, [went] = sent[0], [outbound.body for outbound in stage.forward.sent]
    request_bytes, outbound_bytes, digests = told(stage.record.intents[0])
    assert (request_bytes, outbound_bytes) == (len(came), len(went))
    assert (digests["request"], digests["outbound"]) == (digest(came), digest(went))


async def test_of_a_call_that_was_not_sent() -> None:
    stage, body = Stage(answers={"request": DENIED}), question(f"I am {SECRET}")

    await stage.run(body)

    assert stage.forward.sent == []
    assert told(stage.record.intents[0]) == (len(body), 0, {"request": digest(body)})
    assert told_of(stage.record.outcomes[0]) == (0, 0, {})


@pytest.mark.parametrize("release", [PASS, WHOLE, WINDOWED], ids=["pass", "whole", "windows"])
@pytest.mark.parametrize("coded", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
@pytest.mark.parametrize("text", ["hi", f"I am {SECRET}"], ids=["nothing found", "a value"])
async def test_of_what_came_back_and_of_what_was_answered(
    release: dict[str, Any], coded: bool, stream: bool, text: str
) -> None:
    """Restored, masked, still coded or as it came: however the answer is made."""
    whole = events(TEXT) if stream else completion(TEXT)
    headers = SSE if stream else (("Content-Type", "application/json"),)
    if coded:
        whole, headers = gzip.compress(whole, mtime=0), (*headers, GZIP)
    judged = {"response": MASK, "response_window": MASK}
    for chunks in split(whole):
        answers = {"request": obliged(release), **judged}
        pieces = list(chunks)
        stage = Stage(lambda _, pieces=pieces: ScriptedReply(headers=headers, chunks=pieces), answers=answers)

        await stage.run(question(text, stream=stream))

        assert stage.answer.error is None
        [outcome] = stage.record.outcomes
        assert outcome.state is State.ANSWERED
        reply_bytes, answer_bytes, digests = told_of(outcome)
        assert (reply_bytes, answer_bytes) == (len(whole), len(stage.answer.body))
        assert digests == {"reply": digest(whole), "answer": digest(stage.answer.body)}
        is_coded = GZIP in stage.answer.headers
        assert is_coded == (coded and release is PASS and text == "hi")
        answer = gzip.decompress(stage.answer.body) if is_coded else stage.answer.body
        read = said(answer) if stream else orjson.loads(answer)["choices"][0]["message"]["content"]
        assert ("bob@corp.internal" in read, "<EMAIL_ADDRESS>" in read) == (release is PASS, release is not PASS)
        assert (SECRET in read) == (SECRET in text)


@pytest.mark.parametrize("text", ["hi", f"I am {SECRET}"], ids=["nothing found", "a value"])
async def test_of_an_answer_whose_end_was_kept_back(text: str) -> None:
    """The upstream broke behind the model's last word: that word waited for the outcome, and never left."""
    half = events("hello there").removesuffix(b"data: [DONE]\n\n")
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=[half, BROKEN]))

    await stage.run(question(text, stream=True))

    assert stage.answer.error is BROKEN
    assert b'"stop"' in half and b'"stop"' not in stage.answer.body
    expected = {"reply": digest(half), "answer": digest(stage.answer.body)}
    assert told_of(stage.record.outcomes[0]) == (len(half), len(stage.answer.body), expected)


async def test_of_an_answer_that_its_caller_did_not_wait_for() -> None:
    half = events("hello there")[:400]
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=[half, asyncio.CancelledError()]))

    with pytest.raises(asyncio.CancelledError):
        await stage.run(question("hi", stream=True))

    [outcome] = stage.record.outcomes
    assert told_of(outcome) == (
        len(half), len(stage.answer.body), {"reply": digest(half), "answer": digest(stage.answer.body)},
    )  # fmt: skip


async def test_of_embeddings() -> None:
    """Their numbers go by unread; the policy is not asked about them, and nothing says that it was."""
    dialect = match("openai", "POST", "/v1/embeddings").dialect
    reply = b'{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[0.25,-1e-3]}]}'
    stage = Stage(lambda _: ScriptedReply(chunks=[reply]))
    sent = replace(arrival(b'{"model":"m","input":"hi"}'), route="/v1/embeddings", target="/v1/embeddings")

    await stage.run(sent, dialect=dialect)

    [outcome] = stage.record.outcomes
    assert told_of(outcome) == (len(reply), len(reply), {"reply": digest(reply), "answer": digest(reply)})
    assert [step for step in stage.steps if step.startswith("decide")] == ["decide request"]
    assert outcome.decision is None
