"""What Presidio misses or takes wrongly, case by case, as what must happen instead."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.engine import Engine
from tests.inspection.cost import assert_linear

ENGINE = Engine(Settings())


def found(text: str, engine: Engine = ENGINE) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in engine.find(text)]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket is opened, no name looked up, during any analysis here."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was used during analysis")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.setattr(socket, "create_connection", refused)


@pytest.mark.parametrize(
    "address",
    [
        "bob@corp.internal",
        "eve@host.local",
        "x@intranet",
        "o'hara@a-b.example",
        "jörg@münchen.example",
        "a.b+c@10.0.0.7",
        "root@localhost",
    ],
)
def test_internal_addresses_are_addresses(address: str) -> None:
    assert found(f"write to {address}, please") == [("EMAIL_ADDRESS", address)]


@pytest.mark.parametrize(
    "before", ["email=", "to='", "e-mail=", "?x=1&user_email=", "WHERE user.email='", "-e ADMIN_MAIL="]
)
def test_what_assigns_an_address_is_no_part_of_it(before: str) -> None:
    assert found(f"{before}h.o'meier@web.de") == [("EMAIL_ADDRESS", "h.o'meier@web.de")]


@pytest.mark.parametrize(
    "address",
    [
        "bounces-jane.doe=gmail.com@lists.example.org", "bounce+jane=gmail.com@lists.example.org",
        "SRS0=HH=TT=example.com=jane@forward.example", "prvs=0123abcd=jane@example.com",
    ],
)  # fmt: skip
def test_addresses_of_bounces_go_whole_since_they_hold_anothers(address: str) -> None:
    assert found(f"from {address} on") == [("EMAIL_ADDRESS", address)]


@pytest.mark.parametrize(
    "text",
    [
        "lodash@4.17.21",
        "icon@2x.png",
        "a = x@y(z)",
        "@decorator",
        "user@",
        "@mention hi",
        "git@github.com:org/repo.git",
    ],
)
def test_what_code_writes_with_an_at_sign_is_none(text: str) -> None:
    assert found(text) == []


CARDS = {
    "Mastercard 2-series": "2223003122003222",
    "Visa 19": "4000000000000000006",
    "Visa 13": "4222222222222",
    "Maestro 12": "501800000009",
    "JCB 2131": "213100000000001",
    "JCB 1800": "180000000000002",
    "Amex": "378282246310005",
    "Diners": "30569309025904",
    "Discover": "6011111111111117",
    "UnionPay": "6200000000000005",
}


@pytest.mark.parametrize("name", CARDS)
def test_every_card_range_with_its_check_digit(name: str) -> None:
    number = CARDS[name]
    assert found(f"pay {number} now") == [("CREDIT_CARD", number)]
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    assert found(f"pay {spaced} now") == [("CREDIT_CARD", spaced)]


def test_a_wrong_check_digit_is_no_card() -> None:
    assert ("CREDIT_CARD", "4111111111111112") not in found("pay 4111111111111112 now")


def test_a_card_followed_by_its_expiry() -> None:
    assert found("4111 1111 1111 1111 12/27")[0] == ("CREDIT_CARD", "4111 1111 1111 1111")


def test_context_words_need_no_pipeline() -> None:
    assert found("driver license: A1234567") == [("US_DRIVER_LICENSE", "A1234567")]


@pytest.mark.parametrize("text", ["the public number A1234567", "duplicate of A1234567", "published as A1234567"])
def test_lic_in_public_is_no_licence(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text", ["self.x.is", "obj.name.to", "import a.b.net", "see https://example.com/docs/page?lang=en#part"]
)
def test_plain_urls_and_dotted_names_are_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://bob:hunter2@host.example/x",
        "postgres://svc:pa55@db.internal:5432/app",
        "https://example.com/a?token=abcdef123456",
        "https://example.com/cb?session=abc123&x=1",
        "redis://:secret@cache:6379/0",
    ],
)
def test_urls_that_carry_a_secret_are_found_whole(url: str) -> None:
    assert found(f"use {url}.") == [("URL", url)]


@pytest.mark.parametrize("unit", ["otpauth://", "https://a."])
def test_urls_within_urls_cost_in_step_with_the_text(unit: str) -> None:
    assert_linear(ENGINE, unit)


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "192.168.100.200", "8.8.8.8/32", "fe80::1ff:fe23:4567:890a", "2001:db8::1", "::ffff:10.0.0.1"],
)
def test_an_address_is_no_phone(address: str) -> None:
    assert found(f"host {address} answered") == [("IP_ADDRESS", address)]


@pytest.mark.parametrize(
    "text", ["v1.2.3.4 is out", "version 10.0.0.1", "std::vec::new", "a::b", "at 12:30:45", "::", "1.2.3"]
)
def test_what_is_no_address(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "number",
    [
        "+1 (415) 555-2671", "+1-415-555-2671", "(415) 555-2671", "415.555.2671", "+44 20 7946 0958",
        "+44 (0)20 7946 0958", "0171 2345678",
        "+49 30 901820", "030/901820-17", "+33 1 42 68 53 00", "01 42 68 53 00", "+34 612 345 678", "612 345 678",
        "+39 06 698 82000", "0039 06 698 82000",
        "+31 20 794 0800", "020-7940800", "+48 22 694 58 00", "+351 21 391 9000", "+45 33 92 33 92",
        "+353 1 679 5111", "415-555-2671 x123",
    ],
)  # fmt: skip
def test_phone_spans_are_whole(number: str) -> None:
    assert found(f"ring me: {number} tonight") == [("PHONE_NUMBER", number)]


@pytest.mark.parametrize(
    "text",
    [
        "order 20240131",
        "in 2023-11-05 or 05.11.2023",
        "1,234,567.89 EUR",
        "1699999999",
        "12:30:45.123456",
        "0.123456789",
        "x = 1234567",
    ],
)
def test_what_is_no_phone(text: str) -> None:
    assert [entity for entity, _ in found(text)] == []


def test_strict_mode_takes_what_balanced_leaves() -> None:
    strict = Engine(Settings(mode=Mode.STRICT))
    text = "4155552671 and https://example.com/page"
    assert found(text) == []
    assert [entity for entity, _ in found(text, strict)] == ["PHONE_NUMBER", "URL"]


def test_presidio_is_not_loaded_to_analyse() -> None:
    """Its import is spaCy's 70 MB; tests/drivers/test_inspector.py shows the same of the worker."""
    import subprocess
    import sys

    heavy = "('spacy', 'presidio_analyzer', 'numpy', 'phonenumbers', 'onnxruntime')"
    code = f"import sys; import sidecar.drivers.inspector as _; print([m for m in sys.modules if m in {heavy}])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.stdout.strip() == "[]"


def test_results_say_which_rule_not_what_text() -> None:
    text = "mail bob@corp.internal"
    spans: list[Any] = ENGINE.find(text)
    assert "bob" not in repr(spans)
