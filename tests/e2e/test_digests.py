"""The digests in a record are of the bytes on the wire: of what came, was sent, came back and was answered."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

from sidecar.drivers.store_reader import Reader
from sidecar.ledger.record import view
from tests.captures import RawServer, Wire, connect
from tests.e2e import processes
from tests.e2e.test_bytes import EVENTS, ODD, PLAIN, REPLY, SSE, STREAMED, chunked, split, unchunked

MAIL = b"ann@example.org"
ASKED = ODD.replace(b"<div>", MAIL)
ECHO = REPLY.replace(b"<X_1>", b"<EMAIL_ADDRESS_1>")
SAID = EVENTS.replace(b"_ADDRESS_9>", b"_ADDRESS_1>")
CODED = b"Content-Encoding: gzip\r\n"

CASES: dict[str, tuple[bytes, bytes, bytes, bytes]] = {
    "nothing found": (ODD, b"", REPLY, PLAIN),
    "a value": (ASKED, b"", ECHO, PLAIN),
    "a value, streamed": (ASKED.replace(b"false", b"true"), b"", SAID, SSE),
    "coded, nothing found": (gzip.compress(STREAMED), CODED, gzip.compress(EVENTS), SSE + CODED),
    "coded, a value": (gzip.compress(ASKED), CODED, gzip.compress(ECHO), PLAIN + CODED),
}


def digested(body: bytes) -> dict[str, Any]:
    return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


async def test_the_record_has_the_digests_of_what_was_on_the_wire(tmp_path: Path) -> None:
    """Guarantee 2."""
    name = ""
    seen: list[bytes] = []

    async def play(wire: Wire) -> None:
        seen.append(await wire.message())
        _, _, reply, kind = CASES[name]
        stream = b"event-stream" in kind
        frame = b"Transfer-Encoding: chunked\r\n" if stream else b"Content-Length: %d\r\n" % len(reply)
        await wire.send(b"HTTP/1.1 200 OK\r\n%s%s\r\n%s" % (kind, frame, chunked(reply) if stream else reply))

    async with RawServer(play) as server:
        with processes.sidecar(tmp_path, server.url, config={"detection": {"names": False}}) as sidecar:
            for name, (body, headers, reply, _) in CASES.items():
                wire = await connect(sidecar.port)
                head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + PLAIN + headers
                await wire.send(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                answer_head, answer = split(await wire.rest())
                wire.close()
                answer, went = unchunked(answer_head, answer), split(seen[-1])[1]
                found = "value" in name
                assert (went == body) is not found and MAIL not in went, name
                assert (answer == reply) is not found and (MAIL in answer) is found, name
                with Reader.open(sidecar.state) as reader:
                    record = view(reader.record(sidecar.rows(1)[0]["id"]))
                assert record["input"] == digested(body), name
                assert record["dispatched"] == digested(went), name
                assert record["output"] == digested(reply), name
                assert record["answer"] == digested(answer), name
