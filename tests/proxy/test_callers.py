"""Who called: keys, trusted proxies, Unix peers, nobody."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.errors import CallerError
from sidecar.model import Caller
from sidecar.proxy.callers import ANONYMOUS, Callers, Peer, ProxyHeaders, digest, peer_of
from tests.captures import OK, RawServer, answering, connect, talk
from tests.proxy.shell import shell

ANNA = Caller(tenant="acme", app="shop", user="anna", roles=("clerk",), auth="api_key")
KEYS = Callers(keys={digest("sk-anna"): ANNA})
PROXIES = Callers(
    proxies=(ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")),
    proxy_headers=ProxyHeaders(user="x-user", tenant="x-tenant", app="x-app", roles="x-roles"),
)


def at(address: str | None = None, uid: int | None = None) -> Callable[[], Peer]:
    return lambda: Peer(address=address, uid=uid)


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", "Bearer sk-anna"),
        ("authorization", "bearer sk-anna "),
        ("X-Api-Key", "sk-anna"),
        ("api-key", "sk-anna"),
    ],
)
def test_a_known_key(header: tuple[str, str]):
    assert KEYS.identify([header], at()) is ANNA


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", "Bearer other"),
        ("Authorization", "Basic sk-anna"),
        ("Authorization", "Bearer sk-\udcfc"),
        ("X", "sk-anna"),
    ],
)
def test_an_unknown_key_is_nobodys(header: tuple[str, str]):
    assert KEYS.identify([header], at()) is ANONYMOUS


def test_only_the_digest_is_kept():
    assert len(digest("sk-anna")) == 64
    assert "sk-anna" not in repr(KEYS)
    assert "anna" not in repr(KEYS)
    assert "anna" not in repr(ANNA)


def test_a_trusted_proxys_word():
    headers = [("X-User", "anna"), ("x-tenant", " acme "), ("X-Roles", "clerk,, admin,")]
    caller = PROXIES.identify(headers, at("10.1.2.3"))
    assert (caller.tenant, caller.app, caller.user, caller.roles) == ("acme", "anonymous", "anna", ("clerk", "admin"))
    assert caller.auth == "proxy_header"


@pytest.mark.parametrize(("name", "told"), [("user", "anna"), ("tenant", "acme"), ("app", "shop")])
def test_a_trusted_proxy_may_say_one_thing_only(name: str, told: str):
    assert PROXIES.identify([(f"x-{name}", told)], at("10.1.2.3")) == Caller(auth="proxy_header", **{name: told})


@pytest.mark.parametrize("address", ["::ffff:10.1.2.3", "fd00::1", "fd00::1%eth0"])
def test_other_spellings_of_a_trusted_address(address: str):
    assert PROXIES.identify([("x-user", "anna")], at(address)).user == "anna"


@pytest.mark.parametrize("peer", [at("192.0.2.1"), at("::1"), at(), at(uid=0)])
def test_nobody_elses_word(peer: Callable[[], Peer]):
    assert PROXIES.identify([("x-user", "anna")], peer) is ANONYMOUS


def test_a_name_in_an_older_coding_is_readable():
    assert PROXIES.identify([("x-user", "J\udcfcrg")], at("10.1.2.3")).user == "Jürg"


def test_a_proxy_that_says_nothing():
    assert PROXIES.identify([("x-roles", "admin")], at("10.0.0.1")) is ANONYMOUS
    acme = PROXIES.identify([("x-tenant", "acme"), ("x-user", " "), ("x-app", "")], at("10.0.0.1"))
    assert acme == Caller(tenant="acme", auth="proxy_header")


def test_two_answers_to_one_question():
    with pytest.raises(CallerError) as raised:
        PROXIES.identify([("x-user", "anna"), ("X-USER", "admin")], at("10.0.0.1"))
    assert raised.value.code == "HEADER_INVALID"


def test_the_peer_is_not_asked_for_in_vain():
    def never() -> Peer:
        raise AssertionError

    assert KEYS.identify([("Authorization", "Bearer sk-anna")], never) is ANNA
    assert Callers().identify([], never) is ANONYMOUS


def test_a_caller_who_has_gone_has_no_address():
    assert peer_of(None) == Peer()
    assert PROXIES.identify([("x-user", "anna")], lambda: peer_of(None)) is ANONYMOUS


async def test_a_unix_peer_is_known_by_the_kernels_word(tmp_path: Path):
    path = str(tmp_path / "sidecar.sock")
    job = Caller(tenant="acme", app="batch", auth="unix_peer")
    async with (
        RawServer(answering(OK)) as up,
        shell(up.url, unix=path, callers=Callers(uids={os.getuid(): job})) as running,
    ):
        wire = await connect(path=path)
        await wire.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
        await wire.message()
        wire.close()
        assert running.arrivals[0].caller is job


REFUSED = [
    (b"POST /v1/chat/completions HTTP/1.1\r\nX-Sidecar-Typo: 1\r\n", "HEADER_INVALID"),
    (b"POST /v1/nowhere HTTP/1.1\r\n", "ROUTE_UNKNOWN"),
    (b"GET /v1/chat/completions HTTP/1.1\r\n", "METHOD_NOT_ALLOWED"),
    (b"POST /v1/chat/completions HTTP/1.1\r\n", "DRAINING"),
]


@pytest.mark.parametrize(("head", "code"), REFUSED)
async def test_a_known_caller_is_known_when_his_call_is_refused_unread(head: bytes, code: str):
    async with shell(callers=KEYS) as running:
        if code == "DRAINING":
            running.drain.begin()
        await talk(running.port, head + b"Host: a\r\nAuthorization: Bearer sk-anna\r\nContent-Length: 0\r\n\r\n")
        [(arrival, error)] = running.refused
    assert (error.code, arrival.caller) == (code, ANNA)
    assert (arrival.headers, arrival.target) == ((), "")


async def test_an_ambiguous_word_is_refused_as_nobodys():
    callers = Callers(proxies=(ipaddress.ip_network("127.0.0.0/8"),), proxy_headers=ProxyHeaders(user="x-user"))
    async with shell(callers=callers) as running:
        twice = b"X-User: anna\r\nX-User: admin\r\n"
        await talk(running.port, b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + twice + b"\r\n")
        [(arrival, error)] = running.refused
    assert (error.code, arrival.caller) == ("HEADER_INVALID", ANONYMOUS)


async def test_headers_that_name_people_stay_here():
    callers = Callers(
        proxies=(ipaddress.ip_network("127.0.0.0/8"),), proxy_headers=ProxyHeaders(user="X-User", tenant="x-tenant")
    )
    async with RawServer(answering(OK)) as up, shell(up.url, callers=callers) as running:
        wire = await connect(running.port)
        await wire.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX-User: anna\r\nContent-Length: 2\r\n\r\n{}")
        await wire.message()
        wire.close()
        assert running.arrivals[0].caller.user == "anna"
        assert b"anna" not in up.wires[0].received
