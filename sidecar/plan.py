"""What is fixed for one upstream (House), and what is decided about one call before anything is sent (Plan)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sidecar import policy
from sidecar.deadline import size_of
from sidecar.errors import CallerError, OwnError, Refusal, SidecarError
from sidecar.model import Call, Decision, Inspection, Operation, Outbound, Part, Side
from sidecar.redaction import NUMBERED, Operators, Redaction, Style, redact
from sidecar.redaction.oneway import DEFAULTS

NOTHING_FOUND = Inspection(findings=(), detectors=())
NO_CALL = Call(operation=Operation.OPAQUE, model=None)
UNREAD: Any = None
"""In place of a dialect, for a call that is refused unread: nothing of it is parsed."""

BODY_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrogates:
    """How surrogates look, which one-way operators there are, and where values may come back (sidecar/redaction)."""

    style: Style = NUMBERED
    operators: Operators = field(default_factory=lambda: DEFAULTS)
    guard: bool = True
    hosts: tuple[str, ...] = ()
    tools: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What is the same for every exchange of one upstream. `judge_deadline` is in seconds; `listed` are the models and
    tools that policy's settings name."""

    side: Side
    provider: str
    recipient: str
    environment: str = "production"
    surrogates: Surrogates = Surrogates()
    body_limit: int = BODY_LIMIT
    text_limit: int | None = None
    judge_deadline: float = 10.0
    listed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The request half, decided: what to send, or with which `fault` to refuse (then `outbound` is None)."""

    decision: Decision
    call: Call = NO_CALL
    inspection: Inspection = NOTHING_FOUND
    redaction: Redaction = field(default_factory=lambda: redact((), (), {}))
    outbound: Outbound | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fault: SidecarError | None = None
    timings: Mapping[str, int] = field(default_factory=dict)


UNPLANNED = Plan(decision=policy.fault("ABORTED"))
"""What is recorded of an exchange that was cut off before it was judged."""


def bounded(parts: Sequence[Part], limit: int | None) -> None:
    """Raises CallerError where these texts are more than detection is to read in one call."""
    if limit is not None and size_of(parts) > limit:
        raise CallerError("BODY_TOO_LARGE", "Send less text in one call, or raise limits.text.", status=413)


def refusal_of(decision: Decision, reasons: Mapping[str, policy.Reason]) -> SidecarError:
    """The error that a deny is answered with: status, text and advice of its first code."""
    deny = decision.denies[0]
    reason = policy.find(deny.code, reasons)
    kind: type[SidecarError] = OwnError if reason.status >= 500 else Refusal
    return kind(deny.code, f"{policy.render(reason, deny.params)} {reason.advice}", status=reason.status)
