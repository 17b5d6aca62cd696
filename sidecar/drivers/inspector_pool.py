"""Worker processes that find spans: one job at a time each, killed when they hang, replaced when they die."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from sidecar.drivers.inspector_queue import Slots
from sidecar.drivers.inspector_worker import LENGTH, MOST_BYTES, encode_texts
from sidecar.inspection.spans import Span, Strength

LONGEST_NAME = 64
WORKER = ("-P", "-m", "sidecar.drivers.inspector_worker")
SHORT = 2048
"""Code points of a job that need not wait behind long ones."""
ENVIRONMENT = {"PYTHONUTF8": "1", "HF_HUB_OFFLINE": "1", "ORT_DISABLE_TELEMETRY": "1"}
"""Of a worker, all there is: a model that is configured is on disk, none is fetched (drivers/presidio.py).
onnxruntime 1.32 reports its use to their maker's servers unless told not to."""
START_S = 120.0
"""Seconds in which a worker must have loaded its models and word lists; whoever waits for it has an own deadline."""
FAILURES, COOL_S = 5, 5.0
"""After so many failures in a row the pool refuses at once for so long: restarting models is no way to serve. But first
it asks a text that does nobody harm: where that is read, the texts were to blame, which are refused one by one."""
DEATHS, REFUSED_S, MOST_SUSPECTS = 2, 60.0, 256
"""Texts during which so many workers have died, or stood still, are refused for so long: SDKs send a call again, and
conversations grow by repeating it, and each time the next worker has to load its models while others wait. One death
may be another's fault: memory is short, somebody has stopped the process."""
MOST_DEATHS = 4
"""Of one caller, by texts that differ: then his are refused for as long, others are served. First a harmless text is
asked, as for the breaker. Whoever goes on afterwards is refused at his next one, until there was peace for FORGOTTEN_S.
"""
FORGOTTEN_S = 600.0
HARMLESS = "Warm up, please."


class WorkerFailed(Exception):
    """A detector in the worker raised, the process ended, or its stream broke. Never carries a message.

    `raised` is the type of what the detector raised, where the worker has said it; `unloaded` says which detector could
    not be loaded, and why: that speaks of the configuration, no text has been seen yet.
    """

    def __init__(self, raised: object = None, *, unloaded: str | None = None) -> None:
        super().__init__()
        self.unloaded = unloaded
        self.raised: str | None = None
        if isinstance(raised, str) and raised.isidentifier() and len(raised) <= LONGEST_NAME:
            self.raised = raised


class Abandoned(Exception):
    """Nobody waits for these spans any more."""


class Worker:
    """One process and its socket. After any exception it is not used again.

    It gets no environment of ours: keys of upstreams and stores are not its business.
    """

    def __init__(self, command: tuple[str, ...]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, *command],
                env={"PYTHONPATH": os.pathsep.join(path or "." for path in sys.path), **ENVIRONMENT},
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._socket = ours
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._asked = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    async def open(self, plan: bytes) -> None:
        self._reader, self._writer = await asyncio.open_connection(sock=self._socket, limit=1 << 20)
        answer = await self.call(LENGTH.pack(len(plan)) + plan)
        if answer:
            raise WorkerFailed(answer.get("error"), unloaded=answer.get("unloaded"))

    async def answer(self, frame: bytes) -> Any:
        """The reply to these texts, and to no earlier ones: a detector that forks has each of its processes answer, and
        what is found in one text would be masked in another.
        """
        self._asked += 1
        reply = await self.call(frame)
        if not isinstance(reply, dict) or reply.get("number") != self._asked:
            raise WorkerFailed
        return reply

    async def call(self, frame: bytes) -> Any:
        assert self._reader is not None and self._writer is not None
        try:
            self._writer.write(frame)
            await self._writer.drain()
            (size,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
            if size > MOST_BYTES:
                raise WorkerFailed
            return json.loads(await self._reader.readexactly(size))
        except (EOFError, ConnectionError, ValueError) as error:
            raise WorkerFailed from error

    def kill(self) -> None:
        """At once, and reaped: SIGKILL cannot be ignored, so the wait is short."""
        self._process.kill()
        self._process.wait()
        if self._writer is not None:
            self._writer.close()
        else:
            self._socket.close()


class Breaker:
    """Open after `FAILURES` in a row, for `COOL_S`; then one may try."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failures = 0
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= FAILURES and self._monotonic() < self._until

    @property
    def is_opening(self) -> bool:
        """Whether one more failure opens it."""
        return self._failures >= FAILURES - 1

    def note(self, *, well: bool) -> None:
        self._failures = 0 if well else self._failures + 1
        self._until = self._monotonic() + COOL_S


class Suspects:
    """What was being read when workers died, by hash: as a frame, so that no text is to blame for its neighbours. And
    who had sent it, with another number of deaths."""

    def __init__(self, monotonic: Callable[[], float], deaths: int = DEATHS) -> None:
        self._monotonic = monotonic
        self._most = deaths
        self._deaths: dict[int, tuple[int, float]] = {}

    def note(self, suspect: Hashable) -> None:
        deaths, until = self._deaths.pop(hash(suspect), (0, 0.0))
        now = self._monotonic()
        self._deaths[hash(suspect)] = (deaths if now < until + FORGOTTEN_S else 0) + 1, now + REFUSED_S
        if len(self._deaths) > MOST_SUSPECTS:
            del self._deaths[next(iter(self._deaths))]

    def clear(self, suspect: Hashable) -> None:
        """It has been read after all."""
        if self._deaths:
            self._deaths.pop(hash(suspect), None)

    def is_refused(self, suspect: Hashable) -> bool:
        deaths, until = self._deaths.get(hash(suspect), (0, 0.0)) if self._deaths else (0, 0.0)
        return deaths >= self._most and self._monotonic() < until

    def is_due(self, suspect: Hashable) -> bool:
        """Whether one more death has it refused."""
        return self._deaths.get(hash(suspect), (0, 0.0))[0] >= self._most - 1


class Pool:
    """`find` hands texts to an idle worker. A frame that takes longer than `frame_s` costs the worker its life, and the
    next one is started at once, not when somebody wants it.
    """

    def __init__(
        self,
        plan: bytes,
        *,
        monotonic: Callable[[], float],
        size: int = 1,
        frame_s: float = 5.0,
        start_s: float = START_S,
        command: tuple[str, ...] = WORKER,
    ) -> None:
        self._plan = plan
        self._command = command
        self._frame_s = frame_s
        self._start_s = start_s
        self._size = size
        self._slots = Slots(size)
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._replacing: asyncio.Task[None] | None = None
        self.breaker = Breaker(monotonic)
        self._suspects = Suspects(monotonic)
        self._callers = Suspects(monotonic, MOST_DEATHS)
        self.started = 0

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in (*self._idle, *self._busy)]

    async def warm(self, *, reading: bool = True) -> None:
        """Start the workers and let them load their models, so that the first call does not wait for it. Without
        `reading` no detector is asked: one that lives elsewhere may be down now and up at the first call.
        """
        if reading:
            await asyncio.gather(*(self.find([HARMLESS]) for _ in range(self._size)))
        elif not self._idle:
            self._idle += await asyncio.gather(*(self._start() for _ in range(self._size)))

    async def find(
        self, texts: Sequence[str], *, wanted: Callable[[], bool] = lambda: True, caller: Hashable = None
    ) -> list[list[Span]]:
        """Spans of each text. Short texts have their turn before long ones; `wanted` is asked when it has come.
        `caller` is who has sent them; None where callers are not told apart.

        Raises TimeoutError when a worker hangs, WorkerFailed when it fails or dies, Abandoned.
        """
        frame = encode_texts(texts)
        if self._suspects.is_refused(frame) or self._callers.is_refused(caller):
            raise WorkerFailed
        async with self._slots.taken(short=sum(map(len, texts)) <= SHORT):
            if not wanted():
                raise Abandoned
            if self.breaker.is_open or self._callers.is_refused(caller):
                raise WorkerFailed
            reply = await self._noted(self._called(frame), caller)
        if "found" not in reply:
            raise WorkerFailed(reply.get("error"))
        return [[_span(row) for row in rows] for rows in reply["found"]]

    async def _noted(self, calling: Awaitable[Any], caller: Hashable) -> Any:
        """Tells the breaker how it went; of a call that was cancelled nobody knows."""
        try:
            reply = await calling
        except Exception:  # whatever it was, the worker did not answer; it is raised on
            await self._note_failure(caller)
            raise
        if "found" in reply:
            self.breaker.note(well=True)
        else:
            await self._note_failure()
        return reply

    async def _note_failure(self, caller: Hashable = None) -> None:
        is_due = self._callers.is_due(caller)
        well = (is_due or self.breaker.is_opening) and await self._reads_harmless()
        self.breaker.note(well=well)
        if caller is not None and (well or not is_due):
            self._callers.note(caller)

    async def _reads_harmless(self) -> bool:
        try:
            return "found" in await self._called(encode_texts([HARMLESS]))
        except Exception:  # noqa: BLE001  whatever it was, it was not that text's fault
            return False

    async def _called(self, frame: bytes) -> Any:
        worker = self._idle.pop() if self._idle else await self._start()
        try:
            async with _kept_if_well(worker, self._frame_s, self._busy):
                reply = await worker.answer(frame)
        except Exception:  # raised on: a hang, a death or a wrong answer all count against the frame
            self._suspects.note(frame)
            if self._replacing is None or self._replacing.done():
                self._replacing = asyncio.get_running_loop().create_task(self._replace())
            raise
        self._suspects.clear(frame)
        self._idle.append(worker)
        return reply

    async def _replace(self) -> None:
        async with self._slots.taken(short=True):
            if not (self._idle or self.breaker.is_open):
                with suppress(TimeoutError, WorkerFailed):  # whoever comes next tries again, and is told
                    self._idle.append(await self._start())

    async def _start(self) -> Worker:
        worker = Worker(self._command)
        self.started += 1
        async with _kept_if_well(worker, self._start_s, self._busy):
            await worker.open(self._plan)
        return worker

    def close(self) -> None:
        if self._replacing is not None:
            self._replacing.cancel()
        for worker in (*self._idle, *self._busy):
            worker.kill()
        self._idle.clear()


@asynccontextmanager
async def _kept_if_well(worker: Worker, limit_s: float, busy: set[Worker]) -> AsyncIterator[None]:
    """Kill the worker unless the block ends well within the limit: its stream holds half a reply otherwise."""
    well = False
    busy.add(worker)
    try:
        async with asyncio.timeout(limit_s):
            yield
        well = True
    finally:
        busy.discard(worker)
        if not well:
            worker.kill()


def _span(row: list[Any]) -> Span:
    start, end, entity, score, detector, strength = row
    return Span(start, end, sys.intern(entity), score, sys.intern(detector), Strength(strength))
