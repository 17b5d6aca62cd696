"""The record as programs read it, as types: a line of an export's records.jsonl, and `audit show --json`.

`schemas/record.schema.json` and `schemas/shown-record.schema.json` are generated from these classes, and a test holds
them equal. Times are microseconds since 1970, durations microseconds, `*_ppm`
parts per million, digests hex; null is what is not known, sealed or erased (`disclosures` says which).
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Named(TypedDict):
    id: str | None


class Sized(TypedDict):
    bytes: int
    sha256: str | None


Counts = dict[str, int]


class Digits(TypedDict):
    """An integer beyond 53 bits, as a provider gave it."""

    digits: str


StateWord = Literal["open", "answered", "refused", "failed", "aborted"]
Disclosures = Literal["open", "sealed", "erased", "damaged"]


class Head(TypedDict):
    """`schema_version` is the form of the whole: it is raised when a name or a meaning here changes."""

    record_id: str
    schema_version: int
    log_id: str
    state: StateWord
    ts_start: int
    ts_end: int | None
    mode: str
    side: str
    disclosures: Disclosures


class CallerView(TypedDict):
    tenant: str | None
    app: str | None
    auth: str | None
    roles: list[str] | None


class SubjectView(TypedDict):
    token: str
    link_method: str


class ModelView(TypedDict):
    requested: str | None
    served: str | None
    fingerprint: str | None


class PromptView(TypedDict):
    """`source` is where the version comes from: `header`, `metadata`, `system_digest`, `none`."""

    name: str | None
    version: str | None
    source: str
    hash: str | None


class PiiView(TypedDict):
    """`by_role` counts by who speaks and type; `scores_ppm` maps detector and type to [count, lowest score]."""

    categories: Counts
    by_role: dict[str, Counts]
    scores_ppm: dict[str, dict[str, list[int]]]


class DetectorView(TypedDict):
    name: str
    version: str


class NotInspected(TypedDict):
    """`places` are [label, kind] of the first, `more` how many follow, `kinds` counts all."""

    places: list[list[str]]
    more: int
    kinds: Counts


class RedactionView(TypedDict):
    detectors: list[DetectorView]
    actions: Counts
    not_looked_for: list[str]
    not_inspected: NotInspected


class Request(TypedDict):
    """`withheld` lists the names that stand in a disclosure instead of the leaf."""

    use_case: Named
    caller: CallerView | None
    user_ref: str | None
    subject_refs: list[SubjectView]
    conversation_id: str | None
    operation: str
    endpoint: str
    provider: str
    recipient: Named
    streaming: bool
    model: ModelView
    params: dict[str, Any]
    prompt: PromptView
    pii: PiiView
    redaction: RedactionView
    input: Sized
    dispatched: Sized
    withheld: list[str]


class DenyView(TypedDict):
    code: str
    params: dict[str, Any]


class DutyView(TypedDict):
    type: str
    id: str
    params: dict[str, Any]
    critical: bool


class PolicyView(TypedDict):
    """One decision. Everything after `eval_us` is null where no policy answered; `input` is the policy input, JSON.
    `rules_fired` is told by `audit show` only: one line for each rule, null where nobody can say."""

    result: Literal["allow", "deny"]
    codes: list[str]
    denies: list[DenyView]
    obligations: list[DutyView]
    enforced: bool
    eval_us: int
    engine: str | None
    engine_version: str | None
    bundle_hash: str | None
    revision: str | None
    path: str | None
    degraded: bool | None
    signed: bool | None
    input: str | None
    rules_fired: NotRequired[list[str] | None]


class DecisionView(TypedDict):
    policy: PolicyView
    reply_policy: PolicyView | None


class ErrorView(TypedDict):
    type: str | None


class OutcomeView(TypedDict):
    """`restored`, `withheld`, `surrogates_*` count surrogates of the reply, the first two by type."""

    status: int | None
    error: ErrorView
    aborted_by: str | None
    response_id: str | None
    finish_reasons: list[str]
    usage: dict[str, int | Digits | None]
    upstream_error: bool
    complete: bool
    release: str
    released: str
    restored: Counts
    withheld: Counts
    surrogates_unknown: int
    surrogates_ambiguous: int


class ConfidenceView(TypedDict):
    value_ppm: int | None
    source: str


class RationaleView(TypedDict):
    """`source`: `model-stated` of the text, else whose the codes are (`policy`, `sidecar`), or `unavailable`."""

    codes: list[str]
    text: str | None
    source: str


class ReplyPii(TypedDict):
    categories: Counts
    not_inspected: str | None


class Reply(TypedDict):
    """Of an open exchange only `outcome` is there, null."""

    outcome: OutcomeView | None
    confidence: NotRequired[ConfidenceView]
    rationale: NotRequired[RationaleView]
    reply_pii: NotRequired[ReplyPii]
    output: NotRequired[Sized]
    answer: NotRequired[Sized]


class Numbers(TypedDict):
    """Of the two entries."""

    intent: int
    outcome: int | None


class Hashes(TypedDict):
    intent: str
    outcome: str | None


class Commitments(TypedDict):
    intent: list[str]
    outcome: list[str]


class Timings(TypedDict):
    request: Counts
    reply: Counts | None


class Proof(TypedDict):
    seq: Numbers
    leaf_hash: Hashes
    commitments: Commitments
    recorded_at: Numbers
    timings_us: Timings


class RecordView(Head, Request, DecisionView, Reply, Proof):
    """One exchange: a line of records.jsonl."""


class CheckpointView(TypedDict):
    origin: str
    size: int
    root: str


class ShownRecord(RecordView):
    """What `audit show --json` says: the record, and the log's newest checkpoint."""

    checkpoint: CheckpointView
