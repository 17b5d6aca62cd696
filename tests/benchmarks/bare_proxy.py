"""The yardstick of all benchmarks: an aiohttp pass-through with the sidecar's session settings, and nothing else.

`python tests/benchmarks/bare_proxy.py --upstream http://127.0.0.1:8001 --port 0` prints its port as a JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

HOP_BY_HOP = frozenset({"connection", "host", "keep-alive", "transfer-encoding"})


class Bare:
    """Reads the body, sends it on, writes back what comes."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream

    async def session(self, _: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=2000, keepalive_timeout=4),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=900),
        ) as self._session:
            yield

    async def relay(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        async with self._session.request(
            request.method, self._upstream + request.raw_path, headers=kept(request.headers), data=body or None
        ) as reply:
            response = web.StreamResponse(status=reply.status, headers=kept(reply.headers))
            await response.prepare(request)
            async for data in reply.content.iter_any():
                await response.write(data)
            await response.write_eof()
            return response

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.cleanup_ctx.append(self.session)
        app.router.add_route("*", "/{path:.*}", self.relay)
        return app


def kept(headers: aiohttp.typedefs.LooseHeaders) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP]


@asynccontextmanager
async def bare_proxy(upstream: str, port: int = 0) -> AsyncIterator[int]:
    """Runs one; yields its port."""
    runner = web.AppRunner(
        Bare(upstream).app(), handler_cancellation=True, access_log=None, auto_decompress=False, shutdown_timeout=0.5
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        yield site.port
    finally:
        await runner.cleanup()


async def main(upstream: str, port: int) -> None:
    async with bare_proxy(upstream, port) as bound:
        print(json.dumps({"port": bound}), flush=True)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--upstream", required=True)
    options.add_argument("--port", type=int, default=0)
    given = options.parse_args()
    asyncio.run(main(given.upstream, given.port))
