"""The rooms may only import downwards, and the contracts that say so do fail when they are broken."""

from __future__ import annotations

import ast
import re
import shutil
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "sidecar"
LINTER = Path(sys.executable).parent / "lint-imports"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_imports_point_down() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


def test_the_architecture_page_has_the_layers_as_they_are_held() -> None:
    told = (ROOT / "docs" / "architecture.md").read_text().split("```")[1]
    held = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    assert told.split() == " > ".join(held).replace("sidecar.", "").replace("testing > ", "").split()


CITED = re.compile(r"\b(?:docs|policies|reference|schemas|sidecar|tests)/[\w./-]+\.(?:md|py|json)\b|\b\w+\.md\b")
OURS = [path for folder in ("sidecar", "policies", "tests") for path in (ROOT / folder).rglob("*.py")]


def test_what_the_code_cites_can_be_read() -> None:
    """A file or a guarantee that a docstring points to, and that nobody here has, tells a newcomer nothing."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    for path in OURS:
        text = path.read_text()
        for number in re.findall(r"\bguarantee (\d+)", text):
            assert f"\n{number}. **" in page, (path, number)
        for cited in CITED.findall(text) if "sidecar" in path.relative_to(ROOT).parts[:1] else ():
            places = [ROOT / cited, path.parent / cited, *path.parent.rglob(cited)]
            assert any(place.exists() for place in places), (path, cited)


ROOMS = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_has_a_map_of_its_modules(room: Path) -> None:
    """The docstring of the package says what each module holds, so that nobody opens thirty files to find one."""
    told = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    modules = {path.stem for path in room.glob("*.py") if not path.stem.startswith("__")}
    modules |= {path.parent.name for path in room.glob("*/__init__.py")}
    assert modules <= set(re.findall(r"\w+", told)), modules - set(re.findall(r"\w+", told))


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("model.py", "import sidecar.stream", "Imports point down"),
        ("redaction/__init__.py", "import sidecar.dialects", "Imports point down"),
        ("ledger/__init__.py", "import sqlite3", "The core does no I/O"),
        ("console/__init__.py", "import sidecar.dialects", "The auditor's side never meets the caller's side"),
    ],
)
def test_each_contract_fails_when_it_is_violated(tmp_path: Path, module: str, line: str, contract: str) -> None:
    shutil.copytree(PACKAGE, tmp_path / "sidecar", ignore=shutil.ignore_patterns("__pycache__", "*.onnx"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "sidecar" / module).open("a") as file:
        file.write(f"\n{line}\n")

    result = lint(tmp_path)

    assert result.returncode != 0
    assert f"{contract} BROKEN" in result.stdout


def test_auditing_loads_nothing_of_the_proxy_side() -> None:
    """import-linter does not see through a driver, so a fresh process is asked what it has loaded."""
    code = (
        "import sys; from sidecar import cli; from sidecar.wiring import auditing\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('aiohttp', 'presidio_analyzer', 'spacy') or\n"
        "  m.startswith(('sidecar.proxy', 'sidecar.exchange', 'sidecar.redaction', 'sidecar.dialects'))]\n"
        "print(bad); sys.exit(bool(bad))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def functions(path: Path) -> list[int]:
    """Lines of each function, docstrings not counted."""
    sizes = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = node.body[0].end_lineno - node.body[0].lineno + 1 if ast.get_docstring(node) else 0
            sizes.append(node.end_lineno - node.lineno + 1 - doc)
    return sizes


def test_the_median_function_is_short() -> None:
    sizes = sorted(size for path in PACKAGE.rglob("*.py") for size in functions(path))
    median = statistics.median(sizes)
    print(f"{len(sizes)} functions, median {median} lines, 90th percentile {sizes[len(sizes) * 9 // 10]}")
    assert median <= 10


def test_no_file_is_long() -> None:
    sizes = {path.relative_to(ROOT): path.read_text().count("\n") for path in PACKAGE.rglob("*.py")}
    assert {path: size for path, size in sizes.items() if size > 400} == {}
