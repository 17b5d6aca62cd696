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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://www.linkedin.com/in/anna-kowalska-83b1a2/", "anna-kowalska-83b1a2"),
        ("linkedin.com/in/jos%C3%A9-garc%C3%ADa?trk=x", "jos%C3%A9-garc%C3%ADa"),
        ("https://x.com/mariaber.", "mariaber"),
        ("(https://twitter.com/jan_devries)", "jan_devries"),
        ("t.me/okonkwo_t", "okonkwo_t"),
        ("https://www.tiktok.com/@giulia.ferri92", "giulia.ferri92"),
        ("Insta: @giulia.ferri92, ok?", "giulia.ferri92"),
        ("my Twitter handle is @tom_b!", "tom_b"),
    ],
)
def test_profiles_in_social_networks_are_found(text: str, name: str) -> None:
    assert found(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "https://www.linkedin.com/company/siemens",
        "https://www.instagram.com/reel/Cx1",
        "https://www.facebook.com/sharer/sharer.php?u=https://example.com",
        "https://t.me/joinchat/AAAA",
        "notinstagram.com/foo and chat.me/bar",
        "github.com/open-policy-agent/opa",
        "import discord\n@bot.command()",
        "twitter anna@example.com",
    ],
)
def test_pages_that_are_nobodys(text: str) -> None:
    assert found(text) == []
