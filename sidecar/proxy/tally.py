"""Counters and histograms that cost an addition each; Prometheus' own families are made of them when it scrapes.

`prometheus_client` takes a lock for every number it adds to, and an exchange adds to thirty: 50 us of its CPU. Here all
counting is done on the event loop's thread, so there is nothing to lock.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

Labels = tuple[str, ...]


class Tally(Collector):
    """A counter. One without labels is there from the beginning, one with labels from its first event on."""

    def __init__(self, registry: CollectorRegistry, name: str, text: str, *labels: str) -> None:
        self._about = (name, text)
        self._labels = labels
        self._counts: dict[Labels, float] = {} if labels else {(): 0.0}
        self._since: dict[Labels, float] = dict.fromkeys(self._counts, _now())
        registry.register(self)

    def add(self, labels: Labels = (), amount: float = 1) -> None:
        try:
            self._counts[labels] += amount
        except KeyError:
            self._counts[labels] = amount
            self._since[labels] = _now()

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(*self._about, labels=self._labels)
        for labels, count in self._counts.items():
            family.add_metric(labels, count, created=self._since[labels])
        yield family


class Counted(Collector):
    """A counter that is kept elsewhere, and asked for when somebody scrapes."""

    def __init__(self, registry: CollectorRegistry, name: str, text: str, count: Callable[[], float]) -> None:
        self._about = (name, text)
        self._count = count
        self._since = _now()
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(*self._about)
        family.add_metric((), self._count(), created=self._since)
        yield family


class Spread(Collector):
    """A histogram: how many values lie up to each of `bounds`, and their sum."""

    def __init__(
        self, registry: CollectorRegistry, name: str, text: str, bounds: Sequence[float], *labels: str
    ) -> None:
        self._about = (name, text)
        self._labels = labels
        self._bounds = tuple(bounds)
        self._cells: dict[Labels, _Cells] = {} if labels else {(): _Cells(len(bounds))}
        registry.register(self)

    def add(self, value: float, labels: Labels = ()) -> None:
        cells = self._cells.get(labels)
        if cells is None:
            cells = self._cells[labels] = _Cells(len(self._bounds))
        cells.counts[bisect_left(self._bounds, value)] += 1
        cells.sum += value

    def collect(self) -> Iterator[Metric]:
        name = self._about[0]
        family = HistogramMetricFamily(*self._about, labels=self._labels)
        for labels, cells in self._cells.items():
            family.add_metric(labels, cells.up_to(self._bounds), cells.sum)
            family.add_sample(f"{name}_created", dict(zip(self._labels, labels, strict=True)), cells.since)
        yield family


class _Cells:
    """The counts between the bounds, the last beyond them all."""

    __slots__ = ("counts", "since", "sum")

    def __init__(self, bounds: int) -> None:
        self.counts = [0] * (bounds + 1)
        self.sum = 0.0
        self.since = _now()

    def up_to(self, bounds: Sequence[float]) -> list[tuple[str, float]]:
        """Prometheus counts in each bucket what the smaller ones hold, too."""
        total, out = 0, []
        for bound, count in zip((*bounds, float("inf")), self.counts, strict=True):
            total += count
            out.append((floatToGoString(bound), float(total)))  # type: ignore[no-untyped-call]
        return out


def _now() -> float:
    return time.time()  # noqa: TID251  as prometheus_client stamps its own
