"""Decides a sample of live decisions again, with a second engine, off the hot path.

The embedded engine is code of ours; a real OPA server beside it says whether it still answers as OPA does. What differs
is counted and handed to `report`; nothing waits for it, and nothing is decided by it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from sidecar.drivers.opa_server import AnotherBundle
from sidecar.policy import read
from sidecar.ports import Decide, EngineAnswer


class Difference(NamedTuple):
    """Two answers to one input. `kind` is `verdict`, `codes`, `obligations` or `result`, the gravest that applies."""

    kind: str
    request_id: str
    ours: EngineAnswer
    theirs: EngineAnswer

    def __repr__(self) -> str:
        return f"Difference({self.kind}, {self.request_id})"


@dataclass(slots=True)
class Counts:
    """`offered` decisions were sampled; `dropped` found the queue full; `skipped` were decided by another bundle; to
    `failed` ones the judge gave no answer, or none that could be compared or reported.
    """

    offered: int = 0
    dropped: int = 0
    same: int = 0
    different: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass(slots=True, kw_only=True)
class Auditor:
    """`ports.Decide` that passes every decision of `engine` on and has every `every`th decided again by `judge`.

    Enter it to start its one task; leaving cancels it. At most `waiting` decisions are kept, the rest is dropped.
    """

    engine: Decide
    judge: Decide
    report: Callable[[Difference], None]
    every: int = 100
    waiting: int = 64
    counts: Counts = field(default_factory=Counts)
    _queue: asyncio.Queue[tuple[Mapping[str, Any], EngineAnswer]] = field(init=False)
    _task: asyncio.Task[None] | None = None
    _seen: int = 0

    def __post_init__(self) -> None:
        self._queue = asyncio.Queue(self.waiting)

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="policy auditor")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        answer = await self.engine.decide(document)
        self._seen += 1
        if self._seen % self.every == 0:
            self._offer(document, answer)
        return answer

    async def settled(self) -> None:
        """Return when everything sampled so far was decided again (for tests and for a drain)."""
        await self._queue.join()

    def _offer(self, document: Mapping[str, Any], answer: EngineAnswer) -> None:
        self.counts.offered += 1
        try:
            self._queue.put_nowait((document, answer))
        except asyncio.QueueFull:
            self.counts.dropped += 1

    async def _run(self) -> None:
        while True:
            document, answer = await self._queue.get()
            try:
                await self._compare(document, answer)
            except Exception:  # noqa: BLE001  nothing may end the one task: its silence would look like agreement
                self.counts.failed += 1
            finally:
                self._queue.task_done()

    async def _compare(self, document: Mapping[str, Any], ours: EngineAnswer) -> None:
        try:
            theirs = await self.judge.decide(document)
        except AnotherBundle:
            self.counts.skipped += 1
            return
        if theirs.policy.revision != ours.policy.revision:
            self.counts.skipped += 1
        elif (kind := difference(ours, theirs)) is None:
            self.counts.same += 1
        else:
            self.counts.different += 1
            self.report(Difference(kind, str(document.get("request_id")), ours, theirs))


def difference(ours: EngineAnswer, theirs: EngineAnswer) -> str | None:
    """What differs most gravely between two answers, None where they are the same."""
    if ours.undefined == theirs.undefined and spelled(ours) == spelled(theirs):
        return None
    mine, other = read(ours), read(theirs)
    if mine.verdict != other.verdict:
        return "verdict"
    if sorted(mine.codes) != sorted(other.codes):
        return "codes"
    return "obligations" if mine.duties != other.duties else "result"


def spelled(answer: EngineAnswer) -> str:
    """The result as text: Python's `==` takes true for 1."""
    return json.dumps(answer.result, sort_keys=True)
