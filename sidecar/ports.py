"""The ports: what the conductor needs of the outside, as Protocols. Drivers implement them, testing.py fakes them.

Every port may raise a `SidecarError`; anything else it raises is a fault of ours, and becomes a deny or a 503 in
exchange.py, nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sidecar.errors import SidecarError
from sidecar.ledger.facts import Intent, Outcome
from sidecar.model import Caller, Inspection, Outbound, Part
from sidecar.policy import EngineAnswer as EngineAnswer
from sidecar.policy import Reason


class Inspect(Protocol):
    async def inspect(self, parts: Sequence[Part], caller: Caller | None = None) -> Inspection:
        """Find spans in each part. Raises OwnError (INSPECTOR_TIMEOUT, INSPECTOR_ERROR) rather than miss silently.
        `caller` is who sent them, so that one whose texts break detectors stands in nobody else's way.
        """
        ...


class Decide(Protocol):
    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        """Evaluate `governor/decide/decision`. Raises OwnError with a PDP_* code."""
        ...


class Record(Protocol):
    async def open(self, intent: Intent) -> None:
        """Return when the intent entry is durable. Not cancellable once it has been handed over."""
        ...

    async def close(self, outcome: Outcome) -> None:
        """Return when the outcome entry is durable. Not cancellable once it has been handed over."""
        ...


class Incoming(Protocol):
    """An upstream's reply: head, then bytes as they come."""

    status: int
    headers: tuple[tuple[str, str], ...]

    async def read(self) -> bytes:
        """The next bytes, b"" at the end. Raises UpstreamError when it dies, stalls or lies about its length."""
        ...


class Forward(Protocol):
    def send(self, outbound: Outbound) -> AbstractAsyncContextManager[Incoming]:
        """Send exactly these bytes; leaving the context before the end aborts the connection at once (guarantee 7)."""
        ...


class Answer(Protocol):
    """The way back to the caller; the proxy implements it. Writing awaits, so backpressure reaches the upstream.

    `record` is the id that the answer bears: set once the intent is durable, and None where nothing was recorded.
    """

    record: str | None

    async def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Send the head, hop-by-hop headers left out and `x-sidecar-record` added. Raises ConnectionError: gone."""
        ...

    async def write(self, data: bytes) -> None:
        """Raises ConnectionError when the caller has gone."""
        ...

    async def end(self) -> None: ...

    async def fail(self, error: SidecarError) -> None:
        """Answer with the error in the caller's dialect: as a response, or in the stream once that has begun."""
        ...


class Clock(Protocol):
    def now(self) -> int:
        """Microseconds since the epoch, as the machine's clock says: backwards where somebody sets it back."""
        ...

    def monotonic(self) -> float:
        """Seconds, for durations and deadlines."""
        ...


class Entropy(Protocol):
    def token(self, size: int) -> bytes:
        """`size` unpredictable bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The outside, as the conductor sees it.

    `reasons` explains the codes of the policy in force; `aborted_by` says who cut an exchange off, `client` or `drain`.
    """

    inspect: Inspect
    decide: Decide
    record: Record
    forward: Forward
    clock: Clock
    reasons: Callable[[], Mapping[str, Reason]] = dict
    aborted_by: Callable[[], str] = lambda: "client"
