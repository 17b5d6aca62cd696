"""The columns that queries use, computed from an entry and its disclosures.

Writer and verifier call the same functions, so an index that was altered differs from what the leaf says. Identities
are keyed references (disclosure.Keyring.ref); lists are written `|A|B|`, which SQL finds with instr().
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

Ref = Callable[[str, str], bytes]


class IntentColumns(NamedTuple):
    """What an intent says; the rest of the row is empty until its outcome."""

    intent_number: int
    id: str
    at: int
    side: str
    operation: str
    model_requested: str | None
    prompt_name: str | None
    prompt_version: str | None
    verdict: str
    codes: str
    entities: str
    findings: int


class RefColumns(NamedTuple):
    """Keyed references to people and their applications; all NULL once the exchange is erased."""

    tenant_ref: bytes | None = None
    app_ref: bytes | None = None
    user_ref: bytes | None = None
    subject_ref: bytes | None = None
    conversation_ref: bytes | None = None
    prompt_ref: bytes | None = None


class OutcomeColumns(NamedTuple):
    outcome_number: int | None = None
    ended_at: int | None = None
    state: str = "open"
    model_served: str | None = None
    confidence_ppm: int | None = None
    error: str | None = None
    reply_verdict: str | None = None
    reply_codes: str = ""
    reply_entities: str = ""
    reply_findings: int = 0


COLUMNS = IntentColumns._fields + RefColumns._fields + OutcomeColumns._fields
NO_REFS = RefColumns()
OPEN = OutcomeColumns()

_NAMED = ("user", "subject", "conversation", "prompt_version")


def intent_columns(number: int, leaf: Mapping[str, Any]) -> IntentColumns:
    decision, findings = leaf["decision"], leaf["findings"]
    return IntentColumns(
        number,
        leaf["id"],
        leaf["at"],
        leaf["side"],
        leaf["operation"],
        leaf["model_requested"],
        leaf["prompt_name"],
        leaf["prompt_version"],
        decision["verdict"],
        _codes(decision),
        tags(findings),
        sum(findings.values()),
    )


def ref_columns(disclosed: Mapping[str, Any], ref: Ref) -> RefColumns:
    caller = disclosed["caller"]
    named = [ref(kind, disclosed[kind]) if kind in disclosed else None for kind in _NAMED]
    return RefColumns(ref("tenant", caller["tenant"]), ref("app", caller["app"]), *named)


def outcome_columns(number: int, leaf: Mapping[str, Any]) -> OutcomeColumns:
    decision, findings = leaf["decision"], leaf["findings"]
    return OutcomeColumns(
        number,
        leaf["at"],
        leaf["state"],
        leaf["model_served"],
        leaf["confidence_ppm"],
        leaf["error"],
        None if decision is None else decision["verdict"],
        "" if decision is None else _codes(decision),
        tags(findings),
        sum(findings.values()),
    )


def _codes(decision: Mapping[str, Any]) -> str:
    denies = decision["denies"]
    return tags([deny["code"] for deny in denies]) if denies else ""


def tags(names: Iterable[str]) -> str:
    """`|A|B|`, sorted; empty for none."""
    joined = "|".join(sorted(set(names)))
    return f"|{joined}|" if joined else ""


def untag(text: str) -> tuple[str, ...]:
    return tuple(text.strip("|").split("|")) if text else ()
