"""What the prose shows, done as it is shown: commands, settings, tables, and the program that checks an export."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import certifi
import pytest

from sidecar import cli
from sidecar.config import load
from sidecar.dialects.routes import GOVERNED, PASSED
from sidecar.drivers import store_export
from sidecar.drivers.policy_auditor import Counts
from sidecar.drivers.store_reader import Reader
from sidecar.ledger.entries import COMMON, SHAPES, intent_entry, outcome_entry
from sidecar.proxy.meter import Meter
from sidecar.wiring.checking import refuse_problems
from sidecar.wiring.engines import AuditMetric
from tests.ledger.factory import fill, make_intent, make_outcome

ROOT = Path(__file__).resolve().parent.parent
PROSE = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "decisions").glob("*.md"))]
PROSE += sorted((ROOT / "policies").glob("*/README.md"))
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(path: Path, *kinds: str) -> list[str]:
    return [text for kind, text in FENCED.findall(path.read_text()) if kind in kinds]


def table(path: Path, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, cells stripped."""
    below = path.read_text().split(f"{heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert lines is not None, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[0].splitlines()[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


SETTINGS = [(path, text) for path in PROSE for text in blocks(path, "yaml")]


@pytest.mark.parametrize(("path", "text"), SETTINGS, ids=[f"{p.parent.name}-{p.stem}" for p, _ in SETTINGS])
def test_settings_that_are_shown_are_settings(path: Path, text: str, tmp_path: Path) -> None:
    """`serve` would start with them, given the files that they name."""
    file, words, key = tmp_path / "sidecar.yaml", tmp_path / "staff.txt", tmp_path / "key"
    words.write_text("Titan\n")
    key.write_text("key\n")
    named = {"staff.txt": words, "presidio.key": key, "authorities.pem": certifi.where()}
    for name, path_of_it in named.items():
        text = text.replace(f"/etc/sidecar/{name}", str(path_of_it))
    file.write_text(text)
    refuse_problems(load({"upstream.url": "http://127.0.0.1:9"}, file=file, environ={}))


def commands() -> list[str]:
    """Every line of a block, or of an indented example, that runs `sidecar`."""
    found = []
    for path in PROSE:
        lines = [line for text in blocks(path, "", "sh") for line in text.splitlines()]
        found += [line.strip() for line in lines if re.match(r" *(\.venv/bin/)?sidecar [a-z]", line)]
    return found


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_commands_that_are_shown_are_commands(command: str) -> None:
    """The help's own examples are in docs/cli.md; behind two spaces stands what they are for."""
    words = shlex.split(re.split(r"\s{2,}| [|>] ", command)[0], comments=True)
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            cli.build_parser().parse_args([word for word in words[1:] if word != "..."])
        except SystemExit:
            pytest.fail(said.getvalue())


@pytest.mark.parametrize("path", PROSE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_programs_that_are_named_are_there(path: Path) -> None:
    for named in re.findall(r"python3? ((?:tests|deploy|policies)/\S+?\.py)", path.read_text()):
        assert (ROOT / named).exists(), named


def anchors(path: Path) -> set[str]:
    """Of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PROSE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        file, _, anchor = target.partition("#")
        found = path.parent / file if file else path
        assert target.startswith("https://") or found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_the_paths_are_those_of_the_route_tables() -> None:
    told: dict[str, dict[str, set[str]]] = {kind: {"governed": set(), "passes": set()} for kind in GOVERNED}
    for paths, *actions in table(ROOT / "docs" / "operations.md", "## Which paths there are"):
        for kind, action in zip(("openai", "vllm"), actions, strict=True):
            for named in names(paths) if action != "refused" else ():
                method, path = named.split(" ")
                assert method == ("POST" if action == "governed" else "GET")
                told[kind][action].add(path)
    for kind, said in told.items():
        assert said["governed"] == set(GOVERNED[kind])
        assert said["passes"] == PASSED[kind] | {"/v1/models/{model}"}


def test_the_metrics_are_those_that_there_are() -> None:
    told = {names(row[0])[0]: row[1] for row in table(ROOT / "docs" / "operations.md", "## Metrics")}
    registry = Meter().registry
    registry.register(AuditMetric(Counts()))
    there = {metric.name: metric for metric in registry.collect()}
    assert set(told) == set(there)
    for name, metric in there.items():
        labels = {label for sample in metric.samples for label in sample.labels} - {"le"}
        assert labels <= set(re.findall(r"\w+", told[name])), name


TOKEN = b"0123456789012345678901234567890123"


@pytest.mark.parametrize("typ", ["intent", "outcome"])
def test_the_fields_of_entries_are_those_that_are_written(typ: str) -> None:
    rows = table(ROOT / "docs" / "ledger-format.md", f"### Fields of an {typ}")
    told = [name for row in rows for name in names(row[0])]
    assert len(told) == len(set(told))
    entry = intent_entry(make_intent(model_requested="x y"), 1, "s", lambda n: TOKEN[:n]) if typ == "intent" else None
    entry = entry or outcome_entry(make_outcome(rationale="x" * 70_000), 1, "s", lambda n: TOKEN[:n])
    written = set(json.loads(entry.body)) - COMMON
    assert set(told) - {"withheld"} == written - {"withheld"}
    assert SHAPES[typ] <= set(told)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of more entries than one tile holds."""
    folder = tmp_path_factory.mktemp("docs")
    asyncio.run(fill(folder / "state", 150))
    with Reader.open(folder / "state") as reader:
        store_export.export(reader, folder / "export")
    return folder / "export"


def verified(export: Path, key: str, folder: Path) -> subprocess.CompletedProcess[str]:
    [program] = blocks(ROOT / "docs" / "ledger-format.md", "python")
    (folder / "verify_log.py").write_text(program)
    command = [sys.executable, "-I", str(folder / "verify_log.py"), str(export), key]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_program_of_the_document_verifies_an_export(export: Path, tmp_path: Path) -> None:
    done = verified(export, (export / "log.vkey").read_text().strip(), tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"3\d\d entries of ledger\.example/audit/\w+ are as they were signed\n", done.stdout)


def flipped(path: Path, word: bytes) -> bytes:
    data = path.read_bytes()
    at = data.index(word)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("name", "word", "why"),
    [
        ("tile/entries/000", b"answered", "the entries are not those signed"),
        ("tile/entries/001.p/*", b"answered", "the entries are not those signed"),
        ("checkpoint", b"ledger.example", "InvalidSignature"),
        ("disclosures.jsonl", b"WyJ", "does not commit to this disclosure"),
    ],
)
def test_it_finds_one_changed_byte(export: Path, tmp_path: Path, name: str, word: bytes, why: str) -> None:
    [path] = export.glob(name)
    whole = path.read_bytes()
    try:
        path.write_bytes(flipped(path, word))
        done = verified(export, (export / "log.vkey").read_text().strip(), tmp_path)
    finally:
        path.write_bytes(whole)
    assert done.returncode != 0 and why in done.stderr


def test_it_does_not_take_another_key(export: Path, tmp_path: Path) -> None:
    name = (export / "log.vkey").read_text().strip().split("+")[0]
    raw = b"\1" + bytes(32)
    digest = hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8]
    assert verified(export, f"{name}+{digest}+{base64.b64encode(raw).decode()}", tmp_path).returncode != 0
