"""Model servers that end, break and frame their replies in all the ways that HTTP knows, and some that it does not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import openai
import orjson
import pytest

from tests.e2e import processes
from tests.e2e.processes import Sidecar
from tests.e2e.raw_server import PlayedServer, plays, stays

MESSAGES: Any = [{"role": "user", "content": "I am ann@example.org"}]
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = EVENTS + b"Transfer-Encoding: chunked\r\n\r\n"
SLACK = 30.0
"""Seconds that no test waits for where all is well: what it guards against would wait for ever, or 900 s."""


def event(text: str | None = None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + orjson.dumps({"id": "c1", "model": "m-1", "choices": [choice]}) + b"\n\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


WHOLE = event("Hello ") + event("<EMAIL_ADDRESS_1>") + event(finish="stop") + b"data: [DONE]\n\n"


@pytest.fixture(scope="module")
def server() -> Iterator[PlayedServer]:
    played = PlayedServer()
    yield played
    played.close()


@pytest.fixture(scope="module")
def front(server: PlayedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    with processes.sidecar(tmp_path_factory.mktemp("front"), server.url) as sidecar:
        yield sidecar


def asked(front: Sidecar, *, stream: bool) -> str:
    """What the SDK makes of the reply. Raises openai.APIError."""
    with openai.OpenAI(base_url=front.base, api_key="k", max_retries=0, timeout=SLACK) as client:
        if not stream:
            return str(client.chat.completions.create(model="m", messages=MESSAGES).choices[0].message.content)
        chunks = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def last(front: Sidecar) -> dict[str, Any]:
    """The newest record, once it is closed."""
    end = time.monotonic() + SLACK
    while (row := front.rows(1)[0])["state"] == "open" and time.monotonic() < end:
        time.sleep(0.02)
    return row


def pings(connection: socket.socket) -> None:
    """Comments behind the end, for as long as anybody listens."""
    connection.sendall(CHUNKED + chunk(WHOLE))
    with suppress(OSError):
        while True:
            connection.sendall(chunk(b": ping\n\n"))
            time.sleep(0.05)


@pytest.mark.parametrize(
    "script",
    [
        stays(CHUNKED + chunk(WHOLE)),
        plays(CHUNKED + chunk(WHOLE)),
        plays(EVENTS + b"Content-Length: 9999\r\n\r\n" + WHOLE),
        stays(EVENTS + b"\r\n" + WHOLE),
        plays(CHUNKED + chunk(WHOLE), 0.3, b"no chunk at all"),
        pings,
    ],
    ids=["kept open", "cut off", "too short", "without an end", "malformed", "goes on"],
)
def test_a_stream_is_over_when_it_says_so(server: PlayedServer, front: Sidecar, script: Any) -> None:
    """SDKs read no further than [DONE]; a server that waits for them to close would have had us wait for 900 s."""
    server.script = script
    assert asked(front, stream=True) == "Hello ann@example.org"
    assert last(front)["state"] == "answered"


def test_a_stream_that_gave_up_is_over_too(server: PlayedServer, front: Sidecar) -> None:
    server.script = stays(CHUNKED + chunk(event("Hello ") + b'data: {"error":{"message":"no <EMAIL_ADDRESS_1>"}}\n\n'))
    with pytest.raises(openai.APIError, match=r"no ann@example\.org"):
        asked(front, stream=True)
    assert last(front)["state"] == "failed"


def test_what_comes_behind_the_end_at_once_is_passed_on(server: PlayedServer, front: Sidecar) -> None:
    server.script = plays(CHUNKED + chunk(WHOLE) + chunk(b": late\n\n") + b"0\r\n\r\n")
    with openai.OpenAI(base_url=front.base, api_key="k", max_retries=0, timeout=SLACK) as client:
        reply = client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES, stream=True)
        assert reply.http_response.read().endswith(b"data: [DONE]\n\n: late\n\n")


MIB = 1024 * 1024
BRACKETS = b'{"x":[' + b'{"":0},' * (5 * MIB) + b"0]}"
"""A tree of them takes 1.3 GB."""


def most_memory(front: Sidecar) -> int:
    """Bytes that the process has ever held at a time."""
    lines = Path(f"/proc/{front.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def test_bodies_of_brackets_do_not_fill_the_memory(server: PlayedServer, front: Sidecar) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BRACKETS)
    server.script = plays(head + BRACKETS)
    before = most_memory(front)
    with pytest.raises(openai.InternalServerError, match="not JSON of the shape"):
        asked(front, stream=False)
    url, kind = f"{front.base}/chat/completions", {"Content-Type": "application/json"}
    answer = httpx.post(url, content=BRACKETS, headers=kind, timeout=SLACK)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "BODY_TOO_LARGE")
    assert most_memory(front) - before < 6 * len(BRACKETS)
