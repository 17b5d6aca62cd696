"""Every stable reason code of the product: what it says, to whom, and what to do about it.

Faults are listed here. Policy's own codes are not: each pack describes the codes of its deny rules in METADATA, and
`drivers/bundle.py` reads them from the bundle that is running, so an operator's own codes are explained like ours.
docs/reason-codes.md is generated from both, and a test holds it equal.

`status` is what the caller's dialect answers with; `retry` is sent as `x-should-retry`. Texts hold no caller's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sidecar.model import EMPTY

FIELD = re.compile(r"\{([a-z_]+)\}")


class Reason(NamedTuple):
    """One code. `control` names the rule of law or standard that it serves, "" where none is meant."""

    code: str
    text: str
    advice: str
    status: int = 403
    severity: str = "medium"
    retry: bool = False
    control: str = ""


def find(code: str, reasons: Mapping[str, Reason] = EMPTY) -> Reason:
    """The reason of a code: a fault of the catalogue, else one of `reasons` (a bundle's), else an unexplained deny."""
    return FAULTS.get(code) or reasons.get(code) or Reason(code, "Refused by policy.", "Ask who owns the policy.")


def render(reason: Reason, params: Mapping[str, Any] = EMPTY) -> str:
    """The text with its `{name}` fields filled from the deny's parameters. A field without a parameter stays."""
    return FIELD.sub(lambda field: _shown(params.get(field[1], field[0])), reason.text)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _table(status: int, rows: Iterable[tuple[str, str, str]], **rest: Any) -> dict[str, Reason]:
    return {code: Reason(code, text, advice, status, **rest) for code, text, advice in rows}


_TRACE = "EU AI Act 12"
_SECURE = "GDPR 32"

CALLER_FAULTS: Mapping[str, Reason] = {
    **_table(
        400,
        [
            ("BODY_UNPARSABLE", "The body is not valid JSON.", "Send one JSON value, UTF-8."),
            ("DUPLICATE_KEY", "An object in the body names a key twice.", "Name each key once."),
            ("BODY_TOO_DEEP", "The body is nested too deeply.", "Flatten it; the limit is in docs/operations.md."),
            ("BODY_INVALID", "A field of the body has the wrong type.", "Compare it with the API's reference."),
            ("LONE_SURROGATE", "A string of the body holds half a UTF-16 pair.", "Send whole Unicode characters."),
            ("HEADER_INVALID", "A header cannot be read.", "Correct the x-sidecar-* or transport header."),
            ("PROTOCOL_ERROR", "The request breaks HTTP.", "Check lengths, chunks and the client in between."),
        ],
        severity="low",
    ),
    **_table(401, [("CALLER_UNKNOWN", "The key is not one of a known caller.", "Ask the operator for a key.")]),
    **_table(
        403,
        [("ORIGIN_NOT_ALLOWED", "A web page sent the call, or meant another host.", "Name it in callers.origins.")],
    ),
    **_table(
        404,
        [("ROUTE_UNKNOWN", "This path is not governed, so it is not forwarded.", "Use a listed path.")],
        severity="low",
    ),
    **_table(
        405,
        [("METHOD_NOT_ALLOWED", "The path does not take this method.", "Use the method in Allow.")],
        severity="low",
    ),
    **_table(408, [("BODY_TIMEOUT", "The body did not arrive in time.", "Send it faster.")], severity="low"),
    **_table(499, [("ABORTED", "The exchange was cut off.", "The caller left, or we stopped.")], severity="low"),
    **_table(
        413,
        [("BODY_TOO_LARGE", "The body is larger than the limit.", "Send less, or ask for a higher limit.")],
        severity="low",
    ),
    **_table(
        415,
        [("ENCODING_UNSUPPORTED", "The body's content coding cannot be read.", "Send it plain or as gzip.")],
        severity="low",
    ),
}

UPSTREAM_FAULTS: Mapping[str, Reason] = {
    **_table(
        502,
        [
            ("UPSTREAM_UNREACHABLE", "The model server cannot be reached.", "Check that it runs and its address."),
            ("UPSTREAM_DISCONNECTED", "The model server broke off its reply.", "Look at its log; then try again."),
            ("UPSTREAM_STATUS", "The model server answered with an error.", "Below 500 it has the same status."),
        ],
        severity="high",
        retry=True,
    ),
    **_table(
        502,
        [
            ("UPSTREAM_INVALID", "The model server's reply cannot be read.", "Check what answers at its address."),
            ("GATE_OVERFLOW", "The reply holds more text in one piece than may be held back.", "Ask for less at once."),
        ],
        severity="high",
    ),
    **_table(
        504,
        [("UPSTREAM_TIMEOUT", "The model server did not answer in time.", "Try again, or raise the limit.")],
        severity="high",
        retry=True,
    ),
}

OWN_FAULTS: Mapping[str, Reason] = {
    **_table(
        503,
        [
            ("LEDGER_UNAVAILABLE", "The record cannot be written, so nothing is sent.", "Check disk and state folder."),
        ],
        severity="critical",
        retry=True,
        control=_TRACE,
    ),
    **_table(
        503,
        [
            ("INSPECTOR_TIMEOUT", "Detection did not end in time, so nothing is sent.", "Try again, or send less."),
            ("INSPECTOR_ERROR", "Detection failed, so nothing is sent.", "Look at the sidecar's log."),
        ],
        severity="high",
        retry=True,
        control=_SECURE,
    ),
    **_table(
        503,
        [
            ("OVERLOADED", "Too many calls are open.", "Wait as Retry-After says."),
            ("DRAINING", "The sidecar is shutting down.", "Try again; another instance will answer."),
        ],
        severity="low",
        retry=True,
    ),
    **_table(503, [("INTERNAL", "The sidecar failed.", "Look at its log.")], severity="high", retry=True),
}

LEDGER_FAULTS: Mapping[str, Reason] = _table(
    503,
    [
        ("LEDGER_FOLDER", "The state folder is not one, or is incomplete.", "Restore it from backup, or name another."),
        ("LEDGER_LOCKED", "Another sidecar writes this state folder.", "Give each its own, or stop the other."),
        ("LEDGER_MISSING", "A checkpoint is there but its store is gone.", "Restore the store, or start a new folder."),
        ("LEDGER_DAMAGED", "The store is not what was signed.", "Keep a copy, run `sidecar audit verify`."),
        ("LEDGER_FORKED", "The store and its checkpoint tell two histories.", "Keep the folder as evidence."),
        ("LEDGER_ROLLED_BACK", "The store is older than its checkpoint.", "Keep the folder as evidence."),
        ("LEDGER_CLOSED", "The log was closed for good.", "Keep the folder, and start with a new one."),
        ("LEDGER_KEY", "A key of the ledger is missing or cannot be read.", "Restore the keys from backup."),
        ("LEDGER_ORDER", "The record of an exchange came out of order.", "Report this."),
        ("LEDGER_ENTRY", "The facts of an exchange do not make an entry.", "Report this."),
    ],
    severity="critical",
    control=_TRACE,
)

AUDIT_FAULTS: Mapping[str, Reason] = {
    **_table(
        404,
        [("RECORD_UNKNOWN", "No record has this id, or several begin with it.", "List them: `sidecar audit query`.")],
        severity="low",
    ),
    **_table(
        400,
        [
            ("QUERY_NEEDS_DATA_KEY", "The question needs the key of erasable data.", "Ask where the key is."),
            ("EXPORT_TARGET", "The export cannot be written there.", "Name a new or empty folder."),
        ],
        severity="low",
    ),
}

POLICY_FAULTS: Mapping[str, Reason] = {
    **_table(
        503,
        [
            ("PDP_UNDEFINED", "Policy gave no decision.", "Check the entrypoint and that a bundle is loaded."),
            ("PDP_ERROR", "Policy failed.", "The sidecar's log names the rule, or the OPA server's does."),
            ("PDP_TIMEOUT", "Policy did not decide in time.", "Simplify the policy, or check the OPA server."),
            ("PDP_UNAVAILABLE", "The policy engine cannot be reached.", "Check the OPA server and its socket."),
            ("PDP_CONTRACT", "Policy's answer is not one of contract 1.", "Compare with schemas/decision.schema.json."),
            ("PDP_LIMIT", "The decision cost more than its limit.", "Send less, or simplify the policy."),
            ("INPUT_INVALID", "The policy input is too large, or not one policy reads.", "Send less; or report this."),
        ],
        severity="high",
        retry=True,
        control=_TRACE,
    ),
    **_table(
        403,
        [
            (
                "OBLIGATION_UNSUPPORTED",
                "Policy demands {type} in a way that this version cannot fulfil.",
                "Demand what docs/policies.md names instead, or mark it `critical: false`.",
            ),
            ("ROUTE_CONFLICT", "Policy routes the call to two models.", "Make the routing rules exclusive."),
            ("POLICY_DENIED", "Policy said no without a reason.", "Give the rule a code: docs/policies.md."),
        ],
    ),
}

FAULTS: Mapping[str, Reason] = {
    **CALLER_FAULTS,
    **UPSTREAM_FAULTS,
    **OWN_FAULTS,
    **LEDGER_FAULTS,
    **AUDIT_FAULTS,
    **POLICY_FAULTS,
}
