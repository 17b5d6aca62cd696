"""Detection side by side, per language and type: `python tests/benchmarks/scorecard.py --data DIR [--json]`.

Ours (the Inspect port, balanced and strict), stock Presidio, and Presidio with our names model, on what was held back
(scorecard_sets.py, scorecard_systems.py say what exactly). A cell is precision / recall / covered, the 95 % interval
of covered behind it. Precision and recall: same type, overlap of at least half of the union. Covered, the leak metric:
every letter and digit of the labelled span lies inside some finding, whatever its type. Then false hits on code that
holds no secret, and the bars. Nothing may be tuned on these sets.
"""

from __future__ import annotations

import argparse
import json
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from scorecard_sets import CHECKED, LANGUAGES, STREET, LabelledSet, sets  # noqa: E402
from scorecard_systems import OURS, SYSTEMS, Systems  # noqa: E402

from sidecar.drivers.names_model import NamesModel  # noqa: E402
from sidecar.inspection.catalogue import Settings  # noqa: E402
from sidecar.inspection.engine import Engine  # noqa: E402
from sidecar.inspection.scoring import Scorecard  # noqa: E402
from sidecar.inspection.secrets import SECRET_TYPES  # noqa: E402

LEAST = 5
"""Fewer labelled spans say nothing."""
BALANCED, STRICT = OURS
SAMPLE = 150
"""KB of the code that the slower systems read too."""

Row = dict[str, Any]


def rows(part: LabelledSet, systems: Systems) -> list[Row]:
    """One row a type."""
    cards = {name: Scorecard() for name in SYSTEMS}
    for example in part.examples:
        for name, found in systems.find(example.text, part.language).items():
            cards[name].add(example, found)
    tables = {name: card.as_json()["types"] for name, card in cards.items()}
    made = []
    for entity in part.types:
        n = tables[BALANCED].get(entity, {"n": 0})["n"]
        if n >= LEAST:
            cells = {
                name: {key: value for key, value in tables[name][entity].items() if key != "n"} for name in SYSTEMS
            }
            made.append({"language": part.language, "set": part.name, "type": entity, "n": n, "systems": cells})
    return made


def code() -> Iterator[str]:
    """The standard library, which holds no secret."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        yield path.read_text("utf-8", errors="replace")


def false_hits(systems: Systems, kilobytes: int) -> Row:
    """Per KB of code: our secret types, and everything of every system over a part of it."""
    secrets = Engine(Settings(entities=frozenset(SECRET_TYPES)))
    size = hits = 0
    for text in code():
        if size < kilobytes * 1024:
            size += len(text)
            hits += len(secrets.find(text))
    sample, found = 0, {name: Counter[str]() for name in SYSTEMS}
    for text in code():
        if len(text) < 12_000 and sample < min(SAMPLE, kilobytes) * 1024:
            sample += len(text)
            for name, labels in systems.find(text, "en").items():
                found[name].update(label.entity for label in labels)
    every = {
        name: {"per_kb": round(count.total() * 1024 / sample, 3), "types": dict(count)} for name, count in found.items()
    }
    return {
        "secrets_kb": size // 1024,
        "secrets_per_kb": hits * 1024 / size,
        "sample_kb": sample // 1024,
        "every": every,
    }


BARS = (
    ("checksum types covered", BALANCED, "presidio, held-back half", CHECKED, 1.0),
    ("e-mail covered", BALANCED, "presidio, held-back half", ("EMAIL_ADDRESS",), 0.99),
    ("phone covered, strict", STRICT, "presidio, held-back half", ("PHONE_NUMBER",), 0.95),
    ("street addresses covered, model and rules", BALANCED, "presidio, test templates", (STREET,), 0.80),
    ("people covered, strict", STRICT, "presidio, test templates", ("PERSON",), 0.90),
    ("secrets covered", BALANCED, "secrets drawn from gitleaks' rules", ("API_KEY", "PRIVATE_KEY", "JWT"), 0.95),
)
"""What, of which system, on which set, over which types, and the least that was promised."""


def bars(made: list[Row], hits: Row) -> list[Row]:
    found = []
    for name, system, part, types, least in BARS:
        scored = [row for row in made if row["set"] == part and row["type"] in types]
        if scored:
            n = sum(row["n"] for row in scored)
            share = sum(row["systems"][system]["covered"] * row["n"] for row in scored) / n
            found.append({"bar": f"{name}, n = {n}", "least": least, "measured": share, "met": share >= least})
    rate = hits["secrets_per_kb"]
    return [*found, {"bar": "secrets: false hits per KB of code", "most": 0.05, "measured": rate, "met": rate <= 0.05}]


def cell(figures: Row) -> str:
    shares = " / ".join(
        "-" if figures[key] is None else f"{figures[key]:.2f}" for key in ("precision", "recall", "covered")
    )
    low, high = figures["covered_interval"]
    return f"{shares} ({low:.2f}-{high:.2f})"


def printed(row: Row) -> str:
    cells = " | ".join(cell(row["systems"][name]) for name in SYSTEMS)
    return f"| {row['language']} | {row['set']} | {row['type']} | {row['n']} | {cells} |"


def report(hits: Row, found: list[Row]) -> None:
    print(
        f"\nFalse hits on the standard library: secrets {hits['secrets_per_kb']:.4f} per KB ({hits['secrets_kb']} KB)"
    )
    print(f"Hits of every type per KB ({hits['sample_kb']} KB; authors' addresses among them):")
    for name, figures in hits["every"].items():
        most = ", ".join(f"{entity} {count}" for entity, count in Counter(figures["types"]).most_common(5))
        print(f"  {name:22} {figures['per_kb']:7.3f}   {most}")
    print("\nBars:")
    for bar in found:
        wanted = f"at least {bar['least']}" if "least" in bar else f"at most {bar['most']}"
        print(f"  {'met   ' if bar['met'] else 'MISSED'} {bar['bar']}: {bar['measured']:.3f}, {wanted}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", required=True, type=Path, help="the folder of labelled sets")
    options.add_argument(
        "--texts", type=Path, help="the folder of tests/training/names_real.py: text not written by us"
    )
    options.add_argument("--most", type=int, default=400, help="texts a set, at most")
    options.add_argument("--code", type=int, default=1000, help="KB of the standard library to read")
    options.add_argument("--only", default="", help="sets whose `language set` holds this")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    began = time.monotonic()
    systems, made = Systems(LANGUAGES), list[Row]()
    if not chosen.json:
        print(f"names model: {NamesModel().version}\n\n| language | set | type | n | {' | '.join(SYSTEMS)} |")
        print("|---|---|---|---|" + "---|" * len(SYSTEMS))
    for part in sets(chosen.data, chosen.most, chosen.texts):
        for row in rows(part, systems) if chosen.only in f"{part.language} {part.name}" else ():
            made.append(row)
            if not chosen.json:
                print(printed(row), flush=True)
    hits = false_hits(systems, chosen.code)
    systems.close()
    found, took = bars(made, hits), round(time.monotonic() - began, 1)
    if chosen.json:
        version = NamesModel().version
        json.dump({"names_model": version, "rows": made, "code": hits, "bars": found, "seconds": took}, sys.stdout)
        return
    report(hits, found)
    print(f"\n{took} s")


if __name__ == "__main__":
    main()
