"""Names beside many found values: judged as beside few, at a cost that is linear in the call."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from sidecar.policy import names
from sidecar.policy.contract import UNREADABLE

pieces = st.text("aB1_-./:", max_size=12)
OTHERS = frozenset(f"somebody{number}@example.org" for number in range(names.FEW + 1))


@given(pieces, st.frozensets(pieces.filter(bool), max_size=4))
def test_many_values_hide_a_name_as_few_do(name: str, found: frozenset[str]) -> None:
    assert names.readable(name, names.MODEL, found | OTHERS) == names.readable(name, names.MODEL, found)


def test_a_name_of_more_words_than_are_looked_through_is_unreadable() -> None:
    name = "-".join("a" * (names.MOST_GAPS + 2))
    assert names.readable(name, names.TOOL, OTHERS) == UNREADABLE
    assert names.readable(name, names.TOOL, frozenset()) == name
    assert names.readable(name.removesuffix("-a"), names.TOOL, OTHERS) == name.removesuffix("-a")


def test_thousands_of_tools_beside_thousands_of_values() -> None:
    """It is done between the answers to everybody else; pair by pair it took 12 s."""
    found = frozenset(f"anna{number}@example.org" for number in range(16_000))
    tools = [f"lookup_order_{number}" for number in range(16_000)]
    began = time.process_time()
    assert len(names.readable_set(tools, names.TOOL, found)) == 16_000
    assert time.process_time() - began < 2
