"""The queue before the workers, and workers that do not do as they should: nothing is lost, and nothing found is."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from sidecar.drivers.inspector_pool import (
    COOL_S,
    FAILURES,
    FORGOTTEN_S,
    LONGEST_NAME,
    MOST_DEATHS,
    MOST_SUSPECTS,
    REFUSED_S,
    Abandoned,
    Breaker,
    Pool,
    Suspects,
    WorkerFailed,
)
from sidecar.drivers.inspector_queue import Slots
from sidecar.drivers.inspector_worker import MOST_BYTES

STRANGE = """
import socket, struct
line = socket.socket(fileno=0)
def heard():
    size, = struct.unpack("!I", line.recv(4, socket.MSG_WAITALL))
    return line.recv(size, socket.MSG_WAITALL)
def say(body, size=None):
    line.sendall(struct.pack("!I", len(body) if size is None else size) + body)
"""
"""A worker of our own making; what it does is appended."""


def pool(code: str) -> Pool:
    return Pool(b"{}", monotonic=time.monotonic, command=("-c", STRANGE + code), frame_s=20.0, start_s=20.0)


@pytest.mark.parametrize(
    "code",
    [
        f"heard(); say(b'', {MOST_BYTES + 1}); heard()",
        "heard(); say(b'no JSON'); heard()",
        "heard(); say(b'{}'); heard(); say(b'{}'); heard()",
        'heard(); say(b"{}"); heard(); say(b\'{"error": "ValueError"}\'); heard()',
        "heard(); say(b'{}'); heard(); say(b'{', 3)",
        "heard(); say(b'{}'); heard(); say(b'[]'); heard()",
        'heard(); say(b"{}"); heard(); say(b\'{"found": [[]]}\'); heard()',
        'heard(); say(b"{}"); heard(); say(b\'{"found": [[]], "number": 2}\'); heard()',
        "",
    ],
)
async def test_an_answer_that_is_none_finds_nothing_missing(code: str) -> None:
    """It is a failure, never a text without personal data, and never a wait for what does not come."""
    made = pool(code)
    try:
        async with asyncio.timeout(15):
            with pytest.raises(WorkerFailed):
                await made.find(["ann@example.org"])
        assert made.breaker._failures == 1
    finally:
        made.close()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ValueError", "ValueError"),
        ("x" * LONGEST_NAME, "x" * LONGEST_NAME),
        ("x" * (LONGEST_NAME + 1), None),
        ("Ann Miller", None),
        ("ann@example.org", None),
        (3, None),
        (None, None),
    ],
)
def test_only_the_name_of_a_type_is_repeated(said: object, told: str | None) -> None:
    """What else a worker says might be of the text."""
    assert WorkerFailed(said).raised == told


def test_the_breaker_opens_after_failures_in_a_row_and_closes() -> None:
    now = 0.0
    breaker = Breaker(lambda: now)
    for well in (*[False] * (FAILURES - 1), True, *[False] * (FAILURES - 1)):
        breaker.note(well=well)
        assert not breaker.is_open
    breaker.note(well=False)
    assert breaker.is_open
    now = COOL_S
    assert not breaker.is_open
    breaker.note(well=False)
    assert breaker.is_open


async def test_no_worker_is_started_in_vain() -> None:
    """Neither for one who has gone meanwhile, nor while they fail one after the other."""
    made = pool("")
    with pytest.raises(Abandoned):
        await made.find(["text"], wanted=lambda: False)
    for _ in range(FAILURES):
        made.breaker.note(well=False)
    with pytest.raises(WorkerFailed):
        await made.find(["text"])
    assert made.started == 0


MORTAL = """
heard(); say(b'{}'); number = 1
while b'die' not in heard(): say(b'{"found": [[]], "number": %d}' % number); number += 1
"""
"""Reads every text but one."""


async def test_a_text_that_kills_workers_is_refused_and_no_other_is() -> None:
    """It is sent again, and stands in every later turn of its conversation; each worker has its models to load."""
    made, now = pool(MORTAL), 0.0
    made._suspects = Suspects(lambda: now)
    try:
        for started in (2, 3, 3, 3):
            with pytest.raises(WorkerFailed):
                await made.find(["die"])
            assert await made.find(["live"]) == [[]]
            assert (made.started, made.breaker._failures, len(made.pids)) == (started, 0, 1)
        async with made._slots.taken(short=True):  # it does not even wait for a turn
            with pytest.raises(WorkerFailed):
                await asyncio.wait_for(made.find(["die"]), 10)
        now = REFUSED_S
        with pytest.raises(WorkerFailed):
            await made.find(["die"])
        assert await made.find(["live"]) == [[]]
        assert made.started == 4
    finally:
        made.close()


async def test_a_caller_whose_texts_kill_workers_is_refused_and_no_other_is() -> None:
    """However they differ: each costs a worker that has its models to load, while everybody waits."""
    made, now = pool(MORTAL), 0.0
    made._callers = Suspects(lambda: now, MOST_DEATHS)
    try:
        for number in range(MOST_DEATHS + 6):
            with pytest.raises(WorkerFailed):
                await made.find([f"die {number}"], caller="mallory")
            assert await made.find(["live"], caller="alice") == [[]]
        assert made.started == MOST_DEATHS + 1
        with pytest.raises(WorkerFailed):
            await made.find(["live"], caller="mallory")
        now = REFUSED_S
        assert await made.find(["live"], caller="mallory") == [[]]
        for number in range(6):
            with pytest.raises(WorkerFailed):
                await made.find([f"die again {number}"], caller="mallory")
        assert await made.find(["live"]) == [[]]
        assert made.started == MOST_DEATHS + 2
        now = 2 * REFUSED_S + FORGOTTEN_S
        with pytest.raises(WorkerFailed):
            await made.find(["die later"], caller="mallory")
        assert await made.find(["live"], caller="mallory") == [[]]
    finally:
        made.close()


async def test_what_he_has_waiting_is_refused_with_him() -> None:
    made = pool(MORTAL)
    try:
        deadly = [made.find([f"die {number}"], caller="mallory") for number in range(20)]
        outcomes = await asyncio.gather(*deadly, made.find(["live"], caller="alice"), return_exceptions=True)
        assert [type(each) for each in outcomes[:-1]] == [WorkerFailed] * 20 and outcomes[-1] == [[]]
        assert made.started <= MOST_DEATHS + 2
    finally:
        made.close()


async def test_no_caller_is_to_blame_where_a_harmless_text_is_not_read_either() -> None:
    """Memory is short, a model is gone."""
    made = pool("heard(); say(b'{}'); heard()")
    try:
        for number in range(MOST_DEATHS + 2):
            with pytest.raises(WorkerFailed):
                await made.find([f"text {number}"], caller="alice")
        assert made.breaker.is_open and not made._callers.is_refused("alice")
    finally:
        made.close()


async def test_callers_who_are_not_known_are_not_refused_for_each_other() -> None:
    made = pool(MORTAL)
    try:
        for number in range(MOST_DEATHS + 2):
            with pytest.raises(WorkerFailed):
                await made.find([f"die {number}"])
            assert await made.find(["live"]) == [[]]
    finally:
        made.close()


@pytest.mark.parametrize("code", ["", "heard(); say(b'{\"error\": \"OSError\"}'); heard()"])
async def test_no_text_is_to_blame_for_a_worker_that_never_stood(code: str) -> None:
    made = pool(code)
    try:
        with pytest.raises(WorkerFailed):
            await made.find(["live"])
        assert not made._suspects._deaths
    finally:
        made.close()


async def test_what_a_detector_prints_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    """It might be of the text, and our own output is a log."""
    made = pool("import os; os.write(1, b'ann@example.org'); os.write(2, b'ann@example.org')" + MORTAL)
    try:
        assert await made.find(["live"]) == [[]]
    finally:
        made.close()
    assert capfd.readouterr() == ("", "")


async def test_no_worker_outlives_its_pool_in_the_middle_of_a_text() -> None:
    made = pool("heard(); say(b'{}'); heard(); heard()")
    asked = asyncio.ensure_future(made.find(["text"]))
    async with asyncio.timeout(15):
        while not (made._busy and next(iter(made._busy))._asked):
            await asyncio.sleep(0.01)
        (pid,) = made.pids
        made.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        with pytest.raises(WorkerFailed):
            await asked
    made.close()


async def test_the_next_worker_is_there_before_somebody_wants_it() -> None:
    made = pool(MORTAL)
    try:
        with pytest.raises(WorkerFailed):
            await made.find(["die"])
        assert made._replacing is not None
        await asyncio.wait_for(made._replacing, 20)
        assert (made.started, len(made._idle)) == (2, 1)
    finally:
        made.close()


def test_one_death_is_no_proof_and_few_are_remembered() -> None:
    suspects = Suspects(lambda: 0.0)
    suspects.note(b"read in the end")
    suspects.clear(b"read in the end")
    for frame in (b"read in the end", b"deadly", b"deadly"):
        suspects.note(frame)
    assert [suspects.is_refused(frame) for frame in (b"read in the end", b"deadly", b"other")] == [False, True, False]
    for number in range(MOST_SUSPECTS):
        suspects.note(b"%d" % number)
    assert not suspects.is_refused(b"deadly") and len(suspects._deaths) == MOST_SUSPECTS


async def waiting(slots: Slots, done: list[str], name: str) -> None:
    async with slots.taken(short=True):
        done.append(name)


@pytest.mark.parametrize("when", ["long before", "just before", "just after"])
async def test_a_turn_of_one_who_has_gone_is_the_next_ones(when: str) -> None:
    """Whether he leaves before his turn comes or in the same moment: otherwise the queue would stand for ever."""
    slots, done = Slots(1), list[str]()
    async with slots.taken(short=True):
        gone, next_one = (asyncio.ensure_future(waiting(slots, done, name)) for name in ("gone", "next"))
        await asyncio.sleep(0)
        if when != "just after":
            gone.cancel()
        if when == "long before":
            await asyncio.sleep(0)
    if when == "just after":
        gone.cancel()
    await asyncio.wait_for(asyncio.gather(gone, next_one, return_exceptions=True), 5)
    assert done == ["next"]
    await asyncio.wait_for(waiting(slots, done, "later"), 5)


async def test_no_more_than_there_are_slots_run_at_once() -> None:
    slots, running, most = Slots(2), 0, 0

    async def job() -> None:
        nonlocal running, most
        async with slots.taken(short=True):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    for _ in range(2):
        await asyncio.gather(*(job() for _ in range(7)))
    assert most == 2
