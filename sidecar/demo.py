"""The demonstration: the main job on this machine, every step of it checked (`sidecar demo`).

Everything is real: two separate processes (the stub model server and `sidecar serve`), HTTP on loopback, the same
`sidecar audit` commands that an officer runs. A step that does not hold makes the demonstration fail.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import orjson

from sidecar.terminal import Paint

NAME, EMAIL, PHONE = "Anna Schmidt", "anna.schmidt@example.org", "+49 30 901820"
CARD, IBAN = "4111 1111 1111 1111", "DE89370400440532013000"
VALUES = (NAME, EMAIL, CARD, PHONE, IBAN)
MESSAGE = f"Refund the order of {NAME} ({EMAIL}): card {CARD}, else to account {IBAN}. Call {PHONE} when done."
IMAGE_URL = "https://example.org/passport.png"
IMAGE = {"type": "image_url", "image_url": {"url": IMAGE_URL}}
MODEL = "stub-model"
ALTERED = b'"state":"answered"', b'"state":"xnswered"'
"""What is changed of a stored entry, and into what: one byte."""
RULES, OWN = "rules that fired", ".governor."
"""The title in front of the first rule, and the mark of rules that merge the packs, which say nothing to a newcomer."""
START_SECONDS = 60.0
STOP_SECONDS = 30.0
WIDTH = 150


class StepFailed(Exception):
    """A step of the story did not hold; the message says which."""


class Addresses(NamedTuple):
    base: str
    admin: str


class Server(NamedTuple):
    """The model server's address, the model to ask for, and whether it is the stub, which tells what it saw."""

    url: str
    model: str | None
    is_stub: bool


def run(*, upstream: str | None, once: bool, model: str | None = None) -> int:
    """Tell the story; 0 when every step held. Stays up afterwards unless `once`. SIGTERM ends it as Ctrl-C does, and so
    does a terminal that is closed.

    `upstream` is a real server instead of the stub; it is asked for `model`, else for the first that it lists.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    paint = Paint(sys.stdout)
    folder = Path(tempfile.mkdtemp(prefix="sidecar-demo-"))
    print(f"Starting the sidecar{'' if upstream else ' and a stub model server'}, on free ports\n", flush=True)
    try:
        with (
            model_server(upstream, model, folder) as server,
            sidecar_process(server.url, folder / "state") as addresses,
        ):
            server = asyncio.run(story(addresses, server, folder, paint))
            if not once:
                stay(addresses, server, folder / "state", paint)
    except (StepFailed, aiohttp.ClientError) as failure:
        print(paint.bad(f"\nThe demonstration failed: {failure or type(failure).__name__}"))
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


async def story(addresses: Addresses, server: Server, folder: Path, paint: Paint) -> Server:
    """Returns the server, with the model that was asked."""
    state = folder / "state"
    async with aiohttp.ClientSession() as session:
        if server.model is None:
            server = server._replace(model=await first_model(session, addresses))
        print(f"{paint.title('1. What the application sends')}\n   {paint.values(MESSAGE, VALUES)}")
        record = await redacted_call(session, addresses, server, paint)
        print(paint.title("\n4. The signed record of it"))
        show(state, record, "answered")
        print(paint.title("\n5. A call that policy refuses: an image, which nobody here can inspect"))
        refused = await refused_call(session, addresses, server, paint)
        show(state, refused, "refused")
    print(paint.title("\n6. Verify the record"))
    verified = audit("verify", "--state", str(state))
    print(indent(verified.stdout))
    expect(verified.returncode == 0, "the untouched record did not verify")
    print(paint.title("\n7. Change one byte of a copy of the ledger, and verify that"))
    tampered(state, folder / "copy", record, paint)
    print(paint.good("\nEvery step held."))
    return server


async def first_model(session: aiohttp.ClientSession, addresses: Addresses) -> str:
    """The first model that the server lists: the only one, at most servers of one's own."""
    async with session.get(f"{addresses.base}/models") as reply:
        await expect_status(reply, 200, "the question which models there are")
        listed = (await reply.json(content_type=None)).get("data")
    expect(bool(listed), "the server lists no model; name one with --model")
    return str(listed[0]["id"])


async def redacted_call(session: aiohttp.ClientSession, addresses: Addresses, server: Server, paint: Paint) -> str:
    """Stream one call; check what the model server saw and what came back. Returns the record's id."""
    body = {"model": server.model, "stream": True, "messages": [{"role": "user", "content": MESSAGE}]}
    pieces: list[str] = []
    async with session.post(f"{addresses.base}/chat/completions", json=body) as reply:
        await expect_status(reply, 200, f"the call of {server.model}")
        record = reply.headers.get("x-sidecar-record", "")
        async for event in sse(reply):
            pieces += [choice["delta"].get("content") or "" for choice in event.get("choices", ())]
    if server.is_stub:
        seen = last_message(await seen_by(server, session))
        print(f"\n{paint.title('2. What the model server saw')}\n   {paint.surrogates(seen)}")
    text = "".join(pieces)
    print(paint.title("\n3. What came back, streamed in"), f"{sum(map(bool, pieces))} pieces")
    print(f"   {paint.values(text, VALUES)}")
    expect(bool(text), "no text came back in a stream")
    if server.is_stub:
        expect(all(value in text for value in VALUES), "a value did not come back")
    expect("<EMAIL_ADDRESS_" not in text, "a surrogate was not restored")
    return record


async def seen_by(stub: Server, session: aiohttp.ClientSession) -> dict[str, Any]:
    """All calls that the stub has had so far; none of them holds a value, or the image."""
    async with session.get(f"{stub.url}/stub/requests?last=100") as reply:
        seen = await reply.text()
    expect(not any(value in seen for value in (*VALUES, IMAGE_URL)), "the model server saw what it must not see")
    calls: dict[str, Any] = orjson.loads(seen)
    return calls


def last_message(calls: dict[str, Any]) -> str:
    """The content of the last call's last message."""
    return str(orjson.loads(calls["requests"][-1]["body"])["messages"][-1]["content"])


async def refused_call(session: aiohttp.ClientSession, addresses: Addresses, server: Server, paint: Paint) -> str:
    """Returns the record's id."""
    body = {"model": server.model, "messages": [{"role": "user", "content": [IMAGE]}]}
    async with session.post(f"{addresses.base}/chat/completions", json=body) as reply:
        await expect_status(reply, 403, "the image")
        print(f"   {paint.bad(str(reply.status))} {(await reply.text()).strip()}\n")
        record = reply.headers["x-sidecar-record"]
    if server.is_stub:
        await seen_by(server, session)
    return record


async def expect_status(reply: aiohttp.ClientResponse, status: int, what: str) -> None:
    """What was answered instead says why, and is part of the failure."""
    if reply.status != status:
        said = " ".join((await reply.text(errors="replace")).split())[:500]
        raise StepFailed(f"{what} was answered {reply.status}, not {status}: {said}")


async def sse(reply: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in reply.content:
        if line.startswith(b"data: {"):
            yield orjson.loads(line[6:])


def show(state: Path, record: str, ended: str) -> None:
    done = audit("show", record, "--state", str(state))
    print(indent(brief(done.stdout)))
    expect(done.returncode == 0, f"the record could not be shown: {done.stderr.strip()}")
    expect(re.search(rf"^ +state +{ended}$", done.stdout, re.MULTILINE) is not None, f"the call is not {ended}")
    expect(not any(value in done.stdout for value in VALUES), "the record holds a value")


def brief(record: str) -> str:
    """The record without the rules that merely had nothing to say, and cut to the width of a screen."""
    lines = [line for line in record.splitlines() if "stopped " not in line or ".deny " in line]
    lines = [f"  {RULES}" if RULES in line and OWN in line else line for line in lines]
    shown = [line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines if OWN not in line]
    return "\n".join([*shown, "", "(shortened: `sidecar audit show` has every rule and why it stopped)"])


def tampered(state: Path, copy: Path, record: str, paint: Paint) -> None:
    shutil.copytree(state, copy)
    flip(copy)
    print(f"   in the outcome of {record}: {ALTERED[0].decode()} is now {ALTERED[1].decode()}\n")
    found = audit("verify", "--state", str(copy))
    print(paint.bad(indent("\n".join(line for line in found.stdout.splitlines() if "cannot know" not in line))))
    expect(found.returncode == 1, "the changed byte was not found")
    named = re.search(rf"FAILED entry \d+ \({re.escape(record)}\) entry-altered", found.stdout)
    expect(named is not None, "the verification does not name the changed entry")


def flip(copy: Path) -> None:
    """Change one byte of a stored entry. First the log of writes is taken into the file itself: of a damaged one SQLite
    drops the tail without a word, and the copy would look cut short instead of altered.
    """
    store = copy / "ledger.sqlite"
    with closing(sqlite3.connect(store)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = store.read_bytes()
    at = data.find(ALTERED[0])
    expect(at >= 0, "no stored entry to change was found")
    store.write_bytes(data[:at] + ALTERED[1] + data[at + len(ALTERED[0]) :])


def stay(addresses: Addresses, server: Server, state: Path, paint: Paint) -> None:
    body = {"model": server.model, "stream": True, "messages": [{"role": "user", "content": MESSAGE}]}
    lines = [
        paint.title("\nIt stays up. Point any OpenAI client at it:"),
        f"   export OPENAI_BASE_URL={addresses.base} OPENAI_API_KEY=any",
        f"   or          curl -N {addresses.base}/chat/completions -d {shlex.quote(orjson.dumps(body).decode())}",
        f"   it got      curl '{server.url}/stub/requests?last=1'" if server.is_stub else "",
        f"   records     {program()} audit query --state {shlex.quote(str(state))}",
        f"   operation   {addresses.admin}/healthz/ready   {addresses.admin}/metrics",
        "Press Ctrl-C to end; the temporary folder goes with it.",
    ]
    try:
        print("\n".join(filter(None, lines)), flush=True)
        while True:
            time.sleep(1)  # no event loop: interrupted while it is made, it complains of itself at the end
    except KeyboardInterrupt:
        print()


def program() -> str:
    """The `sidecar` command as any shell finds it: that of an environment which nobody activated is not on the path."""
    script = Path(sys.executable).with_name("sidecar")
    return shlex.quote(str(script)) if script.exists() else f"{shlex.quote(sys.executable)} -m sidecar"


@contextmanager
def model_server(upstream: str | None, model: str | None, folder: Path) -> Iterator[Server]:
    """The given server, or a stub started for the purpose."""
    if upstream is not None:
        yield Server(upstream.removesuffix("/"), model, is_stub=False)
        return
    command = [sys.executable, "-m", "sidecar.stub", "--port", "0"]
    with (folder / "stub.log").open("wb") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as stub:
        try:
            assert stub.stdout is not None
            line = stub.stdout.readline()
            expect(bool(line), "the stub model server did not start")
            yield Server(f"http://127.0.0.1:{orjson.loads(line)['port']}", model or MODEL, is_stub=True)
        finally:
            end(stub)


@contextmanager
def sidecar_process(model: str, state: Path) -> Iterator[Addresses]:
    """`sidecar serve` on free ports, as anybody would start it, on the side that the story tells of."""
    ready = state.with_name("ready.json")
    command = [sys.executable, "-m", "sidecar", "serve", "--upstream", model, "--state", str(state)]
    command += ["--side", "egress"]
    command += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--ready-file", str(ready)]
    log = state.with_name("sidecar.log")
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield wait_ready(process, ready, log)
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """And wait: `Popen` itself does not after Ctrl-C, and what still writes would bring its folder back."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def wait_ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> Addresses:
    for _ in range(int(START_SECONDS * 20)):
        if ready.exists():
            found = orjson.loads(ready.read_bytes())
            return Addresses(found["base_url"], found["admin_url"])
        if process.poll() is not None:
            raise StepFailed(f"the sidecar did not start:\n{log.read_text()[-2000:]}")
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    raise StepFailed(f"the sidecar was not ready within {START_SECONDS:.0f} s:\n{log.read_text()[-2000:]}")


def audit(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sidecar", "audit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def expect(held: bool, otherwise: str) -> None:
    if not held:
        raise StepFailed(otherwise)


def indent(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.rstrip().splitlines())
