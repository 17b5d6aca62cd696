"""What record, metrics and log say of a judged reply: one withheld, one cut off, one in many windows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sidecar.drivers.store import Ledger
from sidecar.errors import UpstreamError
from sidecar.exchange import Exchange
from sidecar.ledger.facts import State
from sidecar.ledger.fields import outcome_fields
from sidecar.ledger.index import outcome_columns
from sidecar.model import Caller, Inspection, Part, Role, Verdict
from sidecar.ports import EngineAnswer
from sidecar.proxy.meter import Meter
from sidecar.testing import ALLOW, FakeDecide, FakeInspect, ScriptedReply, Transcript
from sidecar.wiring.observe import observe
from tests.exchange.kit import DENIED, SSE, WHOLE, WINDOWED, Stage, events, obliged, question
from tests.proxy.shell import logged

EARLY = "Ask bob@corp.internal. " + "and so on " * 30
ALL = {"response": DENIED, "response_window": DENIED}


def streamed(text: str, release: Mapping[str, Any], **answers: Any) -> Stage:
    """A stage whose model says `text`, in events of three characters and chunks of one event."""
    chunks = [event + b"\n\n" for event in events(text).split(b"\n\n")[:-1]]
    answers = {"request": obliged(dict(release)), **answers}
    return Stage(lambda _: ScriptedReply(headers=SSE, chunks=list(chunks)), answers=answers)


def counted(done: Exchange) -> tuple[str, str]:
    """The metrics page and the log."""
    meter = Meter()
    with logged() as out:
        observe(done, meter, cast(Ledger, SimpleNamespace(size=0)))
    return meter.page().decode(), out.getvalue()


@pytest.mark.parametrize(("release", "stream"), [(WHOLE, False), (WHOLE, True), (WINDOWED, True)])
async def test_a_reply_that_policy_withholds_is_a_deny_everywhere(release: dict[str, Any], stream: bool) -> None:
    stage = streamed(EARLY, release, **ALL) if stream else Stage(answers={"request": obliged(release), **ALL})

    done = await stage.run(question("hi", stream=stream))

    (outcome,) = stage.record.outcomes
    assert (outcome.state, outcome.error, outcome.released) == (State.REFUSED, "REPLY_FORBIDDEN", "none")
    assert outcome.decision is not None
    assert (outcome.decision.verdict, outcome.decision.codes) == (Verdict.DENY, ("REPLY_FORBIDDEN",))
    assert outcome.decision.policy is not None and outcome.decision.document
    leaf = outcome_fields(outcome).fields
    assert (leaf["rationale_codes"], leaf["rationale_source"]) == (["REPLY_FORBIDDEN"], "policy")
    columns = outcome_columns(1, leaf)
    assert (columns.reply_verdict, columns.reply_codes) == ("deny", "|REPLY_FORBIDDEN|")
    page, log = counted(done)
    assert 'sidecar_refusals_total{code="REPLY_FORBIDDEN"} 1.0' in page
    assert 'sidecar_requests_total{operation="chat",state="refused",verdict="deny"} 1.0' in page
    assert '"verdict":"deny"' in log.replace(" ", "")


class Second(FakeDecide):
    """Answers the phases after the first `response_window` as `later` says."""

    def __init__(self, transcript: Transcript, answers: Mapping[str, Any], later: Mapping[str, Any]) -> None:
        super().__init__(transcript, answers)
        self.later = later

    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        answer = await super().decide(document)
        if document["phase"] == "response_window":
            self.answers = {**self.answers, **self.later}
        return answer


REVIEW = {"type": "human_review", "id": "mail", "params": {"queue": "privacy", "mode": "after", "reason": "MAIL"}}
NOTE = {"type": "annotate", "id": "note", "params": {"level": 1}}
DROP = {"type": "redact", "id": "drop", "params": {"entities": ["IBAN_CODE"], "mode": "drop"}}


def twofold(later: Mapping[str, Any], first: Mapping[str, Any]) -> Stage:
    stage = streamed(EARLY, WINDOWED)
    decide = Second(stage.transcript, {**stage.decide.answers, "response_window": first}, later)
    stage.ports = replace(stage.ports, decide=decide)
    return stage


async def test_a_stream_that_is_denied_midway_keeps_what_its_windows_demanded() -> None:
    stage = twofold(ALL, obliged(REVIEW))

    done = await stage.run(question("hi", stream=True))

    (outcome,) = stage.record.outcomes
    assert (outcome.state, outcome.released) == (State.REFUSED, "part")
    assert outcome.decision is not None
    assert outcome.decision.codes == ("REPLY_FORBIDDEN",)
    assert [duty.id for duty in outcome.decision.obligations] == ["mail"]
    assert 'sidecar_refusals_total{code="REPLY_FORBIDDEN"} 1.0' in counted(done)[0]


@pytest.mark.parametrize("end", [asyncio.CancelledError(), UpstreamError("UPSTREAM_DISCONNECTED", "-")])
async def test_a_stream_that_is_cut_off_keeps_what_its_windows_demanded(end: BaseException) -> None:
    chunks: list[Any] = [event + b"\n\n" for event in events(EARLY).split(b"\n\n")[:60]]
    answers = {"request": obliged(WINDOWED), "response_window": obliged(REVIEW)}
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=[*chunks, end]), answers=answers)

    try:
        done = await stage.run(question("hi", stream=True))
        assert "sidecar_refusals_total{" not in counted(done)[0]
    except asyncio.CancelledError:
        assert isinstance(end, asyncio.CancelledError)

    (outcome,) = stage.record.outcomes
    assert outcome.state in (State.ABORTED, State.FAILED)
    assert outcome.decision is not None
    assert outcome.decision.duties.review is not None
    assert outcome.decision.duties.review.queues == ("privacy",)


async def test_what_any_window_demanded_of_the_record_stands_in_it_once() -> None:
    later = {"response_window": obliged(REVIEW, NOTE), "response": obliged({**NOTE, "params": {"level": 2}})}
    stage = twofold(later, obliged(REVIEW, NOTE, DROP))

    await stage.run(question("hi", stream=True))

    decision = stage.record.outcomes[0].decision
    assert decision is not None
    assert [(duty.type, duty.id) for duty in decision.obligations] == [
        ("human_review", "mail"), ("annotate", "note"), ("redact", "all"),
    ]  # fmt: skip
    assert decision.duties.annotations == {"level": 2}
    assert decision.duties.review is not None
    assert set(decision.duties.redact) == {"*"}


@pytest.mark.parametrize("release", [WHOLE, WINDOWED])
@pytest.mark.parametrize(
    ("text", "count"),
    [
        (EARLY, 1),
        (EARLY + "al@corp.internal", 2),
        (EARLY + "al@corp.internal, " + "x" * 12, 2),
        (EARLY * 3, 3),
        ("and so on", 0),
    ],
)
async def test_the_last_judgement_sees_what_was_found_in_all_of_the_reply(
    release: dict[str, Any], text: str, count: int
) -> None:
    stage = streamed(text, release)

    await stage.run(question("hi", stream=True))

    *windows, document = stage.decide.documents[1:]
    assert {group["count"] for window in windows for group in window["response"]["entities"]} <= {1}, "of itself alone"
    assert document["phase"] == "response"
    found = {"type": "EMAIL_ADDRESS", "role": "assistant", "count": count, "score_ppm": 1_000_000}
    assert document["response"]["entities"] == ([found] if count else [])
    assert stage.record.outcomes[0].reply_findings == ({"EMAIL_ADDRESS": count} if count else {})


async def test_a_refused_call_says_what_was_found_in_it() -> None:
    stage = Stage(answers={"request": DENIED})

    await stage.run(question("Write to bob@corp.internal."))

    (intent,) = stage.record.intents
    assert intent.findings == {"EMAIL_ADDRESS": 1}
    assert [detector.name for detector in intent.detectors] == ["fake"]


async def test_a_reply_withheld_unread_says_that_it_was_not_inspected() -> None:
    class Blind(FakeInspect):
        async def inspect(self, parts: Any, caller: Caller | None = None) -> Inspection:
            if parts and cast(Part, parts[0]).role is Role.ASSISTANT:
                raise RuntimeError("boom")
            return await super().inspect(parts, caller)

    stage = Stage(answers={"request": obliged(WHOLE), "response": ALLOW})
    stage.ports = replace(stage.ports, inspect=Blind(stage.transcript))

    await stage.run(question("hi"))

    (outcome,) = stage.record.outcomes
    assert (outcome.state, outcome.reply_not_inspected) == (State.FAILED, "INSPECTOR_ERROR")
    assert outcome.decision is not None
    assert (outcome.rationale_codes, outcome.rationale_source) == (("INSPECTOR_ERROR",), "sidecar")


@pytest.mark.parametrize(
    ("body", "answers", "codes", "source"),
    [
        (b"{", {}, ["BODY_UNPARSABLE"], "sidecar"),
        (question("hi"), {"request": DENIED}, ["REPLY_FORBIDDEN"], "policy"),
        (question("hi"), {"request": {"allow": "perhaps"}}, ["PDP_CONTRACT"], "policy"),
        (question("hi"), {}, [], "unavailable"),
    ],
)
async def test_the_record_says_whose_the_reasons_are(
    body: bytes, answers: dict[str, Any], codes: list[str], source: str
) -> None:
    stage = Stage(answers=answers)
    await stage.run(body)
    leaf = outcome_fields(stage.record.outcomes[0]).fields
    assert (leaf["rationale_codes"], leaf["rationale_source"]) == (codes, source)
