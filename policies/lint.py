"""What `opa check` does not know: the rules of this product for packs, over `opa parse --format json`.

allow       only the wrapper decides; a pack that defines `allow` would look as if it did
deny        one object with a literal `code`, described by METADATA with the same code, a severity and a control, and
            with no `{name}` in the description that the deny's params do not have
text        no string is built in a deny: texts are the catalogue's, or user data would get into them
routes      data.json names no pack that is not there
objects     no partial objects: OPA's server and a plan differ on conflicts in them
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sidecar.policy.catalogue import FIELD

SEVERITIES = {"low", "medium", "high", "critical"}
TEMPLATE = "a template string"
BUILDERS = {TEMPLATE, "sprintf", "concat", "format_int", "json.marshal", "yaml.marshal", "strings.render_template"}


def lint(parse: Callable[[str], Any], root: Path) -> Iterator[str]:
    """One line for each breach in the packs and the wrapper under `root`. `parse` gives a file's syntax tree."""
    packages = set()
    for path in sorted(root.rglob("*.rego")):
        name = path.relative_to(root).as_posix()
        if not name.endswith("_test.rego"):
            module = parse(name)
            packages.add(package_of(module))
            yield from (f"{name}: {breach}" for breach in breaches(module))
    yield from misrouted(root / "data.json", packages)


def misrouted(data: Path, packages: set[str]) -> Iterator[str]:
    """Every call would be refused with PACK_MISSING, and every sample with it."""
    routes = json.loads(data.read_text())["governor"]["routes"] if data.exists() else {}
    for phase, packs in routes.items():
        for pack in packs:
            if f"packs.{pack}" not in packages:
                yield f"data.json: governor.routes.{phase} names {pack}, but no file is `package packs.{pack}`"


def package_of(module: Any) -> str:
    return ".".join(str(term["value"]) for term in module["package"]["path"][1:])


def breaches(module: Any) -> Iterator[str]:
    package = package_of(module).split(".")
    for rule in module.get("rules", []):
        head = rule["head"]
        name = str(head["ref"][0]["value"])
        if package[0] == "packs" and name == "allow":
            yield "defines `allow`; packs only deny and oblige"
        if is_partial_object(head):
            yield f"`{name}` is a partial object"
        if name in ("deny", "denies") and not (package[0] == "governor" and passes_on(head)):
            yield from deny_breaches(rule)


def is_partial_object(head: Any) -> bool:
    """`p[x] := y`, and `p.q[x] := y`, whose head has no key of its own."""
    computed = any(term["type"] != "string" for term in head["ref"][1:])
    return "value" in head and ("key" in head or (computed and "args" not in head))


def passes_on(head: Any) -> bool:
    """The wrapper's own `denies contains deny`: it hands on what packs said."""
    return bool(head.get("key", {}).get("type") == "var")


def deny_breaches(rule: Any) -> Iterator[str]:
    code = literal_code(rule["head"].get("key"))
    custom = {key: value for note in rule.get("annotations", []) for key, value in note.get("custom", {}).items()}
    if code is None:
        yield "a deny has no literal `code`"
    elif custom.get("code") != code:
        yield f"{code} has no METADATA that names it as custom.code"
    if custom.get("severity") not in SEVERITIES or not custom.get("control"):
        yield f"{code} has no custom.severity or no custom.control"
    described = [note["description"] for note in rule.get("annotations", []) if "description" in note]
    if not described:
        yield f"{code} has no description, which is what the caller reads"
    if unfilled := unfilled_fields(" ".join(described), members(rule["head"].get("key")).get("params")):
        yield f"{code} has {{{unfilled[0]}}} in its description, but no such param: the caller would read it so"
    if called := sorted(set(calls(rule)) & BUILDERS):
        yield f"{code} builds text with {called[0]}"


def literal_code(key: Any) -> str | None:
    """The string under "code" of an object literal."""
    code = members(key).get("code", {})
    return str(code["value"]) if code.get("type") == "string" else None


def unfilled_fields(text: str, params: Any) -> list[str]:
    """The `{name}` fields that a literal object of params does not have; of a computed one nothing is known."""
    computed = params is not None and params.get("type") != "object"
    return [] if computed else sorted(set(FIELD.findall(text)) - set(members(params)))


def members(term: Any) -> dict[str, Any]:
    """The terms of an object literal by their keys (it is parsed as pairs of terms)."""
    pairs = term["value"] if term and term.get("type") == "object" else []
    return {name["value"]: value for name, value in pairs if isinstance(name["value"], str)}


def calls(node: Any) -> Iterator[str]:
    """The dotted name of every reference in a rule, which includes every function called."""
    if isinstance(node, list):
        for item in node:
            yield from calls(item)
    elif isinstance(node, dict):
        if node.get("type") == "ref":
            yield ".".join(str(term["value"]) for term in node["value"] if isinstance(term["value"], str))
        if node.get("type") == "templatestring":
            yield TEMPLATE
        for key, value in node.items():
            if key != "annotations":
                yield from calls(value)
