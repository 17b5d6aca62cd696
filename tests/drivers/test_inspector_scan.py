"""The fast keyword scans answer exactly as the plain one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.drivers.inspector_scan import fastest, hyperscan_scan, re2_scan
from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import WORDS, Engine
from sidecar.inspection.keywords import Scan, lowered, pure_scan
from sidecar.inspection.secrets import Secrets

ALL = (*dict.fromkeys((*Secrets().keywords, *WORDS)),)
SCANS = {"hyperscan": hyperscan_scan, "re2": re2_scan}


@pytest.fixture(scope="module", params=SCANS)
def scan(request: pytest.FixtureRequest) -> Scan:
    make: Callable[[Sequence[str]], Scan] = SCANS[request.param]
    try:
        return make(ALL)
    except ImportError:
        pytest.skip(f"{request.param} is not installed")


PLAIN = pure_scan(ALL)


@given(st.lists(st.sampled_from(ALL) | st.text(max_size=12), max_size=12).map(" ".join))
def test_the_same_words(scan: Scan, text: str) -> None:
    low = lowered(text)
    assert sorted(scan(low)) == sorted(PLAIN(low))


@pytest.mark.parametrize(
    "text", ["", "\ud83d token \udc00", "a" * 100_000, "ſecret İstanbul passwort ß", "\x00key\x00"]
)
def test_odd_texts(scan: Scan, text: str) -> None:
    low = lowered(text)
    assert len(low) == len(text)
    assert sorted(scan(low)) == sorted(PLAIN(low))


def test_the_engine_finds_the_same_with_any_scan() -> None:
    text = "password: hunter2! and token=ghp_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5, born 3.4.1990, 12 Main Street"
    engines = [Engine(Settings(), make) for make in (pure_scan, fastest()[1])]
    assert engines[0].find(text) == engines[1].find(text)
    assert len(engines[0].find(text)) == 4
