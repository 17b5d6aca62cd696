"""The entries of a log: their shapes, and how they become the bytes of a leaf.

    log.open     the first entry: origin, verifier key, what the sidecar was
    heartbeat    `start` and `stop` of the process, and `beat` while idle: silence becomes visible
    policy.load  a bundle came into force
    key.add      another key may sign this log
    intent       an exchange, before dispatch; a refused one too
    outcome      the same exchange, at its end
    loss         a gap under a fail-open setting: how many exchanges were not recorded, and when
    erasure      disclosures were destroyed: of which exchanges, on which ground
    prune        entries [from, to) were dropped under a written retention policy
    log.close    the last entry of a frozen log

Every entry has v, typ, id (of the exchange, or random), t (microseconds, never smaller than in the entry before) and
sidecar (the log's own random id, so that an entry says where it belongs). Verifiers hash stored bytes; `SHAPES` only
tells them which names must be there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sidecar.ledger.canon import ProfileError, dumps, load_object, load_signed
from sidecar.ledger.disclosure import Sealed, Token, disclose
from sidecar.ledger.facts import Intent, Outcome
from sidecar.ledger.fields import Draft, intent_fields, outcome_fields, policy_fields
from sidecar.model import PolicyVersion

VERSION = 1
COMMON = frozenset({"v", "typ", "id", "t", "sidecar"})

_INTENT = "at side mode operation route provider recipient streaming model_requested use_case prompt_name"
_INTENT += " prompt_version prompt_source params not_inspected findings findings_by_role detector_scores redactions"
_INTENT += " detectors not_looked_for decision request_bytes outbound_bytes timings_us _sd"
_OUTCOME = "at state status error aborted_by model_served fingerprint finish_reasons usage confidence_ppm"
_OUTCOME += " confidence_source upstream_error complete decision release released findings restored"
_OUTCOME += " not_inspected withheld_values surrogates_unknown surrogates_ambiguous"
_OUTCOME += " rationale_codes rationale_source reply_bytes answer_bytes timings_us"

SHAPES: Mapping[str, frozenset[str]] = {
    typ: frozenset(names.split())
    for typ, names in {
        "log.open": "format origin vkey data_key_id software",
        "heartbeat": "event software",
        "policy.load": "policy reason",
        "key.add": "vkey reason",
        "intent": _INTENT,
        "outcome": _OUTCOME,
        "loss": "from to count reason",
        "erasure": "exchanges scope reason request_ref backups_until",
        "prune": "from to policy root",
        "log.close": "reason",
    }.items()
}

FORMAT = "sidecar-ledger/1"

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Entry(NamedTuple):
    """An entry ready for the log: the leaf's bytes, and the disclosures that go beside it.

    `fields` are for the columns of the index; parts that are the same in many entries stand there as bytes.
    """

    typ: str
    id: str
    body: bytes
    fields: Mapping[str, Any]
    sealed: Sealed | None = None
    disclosed: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return f"Entry({self.typ}, {self.id})"


def build(typ: str, entry_id: str, t: int, sidecar: str, fields: Mapping[str, Any]) -> Entry:
    """An entry without disclosures. Raises ProfileError when a name of its shape is missing."""
    leaf = {**fields, "v": VERSION, "typ": typ, "id": _check_id(entry_id), "t": t, "sidecar": sidecar}
    if not SHAPES[typ] <= leaf.keys():
        raise ProfileError(f"{typ} lacks a field")
    return Entry(typ, entry_id, dumps(leaf), leaf)


def intent_entry(intent: Intent, t: int, sidecar: str, token: Token) -> Entry:
    return _salted("intent", intent.id, t, sidecar, intent_fields(intent), token)


def outcome_entry(outcome: Outcome, t: int, sidecar: str, token: Token) -> Entry:
    return _salted("outcome", outcome.id, t, sidecar, outcome_fields(outcome), token)


def _salted(typ: str, entry_id: str, t: int, sidecar: str, draft: Draft, token: Token) -> Entry:
    leaf = draft.fields
    sealed = disclose(draft.disclosed, token) if draft.disclosed else None
    if sealed is not None:
        leaf["_sd"] = sealed.digests
    leaf |= {"v": VERSION, "typ": typ, "id": _check_id(entry_id), "t": t, "sidecar": sidecar}
    return Entry(typ, entry_id, dumps(leaf), leaf, sealed, draft.disclosed)


def log_open(origin: str, vkey: str, data_key_id: str, software: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "origin": origin,
        "vkey": vkey,
        "data_key_id": data_key_id,
        "software": dict(software),
    }


def heartbeat(event: str, software: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """`start` says how the store was found (`clean`, `orphans`, `checkpoint_file`), `stop` that all was well."""
    return {"event": event, "software": dict(software), **more}


def policy_load(policy: PolicyVersion, reason: str) -> dict[str, Any]:
    return {"policy": policy_fields(policy), "reason": reason}


def erasure(
    exchanges: Sequence[str], *, reason: str, request_ref: str, backups_until: int | None, scope: str = "disclosures"
) -> dict[str, Any]:
    """The certificate of an erasure. It names exchanges, whose ids are random, and never the person."""
    return {
        "exchanges": list(exchanges),
        "scope": scope,
        "reason": reason,
        "request_ref": request_ref,
        "backups_until": backups_until,
    }


_NEEDED = {typ: COMMON | shape for typ, shape in SHAPES.items()}


def parse(body: bytes, *, signed: bool = False) -> dict[str, Any]:
    """The fields of a stored entry. Raises ProfileError unless it is canonical and has its shape.

    `signed` says that a tree whose root is signed commits to these bytes, or that this is being found out.
    """
    leaf = load_signed(body) if signed else load_object(body)
    typ = leaf.get("typ")
    shape = _NEEDED.get(typ) if type(typ) is str else None
    if shape is None or not shape <= leaf.keys():
        raise ProfileError("not the shape of an entry")
    if leaf["v"] != VERSION or type(leaf["t"]) is not int or type(leaf["id"]) is not str:
        raise ProfileError("not an entry of this version")
    return leaf


def _check_id(entry_id: str) -> str:
    if not _ID.fullmatch(entry_id):
        raise ProfileError("not an id")
    return entry_id
