"""Cost that grows with the text and not with its square."""

from __future__ import annotations

import time

from sidecar.inspection.engine import Engine


def assert_linear(engine: Engine, unit: str) -> None:
    """From 8 to 32 KB of a unit: a quadratic step would cost 16 times as much; 9 leaves room for a busy machine."""
    small, large = unit * (8_192 // len(unit)), unit * (32_768 // len(unit))
    fast = min(cost(engine, small) for _ in range(3))
    slow = min(cost(engine, large) for _ in range(2))
    assert slow < max(9 * fast, 0.1), (fast, slow)


def cost(engine: Engine, text: str) -> float:
    began = time.process_time()
    engine.find(text)
    return time.process_time() - began
