"""What an ended exchange says to metrics and to the log: codes, counts and durations, never content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sidecar.drivers.store import Ledger
from sidecar.ledger.facts import Intent, Outcome
from sidecar.proxy import logs
from sidecar.proxy.meter import Meter


def observe(intent: Intent | None, outcome: Outcome | None, meter: Meter, ledger: Ledger) -> None:
    """Count and log one exchange. Without an intent nothing was recorded, and there is nothing to say."""
    if intent is None or outcome is None:
        return
    laps = outcome.timings_us or intent.timings_us
    total = laps.get("total_us", 0) / 1e6
    verdict = intent.decision.verdict
    meter.exchange(operation=intent.operation, verdict=verdict, state=outcome.state, seconds=total)
    meter.stages(stages(laps))
    meter.found(intent.findings)
    meter.found(outcome.reply_findings, "reply")
    meter.restored(sum(outcome.restored.values()))
    if intent.decision.codes:
        meter.refused(intent.decision.codes[0])
    if "intent_us" in laps:
        meter.committed((laps["intent_us"] - laps.get("redact_us", 0)) / 1e6, ledger.size)
    logs.event(
        "exchange",
        {
            "id": intent.id,
            "operation": intent.operation,
            "verdict": verdict,
            "state": outcome.state,
            "code": outcome.error,
            "status": outcome.status,
            "request_bytes": intent.request_bytes,
            "answer_bytes": outcome.answer_bytes,
            "duration_us": laps.get("total_us"),
        },
    )


def stages(laps: Mapping[str, int]) -> Iterator[tuple[str, float]]:
    """Laps count from the beginning of the exchange; a stage lasts from the lap before it."""
    before = 0
    for name, at in laps.items():
        if name != "total_us":
            yield name.removesuffix("_us"), (at - before) / 1e6
            before = at
