"""What goes on to the model server besides a body, and what is recorded of a call: heads, tools, queries, facts."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sidecar.deadline import EACH
from sidecar.errors import CallerError
from sidecar.model import Asserted, Caller, Finding, Inspection, Part, PlaceKind
from sidecar.testing import FakeInspect, ScriptedReply, arrival
from sidecar.wire import opened
from tests.exchange.kit import DIALECT, HOUSE, SECRET, Stage, completion, obliged, question

NAMES = ("Content-MD5", "DIGEST", "content-digest", "Repr-Digest", "ETag")
ABOUT_BYTES = tuple((name, "x") for name in NAMES)


async def governed(stage: Stage, body: bytes, headers: dict[str, str], **more: Any) -> None:
    call = replace(arrival(body, headers=headers), **more)
    await stage.run(call)


def fields(stage: Stage) -> list[tuple[str, str]]:
    [outbound] = stage.forward.sent
    return [(name.lower(), value) for name, value in outbound.headers]


@pytest.mark.parametrize(
    ("accepts", "asked"),
    [
        ("gzip", "gzip"),
        ("br, gzip;q=0.5, zstd", "gzip;q=0.5"),
        ("br", "identity"),
        ("*", "identity"),
        ("GZIP , deflate", "GZIP , deflate"),
        ("gzip ;q=0.5, br", "gzip ;q=0.5"),
    ],
)
async def test_no_coding_is_asked_for_that_cannot_be_read_here(accepts: str, asked: str) -> None:
    """Else the reply could be neither judged nor recorded."""
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]))
    await governed(stage, question("hi"), {"ACCEPT-Encoding": accepts})
    assert [value for name, value in fields(stage) if name == "accept-encoding"] == [asked]


async def test_who_wishes_no_coding_wishes_none() -> None:
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]))
    await governed(stage, question("hi"), {})
    assert "accept-encoding" not in dict(fields(stage))


async def test_where_the_body_changes_no_header_speaks_of_the_old_one() -> None:
    """However it is spelled; and the reply, in which values come back, is asked for as it is."""
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]))
    body = gzip.compress(question(f"I am {SECRET}"))
    headers = {**dict(ABOUT_BYTES), "CONTENT-LENGTH": str(len(body)), "content-ENCODING": "gzip"}
    await governed(stage, body, {**headers, "Accept-Encoding": "br, gzip", "X-Odd": "stays"})
    assert fields(stage) == [("content-type", "application/json"), ("x-odd", "stays"), ("accept-encoding", "identity")]
    assert orjson.loads(stage.forward.sent[0].body)["messages"][0]["content"] == "I am <EMAIL_ADDRESS_1>"


async def test_where_the_body_stays_so_do_the_headers_that_speak_of_it() -> None:
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]))
    body = gzip.compress(question("hi"))
    await governed(stage, body, {**dict(ABOUT_BYTES), "Content-Encoding": "gzip"})
    assert stage.forward.sent[0].body == body
    assert {name.lower() for name in (*NAMES, "content-encoding")} <= dict(fields(stage)).keys()


@pytest.mark.parametrize(("text", "stay"), [("hi", True), (f"I am {SECRET}", False)])
async def test_the_same_for_a_reply(text: str, stay: bool) -> None:
    headers = (("Content-Type", "application/json"), ("CONTENT-length", "7"), ("X-Odd", "stays"), *ABOUT_BYTES)
    stage = Stage(lambda _: ScriptedReply(headers=headers, chunks=[completion("<EMAIL_ADDRESS_1>")]))
    await governed(stage, question(text), {})
    got = [name.lower() for name, _ in stage.answer.headers]
    assert {name.lower() for name in NAMES} & set(got) == ({name.lower() for name in NAMES} if stay else set())
    assert (got.count("content-length"), got.count("x-odd")) == (1, 1)
    assert ("Content-Length", str(len(stage.answer.body))) in stage.answer.headers


@pytest.mark.parametrize(("status", "told"), [(499, 499), (500, 502), (501, 502)])
async def test_from_500_on_what_cannot_be_read_is_a_bad_gateway(status: int, told: int) -> None:
    headers = (("Content-Type", "text/html"),)
    stage = Stage(lambda _: ScriptedReply(status=status, headers=headers, chunks=[b"<html>"]))
    await governed(stage, question("hi"), {})
    assert stage.answer.error is not None and stage.answer.error.status == told


class Anna(FakeInspect):
    """Finds Anna, too, more surely each time."""

    async def inspect(self, parts: Sequence[Part], caller: Caller | None = None) -> Inspection:
        found = await super().inspect(parts, caller)
        spans = [(part.place, part.text.find("anna")) for part in parts]
        where = [(place, at) for place, at in spans if at >= 0]
        people = [Finding(place, at, at + 4, "PERSON", 0.5 + n / 4, "fake") for n, (place, at) in enumerate(where)]
        return replace(found, findings=(*found.findings, *people))


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {}}}


@pytest.mark.parametrize("names", [["ask_anna"], ["ask_anna", "other"]])
async def test_a_tool_is_taken_away_by_its_own_name_where_the_name_is_redacted(names: list[str]) -> None:
    duty = {"type": "disable_tools", "id": "t", "params": {"names": ["ask_anna"]}}
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]), answers={"request": obliged(duty)})
    stage.ports = replace(stage.ports, inspect=Anna(stage.transcript))

    await governed(stage, question("hi", tools=[tool(name) for name in names]), {})

    body = orjson.loads(stage.forward.sent[0].body)
    assert [each["function"]["name"] for each in body.get("tools", [])] == names[1:]
    kinds = {part.place.kind for part in DIALECT.parse(question("hi", tools=[tool("a")])).parts}
    assert PlaceKind.IDENTIFIER in kinds


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("?who=ann%40example.org&v=1", "?who=%3CEMAIL_ADDRESS_1%3E&v=1"),
        ("?ann@example.org", "?%3CEMAIL_ADDRESS_1%3E"),
        ("?see=a/b+ann@example.org%2Fc", "?see=a%2Fb%20%3CEMAIL_ADDRESS_1%3E%2Fc"),
        ("?api-key=ann@example.org", "?api-key=ann@example.org"),
        ("?ann@example.org-token", "?%3CEMAIL_ADDRESS_1%3E"),
        ("?a=1&&b", "?a=1&&b"),
    ],
)
async def test_a_query_is_put_together_as_it_was(query: str, sent: str) -> None:
    """A parameter that is nothing but its name is text; a key under a key's name is the model server's."""
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]))
    path = "/v1/chat/completions"
    await governed(stage, question("hi"), {}, target=path + query)
    assert stage.forward.sent[0].target == path + sent


async def test_what_is_recorded_of_a_call() -> None:
    """Facts that nobody can look up later: what was looked for, where nobody could look, what was left as it was."""
    image = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
    content = [{"type": "text", "text": f"I am {SECRET}, anna"}, image]
    messages = [{"role": "system", "content": "anna"}, {"role": "user", "content": content}]
    duty = {"type": "redact", "id": "r", "params": {"entities": ["EMAIL_ADDRESS"], "mode": "surrogate"}}
    answers = {"request": {**obliged(), "obligations": [duty]}}
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]), answers=answers)
    stage.ports = replace(stage.ports, inspect=Anna(stage.transcript))

    body = orjson.dumps({"model": "m", "messages": messages, "metadata": {"prompt_name": "b", "prompt_version": "2"}})
    await governed(stage, body, {}, asserted=Asserted(prompt_name="greet", prompt_version="3"))

    [intent] = stage.record.intents
    assert intent.not_looked_for == ("PERSON",)
    assert [each.name for each in intent.detectors] == ["fake"]
    assert [place.kind for place in intent.uninspectable] == ["reference"]
    assert intent.findings == {"EMAIL_ADDRESS": 1, "PERSON": 2}
    assert intent.findings_by_role == {"system": {"PERSON": 1}, "user": {"EMAIL_ADDRESS": 1, "PERSON": 1}}
    assert intent.detector_scores == {"fake": {"EMAIL_ADDRESS": (1, 1_000_000), "PERSON": (2, 500_000)}}
    assert intent.redactions == {"EMAIL_ADDRESS": 1}
    assert (intent.prompt_name, intent.prompt_version, intent.prompt_source) == ("greet", "3", "header")


SYSTEM = hashlib.sha256(b"Be brief.\nBe kind.").digest()


@pytest.mark.parametrize(
    ("said", "metadata", "system", "told"),
    [
        ("3", "2", ["Be brief.", "Be kind."], ("3", "header", SYSTEM)),
        (None, "2", ["Be brief.", "Be kind."], ("2", "metadata", SYSTEM)),
        (None, None, ["Be brief.", "Be kind."], (f"sha256:{SYSTEM.hex()[:16]}", "system_digest", SYSTEM)),
        (None, None, [], (None, "none", None)),
    ],
)
async def test_where_the_prompt_s_version_comes_from(
    said: str | None, metadata: str | None, system: list[str], told: tuple[Any, ...]
) -> None:
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]))
    messages = [{"role": "system", "content": text} for text in system] + [{"role": "user", "content": "hi"}]
    body = {"model": "m", "messages": messages, "metadata": {"prompt_version": metadata} if metadata else {}}
    await governed(stage, orjson.dumps(body), {}, asserted=Asserted(prompt_version=said))
    [intent] = stage.record.intents
    assert (intent.prompt_version, intent.prompt_source, intent.prompt_sha256) == told


@pytest.mark.parametrize("spare", [0, -1])
async def test_an_opened_body_has_the_limit_of_one_that_came_open(spare: int) -> None:
    """Exactly the limit is not beyond it; whatever is, is too large, and not damaged."""
    body = question("hi" * 500)
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]))
    call = arrival(gzip.compress(body), headers={"Content-Encoding": "gzip"})
    await stage.run(call, replace(HOUSE, body_limit=len(body) + spare))
    code = None if stage.answer.error is None else stage.answer.error.code
    assert (code, len(stage.forward.sent)) == ((None, 1) if spare == 0 else ("BODY_TOO_LARGE", 0))


@pytest.mark.parametrize("spare", [0, -1])
async def test_more_text_than_detection_may_read_is_refused_unread(spare: int) -> None:
    """It would keep a detector for minutes, and its caller, who is told what to do about it."""
    stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]))
    limit = len("hi" * 500) + EACH + spare
    await stage.run(question("hi" * 500), replace(HOUSE, text_limit=limit))
    if spare == 0:
        assert (stage.answer.error, len(stage.forward.sent)) == (None, 1)
    else:
        assert stage.answer.error is not None and "limits.text" in stage.answer.error.advice
        assert stage.steps == ["open", "close refused", "fail BODY_TOO_LARGE"]


@pytest.mark.parametrize("spare", [0, -1])
async def test_an_opened_reply_has_a_limit(spare: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = completion("x" * 1000)
    monkeypatch.setattr("sidecar.wire.BODY_LIMIT", len(whole) + spare)
    headers = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    stage = Stage(lambda _: ScriptedReply(headers=headers, chunks=[gzip.compress(whole)]))
    await governed(stage, question("hi"), {})
    code = None if stage.answer.error is None else stage.answer.error.code
    assert code == (None if spare == 0 else "UPSTREAM_INVALID")


def bare(body: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(body) + deflater.flush()


def members(body: bytes) -> bytes:
    return b"".join(gzip.compress(body[at : at + 7], mtime=0) for at in range(0, len(body), 7))


CODINGS = [("gzip", gzip.compress), ("gzip", members), ("deflate", zlib.compress), ("deflate", bare)]


@pytest.mark.parametrize(("coding", "coded"), CODINGS, ids=["gzip", "members", "zlib", "bare"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
async def test_each_form_of_gzip_and_deflate_is_read_both_ways(
    coding: str, coded: Callable[[bytes], bytes], size: int
) -> None:
    """gzip may have many members (RFC 1952 2.2), and what calls itself deflate may lack zlib's frame."""
    whole = coded(completion("Dear <EMAIL_ADDRESS_1>, " + "hello" * 9))
    headers = (("Content-Type", "application/json"), ("Content-Encoding", coding))
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    stage = Stage(lambda _: ScriptedReply(headers=headers, chunks=chunks))
    call = arrival(coded(question(f"I am {SECRET}")), headers={"Content-Encoding": coding})
    await stage.run(call)
    assert stage.answer.error is None
    assert SECRET.encode() not in stage.forward.sent[0].body
    assert b"<EMAIL_ADDRESS_1>" in stage.forward.sent[0].body
    assert f"Dear {SECRET}, hello" in stage.answer.body.decode()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more"),
        ("gzip", gzip.compress(b"{}", mtime=0) + gzip.compress(b"{}", mtime=0)[:-1]),
        ("gzip", bare(b"{}")),
        ("deflate", zlib.compress(b"{}") + zlib.compress(b"{}")),
        ("deflate", bare(b"{}") + bare(b"{}")),
        ("deflate", bare(b"{}")[:-1]),
        ("gzip", b"\x1f"),
        ("gzip", b""),
    ],
)
def test_what_is_cut_off_or_goes_on_as_something_else_is_damaged(coding: str, body: bytes) -> None:
    with pytest.raises(CallerError, match="BODY_UNPARSABLE"):
        opened(body, coding, 1 << 20)


def test_members_that_hold_nothing_count_too() -> None:
    """Each costs an inflater: a body of 5 MB would hold a quarter of a million."""
    empty = gzip.compress(b"")
    assert opened(empty * (1 << 10), "gzip", 1 << 20) == b""
    with pytest.raises(CallerError, match="BODY_TOO_LARGE"):
        opened(empty * (2 << 10), "gzip", 1 << 20)


def test_a_body_that_swells_takes_no_more_memory_than_its_limit() -> None:
    """A bomb is refused while it is opened, not afterwards."""
    half = gzip.compress(bytes(512 << 10))
    for bomb in (gzip.compress(bytes(64 << 20)), half * 128, bare(bytes(64 << 20))):
        swells(bomb, "gzip" if bomb[:2] == half[:2] else "deflate")


def swells(bomb: bytes, coding: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(CallerError, match="BODY_TOO_LARGE"):
            opened(bomb, coding, 1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
