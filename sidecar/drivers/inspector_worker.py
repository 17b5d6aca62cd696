"""The worker process of the inspector: texts in, spans out, on one socket (its standard input).

It exists so that a long text never holds the event loop's interpreter lock, and so that a detector that hangs can be
killed. Frames are a four-byte length and a body; a request is texts, each with its length; a reply is JSON. Nothing is
logged, nothing is kept.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

from sidecar.drivers.inspector_scan import fastest
from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.engine import Engine

LENGTH = struct.Struct("!I")
MOST_BYTES = 1 << 28


def encode_texts(texts: list[str]) -> bytes:
    blocks = [text.encode("utf-8", "surrogatepass") for text in texts]
    body = b"".join(LENGTH.pack(len(block)) + block for block in blocks)
    return LENGTH.pack(len(body)) + body


def decode_texts(body: bytes) -> Iterator[str]:
    at = 0
    while at < len(body):
        (size,) = LENGTH.unpack_from(body, at)
        at += LENGTH.size
        yield body[at : at + size].decode("utf-8", "surrogatepass")
        at += size


def settings_to_json(settings: Settings) -> dict[str, Any]:
    entities = None if settings.entities is None else sorted(settings.entities)
    return {"entities": entities, "mode": settings.mode.value, "countries": list(settings.countries)}


def settings_from_json(data: dict[str, Any]) -> Settings:
    entities = None if data["entities"] is None else frozenset(data["entities"])
    return Settings(entities=entities, mode=Mode(data["mode"]), countries=tuple(data["countries"]))


def _read(connection: socket.socket, size: int) -> bytes:
    blocks = []
    while size:
        block = connection.recv(min(size, 1 << 20))
        if not block:
            raise EOFError
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)


def _frame(connection: socket.socket) -> bytes:
    (size,) = LENGTH.unpack(_read(connection, LENGTH.size))
    if size > MOST_BYTES:
        raise EOFError
    return _read(connection, size)


def _reply(engine: Engine, body: bytes) -> bytes:
    """The spans of each text; an error is only its type's name, for its message may quote the text."""
    try:
        found = [engine.find(text) for text in decode_texts(body)]
    except Exception as error:  # noqa: BLE001  whatever a detector raises becomes a denied call in the parent
        return json.dumps({"error": type(error).__name__}).encode()
    return json.dumps({"found": found}).encode()


def serve(connection: socket.socket) -> None:
    engine = Engine(settings_from_json(json.loads(_frame(connection))), fastest()[1])
    connection.sendall(LENGTH.pack(2) + b"{}")
    while True:
        reply = _reply(engine, _frame(connection))
        connection.sendall(LENGTH.pack(len(reply)) + reply)


def main() -> None:
    with socket.socket(fileno=0) as connection:
        try:
            serve(connection)
        except (EOFError, ConnectionError, KeyboardInterrupt):
            return


if __name__ == "__main__":
    main()
