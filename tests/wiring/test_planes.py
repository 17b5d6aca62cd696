"""Every setting reaches what it is about: what `serve` builds of a configuration, in this process."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from sidecar.config import load
from sidecar.dialects.routes import match
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.upstream_door import UpstreamSettings
from sidecar.errors import CallerError
from sidecar.model import Caller, Side
from sidecar.proxy.callers import ProxyHeaders
from sidecar.proxy.pages import Pages
from sidecar.proxy.server import Bound, Listen, listening
from sidecar.redaction import keyed
from sidecar.wiring.bundles import kept_digests
from sidecar.wiring.serving import Drivers, drivers_of, find, house_of, planes_of, upstream_settings, write_ready
from tests.captures import RawServer, answering, talk

KEY = "00" * 15 + "01"
DIGEST = "a" * 64
SETTINGS: dict[str, Any] = {
    "side": "inbound",
    "environment": "staging",
    "detection.names": False,
    "detection.deadline": 7.0,
    "policy.timeout": 2.0,
    "policy.data": {"models": {"allow": {"*": ["acme/*"]}}},
    "redaction.style": "keyed",
    "redaction.key": KEY,
    "redaction.guard": False,
    "redaction.hosts": ["a.example"],
    "redaction.tools": ["lookup"],
    "upstream.kind": "vllm",
    "limits.body": 1001,
    "limits.text": 1006,
    "limits.held": 1002,
    "limits.body_timeout": 1003.0,
    "limits.reading_timeout": 1004.0,
    "limits.drain": 1005.0,
}
CALLERS: dict[str, Any] = {
    "callers.keys": [{"sha256": DIGEST, "tenant": "t", "app": "a", "user": "u", "roles": ["r"]}],
    "callers.peers": [{"uid": 7, "tenant": "t2", "app": "a2", "user": "u2", "roles": ["r2"]}],
    "callers.trusted": ["10.0.0.1/8"],
    "callers.tenant_header": "X-T",
    "callers.app_header": "X-A",
    "callers.user_header": "X-U",
    "callers.roles_header": "X-R",
    "callers.origins": ["https://App.example"],
}


@asynccontextmanager
async def built(folder: Path, url: str = "http://h:1", **settings: Any) -> AsyncIterator[tuple[Any, Drivers]]:
    named = {"upstream.url": url, "state": folder / "state", "detection.names": False, **settings}
    config = load(named, environ={}).config
    async with drivers_of(config) as drivers:
        yield config, drivers


async def test_what_is_fixed_for_every_exchange(tmp_path: Path) -> None:
    async with built(tmp_path, **SETTINGS) as (config, drivers):
        house = house_of(config, drivers)
        assert kept_digests(config.state) == [drivers.engine.bundle.sha256]
    assert (house.side, house.environment) == (Side.INBOUND, "staging")
    assert (house.provider, house.recipient) == ("vllm", "h:1")
    assert (house.body_limit, house.text_limit, house.judge_deadline) == (1001, 1006, 10.0)
    assert "acme/*" in house.listed
    looks = house.surrogates
    assert looks.style == keyed(bytes.fromhex(KEY))
    assert (looks.guard, looks.hosts, looks.tools) == (False, ("a.example",), frozenset({"lookup"}))


async def test_the_log_says_which_policy_came_into_force_before_any_call(tmp_path: Path) -> None:
    async with built(tmp_path) as (config, drivers):
        in_force = drivers.engine.version
    with Reader.open(config.state) as reader:
        leaves = [orjson.loads(body) for body in reader.bodies(0, reader.size())]
    [loaded] = [leaf for leaf in leaves if leaf["typ"] == "policy.load"]
    assert (loaded["reason"], loaded["policy"]["bundle_sha256"]) == ("start", in_force.bundle_sha256)


async def test_limits_and_callers_of_the_data_plane(tmp_path: Path) -> None:
    async with built(tmp_path, **SETTINGS, **CALLERS) as made:
        data, admin = planes_of(*made)
        limits, callers = data.limits, data.callers
        assert (limits.body, limits.held, limits.body_timeout, limits.reading_timeout) == (1001, 1002, 1003.0, 1004.0)
        assert data.held.most == 1002
        assert callers.keys == {DIGEST: Caller(tenant="t", app="a", user="u", roles=("r",), auth="api_key")}
        assert callers.uids == {7: Caller(tenant="t2", app="a2", user="u2", roles=("r2",), auth="unix_peer")}
        assert callers.proxies == [ipaddress.ip_network("10.0.0.0/8")]
        assert callers.proxy_headers == ProxyHeaders(user="X-U", tenant="X-T", app="X-A", roles="X-R")
        assert admin.drain is data.drain and admin.drain_wait == 1005.0
        assert data.pages == Pages(origins=frozenset({"https://app.example"}), loopback=True)
        assert admin.pages == Pages(loopback=True)
    async with built(tmp_path / "open", listen="0.0.0.0:1", admin="10.0.0.1:2") as made:
        assert [plane.pages for plane in planes_of(*made)] == [Pages(), Pages()]


def test_how_the_model_server_is_reached(tmp_path: Path) -> None:
    named = {"upstream.url": "https://h", "upstream.key": "k", "upstream.ca": tmp_path / "ca.pem"}
    named |= {"upstream.connect_timeout": 3.0, "upstream.idle_timeout": 4.0}
    assert upstream_settings(load(named, environ={}).config) == UpstreamSettings(
        url="https://h",
        key="k",
        ca_file=str(tmp_path / "ca.pem"),
        connect_timeout=3.0,
        idle_timeout=4.0,
        connections=2000,
    )


def test_idle_connections_are_given_up_before_the_model_server_does() -> None:
    """uvicorn, and so vLLM and SGLang, closes them after 5 seconds."""
    assert upstream_settings(load({"upstream.url": "http://h"}, environ={}).config).keepalive < 5


def test_routes_are_governed_passed_or_refused() -> None:
    assert find("openai", "POST", "/v1/chat/completions") == match("openai", "POST", "/v1/chat/completions")
    assert find("openai", "GET", "/v1/models").passes
    assert find("openai", "GET", "/v1/chat/completions").allow == ("POST",)
    with pytest.raises(CallerError) as raised:
        find("openai", "POST", "/v1/nowhere")
    assert (raised.value.code, raised.value.status) == ("ROUTE_UNKNOWN", 404)


REPLY = orjson.dumps(
    {
        "id": "c",
        "model": "m",
        "choices": [{"index": 0, "message": {"content": "to <EMAIL_ADDRESS_1>"}, "finish_reason": "stop"}],
    }
)


async def test_a_call_goes_through_what_was_built(tmp_path: Path) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(REPLY) + REPLY
    body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "I am ann@example.org"}]})
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    anywhere = Listen.at("127.0.0.1:0")
    async with (
        RawServer(answering(reply)) as up,
        built(tmp_path, up.url) as made,
        listening(*planes_of(*made), [anywhere], anywhere) as bound,
    ):
        answer = await talk(bound.data[0].port, head + body)
    assert b"to ann@example.org" in answer
    assert b"I am <EMAIL_ADDRESS_1>" in up.wires[0].received and b"ann@" not in up.wires[0].received


async def test_a_refusal_that_cannot_be_recorded_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it ready then: the next call would fare no better."""
    anywhere = Listen.at("127.0.0.1:0")
    async with built(tmp_path) as made:
        data, admin = planes_of(*made)
        assert admin.ready()
        async with listening(data, admin, [anywhere], anywhere) as bound:
            with monkeypatch.context() as patch:
                patch.setattr(made[1].ledger._writer, "failed", "OSError: the disk is full")
                answer = await talk(bound.data[0].port, b"POST /v1/nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
                assert not admin.ready()
    assert answer.startswith(b"HTTP/1.1 503 ") and b'"code":"LEDGER_' in answer
    assert b"x-sidecar-record" not in answer


def test_the_ready_file_is_there_whole(tmp_path: Path) -> None:
    listen = Listen(host="127.0.0.1", port=1)
    write_ready(tmp_path / "ready.json", Bound(data=(listen,), admin=Listen(host="127.0.0.1", port=2)))
    told = orjson.loads((tmp_path / "ready.json").read_bytes())
    assert told == {"base_url": "http://127.0.0.1:1/v1", "admin_url": "http://127.0.0.1:2"}
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]
