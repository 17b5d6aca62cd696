"""A model server that costs next to nothing: canned replies, so that a benchmark measures the proxies in front of it.

`python tests/benchmarks/fast_upstream.py` prints its port. `x-chunks: N` in the request asks for a stream of N chunks,
`x-pace: MS` lets it pause so long between them, so that each chunk is read alone by whoever relays it.
"""

from __future__ import annotations

import asyncio
import json

CHUNK = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-1","system_fingerprint":"f",'
    b'"choices":[{"index":0,"delta":{"content":"%s"},"logprobs":null,"finish_reason":null}]}\n\n'
)
LAST = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-1","system_fingerprint":"f",'
    b'"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
TEXT = "Certainly. I have noted the details and will answer the customer within the day; nothing else is needed."
UNARY = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 20, "total_tokens": 220},
    }
).encode()
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(UNARY), UNARY)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


WORD = framed(CHUNK % b" word")
END = framed(LAST) + b"0\r\n\r\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            fields = dict(line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
            await reader.readexactly(int(fields.get(b"content-length", b"0")))
            chunks = int(fields.get(b"x-chunks", b"0"))
            if not chunks:
                writer.write(REPLY)
                continue
            writer.write(STREAM)
            pace = float(fields.get(b"x-pace", b"0")) / 1000
            for _ in range(chunks):
                if writer.transport.is_closing():
                    return
                writer.write(WORD)
                await asyncio.sleep(pace)
            writer.write(END)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 26)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
