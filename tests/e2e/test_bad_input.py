"""Bad input gets a JSON error in the caller's dialect with a stable code, and a record; never a hang, never a pass."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import orjson
import pytest

from tests.captures import connect, talk
from tests.e2e import processes
from tests.e2e.processes import Sidecar, Stub

CHAT = "/v1/chat/completions"
GOOD = b'{"model":"stub-model","messages":[{"role":"user","content":"hi"}]}'


def post(body: bytes, *headers: bytes, path: bytes = CHAT.encode(), length: bytes | None = None) -> bytes:
    size = length if length is not None else b"%d" % len(body)
    fields = b"".join(header + b"\r\n" for header in headers)
    return (
        b"POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Content-Length: %s\r\n%s\r\n%s"
    ) % (path, size, fields, body)


BODIES: dict[str, tuple[bytes, int, str]] = {
    "not JSON": (b"hello", 400, "BODY_UNPARSABLE"),
    "empty": (b"", 400, "BODY_UNPARSABLE"),
    "truncated": (GOOD[:-3], 400, "BODY_UNPARSABLE"),
    "trailing": (GOOD + b"x", 400, "BODY_UNPARSABLE"),
    "not UTF-8": (GOOD.replace(b"hi", b"\xff"), 400, "BODY_UNPARSABLE"),
    "10 MiB of brackets": (b"[" * (10 << 20), 413, "BODY_TOO_LARGE"),
    "10 MiB nested": (b'{"a":' * (2 << 20) + b"1" + b"}" * (2 << 20), 413, "BODY_TOO_LARGE"),
    "deep inside": (GOOD[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}", 400, "BODY_TOO_DEEP"),
    "duplicate key": (b'{"model":"a","model":"b","messages":[]}', 400, "DUPLICATE_KEY"),
    "duplicate key, spelled otherwise": (GOOD[:-1] + b',"m\\u006fdel":"b"}', 400, "DUPLICATE_KEY"),
    "NaN": (GOOD[:-1] + b',"temperature":NaN}', 400, ""),
    "wrong type": (b'{"model":"m","messages":"hi"}', 400, "BODY_INVALID"),
    "list": (b"[]", 400, "BODY_INVALID"),
    "lone surrogate": (GOOD.replace(b"hi", b"\\ud800"), 400, "LONE_SURROGATE"),
}


async def answered(sidecar: Sidecar, raw: bytes) -> tuple[int, dict[str, str], dict[str, object]]:
    port = int(sidecar.base.split(":")[2].split("/")[0])
    reply = await talk(port, raw)
    head, _, body = reply.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
    return int(status.split()[1]), headers, orjson.loads(body)


def check(status: int, headers: dict[str, str], body: dict[str, object]) -> str:
    """It is an error as OpenAI words it, for which an SDK does not try again, and which has a record."""
    assert set(body) == {"error"}, body
    error = body["error"]
    assert isinstance(error, dict)
    assert headers["content-type"] == "application/json"
    assert "x-sidecar-record" in headers
    if status < 500:
        assert headers["x-should-retry"] == "false"
    return str(error["code"])


@pytest.mark.parametrize("name", BODIES)
async def test_bodies(stub: Stub, sidecar: Sidecar, name: str) -> None:
    body, status, code = BODIES[name]
    got, headers, told = await answered(sidecar, post(body))
    found = check(got, headers, told)
    assert got == status
    assert code in ("", found)
    [row] = [row for row in sidecar.rows(5) if row["id"] == headers["x-sidecar-record"]]
    assert (row["state"], row["codes"]) == ("refused", (found,))


REQUESTS: dict[str, tuple[bytes, int, str]] = {
    "unknown route": (post(GOOD, path=b"/v1/nothing"), 404, "ROUTE_UNKNOWN"),
    "route of another kind": (post(b"{}", path=b"/v1/load_lora_adapter"), 404, "ROUTE_UNKNOWN"),
    "dots in the path": (post(GOOD, path=b"/v1/models/../chat/completions"), 404, "ROUTE_UNKNOWN"),
    "wrong method": (b"DELETE /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405, ""),
    "two lengths": (post(GOOD, b"Content-Length: 3"), 400, ""),
    "length and chunks": (post(GOOD, b"Transfer-Encoding: chunked"), 400, ""),
    "negative length": (post(GOOD, length=b"-1"), 400, ""),
    "unknown coding": (post(GOOD, b"Content-Encoding: br"), 415, "ENCODING_UNSUPPORTED"),
    "not gzip": (post(GOOD, b"Content-Encoding: gzip"), 400, "BODY_UNPARSABLE"),
    "half of a gzip": (post(gzip.compress(GOOD)[:-9], b"Content-Encoding: gzip"), 400, "BODY_UNPARSABLE"),
    "gzip bomb": (post(gzip.compress(b" " * (80 << 20)), b"Content-Encoding: gzip"), 413, "BODY_TOO_LARGE"),
    "too large": (post(b"", length=b"99999999999"), 413, "BODY_TOO_LARGE"),
    "unknown own header": (post(GOOD, b"x-sidecar-usecase: a"), 400, "HEADER_INVALID"),
    "own header twice": (post(GOOD, b"x-sidecar-subject: a", b"x-sidecar-subject: b"), 400, "HEADER_INVALID"),
    "long own header": (post(GOOD, b"x-sidecar-subject: " + b"a" * 300), 400, "HEADER_INVALID"),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, ""),
    "garbage chunks": (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        400,
        "",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_requests(stub: Stub, sidecar: Sidecar, name: str) -> None:
    raw, status, code = REQUESTS[name]
    got, headers, told = await answered(sidecar, raw)
    found = check(got, headers, told)
    assert (got, code or found) == (status, found)
    assert [row["state"] for row in sidecar.rows() if row["id"] == headers["x-sidecar-record"]] == ["refused"]


@pytest.fixture(scope="module")
def hasty(stub: Stub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    config = {"limits": {"body_timeout": 0.5, "text": 100}, "upstream": {"idle_timeout": 1.0}}
    with processes.sidecar(tmp_path_factory.mktemp("hasty"), stub.url, config=config) as process:
        yield process


async def test_a_body_that_does_not_come_is_given_up(hasty: Sidecar) -> None:
    got, headers, told = await answered(hasty, post(GOOD[:10], length=b"1000"))
    assert (got, check(got, headers, told)) == (408, "BODY_TIMEOUT")


async def test_more_text_than_is_to_be_read_in_one_call_is_refused(hasty: Sidecar) -> None:
    got, headers, told = await answered(hasty, post(GOOD.replace(b"hi", b"word " * 20)))
    assert (got, check(got, headers, told)) == (413, "BODY_TOO_LARGE")


async def test_continue_is_said_to_who_waits_for_it(sidecar: Sidecar) -> None:
    wire = await connect(int(sidecar.base.split(":")[2].split("/")[0]))
    await wire.send(post(b"", b"Expect: 100-continue", length=b"%d" % len(GOOD)))
    await wire.until(b"100 Continue\r\n\r\n")
    await wire.send(GOOD)
    assert b"HTTP/1.1 200 OK" in await wire.rest()
    wire.close()


UPSTREAM = {
    "hang-head": (504, "UPSTREAM_TIMEOUT"),
    "die-head": (502, "UPSTREAM_DISCONNECTED"),
    "short": (502, "UPSTREAM_DISCONNECTED"),
    "truncated": (502, "UPSTREAM_INVALID"),
    "garbage": (502, "UPSTREAM_INVALID"),
    "not-http": (502, "UPSTREAM_INVALID"),
    "html": (502, "UPSTREAM_INVALID"),
    "html-502": (502, "UPSTREAM_STATUS"),
    "wrong-type": (502, "UPSTREAM_INVALID"),
    "redirect": (502, "UPSTREAM_INVALID"),
}


@pytest.mark.parametrize("behaviour", UPSTREAM)
async def test_a_model_server_that_misbehaves(stub: Stub, hasty: Sidecar, behaviour: str) -> None:
    got, headers, told = await answered(hasty, post(GOOD, b"x-stub-behaviour: " + behaviour.encode()))
    assert (got, check(got, headers, told)) == UPSTREAM[behaviour]
    [row] = [row for row in hasty.rows() if row["id"] == headers["x-sidecar-record"]]
    assert row["state"] == "failed"


@pytest.mark.parametrize("behaviour", ["hang-stream", "die-stream", "error-stream"])
async def test_a_stream_that_breaks_ends_in_an_error(stub: Stub, hasty: Sidecar, behaviour: str) -> None:
    body = GOOD[:-1] + b',"stream":true}'
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{hasty.base}/chat/completions", data=body, headers={"x-stub-behaviour": behaviour}) as reply,
    ):
        assert reply.status == 200
        text = await reply.text()
        record = reply.headers["x-sidecar-record"]
    assert '{"error":' in text.replace('": ', '":')
    assert [row["state"] for row in hasty.rows() if row["id"] == record] == ["failed"]


@pytest.mark.parametrize("status", [400, 429, 500])
async def test_errors_of_the_model_server_pass_with_surrogates_restored(
    stub: Stub, sidecar: Sidecar, status: int
) -> None:
    body = {"model": "stub-model", "messages": [{"role": "user", "content": "I am ann@example.org"}]}
    headers = {"x-stub-behaviour": f"error-{status}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sidecar.base}/chat/completions", json=body, headers=headers) as reply,
    ):
        assert reply.status == status
        assert "ann@example.org" in await reply.text()


async def test_an_unreachable_model_server(tmp_path: Path) -> None:
    with processes.sidecar(tmp_path, "http://127.0.0.1:9") as sidecar:
        got, headers, told = await answered(sidecar, post(GOOD))
        assert (got, check(got, headers, told)) == (502, "UPSTREAM_UNREACHABLE")
        assert [row["state"] for row in sidecar.rows()] == ["failed"]
        await asyncio.sleep(0)
