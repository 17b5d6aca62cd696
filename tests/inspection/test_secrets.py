"""Secrets: one value of every gitleaks rule, what people type, and code that holds none."""

from __future__ import annotations

import json
import pkgutil
import re
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.secrets import SECRET_TYPES, entropy

ENGINE = Engine(Settings(entities=frozenset(SECRET_TYPES)))
ROWS = json.loads(pkgutil.get_data("sidecar.inspection", "secrets_rules.json") or b"{}")["rules"]
NO_SAMPLE = {
    "curl-auth-header",
    "curl-auth-user",
    "kubernetes-secret-yaml",
    "jwt-base64",
    "private-key",
    "generic-api-key",
    "facebook-access-token",
    "sidekiq-sensitive-url",
    "slack-config-access-token",
    "slack-webhook-url",
}
"""Rules whose regular expression is too free to draw from; they have their own tests below."""


def found(text: str) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)]


@pytest.mark.parametrize("row", [row for row in ROWS if row["id"] not in NO_SAMPLE], ids=lambda row: row["id"])
def test_a_secret_of_every_rule(row: dict[str, object], matching: Callable[[str, int], list[str]]) -> None:
    regex = str(row["regex"]).replace("(?-i:", "(?:").replace("(?i:", "(?:")
    drawn = 0
    for text in matching(regex, 40):
        match = re.search(str(row["regex"]), text, re.ASCII)
        keywords = [str(word) for word in row["keywords"] if str(word) in text.lower()]  # type: ignore[attr-defined]
        if match is None or not keywords or entropy(match.group()) < 3.4:
            continue
        drawn += 1
        if found(f"x\n{text}\n"):
            return
    raise AssertionError(f"{drawn} drawn, and none found")


MIXED = "aB3dE5gH7jK9mN1pQ3sT5vW7"  # made up, of high entropy
WRITTEN = {
    "facebook-access-token": f"facebook token 1234567890123456|{MIXED}xYz9Q",
    "sidekiq-sensitive-url": "https://cafe1234:deadbeef@gems.contribsys.com/",
    "slack-config-access-token": "xoxe.xoxb-1-" + (MIXED * 7).upper()[:164],
    "slack-webhook-url": f"https://hooks.slack.com/services/T024BE7LD/B0J1K2L3M/{MIXED}",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_secret_of_each_rule_that_cannot_be_drawn(name: str) -> None:
    assert found(f"x\n{WRITTEN[name]}\n"), name


KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(
    ["MIIEowIBAAKCAQEA7bq8gT4kXl2Vn5cYd0fW9sQ3rJ6uHzE1pLmKoNiBvCxZaSdF"] * 6
)
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4ifQ."
    "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
)


def test_private_keys_whole_and_cut_off() -> None:
    whole = f"{KEY}\n-----END RSA PRIVATE KEY-----"
    assert found(f"key:\n{whole}\nend") == [("PRIVATE_KEY", whole)]
    assert found(f"key:\n{KEY}")[0][0] == "PRIVATE_KEY"
    assert found(json.dumps({"key": whole}))[0][0] == "PRIVATE_KEY"


def test_json_web_tokens() -> None:
    assert found(f"Authorization: Bearer {JWT}") == [("JWT", JWT)]


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ('password = "hunter2!"', "PASSWORD", "hunter2!"),
        ("my password is Tr0ub4dor&3.", "PASSWORD", "Tr0ub4dor&3"),
        ("password: Tr0ub4dor&3x, user: x", "PASSWORD", "Tr0ub4dor&3x"),
        ("my password: R&D2024!", "PASSWORD", "R&D2024!"),
        ("f=1&password=Tr0ub4dor3&next=y", "PASSWORD", "Tr0ub4dor3"),
        ("Server=db;User Id=sa1;Password=abc!123;", "PASSWORD", "abc!123"),
        ('{"user": {"password": "s3cr3t!"}}', "PASSWORD", "s3cr3t!"),
        ('{\\"password\\":\\"abc123\\"}', "PASSWORD", "abc123"),
        ("DB_PASSWORD=pa55word", "PASSWORD", "pa55word"),
        ("mysql --password hunter", "PASSWORD", "hunter"),
        ("Passwort: Geheim!23", "PASSWORD", "Geheim!23"),
        ("mon mot de passe est Soleil2024", "PASSWORD", "Soleil2024"),
        ("la contraseña es Luna*2024", "PASSWORD", "Luna*2024"),
        ("wachtwoord: Fiets123", "PASSWORD", "Fiets123"),
        ("username: j.doe", "USERNAME", "j.doe"),
        ('username="alice"', "USERNAME", "alice"),
        ("login: jdoe42", "USERNAME", "jdoe42"),
    ],
)
def test_what_people_type(text: str, entity: str, value: str) -> None:
    assert (entity, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "password: str", "password=get_password()", 'PASSWORD=os.environ["X"]', "password policy 2fa",
        "passwords must match",
        "user_id: int", '"username": "admin"', "password = None", 'api_key = "YOUR_API_KEY"', "token: ${TOKEN}",
        "secret_key = settings.SECRET_KEY",
        "key = value", "const authToken = await getToken(user)", "sha256: e3b0c44298fc1c149afbf4c8996fb924",
        "password: <your password>", "PASSWORD=********",
    ],
)  # fmt: skip
def test_what_code_writes_instead(text: str) -> None:
    assert found(text) == []


def test_in_the_formats_prompts_hold() -> None:
    token = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
    for text in (
        f"token,{token},x",
        f"- token: {token}",
        f'{{"t":"{token}"}}',
        f"2024-01-01 INFO got {token}",
        f"`{token}`",
    ):
        assert ("API_KEY", token) in found(text), text


def _code() -> Iterator[str]:
    """The standard library: a megabyte of code that holds no secret (its own tests left out)."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        yield path.read_text("utf-8", errors="replace")


def test_at_most_one_false_hit_per_twenty_kilobytes_of_code() -> None:
    size = hits = 0
    for text in _code():
        size += len(text)
        hits += len(found(text))
        if size > 1_000_000:
            break
    assert size > 500_000
    assert hits / (size / 1024) <= 0.05
