"""A fault at every port call of every kind of exchange: what must hold whatever breaks, and whenever.

Each scenario is played once without a fault to learn its port calls; then once for each call and each kind of
exception, raised there. The fakes watch while it happens, so that an order that is wrong for a moment is seen.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from sidecar.errors import CallerError, OwnError, UpstreamError
from sidecar.exchange import Exchange
from sidecar.ledger.facts import Intent, Outcome, State
from sidecar.model import Caller, Inspection, Outbound, Part
from sidecar.ports import EngineAnswer, Ports
from sidecar.testing import (
    FakeAnswer,
    FakeClock,
    FakeDecide,
    FakeForward,
    FakeInspect,
    MemoryRecord,
    Transcript,
    arrival,
)
from tests.exchange.kit import DENIED, DIALECT, HOUSE, SECRET, SSE, completion, events, obliged, question, said

SURROGATE = "<EMAIL_ADDRESS_1>"
TEXT = " ".join(f"w{number:02}" for number in range(20)) + f" {SURROGATE} " + " ".join(f"z{n:02}" for n in range(20))
"""No stretch of it occurs twice, so that a judged stretch has one place."""

KINDS: dict[str, Callable[[], BaseException]] = {
    "OwnError": lambda: OwnError("MADE_UP", "A fault for a test."),
    "UpstreamError": lambda: UpstreamError("MADE_UP", "A fault for a test."),
    "RuntimeError": lambda: RuntimeError(f"quotes {SECRET}"),
    "KeyError": lambda: KeyError(SECRET),
    "TimeoutError": lambda: TimeoutError(f"quotes {SECRET}"),
    "OSError": lambda: OSError(28, f"quotes {SECRET}"),
    "ConnectionResetError": lambda: ConnectionResetError(f"quotes {SECRET}"),
    "CancelledError": asyncio.CancelledError,
}


@dataclass
class Faults(Transcript):
    """Raises at the n-th port call, whatever it is; collects what the fakes object to.

    They do not assert: the conductor would take that for a fault like any other.
    """

    at: dict[int, BaseException] = field(default_factory=dict)
    objections: list[str] = field(default_factory=list)

    def require(self, held: bool, otherwise: str) -> None:
        if not held:
            self.objections.append(f"{otherwise} (after {self.steps})")

    def step(self, name: str) -> None:
        self.steps.append(name)
        if fault := self.at.get(len(self.steps) - 1):
            raise fault


class WatchingInspect(FakeInspect):
    """Remembers what it was shown last."""

    seen = ""

    async def inspect(self, parts: Sequence[Part], caller: Caller | None = None) -> Inspection:
        self.seen = "".join(part.text for part in parts)
        return await super().inspect(parts, caller)


class WatchingDecide(FakeDecide):
    """Knows how far the reply has been judged, and allowed."""

    transcript: Faults
    inspect: WatchingInspect
    judged = 0

    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        answer = await super().decide(document)
        if document["phase"] != "request" and answer.result["allow"]:
            start = TEXT.index(self.inspect.seen)
            self.transcript.require(start <= self.judged, "a stretch between two windows was not judged")
            self.judged = max(self.judged, start + len(self.inspect.seen))
        return answer


class Books(MemoryRecord):
    """As the ledger does: what was handed over is written even if the wait for it is cancelled (ports.Record)."""

    transcript: Faults

    async def open(self, intent: Intent) -> None:
        self.transcript.require(not self.intents, "two intents")
        try:
            self.transcript.step("open")
        except asyncio.CancelledError:
            self.intents.append(intent)
            raise
        self.intents.append(intent)

    async def close(self, outcome: Outcome) -> None:
        self.transcript.require([intent.id for intent in self.intents] == [outcome.id], "an outcome without an intent")
        self.transcript.require(not self.outcomes, "two outcomes")
        try:
            self.transcript.step(f"close {outcome.state}")
        except asyncio.CancelledError:
            self.outcomes.append(outcome)
            raise
        self.outcomes.append(outcome)


@dataclass
class Reply:
    """An upstream's reply, each read of which is a port call."""

    transcript: Faults
    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: Iterator[bytes]

    async def read(self) -> bytes:
        self.transcript.step("read")
        return next(self.chunks, b"")


class WatchingForward(FakeForward):
    """Sends nothing without an intent."""

    transcript: Faults
    record: Books

    @asynccontextmanager
    async def send(self, outbound: Outbound) -> AsyncIterator[Any]:
        self.transcript.require(bool(self.record.intents), "sent without an intent")
        async with super().send(outbound) as reply:
            yield reply
        self.transcript.step("leave")


class WatchingAnswer(FakeAnswer):
    """Looks at each byte before it leaves."""

    transcript: Faults

    def __init__(self, transcript: Faults, scenario: Scenario, record: Books, decide: WatchingDecide) -> None:
        super().__init__(transcript)
        self.scenario, self.books, self.decide = scenario, record, decide

    async def write(self, data: bytes) -> None:
        body = self.body + data
        if self.scenario.withheld:
            text = said(body) if self.scenario.stream else TEXT * bool(body)
            judged = len(text.replace(SECRET, SURROGATE)) <= self.decide.judged
            self.transcript.require(judged, "released unjudged")
        ended = b"[DONE]" in body or b'"stop"' in body or len(body) >= self.scenario.length
        self.transcript.require(not (ended and data) or self.answered(), "ended without an outcome")
        await super().write(data)

    async def end(self) -> None:
        self.transcript.require(self.answered(), "ended without an outcome")
        await super().end()

    def answered(self) -> bool:
        return [outcome.state for outcome in self.books.outcomes] == [State.ANSWERED]


@dataclass(frozen=True)
class Scenario:
    """One kind of exchange. `length` is that of a whole answer, once it is known.

    `ending` says which half of the conductor plays it; all but `run` leave the answer to the shell.
    """

    ending: str = "run"
    stream: bool = False
    release: str | None = None
    coded: bool = False
    answers: Mapping[str, Any] = field(default_factory=dict)
    text: str = f"Write to {SECRET}."
    length: int = 1 << 30

    @property
    def withheld(self) -> bool:
        return self.release is not None

    def policy(self) -> dict[str, Any]:
        duty = {"type": "release", "id": "r", "params": {"mode": self.release, "hold": 20}}
        return {"request": obliged(*([duty] if self.release else [])), **self.answers}

    def reply(self, transcript: Faults) -> Reply:
        whole = events(TEXT) if self.stream else completion(TEXT)
        headers = SSE if self.stream else (("Content-Type", "application/json"),)
        if self.coded:
            whole, headers = gzip.compress(whole, mtime=0), (*headers, ("Content-Encoding", "gzip"))
        size = len(whole) // 7 + 1
        return Reply(transcript, 200, headers, iter([whole[at : at + size] for at in range(0, len(whole), size)]))


SCENARIOS = {
    "unary": Scenario(),
    "unary, judged whole": Scenario(release="whole"),
    "unary, coded, nothing to redact": Scenario(coded=True, text="hi"),
    "stream": Scenario(stream=True),
    "stream, judged whole": Scenario(stream=True, release="whole"),
    "stream, in windows": Scenario(stream=True, release="windowed"),
    "stream, coded, nothing to redact": Scenario(stream=True, coded=True, text="hi"),
    "refused": Scenario(answers={"request": DENIED}),
    "reply refused": Scenario(stream=True, release="whole", answers={"response": DENIED}),
    "refused by the shell": Scenario(ending="refuse"),
    "left while the body came": Scenario(ending="abort"),
}
READ = {name: scenario for name, scenario in SCENARIOS.items() if scenario.ending == "run"}


class Played:
    """One exchange, played to its end; `raised` is what came out of it."""

    def __init__(self, scenario: Scenario, at: dict[int, BaseException]) -> None:
        self.transcript = Faults(at=at)
        self.at = at
        self.ending = scenario.ending
        self.inspect = WatchingInspect(self.transcript)
        self.decide = WatchingDecide(self.transcript, scenario.policy())
        self.decide.inspect = self.inspect
        self.record = Books(self.transcript)
        self.forward = WatchingForward(self.transcript, lambda _: scenario.reply(self.transcript))
        self.forward.record = self.record
        self.answer = WatchingAnswer(self.transcript, scenario, self.record, self.decide)
        ports = Ports(
            inspect=self.inspect, decide=self.decide, record=self.record, forward=self.forward, clock=FakeClock()
        )
        body = question(scenario.text, stream=scenario.stream)
        self.exchange = Exchange(arrival(body), DIALECT, self.answer, ports, HOUSE)
        self.raised: BaseException | None = None

    async def run(self) -> Played:
        try:
            await asyncio.wait_for(self.played(), 10)
        except BaseException as fault:
            self.raised = fault
        return self

    def played(self) -> Coroutine[Any, Any, None]:
        exchange = self.exchange
        if self.ending == "refuse":
            return exchange.refuse(CallerError("MADE_UP", "A refusal for a test."))
        return exchange.abort() if self.ending == "abort" else exchange.run()

    @property
    def steps(self) -> list[str]:
        return self.transcript.steps


async def learned(scenario: Scenario) -> tuple[Scenario, list[str]]:
    """The scenario with the length of its answer, and its port calls when nothing fails."""
    played = await Played(scenario, {}).run()
    assert played.raised is None
    length = len(played.answer.body) or 1 << 30
    return Scenario(**{**scenario.__dict__, "length": length}), played.steps


def check(played: Played) -> None:
    """What holds of every exchange, whatever failed. The fakes have looked at the order meanwhile."""
    steps, record = played.steps, played.record
    broken = {steps[number].split()[0] for number in played.at if number < len(steps)}
    assert not played.transcript.objections
    assert len(record.intents) == 1 or "open" in broken
    assert len(record.outcomes) == len(record.intents) or "close" in broken
    if played.forward.sent:
        closing = [number for number, step in enumerate(steps) if step.startswith("close")]
        gone = [number for number, step in enumerate(steps) if step in ("leave", "hang up")]
        assert gone and not [number for number in closing if number < gone[0]], "the upstream was held on to"
    for outcome in record.outcomes:
        assert (outcome.state is State.ABORTED) <= caller_left(played), "nobody left"
    ended(played, broken)
    quiet(played)


def caller_left(played: Played) -> bool:
    """Cut off, or not to be reached any more; a ConnectionError of any other port is not the caller's."""
    faults = {number: fault for number, fault in played.at.items() if number < len(played.steps)}
    return played.ending == "abort" or any(
        isinstance(fault, asyncio.CancelledError)
        or (isinstance(fault, ConnectionError) and played.steps[number] in ("start", "write", "end"))
        for number, fault in faults.items()
    )


def ended(played: Played, broken: set[str]) -> None:
    """Answered, or failed, or the caller is gone; only a broken way to the caller, or to the ledger, raises more."""
    raised = played.raised
    if raised is None and played.ending != "run":
        assert played.exchange.fault is not None
    elif raised is None:
        assert ("end" in played.steps) != (played.answer.error is not None)
    elif not isinstance(raised, asyncio.CancelledError):
        assert raised in played.at.values()
        assert broken & {"start", "write", "end", "fail"} or len(played.at) > 1


def quiet(played: Played) -> None:
    """No value in what is recorded, answered or could be logged (guarantee 4)."""
    answer, exchange = played.answer, played.exchange
    told = [repr(thing) for thing in (*played.record.intents, *played.record.outcomes, exchange.plan, exchange.facts)]
    told += [f"{answer.error!r} {answer.error.advice}"] if answer.error else []
    assert SECRET not in " ".join(told)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_fault_at_every_port_call(name: str, kind: str) -> None:
    scenario, steps = await learned(SCENARIOS[name])
    for number, step in enumerate(steps):
        fault = KINDS[kind]()
        played = await Played(scenario, {number: fault}).run()
        assert played.steps[: number + 1] == steps[: number + 1]
        try:
            check(played)
            if isinstance(fault, asyncio.CancelledError) and scenario.ending != "abort":
                assert isinstance(played.raised, asyncio.CancelledError)
        except AssertionError as objection:
            raise AssertionError(
                f"{kind} at call {number}, {step}: {played.steps}, raised {played.raised!r}"
            ) from objection


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_second_fault_while_the_caller_leaves(name: str, kind: str) -> None:
    """Cut off at each call, and a fault at each call that follows from that."""
    scenario, steps = await learned(SCENARIOS[name])
    for first in range(len(steps)):
        leaving = await Played(scenario, {first: asyncio.CancelledError()}).run()
        for second in range(first + 1, len(leaving.steps)):
            played = await Played(scenario, {first: asyncio.CancelledError(), second: KINDS[kind]()}).run()
            try:
                check(played)
            except AssertionError as objection:
                raise AssertionError(f"calls {first} and {second}: {played.steps}, {played.raised!r}") from objection


async def test_the_scenarios_are_what_they_are_called() -> None:
    """Every port is called in one of them, and reads, writes and windows often enough to fail in between."""
    assert (await learned(SCENARIOS["refused by the shell"]))[1] == ["open", "close refused"]
    assert (await learned(SCENARIOS["left while the body came"]))[1] == ["open", "close aborted"]
    seen = {name: (await learned(scenario))[1] for name, scenario in READ.items()}
    for steps in seen.values():
        assert steps[:2] == ["inspect", "decide request"]
    assert seen["stream, in windows"].count("decide response_window") > 2
    assert seen["stream"].count("read") > 5 and seen["stream"].count("write") > 5
    assert seen["unary, judged whole"][-4:] == ["close answered", "start", "write", "end"]
    assert seen["refused"] == ["inspect", "decide request", "open", "close refused", "fail REPLY_FORBIDDEN"]
    assert seen["reply refused"][-2:] == ["close refused", "fail REPLY_FORBIDDEN"]
