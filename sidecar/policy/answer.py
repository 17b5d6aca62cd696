"""Reads what a policy engine answered. Total: whatever it is, the result is a Decision, and any doubt is a deny.

Effective allow = a result is there, its contract is known, `allow` is true, `denies` is empty and every critical
obligation can be fulfilled. Everything else denies, with a code of the catalogue.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from sidecar.model import EMPTY, Decision, Deny, Duties, Obligation, PolicyVersion, Verdict
from sidecar.policy.contract import CONTRACT
from sidecar.policy.duties import merge

CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")
TYPE = re.compile(r"[a-z][a-z0-9_]{0,63}")
HALF = re.compile("[\ud800-\udfff]")
ANSWER_KEYS = {"contract", "allow", "denies", "obligations"}
DENY_KEYS = {"code", "params"}
OBLIGATION_KEYS = {"type", "id", "params", "critical"}
ITEM_LIMIT = 256
TEXT_LIMIT = 256
KNOWN = 256
KNOWN_LIMIT = 4096
PHASE = b'"phase":"'
MARSHAL_FORMAT = 2
"""Without references, so that equal answers have equal bytes."""


class Malformed(Exception):
    """The answer is not one of contract 1; the argument is the field at fault, by the contract's own names only."""


class EngineAnswer(NamedTuple):
    """What a policy engine said: the raw result (`undefined` when it had none), of which bundle, at what cost."""

    result: Any
    undefined: bool
    policy: PolicyVersion
    eval_us: int


class Parts(NamedTuple):
    """What a Decision takes from an answer."""

    verdict: Verdict
    denies: tuple[Deny, ...]
    obligations: tuple[Obligation, ...]
    duties: Duties


def read(answer: EngineAnswer, document: bytes = b"", *, enforced: bool = True) -> Decision:
    """The decision of an answer to `document`, the serialised policy input that the answer was given for."""
    if answer.undefined:
        return fault("PDP_UNDEFINED", answer.policy, document, answer.eval_us)
    try:
        verdict, denies, obligations, duties = _known_or_read(answer.result, _phase(document))
    except Malformed as field:
        denied = fault("PDP_CONTRACT", answer.policy, document, answer.eval_us)
        return replace(denied, denies=(Deny("PDP_CONTRACT", {"at": str(field)}),))
    return Decision(
        verdict=verdict,
        denies=denies,
        obligations=obligations,
        duties=duties,
        policy=answer.policy,
        enforced=enforced,
        eval_us=answer.eval_us,
        document=document,
    )


def united(earlier: Decision | None, later: Decision) -> Decision:
    """The later judgement of a reply in windows, with what the earlier ones demanded of its record.

    Redaction is not carried over: each window's was done to that window. Demands that are the same count once; of an
    annotation, the latest value. More of them than one answer may hold deny as such an answer would (PDP_CONTRACT).
    """
    if earlier is None:
        return later
    kept = {_demand(duty): duty for duty in earlier.obligations if duty.type != "redact"}
    duties = tuple({**kept, **{_demand(duty): duty for duty in later.obligations}}.values()) if kept else ()
    if len(duties) > ITEM_LIMIT:
        return replace(later, verdict=Verdict.DENY, denies=(*later.denies, Deny("PDP_CONTRACT")))
    return replace(later, obligations=duties, duties=merge(duties, "response")[0]) if kept else later


def _demand(duty: Obligation) -> tuple[str, str, str]:
    """What makes two demands one: the whole of them, but for the values of an annotation."""
    params = sorted(duty.params) if duty.type == "annotate" else sorted(duty.params.items())
    return duty.type, duty.id, repr(params)


def _known_or_read(result: Any, phase: str) -> Parts:
    """A policy gives few different answers, so the parts of each are kept. The bytes tell 1 from 1.0 and from true."""
    try:
        text = marshal.dumps(result, MARSHAL_FORMAT)
    except ValueError:
        return _parts(result, phase)
    return _known(text, phase) if len(text) <= KNOWN_LIMIT else _parts(result, phase)


@lru_cache(maxsize=KNOWN)
def _known(text: bytes, phase: str) -> Parts:
    return _parts(marshal.loads(text), phase)  # noqa: S302  the bytes were made a moment ago, by the one caller


def _parts(result: object, phase: str) -> Parts:
    denies, obligations, allow = _answer(result)
    duties, unmet = merge(obligations, phase)
    denies += unmet
    if not (allow or denies):
        denies = (Deny("POLICY_DENIED"),)
    return Parts(Verdict.DENY if denies else Verdict.ALLOW, denies, obligations, duties)


def fault(code: str, policy: PolicyVersion | None = None, document: bytes = b"", eval_us: int = 0) -> Decision:
    """The decision where none could be reached: deny with the fault's code."""
    return Decision(verdict=Verdict.DENY, denies=(Deny(code),), policy=policy, eval_us=eval_us, document=document)


def _phase(document: bytes) -> str:
    """Which phase the document is of, without parsing it: a quote inside a JSON string is escaped, so only the key
    itself reads like this. Without a document the phase is `request`, the one with the most obligations."""
    at = document.find(PHASE) + len(PHASE)
    if at < len(PHASE):
        return "request"
    if document.startswith(b'response_window"', at):
        return "response_window"
    return "response" if document.startswith(b'response"', at) else "request"


def _answer(result: object) -> tuple[tuple[Deny, ...], tuple[Obligation, ...], bool]:
    if not isinstance(result, Mapping) or set(result) != ANSWER_KEYS:
        raise Malformed("decision")
    if result["contract"] != CONTRACT:
        raise Malformed("contract")
    if not isinstance(result["allow"], bool):
        raise Malformed("allow")
    denies = tuple(_deny(item) for item in _items(result["denies"], "denies"))
    obligations = tuple(_obligation(item) for item in _items(result["obligations"], "obligations"))
    return denies, obligations, result["allow"]


def _items(value: object, at: str) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple) or len(value) > ITEM_LIMIT:
        raise Malformed(at)
    return value


def _deny(item: object) -> Deny:
    if not isinstance(item, Mapping) or not set(item) <= DENY_KEYS:
        raise Malformed("denies")
    code = item.get("code")
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise Malformed("denies.code")
    return Deny(code, _params(item.get("params", EMPTY), "denies.params"))


def _obligation(item: object) -> Obligation:
    if not isinstance(item, Mapping) or not set(item) <= OBLIGATION_KEYS:
        raise Malformed("obligations")
    kind, name, critical = item.get("type"), item.get("id", item.get("type")), item.get("critical", True)
    if not isinstance(kind, str) or not TYPE.fullmatch(kind):
        raise Malformed("obligations.type")
    if not isinstance(critical, bool):
        raise Malformed("obligations.critical")
    params = _params(item.get("params", EMPTY), "obligations.params")
    return Obligation(type=kind, id=_text(name, "obligations.id"), params=params, critical=critical)


def _params(value: object, at: str) -> Mapping[str, Any]:
    """Scalars and lists of scalars, as the record's closed profile allows; a float is spelled out as text."""
    if not isinstance(value, Mapping) or len(value) > ITEM_LIMIT:
        raise Malformed(at)
    return {_text(key, at): _value(item, at) for key, item in value.items()}


def _value(value: object, at: str) -> Any:
    return [_scalar(item, at) for item in _items(value, at)] if isinstance(value, list | tuple) else _scalar(value, at)


def _scalar(value: object, at: str) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int) and abs(value) >= 2**63:
        return str(value) if abs(value) < 10**TEXT_LIMIT else "[large]"
    if value is None or isinstance(value, int):
        return value
    return _text(value, at)


def _text(value: object, at: str) -> str:
    """Half a UTF-16 pair, which JSON can spell, is no text: it could be neither recorded nor sent."""
    if not isinstance(value, str) or len(value) > TEXT_LIMIT or HALF.search(value):
        raise Malformed(at)
    return value
