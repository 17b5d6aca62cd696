"""Real processes for the end-to-end tests: the stub model server and `sidecar serve`, each on free ports."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from sidecar.console.query import query
from sidecar.drivers.store_query import Filters
from sidecar.drivers.store_reader import Reader

START_SECONDS = 60.0


class Stub:
    """The bundled model server in a process of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = (folder / "stub.log").open("wb")
        command = [sys.executable, "-m", "sidecar.stub", "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log)
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{orjson.loads(self.process.stdout.readline())['port']}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()


class Sidecar:
    """`sidecar serve` in a process of its own; `restart()` keeps the state folder."""

    def __init__(
        self,
        folder: Path,
        upstream: str,
        *arguments: str,
        config: Mapping[str, Any] | None = None,
        wrap: Sequence[str] = (),
        program: Sequence[str] = ("-m", "sidecar"),
        env: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.state, self.ready = folder, folder / "state", folder / "ready.json"
        self.command = [*wrap, sys.executable, *program, "serve"]
        self.env = {**os.environ, **(env or {})}  # noqa: TID251  a child needs ours
        self.arguments = ["--upstream", upstream, "--state", str(self.state), "--ready-file", str(self.ready)]
        self.arguments += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", *arguments]
        if config is not None:
            (folder / "sidecar.yaml").write_bytes(orjson.dumps(config))  # JSON is YAML
            self.arguments += ["--config", str(folder / "sidecar.yaml")]
        self.start()

    def start(self) -> None:
        self.ready.unlink(missing_ok=True)
        command = [*self.command, *self.arguments]
        with (self.folder / "sidecar.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.env, start_new_session=True)
        end = time.monotonic() + START_SECONDS
        while not self.ready.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise AssertionError(f"the sidecar did not start:\n{self.output()[-4000:]}")
            time.sleep(0.02)
        found = orjson.loads(self.ready.read_bytes())
        self.base, self.admin = found["base_url"], found["admin_url"]

    @property
    def port(self) -> int:
        return int(self.base.split(":")[2].split("/")[0])

    def output(self) -> str:
        return (self.folder / "sidecar.log").read_text(errors="replace")

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(30)

    def audit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sidecar", "audit", *arguments, "--state", str(self.state)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=self.env)

    def rows(self, limit: int = 100_000) -> list[dict[str, Any]]:
        """Exchanges, newest first, as `sidecar audit query --json` has them; read in this process, which is faster."""
        with Reader.open(self.state) as reader:
            return [row.as_json() for row in query(reader, Filters(limit=limit)).rows]


@contextlib.contextmanager
def stub(folder: Path) -> Iterator[Stub]:
    server = Stub(folder)
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def sidecar(folder: Path, upstream: str, *arguments: str, **more: Any) -> Iterator[Sidecar]:
    process = Sidecar(folder, upstream, *arguments, **more)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.stop()
