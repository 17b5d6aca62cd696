"""In-memory ports, factories and `split()`: fakes ship with the package, so that every room tests with the same ones.

Imports the pure rooms only. Each fake appends what it was asked to a shared `Transcript`, so that a test can read the
order of events of an exchange like a dialogue.
"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sidecar.errors import SidecarError
from sidecar.ledger.facts import Intent, Outcome
from sidecar.model import Arrival, Asserted, Caller, Detector, Finding, Inspection, Outbound, Part, PolicyVersion
from sidecar.ports import EngineAnswer

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
POLICY = PolicyVersion(engine="fake", engine_version="1", bundle_sha256="0" * 64, revision="test")
ALLOW: Mapping[str, Any] = {
    "contract": "1",
    "allow": True,
    "denies": [],
    "obligations": [{"type": "redact", "id": "all", "params": {"entities": ["*"], "mode": "surrogate"}}],
}


def split(data: bytes, *, seed: int = 0, rounds: int = 3) -> Iterator[list[bytes]]:
    """The same bytes whole, one by one, and at random cuts: what every incremental parser must read alike."""
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    source = random.Random(seed)  # noqa: S311  cuts, not keys
    for _ in range(rounds):
        cuts = sorted(source.sample(range(len(data) + 1), min(len(data), 5)))
        edges = [0, *cuts, len(data)]
        yield [data[a:b] for a, b in pairwise(edges) if a < b]


@dataclass
class Transcript:
    """What happened, in order. `fail` names steps (`inspect`, `open`, `send`, ...) and what to raise there."""

    steps: list[str] = field(default_factory=list)
    fail: dict[str, BaseException] = field(default_factory=dict)

    def step(self, name: str) -> None:
        self.steps.append(name)
        if name in self.fail:
            raise self.fail[name]


class FakeInspect:
    """Finds e-mail addresses."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.caller: Caller | None = None

    async def inspect(self, parts: Sequence[Part], caller: Caller | None = None) -> Inspection:
        self.transcript.step("inspect")
        self.caller = caller
        found = tuple(
            Finding(place=part.place, start=m.start(), end=m.end(), entity="EMAIL_ADDRESS", score=1.0, detector="fake")
            for part in parts
            for m in EMAIL.finditer(part.text)
        )
        return Inspection(findings=found, detectors=(Detector("fake", "1"),), not_looked_for=("PERSON",))


class FakeDecide:
    """Answers what it was given for the phase; keeps the documents it saw."""

    def __init__(self, transcript: Transcript, answers: Mapping[str, Any] | None = None) -> None:
        self.transcript = transcript
        self.answers = answers or {}
        self.documents: list[Mapping[str, Any]] = []

    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        self.transcript.step(f"decide {document['phase']}")
        self.documents.append(document)
        return EngineAnswer(self.answers.get(document["phase"], ALLOW), False, POLICY, 0)


class MemoryRecord:
    """Keeps intents and outcomes in lists."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.intents: list[Intent] = []
        self.outcomes: list[Outcome] = []

    async def open(self, intent: Intent) -> None:
        self.transcript.step("open")
        self.intents.append(intent)

    async def close(self, outcome: Outcome) -> None:
        self.transcript.step(f"close {outcome.state}")
        self.outcomes.append(outcome)


@dataclass
class ScriptedReply:
    """An upstream's reply, chunk by chunk; an exception in the list is raised in its turn."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    chunks: list[bytes | BaseException] = field(default_factory=list)

    async def read(self) -> bytes:
        if not self.chunks:
            return b""
        chunk = self.chunks.pop(0)
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk


class FakeForward:
    """Answers each outbound with `reply(outbound)`; keeps what was sent, and notes an abort."""

    def __init__(self, transcript: Transcript, reply: Callable[[Outbound], ScriptedReply]) -> None:
        self.transcript = transcript
        self.reply = reply
        self.sent: list[Outbound] = []

    @asynccontextmanager
    async def send(self, outbound: Outbound) -> AsyncIterator[ScriptedReply]:
        self.transcript.step("send")
        self.sent.append(outbound)
        try:
            yield self.reply(outbound)
        except BaseException:
            self.transcript.step("hang up")
            raise


class FakeAnswer:
    """Collects what the caller gets."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.error: SidecarError | None = None
        self.record: str | None = None

    async def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self.transcript.step("start")
        self.status, self.headers = status, list(headers)

    async def write(self, data: bytes) -> None:
        self.transcript.step("write")
        self.body += data

    async def end(self) -> None:
        self.transcript.step("end")

    async def fail(self, error: SidecarError) -> None:
        self.transcript.step(f"fail {error.code}")
        self.error = error


class FakeClock:
    """A clock that a test moves."""

    def __init__(self, now: int = 1_700_000_000_000_000) -> None:
        self.time = now

    def now(self) -> int:
        self.time += 1
        return self.time

    def monotonic(self) -> float:
        return self.time / 1e6


class FakeEntropy:
    """Predictable bytes: for tests only."""

    def __init__(self, seed: int = 0) -> None:
        self._source = random.Random(seed)  # noqa: S311  predictable on purpose

    def token(self, size: int) -> bytes:
        return self._source.randbytes(size)


def arrival(body: bytes, *, route: str = "/v1/chat/completions", headers: Mapping[str, str] | None = None) -> Arrival:
    """A POST of an anonymous caller."""
    return Arrival(
        id="01920000-0000-7000-8000-000000000001",
        at=1_700_000_000_000_000,
        method="POST",
        route=route,
        target=route,
        headers=tuple({"Content-Type": "application/json", **(headers or {})}.items()),
        body=body,
        caller=Caller(),
        asserted=Asserted(),
    )
