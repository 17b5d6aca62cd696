"""The baseline: a bare aiohttp pass-through with the sidecar's own session and server settings, and nothing else.

`python tests/benchmarks/bare_proxy.py UPSTREAM` prints its port.
"""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp
from aiohttp import web

OURS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


async def main(upstream: str) -> None:
    connector = aiohttp.TCPConnector(limit=2000, keepalive_timeout=4.0)
    session = aiohttp.ClientSession(
        connector=connector, auto_decompress=False, skip_auto_headers=OURS, timeout=aiohttp.ClientTimeout(total=None)
    )

    async def relay(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length")}
        async with session.request(request.method, upstream + request.path_qs, headers=headers, data=body) as reply:
            kept = {k: v for k, v in reply.headers.items() if k.lower() not in ("transfer-encoding", "connection")}
            answer = web.StreamResponse(status=reply.status, headers=kept)
            await answer.prepare(request)
            while data := await reply.content.readany():
                await answer.write(data)
            await answer.write_eof()
            return answer

    runner = web.ServerRunner(web.Server(relay, handler_cancellation=True, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps({"port": site.port}), flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await session.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
