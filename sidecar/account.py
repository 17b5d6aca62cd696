"""From what happened to what is recorded: pure functions that fill the ledger's Intent and Outcome.

Counts and codes only; a digest is taken of exactly the bytes that came in, went out, came back and were answered.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

from sidecar.ledger.facts import Intent
from sidecar.model import Arrival, Call, Finding, Part, Role
from sidecar.plan import House, Plan

PPM = 1_000_000


def intent_of(arrival: Arrival, plan: Plan, house: House) -> Intent:
    """The entry that must be durable before anything is sent."""
    name, version, source, digest = prompt_of(arrival, plan.call)
    outbound = plan.outbound.body if plan.outbound else None
    return Intent(
        id=arrival.id,
        at=arrival.at,
        side=house.side.value,
        mode="enforce",
        operation=plan.call.operation.value,
        route=arrival.route,
        provider=house.provider,
        recipient=house.recipient,
        streaming=plan.call.stream,
        model_requested=plan.call.model,
        caller=arrival.caller,
        asserted=arrival.asserted,
        prompt_name=name,
        prompt_version=version,
        prompt_source=source,
        params=plan.call.params,
        uninspectable=plan.call.uninspectable,
        findings=count_entities(plan.inspection.findings),
        findings_by_role=count_roles(plan.call.parts, plan.inspection.findings),
        detector_scores=detector_scores(plan.inspection.findings),
        redactions=plan.redaction.counts,
        detectors=plan.inspection.detectors,
        not_looked_for=plan.inspection.not_looked_for,
        decision=plan.decision,
        request_bytes=len(arrival.body),
        request_sha256=hashlib.sha256(arrival.body).digest(),
        outbound_bytes=len(outbound or b""),
        outbound_sha256=None if outbound is None else hashlib.sha256(outbound).digest(),
        prompt_sha256=digest,
        timings_us=dict(plan.timings),
    )


def prompt_of(arrival: Arrival, call: Call) -> tuple[str | None, str | None, str, bytes | None]:
    """Name, version, source of the version, and digest of the system prompt.

    The version comes from the header, else the body's metadata, else it is the digest of the system prompt.
    """
    text = system_text(call)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() if text else None
    name = arrival.asserted.prompt_name or call.prompt_name
    if arrival.asserted.prompt_version:
        return name, arrival.asserted.prompt_version, "header", digest
    if call.prompt_version:
        return name, call.prompt_version, "metadata", digest
    if digest is None:
        return name, None, "none", None
    return name, f"sha256:{digest.hex()[:16]}", "system_digest", digest


def system_text(call: Call) -> str:
    return "\n".join(part.text for part in call.parts if part.role is Role.SYSTEM)


def count_entities(findings: Iterable[Finding]) -> dict[str, int]:
    return dict(Counter(finding.entity for finding in findings))


def count_roles(parts: Iterable[Part], findings: Iterable[Finding]) -> dict[str, dict[str, int]]:
    """role -> entity -> count."""
    roles = {part.place: part.role for part in parts} if findings else {}
    counts: dict[str, dict[str, int]] = {}
    for finding in findings:
        by_entity = counts.setdefault(roles[finding.place], {})
        by_entity[finding.entity] = by_entity.get(finding.entity, 0) + 1
    return counts


def detector_scores(findings: Iterable[Finding]) -> Mapping[str, Mapping[str, tuple[int, int]]]:
    """detector -> entity -> (count, lowest score in ppm)."""
    scores: dict[str, dict[str, tuple[int, int]]] = {}
    for finding in findings:
        by_entity = scores.setdefault(finding.detector, {})
        count, lowest = by_entity.get(finding.entity, (0, PPM))
        by_entity[finding.entity] = (count + 1, min(lowest, int(finding.score * PPM)))
    return scores
