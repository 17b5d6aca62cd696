"""With nothing to redact, what the model server gets and what the caller gets are the bytes that were sent."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import aiohttp
import orjson

from tests.captures import RawServer, Wire, connect
from tests.e2e import processes

ODD = (
    b'{ "model" : "m",\t"messages":[ {"role":"user",'
    b'"content":"caf\\u00e9 \xe2\x82\xac \\/ \\ud83d\\ude00 a < b <div>"} ],\n'
    b'"temperature": 0.70, "top_p":1.0e0,"seed":-0, "zzz":{"b":1,"a":[1.50,12345678901234567890123]},"stream":false }  '
)
STREAMED = ODD.replace(b"false", b"true")
REPLY = (
    b'{"id":"c","choices":[ {"index":0,"message":{"role":"assistant","content":"\\u003cb\\u003e \xc3\xa9 <X_1> 5.0"},'
    b'"finish_reason":"stop"} ],"unknown":[1.0,1e3,-0.0],"usage":{"prompt_tokens":1}, "model":"m"}\n'
)
EVENTS = (
    b": hello\r\n\r\n"
    b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"model":"m"}\r\n\r\n'
    b"event: x\r\nid: 7\r\n"
    b'data:{"choices":[{"index":0,"delta":{"content":"caf\\u00e9 <EMAIL"},"finish_reason":null}]}\r\n\r\n'
    b'data: {"choices":[{"index":0,"delta":{"content":"_ADDRESS_9> "},"finish_reason":null}],"p":0.70}\r\n\r\n'
    b": still here\r\n\r\n"
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\n\r\n'
    b"data: [DONE]\r\n\r\n"
)
PLAIN = b"Content-Type: application/json\r\n"
SSE = b"Content-Type: text/event-stream; charset=utf-8\r\n"

CASES: dict[str, tuple[bytes, bytes, bytes, bytes]] = {
    "unary": (ODD, b"", REPLY, PLAIN),
    "stream": (STREAMED, b"", EVENTS, SSE),
    "gzip request": (gzip.compress(ODD), b"Content-Encoding: gzip\r\n", REPLY, PLAIN),
    "deflate request": (zlib.compress(ODD), b"Content-Encoding: deflate\r\n", REPLY, PLAIN),
    "gzip reply": (ODD, b"Accept-Encoding: gzip\r\n", gzip.compress(REPLY), PLAIN + b"Content-Encoding: gzip\r\n"),
    "gzip stream": (STREAMED, b"Accept-Encoding: gzip\r\n", gzip.compress(EVENTS), SSE + b"Content-Encoding: gzip\r\n"),
    "error reply": (ODD, b"", b'{"error": {"message":"no such  model","type":"x","code":null}}', PLAIN),
}


def split(message: bytes) -> tuple[bytes, bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    return head, body


def unchunked(head: bytes, body: bytes) -> bytes:
    if b"chunked" not in head.lower():
        return body
    out = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        out += rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]
    return out


def chunked(body: bytes) -> bytes:
    """Cut where it hurts: in the middle of lines."""
    pieces = [body[i : i + 37] for i in range(0, len(body), 37)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


async def test_bytes_are_the_same_both_ways(tmp_path: Path) -> None:
    name = ""

    async def play(wire: Wire) -> None:
        message = await wire.message()
        _, _, reply, kind = CASES[name]
        status = b"400 Bad Request" if name == "error reply" else b"200 OK"
        if b"event-stream" in kind:
            frame, body = b"Transfer-Encoding: chunked\r\n", chunked(reply)
        else:
            frame, body = b"Content-Length: %d\r\n" % len(reply), reply
        await wire.send(b"HTTP/1.1 %s\r\n%s%sX-Up: Yes\r\n\r\n%s" % (status, kind, frame, body))
        seen.append(message)

    seen: list[bytes] = []
    async with RawServer(play) as server:
        # What a model takes for a name changes with the model; what is tested here is a call in which nothing is found.
        with processes.sidecar(tmp_path, server.url, config={"detection": {"names": False}}) as sidecar:
            port = int(sidecar.base.split(":")[2].split("/")[0])
            for name, (body, headers, reply, _) in CASES.items():
                wire = await connect(port)
                head = b"POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: a\r\nX-Odd-CASE: v\r\nConnection: close\r\n"
                await wire.send(head + PLAIN + headers + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                answer_head, answer = split(await wire.rest())
                wire.close()
                up_head, up_body = split(seen[-1])
                assert up_body == body, name
                assert unchunked(answer_head, answer) == reply, name
                assert up_head.startswith(b"POST /v1/chat/completions?x=1 HTTP/1.1\r\n")
                assert b"\r\nX-Odd-CASE: v\r\n" in up_head
                assert b"\r\nX-Up: Yes" in answer_head
                assert b"x-sidecar-record: " in answer_head
                assert b"x-sidecar" not in up_head


LARGEST = 64 * 1024 * 1024


async def test_the_largest_body_is_read_and_rewritten_both_ways(tmp_path: Path) -> None:
    """A value at either end of 64 MiB; one byte more is refused. With the names model, as it is without a setting."""
    start, end = b'{"model":"m","messages":[{"role":"user","content":"ana@corp.example ', b' bob@corp.example"}]}'
    body = (start + b"and so on. " * (LARGEST // 11)).ljust(LARGEST - len(end), b".")[: LARGEST - len(end)] + end
    seen: list[bytes] = []

    async def play(wire: Wire) -> None:
        _, got = split(await wire.message())
        text = orjson.loads(got)["messages"][0]["content"]
        seen.append(text[:30].encode() + text[-30:].encode())
        message = {"role": "assistant", "content": text[:100] + text[200:]}  # a reply's frame is longer
        reply = orjson.dumps({"choices": [{"index": 0, "message": message}]})
        await wire.send(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (PLAIN, len(reply), reply))

    async with RawServer(play) as server, aiohttp.ClientSession() as session:
        with processes.sidecar(tmp_path, server.url) as sidecar:
            for sent, status in ((body, 200), (body + b" ", 413)):
                async with session.post(f"{sidecar.base}/chat/completions", data=io.BytesIO(sent)) as reply:
                    assert reply.status == status
                    answer = await reply.json()
                if status == 200:
                    text = answer["choices"][0]["message"]["content"]
                    assert text[:17] + text[-17:] == "ana@corp.example  bob@corp.example"
                    assert len(text) == len(body) - len(start) - len(end) + 34 - 100
    assert [b"@corp.example" in text for text in seen] == [False]
