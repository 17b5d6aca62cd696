"""Which headers go past this hop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.proxy.headers import HOP_BY_HOP, OWN_PREFIX, reply_headers, request_headers, spelled, values

NAME = st.text("abcXYZ-", min_size=1, max_size=8)
HEADERS = st.lists(st.tuples(NAME, st.text(max_size=5)), max_size=8)


def test_a_requests_own_hop_is_left_out():
    given_headers = (
        ("Host", "sidecar"),
        ("Connection", "keep-alive, X-Mine"),
        ("Keep-Alive", "timeout=5"),
        ("X-Mine", "1"),
        ("Proxy-Authorization", "Basic secret"),
        ("Proxy-Connection", "keep-alive"),
        ("TE", "trailers"),
        ("Trailer", "X-Sum"),
        ("Upgrade", "websocket"),
        ("Transfer-Encoding", "chunked"),
        ("Expect", "100-continue"),
        ("x-SIDECAR-Subject", "s-1"),
        ("Authorization", "Bearer k"),
        ("Content-Length", "12"),
        ("x-Request-ID", "r"),
    )
    assert request_headers(given_headers) == (
        ("Authorization", "Bearer k"),
        ("Content-Length", "12"),
        ("x-Request-ID", "r"),
    )


def test_headers_that_name_people_can_be_dropped():
    headers = (("X-Forwarded-User", "anna"), ("Accept", "*/*"))
    assert request_headers(headers, frozenset({"x-forwarded-user"})) == (("Accept", "*/*"),)


def test_a_replys_own_hop_is_left_out():
    headers = (
        ("Connection", "close, X-Theirs"),
        ("Server", "uvicorn"),
        ("X-Sidecar-Record", "forged"),
        ("Proxy-Authenticate", "Basic"),
        ("Keep-Alive", "timeout=5"),
        ("Trailer", "X-Sum"),
        ("x-theirs", "1"),
        ("Set-Cookie", "a"),
    )
    assert reply_headers(headers) == (("Server", "uvicorn"), ("Set-Cookie", "a"))


@pytest.mark.parametrize("name", ["content-length", "Content-Type", "Authorization", "Content-Encoding", "Close"])
def test_connection_cannot_take_away_what_the_upstream_needs(name: str):
    """RFC 9110 7.6.1: a sender must not list fields that are meant for all recipients."""
    assert request_headers((("Connection", name), (name, "1"))) == ((name, "1"),)


@given(HEADERS)
def test_order_spelling_and_duplicates_stay(headers: list[tuple[str, str]]):
    kept = request_headers(headers)
    rest = iter(headers)
    assert all(one in rest for one in kept)
    ours = [one for one in headers if one[0].lower() not in HOP_BY_HOP | {"host", "expect"}]
    assert len(kept) == len([one for one in ours if not one[0].lower().startswith(OWN_PREFIX)])


def test_bytes_that_are_not_text_are_not_lost():
    assert spelled([(b"X", b"caf\xe9")]) == (("X", "caf\udce9"),)


def test_a_value_is_of_the_header_that_was_asked_for():
    headers = (("Accept", "*/*"), ("x-user", "anna"), ("X-Role", "admin"), ("X-USER", "bob"), ("x-user-id", "7"))
    assert values(headers, "x-user") == ["anna", "bob"]
