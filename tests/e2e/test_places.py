"""Values of every supported type at every place a provider reads: none upstream, none in any sink, all of them back."""

from __future__ import annotations

import base64
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson
import pytest

from sidecar import cli
from tests.dialects import samples, shapes
from tests.e2e.processes import Sidecar, Stub

VALUES = {
    "e-mail": "zoe.kvist@example.org",
    "internal e-mail": "zoe.kvist@corp.internal",
    "phone": "+49 30 901820",
    "card": "4111 1111 1111 1111",
    "2-series card": "2221000000000009",
    "iban": "DE89370400440532013000",
    "ip": "203.0.113.77",
    "us ssn": "536-90-4399",
    "mac": "00:1A:2B:3C:4D:5E",
    "bitcoin": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
}
Body = dict[str, Any]
Place = Callable[[str], Body]


def chat(*messages: Any, **more: Any) -> Body:
    return {"messages": [*messages, {"role": "user", "content": "Go on."}], **more}


def said(role: str, content: Any, **more: Any) -> Any:
    return {"role": role, "content": content, **more}


def tool(**function: Any) -> Any:
    return [{"type": "function", "function": {"name": "send", **function}}]


def called(arguments: str) -> Any:
    call = {"id": "call_1", "type": "function", "function": {"name": "send", "arguments": arguments}}
    return [said("assistant", None, tool_calls=[call]), {"role": "tool", "tool_call_id": "call_1", "content": "sent"}]


def schema(value: str) -> Any:
    return {"type": "object", "properties": {"to": {"type": "string", "description": f"such as {value}"}}}


CHAT: dict[str, Place] = {
    "system": lambda v: chat(said("system", f"You work for {v}.")),
    "user": lambda v: chat(said("user", f"I am {v}!")),
    "stop": lambda v: chat(stop=[v]),
    "tool parameter": lambda v: chat(tools=tool(parameters=schema(v))),
    "tool call arguments": lambda v: chat(*called(orjson.dumps({"to": v, "n": 1}).decode())),
    "nested tool call arguments": lambda v: chat(
        *called(orjson.dumps({"payload": orjson.dumps({"to": [v]}).decode()}).decode())
    ),
    "key in tool call arguments": lambda v: chat(*called(orjson.dumps({v: True}).decode())),
    "arguments that are no JSON": lambda v: chat(*called(f"to={v}")),
    "tool result": lambda v: chat(
        *called("{}")[:1], {"role": "tool", "tool_call_id": "call_1", "content": f"found {v}"}
    ),
    "JSON tool result": lambda v: chat(
        *called("{}")[:1], {"role": "tool", "tool_call_id": "call_1", "content": orjson.dumps([{"to": v}]).decode()}
    ),
}
COMPLETION: dict[str, Place] = {
    "prompt": lambda v: {"prompt": f"Write to {v}."},
}
EMBEDDING: dict[str, Place] = {
    "input": lambda v: {"input": f"{v} wrote"},
}
PLACES = (
    [("/chat/completions", name, place) for name, place in CHAT.items()]
    + [("/completions", name, place) for name, place in COMPLETION.items()]
    + [("/embeddings", name, place) for name, place in EMBEDDING.items()]
)


def text_of(path: str, reply: Body) -> str:
    """What the caller reads: the echoed request, as the reply's text."""
    return "\n".join(
        (choice["message"]["content"] if path == "/chat/completions" else choice["text"]) for choice in reply["choices"]
    )


async def last_seen(session: aiohttp.ClientSession, stub: Stub) -> str:
    async with session.get(f"{stub.url}/stub/requests") as reply:
        request = (await reply.json())["requests"][-1]
    raw = base64.b64decode(request["raw"]).decode()
    return raw + "\n".join(value for _, value in request["headers"])


@pytest.mark.parametrize(("path", "name", "place"), PLACES, ids=[f"{path} {name}" for path, name, _ in PLACES])
async def test_no_value_goes_upstream_and_each_comes_back(
    stub: Stub, sidecar: Sidecar, path: str, name: str, place: Place
) -> None:
    async with aiohttp.ClientSession() as session:
        for kind, value in VALUES.items():
            body = {"model": "stub-echo", **place(value)}
            async with session.post(sidecar.base + path, json=body) as reply:
                assert reply.status == 200, (kind, await reply.text())
                answered = await reply.json()
            seen = await last_seen(session, stub)
            assert value not in seen, kind
            assert value.replace(" ", "") not in seen.replace(" ", ""), kind
            if path == "/embeddings":
                continue
            echoed = text_of(path, answered)
            assert value in echoed, kind
            if path == "/chat/completions":
                assert orjson.loads(echoed) == body, kind


PATHS = {samples.CHAT: "/chat/completions", samples.COMPLETION: "/completions", samples.EMBEDDING: "/embeddings"}


async def test_no_value_leaves_from_any_place_of_the_sdks_bodies(stub: Stub, sidecar: Sidecar) -> None:
    """All of them are tried in one process (tests/exchange/test_shapes.py); here by the default policy, for real."""
    value, states = VALUES["internal e-mail"], set()
    async with aiohttp.ClientSession() as session:
        for name, dialect, tree in shapes.requests(value):
            body = {**tree, "model": "stub-echo"} if tree.get("model") in ("x", "m") else tree
            async with session.post(sidecar.base + PATHS[dialect], json=body) as reply:
                answered = await reply.json()
            code = answered.get("error", {}).get("code")
            states.add(code)
            if code in ("BODY_INVALID", "UNINSPECTABLE_CONTENT"):
                continue
            assert value not in await last_seen(session, stub), name
            if dialect is samples.CHAT and code is None:
                assert orjson.loads(text_of("/chat/completions", answered)) == body, name
    assert states == {"BODY_INVALID", "UNINSPECTABLE_CONTENT", "stub", None}


@pytest.mark.parametrize("place", ["user", "tool call arguments", "nested tool call arguments"])
async def test_streams_bring_each_value_back_whole(stub: Stub, sidecar: Sidecar, place: str) -> None:
    async with aiohttp.ClientSession() as session:
        for kind, value in VALUES.items():
            body = {"model": "stub-echo", "stream": True, **CHAT[place](value)}
            pieces = []
            async with session.post(f"{sidecar.base}/chat/completions", json=body) as reply:
                async for line in reply.content:
                    if line.startswith(b"data: {"):
                        pieces += [c["delta"].get("content") or "" for c in orjson.loads(line[6:])["choices"]]
            assert value not in await last_seen(session, stub), kind
            assert orjson.loads("".join(pieces)) == body, kind


@pytest.mark.parametrize("where", ["query", "header"])
async def test_no_value_goes_upstream_beside_the_body(stub: Stub, sidecar: Sidecar, where: str) -> None:
    async with aiohttp.ClientSession() as session:
        for kind, value in VALUES.items():
            beside = {"params": {"user": value}} if where == "query" else {"headers": {"X-End-User": value}}
            body = {"model": "stub-model", **chat()}
            async with session.post(f"{sidecar.base}/chat/completions", json=body, **beside) as reply:
                assert reply.status == 200, (kind, await reply.text())
            async with session.get(f"{stub.url}/stub/requests") as reply:
                request = (await reply.json())["requests"][-1]
            seen = urllib.parse.unquote_plus(orjson.dumps(request).decode())
            assert value not in seen, kind
            assert "_1>" in seen, kind


IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
Sent = tuple[str, bytes, dict[str, str], int]


def text(value: str) -> bytes:
    return orjson.dumps({"model": "stub-model", **chat(said("user", f"I am {value}"))})


REFUSED: dict[str, Callable[[str], Sent]] = {
    "by policy": lambda v: (
        "/chat/completions",
        orjson.dumps({"model": "m", **chat(said("user", [{"type": "text", "text": f"I am {v}"}, IMAGE]))}),
        {},
        403,
    ),
    "truncated": lambda v: ("/chat/completions", text(v)[:-2], {}, 400),
    "wrong type": lambda v: ("/chat/completions", orjson.dumps({"model": "m", "messages": v}), {}, 400),
    "key twice": lambda v: ("/chat/completions", text(v)[:-1] + b',"messages":[]}', {}, 400),
    "value as key, twice": lambda v: ("/chat/completions", f'{{"{v}":1,"{v}":2}}'.encode(), {}, 400),
    "not JSON": lambda v: ("/chat/completions", v.encode(), {}, 400),
    "own header": lambda v: ("/chat/completions", text(v), {"x-sidecar-hint": v}, 400),
    "coding": lambda v: ("/chat/completions", text(v), {"Content-Encoding": v}, 415),
    "unknown path": lambda v: (f"/{v}", text(v), {}, 404),
    "garbage from the model server": lambda v: ("/chat/completions", text(v), {"x-stub-behaviour": "garbage"}, 502),
    "dies in the head": lambda v: ("/chat/completions", text(v), {"x-stub-behaviour": "die-head"}, 502),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_no_error_body_holds_a_value(stub: Stub, sidecar: Sidecar, name: str) -> None:
    async with aiohttp.ClientSession() as session:
        for kind, value in VALUES.items():
            path, body, headers, status = REFUSED[name](value)
            async with session.post(sidecar.base + path, data=body, headers=headers) as reply:
                answer = await reply.text()
                assert reply.status == status, (kind, answer)
            told = answer + str(reply.headers)
            assert value not in told and value.replace(" ", "") not in told, kind


def test_no_sink_holds_a_value(sidecar: Sidecar, capsys: pytest.CaptureFixture[str]) -> None:
    """After all of the above: ledger files, log, metrics, records as an officer sees them, with their policy input."""
    with urllib.request.urlopen(f"{sidecar.admin}/metrics") as page:
        sinks = {"metrics": page.read()}
    sinks |= {path.name: path.read_bytes() for path in sidecar.state.rglob("*") if path.is_file()}
    sinks["log"] = sidecar.output().encode()
    sinks["query"] = sidecar.audit("query", "--json", "--limit", "100000").stdout.encode()
    shown = sidecar.rows()[::40]
    assert {row["state"] for row in shown} > {"answered", "refused"}
    for record in (row["id"] for row in shown):
        assert cli.main(["audit", "show", record, "--json", "--state", str(sidecar.state)]) == 0
        sinks[record] = capsys.readouterr().out.encode()
    assert len(sinks["log"]) > 1000
    for name, content in sinks.items():
        for kind, value in VALUES.items():
            assert value.encode() not in content, (name, kind)
