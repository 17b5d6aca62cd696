"""Where compiled plans are kept between runs, and what a machine without OPA is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside these tests: opa, cases, policies

import opa


@pytest.fixture(scope="session")
def plans(pytestconfig: pytest.Config) -> Path:
    """A folder of compiled plans, kept: a build costs a process."""
    assert pytestconfig.cache is not None
    return Path(pytestconfig.cache.mkdir(f"rego-plans-{opa.VERSION}"))


@pytest.fixture(scope="session")
def real_opa() -> str:
    program = opa.program()
    if program is None:
        pytest.skip(f"needs opa {opa.VERSION} on PATH or in Go's bin folder; {opa.HOW}")
    return program
