"""Exact bytes on a socket, both ways: a raw server that records and plays a script, and a raw client.

Nothing here knows aiohttp, so that what is asserted is what was on the wire.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

PATIENCE = 10.0


class Wire:
    """One end of a connection; `received` is every byte that came, `gone_at` when the other side went away."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.received = bytearray()
        self.gone_at: float | None = None

    async def some(self) -> bytes:
        """The next bytes, b"" when the other side is gone."""
        try:
            data = await asyncio.wait_for(self._reader.read(65536), PATIENCE)
        except ConnectionError:
            data = b""
        if not data and self.gone_at is None:
            self.gone_at = time.perf_counter()
        self.received += data
        return data

    async def until(self, mark: bytes, start: int = 0) -> int:
        """Read until `mark` has come; returns where it ends in `received`."""
        while (at := self.received.find(mark, start)) < 0:
            if not await self.some():
                raise EOFError(f"gone before {mark!r}")
        return at + len(mark)

    async def message(self, start: int = 0) -> bytes:
        """One whole HTTP message from `start` on: head, and body by Content-Length or chunks."""
        body = await self.until(b"\r\n\r\n", start)
        end = await self._end(bytes(self.received[start:body]).lower(), body)
        return bytes(self.received[start:end])

    async def _end(self, head: bytes, body: int) -> int:
        if b"transfer-encoding: chunked" in head:
            return await self.until(b"0\r\n\r\n", body - 2 if body else 0)
        size = 0
        for line in head.split(b"\r\n"):
            if line.startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        while len(self.received) < body + size:
            if not await self.some():
                raise EOFError("gone inside the body")
        return body + size

    async def rest(self) -> bytes:
        """Everything until the other side is gone."""
        while await self.some():
            pass
        return bytes(self.received)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def end(self) -> None:
        """Nothing more will be sent; what comes is still read."""
        self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()

    def hang_up(self) -> None:
        """Close the socket this instant, without a turn of the event loop."""
        self._writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def abort(self) -> None:
        self._writer.transport.abort()


Play = Callable[[Wire], Awaitable[None]]


class RawServer:
    """Plays `play` on every connection. `port` (or `path`) is where; `wires` are the connections so far."""

    def __init__(self, play: Play, path: Path | None = None) -> None:
        self._play = play
        self.path = path
        self.port = 0
        self.wires: list[Wire] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"unix:{self.path}" if self.path else f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> RawServer:
        if self.path:
            self._server = await asyncio.start_unix_server(self._serve, str(self.path))
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for wire in self.wires:
            wire.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        wire = Wire(reader, writer)
        self.wires.append(wire)
        with suppress(ConnectionError, EOFError, asyncio.CancelledError):
            await self._play(wire)
        wire.close()


async def connect(port: int | None = None, path: str | None = None) -> Wire:
    """A raw client's end."""
    if path:
        return Wire(*await asyncio.open_unix_connection(path))
    return Wire(*await asyncio.open_connection("127.0.0.1", port))


async def talk(port: int, data: bytes) -> bytes:
    """Send these bytes, then everything that comes back until the server closes."""
    wire = await connect(port)
    await wire.send(data)
    try:
        return await wire.rest()
    finally:
        wire.close()


async def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> float:
    """Wait for it; returns how long that took. Raises TimeoutError."""
    start = time.perf_counter()
    while not condition():
        if time.perf_counter() - start > seconds:
            raise TimeoutError
        await asyncio.sleep(0.002)
    return time.perf_counter() - start


def answering(reply: bytes) -> Play:
    """A server that answers every request on a connection with the same bytes."""

    async def play(wire: Wire) -> None:
        at = 0
        while True:
            at += len(await wire.message(at))
            await wire.send(reply)

    return play


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
