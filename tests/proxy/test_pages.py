"""Web pages: what a browser lets them send to a sidecar on loopback, and what becomes of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson
import pytest

from sidecar.model import Caller
from sidecar.proxy.callers import Callers
from sidecar.proxy.pages import Pages
from tests.captures import OK, RawServer, answering, talk
from tests.e2e import processes
from tests.proxy.shell import shell

KEY = b"sk-ours"
CALLERS = Callers(keys={hashlib.sha256(KEY).hexdigest(): Caller(tenant="acme", auth="api_key")})
PAGES = Pages(origins=frozenset({"https://app.example", "app://obsidian.md"}), loopback=True)
BODY = b'{"model":"m","messages":[]}'
LOCAL = b"Host: localhost:8400"


def head(method: bytes, path: bytes, *lines: bytes) -> bytes:
    """As browsers write it: a simple request (Fetch standard) needs nobody's leave."""
    body = BODY if method == b"POST" else b""
    framed = (b"Content-Type: text/plain;charset=UTF-8", b"Content-Length: %d" % len(body), b"Connection: close")
    return b"\r\n".join([method + b" " + path + b" HTTP/1.1", *lines, *framed, b"", b""]) + body


@pytest.mark.parametrize("path", [b"/v1/chat/completions", b"/v1/models"])
@pytest.mark.parametrize(
    "lines",
    [
        (LOCAL, b"Origin: https://evil.example"),
        (LOCAL, b"Origin: null"),
        (LOCAL, b"Origin: http://app.example"),
        (LOCAL, b"Origin: https://app.example.evil.example"),
        (LOCAL, b"Origin: http://localhost:3000"),
        (LOCAL, b"Origin: https://evil.example", b"Sec-Fetch-Site: none"),
        (LOCAL, b"Sec-Fetch-Site: cross-site"),
        (LOCAL, b"Sec-Fetch-Site: same-site"),
        (LOCAL, b"Origin: https://evil.example", b"Authorization: Bearer guessed"),
        (b"Host: evil.example:8400", b"Origin: http://evil.example:8400", b"Sec-Fetch-Site: same-origin"),
        (b"Host: evil.example:8400",),
        (b"Host: 127.0.0.1.evil.example",),
        (b"Host: localhost.evil.example.",),
        (b"Host: [::1].evil.example.:1", b"Origin: http://evil.example"),
    ],
)
async def test_a_page_reaches_nothing(path: bytes, lines: tuple[bytes, ...]) -> None:
    method = b"POST" if b"chat" in path else b"GET"
    async with RawServer(answering(OK)) as server, shell(server.url, callers=CALLERS, pages=PAGES) as running:
        answer = await talk(running.port, head(method, path, *lines))
        assert server.wires == []
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "ORIGIN_NOT_ALLOWED"
    assert b"access-control-allow" not in answer.lower()


@pytest.mark.parametrize("path", [b"/v1/chat/completions", b"/v1/models"])
@pytest.mark.parametrize(
    "lines",
    [
        (LOCAL,),
        (LOCAL, b"Sec-Fetch-Site: none"),
        (LOCAL, b"Sec-Fetch-Site: same-origin"),
        (b"Host: 127.0.0.1:8400",),
        (b"Host: [::1]:8400",),
        (b"Host: sidecar",),
        (b"Host: host.docker.internal:8400",),
        (b"Host: llm.team.svc.cluster.local",),
        (LOCAL, b"Origin: https://app.example"),
        (LOCAL, b"Origin: app://obsidian.md", b"Sec-Fetch-Site: cross-site"),
        (b"Host: app.example", b"Origin: https://app.example", b"Sec-Fetch-Site: same-origin"),
        (b"Host: anything.example", b"Origin: https://other.example", b"Authorization: Bearer " + KEY),
        (b"Host: anything.example", b"x-api-key: " + KEY),
    ],
)
async def test_who_is_no_page_notices_nothing(path: bytes, lines: tuple[bytes, ...]) -> None:
    method = b"POST" if b"chat" in path else b"GET"
    async with RawServer(answering(OK)) as server, shell(server.url, callers=CALLERS, pages=PAGES) as running:
        assert (await talk(running.port, head(method, path, *lines))).startswith(b"HTTP/1.1 200 ")


async def test_names_of_other_hosts_reach_a_sidecar_that_others_reach_too() -> None:
    async with RawServer(answering(OK)) as server, shell(server.url, pages=Pages()) as running:
        line = b"Host: llm.corp.example"
        assert (await talk(running.port, head(b"POST", b"/v1/chat/completions", line))).startswith(b"HTTP/1.1 200 ")


async def test_probes_are_asked_for_no_origin() -> None:
    async with RawServer(answering(OK)) as server, shell(server.url, pages=PAGES) as running:
        line = b"Host: node-7.corp.example:8400"
        assert (await talk(running.port, head(b"GET", b"/health", line))).startswith(b"HTTP/1.1 200 ")


async def test_no_page_spends_the_key_of_a_real_sidecar(tmp_path: Path) -> None:
    config = {"upstream": {"key": "sk-worth-money"}, "callers": {"origins": ["https://App.example"]}}
    async with RawServer(answering(OK)) as server:
        with processes.sidecar(tmp_path, server.url, config=config) as sidecar:
            for path, method in ((b"/v1/chat/completions", b"POST"), (b"/v1/models", b"GET")):
                answer = await talk(sidecar.port, head(method, path, LOCAL, b"Origin: https://evil.example"))
                assert b'"ORIGIN_NOT_ALLOWED"' in answer
                answer = await talk(sidecar.port, head(method, path, b"Host: evil.example"))
                assert b'"ORIGIN_NOT_ALLOWED"' in answer
            assert server.wires == []
            answer = await talk(sidecar.port, head(b"GET", b"/v1/models", LOCAL, b"Origin: https://app.example"))
            assert answer.startswith(b"HTTP/1.1 200 ")
            rows = sidecar.rows()
    assert [(row["state"], row["codes"]) for row in rows] == [("refused", ("ORIGIN_NOT_ALLOWED",))] * 2


async def test_model_lists_are_for_callers_and_probes_for_all(tmp_path: Path) -> None:
    config = {
        "upstream": {"key": "sk-worth-money", "kind": "vllm"},
        "callers": {"required": True, "keys": [{"sha256": hashlib.sha256(KEY).hexdigest(), "tenant": "acme"}]},
    }
    async with RawServer(answering(OK)) as server:
        with processes.sidecar(tmp_path, server.url, config=config) as sidecar:
            for path in (b"/v1/models", b"/v1/models/ft:gpt-4o:acme::id"):
                answer = await talk(sidecar.port, head(b"GET", path, LOCAL))
                assert answer.startswith(b"HTTP/1.1 401 ")
                assert b'"CALLER_UNKNOWN"' in answer
                assert server.wires == []
                known = await talk(sidecar.port, head(b"GET", path, LOCAL, b"Authorization: Bearer " + KEY))
                assert known.startswith(b"HTTP/1.1 200 ")
                server.wires.clear()
            for path in (b"/health", b"/metrics", b"/ping", b"/load", b"/version"):
                assert (await talk(sidecar.port, head(b"GET", path, LOCAL))).startswith(b"HTTP/1.1 200 ")
            assert sidecar.rows() == []
