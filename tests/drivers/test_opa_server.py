"""Both engines keep one contract: the embedded one and a real OPA server; and what is particular to the server."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import generate
from policies.build import cases
from sidecar import policy
from sidecar.drivers import bundle, opa_server
from sidecar.drivers.opa_server import OpaServer, WithFallback, address_of
from sidecar.drivers.policy_auditor import Auditor, Difference
from sidecar.drivers.rego_engine import RegoEngine, default_bundle
from sidecar.errors import OwnError
from sidecar.model import Verdict
from sidecar.policy.contract import UNREADABLE
from sidecar.ports import Decide, EngineAnswer
from sidecar.testing import FakeDecide, Transcript
from tests.drivers import opa_process

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> int:
        return 1_700_000_000_000_000

    def monotonic(self) -> float:
        return time.perf_counter() + self.ahead


CLOCK = Clock()


@pytest.fixture(scope="module")
def contract_bundle() -> bundle.Bundle:
    return bundle.parse(opa_process.build(opa_process.CONTRACT))


@pytest.fixture(scope="module")
def contract_url(contract_bundle: bundle.Bundle) -> Iterator[str]:
    with opa_process.serving(contract_bundle.raw) as url:
        yield url


@pytest.fixture(params=["embedded", "opa"])
async def decide(
    request: pytest.FixtureRequest, contract_bundle: bundle.Bundle, contract_url: str
) -> AsyncIterator[Decide]:
    if request.param == "embedded":
        yield RegoEngine(contract_bundle, CLOCK)
        return
    digests = {contract_bundle.revision: contract_bundle.sha256}
    async with OpaServer(contract_url, CLOCK, digests=digests, timeout=2.0) as server:
        yield server


# --- one contract


async def test_an_answer(decide: Decide, contract_bundle: bundle.Bundle) -> None:
    answer = await decide.decide({"case": "allow"})
    assert answer.result == {"contract": "1", "allow": True, "denies": [], "obligations": []}
    assert not answer.undefined
    assert answer.policy.bundle_sha256 == contract_bundle.sha256
    assert answer.policy.revision == "contract"
    assert answer.policy.engine_version
    assert answer.eval_us >= 0


async def test_large_integers_stay_exact(decide: Decide) -> None:
    answer = await decide.decide({"case": "deny"})
    assert answer.result["denies"] == [{"code": "NO", "params": {"n": 70000000000000000000}}]


@pytest.mark.parametrize("document", [{}, {"case": "other"}, {"case": None}])
async def test_undefined_denies(decide: Decide, document: dict[str, Any]) -> None:
    answer = await decide.decide(document)
    assert answer.undefined
    assert policy.read(answer).codes == ("PDP_UNDEFINED",)


@pytest.mark.parametrize("document", [{"case": "conflict"}, {"case": "error", "text": "x"}])
async def test_a_rule_that_fails_is_a_fault(decide: Decide, document: dict[str, Any]) -> None:
    with pytest.raises(OwnError) as raised:
        await decide.decide(document)
    assert raised.value.code == "PDP_ERROR"


async def test_an_answer_that_is_no_decision_denies(decide: Decide) -> None:
    assert policy.read(await decide.decide({"case": "error", "text": "12"})).codes == ("PDP_CONTRACT",)


async def test_a_policy_that_does_not_end_is_stopped(decide: Decide) -> None:
    started = time.perf_counter()
    with pytest.raises(OwnError) as raised:
        await decide.decide({"case": "long"})
    assert raised.value.code in ("PDP_LIMIT", "PDP_TIMEOUT")
    assert time.perf_counter() - started < 3


async def test_an_input_over_the_limit_is_a_fault(decide: Decide) -> None:
    with pytest.raises(OwnError) as raised:
        await decide.decide({"case": "allow", "text": "x" * 300_000})
    assert raised.value.code == "INPUT_INVALID"


async def test_decisions_side_by_side(decide: Decide) -> None:
    answers = await asyncio.gather(*(decide.decide({"case": case}) for case in ("allow", "deny") * 20))
    assert [answer.result["allow"] for answer in answers] == [True, False] * 20


async def test_the_fake_keeps_it_too() -> None:
    fake = FakeDecide(Transcript())
    answer = await fake.decide({"phase": "request"})
    assert isinstance(answer, EngineAnswer)
    assert policy.read(answer).verdict is Verdict.ALLOW


# --- both engines, the default packs


@pytest.fixture(scope="module")
def default_url() -> Iterator[str]:
    with opa_process.serving(default_bundle().raw) as url:
        yield url


async def test_both_engines_agree_on_every_sample() -> None:
    """Also under a configuration: the configured bundle is one that an OPA server runs."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for case in cases():
        groups.setdefault(json.dumps(case.config), []).append(case.input)
    for config, documents in groups.items():
        configured = bundle.with_config(default_bundle(), json.loads(config))
        engine = RegoEngine(configured, CLOCK)
        with opa_process.serving(configured.raw) as url:
            async with OpaServer(url, CLOCK, timeout=5.0) as server:
                for document in documents:
                    theirs, ours = await server.decide(document), engine.decide_now(document)
                    assert (theirs.result, theirs.policy.revision) == (ours.result, ours.policy.revision)


words = st.sampled_from(["gpt-4o", "o3", UNREADABLE, "shell", "lookup_order", "PRIVATE_KEY", "EMAIL_ADDRESS", "image"])
changes = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.sampled_from(["request", "response", "response_window", "tool_call"]),
        "side": st.sampled_from(["egress", "inbound"]),
        "principal": st.fixed_dictionaries({"tenant": words}),
        "model": st.fixed_dictionaries({"requested": st.none() | words}),
        "request": st.fixed_dictionaries(
            {
                "max_tokens": st.none() | st.integers(0, 10_000_000),
                "tools_offered": st.lists(words, unique=True, max_size=3).map(sorted),
                "operation": st.sampled_from(["chat", "embeddings", "opaque"]),
            }
        ),
        "content": st.fixed_dictionaries(
            {
                "entities": st.lists(
                    st.fixed_dictionaries(
                        {"type": words, "role": st.just("user"), "count": st.integers(1, 9), "score_ppm": st.just(5)}
                    ),
                    max_size=3,
                ),
                "uninspectable": st.lists(
                    st.fixed_dictionaries({"kind": words, "count": st.just(1), "label": st.just("x")}), max_size=2
                ),
            }
        ),
        "response": st.fixed_dictionaries({"confidence_ppm": st.none() | st.integers(0, 1_000_000)}),
    },
)


def test_both_engines_agree_on_generated_inputs(default_url: str) -> None:
    engine = RegoEngine(default_bundle(), CLOCK)

    async def agree(documents: list[dict[str, Any]]) -> None:
        async with OpaServer(default_url, CLOCK, timeout=5.0) as server:
            for document in documents:
                ours, theirs = engine.decide_now(document), await server.decide(document)
                assert json.dumps(ours.result, sort_keys=True) == json.dumps(theirs.result, sort_keys=True)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(changes, min_size=5, max_size=5))
    def check(drawn: list[dict[str, Any]]) -> None:
        starts = [
            generate.example_response() if "response" in change else generate.example_request() for change in drawn
        ]
        asyncio.run(agree([generate.merge_patch(*pair) for pair in zip(starts, drawn, strict=True)]))

    check()


# --- what is particular to the server


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8181", opa_server.Address(host="127.0.0.1")),
        ("http://opa/", opa_server.Address(host="opa")),
        ("https://opa:443", opa_server.Address(host="opa", port=443, tls=True)),
        ("unix:///run/opa.sock", opa_server.Address(socket="/run/opa.sock")),
    ],
)
def test_addresses(url: str, address: opa_server.Address) -> None:
    assert address_of(url) == address


NO_ADDRESS = ["opa:8181", "ftp://opa", "unix://", "unix://run/opa.sock", "http://", "http://opa/base", ""]
NO_ADDRESS += ["http://opa?token=x", "http://opa#x", "http://me:secret@opa"]
"""What of them could not be used would be passed over unseen: a path of another file, a password."""


async def test_an_ipv6_address_is_asked_there() -> None:
    """A server of its own at the loopback address, on whichever port is free."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", replying(b'{"result": 1}'))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "::1", 0)
        await site.start()
        async with OpaServer(f"http://[::1]:{runner.addresses[0][1]}", CLOCK, timeout=5) as server:
            assert (await server.decide({})).result == 1
    except OSError:
        pytest.skip("no IPv6 here")
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="opa_url"):
        address_of(url)


@pytest.fixture
async def scripted() -> AsyncIterator[Callable[[Handler], Awaitable[str]]]:
    """Starts a server on a Unix socket that answers as it is told to."""
    with tempfile.TemporaryDirectory() as folder:
        runners: list[web.AppRunner] = []

        async def start(handler: Handler) -> str:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handler)
            runners.append(web.AppRunner(app, shutdown_timeout=0.1))
            await runners[-1].setup()
            await web.UnixSite(runners[-1], f"{folder}/s").start()
            return f"unix://{folder}/s"

        yield start
        for runner in runners:
            await runner.cleanup()


def replying(body: bytes, status: int = 200) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type="application/json")

    return handle


async def outcome(url: str, clock: Clock = CLOCK) -> str | EngineAnswer:
    async with OpaServer(url, clock, timeout=0.25) as server:
        try:
            return await server.decide({"phase": "request"})
        except OwnError as fault:
            return fault.code


async def test_what_is_sent(scripted: Callable[[Handler], Awaitable[str]]) -> None:
    seen: dict[str, Any] = {}

    async def handle(request: web.Request) -> web.Response:
        seen.update(path=request.path, query=dict(request.query), body=await request.json(), method=request.method)
        seen["authorization"] = request.headers.get("Authorization")
        return web.json_response({"result": 1})

    async with OpaServer(await scripted(handle), CLOCK, token="t") as server:
        await server.decide({"a": 1})
    assert seen == {
        "method": "POST",
        "path": "/v1/data/governor/decide/decision",
        "query": {"provenance": "true", "strict-builtin-errors": "true"},
        "body": {"input": {"a": 1}},
        "authorization": "Bearer t",
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"code":"internal_error","message":"ada@example.org"}', 500, "PDP_ERROR"),
        (b"<html>", 500, "PDP_ERROR"),
        (b'{"code":"unauthorized"}', 401, "PDP_ERROR"),
        (b"<html>", 200, "PDP_CONTRACT"),
        (b"", 200, "PDP_CONTRACT"),
        (b"[]", 200, "PDP_CONTRACT"),
        (b'{"result":{"allow":false,"allow":true}}', 200, "PDP_CONTRACT"),
        (b'{"result":NaN}', 200, "PDP_CONTRACT"),
        (b'{"result":"' + b"x" * 300_000 + b'"}', 200, "PDP_CONTRACT"),
        (b'{"result":' + b"[" * 100_000, 200, "PDP_CONTRACT"),
    ],
    ids=range(10),
)
async def test_answers_that_are_faults(
    scripted: Callable[[Handler], Awaitable[str]], body: bytes, status: int, code: str
) -> None:
    assert await outcome(await scripted(replying(body, status))) == code


async def test_a_servers_message_is_not_repeated(scripted: Callable[[Handler], Awaitable[str]]) -> None:
    """OPA's message may quote the input."""
    body = b'{"code":"internal_error","message":"ada@example.org","errors":[{"message":"ada@example.org"}]}'
    async with OpaServer(await scripted(replying(body, 500)), CLOCK) as server:
        with pytest.raises(OwnError) as raised:
            await server.decide({})
    assert raised.value.advice == "The OPA server answered 500 (internal_error). Look at its log."


async def test_no_bundle_yet_is_undefined(scripted: Callable[[Handler], Awaitable[str]]) -> None:
    answer = await outcome(await scripted(replying(b"{}")))
    assert isinstance(answer, EngineAnswer)
    assert policy.read(answer).codes == ("PDP_UNDEFINED",)


async def test_a_policy_error_is_asked_for_once(scripted: Callable[[Handler], Awaitable[str]]) -> None:
    asked = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"code": "internal_error"}, status=500)

    assert await outcome(await scripted(handle)) == "PDP_ERROR"
    assert len(asked) == 1


async def test_a_kept_alive_connection_that_was_closed_is_tried_again(
    scripted: Callable[[Handler], Awaitable[str]],
) -> None:
    asked = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(await request.json())
        if len(asked) == 2:
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"result": len(asked)})

    async with OpaServer(await scripted(handle), CLOCK) as server:
        assert [(await server.decide({})).result for _ in range(2)] == [1, 3]


async def test_a_server_that_hangs_is_a_timeout(scripted: Callable[[Handler], Awaitable[str]]) -> None:
    async def handle(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    started = time.perf_counter()
    assert await outcome(await scripted(handle)) == "PDP_TIMEOUT"
    assert time.perf_counter() - started < 2


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/nothing"
    assert await outcome(url) == "PDP_UNAVAILABLE"
    async with OpaServer(url, CLOCK) as server:
        assert not await server.ready()


async def test_the_breaker_opens_and_closes(scripted: Callable[[Handler], Awaitable[str]], tmp_path: Path) -> None:
    clock, up, asked = Clock(), False, []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        if not up:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"result": 1})

    async def code(server: OpaServer) -> str:
        try:
            await server.decide({})
        except OwnError as fault:
            return fault.code
        return "answered"

    async with OpaServer(await scripted(handle), clock) as server:
        assert {await code(server) for _ in range(opa_server.BREAK_AFTER)} == {"PDP_UNAVAILABLE"}
        before = len(asked)
        assert await code(server) == "PDP_UNAVAILABLE"
        assert len(asked) == before
        clock.ahead, up = opa_server.BROKEN_S + 1, True
        assert [await code(server) for _ in range(3)] == ["answered"] * 3


async def leave(server: OpaServer) -> None:
    """A call whose caller goes away while the server decides."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await server.decide({})


async def test_callers_who_leave_do_not_open_the_breaker(scripted: Callable[[Handler], Awaitable[str]]) -> None:
    slow = True

    async def handle(_: web.Request) -> web.Response:
        await asyncio.sleep(30 if slow else 0)
        return web.json_response({"result": 1})

    async with OpaServer(await scripted(handle), Clock(), timeout=5.0) as server:
        for _ in range(opa_server.BREAK_AFTER + 1):
            await leave(server)
        slow = False
        assert (await server.decide({})).result == 1


async def test_a_caller_who_leaves_while_the_breaker_tries_does_not_keep_it_open(
    scripted: Callable[[Handler], Awaitable[str]],
) -> None:
    clock, state = Clock(), "down"

    async def handle(request: web.Request) -> web.Response:
        assert request.transport is not None
        if state == "down":
            request.transport.abort()
        await asyncio.sleep(30 if state == "slow" else 0)
        return web.json_response({"result": 1})

    async with OpaServer(await scripted(handle), clock, timeout=5.0) as server:
        for _ in range(opa_server.BREAK_AFTER):
            with pytest.raises(OwnError):
                await server.decide({})
        clock.ahead, state = opa_server.BROKEN_S + 1, "slow"
        await leave(server)
        state = "up"
        assert (await server.decide({})).result == 1


async def test_readiness_asks_for_bundles(default_url: str) -> None:
    async with OpaServer(default_url, CLOCK, timeout=5.0) as server:
        assert await server.ready()


async def test_provenance_of_a_bundle_that_is_not_known(default_url: str) -> None:
    async with OpaServer(default_url, CLOCK, timeout=5.0) as server:
        version = (await server.decide(generate.example_request())).policy
    assert version.revision == default_bundle().revision
    assert version.bundle_sha256 == ""
    assert version.engine == "opa"


async def test_another_policy_than_expected_is_a_fault(default_url: str) -> None:
    """Settings that only we have laid over the bundle would silently not hold."""
    configured = bundle.with_config(default_bundle(), {"models": {"allow": {"*": ["o3"]}}})
    async with OpaServer(default_url, CLOCK, digests={configured.revision: configured.sha256}, timeout=5.0) as server:
        with pytest.raises(OwnError) as raised:
            await server.decide(generate.example_request())
    assert raised.value.code == "PDP_CONTRACT"


# --- a stand-in while the server is away


class Scripted:
    """Answers or raises what it is told to."""

    def __init__(self, *script: EngineAnswer | Exception) -> None:
        self.script = list(script)
        self.documents: list[Mapping[str, Any]] = []

    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        self.documents.append(document)
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, Exception):
            raise said
        return said


async def test_the_stand_in_decides_with_the_same_bundle_only() -> None:
    engine, document = RegoEngine(default_bundle(), CLOCK), generate.example_request()
    away, digest = OwnError("PDP_UNAVAILABLE", ""), default_bundle().sha256
    both = WithFallback(Scripted(engine.decide_now(document), away), engine, digest)
    assert not (await both.decide(document)).policy.degraded
    assert (await both.decide(document)).policy.degraded

    never_seen = WithFallback(Scripted(away), engine, digest)
    wrong = WithFallback(Scripted(OwnError("PDP_ERROR", "")), engine, digest)
    for port in (never_seen, wrong):
        with pytest.raises(OwnError):
            await port.decide(document)


async def test_a_server_with_another_bundle_has_no_stand_in(
    scripted: Callable[[Handler], Awaitable[str]],
) -> None:
    """It decided with the same bundle once, then with another, which may refuse what the old one let through."""
    engine, document = RegoEngine(default_bundle(), CLOCK), generate.example_request()
    revisions = [default_bundle().revision, "newer"]

    async def handler(request: web.Request) -> web.StreamResponse:
        bundles = {"b": {"revision": revisions.pop(0) if revisions else ""}}
        if not bundles["b"]["revision"] and request.transport is not None:
            request.transport.abort()
        return web.json_response({"result": {}, "provenance": {"bundles": bundles}})

    url = await scripted(handler)
    digests = {default_bundle().revision: default_bundle().sha256}
    async with OpaServer(url, CLOCK, digests=digests, timeout=5) as server:
        both = WithFallback(server, engine, default_bundle().sha256)
        await both.decide(document)
        codes = []
        for _ in range(2):
            with pytest.raises(OwnError) as raised:
                await both.decide(document)
            codes.append(raised.value.code)
    assert codes == ["PDP_CONTRACT", "PDP_UNAVAILABLE"]


# --- the auditor


async def test_what_another_bundle_decided_is_skipped(scripted: Callable[[Handler], Awaitable[str]]) -> None:
    """The server that audits knows which bundle is expected, and says so itself."""
    body = b'{"result": {}, "provenance": {"bundles": {"b": {"revision": "newer"}}}}'
    async with OpaServer(await scripted(replying(body)), CLOCK, digests={"r": "0" * 64}, timeout=5) as judge:
        auditor = Auditor(engine=Scripted(answer_of(ALLOW)), judge=judge, report=pytest.fail, every=1)
        async with auditor:
            await auditor.decide({})
            await auditor.settled()
    assert (auditor.counts.skipped, auditor.counts.failed) == (1, 0)


def answer_of(result: Any, revision: str = "r") -> EngineAnswer:
    version = opa_server.PolicyVersion(engine="x", engine_version="1", bundle_sha256="0", revision=revision)
    return EngineAnswer(result, False, version, 1)


ALLOW = {"contract": "1", "allow": True, "denies": [], "obligations": []}
DENY = {**ALLOW, "allow": False, "denies": [{"code": "NO"}]}
REDACT = {**ALLOW, "obligations": [{"type": "redact", "params": {"entities": ["*"]}}]}


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (ALLOW, DENY, "verdict"),
        (DENY, {**DENY, "denies": [{"code": "OTHER"}]}, "codes"),
        (ALLOW, REDACT, "obligations"),
        (DENY, {**DENY, "denies": [{"code": "NO", "params": {"n": 1}}]}, "result"),
        ({**ALLOW, "allow": 1}, ALLOW, "verdict"),
    ],
)
async def test_a_difference_is_reported(ours: Any, theirs: Any, kind: str) -> None:
    found: list[Difference] = []
    auditor = Auditor(engine=Scripted(answer_of(ours)), judge=Scripted(answer_of(theirs)), report=found.append, every=1)
    async with auditor:
        await auditor.decide({"request_id": "id-1"})
        await auditor.settled()
    assert [(item.kind, item.request_id) for item in found] == [(kind, "id-1")]
    assert auditor.counts.different == 1


async def test_a_sample_is_decided_again_and_the_rest_is_not() -> None:
    judge = Scripted(answer_of(ALLOW), OwnError("PDP_UNAVAILABLE", ""), answer_of(DENY, "other"))
    auditor = Auditor(engine=Scripted(answer_of(ALLOW)), judge=judge, report=pytest.fail, every=10)
    async with auditor:
        for number in range(35):
            await auditor.decide({"n": number})
        await auditor.settled()
    assert [document["n"] for document in judge.documents] == [9, 19, 29]
    counts = auditor.counts
    assert (counts.offered, counts.same, counts.failed, counts.skipped) == (3, 1, 1, 1)


async def test_the_auditor_outlives_whatever_fails() -> None:
    """An error that nobody foresaw would end its one task: from then on everything would be dropped, in silence."""

    def refuse(_: Difference) -> None:
        raise OSError

    judge = Scripted(ValueError("unforeseen"), answer_of(DENY), answer_of(ALLOW))
    auditor = Auditor(engine=Scripted(answer_of(ALLOW)), judge=judge, report=refuse, every=1)
    async with asyncio.timeout(5), auditor:
        for _ in range(3):
            await auditor.decide({})
        await auditor.settled()
    counts = auditor.counts
    assert (counts.offered, counts.dropped, counts.failed, counts.different, counts.same) == (3, 0, 2, 1, 1)


async def test_the_auditor_waits_for_nobody_and_ends_with_its_owner() -> None:
    class Never:
        async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
            await asyncio.sleep(3600)
            raise AssertionError(document)

    auditor = Auditor(engine=Scripted(answer_of(ALLOW)), judge=Never(), report=pytest.fail, every=1, waiting=3)
    async with asyncio.timeout(5):
        async with auditor:
            for _ in range(10):
                await auditor.decide({})
                await asyncio.sleep(0)
    assert auditor.counts.dropped == 6


async def test_a_live_audit(default_url: str) -> None:
    engine = RegoEngine(default_bundle(), CLOCK)
    async with (
        OpaServer(default_url, CLOCK, timeout=5.0) as server,
        Auditor(engine=engine, judge=server, report=pytest.fail, every=1) as auditor,
    ):
        for case in cases():
            await auditor.decide(case.input)
        await auditor.settled()
    assert auditor.counts.same == len(list(cases()))
