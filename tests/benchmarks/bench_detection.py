"""Detection against stock Presidio in the same run: `python tests/benchmarks/bench_detection.py [--json]`.

Stock is `AnalyzerEngine.analyze` with a blank English pipeline (no names model on either side), its e-mail recogniser
kept from the network. Ours is the engine that the inspector runs, without its cache. Best of several runs each; figures
of one machine are worth only as ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from sidecar.drivers.clock import SystemClock
from sidecar.drivers.inspector import Inspector
from sidecar.drivers.inspector_scan import fastest
from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.model import Part, Place, Role

DENSE = (
    "Write to anna.schmidt{n}@corp.example or call +49 30 90182{n:03d}. Her card 4111 1111 1111 1111 and account "
    "DE89370400440532013000 were used from 192.168.1.{m}; her number is 219-09-{n:04d}. Thanks for looking at it.\n\n"
)
PROSE = (
    "The committee met in the old library and talked about the plan for the coming year at some length; nobody agreed "
    "on the date, and in the end the chair, who had been there since 2009, asked for 3 more opinions by Friday.\n\n"
)
THREE = "Please answer anna@corp.example, whose phone is +49 30 901820, about card 4111 1111 1111 1111. "


def dense(size: int) -> str:
    made = "".join(DENSE.format(n=n % 1000, m=n % 250) for n in range(size // 180 + 1))
    return made[:size]


def prose(size: int) -> str:
    return (PROSE * (size // len(PROSE) + 1))[:size]


STOCK_TYPES = frozenset({
    "EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS", "MAC_ADDRESS", "URL", "CRYPTO", "US_SSN",
    "US_ITIN", "US_PASSPORT", "US_BANK_NUMBER", "US_DRIVER_LICENSE", "MEDICAL_LICENSE", "UK_NHS",
})  # fmt: skip
"""What stock Presidio looks for in English; ours looks for 120 types in 15 countries, secrets, births and streets."""


def best(work: Callable[[str], object], text: str, runs: int) -> float:
    """Milliseconds of processor time, which a busy machine does not add to."""
    times = []
    for _ in range(runs):
        began = time.process_time()
        work(text)
        times.append(time.process_time() - began)
    return min(times) * 1000


def stock() -> Callable[[str], Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import spacy
        import tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import SpacyNlpEngine

        extractor = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
        tldextract.tldextract.TLD_EXTRACTOR = tldextract.extract = extractor

        class Blank(SpacyNlpEngine):
            def __init__(self) -> None:
                super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
                self.nlp = {"en": spacy.blank("en")}
                self.nlp["en"].max_length = 10_000_000

        analyzer = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
    return lambda text: analyzer.analyze(text, "en")


async def through_the_port() -> dict[str, float]:
    """The Inspect port: a new 1 KB prompt, a cached 20 KB part, and what 1 MB does to the event loop."""
    inspector = await Inspector(secret=b"bench", clock=SystemClock(), names=False, deadline_s=120).start()
    prompt, history = (THREE + prose(1024))[:1024], dense(20_000)
    fresh = [await _timed(inspector, f"{prompt}{number}") for number in range(300)]
    await _timed(inspector, history)
    cached = [await _timed(inspector, history) for _ in range(100)]
    idle = await _gaps(asyncio.sleep(1.0))
    during = await _gaps(inspector.inspect([_part(dense(1_000_000))]))
    await inspector.close()
    return {
        "new 1 KB prompt, p50": statistics.median(fresh),
        "cached 20 KB dense part, p50": statistics.median(cached),
        "loop gap p99, idle": idle,
        "loop gap p99, 1 MB dense under analysis": during,
    }


def _part(text: str) -> Part:
    return Part(place=Place(path=("x",), label="x"), role=Role.USER, text=text)


async def _timed(inspector: Inspector, text: str) -> float:
    began = time.perf_counter()
    await inspector.inspect([_part(text)])
    return (time.perf_counter() - began) * 1000


async def _gaps(work: Any) -> float:
    """The 99th percentile of how late a one-millisecond timer comes, in milliseconds."""
    late: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append((time.perf_counter() - began - 0.001) * 1000)

    heart = asyncio.ensure_future(beat())
    await work
    heart.cancel()
    return sorted(late)[int(len(late) * 0.99)]


def measured() -> dict[str, Any]:
    ours, theirs = Engine(Settings(), fastest()[1]).find, stock()
    same = Engine(Settings(entities=STOCK_TYPES, countries=("us", "gb")), fastest()[1]).find
    rows = []
    for name, text, runs in (
        ("1 KB prose, three values", (THREE + prose(1024))[:1024], 50),
        ("1 KB dense", dense(1024), 30),
        ("2 KB dense", dense(2048), 20),
        ("20 KB dense", dense(20_000), 5),
        ("20 KB prose", prose(20_000), 5),
        ("117 KB dense", dense(117_000), 2),
    ):
        stocks = best(theirs, text, max(1, runs // 5))
        mine, alike = best(ours, text, runs), best(same, text, runs)
        rows.append({"text": name, "ours_ms": mine, "same_types_ms": alike, "presidio_ms": stocks})
    curve = {size: best(ours, dense(size * 1024), 2) for size in (1, 4, 16, 64, 256, 1024)}
    return {"scan": fastest()[0], "rows": rows, "curve_kb_ms": curve, "port_ms": asyncio.run(through_the_port())}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    figures = measured()
    if options.parse_args().json:
        json.dump(figures, sys.stdout)
        return
    print(f"keyword scan: {figures['scan']}")
    for row in figures["rows"]:
        mine, alike, stocks = row["ours_ms"], row["same_types_ms"], row["presidio_ms"]
        print(f"{row['text']:26} {mine:9.3f} ms, same types {alike:8.3f} ms, presidio {stocks:9.1f} ms", end="")
        print(f"   x{stocks / mine:.0f}, same types x{stocks / alike:.0f}")
    print("linear?  " + "  ".join(f"{size} KB {ms / size:.2f} ms/KB" for size, ms in figures["curve_kb_ms"].items()))
    for name, value in figures["port_ms"].items():
        print(f"{name:45} {value:8.3f} ms")


if __name__ == "__main__":
    main()
