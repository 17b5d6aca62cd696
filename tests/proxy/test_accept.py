"""What the shell refuses by itself: our JSON, a stable code, a record, `x-should-retry: false`; never a hang."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time

import pytest

from sidecar.errors import CallerError
from sidecar.model import Arrival, Asserted, Caller
from sidecar.proxy.accept import Limits, asserted_by
from sidecar.proxy.answer import HttpAnswer
from sidecar.proxy.app import BEHIND, Line
from sidecar.proxy.ids import uuid7
from tests.captures import OK, RawServer, Wire, answering, connect, talk, until
from tests.proxy.shell import Ones, Shell, Ticks, shell

PATH = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"


def body_of(answer: bytes) -> dict[str, object]:
    error = json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]
    assert set(error) == {"message", "type", "param", "code", "record"}
    return error


def checked(answer: bytes, status: int, code: str, running: Shell) -> None:
    """Status, envelope, advice to the SDK, and the id of a record that was written."""
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert body_of(answer)["code"] == code
    assert b"x-should-retry: false\r\n" in answer
    assert b"Content-Type: application/json\r\n" in answer
    arrival, error = running.refused[-1]
    assert error.code == code
    assert b"x-sidecar-record: " + arrival.id.encode() + b"\r\n" in answer


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"POST /v1/unknown HTTP/1.1\r\nHost: a\r\n\r\n", 404, "ROUTE_UNKNOWN"),
        (b"POST /v1/chat/completions/ HTTP/1.1\r\nHost: a\r\n\r\n", 404, "ROUTE_UNKNOWN"),
        (b"POST /v1/../v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\n", 404, "ROUTE_UNKNOWN"),
        (b"POST //v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\n", 404, "ROUTE_UNKNOWN"),
        (b"POST /v1/chat%2fcompletions HTTP/1.1\r\nHost: a\r\n\r\n", 404, "ROUTE_UNKNOWN"),
        (b"POST /v1/chat/completions#f HTTP/1.1\r\nHost: a\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"POST /v1/chat/completions?a=\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"POST /v1/chat/completions?a=b c HTTP/1.1\r\nHost: a\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"POST /v1/chat/completions?a=\x01b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"POST /v1/chat/completions?a=\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"POST /v1/chat/completions?a=\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"POST /v1/chat/completions?a=\rb HTTP/1.1\r\nHost: a\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"GET /v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
        (PATH + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, "PROTOCOL_ERROR"),
        (PATH + b"Content-Length: 3, 4\r\n\r\nabcd", 400, "PROTOCOL_ERROR"),
        (PATH + b"Content-Length: -1\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (PATH + b"Content-Length: 0x3\r\n\r\nabc", 400, "PROTOCOL_ERROR"),
        (PATH + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (PATH + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (PATH + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "PROTOCOL_ERROR"),
        (PATH + b"X : 1\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (PATH + b"X: a\x00b\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (PATH + b" folded\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"POST /v1/chat/completions HTTP/1.1\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"hello\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (PATH + b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431, "PROTOCOL_ERROR"),
        (b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431, "PROTOCOL_ERROR"),
        (PATH + b"X: 1\r\n" * 200 + b"\r\n", 400, "PROTOCOL_ERROR"),
        (b"CONNECT api.example.org:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (b"BREW /v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\n", 400, "PROTOCOL_ERROR"),
        (
            b"GET /v1/realtime HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            404,
            "ROUTE_UNKNOWN",
        ),
        (PATH + b"Expect: a-miracle\r\nContent-Length: 2\r\n\r\n", 417, "PROTOCOL_ERROR"),
        (PATH + b"Content-Length: 99999999999\r\n\r\n", 413, "BODY_TOO_LARGE"),
        (PATH + b"Content-Length: 1025\r\nExpect: 100-continue\r\n\r\n", 413, "BODY_TOO_LARGE"),
        (PATH + b"Transfer-Encoding: chunked\r\n\r\n401\r\n" + b"x" * 1025 + b"\r\n0\r\n\r\n", 413, "BODY_TOO_LARGE"),
        (PATH + b"x-sidecar-unknown: 1\r\nContent-Length: 0\r\n\r\n", 400, "HEADER_INVALID"),
        (PATH + b"x-sidecar-subject: a\r\nX-Sidecar-Subject: b\r\nContent-Length: 0\r\n\r\n", 400, "HEADER_INVALID"),
        (PATH + b"x-sidecar-subject: " + b"a" * 257 + b"\r\nContent-Length: 0\r\n\r\n", 400, "HEADER_INVALID"),
        (PATH + b"x-sidecar-subject:\r\nContent-Length: 0\r\n\r\n", 400, "HEADER_INVALID"),
        (PATH + b"x-sidecar-subject: \xff\r\nContent-Length: 0\r\n\r\n", 400, "HEADER_INVALID"),
    ],
)
async def test_refusals(sent: bytes, status: int, code: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    async with RawServer(answering(OK)) as up, shell(up.url, limits=Limits(body=1024, lingering=0.1)) as running:
        answer = await asyncio.wait_for(talk(running.port, sent), 5)
        checked(answer, status, code, running)
        assert not running.arrivals
        assert running.drain.in_flight == 0
    assert not up.wires, "nothing may reach the upstream"
    assert "Traceback" not in caplog.text
    if status == 405:
        assert b"\r\nAllow: POST\r\n" in answer


async def test_lines_and_headers_within_their_limits_pass():
    """Which are more than aiohttp's own."""
    limits = Limits()
    head = b"POST /v1/chat/completions?a=" + b"a" * (limits.line - 100) + b" HTTP/1.1\r\nHost: a\r\n"
    long = b"X-Long: " + b"a" * (limits.header - 100) + b"\r\n"
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        answer = await talk(running.port, head + long + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_what_is_not_http_is_counted():
    async with shell() as running:
        await talk(running.port, b"hello\r\n\r\n")
        assert running.metric("protocol_errors_total", code="PROTOCOL_ERROR") == 1


async def test_a_chunk_that_breaks_after_a_good_one():
    """aiohttp alone would leave the handler waiting for the rest of the body."""
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(PATH + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.05)
        await wire.send(b"zz\r\n")
        checked(await asyncio.wait_for(wire.rest(), 2), 400, "PROTOCOL_ERROR", running)
        wire.close()
    assert not up.wires


@pytest.mark.parametrize("drip", [b"", b"x"])
async def test_a_slow_body(drip: bytes):
    """Sent not at all, or drop by drop: neither holds a handler for long."""
    async with shell(limits=Limits(body_timeout=0.3, lingering=0.1)) as running:
        wire = await connect(running.port)
        start = time.perf_counter()
        await wire.send(PATH + b"Content-Length: 100\r\n\r\n")
        reading = asyncio.ensure_future(wire.rest())
        while drip and not reading.done() and time.perf_counter() - start < 3:
            await asyncio.sleep(0.05)
            if not wire.received:
                await wire.send(drip)
        checked(await reading, 408, "BODY_TIMEOUT", running)
        assert 0.25 < time.perf_counter() - start < 2
        wire.close()


async def test_a_slow_body_that_is_passed_on():
    async def play(wire: Wire) -> None:
        await wire.rest()

    async with RawServer(play) as up, shell(up.url, limits=Limits(body_timeout=0.3, lingering=0.1)) as running:
        wire = await connect(running.port)
        await wire.send(b"POST /v1/models HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
        reading = asyncio.ensure_future(wire.rest())
        for _ in range(60):
            await asyncio.sleep(0.05)
            if reading.done():
                break
            await wire.send(b"x")
        assert reading.done() and reading.result().startswith(b"HTTP/1.1 408 ")
        wire.close()


async def test_a_long_body_may_take_its_time():
    limits = Limits(body_timeout=0.2, body_rate=1000)
    async with RawServer(answering(OK)) as up, shell(up.url, limits=limits) as running:
        wire = await connect(running.port)
        await wire.send(PATH + b"Content-Length: 1000\r\n\r\n")
        for _ in range(10):
            await wire.send(b"x" * 100)
            await asyncio.sleep(0.05)
        assert (await wire.message()).startswith(b"HTTP/1.1 200 ")
        wire.close()


async def test_a_head_that_never_ends_is_hung_up_on():
    async with shell(limits=Limits(keepalive=0.3)) as running:
        wire = await connect(running.port)
        await wire.send(PATH + b"X: half")
        assert await asyncio.wait_for(wire.rest(), 3) == b""
        wire.close()


async def test_an_upgrade_is_not_offered_further():
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(PATH + b"Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\n{}")
        assert (await wire.message()).startswith(b"HTTP/1.1 200 ")
        wire.close()
    assert b"pgrade" not in up.wires[0].received


async def test_a_body_that_breaks_off_is_an_abort():
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(PATH + b"Content-Length: 100\r\n\r\nabc")
        await asyncio.sleep(0.05)
        wire.close()
        assert await running.drain.idle(2)
        assert running.metric("aborts_total") == 1
    assert not up.wires


async def test_expect_100_continue():
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(PATH + b"Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n")
        start = await wire.until(b"HTTP/1.1 100 Continue\r\n\r\n")
        await wire.send(b"abc")
        assert (await wire.message(start)).startswith(b"HTTP/1.1 200 OK\r\n")
        wire.close()
    assert bytes(up.wires[0].received).endswith(b"\r\n\r\nabc")
    assert b"xpect" not in up.wires[0].received


async def test_an_old_client_expects_nothing():
    """RFC 9110 10.1.1: it could not tell the interim answer from its own."""
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        sent = PATH.replace(b"1.1", b"1.0") + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        wire = await connect(running.port)
        await wire.send(sent)
        await until(lambda: running.drain.in_flight == 1)
        await asyncio.sleep(0.05)
        await wire.send(b"abc")
        assert (await wire.rest()).startswith(b"HTTP/1.1 200 OK\r\n")
        wire.close()


@pytest.mark.parametrize("limits", [Limits(), Limits(body=3)])
async def test_a_body_of_the_largest_size_passes(limits: Limits):
    """Of three bytes, it has come with its head."""
    body = b"x" * limits.body
    async with RawServer(answering(OK)) as up, shell(up.url, limits=limits) as running:
        wire = await connect(running.port)
        await wire.send(PATH + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await wire.message()
        wire.close()
        assert running.arrivals[0].body == body
    assert up.wires[0].received.endswith(b"\r\n\r\n" + body)


async def test_an_oversized_body_is_not_read_to_its_end():
    async with shell(limits=Limits(body=1000, lingering=0.2)) as running:
        wire = await connect(running.port)
        await wire.send(PATH + b"Transfer-Encoding: chunked\r\n\r\n")
        sending = asyncio.ensure_future(flood(wire))
        answer = await asyncio.wait_for(wire.rest(), 5)
        await asyncio.gather(sending, return_exceptions=True)
        checked(answer, 413, "BODY_TOO_LARGE", running)
        wire.close()


async def flood(wire: object) -> None:
    while True:
        await wire.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await asyncio.sleep(0)


async def test_what_the_application_asserts():
    sent = b"".join(
        [
            b"x-sidecar-use-case: support\r\nX-Sidecar-Prompt-Name: greet\r\nx-sidecar-prompt-version: 3\r\n",
            b"x-sidecar-subject: s-1\r\nx-sidecar-conversation: c 9\r\nContent-Length: 2\r\n\r\n{}",
        ]
    )
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(PATH + sent)
        await wire.message()
        wire.close()
        assert running.arrivals[0].asserted == Asserted(
            use_case="support", prompt_name="greet", prompt_version="3", subject="s-1", conversation="c 9"
        )
    assert b"sidecar" not in up.wires[0].received.lower()


async def test_who_is_not_let_in_sends_no_body():
    """The refusal comes at the head: nothing of what follows is kept."""

    def admit(caller: Caller) -> None:
        raise CallerError("CALLER_UNKNOWN", "Ask.", status=401)

    async with shell() as running:
        running.admit = admit
        wire = await connect(running.port)
        await wire.send(PATH + b"Content-Length: 60000000\r\nExpect: 100-continue\r\n\r\n")
        checked(await wire.message(), 401, "CALLER_UNKNOWN", running)
        assert running.plane.held.size == 0
        wire.close()


async def test_the_bytes_of_all_bodies_are_bounded():
    """What is in flight counts until its exchange has ended; then there is room again. One body alone fits always."""
    body = b"x" * 60_000
    whole = PATH + b"Content-Length: %d\r\n\r\n" % len(body)
    ended = asyncio.Event()

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        await ended.wait()
        await answer.start(200, [("Content-Length", "2")])
        await answer.write(b"ok")
        await answer.end()

    async with shell(handler=handler, limits=Limits(held=100_000)) as running:
        first, second, third = [await connect(running.port) for _ in range(3)]
        await first.send(whole + body)
        await until(lambda: running.plane.held.size == len(body))
        await second.send(whole + body)
        answer = await second.message()
        assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1\r\n" in answer
        assert running.refused[-1][1].code == "OVERLOADED"
        await until(lambda: running.plane.held.size == len(body))
        ended.set()
        assert (await first.message()).endswith(b"ok")
        await until(lambda: running.plane.held.size == 0)
        body *= 2
        await third.send(PATH + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert (await third.message()).endswith(b"ok")
        for wire in (first, second, third):
            wire.close()


async def test_bytes_count_from_when_they_come():
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(PATH + b"Content-Length: 100\r\n\r\n")
        await wire.send(b"x" * 40)
        await until(lambda: running.plane.held.size == 40)
        await wire.send(b"x" * 60)
        assert (await wire.message()).endswith(b"{}")
        await until(lambda: running.plane.held.size == 0)
        wire.close()


def test_nothing_asserted_is_one_object():
    assert asserted_by((("accept", "*/*"),)) is asserted_by(())


def test_an_asserted_name_is_composed():
    """One spelling in the record, whichever normal form an application's editor or language gives."""
    for spelt in ("M\u00fcller", "Mu\u0308ller"):
        assert asserted_by((("X-Sidecar-Subject", spelt),)).subject == "M\u00fcller"


def test_a_refused_header_is_not_quoted():
    with pytest.raises(CallerError) as raised:
        asserted_by((("x-sidecar-subject", "anna@example.org\n"),))
    assert "anna" not in raised.value.advice


def test_ids_are_uuids_that_sort_by_time():
    clock = Ticks()
    ids = [uuid7(clock, Ones()) for _ in range(5)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 5
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one) for one in ids)


async def test_a_refusal_that_cannot_be_recorded_is_ours():
    async def broken(*_: object) -> None:
        raise RuntimeError("the disk is full of anna@example.org")

    async with shell() as running:
        running.refuse = broken
        object.__setattr__(running.plane, "refuse", broken)
        answer = await talk(running.port, b"POST /v1/unknown HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"anna" not in answer


WHOLE = PATH + b"Content-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    "garbage", [b"garbage\r\n\r\n", b"\x16\x03\x01", PATH + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n"]
)
@pytest.mark.parametrize("calls", [1, 3])
@pytest.mark.parametrize("call", [WHOLE, PATH + b"Content-Length: 0\r\n\r\n"], ids=["body", "none"])
async def test_whole_calls_are_answered_before_the_garbage_behind_them(garbage: bytes, calls: int, call: bytes) -> None:
    """In one packet aiohttp's parser dropped them, and the first answer was a 400."""
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(call * calls + garbage)
        answers = await wire.rest()
        last = answers.index(b"HTTP/1.1 400 ")
        assert answers[:last].count(b"HTTP/1.1 200 ") == calls
        checked(answers[last:], 400, "PROTOCOL_ERROR", running)
        wire.close()
    assert sum(each.received.count(b"POST ") for each in up.wires) == calls


async def test_what_is_sent_ahead_waits_with_its_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls behind one that takes its time are not gathered without bound; once it has ended they have their turn."""
    came, plain, go_on = [0], Line.data_received, asyncio.Event()

    def counted(line: Line, data: bytes) -> None:
        came[0] += len(data)
        plain(line, data)

    async def slow(arrival: Arrival, answer: HttpAnswer) -> None:
        await go_on.wait()
        await answer.start(200, [("Content-Length", "0")])
        await answer.end()

    monkeypatch.setattr(Line, "data_received", counted)
    async with shell(handler=slow) as running:
        wire = await connect(running.port)
        sending = asyncio.ensure_future(wire.send(WHOLE * 400_000))
        await until(lambda: came[0] > BEHIND)
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert came[0] <= BEHIND + (1 << 20) and not sending.done()
        go_on.set()
        while wire.received.count(b"HTTP/1.1 200 ") < 100:
            assert await wire.some()
        sending.cancel()
        wire.abort()


async def test_who_hangs_up_with_calls_waiting_is_noticed_at_once() -> None:
    async with shell(handler=forever) as running:
        wire = await connect(running.port)
        await wire.send(WHOLE * 3)
        await until(lambda: running.drain.in_flight == 1)
        wire.abort()
        assert await running.drain.idle(2)


async def test_who_shuts_down_its_sending_side_counts_as_gone() -> None:
    """Both look alike until something is written, and the model would go on for nobody: docs/operations.md says so."""
    async with shell(handler=forever) as running:
        wire = await connect(running.port)
        await wire.send(WHOLE)
        await until(lambda: running.drain.in_flight == 1)
        wire.end()
        assert await running.drain.idle(2)
        assert await wire.rest() == b""
        assert running.metric("aborts_total") == 1
        wire.close()


async def forever(_: Arrival, __: HttpAnswer) -> None:
    await asyncio.sleep(60)
