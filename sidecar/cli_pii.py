"""`sidecar pii ...`: what the detectors find, without a proxy."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sidecar import config
from sidecar.errors import SidecarError, cause_of
from sidecar.terminal import shows_colour

SCAN = """\
Show what would be redacted: coloured in a terminal, bracketed elsewhere, or --json
{"findings": [{"start", "end", "entity", "score", "detector"}]} with offsets in code points.

    sidecar pii scan letter.txt
    journalctl -u app | sidecar pii scan - --json"""

EVAL = """\
Measure the detectors on a labelled set: JSON lines of {"text", "spans": [{"start", "end", "entity"}]}, or
presidio-research's JSON. Per type: n, covered (every character found, whatever its label), recall and precision
(overlap of at least half), each with a 95 % interval.

    echo '{"text": "Call Ada.", "spans": [{"start": 5, "end": 8, "entity": "PERSON"}]}' | sidecar pii eval -"""

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069](?<!\r(?=\n))")
"""What a text could use to hide itself, or what was found in it, from whoever looks at it in a terminal."""
DEADLINE = 120.0
"""Seconds for one text on the command line, where nobody waits for an answer."""


def add_parsers(group: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    scanned = _parser(group, "scan", "what would be redacted", SCAN)
    scanned.add_argument("file", help="a text file, or - for standard input")
    scanned.set_defaults(run=lambda options: _told(scan, options))
    measured = _parser(group, "eval", "measure the detectors on a labelled set", EVAL)
    measured.add_argument("dataset", help="a labelled set, or - for standard input")
    measured.set_defaults(run=lambda options: _told(evaluate, options))


def _parser(group: Any, name: str, help_: str, text: str) -> Any:
    parser = group.add_parser(name, help=help_, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in YAML (its `detection` section counts)")
    parser.add_argument("--mode", choices=["balanced", "strict"], help="strict finds more, also wrongly")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _told(run: Any, options: argparse.Namespace) -> int:
    try:
        return int(run(options))
    except SidecarError as error:
        raised = getattr(cause_of(error), "raised", None)  # here is no log to look at
        print(f"sidecar: {error.code}: {error.advice}{f' ({raised})' if raised else ''}", file=sys.stderr)
    except UnicodeDecodeError:
        print("sidecar: the text is not UTF-8", file=sys.stderr)
    return 2


def scan(options: argparse.Namespace) -> int:
    import orjson

    from sidecar.inspection import report

    text = read(options.file)
    [spans], missing = asyncio.run(found(options, [text]))
    if options.json:
        print(orjson.dumps(report.as_json(spans)).decode())
        return 0
    is_terminal = sys.stdout.isatty()
    shown = CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text) if is_terminal else text
    print(report.as_text(shown, spans, colour=shows_colour(sys.stdout)))
    print(f"\n{report.summary(spans, missing)}", file=sys.stderr)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    import orjson

    from sidecar.inspection import scoring

    try:
        examples = list(scoring.examples(read(options.dataset)))
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        print(f"sidecar: not a labelled set: {error}", file=sys.stderr)
        return 2
    if not examples:
        print("sidecar: not a labelled set: it holds no text", file=sys.stderr)
        return 2
    spans, _ = asyncio.run(found(options, [example.text for example in examples]))
    by_text = {example.text: hits for example, hits in zip(examples, spans, strict=True)}

    def find(text: str) -> Iterable[scoring.Label]:
        return [scoring.Label(span.start, span.end, span.entity) for span in by_text[text]]

    card = scoring.score(examples, find)
    print(orjson.dumps(card.as_json(), option=orjson.OPT_INDENT_2).decode() if options.json else card.as_text())
    return 0


def read(name: str) -> str:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return data.decode()


async def found(options: argparse.Namespace, texts: Sequence[str]) -> tuple[list[list[Any]], Sequence[str]]:
    """Spans of each text, and what is not looked for; progress on standard error where that is a terminal."""
    from sidecar.drivers.clock import SystemClock, SystemEntropy
    from sidecar.inspection.spans import Span
    from sidecar.model import Part, Place, Role
    from sidecar.wiring.detection import inspector_of, needs_worker

    flags = {"detection.mode": options.mode, "detection.deadline": DEADLINE}
    settings = config.load(flags, file=options.config).config.detection
    inspector = inspector_of(settings, SystemClock(), SystemEntropy())
    results = []
    try:
        if needs_worker(settings, inspector):
            await inspector.start()  # says what cannot be loaded
        for number, text in enumerate(texts):
            part = Part(place=Place(path=(number,), label="text"), role=Role.USER, text=text)
            inspection = await inspector.inspect([part])
            results.append([Span(f.start, f.end, f.entity, f.score, f.detector) for f in inspection.findings])
            if number % 100 == 99 and sys.stderr.isatty():
                print(f"\r{number + 1} of {len(texts)} texts", end="", file=sys.stderr, flush=True)
    finally:
        await inspector.close()
    return results, inspector.not_looked_for
