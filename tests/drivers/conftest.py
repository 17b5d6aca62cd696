"""Servers for the tests of policy engines: a real OPA with the default bundle, and one that follows a script."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from sidecar.drivers.rego_engine import default_bundle
from tests.drivers import opa_process
from tests.drivers.engines_kit import Handler, Start


@pytest.fixture(scope="session")
def default_url() -> Iterator[str]:
    with opa_process.serving(default_bundle().raw) as url:
        yield url


@pytest.fixture
async def scripted() -> AsyncIterator[Start]:
    """Starts a server on a Unix socket that answers as it is told to."""
    with tempfile.TemporaryDirectory() as folder:
        runners: list[web.AppRunner] = []

        async def start(handler: Handler) -> str:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handler)
            runners.append(web.AppRunner(app, shutdown_timeout=0.1))
            await runners[-1].setup()
            await web.UnixSite(runners[-1], f"{folder}/s").start()
            return f"unix://{folder}/s"

        yield start
        for runner in runners:
            await runner.cleanup()
