"""Facts -> the fields of a leaf, and the fields disclosed beside it.

A leaf outlives every erasure, so nothing in it may identify a person (guarantee 4). Names that a caller or an upstream
chose freely (model, prompt name, use case...) go into the leaf only where they look like identifiers and hold nothing
that was found of a person; any other is disclosed instead, and the leaf says so in `withheld`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from orjson import Fragment

from sidecar.ledger.canon import clean, constant, plain
from sidecar.ledger.facts import Intent, Outcome
from sidecar.model import Decision, Detector, Obligation, PolicyVersion, Uninspectable, Usage

MAX_PLACES = 64
MAX_LIST = 64
MAX_RATIONALE = 65_536

_REQUESTED = ("model_requested", "use_case", "prompt_name", "prompt_version")
_SERVED = ("model_served", "fingerprint")
"""What a caller or an upstream named freely."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9./][A-Za-z0-9._:/+-]{0,127}(?:@(?:[0-9]{6,8}|default|latest))?")
"""Model and prompt names as providers spell them; `@` only before a date, for it also makes e-mail addresses."""

_LONG_NUMBER = re.compile(r"[0-9]{9}|[0-9](?:[ ._/+-]?[0-9]){10,}")
"""Nine digits in a row, or eleven however grouped: a phone, account or card number rather than a date or a version."""


class Draft(NamedTuple):
    """An entry before salting: what goes into the leaf, and what is disclosed beside it."""

    fields: dict[str, Any]
    disclosed: dict[str, Any]


@lru_cache(4096)
def is_identifier(text: str) -> bool:
    return _IDENTIFIER.fullmatch(text) is not None and _LONG_NUMBER.search(text) is None


def _withhold(fields: dict[str, Any], names: Sequence[str], secret: Collection[str]) -> dict[str, Any]:
    """Take freely chosen names that may say more than a name out of the leaf, which then lists them; disclose them."""
    disclosed: dict[str, Any] = {}
    for name in names:
        value = fields[name]
        if value is not None and (name in secret or not is_identifier(value)):
            disclosed[name], fields[name] = clean(value), None
    if disclosed:
        fields["withheld"] = list(disclosed)
    return disclosed


def intent_fields(intent: Intent) -> Draft:
    """Everything of `Intent`, each field on its side of the line that facts.py draws."""
    fields = {
        "at": intent.at,
        "side": intent.side,
        "mode": intent.mode,
        "operation": str(intent.operation),
        "route": intent.route,
        "provider": intent.provider,
        "recipient": intent.recipient,
        "streaming": intent.streaming,
        "model_requested": intent.model_requested,
        "use_case": intent.asserted.use_case,
        "prompt_name": intent.prompt_name,
        "prompt_version": intent.prompt_version,
        "prompt_source": intent.prompt_source,
        "params": plain(intent.params) if intent.params else {},
        "not_inspected": _not_inspected(intent.uninspectable),
        "findings": dict(intent.findings),
        "findings_by_role": {str(role): dict(counts) for role, counts in intent.findings_by_role.items()},
        "detector_scores": {name: _scores(found) for name, found in intent.detector_scores.items()},
        "redactions": dict(intent.redactions),
        "detectors": _detectors(intent.detectors),
        "not_looked_for": _constants(intent.not_looked_for),
        "decision": decision_fields(intent.decision),
        "request_bytes": intent.request_bytes,
        "outbound_bytes": intent.outbound_bytes,
        "timings_us": dict(intent.timings_us),
    }
    digest = {"prompt_version"} if intent.prompt_source == "system_digest" else ()
    disclosed = _withhold(fields, _REQUESTED, intent.personal.union(digest))
    _disclose_caller(intent, disclosed)
    request, outbound, prompt = intent.request_sha256, intent.outbound_sha256, intent.prompt_sha256
    _digests(disclosed, ("request", request), ("outbound", outbound), ("prompt", prompt))
    _document(disclosed, intent.decision)
    return Draft(fields, disclosed)


def outcome_fields(outcome: Outcome) -> Draft:
    """Everything of `Outcome`; the confidence keeps its source, the rationale says where it came from (guarantee 9)."""
    reply, decision = outcome.reply, outcome.decision
    fields = {
        "at": outcome.at,
        "state": str(outcome.state),
        "status": outcome.status,
        "error": outcome.error,
        "aborted_by": outcome.aborted_by,
        "model_served": reply.model_served,
        "fingerprint": reply.fingerprint,
        "finish_reasons": _identifiers(reply.finish_reasons),
        "usage": _usage(reply.usage),
        "confidence_ppm": reply.confidence_ppm,
        "confidence_source": reply.confidence_source,
        "upstream_error": reply.upstream_error,
        "complete": reply.complete,
        "decision": None if decision is None else decision_fields(decision),
        "release": str(outcome.release),
        "released": outcome.released,
        "findings": dict(outcome.reply_findings),
        "restored": dict(outcome.restored),
        "not_inspected": outcome.reply_not_inspected,
        "withheld_values": dict(outcome.withheld),
        "surrogates_unknown": outcome.surrogates_unknown,
        "surrogates_ambiguous": outcome.surrogates_ambiguous,
        "rationale_codes": list(outcome.rationale_codes),
        "rationale_source": outcome.rationale_source if outcome.rationale is None else "model-stated",
        "reply_bytes": outcome.reply_bytes,
        "answer_bytes": outcome.answer_bytes,
        "timings_us": dict(outcome.timings_us),
    }
    disclosed = _withhold(fields, _SERVED, outcome.personal)
    _digests(disclosed, ("reply", outcome.reply_sha256), ("answer", outcome.answer_sha256))
    if reply.response_id is not None:
        disclosed["response_id"] = clean(reply.response_id)
    if outcome.rationale is not None:
        disclosed["rationale"] = clean(outcome.rationale[:MAX_RATIONALE])
        if len(outcome.rationale) > MAX_RATIONALE:
            fields["rationale_chars"] = len(outcome.rationale)  # said, not silent: the disclosure holds the beginning
    if decision is not None:
        _document(disclosed, decision)
    return Draft(fields, disclosed)


def decision_fields(decision: Decision) -> dict[str, Any]:
    denies, duties, policy = decision.denies, decision.obligations, decision.policy
    return {
        "verdict": str(decision.verdict),
        "denies": [{"code": deny.code, "params": plain(deny.params)} for deny in denies] if denies else [],
        "obligations": [_duty(duty) for duty in duties] if duties else [],
        "enforced": decision.enforced,
        "eval_us": decision.eval_us,
        "policy": None if policy is None else _policy(policy),
    }


def _duty(duty: Obligation) -> dict[str, Any]:
    return {"type": duty.type, "id": duty.id, "params": plain(duty.params), "critical": duty.critical}


def policy_fields(policy: PolicyVersion) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in PolicyVersion.__slots__}


@lru_cache(16)
def _policy(policy: PolicyVersion) -> Fragment:
    return constant(policy_fields(policy))


@lru_cache(64)
def _detectors(detectors: tuple[Detector, ...]) -> Fragment:
    return constant([[detector.name, detector.version] for detector in detectors])


@lru_cache(64)
def _constants(names: tuple[str, ...]) -> Fragment:
    return constant(list(names))


_ALL_INSPECTED = constant({"places": [], "more": 0, "kinds": {}})


def _not_inspected(places: Sequence[Uninspectable]) -> dict[str, Any] | Fragment:
    """Labels of the first places, counts of all: an entry is at most 64 KiB, and nothing is left out unsaid."""
    if not places:
        return _ALL_INSPECTED
    return {
        "places": [[place.label, place.kind] for place in places[:MAX_PLACES]],
        "more": max(0, len(places) - MAX_PLACES),
        "kinds": dict(Counter(place.kind for place in places)),
    }


def _scores(found: Mapping[str, tuple[int, int]]) -> dict[str, list[int]]:
    return {entity: list(score) for entity, score in found.items()}


def _identifiers(values: Sequence[str]) -> list[str]:
    return [value if is_identifier(value) else "other" for value in values[:MAX_LIST]]


def _usage(usage: Usage) -> dict[str, Any]:
    """The provider's own numbers, however large."""
    return {
        "input_tokens": plain(usage.input_tokens),
        "output_tokens": plain(usage.output_tokens),
        "reasoning_tokens": plain(usage.reasoning_tokens),
        "cached_tokens": plain(usage.cached_tokens),
    }


def _disclose_caller(intent: Intent, disclosed: dict[str, Any]) -> None:
    """The application, and apart from it each name of a person: they can be shown, or kept back, one by one."""
    caller, asserted = intent.caller, intent.asserted
    disclosed["caller"] = {
        "tenant": clean(caller.tenant),
        "app": clean(caller.app),
        "auth": caller.auth,
        "roles": [clean(role) for role in caller.roles],
    }
    if caller.user is not None:
        disclosed["user"] = clean(caller.user)
    if asserted.subject is not None:
        disclosed["subject"] = clean(asserted.subject)
    if asserted.conversation is not None:
        disclosed["conversation"] = clean(asserted.conversation)


def _digests(disclosed: dict[str, Any], *digests: tuple[str, bytes | None]) -> None:
    """SHA-256 of whole bodies: guessable for a short prompt, hence salted."""
    known = {name: value.hex() for name, value in digests if value is not None}
    if known:
        disclosed["sha256"] = known


def _document(disclosed: dict[str, Any], decision: Decision) -> None:
    """The policy input, as its canonical text: what a traced re-evaluation needs besides the bundle."""
    if decision.document:
        disclosed["policy_input"] = clean(decision.document.decode("utf-8", "surrogateescape"))
