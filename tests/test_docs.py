"""Settings, command-line help, schemas: what is written about them is generated, so that it cannot drift.

`SIDECAR_UPDATE=1 python -m pytest tests/test_docs.py` writes the files anew.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import TypeAdapter

from policies.generate import schema_of
from sidecar import cli, policy
from sidecar.config import NAMES, PREFIX, Config, ConfigError, load
from sidecar.console.query import Row
from sidecar.ledger.report import Report
from sidecar.ledger.views import RecordView, ShownRecord

ROOT = Path(__file__).resolve().parent.parent
UPDATE = bool(os.environ.get("SIDECAR_UPDATE"))  # noqa: TID251  the test's own switch


def same(path: Path, text: str) -> None:
    if UPDATE:
        path.write_text(text)
    assert path.read_text() == text, f"{path.name} is stale: SIDECAR_UPDATE=1 writes it anew"


def settings() -> str:
    lines = [
        "# Settings",
        "",
        "Later wins: built-in default, `--config FILE` (YAML, nested by the dot), environment, flag.",
        "`sidecar config check` prints the effective values and their sources. Generated from `sidecar/config.py`.",
        "",
        "| setting | environment | default | what it does |",
        "|---|---|---|---|",
    ]
    for name, field in NAMES.items():
        default = field.get_default(call_default_factory=True)
        shown = "" if default in (None, (), {}) else f"`{default}`"
        lines.append(f"| `{name}` | `{PREFIX}{name.upper().replace('.', '_')}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"


def helps(parser: argparse.ArgumentParser, path: str = "sidecar") -> list[str]:
    """The help of every command, outermost first."""
    pages = [f"## {path}\n\n```\n{parser.format_help().rstrip()}\n```\n"]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                pages += helps(child, f"{path} {name}")
    return pages


def test_settings_are_documented() -> None:
    assert all(field.description for field in NAMES.values())
    same(ROOT / "docs" / "settings.md", settings())


def test_command_line_help_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    pages = helps(cli.build_parser())
    path, text = ROOT / "docs" / "cli.md", "# Command line\n\nGenerated from the parser itself.\n\n" + "\n".join(pages)
    if not UPDATE and path.read_text().split() == text.split():  # Python 3.13 breaks the lines of a usage elsewhere
        return
    same(path, text)


def test_every_command_shows_itself_at_work() -> None:
    for page in helps(cli.build_parser()):
        title, _, *text = page.split("\n\n")
        if "COMMAND" not in page:
            assert f"{title.removeprefix('## ')} " in "\n".join(text), title


def test_the_configuration_schema_is_that_of_the_types() -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}
    same(ROOT / "schemas" / "config.schema.json", json.dumps(schema, indent=2, sort_keys=True) + "\n")


VIEWS = {"record-row": Row, "verification-report": Report}
"""What programs read of the record: lines of `audit query --json`, and `audit verify --json`."""


@pytest.mark.parametrize("name", VIEWS)
def test_the_schemas_of_what_programs_read_are_those_of_the_types(name: str) -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **TypeAdapter(VIEWS[name]).json_schema()}
    if name == "record-row":
        schema["properties"]["time"] = {"type": "string", "format": "date-time"}  # as render.json_lines writes it
    same(ROOT / "schemas" / f"{name}.schema.json", json.dumps(schema, indent=2, sort_keys=True) + "\n")


RECORDS = {"record": (RecordView, "A line of records.jsonl"), "shown-record": (ShownRecord, "audit show --json")}


@pytest.mark.parametrize("name", RECORDS)
def test_the_schemas_of_whole_records_are_those_of_the_types(name: str) -> None:
    same(ROOT / "schemas" / f"{name}.schema.json", json.dumps(schema_of(*RECORDS[name]), indent=2) + "\n")


@pytest.mark.parametrize("path", sorted((ROOT / "schemas" / "examples").glob("*.json")), ids=lambda path: path.stem)
def test_examples_of_what_programs_read(path: Path) -> None:
    name, valid = re.fullmatch(r"(.+?)-(valid|invalid)(?:-.*)?", path.stem).groups()  # type: ignore[union-attr]
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    instance = json.loads(path.read_text())
    assert jsonschema.Draft202012Validator(schema).is_valid(instance) is (valid == "valid")


EXAMPLES = sorted((ROOT / "schemas" / "examples").glob("config-*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_configuration_examples(path: Path) -> None:
    """Schema and loader agree on each example: `config-valid-*` is taken, `config-invalid-*` refused by both."""
    schema = json.loads((ROOT / "schemas" / "config.schema.json").read_text())
    valid = jsonschema.Draft202012Validator(schema).is_valid(yaml.safe_load(path.read_text()))
    assert valid is path.stem.startswith("config-valid")
    if valid:
        load({}, file=path, environ={})
    else:
        with pytest.raises(ConfigError) as caught:
            load({}, file=path, environ={})
        assert str(path) in str(caught.value)


def test_there_are_examples_of_both_kinds() -> None:
    stems = [path.stem for path in EXAMPLES]
    assert any(stem.startswith("config-valid") for stem in stems)
    assert sum(stem.startswith("config-invalid") for stem in stems) >= 3


def codes_in_source() -> dict[str, str]:
    """Every code literal that an error of ours is raised with, and where."""
    kinds = {"CallerError", "Refusal", "UpstreamError", "OwnError", "SidecarError"}
    found: dict[str, str] = {}
    for path in (ROOT / "sidecar").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) in kinds and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    found[code.value] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


def test_every_code_is_in_the_catalogue_and_in_the_docs() -> None:
    page = (ROOT / "docs" / "reason-codes.md").read_text()
    codes = codes_in_source()
    assert len(codes) > 20
    unknown = {code: where for code, where in codes.items() if code not in policy.FAULTS}
    assert unknown == {}
    assert [code for code in codes if f"`{code}`" not in page] == []
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]+", code) for code in codes)


MORE_EXACT = {("PROTOCOL_ERROR", 417), ("PROTOCOL_ERROR", 431)}
"""RFC 9110 has a status of its own for these two."""


def test_status_and_retry_of_an_error_agree_with_the_catalogue() -> None:
    """Where a code is raised with a status of its own, it is the catalogue's."""
    wrong: list[Any] = []
    defaults = {"CallerError": 400, "Refusal": 403, "UpstreamError": 502, "OwnError": 503}
    for path in (ROOT / "sidecar").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            kind = getattr(getattr(node, "func", None), "id", None)
            if not isinstance(node, ast.Call) or kind not in defaults or not isinstance(node.args[0], ast.Constant):
                continue
            given = [k.value.value for k in node.keywords if k.arg == "status" and isinstance(k.value, ast.Constant)]
            status = given[0] if given else defaults[kind]
            known = policy.FAULTS.get(str(node.args[0].value))
            if known and known.status != status and (known.code, status) not in MORE_EXACT:
                wrong.append((node.args[0].value, status, known.status, path.name))
    assert wrong == []


def test_readme_names_files_that_are_there() -> None:
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / target).exists(), target
    assert "python3 deploy/run.py demo" in text
    assert "python3 deploy/run.py test" in text
