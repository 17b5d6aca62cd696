"""One exchange as people see it: its two entries joined, with the disclosures that may be opened.

`view` gives the field names of schemas/record.schema.json. What the log does not know is `unavailable`, what was
erased says so, and what nobody looked at is listed (guarantee 9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from sidecar.ledger.disclosure import DisclosureError, Keyring, box_context, match, open_box, read
from sidecar.ledger.entries import parse
from sidecar.ledger.merkle import leaf_hash
from sidecar.ledger.source import StoredEntry
from sidecar.ledger.views import (
    CallerView,
    DecisionView,
    Disclosures,
    Head,
    PolicyView,
    Proof,
    RecordView,
    Reply,
    Request,
    StateWord,
)

OPENED: Final = "open"
SEALED: Final = "sealed"
ERASED: Final = "erased"
DAMAGED: Final = "damaged"

VIEW: Final = 1
"""The form of records.jsonl: an export is verified by the form that its lines name, whatever `view` gives by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`disclosures` is `open`, `sealed` (no data key at hand), `erased`, or `damaged` (run a verification)."""

    id: str
    intent_number: int
    intent: Mapping[str, Any]
    intent_hash: str
    outcome_number: int | None = None
    outcome: Mapping[str, Any] | None = None
    outcome_hash: str | None = None
    disclosures: Disclosures = SEALED
    disclosed: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reply_disclosed: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def state(self) -> StateWord:
        word: StateWord = "open" if self.outcome is None else self.outcome["state"]
        return word


class Half(NamedTuple):
    """One entry of a record, parsed."""

    number: int
    body: bytes
    leaf: Mapping[str, Any]
    disclosed: Mapping[str, Any]


def make_record(first: Half, last: Half | None, disclosures: Disclosures) -> Record:
    return Record(
        id=first.leaf["id"],
        intent_number=first.number,
        intent=first.leaf,
        intent_hash=leaf_hash(first.body).hex(),
        outcome_number=None if last is None else last.number,
        outcome=None if last is None else last.leaf,
        outcome_hash=None if last is None else leaf_hash(last.body).hex(),
        disclosures=disclosures,
        disclosed=first.disclosed,
        reply_disclosed={} if last is None else last.disclosed,
    )


def join_record(first: StoredEntry, last: StoredEntry | None, keyring: Keyring | None) -> Record:
    """The record of an intent and its outcome. Raises ProfileError for entries that cannot be read."""
    halves = [(row, parse(row.body)) for row in (first, last) if row is not None]
    state, opened = _open_all(halves, keyring)
    made = [Half(row.number, row.body, leaf, fields) for (row, leaf), fields in zip(halves, opened, strict=True)]
    return make_record(made[0], made[1] if len(made) > 1 else None, state)


def _open_all(
    halves: Sequence[tuple[StoredEntry, Mapping[str, Any]]], keyring: Keyring | None
) -> tuple[Disclosures, list[dict[str, Any]]]:
    first, intent = halves[0]
    nothing: list[dict[str, Any]] = [{} for _ in halves]
    if keyring is None:
        return SEALED, nothing
    if first.box is None or first.wrapped is None:
        return ERASED, nothing
    try:
        key = keyring.unwrap(first.wrapped, intent["id"])
        return OPENED, [{} if row.box is None else open_fields(row.box, key, leaf) for row, leaf in halves]
    except DisclosureError:
        return DAMAGED, nothing


def open_fields(box: bytes, key: bytes, leaf: Mapping[str, Any]) -> dict[str, Any]:
    """What a box discloses, once it is shown to be what the leaf commits to."""
    arrays = open_box(box, key, box_context(leaf["id"], leaf["typ"]))
    match(arrays, leaf.get("_sd", ()))
    return read(arrays)


def view(record: Record) -> RecordView:
    """The whole record under the names that officers and exporters see, in today's form."""
    return {**_head(record), **_request(record), **_decision(record), **_reply(record), **_proof(record)}


VIEWS: Mapping[int, Callable[[Record], RecordView]] = {VIEW: view}
"""Every form that exports may have. Whoever changes what `view` gives raises VIEW, and keeps the old function here."""


def record_line(record: Record, version: int = VIEW) -> bytes:
    """The record as one line of records.jsonl. Raises KeyError for a form that this version does not know."""
    seen = {**VIEWS[version](record), "schema_version": version}
    return orjson.dumps(seen, option=orjson.OPT_SORT_KEYS) + b"\n"


def version_of(line: bytes) -> int | None:
    """The form that a line of records.jsonl says it has, None where it says nothing."""
    try:
        version = orjson.loads(line)["schema_version"]
    except (ValueError, KeyError, TypeError):
        return None
    return version if type(version) is int else None


def _head(record: Record) -> Head:
    intent, outcome = record.intent, record.outcome or {}
    return {
        "record_id": record.id,
        "schema_version": VIEW,
        "log_id": intent["sidecar"],
        "state": record.state,
        "ts_start": intent["at"],
        "ts_end": outcome.get("at"),
        "mode": intent["mode"],
        "side": intent["side"],
        "disclosures": record.disclosures,
    }


def _request(record: Record) -> Request:
    intent, get = record.intent, record.disclosed.get
    caller, subject = get("caller"), get("subject")
    return {
        "use_case": {"id": _named(record, "use_case")},
        "caller": _caller(caller) if caller else None,
        "user_ref": get("user"),
        "subject_refs": [] if subject is None else [{"token": subject, "link_method": "app-asserted"}],
        "conversation_id": get("conversation"),
        "operation": intent["operation"],
        "endpoint": intent["route"],
        "provider": intent["provider"],
        "recipient": {"id": intent["recipient"]},
        "streaming": intent["streaming"],
        "model": {
            "requested": _named(record, "model_requested"),
            "served": _served(record, "model_served"),
            "fingerprint": _served(record, "fingerprint"),
        },
        "params": readable(intent["params"]),
        "prompt": {
            "name": _named(record, "prompt_name"),
            "version": _named(record, "prompt_version"),
            "source": intent["prompt_source"],
            "hash": get("sha256", {}).get("prompt"),
        },
        "pii": {
            "categories": dict(intent["findings"]),
            "by_role": intent["findings_by_role"],
            "scores_ppm": intent["detector_scores"],
        },
        "redaction": {
            "detectors": [{"name": name, "version": version} for name, version in intent["detectors"]],
            "actions": dict(intent["redactions"]),
            "not_looked_for": list(intent["not_looked_for"]),
            "not_inspected": intent["not_inspected"],
        },
        "input": {"bytes": intent["request_bytes"], "sha256": get("sha256", {}).get("request")},
        "dispatched": {"bytes": intent["outbound_bytes"], "sha256": get("sha256", {}).get("outbound")},
        "withheld": intent.get("withheld", []),
    }


def obligations_of(record: Record) -> tuple[str, ...]:
    """The types of what policy demanded of the request or of the reply, each once."""
    decisions = [part["decision"] for part in (record.intent, record.outcome) if part is not None]
    return tuple(sorted({duty["type"] for decision in decisions if decision for duty in decision["obligations"]}))


def _caller(caller: Mapping[str, Any]) -> CallerView:
    get = caller.get
    return {"tenant": get("tenant"), "app": get("app"), "auth": get("auth"), "roles": get("roles")}


def _decision(record: Record) -> DecisionView:
    later = None if record.outcome is None else record.outcome["decision"]
    asked, added = (part.get("policy_input") for part in (record.disclosed, record.reply_disclosed))
    return {
        "policy": _policy(record.intent["decision"], asked),
        "reply_policy": None if later is None else _policy(later, joined(asked, added)),
    }


def joined(asked: str | None, added: str | None) -> str | None:
    """The policy input of a reply: its request's, and what the reply added to it or put in the place of it.

    A log whose keeper wrote something else there is shown all the same: None where the two do not make one input.
    """
    try:
        parts = [orjson.loads(part) for part in (asked, added) if isinstance(part, str)]
    except orjson.JSONDecodeError:
        return None
    if len(parts) < 2 or not all(isinstance(part, dict) for part in parts):
        return None
    return orjson.dumps({**parts[0], **parts[1]}).decode()


def _policy(decision: Mapping[str, Any], document: str | None) -> PolicyView:
    version = decision["policy"] or {}
    return {
        "result": decision["verdict"],
        "codes": [deny["code"] for deny in decision["denies"]],
        "denies": readable(decision["denies"]),
        "obligations": readable(decision["obligations"]),
        "enforced": decision["enforced"],
        "eval_us": decision["eval_us"],
        "engine": version.get("engine"),
        "engine_version": version.get("engine_version"),
        "bundle_hash": version.get("bundle_sha256"),
        "revision": version.get("revision"),
        "path": version.get("entrypoint"),
        "degraded": version.get("degraded"),
        "signed": version.get("signed"),
        "input": document,
    }


def _reply(record: Record) -> Reply:
    outcome, get = record.outcome, record.reply_disclosed.get
    if outcome is None:
        return {"outcome": None}
    digests = get("sha256", {})
    return {
        "outcome": {
            "status": outcome["status"],
            "error": {"type": outcome["error"]},
            "aborted_by": outcome["aborted_by"],
            "response_id": get("response_id"),
            "finish_reasons": outcome["finish_reasons"],
            "usage": outcome["usage"],
            "upstream_error": outcome["upstream_error"],
            "complete": outcome["complete"],
            "release": outcome["release"],
            "released": outcome["released"],
            "restored": outcome["restored"],
            "withheld": outcome["withheld_values"],
            "surrogates_unknown": outcome["surrogates_unknown"],
            "surrogates_ambiguous": outcome["surrogates_ambiguous"],
        },
        "confidence": {"value_ppm": outcome["confidence_ppm"], "source": outcome["confidence_source"]},
        "rationale": {
            "codes": outcome["rationale_codes"],
            "text": get("rationale"),
            "source": outcome["rationale_source"],
        },
        "reply_pii": {"categories": dict(outcome["findings"]), "not_inspected": outcome["not_inspected"]},
        "output": {"bytes": outcome["reply_bytes"], "sha256": digests.get("reply")},
        "answer": {"bytes": outcome["answer_bytes"], "sha256": digests.get("answer")},
    }


def _proof(record: Record) -> Proof:
    outcome = record.outcome
    return {
        "seq": {"intent": record.intent_number, "outcome": record.outcome_number},
        "leaf_hash": {"intent": record.intent_hash, "outcome": record.outcome_hash},
        "commitments": {
            "intent": record.intent["_sd"],
            "outcome": [] if outcome is None else outcome.get("_sd", []),
        },
        "recorded_at": {"intent": record.intent["t"], "outcome": None if outcome is None else outcome["t"]},
        "timings_us": {
            "request": record.intent["timings_us"],
            "reply": None if outcome is None else outcome["timings_us"],
        },
    }


def _named(record: Record, name: str) -> Any:
    """A name that stands in the leaf, or was disclosed instead."""
    value = record.intent[name]
    return record.disclosed.get(name) if value is None else value


def _served(record: Record, name: str) -> Any:
    if record.outcome is None:
        return None
    value = record.outcome[name]
    return record.reply_disclosed.get(name) if value is None else value


def readable(value: Any) -> Any:
    """Undo the profile's spelling of floats and large integers, for people."""
    if isinstance(value, dict):
        if value.keys() == {"ppm"}:
            ppm = value["ppm"]
            return None if ppm is None else ppm / 1_000_000
        if value.keys() == {"digits"}:
            return int(value["digits"])
        return {key: readable(item) for key, item in value.items()}
    return [readable(item) for item in value] if isinstance(value, list) else value
