"""From what happened to what is recorded: pure functions that fill the ledger's Intent and Outcome.

Counts and codes only; a digest is taken of exactly the bytes that came in, went out, came back and were answered.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, TypedDict

from sidecar.ledger.facts import Intent
from sidecar.model import Arrival, Call, Decision, Finding, Part, Role
from sidecar.plan import House, Plan
from sidecar.policy import names
from sidecar.policy.contract import UNREADABLE
from sidecar.redaction import Restorer

PPM = 1_000_000
NOTHING_PERSONAL = frozenset[str]()
_ANY = re.compile(".*", re.DOTALL)
_HIDDEN = UNREADABLE.encode()


def intent_of(arrival: Arrival, plan: Plan, house: House) -> Intent:
    """The entry that must be durable before anything is sent."""
    name, version, source, digest = prompt_of(arrival, plan.call)
    outbound = plan.outbound.body if plan.outbound else None
    found = tally(plan.call.parts, plan.inspection.findings)
    chosen = {"model_requested": plan.call.model, "use_case": arrival.asserted.use_case}
    chosen |= {"prompt_name": name, "prompt_version": version}
    return Intent(
        id=arrival.id,
        at=arrival.at,
        side=str(house.side),
        mode="enforce",
        operation=str(plan.call.operation),
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
        findings=found.entities,
        findings_by_role=found.roles,
        detector_scores=found.scores,
        redactions=plan.redaction.counts,
        detectors=plan.inspection.detectors,
        not_looked_for=plan.inspection.not_looked_for,
        decision=plan.decision,
        request_bytes=len(arrival.body),
        request_sha256=hashlib.sha256(arrival.body).digest(),
        outbound_bytes=len(outbound or b""),
        outbound_sha256=None if outbound is None else hashlib.sha256(outbound).digest(),
        prompt_sha256=digest,
        timings_us=plan.timings,
        personal=personal_names(plan, chosen, house.listed),
    )


def personal_names(plan: Plan, chosen: Mapping[str, str | None], listed: Collection[str]) -> frozenset[str]:
    """Which of these freely chosen names hold a value that a detector found in the call: no leaf may hold it.

    Policy sees none of them either, so a policy input that hides no name tells cheaply that there is none.
    """
    document = plan.decision.document
    if not plan.inspection.findings or (document and _HIDDEN not in document):
        return NOTHING_PERSONAL
    found = names.found_values(plan.call.parts, plan.inspection.findings, listed)
    return frozenset(key for key, name in chosen.items() if name and names.readable(name, _ANY, found) == UNREADABLE)


def echoed(intent: Intent) -> frozenset[str]:
    """Fields of an outcome that are personal because the model server says again what it was asked."""
    return frozenset({"model_served"}) if "model_requested" in intent.personal else NOTHING_PERSONAL


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
    return "\n".join([part.text for part in call.parts if part.role is Role.SYSTEM])


def count_entities(findings: Iterable[Finding]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.entity] = counts.get(finding.entity, 0) + 1
    return counts


def refused_by(asked: Decision, replied: Decision | None) -> tuple[str, ...]:
    """The codes for which policy refused the call, or withheld its reply. A reply that had left was not withheld."""
    return asked.codes or (replied.codes if replied is not None and replied.enforced else ())


class Rationale(TypedDict):
    """Why a call was refused or its reply withheld, and who said so, as fields of `Outcome`."""

    rationale_codes: tuple[str, ...]
    rationale_source: str


def rationale(asked: Decision, replied: Decision | None) -> Rationale:
    """A decision that bears no policy is the sidecar's own: of a call that cannot be read, or of a fault."""
    codes = refused_by(asked, replied)
    by = asked if asked.codes or replied is None else replied
    source = "unavailable" if not codes else "sidecar" if by.policy is None else "policy"
    return {"rationale_codes": codes, "rationale_source": source}


class Found(NamedTuple):
    """Findings of a request, counted in one go."""

    entities: dict[str, int]
    roles: dict[str, dict[str, int]]
    """role -> entity -> count"""
    scores: dict[str, dict[str, tuple[int, int]]]
    """detector -> entity -> (count, lowest score in ppm)"""


def tally(parts: Sequence[Part], findings: Sequence[Finding]) -> Found:
    counted = Found({}, {}, {})
    if not findings:
        return counted
    entities, roles, scores = counted
    role_of = {part.place.path: part.role for part in parts}
    for place, _, _, entity, score, detector in findings:
        entities[entity] = entities.get(entity, 0) + 1
        by_role = roles.setdefault(role_of[place.path], {})
        by_role[entity] = by_role.get(entity, 0) + 1
        by_detector = scores.setdefault(detector, {})
        count, lowest = by_detector.get(entity, (0, PPM))
        by_detector[entity] = (count + 1, min(lowest, int(score * PPM)))
    return counted


class Restoration(TypedDict, total=False):
    """What became of the surrogates of a reply, as fields of `Outcome`."""

    restored: Mapping[str, int]
    withheld: Mapping[str, int]
    surrogates_unknown: int
    surrogates_ambiguous: int


def restoration(restorer: Restorer | None) -> Restoration:
    """Nothing where no reply was read."""
    if restorer is None:
        return {}
    return {
        "restored": restorer.restored,
        "withheld": restorer.withheld,
        "surrogates_unknown": restorer.unknown,
        "surrogates_ambiguous": restorer.ambiguous,
    }
