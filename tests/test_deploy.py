"""deploy/run.py: what it starts gets the signals, and says with its own exit status how it ended."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

RUN = Path(__file__).resolve().parents[1] / "deploy" / "run.py"
PROGRAM = """#!{python}
import os, signal, sys, time
def asked(*_):
    time.sleep(1)
    open("{ended}", "w").write("recorded")
    sys.exit(7)
signal.signal(signal.SIG{name}, asked)
open("{ready}", "w").write(str(os.getpid()))
for _ in range(600):  # one long sleep would outlast a signal that comes just before it begins
    time.sleep(0.1)
"""
START = """
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("run", {run!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.BIN, module.set_up = pathlib.Path({folder!r}), lambda kind: None
sys.exit(module.main(["serve", "--once"]))
"""


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deploy_run", RUN)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_a_signal_ends_what_was_started_in_its_own_time(name: str, tmp_path: Path) -> None:
    """Ctrl-C goes to the whole group of processes, SIGTERM of a container or an init system to the first one."""
    ready, ended = tmp_path / "ready", tmp_path / "ended"
    program = tmp_path / "sidecar"
    program.write_text(PROGRAM.format(python=sys.executable, ready=ready, ended=ended, name=name))
    program.chmod(0o755)
    code = START.format(run=str(RUN), folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stderr=subprocess.PIPE, text=True)
    while not ready.exists() or not ready.read_text():
        assert process.poll() is None
        time.sleep(0.02)
    if name == "INT":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (7, "")
    assert ended.read_text() == "recorded"


def test_a_python_without_pip_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves nothing behind that looks like an environment."""
    module = loaded()
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "interpreter", lambda: program(tmp_path / "python3", 'mkdir "$3"; exit 1'))
    with pytest.raises(SystemExit, match="python3-venv"):
        module.create()
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 15, 2), (4, 12, 0)])
def test_a_python_without_wheels_gives_way_to_one_on_the_path(
    version: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = loaded()
    monkeypatch.setattr(module.sys, "version_info", version)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"Python 3\.11 to 3\.14 is needed"):
        module.interpreter()
    program(tmp_path / "python3.14", "exit 127")  # a shim of pyenv's, for a version that is not chosen
    older, newer = program(tmp_path / "python3.11", "exit 0"), program(tmp_path / "python3.12", "exit 0")
    assert older != newer == module.interpreter()
    assert capsys.readouterr().out == f"Python 3.12 is used: {newer}\n"


def test_a_python_with_wheels_is_used_itself() -> None:
    assert loaded().interpreter() == sys.executable


def program(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)
