"""Who called and what it was about, from the request to what `sidecar audit` says of it; receipts for strangers."""

from __future__ import annotations

import asyncio
import base64
import csv
import hashlib
import io
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from sidecar.cli import main
from sidecar.console.render import CSV_COLUMNS
from sidecar.drivers.bundle import parse
from sidecar.drivers.clock import SystemClock
from sidecar.drivers.keys import load_vkey
from sidecar.drivers.rego_engine import RegoEngine
from sidecar.drivers.store_reader import Reader
from sidecar.ledger.checkpoint import verify_receipt
from sidecar.ledger.note import NoteError
from sidecar.policy import read
from tests.e2e import processes
from tests.e2e.processes import Sidecar, Stub

KEY = "sk-of-the-claims-desk"
CONFIG = {
    "callers": {
        "keys": [
            {"sha256": hashlib.sha256(KEY.encode()).hexdigest(), "tenant": "acme", "app": "claims", "user": "u-4711"}
        ],
        "trusted": ["127.0.0.0/8"],
        "tenant_header": "X-Org",
        "app_header": "X-App",
        "user_header": "X-Person",
    }
}
BEARER = {"Authorization": f"Bearer {KEY}"}
PROXIED = {"X-Org": "bluth", "X-App": "bananas", "X-Person": "michael"}
ASSERTED = {
    "x-sidecar-use-case": "triage",
    "x-sidecar-prompt-name": "claims-triage",
    "x-sidecar-prompt-version": "3.2.0",
    "x-sidecar-subject": "patient 17",
    "x-sidecar-conversation": "conv-3",
}
Audit = Callable[..., tuple[int, str]]


def chat(content: Any, **more: Any) -> dict[str, Any]:
    return {"model": "stub-model", "messages": [{"role": "user", "content": content}], **more}


IMAGE = [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]
CALLS: dict[str, tuple[dict[str, Any], dict[str, str], int]] = {
    "known": (chat("I am ann@example.org", logprobs=True), {**BEARER, **ASSERTED}, 200),
    "introduced": (chat("hi"), PROXIED, 200),
    "unknown": (chat("hi", model="gpt-9"), {"Authorization": "Bearer sk-of-nobody"}, 200),
    "refused": (chat(IMAGE), {}, 403),
    "failed": (chat("hi"), {"x-stub-behaviour": "html-502"}, 502),
}


async def post(session: aiohttp.ClientSession, base: str, body: Any, headers: dict[str, str]) -> tuple[int, str, Any]:
    """Status, the record's id, the answer."""
    async with session.post(f"{base}/chat/completions", json=body, headers=headers) as reply:
        return reply.status, reply.headers["x-sidecar-record"], orjson.loads(await reply.read())


async def upstream(session: aiohttp.ClientSession, stub: Stub) -> tuple[dict[str, str], bytes]:
    """Headers (lower case) and body of the newest request at the model server."""
    async with session.get(f"{stub.url}/stub/requests") as reply:
        request = (await reply.json())["requests"][-1]
    return {name.lower(): value for name, value in request["headers"]}, base64.b64decode(request["raw"])


@pytest.fixture(scope="module")
def busy(stub: Stub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    with processes.sidecar(tmp_path_factory.mktemp("busy"), stub.url, config=CONFIG) as process:
        yield process


@pytest.fixture(scope="module")
def made(stub: Stub, busy: Sidecar) -> dict[str, str]:
    """Each call made once, in order; name -> id of its record."""

    async def make() -> dict[str, str]:
        ids = {}
        async with aiohttp.ClientSession() as session:
            for name, (body, headers, status) in CALLS.items():
                got, ids[name], _ = await post(session, busy.base, body, headers)
                assert got == status, name
        return ids

    return asyncio.run(make())


@pytest.fixture
def audit(busy: Sidecar, capsys: pytest.CaptureFixture[str]) -> Audit:
    """Run `sidecar audit` on the running sidecar's state, in this process."""

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["audit", *arguments, "--state", str(busy.state)])
        return code, capsys.readouterr().out

    return run


def shown(audit: Audit, *arguments: str) -> dict[str, Any]:
    code, out = audit("show", "--json", *arguments)
    assert code == 0
    return dict(orjson.loads(out))


@pytest.mark.parametrize(
    ("name", "auth", "tenant", "app", "user"),
    [
        ("known", "api_key", "acme", "claims", "u-4711"),
        ("introduced", "proxy_header", "bluth", "bananas", "michael"),
        ("unknown", "anonymous", "anonymous", "anonymous", None),
    ],
)
def test_who_called(
    made: dict[str, str], audit: Audit, name: str, auth: str, tenant: str, app: str, user: str | None
) -> None:
    record = shown(audit, made[name])
    caller = record["caller"]
    assert (caller["auth"], caller["tenant"], caller["app"]) == (auth, tenant, app)
    assert record["user_ref"] == user


async def test_the_peer_of_a_socket(stub: Stub, tmp_path: Path) -> None:
    path = tmp_path / "s"
    config = {"callers": {"peers": [{"uid": os.getuid(), "tenant": "acme", "app": "batch"}], "required": True}}
    with processes.sidecar(tmp_path, stub.url, "--listen", f"unix:{path}", config=config) as sidecar:
        assert sidecar.base == f"unix:{path}"
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(path))) as session:
            assert (await post(session, "http://sidecar/v1", chat("hi"), {}))[0] == 200
        [row] = sidecar.rows()
    assert row["caller"] == "acme/batch"


async def test_a_caller_who_must_be_known(stub: Stub, tmp_path: Path) -> None:
    config = {"callers": {**CONFIG["callers"], "required": True}}
    with processes.sidecar(tmp_path, stub.url, config=config) as sidecar:
        async with aiohttp.ClientSession() as session:
            for headers, status in ((BEARER, 200), ({"Authorization": "Bearer x"}, 401), ({}, 401)):
                got, record, answer = await post(session, sidecar.base, chat("hi"), headers)
                assert got == status
                if status == 401:
                    assert answer["error"]["code"] == "CALLER_UNKNOWN"
                    row = next(row for row in sidecar.rows() if row["id"] == record)
                    assert (row["state"], row["codes"]) == ("refused", ("CALLER_UNKNOWN",))


async def test_what_is_said_to_the_sidecar_stays_there(stub: Stub, busy: Sidecar, audit: Audit) -> None:
    async with aiohttp.ClientSession() as session:
        _, record, _ = await post(session, busy.base, chat("hi"), {**ASSERTED, **PROXIED, "X-Other": "goes on"})
        headers, _ = await upstream(session, stub)
    assert headers["x-other"] == "goes on"
    assert not [name for name in headers if name.startswith("x-sidecar") or name in ("x-org", "x-app", "x-person")]
    seen = shown(audit, record)
    assert seen["use_case"]["id"] == "triage"
    assert (seen["prompt"]["name"], seen["prompt"]["version"], seen["prompt"]["source"]) == (
        "claims-triage", "3.2.0", "header",
    )  # fmt: skip
    assert seen["conversation_id"] == "conv-3"
    assert [item["token"] for item in seen["subject_refs"]] == ["patient 17"]


async def test_a_conversation_keeps_its_prefix_upstream(stub: Stub, busy: Sidecar) -> None:
    """Turn n is a prefix of turn n+1, byte for byte, although new values come: a provider's cache keeps working."""
    asked = [
        "I am ann@example.org, card 4111 1111 1111 1111.",
        "Write to bob@corp.example too.",
        "And ann@example.org?",
    ]
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You work for help@example.org."}]
    bodies = []
    async with aiohttp.ClientSession(json_serialize=lambda body: orjson.dumps(body).decode()) as session:
        for text in asked:
            messages.append({"role": "user", "content": text})
            _, _, answer = await post(session, busy.base, {"model": "stub-echo", "messages": messages}, {})
            messages.append({"role": "assistant", "content": answer["choices"][0]["message"]["content"]})
            assert text.replace('"', "") in messages[-1]["content"]
            bodies.append((await upstream(session, stub))[1])
    for shorter, longer in itertools.pairwise(bodies):
        assert longer.startswith(shorter.removesuffix(b"]}"))
        assert len(longer) > len(shorter)
    assert b"example.org" not in bodies[-1] and b"4111" not in bodies[-1]


QUERIES: list[tuple[list[str], set[str]]] = [
    (["--caller", "acme"], {"known"}),
    (["--caller", "acme/claims/u-4711"], {"known"}),
    (["--caller", "michael"], {"introduced"}),
    (["--model", "gpt-*"], {"unknown"}),
    (["--verdict", "deny"], {"refused"}),
    (["--code", "UNINSPECTABLE_CONTENT"], {"refused"}),
    (["--code", "UPSTREAM_STATUS"], {"failed"}),
    (["--state-is", "failed"], {"failed"}),
    (["--entity", "EMAIL_ADDRESS"], {"known"}),
    (["--prompt-version", "3.2.0"], {"known"}),
    (["--subject", "patient 17"], {"known"}),
    (["--confidence-min", "0"], {"known"}),
    (["--confidence-max", "0.0001"], set()),
    (["--since", "1h"], set(CALLS)),
    (["--until", "2020-01-01T00:00"], set()),
    (["--since", "1h", "--state-is", "answered"], {"known", "introduced", "unknown"}),
]


@pytest.mark.parametrize(("arguments", "wanted"), QUERIES, ids=[" ".join(query[0]) for query in QUERIES])
def test_questions(made: dict[str, str], audit: Audit, arguments: list[str], wanted: set[str]) -> None:
    code, out = audit("query", "--json", *arguments)
    rows = [orjson.loads(line) for line in out.splitlines()]
    names = {record: name for name, record in made.items()}
    assert code == 0
    assert {names[row["id"]] for row in rows if row["id"] in names} == wanted
    for row in rows:
        assert {"id", "time", "caller", "model_requested", "model_served", "prompt_version", "verdict", "codes"} <= set(
            row
        )
        assert {"confidence", "findings", "state"} <= set(row)


@pytest.mark.parametrize("name", ["known", "refused", "unknown"])
def test_each_decision_can_be_made_again_from_its_record(
    busy: Sidecar, made: dict[str, str], audit: Audit, name: str
) -> None:
    record = shown(audit, made[name])
    decided = {phase: record[key] for phase, key in (("request", "policy"), ("response", "reply_policy"))}
    assert (decided["response"] is None) == (name == "refused")
    for phase, told in decided.items():
        if told is not None:
            bundle = parse((busy.state / "bundles" / f"{told['bundle_hash']}.tar.gz").read_bytes())
            asked = orjson.loads(told["input"])
            again = read(RegoEngine(bundle, SystemClock()).decide_now(asked))
            assert asked["phase"] == phase and asked["model"]["requested"] == record["model"]["requested"]
            assert (again.verdict, list(again.codes)) == (told["result"], told["codes"])
            assert [duty.id for duty in again.obligations] == [duty["id"] for duty in told["obligations"]]


def test_the_newest_first_and_as_a_table(made: dict[str, str], audit: Audit) -> None:
    _, out = audit("query", "--json", "--limit", "1000")
    times = [orjson.loads(line)["time"] for line in out.splitlines()]
    assert times == sorted(times, reverse=True) and len(times) >= len(CALLS)
    _, table = audit("query", "--limit", "2")
    assert f"{len(times)} exchanges, 2 shown (" in table
    _, text = audit("query", "--csv", "--limit", "1000")
    header, *lines = csv.reader(io.StringIO(text))
    assert header == list(CSV_COLUMNS) and len(lines) == len(times)
    assert shown(audit, "--last")["record_id"] == orjson.loads(out.splitlines()[0])["id"]
    code, last = audit("show", "--last")
    assert code == 0 and "rules that fired" in last
    assert shown(audit, made["known"][:-4])["record_id"] == made["known"]
    assert audit("show", "--last", made["known"]) == (2, ""), "two exchanges, or twice the same: nobody can tell"


async def test_tail_shows_what_comes(busy: Sidecar, made: dict[str, str]) -> None:
    command = [sys.executable, "-m", "sidecar", "audit", "tail", "--json", "--since", "1h", "--state", str(busy.state)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        lines = (orjson.loads(line)["id"] for line in process.stdout)
        assert made["failed"] in lines
        async with aiohttp.ClientSession() as session:
            _, record, _ = await post(session, busy.base, chat("hi"), {})
        assert record in lines
    finally:
        timer.cancel()
        process.send_signal(signal.SIGINT)
        code = process.wait(30)
        process.stdout.close()
    assert code == 130


async def test_receipts_prove_entries_to_whoever_kept_the_key(
    busy: Sidecar, made: dict[str, str], audit: Audit, tmp_path: Path
) -> None:
    key = load_vkey(busy.state / "log.vkey")
    with Reader.open(busy.state) as reader:
        bodies = {name: reader.entry(record, "outcome") for name, record in made.items()}
        intents = {name: reader.entry(record, "intent") for name, record in made.items()}
    async with aiohttp.ClientSession() as session:
        for name, record in made.items():
            async with session.get(f"{busy.admin}/receipts/{record}") as reply:
                told = await reply.json()
            assert told["record"] == record
            kept = tmp_path / f"{record}.json"
            kept.write_bytes(orjson.dumps(told))
            assert audit("receipt", record, "--check", str(kept))[0] == 0
            for kind, (number, body) in (("intent", intents[name]), ("outcome", bodies[name])):
                receipt = told["receipts"][kind].encode()
                assert verify_receipt(body, receipt, key)[0] == number
                with pytest.raises(NoteError, match="proof-mismatch"):
                    verify_receipt(body.replace(b"t", b"T", 1), receipt, key)
        async with session.get(f"{busy.admin}/receipts/none") as reply:
            assert reply.status == 404
