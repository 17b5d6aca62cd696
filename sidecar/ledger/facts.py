"""What the conductor tells the ledger: two bundles of facts per exchange, before dispatch and at the end.

Fields marked "disclosed" leave the process only as salted disclosures (docs/ledger-format.md): they identify a person
or are a digest of content. All others go into the leaf. Both are tuples: a frozen dataclass of thirty fields takes
twice as long to make. Where people see them they have the names of views.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from sidecar.model import EMPTY, Asserted, Caller, Decision, Detector, ReplyFacts, Uninspectable


class State(StrEnum):
    """Where an exchange stands; `open` is only ever derived (an intent without its outcome)."""

    OPEN = "open"
    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"
    ABORTED = "aborted"


class Intent(NamedTuple):
    """Durable before the first byte goes upstream; written for a refused call too.

    `decision` is what was enforced. `findings` counts by entity; `findings_by_role` by `role` then entity;
    `detector_scores` maps detector -> {entity: [count, lowest score in ppm]}. `redactions` counts surrogates and
    masks by entity. `prompt_source` is `header`, `metadata`, `system_digest` or `none`.
    `personal` lists those of model_requested, use_case, prompt_name and prompt_version that hold a value of a person.
    Disclosed: caller, asserted.subject, asserted.conversation, the digests, `decision.document`, prompt_version when it
    is a digest, what `personal` lists.
    """

    id: str
    at: int
    side: str
    mode: str
    operation: str
    route: str
    provider: str
    recipient: str
    streaming: bool
    model_requested: str | None
    caller: Caller
    asserted: Asserted
    prompt_name: str | None
    prompt_version: str | None
    prompt_source: str
    params: Mapping[str, int | float | bool | str]
    uninspectable: tuple[Uninspectable, ...]
    findings: Mapping[str, int]
    findings_by_role: Mapping[str, Mapping[str, int]]
    detector_scores: Mapping[str, Mapping[str, tuple[int, int]]]
    redactions: Mapping[str, int]
    detectors: tuple[Detector, ...]
    not_looked_for: tuple[str, ...]
    decision: Decision
    request_bytes: int
    request_sha256: bytes
    outbound_bytes: int
    outbound_sha256: bytes | None
    prompt_sha256: bytes | None
    timings_us: Mapping[str, int]
    personal: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Intent({self.id})"


class Outcome(NamedTuple):
    """Durable before the last byte goes to the caller.

    `error` is a code of the catalogue. `aborted_by` is `client`, `drain` or `crash`. `decision` is the judgement of the
    reply where there was one. `released` is `none`, `part` or `whole`. `rationale` is the model's own stated reasoning
    with every finding masked (disclosed); `rationale_codes` are those of a refusal, `rationale_source` says whose:
    `policy`, or `sidecar` where policy was not asked or did not answer; else `unavailable`. `reply_findings` counts by
    entity, unless `reply_not_inspected` says why nothing, or not all, was looked at. `restored` and `withheld` count
    surrogates by entity: those that came back as values, and those left as they were because of the link or tool they
    stood in.
    `personal` holds model_served where it says again a name that is personal in the intent.
    Disclosed: digests, response_id, rationale, what `personal` lists.
    """

    id: str
    at: int
    state: State
    status: int | None
    error: str | None = None
    aborted_by: str | None = None
    reply: ReplyFacts = ReplyFacts()
    decision: Decision | None = None
    release: str = "pass"
    released: str = "none"
    reply_findings: Mapping[str, int] = EMPTY
    reply_not_inspected: str | None = None
    restored: Mapping[str, int] = EMPTY
    withheld: Mapping[str, int] = EMPTY
    surrogates_unknown: int = 0
    surrogates_ambiguous: int = 0
    rationale_codes: tuple[str, ...] = ()
    rationale_source: str = "unavailable"
    rationale: str | None = None
    reply_bytes: int = 0
    reply_sha256: bytes | None = None
    answer_bytes: int = 0
    answer_sha256: bytes | None = None
    timings_us: Mapping[str, int] = EMPTY
    personal: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Outcome({self.id})"
