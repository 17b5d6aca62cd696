"""How long detection may take."""

from __future__ import annotations

from sidecar.deadline import PER_SECOND, for_texts
from sidecar.model import Part, Place, Role


def part(text: str, key: str | None = None) -> Part:
    return Part(place=Place(path=("messages",), label="m"), role=Role.TOOL, text=text, key=key)


def test_thousands_of_short_values_have_their_time() -> None:
    """Each takes some 3 ms beside its key, of which its characters alone would be given one."""
    values = [part("Anna", "name")] * 5000
    assert for_texts(1.0, values) >= 1.0 + 5000 * 0.003
    assert for_texts(1.0, [part("x" * PER_SECOND)]) >= 2.0
    assert for_texts(1.0, [part("x", "k" * PER_SECOND)]) >= 2.0
    assert for_texts(1.0, []) == 1.0
