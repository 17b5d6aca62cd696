"""`sidecar demo`: the story holds and shows what it says; SIGTERM ends it as Ctrl-C does, leaving nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sidecar.demo import brief
from tests.e2e.test_start import HEARD

RECORD = """
POLICY
  obligations       -
  rules that fired  fired    data.governor.decide.decision  governor/decide.rego:9
                    fired    data.packs.models.allowed  models/pack.rego:8
                    stopped  data.packs.models.other  models/pack.rego:9: nothing
"""


def test_a_shortened_record_keeps_the_title_of_its_rules() -> None:
    """Without it the rules seemed to be obligations."""
    lines = brief(RECORD).splitlines()
    at = lines.index("  rules that fired")
    assert "data.packs.models.allowed" in lines[at + 1]
    assert not any("governor" in line or "stopped  " in line for line in lines)


def in_session(session: int) -> list[int]:
    """The processes of a session (proc_pid_stat(5): the sixth field)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")
@pytest.mark.parametrize(
    ("ready", "number", "code"),
    [
        ("stub.log", signal.SIGTERM, 130),
        ("sidecar.log", signal.SIGTERM, 130),
        ("It stays up", signal.SIGTERM, 0),
        ("It stays up", signal.SIGHUP, 0),
    ],
)
def test_a_signal_leaves_nothing_behind(ready: str, number: signal.Signals, code: int, tmp_path: Path) -> None:
    out, temporary = tmp_path / "out.txt", tmp_path / "tmp"
    temporary.mkdir()
    env = {**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}  # noqa: TID251  a child needs ours
    with out.open("wb") as told:
        command = [sys.executable, "-c", HEARD, sys.executable, "-m", "sidecar", "demo"]
        demo = subprocess.Popen(command, stdout=told, stderr=told, env=env, start_new_session=True)
        try:
            end = time.monotonic() + 120
            while ready not in out.read_text() and not list(temporary.glob(f"*/{ready}")):
                assert demo.poll() is None and time.monotonic() < end, out.read_text()[-2000:]
                time.sleep(0.02)
            demo.send_signal(number)
            assert demo.wait(60) == code
            end = time.monotonic() + 30  # a worker that is loading its model sees only then that nobody is left
            while in_session(demo.pid) and time.monotonic() < end:
                time.sleep(0.02)
            assert in_session(demo.pid) == []
        finally:
            for process in in_session(demo.pid):
                os.kill(process, signal.SIGKILL)
    assert list(temporary.iterdir()) == []
    assert "Traceback" not in out.read_text()


STAYS = """
import signal, sys
from pathlib import Path
from sidecar.demo import Addresses, Server, stay
from sidecar.terminal import Paint
signal.signal(signal.SIGTERM, signal.default_int_handler)
stay(Addresses("http://h/v1", "http://a"), Server("http://m", "m", is_stub=True), Path("state"), Paint(sys.stdout))
"""


@pytest.mark.parametrize("attempt", range(4))
def test_a_signal_right_behind_the_last_line_ends_it_in_order(attempt: int) -> None:
    """An event loop that was just being made complained of itself, in two of three attempts."""
    with subprocess.Popen(
        [sys.executable, "-c", STAYS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None and demo.stderr is not None
        assert any("It stays up" in line for line in demo.stdout)
        demo.send_signal(signal.SIGTERM)
        assert (demo.wait(60), demo.stderr.read()) == (0, "")


def told(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sidecar", "demo", "--once", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **env})  # noqa: TID251


def test_the_story_names_the_entry_that_was_changed() -> None:
    """Of a damaged WAL SQLite drops the tail: a demonstration that damages that one shows a cut, not a change."""
    done = told(SIDECAR_SIDE="inbound")  # the story is that of egress, whatever the environment says
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    changed = re.search(r"in the outcome of (\S+): ", done.stdout)
    assert changed is not None
    assert re.search(rf"FAILED entry \d+ \({changed[1]}\) entry-altered", done.stdout)


def test_what_it_says_to_try_works_in_a_shell_without_the_environment(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    with out.open("wb") as file:
        demo = subprocess.Popen([sys.executable, "-m", "sidecar", "demo"], stdout=file, stderr=file)
        try:
            end = time.monotonic() + 120
            while "Press Ctrl-C" not in out.read_text():
                assert demo.poll() is None and time.monotonic() < end, out.read_text()[-2000:]
                time.sleep(0.05)
            said = out.read_text()
            commands = re.findall(r"^   (?:or|it got|records) +(\S.*)$", said, re.MULTILINE)
            runs = [subprocess.run(c, shell=True, capture_output=True, text=True, env=BARE) for c in commands]
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(60)
    assert [done.returncode for done in runs] == [0, 0, 0], runs
    assert runs[0].stdout.rstrip().endswith("data: [DONE]")
    assert "<EMAIL_ADDRESS_1>" in runs[1].stdout
    assert "3 exchanges (allow:2, deny:1, answered:2, refused:1)" in runs[2].stdout


BARE = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


class OneModel(BaseHTTPRequestHandler):
    """A server of one's own: it knows one model, repeats the last message, and refuses every other model."""

    def do_GET(self) -> None:
        self.answer(200, {"object": "list", "data": [{"id": "only-one", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["model"] == "silent":
            self.answer(200, {"id": "x", "object": "chat.completion", "model": "silent", "choices": []})
            return
        if body["model"] != "only-one":
            self.answer(404, {"error": {"message": "No such model.", "code": "model_not_found"}})
            return
        delta = {"index": 0, "delta": {"content": body["messages"][-1]["content"]}, "finish_reason": "stop"}
        event = {"id": "x", "object": "chat.completion.chunk", "model": "only-one", "choices": [delta]}
        self.send(200, "text/event-stream", b"data: " + json.dumps(event).encode() + b"\n\ndata: [DONE]\n\n")

    def answer(self, status: int, value: object) -> None:
        self.send(status, "application/json", json.dumps(value).encode())

    def send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def own_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), OneModel) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


def test_a_real_server_is_asked_for_a_model_that_it_has(own_server: str) -> None:
    done = told("--upstream", own_server)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert re.search(r"^ +model +only-one$", done.stdout, re.MULTILINE)


def test_a_failure_tells_what_was_answered(own_server: str) -> None:
    done = told("--upstream", own_server, "--model", "another")
    assert done.returncode == 1
    assert "the call of another was answered 404, not 200: " in done.stdout
    assert "No such model." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_reply_without_text_in_a_stream_is_no_story_that_held(own_server: str) -> None:
    done = told("--upstream", own_server, "--model", "silent")
    assert done.returncode == 1
    assert "The demonstration failed: no text came back in a stream" in done.stdout


def test_the_story_is_told_where_the_locale_lacks_a_character(own_server: str) -> None:
    done = told("--upstream", own_server, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
