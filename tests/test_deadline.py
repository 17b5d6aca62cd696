"""How long detection may take, and how long a step took."""

from __future__ import annotations

from sidecar.deadline import PER_SECOND, Watch, for_texts
from sidecar.model import Part, Place, Role


def part(text: str, key: str = "") -> Part:
    return Part(place=Place(path=("messages",), label="m"), role=Role.TOOL, text=text, key=key)


def test_thousands_of_short_values_have_their_time() -> None:
    """Each takes some 3 ms beside its key, of which its characters alone would be given one."""
    values = [part("Anna", "name")] * 5000
    assert for_texts(1.0, values) >= 1.0 + 5000 * 0.003
    assert for_texts(1.0, [part("x" * PER_SECOND)]) >= 2.0
    assert for_texts(1.0, [part("x", "k" * PER_SECOND)]) >= 2.0
    assert for_texts(1.0, []) == 1.0


def test_durations_are_microseconds_since_the_exchange_began() -> None:
    watch = Watch(iter((100.0, 100.25, 100.5, 101.5)).__next__)
    watch.lap("parse_us")
    watch.lap("judge_us")
    assert watch.laps() == {"parse_us": 250_000, "judge_us": 500_000, "total_us": 1_500_000}
