"""Stores that many tests start from: written once, copied for each test that breaks one."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ledger.factory import fill

EXCHANGES = 140
"""283 entries: log.open, start, policy.load, 280 of exchanges, stop; one full tile and a rest."""


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine") / "state"
    asyncio.run(fill(folder, EXCHANGES))
    return folder


@pytest.fixture
def state(pristine: Path, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(pristine, tmp_path / "state"))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """14 entries: log.open, start, policy.load, five exchanges, stop."""
    folder = tmp_path_factory.mktemp("small") / "state"
    asyncio.run(fill(folder, 5))
    return folder


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Copies of a folder, each of its own."""
    count = iter(range(1_000_000))
    return lambda folder: Path(shutil.copytree(folder, tmp_path / f"copy{next(count)}"))
