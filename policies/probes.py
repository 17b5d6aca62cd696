"""The samples with what may be unknown unknown: each such field alone, and all of them at once.

A builtin that is given null is an error in the sidecar, and the call is refused with PDP_ERROR; `opa test` and
`opa exec` take it for undefined, so that tests pass and the rule is quietly passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies import generate
from sidecar.drivers.bundle import Sample
from sidecar.policy.contract import Document

Path = tuple[str, ...]


def probes(name: str, known_input: Mapping[str, Any]) -> Iterator[Sample]:
    schema = generate.schema_of(Document, "")
    paths = [path for path in nullable(schema) if known(known_input, path)]
    nothing = dict(known_input)
    for path in paths:
        yield Sample(name=f"{name} where {'.'.join(path)} is null", input=nulled(known_input, path))
        nothing = nulled(nothing, path)
    yield Sample(name=f"{name} where nothing is known", input=nothing)


def nullable(schema: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """The fields that may be null beside something else; an object's own null is its phase's to say."""
    for name, node in schema.get("properties", {}).items():
        if "properties" in node:
            yield from nullable(node, (*path, name))
        elif isinstance(node.get("type"), list) and "null" in node["type"]:
            yield (*path, name)


def known(document: Any, path: Path) -> bool:
    for name in path:
        document = document[name] if document is not None else None
    return document is not None


def nulled(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    name, *rest = path
    return {**document, name: nulled(document[name], tuple(rest)) if rest else None}
