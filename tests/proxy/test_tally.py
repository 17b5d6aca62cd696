"""Our counters and histograms read, on the page, exactly as prometheus_client's own."""

from __future__ import annotations

import re

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from sidecar.proxy.tally import Counted, Spread, Tally

VALUES = (0.0, 0.1, 0.10001, 1, 2.5, 1e9)
BOUNDS = (0.1, 1, 2.5)


def page(registry: CollectorRegistry) -> str:
    return re.sub(r"1\.\d+e\+09\n", "NOW\n", generate_latest(registry).decode())


def test_a_tally_is_a_counter():
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    Tally(ours, "t_bare", "Text.").add()
    Counter("t_bare", "Text.", registry=theirs).inc()
    many, counter = Tally(ours, "t_many", "More.", "a", "b"), Counter("t_many", "More.", ("a", "b"), registry=theirs)
    for labels, amount in ((("x", "y"), 1), (('"', "\\"), 3), (("x", "y"), 2)):
        many.add(labels, amount)
        counter.labels(*labels).inc(amount)
    Tally(ours, "t_none", "Nothing yet."), Tally(ours, "t_never", "No label yet.", "a")
    Counter("t_none", "Nothing yet.", registry=theirs), Counter("t_never", "No label yet.", ("a",), registry=theirs)
    Counted(ours, "t_kept", "Kept elsewhere.", lambda: 4.0)
    Counter("t_kept", "Kept elsewhere.", registry=theirs).inc(4)
    assert page(ours) == page(theirs)


def test_a_spread_is_a_histogram():
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    bare, one = Spread(ours, "t_s", "Text.", BOUNDS), Histogram("t_s", "Text.", buckets=BOUNDS, registry=theirs)
    many = Spread(ours, "t_l", "Text.", BOUNDS, "stage")
    two = Histogram("t_l", "Text.", ("stage",), buckets=BOUNDS, registry=theirs)
    Spread(ours, "t_n", "Nothing yet.", BOUNDS), Spread(ours, "t_v", "No label yet.", BOUNDS, "a")
    Histogram("t_n", "Nothing yet.", buckets=BOUNDS, registry=theirs)
    Histogram("t_v", "No label yet.", ("a",), buckets=BOUNDS, registry=theirs)
    for value in VALUES:
        bare.add(value)
        one.observe(value)
        many.add(value, (str(value),))
        two.labels(str(value)).observe(value)
    assert page(ours) == page(theirs)
