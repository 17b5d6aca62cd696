"""The conductor: the path of one call, from the first byte in to the last byte out.

    (1) accept    proxy hands over an Arrival            (7)  forward  exactly the bytes of the intent
    (2) parse     dialect: body -> Call                  (8)  read     dialect: bytes -> reply events
    (3) inspect   parts -> findings                      (9)  judge    whole, in windows, or afterwards
    (4) decide    policy document -> Decision            (10) restore  surrogates -> the caller's own values
    (5) redact    edits at places: outbound bytes fixed  (11) record   outcome durable
    (6) record    intent durable                         (12) answer   last bytes out

`judge()` is total and the only place where a fault of a detector or of policy becomes a deny (guarantee 3). Every
exchange that was begun gets one intent and one outcome, also one that was refused or cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from sidecar import policy
from sidecar.account import count_entities, echoed, intent_of, rationale, restoration
from sidecar.carried import carried_parts
from sidecar.deadline import Watch, for_texts, step, within
from sidecar.dialects import Dialect, Reader
from sidecar.ending import Ending
from sidecar.errors import CallerError, Refusal, SidecarError, UpstreamError, as_error
from sidecar.ledger.facts import Intent, Outcome, State
from sidecar.model import Arrival, Call, Decision, Inspection, Operation, Part, ReleaseMode, ReplyFacts, Verdict
from sidecar.plan import NO_CALL, NOTHING_FOUND, UNPLANNED, House, Plan, bounded, refusal_of
from sidecar.ports import Answer, EngineAnswer, Ports
from sidecar.redaction import Restorer, redact
from sidecar.relay import Judgement, Relay, Withheld
from sidecar.wire import (
    PACKED,
    Digest,
    Pipe,
    failed,
    header,
    is_stream,
    opened,
    outbound_of,
    pipe_of,
    reply_headers,
    without,
)

NOTICE_HEADER = "AI-Notice"
"""Not `x-sidecar-*`: those are the proxy's own, and stripped from whatever comes from upstream."""


async def judge(
    parts: Sequence[Part],
    ask: Callable[[Inspection], dict[str, Any]],
    ports: Ports,
    house: House,
    arrival: Arrival,
    *,
    enforced: bool = True,
) -> tuple[Judgement, dict[str, Any], Exception | None]:
    """Inspect and decide, and the fault. Total: any, or the deadline, becomes a Decision that denies by a code."""
    found, document = NOTHING_FOUND, dict[str, Any]()
    cause: Exception

    async def decided() -> EngineAnswer:
        nonlocal found, document
        found = await ports.inspect.inspect(parts, arrival.caller)  # (3)
        document = ask(found)
        return await ports.decide.decide(document)  # (4)

    try:
        answer = await within(for_texts(house.judge_deadline, parts), decided())
        return Judgement(found, policy.read(answer, policy.recorded(document), enforced=enforced)), document, None
    except SidecarError as fault:
        code, cause = fault.code, fault
    except TimeoutError as late:
        code, cause = "PDP_TIMEOUT" if document else "INSPECTOR_TIMEOUT", late
    except Exception as bug:  # noqa: BLE001  guarantee 3: the one place where faults of judging become denies
        code, cause = "PDP_ERROR" if document else "INSPECTOR_ERROR", bug
    return Judgement(found, replace(policy.fault(code), enforced=enforced)), document, cause


class Exchange:
    """One exchange on its way: its context, and what has been learned so far."""

    def __init__(self, arrival: Arrival, dialect: Dialect, answer: Answer, ports: Ports, house: House) -> None:
        self.arrival = arrival
        self.dialect = dialect
        self.answer = answer
        self.ports = ports
        self.house = house
        self.watch = Watch(ports.clock.monotonic)
        self.plan = UNPLANNED
        self.intent: Intent | None = None
        self.outcome: Outcome | None = None
        self.relay: Relay | None = None
        self.reader: Reader | None = None
        self.said: ReplyFacts | None = None
        self.judgement: Judgement | None = None
        self.not_inspected: str | None = None
        self.rationale: str | None = None
        self.fault: SidecarError | None = None
        self.cause: Exception | None = None
        self.head: tuple[int, list[tuple[str, str]]] | None = None
        self.started = False
        self.came, self.went = Digest(), Digest()

    async def run(self) -> None:
        """Govern it and answer it, steps 2 to 12. Raises only CancelledError, after the outcome is recorded."""
        try:
            self.plan = await self.prepare()  # (2) to (5)
            await self.open()  # (6)
            await self.converse()  # (7) to (10)
        except asyncio.CancelledError:
            await self.abort()
            raise asyncio.CancelledError from None
        except Withheld as withheld:
            self.fault = self.refusal(withheld.decision)
        except Exception as fault:  # noqa: BLE001  anything else is recorded and answered as the fault it is
            self.fault = as_error(fault)
        try:
            await self.conclude()  # (11), (12)
        finally:
            self.relay = None  # it calls back into the exchange: a circle that only the garbage collector would free

    async def refuse(self, error: SidecarError) -> None:
        """Both entries of a call that the shell turned away unread, and answers itself: with `fault`, which is the
        ledger's where it could not be recorded. Raises only CancelledError, after the outcome is recorded."""
        self.plan, self.fault = Plan(decision=policy.fault(error.code), fault=error), error
        try:
            await self.open_or_fail()
        except asyncio.CancelledError:
            await self.abort()
            raise asyncio.CancelledError from None
        await self.close()

    async def prepare(self) -> Plan:
        """Steps 2 to 5. Whatever goes wrong is a plan to refuse; only CancelledError is raised."""
        call, judgement = NO_CALL, None
        try:
            body, coding = self.arrival.body, header(self.arrival.headers, "content-encoding")
            if coding is not None:
                body = await step(PACKED * len(body), opened, body, coding, self.house.body_limit)
            size = len(body)
            call = await step(size, self.dialect.parse, body)  # (2)
            if carried := carried_parts(self.arrival.target, self.arrival.headers, self.arrival.asserted):
                call = replace(call, parts=(*call.parts, *carried))
            bounded(call.parts, self.house.text_limit)
            self.watch.lap("parse_us")
            judgement, document, self.cause = await judge(
                call.parts, partial(self.request_document, call), self.ports, self.house, self.arrival
            )  # (3), (4)
            self.watch.lap("judge_us")
            if judgement.decision.verdict is Verdict.DENY:
                raise self.refusal(judgement.decision)
            found, rules, looks = judgement.inspection.findings, judgement.decision.duties.redact, self.house.surrogates
            mint = partial(redact, style=looks.style, operators=looks.operators)
            redaction = await step(size, mint, call.parts, found, rules)  # (5)
            fix = partial(outbound_of, self.arrival, body, self.dialect)
            outbound = await step(size, fix, call, redaction, judgement.decision)
            self.watch.lap("redact_us")
        except Exception as fault:  # noqa: BLE001  a call that cannot be read or rewritten is refused, never passed
            return self.refused(call, judgement, as_error(fault))
        return Plan(
            call=call,
            inspection=judgement.inspection,
            decision=judgement.decision,
            redaction=redaction,
            outbound=outbound,
            document=document,
            timings=self.watch.laps(),
        )

    def request_document(self, call: Call, found: Inspection) -> dict[str, Any]:
        return policy.request_document(
            arrival=self.arrival,
            call=call,
            inspection=found,
            side=self.house.side,
            provider=self.house.provider,
            environment=self.house.environment,
            listed=self.house.listed,
        )

    def refusal(self, decision: Decision) -> SidecarError:
        return refusal_of(decision, self.ports.reasons())

    def refused(self, call: Call, judgement: Judgement | None, error: SidecarError) -> Plan:
        found = judgement.inspection if judgement else NOTHING_FOUND
        decision = judgement.decision if judgement and judgement.decision.verdict is not Verdict.ALLOW else None
        return Plan(
            call=call,
            inspection=found,
            decision=decision or policy.fault(error.code),
            fault=error,
            timings=self.watch.laps(),
        )

    async def open(self) -> None:
        """Step 6. When this returns the intent is durable; when it raises, nothing will be sent."""
        intent = intent_of(self.arrival, self.plan, self.house)
        try:
            await self.ports.record.open(intent)
        except asyncio.CancelledError:
            self.intent = intent  # handed over: it will be there, and wants its outcome
            raise
        self.intent, self.answer.record = intent, intent.id
        self.watch.lap("intent_us")

    async def open_or_fail(self) -> None:
        """Step 6 where nothing is to be sent: what cannot be recorded is `fault`."""
        try:
            await self.open()
        except Exception as fault:  # noqa: BLE001  as in `run`
            self.fault = as_error(fault)

    async def converse(self) -> None:
        """Steps 7 to 10. All but the tail has been written when this returns."""
        if self.plan.outbound is None:
            raise self.plan.fault or self.refusal(self.plan.decision)
        async with self.ports.forward.send(self.plan.outbound) as incoming:  # (7)
            self.watch.lap("upstream_us")
            reader = self.reader = self.dialect.reader(self.plan.call, stream=is_stream(incoming))
            release = self.plan.decision.duties.release
            self.relay = Relay(
                call=self.plan.call,
                reader=reader,
                vault=self.plan.redaction.vault,
                restorer=self.restorer(),
                release=release,
                judge=self.judge_reply,
            )
            verbatim = not self.plan.redaction.vault and release.mode is ReleaseMode.PASS
            pipe = pipe_of(self.relay, incoming, verbatim=verbatim)
            self.head = (incoming.status, self.noticed(reply_headers(incoming.headers, verbatim=verbatim)))
            try:
                await self.read(Ending(incoming, reader), pipe)
            except UpstreamError:
                if incoming.status < 400 or self.started:
                    raise
                raise failed(incoming) from None
        await self.judge_afterwards()

    async def read(self, incoming: Ending, pipe: Pipe) -> None:
        """Steps 8 to 10."""
        while data := await incoming.read():  # (8)
            if out := await pipe.feed(self.came.feed(data)):  # (9), (10)
                await self.write(out)
        if out := await pipe.finish():
            await self.write(out)

    def noticed(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The head with the notices that policy demands (AI Act 50(1)): their text ids, for the application to show."""
        return headers + [(NOTICE_HEADER, notice["text_id"]) for notice in self.plan.decision.duties.notices]

    def facts(self) -> ReplyFacts:
        """What the reply has said of itself so far; of one that was cut off, that much."""
        if self.said is not None:
            return self.said
        return self.reader.facts() if self.reader else ReplyFacts()

    def restorer(self) -> Restorer:
        looks = self.house.surrogates
        return Restorer(self.plan.redaction.vault, tools=looks.tools, hosts=looks.hosts, guard=looks.guard)

    async def write(self, data: bytes) -> None:
        if not self.started:
            assert self.head is not None
            self.started = True
            await reached(self.answer.start(*self.head))
            self.watch.lap("first_byte_us")
        await reached(self.answer.write(self.went.feed(data)))

    async def judge_reply(self, parts: Sequence[Part], goes_on: bool, *, enforced: bool = True) -> Judgement:
        """Step 9. The reply still bears surrogates, so the caller's own values are not judged again."""
        facts, relay = self.facts(), self.relay

        def ask(found: Inspection) -> dict[str, Any]:
            before = relay.before(found.findings) if relay and not goes_on else {}
            return policy.response_document(
                self.plan.document, inspection=found, facts=facts, window=goes_on, before=before
            )

        judgement, _, cause = await judge(parts, ask, self.ports, self.house, self.arrival, enforced=enforced)
        self.cause = cause or self.cause
        return judgement

    async def judge_afterwards(self) -> None:
        """After a PASS release there is nothing left to withhold: what is found is recorded, `enforced: false`."""
        assert self.relay is not None
        self.said = self.facts()  # all of it: the reply has been read to its end
        self.judgement = self.relay.judgement
        if self.head is not None and self.head[0] >= 400:
            self.not_inspected = "UPSTREAM_STATUS"
        elif self.judgement is None and self.plan.call.operation is not Operation.EMBEDDING:
            self.judgement = await self.judge_reply(self.relay.parts(), False, enforced=False)
            self.not_inspected = "REPLY_TOO_LARGE" if self.relay.overflowed else None

    def sum_up(self) -> None:
        """What judging the reply leaves to be recorded, also of one that was withheld or cut off on its way."""
        if self.relay is None:
            return
        self.judgement = self.judgement or self.relay.judgement
        if self.judgement is None:
            return
        if self.judgement.inspection.detectors:
            self.rationale = self.relay.reasoning(self.judgement.inspection.findings)
        elif codes := self.judgement.decision.codes:
            self.not_inspected = codes[0]

    async def conclude(self) -> None:
        """Steps 11 and 12: nothing of the end leaves before the outcome is durable."""
        tail = self.went.feed(b"".join(self.relay.tail) if self.relay and not self.fault else b"")
        await self.close()
        if self.fault is not None:
            await self.answer.fail(self.fault)
            return
        await reached(self.give(tail))

    async def close(self, state: State | None = None) -> None:
        """Step 11. An end that cannot be recorded is not given: it is `fault`, and there is no `outcome`."""
        try:
            self.sum_up()
            if self.intent is not None:
                self.outcome = self.outcome_of(state or self.state())
                await self.ports.record.close(self.outcome)
        except Exception as fault:  # noqa: BLE001  as in `run`
            self.outcome, self.fault = None, as_error(fault)

    async def give(self, tail: bytes) -> None:
        """Step 12. What has not begun is framed by its length."""
        if not self.started:
            assert self.head is not None
            framed = [*without(self.head[1], {"content-length"}), ("Content-Length", str(len(tail)))]
            await self.answer.start(self.head[0], framed)
        await self.answer.write(tail)
        await self.answer.end()

    async def abort(self) -> None:
        """The caller has gone, or the process drains: the upstream is closed already; say so in the record."""
        self.fault = SidecarError("ABORTED", "The exchange was cut off.", status=499)
        if self.intent is None:
            with suppress(asyncio.CancelledError):  # cut off once more: what was handed over still wants its outcome
                await self.open_or_fail()
        await self.close(State.ABORTED)

    def state(self) -> State:
        if isinstance(self.fault, CallerError | Refusal) or (self.fault and self.plan.outbound is None):
            return State.REFUSED
        if self.fault or self.facts().upstream_error or (self.head is not None and self.head[0] >= 400):
            return State.FAILED
        return State.ANSWERED

    def outcome_of(self, state: State) -> Outcome:
        """What the closing entry says. Confidence and rationale name their source, or say `unavailable`."""
        found = self.judgement.inspection.findings if self.judgement else ()
        decision = self.judgement.decision if self.judgement else None
        upstream_status, facts = self.head[0] if self.head else None, self.facts()
        return Outcome(
            id=self.arrival.id,
            at=self.ports.clock.now(),
            state=state,
            status=self.fault.status if self.fault and not self.started else upstream_status,
            error=self.fault.code if self.fault else "UPSTREAM_STATUS" if state is State.FAILED else None,
            aborted_by=self.ports.aborted_by() if state is State.ABORTED else None,
            reply=facts,
            decision=decision,
            release=str(self.plan.decision.duties.release.mode),
            released="whole" if state is State.ANSWERED or not self.fault else "part" if self.started else "none",
            reply_findings=self.relay.findings if self.relay and self.relay.is_judged else count_entities(found),
            reply_not_inspected=self.not_inspected or facts.not_inspected,
            **restoration(self.relay.restorer if self.relay else None),
            **rationale(self.plan.decision, decision),
            rationale=self.rationale,
            reply_bytes=self.came.size,
            reply_sha256=self.came.value() if self.came.size else None,
            answer_bytes=self.went.size,
            answer_sha256=self.went.value() if self.went.size else None,
            timings_us=self.watch.laps(),
            personal=echoed(self.intent) if self.intent else frozenset(),
        )


async def reached(step: Awaitable[None]) -> None:
    """A step towards the caller. One who cannot be reached has gone away, which is a cancellation like any other."""
    try:
        await step
    except ConnectionError:
        raise asyncio.CancelledError from None
