"""Time in the core: how long a step took, turns for the others, and a deadline that costs nothing where nobody waits.

`asyncio.timeout` arms and cancels a timer, which the loop keeps in its heap until the time has come. Four of them a
request were 4 % of its CPU, and none could ever fire: work that does not wait gives the loop no turn to fire it in.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
from typing import Any, TypeVar

from sidecar.model import Part

T = TypeVar("T")

PER_SECOND = 4_096
"""Code points that may cost a further second. With the names model a KB of prose takes 17 ms, one of JSON or CSV, all
names and numbers, 65: this is four times as long. A hang is found sooner: a worker has the plain deadline for a frame.
"""

EACH = 16
"""Code points that each text counts for besides its own: a value in data takes some 3 ms beside its key."""

LONG_STEP = 131_072
"""Bytes from which one step over a body takes about half a millisecond or more."""

HUGE_STEP = 1_048_576
"""Bytes from which a step goes into a thread: a list of a million numbers takes half a second to walk."""

TURNS = 4
"""Of the event loop, between two long steps: a chunk that came during one is read in the first turn, wakes its reader
in the second, and is written in the third. With a single turn it waited for three long steps (profiled)."""


def for_texts(seconds: float, parts: Iterable[Part]) -> float:
    """A deadline that grows with the text: a million-token prompt is no fault, only long. Nor are thousands of short
    values, each of which is read beside its key."""
    return seconds + size_of(parts) / PER_SECOND


def size_of(parts: Iterable[Part]) -> int:
    """Code points that have to be read, and what each text costs besides."""
    return sum([len(part.text) + len(part.key) + EACH for part in parts])


async def others() -> None:
    """Let the other streams go on."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def step(size: int, work: Callable[..., T], *arguments: Any) -> T:
    """One step over a body of this size. A short one is just done; the other streams go on before and after a long one,
    and during a huge one. `work` is pure: should the exchange be cut off meanwhile, nobody misses it."""
    if size < LONG_STEP:
        return work(*arguments)
    if size >= HUGE_STEP:
        return await asyncio.to_thread(work, *arguments)
    await others()
    result = work(*arguments)
    await others()
    return result


@types.coroutine
def within(seconds: float, work: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """What `work` returns. Raises TimeoutError when it waits for longer than `seconds`, from its first wait on."""
    try:
        waits_for = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    return (yield from _timed(seconds, work, waits_for).__await__())


async def _timed(seconds: float, work: Coroutine[Any, Any, T], waits_for: Any) -> T:
    async with asyncio.timeout(seconds):
        return await _resumed(work, waits_for)


@types.coroutine
def _resumed(work: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    """Go on with a coroutine that has already begun and waits."""
    while True:
        try:
            try:
                answer = yield waits_for
            except BaseException as fault:  # noqa: BLE001  also a cancellation: it is for the work
                waits_for = work.throw(fault)
            else:
                waits_for = work.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result


class Watch:
    """Durations in microseconds since the exchange began, by the name of the step that ended."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._start = monotonic()
        self._laps: dict[str, int] = {}

    def lap(self, name: str) -> None:
        self._laps[name] = int((self._now() - self._start) * 1e6)

    def laps(self) -> Mapping[str, int]:
        return {**self._laps, "total_us": int((self._now() - self._start) * 1e6)}
