"""The upstream over TLS: only who the CA bundle vouches for, and connections are used again."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sidecar.drivers.upstream import UpstreamClient, UpstreamSettings
from sidecar.errors import UpstreamError
from sidecar.model import Outbound
from tests.captures import OK

CALL = Outbound(method="POST", target="/v1/x", headers=(), body=b"{}")


@asynccontextmanager
async def server(certificate: Path, connections: list[int], unasked: bytes = b"") -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n{}")
                writer.write(OK)
                if unasked:
                    await asyncio.sleep(0.02)
                    writer.write(unasked)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    finally:
        listener.close()
        await asyncio.sleep(0.05)


async def test_a_server_that_the_bundle_vouches_for(certificate: Path):
    connections: list[int] = []
    async with (
        server(certificate, connections) as url,
        UpstreamClient(UpstreamSettings(url=url, ca_file=str(certificate))) as upstream,
    ):
        for _ in range(3):
            async with upstream.send(CALL) as reply:
                assert await reply.read() == b"{}"
                assert await reply.read() == b""
    assert len(connections) == 1


async def test_a_reply_that_comes_unasked_is_nobodys(certificate: Path):
    """On the idle connection, where session tickets come unasked, too."""
    connections: list[int] = []
    async with (
        server(certificate, connections, unasked=OK.replace(b"{}", b"[]")) as url,
        UpstreamClient(UpstreamSettings(url=url, ca_file=str(certificate))) as upstream,
    ):
        for number in range(1, 4):
            async with upstream.send(CALL) as reply:
                assert await reply.read() == b"{}"
                assert await reply.read() == b""
            assert len(connections) == number
            await asyncio.sleep(0.1)


async def test_a_server_that_nobody_vouches_for(certificate: Path):
    async with server(certificate, []) as url, UpstreamClient(UpstreamSettings(url=url)) as upstream:
        with pytest.raises(UpstreamError) as raised:
            async with upstream.send(CALL):
                pass
    assert raised.value.code == "UPSTREAM_UNREACHABLE"
