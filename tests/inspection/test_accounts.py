"""User names in logs and paths; accounts that every machine has are none."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings())


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in ENGINE.find(text) if span.entity == "USERNAME"]


@pytest.mark.parametrize(
    "text",
    [
        "Accepted publickey for aschmidt from 10.0.0.1 port 22",
        "Failed password for invalid user aschmidt from 10.0.0.1",
        "pam_unix(sshd:session): session opened for user aschmidt by (uid=0)",
        "sudo: aschmidt : TTY=pts/0 ; USER=root",
        'File "/home/aschmidt/project/main.py", line 3',
        "file:///home/aschmidt/notes.txt",
        "open /Users/aschmidt/Library/x",
        r"C:\Users\aschmidt\Documents",
        r'{"path": "C:\\Users\\aschmidt\\x"}',
        "uid=1000(aschmidt) gid=1000",
    ],
)
def test_the_name_is_found(text: str) -> None:
    assert found(text) == ["aschmidt"]


def test_a_field_of_a_log_line_is_a_name_when_it_ends_in_figures() -> None:
    assert found("ts=1 user=aschmidt84 action=login") == ["aschmidt84"]


@pytest.mark.parametrize(
    "text",
    [
        "session closed for user root",
        "/home/runner/work/app",
        "https://example.com/home/products/list",
        "GET /users/aschmidt/repos",
        "GET /home/about HTTP/1.1",
        "user=request.user",
        "superuser=aschmidt84",
        "user=User2.objects",
    ],
)
def test_what_names_nobody(text: str) -> None:
    assert found(text) == []
