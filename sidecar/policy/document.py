"""Builds the policy input: total, typed and content-free (contract.py).

Nothing here fails on an odd call: what is out of bounds is null, UNREADABLE or clamped. Numbers of a body are bounded
too, because a number can be somebody's: `max_tokens: 4915112345678` says no more here than "ten million or more".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

import orjson

from sidecar.model import (
    EMPTY,
    Arrival,
    Asserted,
    Call,
    Caller,
    Detector,
    Inspection,
    Part,
    ReplyFacts,
    Role,
    Side,
    Uninspectable,
)
from sidecar.model import Usage as ReplyUsage
from sidecar.policy import contract, names

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
WEEKDAYS = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")
"""Day 0 of the epoch, 1970-01-01, was a Thursday."""

COUNT_LIMIT = 10_000_000
PPM = 1_000_000
SETTING_LIMIT = 1000.0
WORD = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
NO_USAGE: contract.Usage = {"tokens_today": None, "cost_today": None, "rpm": None}
NO_PARTS = {role.value: 0 for role in Role}


def request_document(
    *,
    arrival: Arrival,
    call: Call,
    inspection: Inspection,
    side: Side,
    provider: str,
    environment: str = "production",
    listed: Collection[str] = (),
) -> dict[str, Any]:
    """The input of phase `request`: a `contract.Document`. Takes what the call said and what was found in it.

    `listed` are the models and tools that the operator's own settings name: their words may be read in names.
    """
    found = names.found_values(call.parts, inspection.findings, listed)
    document: contract.Document = {
        "contract": "1",
        "phase": "request",
        "time": _time(arrival.at),
        "request_id": arrival.id,
        "session_id": None,
        "side": side._value_,
        "mode": "enforce",
        "env": environment,
        "route": arrival.route,
        "principal": _principal(arrival.caller),
        "use_case": _use_case(arrival.asserted.use_case, found),
        "model": _model(call.model, provider, found),
        "usage": NO_USAGE,
        "request": _request(arrival, call, found),
        "content": _content(call, inspection),
        "response": None,
    }
    return cast(dict[str, Any], document)


def response_document(
    request: Mapping[str, Any],
    *,
    inspection: Inspection,
    facts: ReplyFacts,
    window: bool,
    before: Mapping[str, tuple[int, float]] = EMPTY,
) -> dict[str, Any]:
    """The input of phase `response` or `response_window`: the request's document, and what the reply says of itself.

    `before` is what was found in text that `inspection` does not cover: entity -> (count, best score).
    """
    response: contract.Response = {
        "complete": facts.complete,
        "upstream_error": facts.upstream_error,
        "finish_reasons": names.readable_set(facts.finish_reasons, WORD, frozenset()),
        "model_served": names.readable_or_none(facts.model_served, names.MODEL, frozenset()),
        "tokens": _tokens(facts.usage),
        "confidence_ppm": facts.confidence_ppm,
        "confidence_source": facts.confidence_source,
        "entities": _entities((), inspection, Role.ASSISTANT, before),
        "detectors": _detectors(inspection.detectors),
        "not_looked_for": list(inspection.not_looked_for),
    }
    return {**request, "phase": "response_window" if window else "response", "response": response}


def recorded(document: Mapping[str, Any]) -> bytes:
    """What is kept of a policy input: all of a request's; of a reply's what it adds, for the rest is the request's."""
    if document["phase"] != "request":
        document = {"phase": document["phase"], "response": document["response"]}
    return orjson.dumps(document)


def _time(at: int) -> contract.Time:
    return {"ns": at * 1000, "weekday": WEEKDAYS[at // DAY_US % 7], "hour_utc": at % DAY_US // HOUR_US}


def _principal(caller: Caller) -> contract.Principal:
    """Tenant, application and roles are configuration's own names; the user is a person and stays out."""
    return {
        "tenant": caller.tenant,
        "app": caller.app,
        "subject": None,
        "roles": sorted(set(caller.roles)) if caller.roles else [],
        "auth": caller.auth,
        "claims": {},
    }


def _use_case(name: str | None, found: frozenset[str]) -> contract.UseCase:
    return {
        "id": names.readable_or_none(name, names.TOOL, found),
        "risk": None,
        "user_facing": None,
        "owner": None,
    }


def _model(name: str | None, provider: str, found: frozenset[str]) -> contract.Model:
    return {
        "requested": names.readable_or_none(name, names.MODEL, found),
        "resolved": None,
        "provider": provider,
        "region": None,
        "digest": None,
        "tier": None,
    }


def _request(arrival: Arrival, call: Call, found: frozenset[str]) -> contract.Request:
    return {
        "operation": call.operation._value_,
        "endpoint": arrival.route,
        "method": names.readable(arrival.method, WORD, frozenset()),
        "stream": call.stream,
        "max_tokens": _count(call.max_tokens),
        "prompt_tokens": None,
        "temperature": _setting(call.params.get("temperature")),
        "top_p": _setting(call.params.get("top_p")),
        "choices": _count(call.params.get("n")),
        "json_output": call.json_output,
        "prompt": _prompt(arrival.asserted, call, found),
        "parts": _parts(call.parts),
        "tools_offered": names.readable_set(call.tools, names.TOOL, found),
        "params_unknown": names.readable_set(call.params_unknown, names.PARAMETER, found),
    }


def _prompt(asserted: Asserted, call: Call, found: frozenset[str]) -> contract.Prompt:
    """As the record has it: the header's word goes before the body's metadata."""
    name, version = asserted.prompt_name or call.prompt_name, asserted.prompt_version or call.prompt_version
    return {
        "name": names.readable_or_none(name, names.TOOL, found),
        "version": names.readable_or_none(version, names.TOOL, found),
    }


def _parts(parts: Iterable[Part]) -> contract.Parts:
    counts = NO_PARTS.copy()
    for part in parts:
        counts[part.role._value_] += 1
    return cast(contract.Parts, counts)


def _content(call: Call, inspection: Inspection) -> contract.Content:
    return {
        "chars": sum([len(part.text) for part in call.parts]),
        "entities": _entities(call.parts, inspection, Role.USER),
        "detectors": _detectors(inspection.detectors),
        "uninspectable": _uninspectable(call.uninspectable) if call.uninspectable else [],
        "not_looked_for": list(inspection.not_looked_for),
    }


def _entities(
    parts: Iterable[Part], inspection: Inspection, unknown: Role, before: Mapping[str, tuple[int, float]] = EMPTY
) -> list[contract.Entity]:
    """Findings by type and role. `unknown` is the role of a finding at a place that no part names."""
    if not (inspection.findings or before):
        return []
    roles = {part.place.path: part.role for part in parts}
    groups = {(entity, unknown._value_): (count, _ppm(best)) for entity, (count, best) in before.items()}
    for place, _, _, entity, score, _ in inspection.findings:
        key = (entity, roles.get(place.path, unknown)._value_)
        count, best = groups.get(key, (0, 0))
        groups[key] = (count + 1, max(best, _ppm(score)))
    return [
        {"type": entity, "role": role, "count": count, "score_ppm": best}
        for (entity, role), (count, best) in sorted(groups.items())
    ]


def _detectors(detectors: Iterable[Detector]) -> list[contract.Detector]:
    return [{"name": detector.name, "version": detector.version} for detector in detectors]


def _uninspectable(items: Sequence[Uninspectable]) -> list[contract.Uninspectable]:
    """One line a kind, so that a thousand images do not push the document over the engine's limit."""
    kinds: dict[str, contract.Uninspectable] = {}
    for item in items:
        kind = names.readable(item.kind, WORD, frozenset())
        label = names.readable(item.label, names.LABEL, frozenset())
        kinds.setdefault(kind, {"kind": kind, "count": 0, "label": label})["count"] += 1
    return [kinds[kind] for kind in sorted(kinds)]


def _tokens(usage: ReplyUsage) -> contract.Tokens:
    return {
        "input": _count(usage.input_tokens),
        "output": _count(usage.output_tokens),
        "reasoning": _count(usage.reasoning_tokens),
        "cached": _count(usage.cached_tokens),
    }


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return max(0, min(value, COUNT_LIMIT))


def _setting(value: object) -> int | float | None:
    """A sampling setting, to three decimals; out of any provider's range it is unknown."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not -SETTING_LIMIT < value < SETTING_LIMIT:
        return None
    return value if isinstance(value, int) else round(value, 3)


def _ppm(score: float) -> int:
    """A score as parts per million; one that is no number counts as certain, which is the strict reading."""
    return round(score * PPM) if 0.0 <= score <= 1.0 else PPM
