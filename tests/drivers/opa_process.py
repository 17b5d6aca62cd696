"""Runs a real OPA for tests: builds bundles with it and serves them on a Unix socket."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from policies.build import ENTRYPOINT, HINT, find_opa

CONTRACT = """
package governor.decide

answer(allow, denies) := {"contract": "1", "allow": allow, "denies": denies, "obligations": []}

decision := answer(true, []) if input.case == "allow"

decision := answer(false, [{"code": "NO", "params": {"n": 70000000000000000000}}]) if input.case == "deny"

decision := "yes" if input.case == "conflict"

decision := "no" if input.case == "conflict"

decision := answer(to_number(input.text), []) if input.case == "error"

decision := answer(true, [x | some x in numbers.range(1, 40000); some y in numbers.range(1, 40000); x == -y]) if {
	input.case == "long"
}
"""
"""One rule for each way an engine can answer or fail; for any other case the decision is undefined."""


def opa_or_skip() -> str:
    opa = find_opa()
    if opa is None:
        pytest.skip(HINT)
    return opa


def build(source: str, revision: str = "contract", *, absolute: bool = False) -> bytes:
    """The plan bundle of one Rego module; `absolute`: of its folder's whole path."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "policy.rego").write_text(source)
        at = folder if absolute else "."
        command = [opa_or_skip(), "build", "-t", "plan", "-e", ENTRYPOINT, "-r", revision, "-b", at, "-o", "b.tar.gz"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return (Path(folder) / "b.tar.gz").read_bytes()


@contextmanager
def serving(bundle: bytes) -> Iterator[str]:
    """The address of an OPA server with this bundle, ready."""
    opa = opa_or_skip()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bundle.tar.gz").write_bytes(bundle)
        path = f"{folder}/opa.sock"
        command = [opa, "run", "--server", "--log-level", "error", "-a", f"unix://{path}", "-b", "bundle.tar.gz"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(path)
            yield f"unix://{path}"
        finally:
            process.terminate()
            process.wait()


def wait_for(path: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(path) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(path)
