"""Secrets by where they stand: authorization headers, command lines, keys of model providers."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings())
TOKEN = "q7Zk2LmN9vXc4RtY8wBs3HdF6"
KEY = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0"


def found(text: str, entity: str) -> list[str]:
    return [text[span.start : span.end] for span in ENGINE.find(text) if span.entity == entity]


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        f"authorization: bearer {TOKEN}\r\nAccept: */*",
        f'{{"Authorization": "Bearer {TOKEN}"}}',
        f"headers={{'Authorization': 'Token {TOKEN}'}}",
        f'{{\\"authorization\\":\\"Bearer {TOKEN}\\"}}',
        f"> Proxy-Authorization: ApiKey {TOKEN}",
    ],
)
def test_a_token_in_a_header_is_found_without_the_word_curl(text: str) -> None:
    assert found(text, "API_KEY") == [TOKEN]


@pytest.mark.parametrize("times", [400, 4000])
def test_a_ticket_is_found_whole_however_long(times: int) -> None:
    assert found(f"Authorization: Bearer {TOKEN * times}\n", "API_KEY") == [TOKEN * times]


def test_basic_credentials_are_a_password_if_they_decode_to_one() -> None:
    assert found("Authorization: Basic YW5uYTpIdW50ZXIy", "PASSWORD") == ["YW5uYTpIdW50ZXIy"]
    assert found("Authorization: Basic authentication12", "PASSWORD") == []


@pytest.mark.parametrize("key", [f"sk-proj-{KEY}", f"sk-ant-api03-{KEY}", f"xai-{KEY}", f"gsk_{KEY}", f"nvapi-{KEY}"])
def test_keys_of_model_providers_are_found_whole_or_cut_off(key: str) -> None:
    assert found(f"I pasted {key} by mistake", "API_KEY") == [key]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sshpass -p Hunter2x ssh root@host", "Hunter2x"),
        ("mysql -u root -pHunter2x shop", "Hunter2x"),
        ("mysqldump -h db -u root -pHunter2x shop > dump.sql", "Hunter2x"),
    ],
)
def test_passwords_on_command_lines(text: str, value: str) -> None:
    assert found(text, "PASSWORD") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer YOUR_API_TOKEN_HERE",
        "Authorization: Bearer ${TOKEN}",
        "the authorization: token based schemes of 2019",
        "sk-learn and sk-SK are no keys, nor is risk-averse",
        "mysql -u root -p shop",
        "sshpass -p $PASSWORD ssh root@host",
        "mysql -u root -P 3306",
    ],
)
def test_placeholders_and_words_are_no_secrets(text: str) -> None:
    assert [span for span in ENGINE.find(text) if span.entity in ("API_KEY", "PASSWORD")] == []
