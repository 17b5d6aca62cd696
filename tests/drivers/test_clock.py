"""The machine's clock beside a machine that sleeps."""

from __future__ import annotations

import time

import pytest

from sidecar.drivers.clock import SystemClock

HOUR = 3600 * 10**9


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system does not say how long it slept")
def test_a_machine_that_slept_had_its_clock_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log said `clock stepped` each time a laptop was opened."""
    steps: list[float] = []
    clock = SystemClock(steps.append)
    wall, boot = time.time_ns, time.clock_gettime_ns
    monkeypatch.setattr(time, "time_ns", lambda: wall() + HOUR)
    monkeypatch.setattr(time, "clock_gettime_ns", lambda which: boot(which) + HOUR)
    clock.now()
    assert steps == []
    monkeypatch.setattr(time, "time_ns", lambda: wall() + 3 * HOUR)
    monkeypatch.setattr(time, "clock_gettime_ns", lambda which: boot(which) + 2 * HOUR)
    clock.now()
    assert [round(step) for step in steps] == [3600], "it slept for an hour, and was set by another"
    monkeypatch.setattr(time, "time_ns", lambda: wall() + 2 * HOUR)
    clock.now()
    assert [round(step) for step in steps] == [3600, -3600]
