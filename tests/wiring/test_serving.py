"""What is made of the settings for the proxy, and what its start says."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sidecar.config import ConfigError, load
from sidecar.drivers.rego_engine import default_bundle, version_of
from sidecar.drivers.store import Ledger
from sidecar.drivers.upstream import UpstreamClient
from sidecar.proxy.meter import Meter
from sidecar.proxy.server import Bound, Listen
from sidecar.wiring.banner import banner, base_lines, base_url
from sidecar.wiring.observe import observe
from sidecar.wiring.serving import run, said, say, upstream_settings
from tests.captures import OK, RawServer, answering
from tests.exchange.kit import DENIED, Stage, question
from tests.proxy.shell import logged

TAKE = (
    "from sidecar.proxy import logs; from sidecar.wiring.serving import take_files; logs.setup();"
    " take_files({}); print(resource.getrlimit(resource.RLIMIT_NOFILE))"
)


async def test_a_model_server_s_socket_without_a_slash_is_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `listen` counts it, too."""
    monkeypatch.chdir(tmp_path)
    config = load({"upstream.url": "http://vllm", "upstream.unix": "engine.sock"}, environ={}).config
    settings = upstream_settings(config)
    async with RawServer(answering(OK), tmp_path / "engine.sock"), UpstreamClient(settings) as client:
        async with client.stream("GET", "/v1/models", (), None) as reply:
            assert reply.status == 200
        assert client.recipient == f"unix:{tmp_path}/engine.sock"


@pytest.mark.parametrize("calls", [1000, 20_000])
def test_each_call_in_flight_may_have_its_connection(calls: int) -> None:
    """Those beyond 2000 were told that the model server is down."""
    settings = upstream_settings(load({"upstream.url": "http://h", "limits.in_flight": calls}, environ={}).config)
    assert settings.connections == 1000 + calls


def test_the_base_url_of_all_addresses_can_be_used() -> None:
    assert base_url(Listen(port=8400)) == "http://localhost:8400/v1"
    assert "OPENAI_BASE_URL=http://localhost:8400/v1)" in base_lines(Listen(port=8400))[0]
    assert base_url(Listen(host="::1", port=1)) == "http://[::1]:1/v1"


@pytest.mark.parametrize(
    ("at", "required", "warned"),
    [
        (Listen(host="127.0.0.1", port=1), False, False),
        (Listen(host="::1", port=1), False, False),
        (Listen(host="0:0:0:0:0:0:0:1", port=1), False, False),
        (Listen(host="LocalHost", port=1), False, False),
        (Listen(host="127.1", port=1), False, False),
        (Listen(host="::1:2", port=1), False, True),
        (Listen(path="/run/s"), False, False),
        (Listen(host="0.0.0.0", port=1), False, True),
        (Listen(port=1), False, True),
        (Listen(host="10.0.0.1", port=1), False, True),
        (Listen(port=1), True, False),
    ],
)
def test_whom_the_start_warns_of(at: Listen, required: bool, warned: bool) -> None:
    config = load({"upstream.url": "http://h", "callers.required": required}, environ={}).config
    inspector = cast(Any, SimpleNamespace(looked_for=["A"], not_looked_for=["B"]))
    told = banner(config, Bound(data=(at,), admin=at), "vkey", inspector, version_of(default_bundle()))
    assert ("WARNING" in told) is warned
    assert "NOT looked for              B\n" in told and "vkey" in told


class Full(io.StringIO):
    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("stdout", [None, Full()])
def test_a_stdout_that_takes_nothing_stops_no_start(stdout: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stdout)
    with logged() as out:
        say("Base URL")
        assert ("ENOSPC" in out.getvalue()) is (stdout is not None)
    assert sys.stdout is None


def test_a_file_that_cannot_be_written_is_named() -> None:
    with pytest.raises(OSError) as caught:
        Path("/nowhere/ready.part").write_bytes(b"")
    assert said(caught.value) == "/nowhere/ready.part: No such file or directory"
    assert said(OSError("cannot listen on x")) == "cannot listen on x"


def test_a_ready_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    loaded = load({"upstream.url": "http://h", "state": tmp_path / "state"}, environ={})
    with pytest.raises(ConfigError, match="there is no folder /nowhere"):
        run(loaded, ready_file=Path("/nowhere/ready.json"))
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(("calls", "told"), [(10, []), (1000, ["too few open files allowed"])])
def test_too_few_open_files_are_told(calls: int, told: list[str]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 512)); {TAKE.format(calls)}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == told
    assert done.stdout.strip() == "(512, 512)"
    assert (soft, hard) == resource.getrlimit(resource.RLIMIT_NOFILE)


async def test_a_refused_call_s_commit_is_counted_without_what_was_before_it() -> None:
    """Inspecting and deciding took 60 ms here; the disk was not as slow as that."""
    stage = Stage(answers={"request": DENIED})
    done = await stage.run(question("hi"))
    assert done.outcome is not None
    laps = dict(done.outcome.timings_us)
    assert "redact_us" not in laps and "intent_us" in laps
    laps.update(parse_us=10_000, judge_us=60_000, intent_us=62_000)
    done.outcome = done.outcome._replace(timings_us=laps)
    meter = Meter()
    with logged():
        observe(done, meter, cast(Ledger, SimpleNamespace(size=4)))
    page = meter.page().decode()
    assert 'sidecar_ledger_commit_seconds_bucket{le="0.0025"} 1.0' in page
    assert "sidecar_ledger_size 4.0" in page
