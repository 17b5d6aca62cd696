"""What an ended exchange says to metrics and to the log: codes, counts and durations, never content."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence

from sidecar.account import intent_of, refused_by
from sidecar.drivers.inspector_pool import WorkerFailed
from sidecar.drivers.store import Ledger
from sidecar.errors import OwnError, UpstreamError, cause_of
from sidecar.exchange import Exchange
from sidecar.ledger.facts import Intent, Outcome, State
from sidecar.model import Verdict
from sidecar.proxy import logs
from sidecar.proxy.meter import Meter
from sidecar.rego import EvaluationFault


def observe(done: Exchange, meter: Meter, ledger: Ledger) -> None:
    """Count and log one exchange, also one of which the ledger could not take all, or anything."""
    intent = done.intent or intent_of(done.arrival, done.plan, done.house)
    outcome = done.outcome or done.outcome_of(State.REFUSED if done.intent is None else State.OPEN)
    codes = refused_by(intent.decision, outcome.decision)
    verdict = Verdict.DENY if codes else intent.decision.verdict  # a reply that was withheld is a deny as well
    count(intent, outcome, verdict, codes, meter, ledger)
    logs.event("exchange", {**line(intent, outcome, verdict), **lacking(done), **trouble(done)})


def count(
    intent: Intent, outcome: Outcome, verdict: Verdict, codes: Sequence[str], meter: Meter, ledger: Ledger
) -> None:
    laps = outcome.timings_us or intent.timings_us
    total = laps.get("total_us", 0) / 1e6
    meter.exchange(operation=intent.operation, verdict=verdict, state=outcome.state, seconds=total)
    spent = dict(stages(laps))
    meter.stages(spent.items())
    meter.found(intent.findings)
    meter.found(outcome.reply_findings, "reply")
    meter.restored(sum(outcome.restored.values()))
    if outcome.error is not None and outcome.error.startswith("LEDGER_"):  # it could not be recorded
        meter.refused(outcome.error)
    elif codes:
        meter.refused(codes[0])
    if "intent" in spent:
        meter.committed(spent["intent"], ledger.size)


def line(intent: Intent, outcome: Outcome, verdict: Verdict) -> dict[str, object]:
    """What is logged of every exchange."""
    return {
        "id": intent.id,
        "operation": intent.operation,
        "verdict": verdict,
        "state": outcome.state,
        "code": outcome.error,
        "status": outcome.status,
        "request_bytes": intent.request_bytes,
        "answer_bytes": outcome.answer_bytes,
        "duration_us": (outcome.timings_us or intent.timings_us).get("total_us"),
    }


def lacking(done: Exchange) -> dict[str, object]:
    """How much the ledger has of an exchange that it could not take whole. How much of its answer left is not known."""
    if done.outcome is not None:
        return {}
    return {"recorded": "nothing" if done.intent is None else "intent", "answer_bytes": None}


def trouble(done: Exchange) -> dict[str, str]:
    """Type and place of the exception behind a fault of ours or of the upstream, which a code alone does not tell.

    Where a detector's worker failed, `raised` is the type of what it says was raised there. Where a rule failed,
    `policy_at` is its file, row and column in the bundle (absent where no row is at fault), and `policy_error` what the
    embedded engine says of it.
    """
    cause = cause_of(done.cause)
    if cause is None and isinstance(done.fault, OwnError | UpstreamError):
        cause = cause_of(done.fault)
    if isinstance(cause, WorkerFailed) and cause.raised is not None:
        return {**logs.described(cause), "raised": cause.raised}
    if isinstance(cause, EvaluationFault):
        place = {"policy_at": cause.position} if cause.position else {}
        return {**logs.described(cause), **place, "policy_error": cause.reason}
    return {} if cause is None else logs.described(cause)


def stepped(seconds: float) -> None:
    """The machine's clock was set: times of records before and after do not compare."""
    logs.event("clock stepped", {"by_s": round(seconds, 3)}, level=logging.WARNING)


def stages(laps: Mapping[str, int]) -> Iterator[tuple[str, float]]:
    """Laps count from the beginning of the exchange; a stage lasts from the lap before it."""
    before = 0
    for name, at in laps.items():
        if name != "total_us":
            yield name.removesuffix("_us"), (at - before) / 1e6
            before = at
