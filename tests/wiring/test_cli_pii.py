"""`sidecar pii scan` and `sidecar pii eval` on files as they are: none, empty, of other systems, wrongly labelled."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli import main

ENTITY = "EMAIL_ADDRESS"
TEXT = "x a@b.example"


@pytest.fixture
def plain(tmp_path: Path) -> list[str]:
    """Without the names model, which takes its time."""
    (tmp_path / "settings.yaml").write_text("detection: {names: false}\n")
    return ["--config", str(tmp_path / "settings.yaml")]


def spans(text: str, *values: str) -> list[dict[str, Any]]:
    return [{"start": text.index(v), "end": text.index(v) + len(v), "entity": ENTITY} for v in values]


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"", []),
        (b"\r\n", []),
        ("😀 a@b.example\r\nc@d.example".encode(), ["a@b.example", "c@d.example"]),
        ("\ufeff😀 a@b.example".encode(), ["a@b.example"]),
        (b"\x00a@b.example\x00", ["a@b.example"]),
    ],
)
def test_offsets_are_code_points_of_the_file(
    plain: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, values: list[str]
) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(data)
    assert main(["pii", "scan", str(path), "--json", *plain]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [data.decode()[one["start"] : one["end"]] for one in found] == values


def test_an_empty_file_holds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the names model it was a failed detector."""
    (tmp_path / "empty.txt").touch()
    assert main(["pii", "scan", str(tmp_path / "empty.txt")]) == 0
    assert "not looked for" in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"\xff\xfea\x00", "Müller".encode("latin-1"), b"\x89PNG\r\n\x1a\n\x00\xff"])
def test_what_is_no_text_is_refused(
    plain: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    (tmp_path / "file").write_bytes(data)
    for command in ("scan", "eval"):
        assert main(["pii", command, str(tmp_path / "file"), *plain]) == 2
        assert capsys.readouterr().err == "sidecar: the text is not UTF-8\n"
        assert main(["pii", command, str(tmp_path / "none"), *plain]) == 2
        assert capsys.readouterr().err == f"sidecar: {tmp_path / 'none'}: No such file or directory\n"


def test_a_text_cannot_hide_in_a_terminal(plain: list[str], tmp_path: Path) -> None:
    r"""`\x1b[8m` hides what follows, a lone `\r` writes over it; who reads the output in a program gets the text."""
    text = "Dear \x1b[8m a@b.example \x1b[0m\r\nhidden c@d.example\rnothing here \u202e\n"
    (tmp_path / "letter.txt").write_text(text, newline="")
    command = [sys.executable, "-m", "sidecar", "pii", "scan", str(tmp_path / "letter.txt"), *plain]
    shown = _in_a_terminal(command)
    assert "a@b.example" in shown and "c@d.example" in shown
    assert "\x1b[8m" not in shown and "\u202e" not in shown
    assert "\r" not in shown.replace("\r\r\n", "").replace("\r\n", "")
    piped = subprocess.run(command, capture_output=True, check=True)
    assert (
        piped.stdout.decode()
        == text.replace("a@", f"[{ENTITY}: a@")
        .replace("b.example", "b.example]")
        .replace("c@d.example", f"[{ENTITY}: c@d.example]")
        + "\n"
    )


def test_colours_are_shown_to_who_wants_them(plain: list[str], tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear a@b.example\n")
    command = [sys.executable, "-m", "sidecar", "pii", "scan", str(tmp_path / "letter.txt"), *plain]
    assert "\x1b[" in _in_a_terminal(command, TERM="xterm", NO_COLOR="")
    for setting in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb", "NO_COLOR": ""}):
        shown = _in_a_terminal(command, **setting)
        assert "\x1b" not in shown and f"[{ENTITY}: a@b.example]" in shown


def _in_a_terminal(command: list[str], **environment: str) -> str:
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as terminal:
        settings = [f"{name}={value}" for name, value in environment.items()]
        process = subprocess.Popen(["env", *settings, *command], stdout=theirs, stderr=subprocess.DEVNULL)
        os.close(theirs)
        shown = _all_of(terminal)
        assert process.wait() == 0
    return shown


def _all_of(terminal: io.FileIO) -> str:
    read = b""
    while True:
        try:
            data = terminal.read(65536)
        except OSError:  # Linux says so when the last writer has gone
            data = b""
        if not data:
            return read.decode()
        read += data


@pytest.mark.parametrize("before", ["", "\ufeff", "\n\r\n"])
@pytest.mark.parametrize("between", ["\u2028", "\x85", "\x0c", " "])
def test_a_labelled_set_is_read_whoever_wrote_it(
    plain: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, between: str
) -> None:
    """A byte order mark, or a line separator within a text (JSON allows it unescaped), made it no set."""
    text = f"x{between}a@b.example"
    row = json.dumps({"text": text, "spans": spans(text, "a@b.example")}, ensure_ascii=between == "\x0c")
    (tmp_path / "set").write_text(f"{before}{row}\r\n\n{row}\n", newline="")
    assert main(["pii", "eval", str(tmp_path / "set"), "--json", *plain]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["texts"] == 2
    assert answer["types"][ENTITY]["n"] == 2
    assert answer["types"][ENTITY]["recall"] == answer["types"][ENTITY]["covered"] == 1.0


GOOD = json.dumps({"text": TEXT, "spans": spans(TEXT, "a@b.example")})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "it holds no text"),
        ("[]", "it holds no text"),
        (f"{GOOD}\n{{bad", "line 2: no JSON (Expecting property name enclosed in double quotes)"),
        (f'\n{GOOD}\n{{"text": "x"}}', "line 3: there is no 'spans'"),
        ('{"text": "abc", "spans": [{"start": 0, "end": 1, "label": "X"}]}', "line 1: there is no 'entity'"),
        ('{"text": "abc", "spans": null}', "line 1: not of the form"),
        ('{"text": 5, "spans": []}', "line 1: not of the form"),
        (f"[{GOOD}, 7]", "entry 2: not of the form"),
        (f"{GOOD}\n7", "line 2: not of the form"),
        ("[" * 100_000, ""),
        ('{"text": "😀 ab", "spans": [{"start": 3, "end": 5, "entity": "X"}]}', "line 1: a span is empty or lies out"),
        ('{"text": "abc", "spans": [{"start": -1, "end": 2, "entity": "X"}]}', "line 1: a span is empty or lies out"),
        ('{"text": "abc", "spans": [{"start": 2, "end": 2, "entity": "X"}]}', "line 1: a span is empty or lies outs"),
        ('{"text": "abc", "spans": [{"start": "1st", "end": 2, "entity": "X"}]}', "line 1: "),
    ],
)
def test_what_is_no_labelled_set_is_told_where_and_why(
    plain: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], data: str, why: str
) -> None:
    """Offsets in UTF-16 ended in a traceback; everything else said only the type of an exception."""
    (tmp_path / "set").write_text(data)
    assert main(["pii", "eval", str(tmp_path / "set"), *plain]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"sidecar: not a labelled set: {why}")
    assert "abc" not in error and len(error) < 200


def test_a_detector_that_cannot_be_loaded_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.txt").write_text("Dear Anna")
    (tmp_path / "settings.yaml").write_text(
        "detection: {names: false, recognisers: [{kind: recognizer, class: 'nothing_here:X', entities: [PERSON]}]}"
    )
    arguments = ["--config", str(tmp_path / "settings.yaml")]
    assert main(["pii", "scan", str(tmp_path / "letter.txt"), *arguments]) == 2
    assert "detection.recognisers.0: ModuleNotFoundError: No module named 'nothing_here'" in capsys.readouterr().err


def test_a_service_that_is_down_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.txt").write_text("Dear Anna")
    (tmp_path / "settings.yaml").write_text(
        "detection: {names: false, recognisers: [{kind: remote, url: 'http://127.0.0.1:1', entities: [PERSON]}]}"
    )
    assert main(["pii", "scan", str(tmp_path / "letter.txt"), "--config", str(tmp_path / "settings.yaml")]) == 2
    assert capsys.readouterr().err.endswith("(ConnectionRefusedError)\n")


def test_a_character_that_the_locale_lacks_is_no_fault() -> None:
    command = [sys.executable, "-m", "sidecar", "pii", "scan", "-"]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "SIDECAR_DETECTION_NAMES": "false"}  # noqa: TID251
    letter = "Zażółć: anna@corp.internal".encode()
    done = subprocess.run(command, input=letter, capture_output=True, check=False, env=environment, timeout=60)
    assert (done.returncode, done.stdout) == (0, "Za?ó??: [EMAIL_ADDRESS: anna@corp.internal]\n".encode("latin-1"))
