"""The upstream client against a raw server: exact bytes, faults by name, aborts at once, keep-alive races."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sidecar.drivers.upstream import UpstreamClient, UpstreamSettings, request_headers
from sidecar.drivers.upstream_door import base_of
from sidecar.errors import UpstreamError
from sidecar.model import Outbound
from tests.captures import OK, Play, RawServer, Wire, answering, until

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def call(body: bytes = b'{"a":1}', *, headers: tuple[tuple[str, str], ...] = (), method: str = "POST") -> Outbound:
    return Outbound(method=method, target="/v1/chat/completions?x=%2f&y=+", headers=headers, body=body)


def client(url: str, **settings: object) -> UpstreamClient:
    return UpstreamClient(UpstreamSettings(url=url, **{"connect_timeout": 1.0, "idle_timeout": 5.0, **settings}))


async def whole(upstream: UpstreamClient, outbound: Outbound | None = None) -> bytes:
    async with upstream.send(outbound or call()) as reply:
        return b"".join([data async for data in reading(reply)])


async def reading(reply: object) -> AsyncIterator[bytes]:
    while data := await reply.read():
        yield data


def saying(*data: bytes, then: str = "close", pause: float = 0.0) -> Play:
    """A server that reads one request, says these bytes and closes, aborts or hangs."""

    async def play(wire: Wire) -> None:
        await wire.message()
        for one in data:
            await wire.send(one)
            await asyncio.sleep(pause)
        if then == "hang":
            await wire.rest()
        if then == "abort":
            wire.abort()

    return play


async def fault(play: Play, **settings: object) -> UpstreamError:
    async with RawServer(play) as server, client(server.url, **settings) as upstream:
        with pytest.raises(UpstreamError) as raised:
            await asyncio.wait_for(whole(upstream), 5)
        return raised.value


async def test_sends_what_was_given_and_nothing_else():
    headers = (("content-type", "application/json"), ("X-Two", "a"), ("x-Two", "b"), ("Content-LENGTH", "999"))
    async with RawServer(answering(OK)) as server, client(server.url) as upstream:
        assert await whole(upstream, call(headers=headers)) == b"{}"
    sent = bytes(server.wires[0].received)
    assert sent == (
        b"POST /v1/chat/completions?x=%2f&y=+ HTTP/1.1\r\n"
        b"Host: 127.0.0.1:" + str(server.port).encode() + b"\r\n"
        b"content-type: application/json\r\nX-Two: a\r\nX-Two: b\r\nContent-LENGTH: 7\r\n\r\n"
        b'{"a":1}'
    )


async def test_a_get_has_no_body_and_no_length():
    async with RawServer(answering(OK)) as server, client(server.url) as upstream:
        await whole(upstream, call(b"", method="GET"))
    assert bytes(server.wires[0].received)[-4:] == b"\r\n\r\n"
    assert b"ontent" not in server.wires[0].received


async def test_an_empty_post_says_so():
    async with RawServer(answering(OK)) as server, client(server.url) as upstream:
        await whole(upstream, call(b""))
        async with upstream.stream("POST", "/x", (), None):
            pass
    assert server.wires[0].received.count(b"Content-Length: 0\r\n") == 2


async def test_a_large_body_arrives_whole():
    body = bytes(range(256)) * 20_000
    async with RawServer(answering(OK)) as server, client(server.url) as upstream:
        await whole(upstream, call(body))
    assert server.wires[0].received.endswith(b"\r\n\r\n" + body)


async def test_reply_headers_come_as_they_were_spelled():
    reply = HEAD + b"x-ODD: 1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n"
    async with RawServer(saying(reply)) as server, client(server.url) as upstream, upstream.send(call()) as answer:
        assert answer.status == 200
        assert answer.headers == (
            ("x-ODD", "1"),
            ("Set-Cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("Content-Length", "0"),
        )


async def test_a_long_header_of_a_reply_comes_whole():
    reply = HEAD + b"X: " + b"a" * 60_000 + b"\r\nContent-Length: 0\r\n\r\n"
    async with RawServer(saying(reply)) as server, client(server.url) as upstream, upstream.send(call()) as answer:
        assert answer.headers[0] == ("X", "a" * 60_000)


@pytest.mark.parametrize("status", [300, 302, 399])
async def test_no_cookie_is_kept_and_no_redirect_followed(status: int):
    reply = b"HTTP/1.1 %d Found\r\nLocation: /elsewhere\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n" % status
    async with RawServer(answering(reply)) as server, client(server.url) as upstream:
        async with upstream.stream("GET", "/v1/models", (), None) as answer:
            assert answer.status == status
        with pytest.raises(UpstreamError) as raised:
            await whole(upstream)
    assert (raised.value.code, raised.value.status) == ("UPSTREAM_INVALID", 502)
    assert b"ookie" not in server.wires[0].received
    assert b"elsewhere" not in server.wires[0].received


async def test_gzip_comes_as_gzip():
    reply = HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    async with RawServer(saying(reply)) as server, client(server.url) as upstream:
        assert await whole(upstream) == b"\x1f\x8b\x08\x00"


async def test_chunks_come_as_they_arrive():
    play = saying(CHUNKED, b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n", pause=0.03)
    async with RawServer(play) as server, client(server.url) as upstream, upstream.send(call()) as reply:
        assert [data async for data in reading(reply)] == [b"abc", b"de"]
        assert await reply.read() == b""


async def test_the_key_replaces_the_callers():
    headers = (("authorization", "Bearer caller"), ("X-Api-Key", "caller"), ("api-key", "caller"), ("X-Last", "1"))
    async with RawServer(answering(OK)) as server, client(server.url, key="ours") as upstream:
        await whole(upstream, call(headers=headers))
    assert b"caller" not in server.wires[0].received
    assert b"Authorization: Bearer ours\r\n" in server.wires[0].received
    assert "ours" not in repr(UpstreamSettings(url="http://a", key="ours"))


async def test_without_a_key_the_callers_goes_on():
    headers = (("authorization", "Bearer caller"), ("X-Api-Key", "caller"), ("api-key", "caller"))
    async with RawServer(answering(OK)) as server, client(server.url) as upstream:
        await whole(upstream, call(headers=headers))
    assert server.wires[0].received.count(b"caller") == 3


async def test_a_unix_socket(tmp_path: Path):
    async with RawServer(answering(OK), tmp_path / "engine.sock") as server, client(server.url) as upstream:
        assert await whole(upstream) == b"{}"
        assert upstream.recipient == server.url
    assert b"Host: localhost\r\n" in server.wires[0].received


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/", "http://h:1/v1"),
        ("https://h/v1", "https://h/v1"),
        ("https://h/v1/", "https://h/v1"),
        ("https://h/gateway", "https://h/gateway/v1"),
        ("https://h/gateway/v1", "https://h/gateway/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
        ("https://acme.openai.azure.com/openai", "https://acme.openai.azure.com/openai/v1"),
        ("https://acme.openai.azure.com/openai/v1/", "https://acme.openai.azure.com/openai/v1"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "https://generativelanguage.googleapis.com/v1beta/openai"),
        ("https://open.bigmodel.cn/api/paas/v4", "https://open.bigmodel.cn/api/paas/v4"),
        ("https://h/v1beta1/projects/p/endpoints/openapi", "https://h/v1beta1/projects/p/endpoints/openapi"),
        ("https://h/v1-preview", "https://h/v1-preview/v1"),
        ("unix:/run/x.sock", "http://localhost/v1"),
    ],
)  # fmt: skip
def test_a_base_url_is_an_sdk_s_and_may_lack_its_v1(url: str, base: str):
    assert base_of(url) == base


@pytest.mark.parametrize(
    ("path", "chat", "health"),
    [
        ("", b"/v1/chat/completions?x=%2f&y=+", b"/health"),
        ("/v1", b"/v1/chat/completions?x=%2f&y=+", b"/health"),
        ("/llm", b"/llm/v1/chat/completions?x=%2f&y=+", b"/llm/health"),
        ("/llm/v1/", b"/llm/v1/chat/completions?x=%2f&y=+", b"/llm/health"),
        ("/v1beta/openai", b"/v1beta/openai/chat/completions?x=%2f&y=+", b"/v1beta/openai/health"),
    ],
)
async def test_where_calls_go(path: str, chat: bytes, health: bytes):
    async with RawServer(answering(OK)) as server, client(server.url + path) as upstream:
        await whole(upstream, call())
        async with upstream.stream("GET", "/health", (), None) as reply:
            await reply.read()
    received = bytes(server.wires[0].received)
    assert received.startswith(b"POST " + chat + b" HTTP/1.1\r\n")
    assert b"GET " + health + b" HTTP/1.1\r\n" in received


BLANKS = ["https://h ", "https://h\n", "https://a b/v1", "https://a\tb/v1"]
"""As they are pasted: calls would go to a host of another name, or to none."""


@pytest.mark.parametrize(
    "url",
    ["ftp://h", "h:1", "", "https://h/?a=1", "https://user:word@h", "https://u@h", "https://:w@h", *BLANKS, "http://h:0"],
)
def test_a_base_url_that_is_none(url: str):
    with pytest.raises(ValueError, match="upstream"):
        base_of(url)


def test_duplicates_spelled_differently_all_survive():
    given = (("X-A", "1"), ("x-a", "2"), ("Transfer-Encoding", "chunked"), ("host", "h"), ("Expect", "x"), ("X-a", "3"))
    assert list(request_headers(given, 0, None).items()) == [("X-A", "1"), ("X-A", "2"), ("X-A", "3")]


async def test_refused_is_unreachable():
    async with RawServer(answering(OK)) as server:
        url = server.url
    async with client(url) as upstream:
        with pytest.raises(UpstreamError) as raised:
            await whole(upstream)
    assert (raised.value.code, raised.value.status) == ("UPSTREAM_UNREACHABLE", 502)


async def test_an_unknown_host_is_unreachable():
    async with client("http://no-such-host.invalid") as upstream:
        with pytest.raises(UpstreamError) as raised:
            await whole(upstream)
    assert raised.value.code == "UPSTREAM_UNREACHABLE"


async def test_plain_http_where_tls_was_promised_is_unreachable():
    async with RawServer(saying(OK)) as server, client(f"https://127.0.0.1:{server.port}") as upstream:
        with pytest.raises(UpstreamError) as raised:
            await whole(upstream)
    assert raised.value.code == "UPSTREAM_UNREACHABLE"


@pytest.mark.parametrize(
    ("play", "code", "status"),
    [
        (saying(), "UPSTREAM_DISCONNECTED", 502),
        (saying(then="abort"), "UPSTREAM_DISCONNECTED", 502),
        (saying(HEAD), "UPSTREAM_DISCONNECTED", 502),
        (saying(HEAD + b"Content-Length: 9\r\n\r\nabc"), "UPSTREAM_DISCONNECTED", 502),
        (saying(HEAD + b"Content-Length: 9\r\n\r\nabc", then="abort"), "UPSTREAM_DISCONNECTED", 502),
        (saying(CHUNKED + b"3\r\nabc\r\n"), "UPSTREAM_DISCONNECTED", 502),
        (saying(CHUNKED, b"3\r\nabc\r\n", b"zz\r\n", then="hang", pause=0.03), "UPSTREAM_INVALID", 502),
        (saying(CHUNKED + b"zz\r\n", then="hang"), "UPSTREAM_INVALID", 502),
        (saying(b"<html></html>\r\n\r\n", then="hang"), "UPSTREAM_INVALID", 502),
        (saying(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", then="hang"), "UPSTREAM_INVALID", 502),
        (saying(HEAD + b"fo\x00o: bar\r\n\r\n", then="hang"), "UPSTREAM_INVALID", 502),
        (saying(HEAD + b"X: " + b"a" * 100_000 + b"\r\n\r\n", then="hang"), "UPSTREAM_INVALID", 502),
        (saying(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", then="hang"), "UPSTREAM_INVALID", 502),
        (saying(b"HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", then="hang"), "UPSTREAM_INVALID", 502),
    ],
)
async def test_what_can_go_wrong(play: Play, code: str, status: int):
    error = await fault(play)
    assert (error.code, error.status) == (code, status)


@pytest.mark.parametrize("said", [b"", HEAD + b"Content-Length: 9\r\n\r\nabc", CHUNKED + b"3\r\nabc\r\n"])
async def test_silence_is_a_timeout(said: bytes):
    start = time.perf_counter()
    error = await fault(saying(*([said] if said else []), then="hang"), idle_timeout=0.2)
    assert (error.code, error.status) == ("UPSTREAM_TIMEOUT", 504)
    assert time.perf_counter() - start < 2


async def test_silence_after_a_body_that_was_passed_on_is_a_timeout():
    async with RawServer(saying(then="hang")) as server, client(server.url, idle_timeout=0.2) as upstream:
        with pytest.raises(UpstreamError) as raised:
            async with upstream.stream("POST", "/x", (), pieces()):
                pass
    assert raised.value.code == "UPSTREAM_TIMEOUT"


async def test_silence_is_a_timeout_also_after_a_time_without_calls():
    async def play(wire: Wire) -> None:
        size = len(await wire.message())
        await wire.send(OK)
        await wire.message(size)
        await wire.rest()

    async with RawServer(play) as server, client(server.url, idle_timeout=0.2) as upstream:
        assert await whole(upstream) == b"{}"
        await asyncio.sleep(0.3)
        with pytest.raises(UpstreamError) as raised:
            await asyncio.wait_for(whole(upstream), 5)
    assert raised.value.code == "UPSTREAM_TIMEOUT"


async def test_a_caller_who_takes_his_time_is_not_the_upstreams_silence():
    play = saying(CHUNKED, b"1\r\na\r\n", b"1\r\nb\r\n0\r\n\r\n", then="hang", pause=0.05)
    async with (
        RawServer(play) as server,
        client(server.url, idle_timeout=0.2) as upstream,
        upstream.send(call()) as reply,
    ):
        assert await reply.read() == b"a"
        await asyncio.sleep(0.5)
        assert await reply.read() == b"b"


async def test_what_comes_before_the_reply_is_passed_over():
    play = answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
    async with RawServer(play) as server, client(server.url) as upstream:
        assert [await whole(upstream) for _ in range(2)] == [b"{}", b"{}"]


async def test_a_stream_that_goes_on_never_times_out():
    play = saying(CHUNKED, *[b"1\r\nx\r\n"] * 8, b"0\r\n\r\n", pause=0.1)
    async with RawServer(play) as server, client(server.url, idle_timeout=0.4) as upstream:
        assert await whole(upstream) == b"x" * 8


async def test_each_wait_has_its_own_time():
    """A wait that began later is not ended together with the first, and one that was over is not ended at all."""
    at = []

    async def call_after(pause: float, upstream: UpstreamClient) -> None:
        await asyncio.sleep(pause)
        begin = time.perf_counter()
        with pytest.raises(UpstreamError):
            await whole(upstream)
        at.append(time.perf_counter() - begin)

    async with RawServer(saying(then="hang")) as server, client(server.url, idle_timeout=0.3) as upstream:
        await asyncio.gather(*(call_after(pause, upstream) for pause in (0, 0.1, 0.25)))
    assert all(0.29 < waited < 0.5 for waited in at)


async def test_a_reply_that_comes_before_the_body_is_whole_counts():
    async def play(wire: Wire) -> None:
        await wire.until(b"\r\n\r\n")
        await wire.send(OK)
        await asyncio.sleep(1)

    async with RawServer(play) as server, client(server.url) as upstream:
        for _ in range(2):
            assert await whole(upstream, call(b"x" * 30_000_000)) == b"{}"
        assert len(server.wires) == 2  # a connection on which a call is still being sent serves no other


async def test_errors_hold_nothing_that_was_sent():
    error = await fault(saying(b"SECRET garbage\r\n\r\n", then="hang"))
    assert "SECRET" not in str(error) + error.advice + repr(error)


async def test_leaving_early_cuts_the_connection():
    play = saying(CHUNKED, b"3\r\nabc\r\n", then="hang")
    async with RawServer(play) as server, client(server.url) as upstream:
        async with upstream.send(call()) as reply:
            assert await reply.read() == b"abc"
        assert await until(lambda: server.wires[0].gone_at is not None) < 0.1


@pytest.mark.parametrize("body", [b"{}", b"x" * 30_000_000])
async def test_being_cancelled_before_the_head_cuts_the_connection(body: bytes):
    async def play(wire: Wire) -> None:
        await wire.until(b"\r\n\r\n")
        if len(body) < 100:
            await wire.rest()
        await asyncio.sleep(0.3)  # a server that does not read on has its side of the buffer full
        await wire.rest()

    async with RawServer(play) as server, client(server.url) as upstream:
        task = asyncio.ensure_future(whole(upstream, call(body)))
        await until(lambda: bool(server.wires) and b"\r\n\r\n" in server.wires[0].received)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await until(lambda: server.wires[0].gone_at is not None) < 1
        assert len(server.wires[0].received) < len(body) + 1000 or len(body) < 100


async def test_a_connection_is_used_again():
    async with RawServer(answering(OK)) as server, client(server.url) as upstream:
        for _ in range(5):
            await whole(upstream)
    assert len(server.wires) == 1


async def test_an_error_inside_the_context_cuts_the_connection():
    play = saying(CHUNKED, b"3\r\nabc\r\n", then="hang")
    async with RawServer(play) as server, client(server.url) as upstream:
        with pytest.raises(KeyError):
            async with upstream.send(call()) as reply:
                await reply.read()
                raise KeyError
        assert await until(lambda: server.wires[0].gone_at is not None) < 0.1


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_connection_closed_while_idle_is_not_used(method: str):
    """The race: the server's end of an idle connection has arrived, but the loop has not looked yet."""
    outbound = call(b"{}" if method == "POST" else b"", method=method)
    async with RawServer(answering(OK)) as server, client(server.url) as upstream:
        await whole(upstream, outbound)
        for _ in range(3):
            server.wires[-1].hang_up()
            assert await whole(upstream, outbound) == b"{}"
    if method == "POST":
        assert [bytes(wire.received).count(b"HTTP/1.1") for wire in server.wires] == [1, 1, 1, 1]


async def test_what_was_written_is_never_sent_twice():
    async def play(wire: Wire) -> None:
        first = await wire.message()
        await wire.send(OK)
        await wire.message(len(first))
        wire.abort()

    async with RawServer(play) as server, client(server.url) as upstream:
        await whole(upstream)
        with pytest.raises(UpstreamError) as raised:
            await whole(upstream)
    assert raised.value.code == "UPSTREAM_DISCONNECTED"
    assert b"".join(bytes(wire.received) for wire in server.wires).count(b"POST") == 2


async def nothing() -> AsyncIterator[bytes]:
    """A body that can be read once, and is empty."""
    return
    yield b""


@pytest.mark.parametrize(
    ("method", "body", "said", "asked"),
    [
        ("GET", None, b"", 2),
        ("DELETE", None, b"", 2),
        ("GET", None, b"no HTTP\r\n\r\n", 1),
        ("DELETE", nothing, b"", 1),
        ("POST", None, b"", 1),
        ("PATCH", None, b"", 1),
    ],
)
async def test_only_what_may_be_repeated_is_asked_again_and_once(
    method: str, body: Callable[[], AsyncIterator[bytes]] | None, said: bytes, asked: int
):
    """RFC 9110 9.2.2: where the server hung up on a method that changes nothing twice, and no body was given away."""
    async with RawServer(saying(said)) as server, client(server.url) as upstream:
        with pytest.raises(UpstreamError):
            async with upstream.stream(method, "/v1/models", (), body and body()):
                pass
    assert len([wire for wire in server.wires if wire.received]) == asked


async def test_what_is_asked_again_is_answered():
    async def play(wire: Wire) -> None:
        await wire.message()
        if len(server.wires) > 1:
            await wire.send(OK)

    async with (
        RawServer(play) as server,
        client(server.url) as upstream,
        upstream.stream("GET", "/v1/models", (), None) as reply,
    ):
        assert await reply.read() == b"{}"


async def test_a_server_that_always_hangs_up_is_given_up_on():
    async def play(wire: Wire) -> None:
        return None

    async with RawServer(play) as server, client(server.url) as upstream:
        with pytest.raises(UpstreamError) as raised:
            await asyncio.wait_for(whole(upstream), 5)
    assert raised.value.code == "UPSTREAM_DISCONNECTED"
    assert not any(wire.received for wire in server.wires[:-1])


async def test_a_full_pool_is_unreachable():
    async with (
        RawServer(saying(CHUNKED, b"1\r\nx\r\n", then="hang")) as server,
        client(server.url, connections=1, connect_timeout=0.1) as upstream,
        upstream.send(call()),
    ):
        with pytest.raises(UpstreamError) as raised:
            await whole(upstream)
    assert raised.value.code == "UPSTREAM_UNREACHABLE"


async def pieces() -> AsyncIterator[bytes]:
    for piece in (b"one", b"two"):
        yield piece


async def test_streaming_a_body_on():
    async with RawServer(answering(OK)) as server, client(server.url) as upstream:
        async with upstream.stream("POST", "/x", (("Content-Length", "6"),), pieces()) as reply:
            assert await reply.read() == b"{}"
        async with upstream.stream("POST", "/x", (), pieces()) as reply:
            assert await reply.read() == b"{}"
    sent = bytes(server.wires[0].received)
    assert sent.count(b"\r\n\r\nonetwo") == 1
    assert sent.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


async def test_a_missing_ca_file_is_told_at_the_start(tmp_path: Path):
    with pytest.raises((OSError, ssl.SSLError)):
        await client("https://h", ca_file=str(tmp_path / "none.pem")).__aenter__()
