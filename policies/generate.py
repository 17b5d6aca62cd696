"""Writes what is generated from the types and the packs: `python -m policies.generate` (tests hold them equal).

schemas/policy-input.schema.json, schemas/decision.schema.json   from sidecar/policy/contract.py
schemas/policy-input.examples/, schemas/decision.examples/       one call as the sidecar sees it, and broken ones
policies/testing/data.json                                       the same, as `data.testing` of the Rego tests
docs/reason-codes.md                                             from the catalogue and the packs' METADATA
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from sidecar.drivers.bundle_reasons import reasons_of
from sidecar.model import (
    Arrival,
    Asserted,
    Call,
    Caller,
    Detector,
    Finding,
    Inspection,
    Operation,
    Part,
    Place,
    ReplyFacts,
    Role,
    Side,
    Usage,
)
from sidecar.policy import FAULTS, Reason, catalogue, request_document, response_document
from sidecar.policy.contract import DecisionAnswer, Document

ROOT = Path(__file__).resolve().parent.parent
POLICIES = ROOT / "policies"

PROMPT = Place(path=("messages", 0, "content"), label="messages[0].content")
LOOKED = (Detector("patterns", "1"),)
NOT_LOOKED_FOR = ("NAME", "LOCATION")


def example_request() -> dict[str, Any]:
    """A call on egress that holds one e-mail address."""
    return request_document(
        arrival=Arrival(
            id="01981f0e-7a3c-7000-8000-000000000001",
            at=1_767_952_800_000_000,
            method="POST",
            route="/v1/chat/completions",
            target="/v1/chat/completions",
            headers=(),
            body=b"",
            caller=Caller(tenant="acme", app="helpdesk", roles=("agent",), auth="api_key"),
            asserted=Asserted(use_case="support", prompt_name="reply", prompt_version="7"),
        ),
        call=Call(
            operation=Operation.CHAT,
            model="gpt-4o-mini",
            stream=True,
            parts=(Part(place=PROMPT, role=Role.USER, text="Write to ada@example.org"),),
            params={"temperature": 0.2, "n": 1},
            max_tokens=1024,
            tools=("lookup_order",),
        ),
        inspection=Inspection(
            findings=(Finding(place=PROMPT, start=9, end=24, entity="EMAIL_ADDRESS", score=1.0, detector="patterns"),),
            detectors=LOOKED,
            not_looked_for=NOT_LOOKED_FOR,
        ),
        side=Side.EGRESS,
        provider="openai",
    )


def example_response() -> dict[str, Any]:
    """The reply to it, with log probabilities."""
    return response_document(
        example_request(),
        inspection=Inspection(findings=(), detectors=LOOKED, not_looked_for=NOT_LOOKED_FOR),
        facts=ReplyFacts(
            model_served="gpt-4o-mini-2024-07-18",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=31, output_tokens=120),
            confidence_ppm=912_000,
            confidence_source="logprobs-mean-v1",
            complete=True,
        ),
        window=False,
    )


def examples() -> Iterator[tuple[str, str, Any]]:
    """(schema, `valid` or `invalid` / name, document)."""
    request, response = example_request(), example_response()
    yield "policy-input", "valid/request", request
    yield "policy-input", "valid/response", response
    yield "policy-input", "valid/response-window", {**response, "phase": "response_window"}
    yield "policy-input", "invalid/field-missing", without(request, "session_id")
    yield "policy-input", "invalid/field-unknown", {**request, "prompt": "text is never an input"}
    yield "policy-input", "invalid/list-null", changed(request, "content", entities=None)
    yield "policy-input", "invalid/person-named", changed(request, "principal", subject="someone")
    yield "policy-input", "invalid/contract-other", {**request, "contract": "2"}
    redact = {"type": "redact", "id": "pii_egress/redact", "params": {"entities": ["*"], "mode": "surrogate"}}
    allow = {"contract": "1", "allow": True, "denies": [], "obligations": [redact]}
    deny = {"code": "UNINSPECTABLE_CONTENT", "params": {"kind": "image", "label": "messages[0].content[1]"}}
    yield "decision", "valid/allow", allow
    yield "decision", "valid/deny", {**allow, "allow": False, "denies": [deny]}
    yield "decision", "valid/may-be-ignored", {**allow, "obligations": [{"type": "later", "critical": False}]}
    yield "decision", "invalid/allow-text", {**allow, "allow": "true"}
    yield "decision", "invalid/denies-missing", without(allow, "denies")
    yield "decision", "invalid/deny-bare", {**allow, "denies": ["UNINSPECTABLE_CONTENT"]}
    yield "decision", "invalid/contract-number", {**allow, "contract": 1}


def without(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


def changed(document: Mapping[str, Any], at: str, **values: Any) -> dict[str, Any]:
    return {**document, at: {**document[at], **values}}


def schema_of(kind: Any, title: str) -> dict[str, Any]:
    """The JSON Schema of a TypedDict. Nothing is a `$ref`, which `opa check --schema` would not follow."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema_node(kind)}


PLAIN: Mapping[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
    Any: {},
}


def schema_node(kind: Any) -> dict[str, Any]:
    """The schema of one of the forms that contract.py uses; KeyError for any other."""
    origin, inner = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        return closed_object(kind)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, UnionType):
        return union([schema_node(item) for item in inner])
    if origin is list:
        return {"type": "array", "items": schema_node(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_node(inner[1])}
    return dict(PLAIN[kind])


def closed_object(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {
        "type": "object",
        "properties": {name: schema_node(strip(hint)) for name, hint in hints.items()},
        "required": [name for name, hint in hints.items() if get_origin(hint) is not NotRequired],
        "additionalProperties": False,
    }


def strip(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is NotRequired else hint


def union(items: list[dict[str, Any]]) -> dict[str, Any]:
    """One node with a list of types, the form that OPA's checker reads, where at most one of them is more than a type:
    keywords of objects and lists say nothing of other values. Others as `anyOf`, of which the checker reads nothing."""
    described = [item for item in items if set(item) != {"type"}]
    if len(described) > 1 or not all("type" in item for item in items):
        return {"anyOf": items}
    names = [item["type"] for item in items]
    types = [name for name in names if not (name == "integer" and "number" in names)]
    return {"type": types, **{key: value for item in described for key, value in item.items() if key != "type"}}


def reason_codes() -> str:
    """docs/reason-codes.md."""
    sources = {path.relative_to(POLICIES).as_posix(): path.read_text() for path in sorted(POLICIES.rglob("*.rego"))}
    policy = {code: reason for code, reason in reasons_of(sources).items() if code not in FAULTS}
    sections = [
        ("Policy said no", policy.values()),
        ("Policy could not decide, so the call is refused", catalogue.POLICY_FAULTS.values()),
        ("The call cannot be read", catalogue.CALLER_FAULTS.values()),
        ("The model server failed", catalogue.UPSTREAM_FAULTS.values()),
        ("The sidecar failed, and nothing was let through", catalogue.OWN_FAULTS.values()),
        ("An auditor's question cannot be answered", catalogue.AUDIT_FAULTS.values()),
        ("The ledger is not as it should be, so the sidecar does not start or stops", catalogue.LEDGER_FAULTS.values()),
    ]
    head = "<!-- Generated by `python -m policies.generate`. -->\n# Reason codes\n\n"
    return head + REASONS_INTRODUCTION + "".join(section(title, reasons) for title, reasons in sections)


REASONS_INTRODUCTION = """\
A refused or failed call is answered with one of these codes, in the error format of the API that was called, and the
code is in the call's record. Codes are stable; texts may change. `{name}` in a text is filled from the decision.
"Again" says whether the same call may succeed later (`x-should-retry`). A policy of your own brings its own codes in
its METADATA: [policies.md](policies.md).
"""


def section(title: str, reasons: Iterable[Reason]) -> str:
    head = f"\n## {title}\n\n| code | status | again | severity | what it says | what to do | serves |\n"
    return head + "|---|---|---|---|---|---|---|\n" + "".join(map(row, reasons))


def row(reason: Reason) -> str:
    again = "yes" if reason.retry else "no"
    cells = [f"`{reason.code}`", str(reason.status), again, reason.severity, reason.text, reason.advice, reason.control]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def files() -> dict[Path, str]:
    """Every generated file and what it has to hold."""
    schemas = ROOT / "schemas"
    testing = {"request": example_request(), "response": example_response()}
    return {
        schemas / "policy-input.schema.json": text(schema_of(Document, "Policy input, contract 1")),
        schemas / "decision.schema.json": text(schema_of(DecisionAnswer, "Policy answer, contract 1")),
        **{schemas / f"{schema}.examples" / f"{name}.json": text(body) for schema, name, body in examples()},
        POLICIES / "testing" / "data.json": text(testing),
        ROOT / "docs" / "reason-codes.md": reason_codes(),
    }


def text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def merge_patch(document: Any, patch: Any) -> Any:
    """RFC 7386, but null is a value here (the contract is total: no key ever goes)."""
    if not isinstance(patch, dict) or not isinstance(document, dict):
        return copy.deepcopy(patch)
    return {**document, **{key: merge_patch(document.get(key), value) for key, value in patch.items()}}


def main(write: Callable[[str], object] = print) -> None:
    for path, content in files().items():
        if not path.exists() or path.read_text() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            write(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
