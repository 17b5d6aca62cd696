"""What tests of policy engines share: a clock, a server's answers, and an engine that says what it is told to."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from sidecar.model import PolicyVersion
from sidecar.ports import EngineAnswer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Start = Callable[[Handler], Awaitable[str]]
"""Starts a server that answers so; its address."""


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> int:
        return 1_700_000_000_000_000

    def monotonic(self) -> float:
        return time.perf_counter() + self.ahead


CLOCK = Clock()


def replying(body: bytes, status: int = 200) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type="application/json")

    return handle


class Scripted:
    """Answers or raises what it is told to."""

    def __init__(self, *script: EngineAnswer | Exception) -> None:
        self.script = list(script)
        self.documents: list[Mapping[str, Any]] = []

    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        self.documents.append(document)
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, Exception):
            raise said
        return said


def answer_of(result: Any, revision: str = "r") -> EngineAnswer:
    version = PolicyVersion(engine="x", engine_version="1", bundle_sha256="0", revision=revision)
    return EngineAnswer(result, False, version, 1)
