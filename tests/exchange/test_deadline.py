"""`within`: the same answers, faults and cancellations as awaiting the work itself, and an end to waiting; `step`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from sidecar.deadline import HUGE_STEP, LONG_STEP, step, within


async def answered(*pauses: float) -> str:
    for pause in pauses:
        await asyncio.sleep(pause)
    return "answer"


async def failed(pause: float | None) -> None:
    if pause is not None:
        await asyncio.sleep(pause)
    raise ValueError("ours")


@pytest.mark.parametrize("pauses", [(), (0,), (0, 0.001, 0), (0.001,)])
async def test_the_answer_comes_through(pauses: tuple[float, ...]) -> None:
    assert await within(5, answered(*pauses)) == "answer"


@pytest.mark.parametrize("pause", [None, 0, 0.001])
async def test_a_fault_comes_through(pause: float | None) -> None:
    with pytest.raises(ValueError, match="ours"):
        await within(5, failed(pause))


async def test_waiting_has_an_end() -> None:
    with pytest.raises(TimeoutError):
        await within(0.01, answered(0, 30))


async def test_a_timeout_inside_is_its_own() -> None:
    async def work() -> str:
        try:
            return await within(0.01, answered(30))
        except TimeoutError:
            return "inner"

    assert await within(5, work()) == "inner"


async def test_a_cancellation_reaches_the_work() -> None:
    seen = []

    async def work() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.get_running_loop().create_task(_run(work()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]


async def _run(work: Coroutine[Any, Any, None]) -> None:
    await within(5, work)


async def test_a_step_over_a_short_body_is_just_done() -> None:
    others = Counting()
    assert await step(LONG_STEP - 1, threading.get_ident) == threading.get_ident()
    assert others.turns == 0


async def test_around_a_long_step_the_others_get_their_turn() -> None:
    others = Counting()
    assert await step(LONG_STEP, lambda: others.turns) == 1, "before it"
    others = Counting()
    assert await step(LONG_STEP, threading.get_ident) == threading.get_ident()
    assert others.turns == 1


async def test_behind_a_long_step_what_it_woke_has_its_turn() -> None:
    woken: list[str] = []
    await step(LONG_STEP, asyncio.get_running_loop().call_soon, woken.append, "a reader")
    assert woken == ["a reader"]


async def test_beside_a_huge_step_the_others_go_on() -> None:
    others, go_on = Counting(), threading.Event()
    asyncio.get_running_loop().call_soon(go_on.set)  # only a loop that runs lets it end
    assert await step(HUGE_STEP, lambda: go_on.wait(10) and threading.get_ident()) != threading.get_ident()
    assert others.turns == 1


async def test_a_step_raises_what_its_work_raises() -> None:
    for size in (0, LONG_STEP, HUGE_STEP):
        with pytest.raises(ZeroDivisionError):
            await step(size, divmod, 1, 0)


class Counting:
    """Counts the turns that others get in the running loop."""

    def __init__(self) -> None:
        self.turns = 0
        asyncio.get_running_loop().call_soon(self.take)

    def take(self) -> None:
        self.turns += 1
