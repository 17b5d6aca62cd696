"""Does memory stay where it is? `python tests/benchmarks/bench_memory.py [--prompts N] [--names] [--short] [--json]`.

Every prompt is new, as the worst of clients would have it; every fifth holds values. What is printed is the resident
size after 10, 100, 1,000, ... of them: it grows until the cache (32 MB) is full, then it must stop. With `--names` the
prompts go to the worker that holds the names model, and the size is that of the worker (Linux: read from /proc).
A million prompts through the model take two hours and more on one core; `--short` ones, of 16 to 60 characters, less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sidecar.drivers.clock import SystemClock
from sidecar.drivers.inspector import Inspector
from sidecar.inspection.checksums import luhn
from sidecar.model import Part, Place, Role

CACHE_BYTES = 32 << 20
SYLLABLES = [first + last for first in "bcdfghjklmnprstvwz" for last in "aeiou"]
PLACE = Place(path=("messages", 0, "content"), label="messages[0].content")


def word(number: int) -> str:
    """A made-up word for each number, so that no two prompts share all of theirs."""
    made = ""
    while number:
        number, rest = divmod(number, len(SYLLABLES))
        made += SYLLABLES[rest]
    return made or SYLLABLES[0]


def card(number: int) -> str:
    body = f"4{number:014d}"
    return next(body + last for last in "0123456789" if luhn(body + last))


def prompt(number: int) -> str:
    """The same for the same number, and no other's."""
    made = word(number * 7919 + 1)
    text = f"Question {number}: what does {made} mean, and since when has the {made} office used the word?"
    if number % 5:
        return text
    return f"{text} Ask {made}@corp.example, +49 30 {number % 1_000_000:06d}, card {card(number)}, Dr. {made.title()}."


def short(number: int) -> str:
    """Likewise, and as little as it takes."""
    made = word(number * 7919 + 1)
    return f"What is {made}?" if number % 5 else f"What is {made}? Ask Dr. {made.title()}, {made}@corp.example."


def resident(pid: int | str = "self") -> int:
    """KiB of a process's own memory that are in RAM."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ValueError("the kernel does not say")


def marks(prompts: int) -> Iterator[int]:
    """Where the size is read: powers of ten, their doubles and fives, and the end."""
    mark = 10
    while mark < prompts:
        yield from (at for at in (mark, 2 * mark, 5 * mark) if at < prompts)
        mark *= 10
    yield prompts


async def measured(prompts: int, said: Callable[[int], str], *, names: bool) -> list[dict[str, Any]]:
    inspector = Inspector(secret=b"bench", clock=SystemClock(), names=names, deadline_s=120, cache_bytes=CACHE_BYTES)
    if names:
        await inspector.start()
    rows: list[dict[str, Any]] = []
    at = found = 0
    began = time.monotonic()
    for mark in marks(prompts):
        for number in range(at, mark):
            part = Part(place=PLACE, role=Role.USER, text=said(number))
            found += len((await inspector.inspect([part])).findings)
        at = mark
        cache = inspector._cache
        rows.append({"prompts": mark, "rss_kib": resident(), "findings": found, "cache_entries": len(cache)})
        rows[-1] |= {"cache_mib": round(cache.bytes / 2**20, 1), "seconds": round(time.monotonic() - began, 1)}
        rows[-1]["worker_rss_kib"] = [resident(pid) for pid in inspector._pool.pids]
        print(_line(rows[-1]), file=sys.stderr, flush=True)
    await inspector.close()
    return rows


def _line(row: dict[str, Any]) -> str:
    workers = "".join(f"  worker {size / 1024:7.1f} MiB" for size in row["worker_rss_kib"])
    cache = f"cache {row['cache_mib']:5.1f} MiB of {CACHE_BYTES >> 20}, {row['cache_entries']:7,} entries"
    return f"{row['prompts']:9,} prompts  {row['rss_kib'] / 1024:7.1f} MiB{workers}  {cache}  {row['seconds']:8.1f} s"


def growth(rows: list[dict[str, Any]]) -> str:
    """From a tenth of the prompts to all of them, and from half of them."""
    last = rows[-1]
    said = []
    for part in (last["prompts"] // 10, last["prompts"] // 2):
        row = max((row for row in rows if row["prompts"] <= part), key=lambda row: int(row["prompts"]), default=last)
        more = (_size(last) - _size(row)) / 1024
        said.append(f"from {row['prompts']:,} to {last['prompts']:,} prompts {more:+.1f} MiB")
    return f"{last['findings']:,} findings; growth " + ", ".join(said)


def _size(row: dict[str, Any]) -> int:
    return int((row["worker_rss_kib"] or [row["rss_kib"]])[0])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--prompts", type=int, default=0, help="default 1,000,000, with --names 10,000")
    options.add_argument("--names", action="store_true", help="through the names model's worker")
    options.add_argument("--short", action="store_true", help="prompts of 16 to 60 characters")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    prompts = chosen.prompts or (10_000 if chosen.names else 1_000_000)
    rows = asyncio.run(measured(prompts, short if chosen.short else prompt, names=chosen.names))
    print(json.dumps(rows) if chosen.json else growth(rows))


if __name__ == "__main__":
    main()
