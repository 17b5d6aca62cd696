"""The scorecard's command on a made-up data folder: every system answers, every section is there."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import scorecard

COMMAND = Path(__file__).with_name("scorecard.py")
FORMATS = [
    ("EMAIL_ADDRESS", "anna{}@corp.example"),
    ("PHONE_NUMBER", "+49 30 9018{:02d}"),
    ("PERSON", "Margaret Thatcher"),
]


def sentence(number: int) -> dict[str, Any]:
    """A sentence as presidio-research has them, with three values."""
    text, spans = f"Note {number}: ", []
    for entity, form in FORMATS:
        value = form.format(number)
        spans.append({"entity_type": entity, "start_position": len(text), "end_position": len(text) + len(value)})
        text += f"{value} wrote. "
    return {"full_text": text, "spans": spans, "template_id": number}


def document(number: int) -> dict[str, Any]:
    text = f"Paciente {number}: Margaret Thatcher, escriba a m{number}@salud.example."
    mail = text.index(f"m{number}@")
    spans = [
        [text.index("M"), text.index(","), "NOMBRE_SUJETO_ASISTENCIA"],
        [mail, len(text) - 1, "CORREO_ELECTRONICO"],
    ]
    return {"id": f"doc{number}", "text": text, "spans": spans}


def fill(folder: Path) -> None:
    for name in ("presidio_research", "wikigold", "meddocan_es"):
        (folder / name).mkdir()
    rows = [sentence(number) for number in range(60)]
    (folder / "presidio_research" / "generated_large.json").write_text(json.dumps(rows))
    lines = "".join(f"Case O\n{number} O\nnames O\nMargaret I-PER\nThatcher I-PER\n. O\n\n" for number in range(80))
    (folder / "wikigold" / "wikigold.conll.txt").write_text(lines)
    with gzip.open(folder / "meddocan_es" / "dev.jsonl.gz", "wt") as documents:
        documents.writelines(json.dumps(document(number)) + "\n" for number in range(80))


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("data")
    fill(folder)
    command = [
        sys.executable,
        "-W",
        "ignore",
        str(COMMAND),
        "--data",
        str(folder),
        "--most",
        "5",
        "--code",
        "20",
        "--json",
    ]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=280).stdout)


def test_every_system_is_scored(answer: Any) -> None:
    scored = {(row["set"], row["type"]): row["systems"] for row in answer["rows"]}
    mail, person = scored["presidio, held-back half", "EMAIL_ADDRESS"], scored["wikigold", "PERSON"]
    assert mail["ours"]["covered"] == mail["ours, strict"]["covered"] == 1.0
    assert mail["Presidio"]["covered"] == 0.0  # the domain is not on the public suffix list
    assert person["Presidio"]["covered"] == 0.0
    assert person["Presidio + our names"]["covered"] == person["ours"]["covered"] == 1.0
    assert ("meddocan, lower case", "EMAIL_ADDRESS") in scored
    assert answer["names_model"]


def test_the_bars_name_what_was_promised(answer: Any) -> None:
    named = {bar["bar"].split(",")[0]: bar["met"] for bar in answer["bars"]}
    assert named["e-mail covered"] is True
    assert {"phone covered", "secrets covered", "secrets: false hits per KB of code"} <= set(named)


def test_it_is_printed_too(answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    line = scorecard.printed(next(row for row in answer["rows"] if row["set"] == "wikigold"))
    assert line.startswith("| en | wikigold | PERSON | 5 | 1.00 / 1.00 / 1.00 (0.57-1.00) |")
    scorecard.report(answer["code"], answer["bars"])
    assert "False hits on the standard library" in capsys.readouterr().out
