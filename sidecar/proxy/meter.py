"""Prometheus metrics, in a registry of their own. Labels are content-free and bounded.

What a caller can choose (model names, routes, headers) is never a label. Codes and entities come from catalogues, but a
label's values are kept only while they are few: beyond `MOST` they are counted together as `other`. Each label has its
own: two hundred types of personal data that callers bring must not hide the code of a refusal from an alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from sidecar.errors import SidecarError, cause_of
from sidecar.proxy import logs
from sidecar.proxy.tally import Counted, Spread, Tally

MOST = 200
FAST = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Bounded:
    """Keeps the number of one label's values in check."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, value: str) -> str:
        if value in self._known:
            return value
        if len(self._known) >= MOST or len(value) > 64 or not value.isascii():
            return "other"
        self._known.add(value)
        return value


class Meter:
    """Counts what happened. Implements `proxy.app.Watcher`; wiring calls `exchange` when a record is closed."""

    def __init__(self, size: int = 0) -> None:
        """`size` is the ledger's at the start, which no call has told of yet."""
        self.registry = CollectorRegistry()
        self._size = size
        self._code, self._entity, self._route, self._type = Bounded(), Bounded(), Bounded(), Bounded()
        self._requests = self._tally("requests", "Exchanges ended.", "operation", "verdict", "state")
        self._refusals = self._tally("refusals", "Calls refused, by reason code.", "code")
        self._findings = self._tally("findings", "Spans of personal data found, by entity.", "entity", "side")
        self._restored = self._tally("restored", "Surrogates replaced by the caller's own values.")
        self._passed = self._tally("passed", "Calls on routes that merely pass.", "route", "status")
        self._aborts = self._tally("aborts", "Exchanges that ended before their answer was whole.")
        self._broken = self._tally("protocol_errors", "Requests that were not HTTP.", "code")
        self._bugs = self._tally("faults", "Faults of the sidecar itself, by exception type.", "type")
        self._stage = self._spread("stage_seconds", "Time spent in one stage of an exchange.", FAST, "stage")
        self._whole = self._spread("exchange_seconds", "From the body's last byte in to the recorded end.", LONG)
        self._commit = self._spread("ledger_commit_seconds", "One durable commit of the ledger.", FAST)
        Counted(self.registry, "sidecar_log_lines_dropped", "Lines of the log that nobody could take.", logs.dropped)
        self.in_flight = self._gauge("in_flight", "Exchanges in flight.")
        self._gauge("ledger_size", "Entries in the ledger.").set_function(lambda: self._size)
        self.ready = self._gauge("ready", "1 when new calls are accepted.")

    def exchange(self, *, operation: str, verdict: str, state: str, seconds: float) -> None:
        """One governed exchange has ended."""
        self._requests.add((operation, verdict, state))
        self._whole.add(seconds)

    def stages(self, seconds: Iterable[tuple[str, float]]) -> None:
        """How long each stage lasted. Their names are constants of the code."""
        for stage, value in seconds:
            self._stage.add(value, (stage,))

    def found(self, entities: Mapping[str, int], side: str = "request") -> None:
        for entity, count in entities.items():
            self._findings.add((self._entity(entity), side), count)

    def restored(self, count: int) -> None:
        self._restored.add(amount=count)

    def committed(self, seconds: float, size: int) -> None:
        self._commit.add(seconds)
        self._size = size

    def refused(self, code: str) -> None:
        self._refusals.add((self._code(code),))

    def passed(self, route: str, status: int, fault: SidecarError | None = None) -> None:
        """A call on a route that merely passes; with a fault it is a line of the log, too."""
        self._passed.add((self._route(route), str(status)))
        if fault is not None:
            cause = cause_of(fault)
            behind = logs.described(cause) if cause is not None else {}
            logs.event("passed", {"route": route, "status": status, "code": fault.code, **behind})

    def aborted(self) -> None:
        self._aborts.add()

    def protocol_error(self, code: str) -> None:
        self._broken.add((self._code(code),))

    def bug(self, error: BaseException) -> None:
        """A fault of ours: counted, and logged by type and place."""
        self._bugs.add((self._type(type(error).__name__),))
        logs.failure("fault", error)

    def page(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)

    def _tally(self, name: str, text: str, *labels: str) -> Tally:
        return Tally(self.registry, f"sidecar_{name}", text, *labels)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"sidecar_{name}", text, registry=self.registry)

    def _spread(self, name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Spread:
        return Spread(self.registry, f"sidecar_{name}", text, bounds, *labels)
