"""The engine that the settings ask for obeys them."""

from __future__ import annotations

from functools import partial
from itertools import count
from pathlib import Path

import pytest

from policies import generate
from sidecar.config import PolicySettings
from sidecar.drivers.clock import SystemClock
from sidecar.errors import OwnError
from sidecar.wiring.engines import engine_of
from tests.drivers import opa_process

LONG = """package governor.decide

decision := [x | some x in numbers.range(1, 40000); some y in numbers.range(1, 40000); x == -y]
"""


@pytest.mark.parametrize(("timeout", "code"), [(1e-6, "PDP_TIMEOUT"), (60.0, "PDP_LIMIT")])
async def test_a_decision_takes_no_longer_than_the_settings_say(tmp_path: Path, timeout: float, code: str) -> None:
    """With time enough it is the number of steps that ends it."""
    (tmp_path / "bundle.tar.gz").write_bytes(opa_process.build(LONG))
    settings = PolicySettings(bundle=tmp_path / "bundle.tar.gz", timeout=timeout)
    async with engine_of(settings, SystemClock()) as engine:
        with pytest.raises(OwnError) as raised:
            await engine.decide(generate.example_request())
    assert raised.value.code == code


class Ticking(SystemClock):
    """A clock by which each look at it takes so many seconds."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.monotonic = partial(next, count(0.0, step))  # type: ignore[method-assign]


@pytest.mark.parametrize(("step", "told"), [(0.003, ["policy is slow"]), (0.0, [])])
async def test_a_policy_that_holds_everything_up_is_told_at_the_start(
    caplog: pytest.LogCaptureFixture, step: float, told: list[str]
) -> None:
    async with engine_of(PolicySettings(), Ticking(step)):
        assert [line.message for line in caplog.records] == told
