"""One whole record: as JSON (schemas/shown-record.schema.json), and as sections for people.

The text says what was not inspected, where confidence and rationale came from, and where in the log the proof stands.
Why policy decided so is asked of `explain`: the traced re-evaluation lives elsewhere, and needs the kept policy input
and the bundle of the recorded digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from sidecar.console.render import timestamp
from sidecar.drivers.store_reader import Reader
from sidecar.errors import OwnError
from sidecar.ledger.checkpoint import peek_checkpoint
from sidecar.ledger.record import view
from sidecar.ledger.report import printable
from sidecar.ledger.views import CheckpointView, PolicyView, ShownRecord

Explain = Callable[[bytes, str], Iterable[str]]
"""`explain(policy_input, bundle_sha256)`: the rules that fired, one line each."""

NOT_KNOWN = "unavailable"
UNREAD = "not inspected"
"""Said where no detector ran: of a call that was refused before, "nothing" found would be untrue (guarantee 9)."""
ASKED_IN_VAIN = ("PDP_", "INPUT_INVALID")
"""Codes of calls that policy was asked about without an answer that could be read."""
MISREAD = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading an entry raises of which a flipped byte renamed a field, or changed its type."""


def show_json(reader: Reader, exchange: str, explain: Explain | None = None) -> ShownRecord:
    """The record with its place in the log; raises OwnError: RECORD_UNKNOWN, LEDGER_DAMAGED."""
    with reader.snapshot():
        record, checkpoint = reader.record(exchange), peek_checkpoint(reader.checkpoint().encode())
    try:
        seen = view(record)
    except MISREAD as fault:
        raise _damaged(record.intent_number, record.outcome_number) from fault
    for policy in (seen["policy"], seen["reply_policy"]):
        if policy is not None:
            policy["rules_fired"] = rules_fired(policy, explain)
    newest: CheckpointView = {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}
    return {**seen, "checkpoint": newest}


def show_json_text(reader: Reader, exchange: str, explain: Explain | None = None) -> str:
    return orjson.dumps(show_json(reader, exchange, explain), option=orjson.OPT_INDENT_2).decode() + "\n"


def rules_fired(policy: PolicyView, explain: Explain | None) -> list[str] | None:
    """None where nobody can say: no explainer, or the policy input was erased or is sealed."""
    if explain is None or policy["input"] is None or policy["bundle_hash"] is None:
        return None
    return list(explain(policy["input"].encode("utf-8", "surrogateescape"), policy["bundle_hash"]))


def show_text(reader: Reader, exchange: str, explain: Explain | None = None) -> str:
    """The record in sections; raises OwnError RECORD_UNKNOWN."""
    seen = show_json(reader, exchange, explain)
    try:
        return "\n".join(line for section in _sections(seen) for line in section) + "\n"
    except MISREAD as fault:
        raise _damaged(seen["seq"]["intent"], seen["seq"]["outcome"]) from fault


def _damaged(intent: int, outcome: int | None) -> OwnError:
    return OwnError("LEDGER_DAMAGED", f"Entry {intent} or {outcome} cannot be read; run `sidecar audit verify`.")


def _sections(seen: Mapping[str, Any]) -> Iterator[list[str]]:
    yield _section("Exchange", _exchange(seen))
    yield _section("Caller", _caller(seen))
    yield _section("Request", _request(seen))
    yield _section("Personal data found", _found(seen))
    yield _section("Not inspected", _not_inspected(seen["redaction"]))
    yield _section("Policy", _policy(seen["policy"]))
    if seen["reply_policy"] is not None:
        yield _section("Policy on the reply", _policy(seen["reply_policy"]))
    if seen["outcome"] is None:
        yield _section("Reply", {"state": "open: no outcome is recorded yet"})
    else:
        yield _section("Reply", _reply(seen))
        yield _section("Confidence", _confidence(seen["confidence"]))
        yield _section("Rationale", _rationale(seen["rationale"]))
    yield _section("Digests", _digests(seen))
    yield _section("Proof", _proof(seen))


def _section(title: str, fields: Mapping[str, Any]) -> list[str]:
    width = max(map(len, fields), default=0)
    lines = ["", title.upper()]
    for name, value in fields.items():
        first, *more = _lines(value)
        lines.append(f"  {name.ljust(width)}  {first}")
        lines += [f"  {' ' * width}  {line}" for line in more]
    return lines


def _lines(value: Any) -> list[str]:
    if value is None or value in ("", [], {}):
        return ["-"]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, Mapping):
        return [f"{printable(str(name))}: {printable(_plain(item))}" for name, item in value.items()]
    if isinstance(value, list | tuple):
        return [printable(_plain(item)) for item in value]
    return [printable(line) for line in str(value).splitlines() or ["-"]]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _exchange(seen: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": seen["record_id"],
        "state": seen["state"],
        "began": timestamp(seen["ts_start"]),
        "ended": None if seen["ts_end"] is None else timestamp(seen["ts_end"]),
        "side, mode": f"{seen['side']}, {seen['mode']}",
        "disclosures": seen["disclosures"],
    }


def _caller(seen: Mapping[str, Any]) -> dict[str, Any]:
    caller = seen["caller"]
    if caller is None:
        return {"caller": f"({seen['disclosures']})"}
    return {
        "tenant / app": f"{caller['tenant']} / {caller['app']}",
        "user": seen["user_ref"],
        "authenticated by": caller["auth"],
        "roles": caller["roles"],
        "subject": [f"{item['token']} ({item['link_method']})" for item in seen["subject_refs"]],
        "conversation": seen["conversation_id"],
    }


def _request(seen: Mapping[str, Any]) -> dict[str, Any]:
    prompt = seen["prompt"]
    return {
        "operation": f"{seen['operation']} at {seen['endpoint']}",
        "recipient": f"{seen['recipient']['id']} ({seen['provider']})",
        "model": seen["model"]["requested"],
        "prompt": f"{prompt['name'] or '-'} version {prompt['version'] or '-'} (from {prompt['source']})",
        "use case": seen["use_case"]["id"],
        "settings": seen["params"],
        "streaming": seen["streaming"],
    }


def _found(seen: Mapping[str, Any]) -> dict[str, Any]:
    nothing = "nothing" if seen["redaction"]["detectors"] else UNREAD
    return {
        "in the request": seen["pii"]["categories"] or nothing,
        "by role": seen["pii"]["by_role"],
        "by detector": list(_scores(seen["pii"]["scores_ppm"])),
        "replaced": seen["redaction"]["actions"] or "nothing",
        "in the reply": _found_in_reply(seen),
        "detectors": [f"{item['name']} {item['version']}" for item in seen["redaction"]["detectors"]],
    }


def _scores(scores: Mapping[str, Mapping[str, tuple[int, int]]]) -> Iterator[str]:
    """How sure each detector was: of several values of a type, of the one it was least sure of."""
    for detector, found in scores.items():
        for entity, (count, lowest) in found.items():
            yield f"{detector}: {entity} {count}, lowest score {lowest / 1_000_000:.2f}"


def _found_in_reply(seen: Mapping[str, Any]) -> Any:
    found = seen.get("reply_pii", {})
    skipped, categories = found.get("not_inspected"), found.get("categories")
    if skipped:
        return {**(categories or {}), UNREAD: skipped}
    if seen["reply_policy"] is None and not categories:
        return UNREAD if seen.get("output", {}).get("bytes") else None
    return categories or "nothing"


def _not_inspected(redaction: Mapping[str, Any]) -> dict[str, Any]:
    skipped = redaction["not_inspected"]
    places = [f"{label} ({kind})" for label, kind in skipped["places"]]
    if skipped["more"]:
        places.append(f"and {skipped['more']} more: {_plain(skipped['kinds'])}")
    if not redaction["detectors"]:
        return {"places": [*places, "everything: no detector ran"], "types not looked for": "all"}
    return {"places": places or "none", "types not looked for": redaction["not_looked_for"] or "none"}


def _policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    asked = policy["bundle_hash"] is not None
    fired = f"({NOT_KNOWN})" if policy["rules_fired"] is None else policy["rules_fired"] or "none"
    if not asked and not any(code.startswith(ASKED_IN_VAIN) for code in policy["codes"]):
        fired = "none: policy was not asked"
    return {
        "verdict": policy["result"] + ("" if policy["enforced"] else " (not enforced)"),
        "reasons": [f"{deny['code']} {_plain(deny['params'])}" for deny in policy["denies"]],
        "obligations": [f"{duty['type']} ({duty['id']}) {_plain(duty['params'])}" for duty in policy["obligations"]],
        "rules that fired": fired,
        "revision": policy["revision"],
        "bundle": policy["bundle_hash"],
        "engine": f"{policy['engine'] or '-'} {policy['engine_version'] or ''}".rstrip(),
        "signed, degraded": f"{_plain(policy['signed'])}, {_plain(policy['degraded'])}" if asked else None,
    }


def _reply(seen: Mapping[str, Any]) -> dict[str, Any]:
    outcome = seen["outcome"]
    return {
        "status": outcome["status"],
        "error": outcome["error"]["type"],
        "aborted by": outcome["aborted_by"],
        "model served": seen["model"]["served"],
        "finished": outcome["finish_reasons"],
        "complete": outcome["complete"],
        "tokens": {name: count for name, count in outcome["usage"].items() if count is not None},
        "released": f"{outcome['released']} (mode {outcome['release']})",
        "restored": outcome["restored"],
        "withheld in links and tools": outcome["withheld"],
        "unknown surrogates": outcome["surrogates_unknown"],
        "ambiguous surrogates": outcome["surrogates_ambiguous"],
    }


def _confidence(confidence: Mapping[str, Any]) -> dict[str, Any]:
    ppm = confidence["value_ppm"]
    return {"value": NOT_KNOWN if ppm is None else f"{ppm / 1_000_000:.3f}", "source": confidence["source"]}


def _rationale(rationale: Mapping[str, Any]) -> dict[str, Any]:
    return {"source": rationale["source"], "codes": rationale["codes"], "text": rationale["text"]}


def _digests(seen: Mapping[str, Any]) -> dict[str, Any]:
    names = ("input", "dispatched", "output", "answer")
    known = {name: seen[name] for name in names if seen.get(name) is not None}
    return {name: f"{item['sha256'] or '(' + NOT_KNOWN + ')'}  {item['bytes']} bytes" for name, item in known.items()}


def _proof(seen: Mapping[str, Any]) -> dict[str, Any]:
    checkpoint, seq, leaf = seen["checkpoint"], seen["seq"], seen["leaf_hash"]
    return {
        "log": checkpoint["origin"],
        "intent": f"entry {seq['intent']}, leaf {leaf['intent']}",
        "outcome": None if seq["outcome"] is None else f"entry {seq['outcome']}, leaf {leaf['outcome']}",
        "checkpoint": f"{checkpoint['size']} entries, root {checkpoint['root']}",
    }
