"""The sidecar, everything on, against a bare aiohttp pass-through in the same run.

    python tests/benchmarks/bench_proxy.py [--quick]

Latency: single requests in turn, bare, sidecar, bare, sidecar; medians and their difference. Throughput per core:
requests (or chunks) per second of CPU time that the proxy's process used, as the kernel counts it, so that a busy
machine does not change the ratio. Streams are paced, so that each chunk is read and written alone. The state folder
lies on disk; the machine's own fdatasync is measured beside it, because two of them are part of each exchange.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TURNS = 9
"""Rounds of the latency row; how many of them held their own bar stands in its name."""

ROUNDS = 5
TICK = os.sysconf("SC_CLK_TCK")
PATH = "/v1/chat/completions"
VALUES = ("anna.schmidt@example.org", "4111 1111 1111 1111", "DE89370400440532013000")
SENTENCE = "Please look into the delivery that was promised for last week and tell the customer when it will come. "


def prose(size: int, values: int) -> str:
    """English prose of about `size` characters with `values` personal values in it."""
    text = (SENTENCE * (size // len(SENTENCE) + 1))[: size - 40 * values]
    step = max(1, len(text) // (values + 1))
    pieces = [text[i * step : (i + 1) * step] for i in range(values)] + [text[values * step :]]
    return "".join(f"{piece} {VALUES[i % 3]} " if i < values else piece for i, piece in enumerate(pieces))


def chat(*texts: str, stream: bool = False) -> bytes:
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]
    return json.dumps({"model": "m", "stream": stream, "messages": messages}).encode()


class Proxy:
    """A proxy process under test."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], url: str) -> None:
        self.name, self.pid, self.url = name, process.pid, url

    def cpu(self) -> float:
        """Seconds of CPU of the process and its children so far."""
        total = 0.0
        for pid in [self.pid, *children(self.pid)]:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / TICK
        return total

    def memory(self) -> float:
        """Resident MB of the process and its children."""
        return sum(map(resident, [self.pid, *children(self.pid)]))


def resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


@contextmanager
def started(*command: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())["port"]
        finally:
            process.terminate()


@contextmanager
def sidecar(upstream: str, folder: Path, *, names: bool) -> Iterator[tuple[Proxy, float]]:
    """`sidecar serve` on its defaults (`names`: with the names model), and the seconds to its first answer."""
    folder.mkdir()
    ready = folder / "ready.json"
    command = ["-m", "sidecar", "serve", "--upstream", upstream, "--state", str(folder / "state")]
    command += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--ready-file", str(ready)]
    begin = time.monotonic()
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, *command],
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, "SIDECAR_DETECTION_NAMES": "true" if names else "false"},  # noqa: TID251  a child needs ours
        ) as process,
    ):
        try:
            while not ready.exists():
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.005)
            url = json.loads(ready.read_text())["base_url"].removesuffix("/v1")
            asyncio.run(one(url, chat("hello")))
            yield Proxy("sidecar", process, url), time.monotonic() - begin
        finally:
            process.terminate()


async def one(url: str, body: bytes) -> None:
    async with aiohttp.ClientSession() as session, session.post(url + PATH, data=body) as reply:
        await reply.read()
        assert reply.status == 200, await reply.text()


async def latency(proxies: list[Proxy], body: bytes, rounds: int, *, vary: bool = True) -> dict[str, list[float]]:
    """Milliseconds per request, proxies in turn. Each request's text is new, unless `vary` is off."""
    taken: dict[str, list[float]] = {proxy.name: [] for proxy in proxies}
    async with aiohttp.ClientSession() as session:
        for number in range(rounds + 10):
            sent = body.replace(b"last week", b"week %06d" % number, 1) if vary else body
            for proxy in proxies:
                begin = time.perf_counter()
                async with session.post(proxy.url + PATH, data=sent) as reply:
                    await reply.read()
                if number >= 10:
                    taken[proxy.name].append((time.perf_counter() - begin) * 1000)
    return taken


async def first_chunk(proxies: list[Proxy], body: bytes, rounds: int) -> dict[str, list[float]]:
    """Milliseconds to the first chunk of a stream."""
    taken: dict[str, list[float]] = {proxy.name: [] for proxy in proxies}
    async with aiohttp.ClientSession() as session:
        for number in range(rounds):
            sent = body.replace(b"last week", b"week %06d" % number, 1)
            for proxy in proxies:
                begin = time.perf_counter()
                async with session.post(proxy.url + PATH, data=sent, headers={"x-chunks": "3", "x-pace": "1"}) as reply:
                    await reply.content.readany()
                    taken[proxy.name].append((time.perf_counter() - begin) * 1000)
                    await reply.read()
    return taken


NUMBERS = count(1)
"""Makes every prompt of a run a new one, so that no round finds its texts in the cache."""


async def requests(proxy: Proxy, body: bytes, count: int, at_once: int = 16) -> float:
    """Requests per second of the proxy's CPU. Each request's text is new where it says "last week"."""
    numbers = islice(NUMBERS, 0)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:

        async def caller() -> None:
            for number in numbers:
                sent = body.replace(b"last week", b"week %06d" % number, 1)
                async with session.post(proxy.url + PATH, data=sent) as reply:
                    await reply.read()
                    assert reply.status == 200

        for warm in (True, False):
            numbers, before = islice(NUMBERS, count // 5 if warm else count), proxy.cpu()
            await asyncio.gather(*(caller() for _ in range(at_once)))
    return count / (proxy.cpu() - before)


async def chunks(proxy: Proxy, body: bytes, streams: int, length: int) -> float:
    """Streamed chunks per second of the proxy's CPU, each read alone; a stream's own cost is taken off."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=streams)) as session:

        async def listen(count: int) -> None:
            headers = {"x-chunks": str(count), "x-pace": "4"}
            async with session.post(proxy.url + PATH, data=body, headers=headers) as reply:
                async for _ in reply.content.iter_any():
                    pass

        costs = []
        for count in (2, length):
            before = proxy.cpu()
            await asyncio.gather(*(listen(count) for _ in range(streams)))
            costs.append(proxy.cpu() - before)
    return streams * (length - 2) / max(costs[1] - costs[0], 1 / TICK)


async def gaps(proxy: Proxy, prompts: list[bytes], *, streams: int = 8, pause: float = 0.5) -> tuple[float, float]:
    """p99 milliseconds between chunks (one every 4 ms) of some streams: on their own, and while prompts are sent."""
    taken: list[float] = []
    alone: list[float] = []
    body = chat(prose(200, 1), stream=True)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def listen() -> None:
            headers = {"x-chunks": "100000", "x-pace": "4"}
            async with session.post(proxy.url + PATH, data=body, headers=headers) as reply:
                last = time.perf_counter()
                async for _ in reply.content.iter_any():
                    now = time.perf_counter()
                    taken.append((now - last) * 1000)
                    last = now

        loop = asyncio.get_running_loop()
        listeners = [loop.create_task(listen()) for _ in range(streams)]
        await asyncio.sleep(pause)
        taken.clear()
        await asyncio.sleep(3.0)
        alone, taken[:] = list(taken), []
        for prompt in prompts:
            async with session.post(proxy.url + PATH, data=prompt) as reply:
                await reply.read()
                assert reply.status == 200, await reply.text()
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
    return p99(alone), p99(taken)


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def fdatasync(folder: Path, rounds: int = 200) -> float:
    """Median milliseconds of an 8 KB append with fdatasync: what one commit cannot do without."""
    taken = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(rounds):
            begin = time.perf_counter()
            file.write(b"x" * 8192)
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken)


def row(name: str, value: str, bar: str, held: bool | None) -> None:
    print(f"{name:<52} {value:<44} {bar:<34} {'' if held is None else 'held' if held else 'MISSED'}", flush=True)


def added(taken: dict[str, list[float]]) -> tuple[float, float]:
    bare, ours = (statistics.median(taken[name]) for name in ("bare", "sidecar"))
    return ours - bare, bare


def report(proxies: list[Proxy], start: float, folder: Path, scale: float) -> None:
    bare, ours = proxies
    idle = ours.memory()
    row("start to first answer", f"{start:.2f} s", "<= 3 s", start <= 3)
    row("idle memory", f"{idle:.0f} MB (bare {bare.memory():.0f} MB)", "<= 170 MB (goal 120)", idle <= 170)
    rounds = int(400 * scale)
    short_prompt(proxies, folder, int(150 * scale))
    more: Any = (("dense 1 KB (a value every 40 characters)", chat(prose(1024, 16))),)
    for name, body in more:
        extra, base = added(asyncio.run(latency(proxies, body, rounds // 2)))
        row(f"added median latency, {name}", f"+{extra:.2f} ms on {base:.2f} ms", "reported", None)
    history = [prose(2048, 2) + f" part {i}" for i in range(16)]
    extra, base = added(asyncio.run(latency(proxies, chat(*history), rounds // 2, vary=False)))
    row("added median latency, 32 KB history, parts cached", f"+{extra:.2f} ms on {base:.2f} ms", "reported", None)
    extra, base = added(asyncio.run(first_chunk(proxies, chat(prose(1024, 3), stream=True), rounds // 2)))
    row("added time to first token", f"+{extra:.2f} ms on {base:.2f} ms", "<= 5 ms", extra <= 5)
    for name, body, bar in (
        ("requests/s/core, 1 KB prose, 3 values", chat(prose(1024, 3)), 0.15),
        ("requests/s/core, 32 KB history, parts cached", chat(*[t.replace("last week", "") for t in history]), 0.10),
    ):
        ratio(name, bar, [[asyncio.run(requests(p, body, int(1000 * scale))) for p in proxies] for _ in range(ROUNDS)])
    body = chat(prose(1024, 3), stream=True)
    ratio(
        "streamed chunks/s/core, each read alone, restoring",
        0.50,
        [[asyncio.run(chunks(p, body, 20, int(400 * scale))) for p in proxies] for _ in range(ROUNDS)],
    )
    prompts = [chat(prose(1_000_000, 1000) + f" number {n}") for n in range(max(2, int(10 * scale)))]
    gap(ours, prompts)
    row("memory after the run", f"{ours.memory():.0f} MB", "reported", None)


def short_prompt(proxies: list[Proxy], folder: Path, rounds: int) -> None:
    """The median of rounds, each beside the speed of its disk: a shared machine's changes by half within minutes."""
    taken = [
        (*added(asyncio.run(latency(proxies, chat(prose(1024, 3)), rounds))), fdatasync(folder)) for _ in range(TURNS)
    ]
    extra, base, sync = (statistics.median(column) for column in zip(*taken, strict=True))
    under = sum(one <= 1.5 + 2 * its for one, _, its in taken)
    shown = f"+{extra:.2f} ms on {base:.2f} ms, x{(base + extra) / base:.2f}; fdatasync {sync:.2f} ms"
    bar = 1.5 + 2 * sync
    name = f"added median latency, 1 KB prose, 3 values ({under} of {TURNS})"
    row(name, shown, f"<= {bar:.2f} ms (1.5 + 2 fdatasync)", extra <= bar)


def gap(ours: Proxy, prompts: list[bytes]) -> None:
    alone, during = asyncio.run(gaps(ours, prompts))
    shown = f"{alone:.1f} ms alone, {during:.1f} ms beside {len(prompts)} prompts of 1 MB"
    row("p99 gap between the chunks of 8 streams", shown, "+5 ms", during - alone <= 5)


def report_names(proxies: list[Proxy], start: float, scale: float) -> None:
    bare, ours = proxies
    for size, values in ((200, 1), (1024, 3), (2048, 3)):
        extra, base = added(asyncio.run(latency(proxies, chat(prose(size, values)), int(100 * scale))))
        row(f"added median latency, {size} B of new text", f"+{extra:.1f} ms on {base:.2f} ms", "reported", None)
    history = [prose(2048, 2) + f" part {i}" for i in range(16)]
    asyncio.run(latency(proxies, chat(*history), 1, vary=False))
    extra, base = added(asyncio.run(latency(proxies, chat(*history), int(100 * scale), vary=False)))
    row("added median latency, 32 KB history, parts cached", f"+{extra:.2f} ms on {base:.2f} ms", "reported", None)
    if scale >= 1:  # a prompt of 1 MB takes the model 17 s
        gap(ours, [chat(prose(1_000_000, 1000))])
    total = ours.memory()
    row("start to first answer", f"{start:.2f} s", "<= 3 s", start <= 3)
    row("memory, workers included", f"{total:.0f} MB (bare {bare.memory():.0f} MB)", "<= 320 MB", total <= 320)


def ratio(name: str, bar: float, rounds: list[list[float]]) -> None:
    """The median of the rounds' ratios; both rates of a round were taken one after the other."""
    bare, ours = min(rounds, key=lambda rates: abs(rates[1] / rates[0] - median_ratio(rounds)))
    value = median_ratio(rounds)
    row(name, f"{ours:,.0f} of {bare:,.0f}: {value:.0%} (median of {len(rounds)})", f">= {bar:.0%}", value >= bar)


def median_ratio(rounds: list[list[float]]) -> float:
    return statistics.median(ours / bare for bare, ours in rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    parser.add_argument("--state-on", type=Path, help="folder on the disk to measure (default: the temporary folder)")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.state_on)))
        _, port = stack.enter_context(started(str(HERE / "fast_upstream.py")))
        upstream = f"http://127.0.0.1:{port}"
        process, bare_port = stack.enter_context(started(str(HERE / "bare_proxy.py"), "--upstream", upstream))
        bare = Proxy("bare", process, f"http://127.0.0.1:{bare_port}")
        scale = 0.1 if options.quick else 1.0
        print("Patterns, secrets, policy, two durable entries (detection.names: false)")
        with sidecar(upstream, folder / "patterns", names=False) as (ours, start):
            report([bare, ours], start, folder, scale)
        if not (ROOT / "sidecar" / "drivers" / "names" / "model.onnx").is_file():
            return
        print("\nThe same with the names model, which runs in a worker process")
        with sidecar(upstream, folder / "names", names=True) as (ours, start):
            report_names([bare, ours], start, scale)


if __name__ == "__main__":
    main()
