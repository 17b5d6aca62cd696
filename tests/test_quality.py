"""The linter and the type checker agree with the code; both are part of the tests, so that nobody has to remember."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def run(*command: str) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_ruff() -> None:
    run("ruff", "check", "--output-format", "concise", ".")


def test_mypy_strict() -> None:
    run("mypy")
