"""Figures of the ledger: `python tests/benchmarks/bench_ledger.py [--folder DIR] [--exchanges N] [--json]`.

Put DIR on the disk in question: durable exchanges are reported beside that disk's own fdatasync, and as a ratio to it,
for without it no figure of a durable store means anything. `CPU` is processor time, which a busy machine adds to less
than to the clock. An exchange is two commits, its intent and its outcome.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sidecar.console.query import query
from sidecar.drivers.keys import VKEY, load_vkey
from sidecar.drivers.store_export import export, verify_folder_export
from sidecar.drivers.store_query import Filters
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_verify import over_processes, verify_path
from sidecar.ledger import entries
from tests.ledger.factory import DENY, START, make_intent, make_outcome, start

AT_ONCE = (1, 16, 64)
QUESTIONS = {
    "the newest 50": Filters(),
    "refused, of the last half": Filters(verdict="deny", since=START),
    "about one person": Filters(subject="subject-17"),
    "one code": Filters(code="MODEL_NOT_ALLOWED"),
}


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds."""
    ordered = sorted(seconds)
    return {f"p{share}_ms": ordered[len(ordered) * share // 100] * 1e3 for share in (50, 90, 99)}


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def disk(folder: Path, syncs: int = 200) -> dict[str, float]:
    """fdatasync of 24 KiB in a file that does not grow: about what a commit of one entry writes."""
    handle = os.open(folder / "probe", os.O_RDWR | os.O_CREAT)
    os.write(handle, bytes(1 << 22))
    os.fsync(handle)
    took = []
    for number in range(syncs):
        os.pwrite(handle, b"1" * 24_576, (number % 100) * 24_576)
        took.append(timed(lambda: os.fdatasync(handle)))
    os.close(handle)
    return quantiles(took)


async def appends(folder: Path, at_once: int, exchanges: int) -> dict[str, float]:
    """Durable exchanges; a third is refused. Facts are made beforehand, and not measured."""
    ledger = await start(folder)
    refused = {"decision": DENY}
    facts = [(make_intent(n, **(refused if n % 3 == 2 else {})), make_outcome(n)) for n in range(exchanges)]
    took: list[float] = []
    queue = iter(facts)

    async def worker() -> None:
        for intent, outcome in queue:
            began = time.perf_counter()
            await ledger.open(intent)
            between = time.perf_counter()
            await ledger.close(outcome)
            took.extend((between - began, time.perf_counter() - between))

    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    await ledger.stop()
    rates = {"exchanges_per_s": exchanges / seconds, "cpu_us_per_exchange": cpu / exchanges * 1e6}
    return {**rates, **quantiles(took)}


def writing(base: Path, exchanges: int) -> dict[str, Any]:
    """Each number of callers beside the disk as it is at that moment."""
    found: dict[str, Any] = {}
    for at_once in AT_ONCE:
        before = disk(base)
        figures = asyncio.run(appends(base / str(at_once), at_once, max(200, exchanges * at_once // AT_ONCE[-1])))
        after = disk(base)
        sync = (before["p50_ms"] + after["p50_ms"]) / 2
        found[str(at_once)] = {**figures, "fdatasync_p50_ms": sync, "commits_in_fdatasyncs": figures["p50_ms"] / sync}
    return found


def checked(verify: Callable[[], Any]) -> dict[str, float]:
    began = time.process_time()
    report = verify()
    assert report.exit_code == 0, report.as_text()
    return {"entries": report.entries, "entries_per_cpu_s": report.entries / (time.process_time() - began)}


def reading(base: Path, state: Path) -> dict[str, Any]:
    """Verification, export and questions of the last store that was written."""
    with Reader.open(state) as reader:
        wrote = timed(lambda: export(reader, base / "export"))
        asked = {name: timed(partial(query, reader, filters)) * 1e3 for name, filters in QUESTIONS.items()}
    key = load_vkey(state / VKEY)
    return {
        "verify the store": checked(lambda: verify_path(state, key=key, spread=over_processes(state, processes=1))),
        "verify the export": checked(lambda: verify_folder_export(base / "export", key=key)),
        "export_s": wrote,
        "questions_ms": asked,
    }


def encoding() -> dict[str, float]:
    """Microseconds for an entry without its commit; best of ten."""
    made = {
        "intent": partial(entries.intent_entry, make_intent(1), 1, "s", bytes),
        "outcome": partial(entries.outcome_entry, make_outcome(1), 1, "s", bytes),
    }
    return {f"{name}_us": min(timeit.repeat(make, number=200, repeat=10)) / 200 * 1e6 for name, make in made.items()}


def measured(folder: Path | None, exchanges: int) -> dict[str, Any]:
    base = Path(tempfile.mkdtemp(dir=folder))
    try:
        written = writing(base, exchanges)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        read = reading(base, base / str(AT_ONCE[-1]))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        return {"encode": encoding(), "at once": written, **read, "memory_of_reading_mib": grown}
    finally:
        shutil.rmtree(base)


def show(figures: dict[str, Any], indent: str = "") -> None:
    for name, value in figures.items():
        if isinstance(value, dict) and all(isinstance(item, float | int) for item in value.values()):
            print(f"{indent}{name}: " + "  ".join(f"{key} {number:.3f}" for key, number in value.items()))
        elif isinstance(value, dict):
            print(f"{indent}{name}:")
            show(value, indent + "  ")
        else:
            print(f"{indent}{name}: {value:.3f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, help="on the disk in question")
    options.add_argument("--exchanges", type=int, default=6000, help="at the highest number of callers")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    figures = measured(given.folder, given.exchanges)
    if given.json:
        json.dump(figures, sys.stdout)
    else:
        show(figures)


if __name__ == "__main__":
    main()
