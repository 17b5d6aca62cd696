"""The stub's routes, and the sending of replies, well or badly."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import web

from sidecar.stub import chat, flat, told
from sidecar.stub.behaviours import Manner, manner
from sidecar.stub.recorder import Recorder, opened
from sidecar.stub.told import Json, Wrong

SERVER = "sidecar-stub"
BODY_LIMIT = 256 * 1024 * 1024
HTML = b"<!DOCTYPE html><html><body><h1>Hello</h1></body></html>"
NEVER = 24 * 3600.0
MISREAD = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What a field of the wrong type makes of answering: the caller's fault, as with a real server."""


class Rule(NamedTuple):
    """Of a script: the first rule whose `match` occurs in the last message gives the text."""

    match: str
    text: str


class Reply(NamedTuple):
    """An answer made up: the whole of it, or its chunks."""

    whole: Callable[[], Json]
    chunks: Callable[[], Iterator[Json]] | None


@dataclass(slots=True, kw_only=True)
class Stub:
    """The server's state. `pace` is seconds between the pieces of a stream."""

    pace: float = 0.0
    rules: Sequence[Rule] = ()
    recorder: Recorder = field(default_factory=Recorder)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=BODY_LIMIT, middlewares=[enveloped])
        app.on_response_prepare.append(signed)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_post("/v1/completions", self.completions)
        app.router.add_post("/v1/embeddings", self.embeddings)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/v1/models/{model:.+}", self.model)
        app.router.add_get("/metrics", self.metrics)
        for path in ("/health", "/ping"):
            app.router.add_get(path, self.health)
        app.router.add_get("/version", self.version)
        app.router.add_get("/load", self.load)
        app.router.add_get("/stub/requests", self.requests)
        app.router.add_delete("/stub/requests", self.clear)
        app.router.add_get("/stub/aborts", self.aborts)
        return app

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body, raw, how = await self._read(request)
        made = chat.answered(body, raw, how, self._scripted(told.last_told(told.messages_of(body))))
        return await self._send(request, body, how, Reply(lambda: chat.unary(made), lambda: chat.chunks(made)))

    async def completions(self, request: web.Request) -> web.StreamResponse:
        body, raw, how = await self._read(request)
        texts = flat.texts_of(body, raw, how, self._scripted("\n".join(flat.prompts_of(body))))
        reply = Reply(lambda: flat.completion(body, raw, texts), lambda: flat.chunks(body, raw, texts))
        return await self._send(request, body, how, reply)

    async def embeddings(self, request: web.Request) -> web.StreamResponse:
        body, _, how = await self._read(request)
        return await self._send(request, body, how, Reply(lambda: flat.embeddings(body), None))

    async def models(self, request: web.Request) -> web.Response:
        self._seen(request)
        return as_json({"object": "list", "data": [model_card(told.MODEL), model_card("stub-echo")]})

    async def model(self, request: web.Request) -> web.Response:
        self._seen(request)
        return as_json(model_card(request.match_info["model"]))

    async def health(self, request: web.Request) -> web.Response:
        self._seen(request)
        return web.Response()

    async def version(self, _: web.Request) -> web.Response:
        return as_json({"version": SERVER})

    async def load(self, _: web.Request) -> web.Response:
        return as_json({"server_load": 0})

    async def metrics(self, request: web.Request) -> web.Response:
        self._seen(request)
        text = f"# TYPE stub_requests_total counter\nstub_requests_total {self.recorder.total}\n"
        return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4"})

    async def requests(self, request: web.Request) -> web.Response:
        return as_json(self.recorder.requests(int(request.query.get("last", "1"))))

    async def clear(self, _: web.Request) -> web.Response:
        self.recorder.clear()
        return as_json({})

    async def aborts(self, _: web.Request) -> web.Response:
        return as_json(self.recorder.aborts())

    def _seen(self, request: web.Request, raw: bytes = b"") -> None:
        self.recorder.request(request.method, request.raw_path, request.raw_headers, raw)

    async def _read(self, request: web.Request) -> tuple[Json, bytes, Manner]:
        raw = await request.read()
        self._seen(request, raw)
        plain = opened(raw, request.headers.get("Content-Encoding", ""))
        try:
            body = json.loads(plain)
        except ValueError:
            raise Wrong("the body is not JSON") from None
        if not isinstance(body, dict):
            raise Wrong("the body is not an object")
        return body, plain, manner(request.headers, body, self.pace)

    def _scripted(self, said: str) -> str | None:
        return next((rule.text for rule in self.rules if rule.match in said), None)

    async def _send(self, request: web.Request, body: Json, how: Manner, reply: Reply) -> web.StreamResponse:
        sent = Sending(request, how)
        try:
            early = await misbehave(request, how, body)
            if early is not None:
                return early
            if body.get("stream") and reply.chunks is not None:
                return await sent.stream(reply.chunks())
            return await sent.whole(reply.whole())
        except (asyncio.CancelledError, ConnectionError):
            self.recorder.abort(request.path, sent.pieces)
            raise


class Sending:
    """One reply on its way; `pieces` counts what has been written."""

    def __init__(self, request: web.Request, how: Manner) -> None:
        self._request = request
        self._how = how
        self._coding: zlib._Compress | None = None
        self.pieces = 0

    @property
    def _gzipped(self) -> bool:
        return "gzip" in self._how and "gzip" in self._request.headers.get("Accept-Encoding", "")

    async def whole(self, value: Json) -> web.StreamResponse:
        how = self._how
        data = encoded(value, how)
        if how.pace:
            await asyncio.sleep(how.pace)
        if "hang-stream" in how or "die-stream" in how or "short" in how:
            return await self._half(data)
        if "truncated" in how:
            data = data[: len(data) // 2]
        headers = {"Content-Type": "text/plain" if "wrong-type" in how else "application/json"}
        if self._gzipped:
            headers["Content-Encoding"] = "gzip"
            data = gzip.compress(data, mtime=0)
        self.pieces = 1
        return web.Response(body=data, headers=headers)

    async def _half(self, data: bytes) -> web.StreamResponse:
        """The first half of what Content-Length promises."""
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(data))})
        await response.prepare(self._request)
        await response.write(data[: len(data) // 2])
        return await self._break(response)

    async def stream(self, chunks: Iterator[Json]) -> web.StreamResponse:
        kind = "text/plain" if "wrong-type" in self._how else "text/event-stream; charset=utf-8"
        response = web.StreamResponse(headers={"Content-Type": kind, "Cache-Control": "no-cache"})
        if self._gzipped:
            response.headers["Content-Encoding"] = "gzip"
            self._coding = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
        await response.prepare(self._request)
        if "whole" in self._how:
            await self._write(response, b"".join(map(self._event, chunks)) + self._done(), last=True)
            return response
        for chunk in chunks:
            await self._write(response, self._event(chunk))
            self.pieces += 1
            if self.pieces == self._how.after and self._breaks:
                return await self._break(response)
            await asyncio.sleep(self._how.pace)
        await self._write(response, self._done(), last=True)
        return response

    @property
    def _breaks(self) -> bool:
        return bool(self._how.names & {"hang-stream", "die-stream", "error-stream", "short", "truncated"})

    async def _break(self, response: web.StreamResponse) -> web.StreamResponse:
        await asyncio.sleep(0.02)  # let what was written go out
        if "hang-stream" in self._how:
            await asyncio.sleep(NEVER)
        if "truncated" in self._how:
            await response.write(b'data: {"id":"chatcm')
            return response
        if "error-stream" in self._how:
            await response.write(self._event(envelope("The stub was asked to fail.", "server_error", "stub")))
            return response
        cut(self._request)
        return response

    def _event(self, value: Json) -> bytes:
        end = b"\r\n" if "crlf" in self._how else b"\n"
        event = b"data: " + encoded(value, self._how) + end + end
        if "comments" in self._how:
            return b": the stub is alive" + end + end + b": and well" + end + b"retry: 1000" + end + event
        return event

    def _done(self) -> bytes:
        if "no-done" in self._how:
            return b""
        return b"data: [DONE]\r\n\r\n" if "crlf" in self._how else b"data: [DONE]\n\n"

    async def _write(self, response: web.StreamResponse, data: bytes, *, last: bool = False) -> None:
        if self._coding is not None:
            data = self._coding.compress(data) + self._coding.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
        if "bytewise" not in self._how:
            await response.write(data)
            return
        for at in range(len(data)):
            await response.write(data[at : at + 1])
            await asyncio.sleep(0)


async def misbehave(request: web.Request, how: Manner, body: Json) -> web.StreamResponse | None:
    """What is answered instead of a reply, if anything."""
    if "hang-head" in how:
        await asyncio.sleep(NEVER)
    if "die-head" in how:
        cut(request)
        return web.Response()
    if "not-http" in how:
        return raw_bytes(request, b"This is not HTTP.\r\n\r\n")
    if "redirect" in how:
        return web.Response(status=302, headers={"Location": "/v1/models"})
    if "html" in how or "html-502" in how:
        return web.Response(status=502 if "html-502" in how else 200, body=HTML, content_type="text/html")
    if "garbage" in how:
        return web.Response(body=b'{"id": garbage \xff\xfe}', content_type="application/json")
    return error_asked(how, body)


def error_asked(how: Manner, body: Json) -> web.Response | None:
    for status, kind in ((400, "invalid_request_error"), (429, "rate_limit_error"), (500, "server_error")):
        if f"error-{status}" in how:
            said = told.last_told(told.messages_of(body)) if "messages" in body else ""
            headers = {"Retry-After": "1"} if status == 429 else None
            return as_json(envelope(f"The stub was asked to fail, and told: {said}", kind, "stub"), status, headers)
    return None


def raw_bytes(request: web.Request, data: bytes) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(data)
    request.transport.close()
    return web.Response()


def cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def encoded(value: Json, how: Manner) -> bytes:
    """JSON as bytes. Half a pair is put where the text ends, as the escape that a careless server writes."""
    if "lone-surrogate" in how:
        value = with_half_a_pair(value)
        return json.dumps(value, separators=(",", ":")).encode()
    return told.compact(value).encode("utf-8", "replace")


def with_half_a_pair(value: Json) -> Json:
    for choice in value.get("choices", ()):
        holder: dict[str, Any] = choice.get("message") or choice.get("delta") or choice
        for name in ("content", "text"):
            if holder.get(name):
                holder[name] += "\ud83d"
    return value


def model_card(name: str) -> Json:
    return {"id": name, "object": "model", "created": told.CREATED, "owned_by": SERVER}


def envelope(message: str, kind: str, code: str) -> Json:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def as_json(value: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    data = told.compact(value).encode("utf-8", "replace")
    return web.Response(body=data, status=status, headers={"Content-Type": "application/json", **(headers or {})})


def runner_of(stub: Stub) -> web.AppRunner:
    """Ready to be set up: callers who leave are noticed, bodies are kept as they came."""
    return web.AppRunner(
        stub.app(), handler_cancellation=True, auto_decompress=False, access_log=None, shutdown_timeout=0.5
    )


@web.middleware
async def enveloped(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    """Errors in the API's envelope."""
    try:
        response: web.StreamResponse = await handler(request)
    except Wrong as wrong:
        return as_json(envelope(str(wrong), "invalid_request_error", "stub"), 400)
    except MISREAD as fault:
        what = f"a field, header or query is not what it should be ({type(fault).__name__})"
        return as_json(envelope(what, "invalid_request_error", "stub"), 400)
    except web.HTTPException as error:
        return as_json(envelope(error.reason, "invalid_request_error", "stub"), error.status)
    return response


async def signed(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER
