"""Figures of the store: `python tests/ledger/bench_store.py [FOLDER]`. Not a test; put FOLDER on the disk in question.

Reported beside the disk's own fdatasync, for without it no figure of a durable store means anything. `busy` adds work
of the event loop's thread between appends, as the proxy's own work does.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sidecar.drivers.store_reader import verify_path
from sidecar.ledger import entries
from tests.ledger.factory import make_intent, make_outcome, start


def quantiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    picks = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
    return " ".join(f"{name} {ordered[int(len(ordered) * share)] * 1e3:.3f}" for name, share in picks.items()) + " ms"


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def disk(folder: Path) -> None:
    handle = os.open(folder / "probe", os.O_RDWR | os.O_CREAT)
    os.write(handle, bytes(1 << 22))
    os.fsync(handle)
    took = []
    for number in range(200):
        os.pwrite(handle, b"1" * 24_576, (number % 100) * 24_576)
        took.append(timed(lambda: os.fdatasync(handle)))
    os.close(handle)
    print(f"fdatasync of 24 KiB: {quantiles(took)}")


def burn(micros: int) -> None:
    end = time.perf_counter() + micros / 1e6
    while time.perf_counter() < end:
        pass


async def appends(folder: Path, in_flight: int, exchanges: int, busy_us: int = 0) -> None:
    ledger = await start(folder)
    facts = [(make_intent(number), make_outcome(number)) for number in range(exchanges)]
    took: list[float] = []
    queue = iter(facts)

    async def worker() -> None:
        for intent, outcome in queue:
            burn(busy_us)
            began = time.perf_counter()
            await ledger.open(intent)
            took.append(time.perf_counter() - began)
            burn(busy_us)
            began = time.perf_counter()
            await ledger.close(outcome)
            took.append(time.perf_counter() - began)

    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    await ledger.stop()
    busy = f" busy {busy_us} us" if busy_us else ""
    rate, each = len(took) / seconds, cpu / len(took) * 1e6
    print(f"in flight {in_flight:3d}{busy}: {rate:7.0f} entries/s  {quantiles(took)}  CPU {each:.0f} us/entry")


def verification(folder: Path) -> None:
    began = time.process_time()
    report = verify_path(folder)
    cpu = time.process_time() - began
    print(f"verify: {report.entries / cpu:.0f} entries/s/core, exit code {report.exit_code}")


def encoding() -> None:
    for name, make in (
        ("intent", partial(entries.intent_entry, make_intent(1), 1, "s", os.urandom)),
        ("outcome", partial(entries.outcome_entry, make_outcome(1), 1, "s", os.urandom)),
    ):
        best = min(timeit.repeat(make, number=200, repeat=10)) / 200
        print(f"encode {name} ({len(make().body)} bytes, salted): {best * 1e6:.0f} us")


def main() -> None:
    base = Path(tempfile.mkdtemp(dir=sys.argv[1] if len(sys.argv) > 1 else None))
    try:
        encoding()
        disk(base)
        for in_flight, exchanges in ((1, 500), (8, 2000), (64, 6000)):
            asyncio.run(appends(base / str(in_flight), in_flight, exchanges))
        for in_flight in (4, 32):
            asyncio.run(appends(base / f"busy{in_flight}", in_flight, 1000, 400))
        verification(base / "64")
    finally:
        shutil.rmtree(base)


if __name__ == "__main__":
    main()
