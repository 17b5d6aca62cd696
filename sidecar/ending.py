"""The end of a stream: as it says itself (`data: [DONE]`, an error) or as its connection does, whichever is first."""

from __future__ import annotations

import asyncio

from sidecar.dialects import Reader
from sidecar.errors import UpstreamError
from sidecar.ports import Incoming

LATE = 1.0
"""Seconds for what a model server sends behind its own end. SDKs read nothing of that; they close the connection, and
some servers wait for it. The terminating chunk takes a round trip at most, so that the connection lives on."""


class Ending:
    """A reply that is over `LATE` seconds after it said so, whatever its connection does then: stays, or breaks."""

    __slots__ = ("_incoming", "_reader", "_until")

    def __init__(self, incoming: Incoming, reader: Reader) -> None:
        self._incoming = incoming
        self._reader = reader
        self._until = 0.0

    async def read(self) -> bytes:
        """The next bytes, b"" at the end. Raises UpstreamError."""
        if not self._reader.ended:
            return await self._incoming.read()
        self._until = self._until or asyncio.get_running_loop().time() + LATE
        try:
            async with asyncio.timeout_at(self._until):
                return await self._incoming.read()
        except (TimeoutError, UpstreamError):
            return b""
