"""`python -m sidecar.stub`: run the stub, print where as a JSON line, until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from sidecar.stub.behaviours import NAMES
from sidecar.stub.server import Rule, Stub, runner_of

EPILOG = "behaviours (x-stub-behaviour header, metadata.stub, or model stub-NAME):\n" + "\n".join(
    f"  {name:15} {text}" for name, text in NAMES.items()
)


def parser() -> argparse.ArgumentParser:
    told = argparse.ArgumentParser(
        prog="python -m sidecar.stub",
        description="A stub model server: real HTTP, no model. For tests and demonstrations.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    told.add_argument("--host", default="127.0.0.1")
    told.add_argument("--port", type=int, default=8001, help="0 takes any free one")
    told.add_argument("--uds", metavar="PATH", help="listen on a Unix socket instead")
    told.add_argument("--pace", type=float, default=0.0, metavar="MS", help="milliseconds between pieces of a stream")
    told.add_argument("--script", type=Path, metavar="FILE", help='JSON: [{"match": "...", "text": "..."}, ...]')
    return told


async def run(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    stub = Stub(pace=options.pace / 1000, rules=rules_of(options.script))
    runner = runner_of(stub)
    await runner.setup()
    try:
        sys.stdout.write(json.dumps(await listen(runner, options)) + "\n")
        sys.stdout.flush()
        await stopped()
    finally:
        await runner.cleanup()


async def listen(runner: web.AppRunner, options: argparse.Namespace) -> dict[str, object]:
    if options.uds:
        await web.UnixSite(runner, options.uds).start()
        return {"uds": options.uds, "url": f"unix:{options.uds}", "stub": True}
    site = web.TCPSite(runner, options.host, options.port, backlog=1024)
    await site.start()
    return {"port": site.port, "url": f"http://{options.host}:{site.port}", "stub": True}


async def stopped() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def rules_of(path: Path | None) -> Sequence[Rule]:
    if path is None:
        return ()
    return [Rule(rule["match"], rule["text"]) for rule in json.loads(path.read_text("utf-8"))]


def main(arguments: Sequence[str] | None = None) -> None:
    with suppress(KeyboardInterrupt):
        try:
            asyncio.run(run(parser().parse_args(arguments)))
        except OSError as error:
            sys.exit(f"The stub cannot start: {error.strerror or error}")


if __name__ == "__main__":
    main()
