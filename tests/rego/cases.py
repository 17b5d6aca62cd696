"""OPA's own conformance cases, each turned into a plan and an expectation.

A case holds modules, data, an input and a *query*; a plan has entrypoints only. So each query becomes a
rule that collects its bindings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ENTRYPOINT = "conformance/rows"


@dataclass(frozen=True)
class Case:
    note: str
    folder: str
    modules: dict[str, str]
    data: dict[str, Any]
    document: Any
    has_document: bool
    unusual_input: bool
    want_rows: list[dict[str, Any]] | None
    want_defined: bool | None
    want_error: bool
    strict: bool
    sort_bindings: bool
    experimental: bool


class _Loader(yaml.CSafeLoader):
    """YAML as Go's library reads it: no dates, no `=` or `<<` magic."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
    for first, pairs in _Loader.yaml_implicit_resolvers.items()
}


def read(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.rglob("*.yaml")):
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        for item in (document or {}).get("cases") or ():
            yield _case(item, path.parent.name)


def _case(item: dict[str, Any], folder: str) -> Case:
    modules = {f"m{index}.rego": text for index, text in enumerate(item.get("modules") or ())}
    rows = item.get("want_result")
    modules["conformance.rego"] = _collector(item["query"], rows)
    term = item.get("input_term")
    document, unusual = _parsed(term) if term is not None else (item.get("input"), False)
    return Case(
        note=item["note"],
        folder=folder,
        modules=modules,
        data=item.get("data") or {},
        document=document,
        has_document=term is not None or "input" in item,
        unusual_input=unusual,
        want_rows=rows,
        want_defined=item.get("want_defined"),
        want_error=bool(item.get("want_error_code") or item.get("want_error")),
        strict=bool(item.get("strict_error")),
        sort_bindings=bool(item.get("sort_bindings")),
        experimental=bool(item.get("experimental_keywords")),
    )


def _collector(query: str, rows: list[dict[str, Any]] | None) -> str:
    names = sorted({name for row in rows or () for name in row if re.fullmatch(r"\w+", name)})
    pairs = ", ".join(f'"{name}": {name}' for name in names)
    return f"package conformance\nrows := [{{{pairs}}} | {query}]\n"


def _parsed(term: str) -> tuple[Any, bool]:
    try:
        return json.loads(term), False
    except ValueError:
        return None, True


def agrees(case: Case, rows: Any) -> bool:
    """Whether the collected bindings are what the case wants; the order of rows does not count."""
    if case.want_error:
        return False
    if case.want_rows is None:
        return bool(rows) == (case.want_defined if case.want_defined is not None else True)
    return _sorted(rows, case.sort_bindings) == _sorted(case.want_rows, case.sort_bindings)


def _sorted(rows: list[dict[str, Any]], bindings: bool) -> list[str]:
    return sorted(_text(row, bindings) for row in rows)


def _text(value: Any, bindings: bool) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_text(value[key], bindings)}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        parts = [_text(item, bindings) for item in value]
        return "[" + ",".join(sorted(parts) if bindings else parts) + "]"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)
