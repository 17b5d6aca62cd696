"""The way back: framing, errors before and inside an answer, a caller who has gone."""

from __future__ import annotations

import asyncio
import json

import openai
import pytest

from sidecar.errors import CallerError, OwnError, Refusal, SidecarError, UpstreamError
from sidecar.model import Arrival
from sidecar.proxy.accept import Limits
from sidecar.proxy.answer import OPENAI, HttpAnswer
from tests.captures import talk, until
from tests.proxy.shell import Handler, shell

CALL = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
SSE = [("Content-Type", "text/event-stream")]


def failing(error: SidecarError, *, before: tuple[object, ...] = ()) -> Handler:
    """Answers with `before` (a head, then bytes), then fails."""

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        if before:
            await answer.start(200, before[0])
            for data in before[1:]:
                await answer.write(data)
        await answer.fail(error)

    return handler


async def said(handler: Handler, call: bytes = CALL) -> bytes:
    async with shell(handler=handler) as running:
        answer = await talk(running.port, call)
        assert await running.drain.idle(1)
        return answer


def waiting(error: UpstreamError) -> UpstreamError:
    error.retry_after = "1"
    return error


@pytest.mark.parametrize(
    ("error", "status", "kind", "headers"),
    [
        (CallerError("BODY_UNPARSABLE", "Send JSON."), 400, "invalid_request_error", [b"x-should-retry: false"]),
        (Refusal("MODEL_DENIED", "Ask."), 403, "invalid_request_error", [b"x-should-retry: false"]),
        (UpstreamError("UPSTREAM_INVALID", "Look.", status=502), 502, "upstream_error", [b"x-should-retry: false"]),
        (UpstreamError("UPSTREAM_STATUS", "Look.", status=500), 500, "upstream_error", []),
        (UpstreamError("UPSTREAM_TIMEOUT", "Wait.", status=504), 504, "upstream_error", []),
        (waiting(UpstreamError("UPSTREAM_STATUS", "Wait.", status=429)), 429, "upstream_error", [b"Retry-After: 1"]),
        (OwnError("LEDGER_UNAVAILABLE", "Disk?"), 503, "server_error", [b"Retry-After: 1"]),
    ],
)
async def test_errors_as_responses(error: SidecarError, status: int, kind: str, headers: list[bytes]):
    answer = await said(failing(error))
    head, body = answer.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    told = json.loads(body)["error"]
    record = told.pop("record")
    assert told == {"message": error.advice, "type": kind, "param": None, "code": error.code}
    assert f"x-sidecar-record: {record}".encode() in head
    assert [line for line in head.split(b"\r\n") if line.startswith((b"x-should-retry", b"Retry-After"))] == headers
    assert b"Allow:" not in head


@pytest.mark.parametrize("kind", ["text/event-stream", "Text/Event-Stream; charset=utf-8"])
async def test_an_error_in_a_stream_is_its_last_event(kind: str):
    head = [("Content-Type", kind)]
    answer = await said(failing(UpstreamError("UPSTREAM_DISCONNECTED", "Gone."), before=(head, b"data: {}\n\n")))
    assert b"data: {}\n\n\r\n" in answer
    assert b'data: {"error":{"message":"Gone.","type":"upstream_error","param":null,"code":"UPSTREAM_DISC' in answer
    assert answer.endswith(b"\n\n\r\n0\r\n\r\n")


async def test_an_error_in_a_body_cuts_it_off():
    """What was promised as JSON cannot be mended: the caller must not take it for whole."""
    head = [("Content-Type", "application/json")]
    answer = await said(failing(UpstreamError("UPSTREAM_DISCONNECTED", "Gone."), before=(head, b'{"a"')))
    assert answer.endswith(b'4\r\n{"a"\r\n')


async def test_an_error_in_a_stream_of_a_known_length_cuts_it_off():
    """Its bytes were promised to the answer: an event of ours among them would be taken for the model's."""
    head = [*SSE, ("Content-Length", "500")]
    answer = await said(failing(UpstreamError("UPSTREAM_DISCONNECTED", "Gone."), before=(head, b"data: {}\n\n")))
    assert answer.endswith(b"\r\n\r\ndata: {}\n\n")


async def test_a_caller_who_has_gone_is_no_fault_of_an_answer():
    ended: list[bool] = []

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        answer.abort()
        await answer.fail(UpstreamError("UPSTREAM_DISCONNECTED", "Gone."))
        ended.append(True)

    assert await said(handler) == b""
    assert ended


async def test_an_error_in_a_compressed_stream_cuts_it_off():
    """Plain text in the middle of gzip is damage, which decoders name instead of the fault."""
    head = [*SSE, ("Content-Encoding", "gzip")]
    answer = await said(failing(UpstreamError("UPSTREAM_DISCONNECTED", "Gone."), before=(head, b"\x1f\x8b\x08")))
    assert answer.endswith(b"3\r\n\x1f\x8b\x08\r\n")


async def test_a_short_body_is_cut_off():
    """On a connection that would be kept, or the next answer would be taken for the rest of it."""

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        await answer.start(200, [("Content-Length", "9")])
        await answer.write(b"abc")
        await answer.end()

    assert (await said(handler, CALL.replace(b"Connection: close\r\n", b""))).endswith(b"abc")


async def test_a_long_body_is_cut_off():
    told: list[str] = []

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        await answer.start(200, [("Content-Length", "2")])
        with pytest.raises(OwnError) as raised:
            await answer.write(b"abc")
        told.append(raised.value.code)

    assert await said(handler) == b""
    assert told == ["INTERNAL"]


async def test_the_head_waits_for_the_first_bytes_unless_flushed():
    seen = asyncio.Event()

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        await answer.start(200, SSE)
        answer.flush()
        await seen.wait()
        await answer.end()

    async with shell(handler=handler) as running:
        talking = asyncio.ensure_future(talk(running.port, CALL))
        await until(lambda: bool(running.arrivals))
        seen.set()
        assert (await talking).endswith(b"\r\n\r\n0\r\n\r\n")


async def test_a_bug_is_a_503_that_says_nothing(caplog: pytest.LogCaptureFixture):
    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        raise RuntimeError("anna@example.org")

    answer = await said(handler)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"code":"INTERNAL"' in answer
    assert "anna" not in caplog.text + answer.decode()


async def test_a_bug_after_the_start_cuts_off():
    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        await answer.start(200, [("Content-Length", "9")])
        await answer.write(b"abc")
        raise RuntimeError

    assert (await said(handler)).endswith(b"abc")


@pytest.mark.parametrize("recorded", [True, False])
async def test_nobody_upstream_names_our_record(recorded: bool):
    """Nor speaks of the connection, or in the sidecar's name: on routes that merely pass, too, which have no record."""
    theirs = [("X-Sidecar-Record", "forged"), ("x-sidecar-other", "forged"), ("Keep-Alive", "forged"), ("X-A", "1")]

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        if not recorded:
            answer.record = None
        await answer.start(200, [*theirs, ("Content-Length", "0")])
        await answer.end()

    answer = await said(handler)
    assert b"forged" not in answer and b"X-A: 1" in answer
    assert answer.lower().count(b"x-sidecar-record: ") == recorded


async def test_the_sdk_raises_its_own_exceptions_and_does_not_try_again():
    calls = 0

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        nonlocal calls
        calls += 1
        await answer.fail(Refusal("MODEL_DENIED", "Ask who owns the policy."))

    async with (
        shell(handler=handler) as running,
        openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="k") as client,
    ):
        with pytest.raises(openai.PermissionDeniedError) as raised:
            await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert raised.value.code == "MODEL_DENIED"
    assert calls == 1


async def test_the_sdk_raises_on_an_error_in_a_stream():
    handler = failing(Refusal("REPLY_WITHHELD", "No."), before=(SSE, b'data: {"choices":[]}\n\n'))
    async with (
        shell(handler=handler) as running,
        openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="k") as client,
    ):
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        with pytest.raises(openai.APIError, match="No"):
            async for _ in stream:
                pass


def test_the_envelope():
    body = json.loads(OPENAI.body(CallerError("X", "Do this."), None))
    assert body == {"error": {"message": "Do this.", "type": "invalid_request_error", "param": None, "code": "X"}}


async def test_a_caller_who_reads_nothing_is_cut_off():
    """A half-open socket, or a stuck application: what it holds (its upstream connection, memory) is given back."""
    cut: list[type[BaseException]] = []
    written = 0

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        nonlocal written
        await answer.start(200, [("Content-Type", "application/json")])
        try:
            while True:
                written += 50_000
                await answer.write(b"x" * 50_000)
        except ConnectionError as error:
            cut.append(type(error))
            raise

    async with shell(handler=handler, limits=Limits(reading_timeout=0.3)) as running:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
            writer.write(CALL)
            while not cut:
                await asyncio.sleep(0.05)
            got = await reader.read()
        writer.close()
        assert got.count(b"x") < written, "what waited for him must be thrown away, not kept for ever"
        assert await running.drain.idle(1)
    assert cut == [ConnectionAbortedError]


async def test_a_caller_who_pauses_for_less_gets_all():
    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        await answer.start(200, [("Content-Type", "application/json")])
        for _ in range(200):
            await answer.write(b"x" * 100_000)
        await answer.end()

    async with shell(handler=handler, limits=Limits(reading_timeout=5.0)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(CALL)
        await asyncio.sleep(0.5)
        async with asyncio.timeout(10):
            got = await reader.read()
        writer.close()
    assert got.count(b"x" * 1000) >= 20_000 - 200
