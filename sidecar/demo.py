"""The demonstration: the main job on this machine, every step of it checked (`sidecar demo`).

Everything is real: two separate processes (the stub model server and `sidecar serve`), HTTP on loopback, the same
`sidecar audit` commands that an officer runs. A step that does not hold makes the demonstration fail.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import orjson

from sidecar.terminal import Paint

EMAIL, CARD, PHONE, IBAN = "anna.schmidt@example.org", "4111 1111 1111 1111", "+49 30 901820", "DE89370400440532013000"
VALUES = (EMAIL, CARD, PHONE, IBAN)
MESSAGE = f"Refund the order of {EMAIL}: card {CARD}, else to account {IBAN}. Call {PHONE} when done."
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/passport.png"}}
START_SECONDS = 30.0
STOP_SECONDS = 30.0
WIDTH = 150


class StepFailed(Exception):
    """A step of the story did not hold; the message says which."""


class Addresses(NamedTuple):
    base: str
    admin: str


def run(*, upstream: str | None, once: bool) -> int:
    """Tell the story; 0 when every step held. Stays up afterwards unless `once`. SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    paint = Paint(sys.stdout)
    folder = Path(tempfile.mkdtemp(prefix="sidecar-demo-"))
    try:
        with model_server(upstream, folder) as model, sidecar_process(model, folder / "state") as addresses:
            asyncio.run(story(addresses, model if upstream is None else None, folder, paint))
            if not once:
                stay(addresses, folder, paint)
    except StepFailed as failure:
        print(paint.bad(f"\nThe demonstration failed: {failure}"))
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


async def story(addresses: Addresses, stub: str | None, folder: Path, paint: Paint) -> None:
    state = folder / "state"
    async with aiohttp.ClientSession() as session:
        print(paint.title("1. What the application sends"), f"\n   {paint.values(MESSAGE, VALUES)}")
        record = await redacted_call(session, addresses, stub, paint)
        print(paint.title("\n4. The signed record of it"))
        show(state, record)
        print(paint.title("\n5. A call that policy refuses: an image, which nobody here can inspect"))
        refused = await refused_call(session, addresses, paint)
        show(state, refused)
    print(paint.title("\n6. Verify the record"))
    verified = audit("verify", "--state", str(state))
    print(indent(verified.stdout))
    expect(verified.returncode == 0, "the untouched record did not verify")
    print(paint.title("\n7. Change one byte of a copy of the ledger, and verify that"))
    tampered(state, folder / "copy", paint)
    print(paint.good("\nEvery step held."))


async def redacted_call(
    session: aiohttp.ClientSession, addresses: Addresses, stub: str | None, paint: Paint
) -> str:
    """Stream one call; check what the model server saw and what came back. Returns the record's id."""
    body = {"model": "stub-model", "stream": True, "messages": [{"role": "user", "content": MESSAGE}]}
    pieces: list[str] = []
    async with session.post(f"{addresses.base}/chat/completions", json=body) as reply:
        expect(reply.status == 200, f"the call was answered {reply.status}")
        record = reply.headers.get("x-sidecar-record", "")
        async for event in sse(reply):
            pieces += [choice["delta"].get("content") or "" for choice in event["choices"]]
    if stub is not None:
        await shown_upstream(session, stub, paint)
    text = "".join(pieces)
    print(paint.title("\n3. What came back, streamed in"), f"{sum(map(bool, pieces))} pieces")
    print(f"   {paint.values(text, VALUES)}")
    if stub is not None:
        expect(all(value in text for value in VALUES), "a value did not come back")
    expect("<EMAIL_ADDRESS_" not in text, "a surrogate was not restored")
    return record


async def shown_upstream(session: aiohttp.ClientSession, stub: str, paint: Paint) -> None:
    async with session.get(f"{stub}/stub/requests") as reply:
        seen = await reply.text()
    print(paint.title("\n2. What the model server saw"))
    print(f"   {paint.surrogates(json.loads(last_message(seen)))}")
    expect(not any(value in seen for value in VALUES), "a value reached the model server")


def last_message(seen: str) -> str:
    """The content of the last call's last message, as JSON text."""
    calls = orjson.loads(seen)
    body = calls["requests"][-1]["body"] if isinstance(calls, dict) else calls[-1]["body"]
    parsed = orjson.loads(body) if isinstance(body, str) else body
    return json.dumps(parsed["messages"][-1]["content"])


async def refused_call(session: aiohttp.ClientSession, addresses: Addresses, paint: Paint) -> str:
    body = {"model": "stub-model", "messages": [{"role": "user", "content": [IMAGE]}]}
    async with session.post(f"{addresses.base}/chat/completions", json=body) as reply:
        answer = await reply.text()
        expect(reply.status == 403, f"the image was answered {reply.status}, not refused")
        print(f"   {paint.bad(str(reply.status))} {answer.strip()}\n")
        return reply.headers["x-sidecar-record"]


async def sse(reply: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in reply.content:
        if line.startswith(b"data: {"):
            yield orjson.loads(line[6:])


def show(state: Path, record: str) -> None:
    done = audit("show", record, "--state", str(state))
    print(indent(brief(done.stdout)))
    expect(done.returncode == 0, "the record could not be shown")
    expect(not any(value in done.stdout for value in VALUES), "the record holds a value")


def brief(record: str) -> str:
    """The record without the rules that merely had nothing to say, and cut to the width of a screen."""
    lines = [line for line in record.splitlines() if "stopped " not in line or ".deny " in line]
    shown = [line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines if ".governor." not in line]
    return "\n".join([*shown, "", "(shortened: `sidecar audit show` has every rule and why it stopped)"])


def tampered(state: Path, copy: Path, paint: Paint) -> None:
    shutil.copytree(state, copy)
    flip(copy)
    found = audit("verify", "--state", str(copy))
    print(paint.bad(indent(found.stdout)))
    expect(found.returncode == 1, "the changed byte was not found")


def flip(copy: Path) -> None:
    """Change the word `answered` of a stored entry, wherever the store keeps it (database file or WAL)."""
    for path in sorted(copy.glob("ledger.sqlite*")):
        data = path.read_bytes()
        at = data.find(b'"state":"answered"')
        if at >= 0:
            path.write_bytes(data[: at + 9] + b"x" + data[at + 10 :])
            return
    raise StepFailed("no stored entry to change was found")


def stay(addresses: Addresses, folder: Path, paint: Paint) -> None:
    print(
        f"""
{paint.title("It stays up. Point any OpenAI client at it:")}
   export OPENAI_BASE_URL={addresses.base} OPENAI_API_KEY=any
   health and metrics   {addresses.admin}/healthz/ready   {addresses.admin}/metrics
   the record           sidecar audit query --state {folder / "state"}
Press Ctrl-C to end; the temporary folder goes with it."""
    )
    try:
        asyncio.run(asyncio.Event().wait())
    except KeyboardInterrupt:
        print()


@contextmanager
def model_server(upstream: str | None, folder: Path) -> Iterator[str]:
    """The given server's address, or that of a stub started for the purpose."""
    if upstream is not None:
        yield upstream.removesuffix("/")
        return
    command = [sys.executable, "-m", "sidecar.stub", "--port", "0"]
    with (folder / "stub.log").open("wb") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as stub:
        try:
            assert stub.stdout is not None
            line = stub.stdout.readline()
            expect(bool(line), "the stub model server did not start")
            yield f"http://127.0.0.1:{orjson.loads(line)['port']}"
        finally:
            end(stub)


@contextmanager
def sidecar_process(model: str, state: Path) -> Iterator[Addresses]:
    """`sidecar serve` on free ports, as anybody would start it."""
    ready = state.with_name("ready.json")
    command = [sys.executable, "-m", "sidecar", "serve", "--upstream", model, "--state", str(state)]
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
            break
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    raise StepFailed(f"the sidecar did not start:\n{log.read_text()[-2000:]}")


def audit(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sidecar", "audit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def expect(held: bool, otherwise: str) -> None:
    if not held:
        raise StepFailed(otherwise)


def indent(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.rstrip().splitlines())
