"""The auditor's side: a state folder, and the policy bundles that decided. No proxy code is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import orjson

from sidecar.drivers.bundle import parse
from sidecar.drivers.bundle_refusal import BundleRefused
from sidecar.drivers.rego_engine import build, default_bundle, explained
from sidecar.drivers.store_reader import Reader
from sidecar.errors import OwnError
from sidecar.ledger.checkpoint import PROOF_HEADER
from sidecar.rego import Engine
from sidecar.wiring.bundles import kept_bundle, kept_digests


def explainer(state: Path) -> Callable[[bytes, str], Iterable[str]]:
    """Why policy decided so: its recorded input, decided again with a trace by the very bundle of the record."""
    engines: dict[str, Engine] = {}

    def explain(document: bytes, bundle_sha256: str) -> Iterable[str]:
        engine = engines.get(bundle_sha256)
        if engine is None:
            try:
                engine = engines[bundle_sha256] = build(parse(kept_bundle(state, bundle_sha256)))
            except (OSError, BundleRefused) as fault:
                why = fault.strerror if isinstance(fault, OSError) and fault.strerror else fault
                return (f"(cannot be explained here: {why})",)
        return explained(engine, document)

    return explain


def policy_codes(state: Path) -> Iterator[str]:
    """The codes of the default bundle and of all that were in force here; one that cannot be read is passed over."""
    yield from default_bundle().reasons
    for digest in kept_digests(state):
        try:
            yield from parse(kept_bundle(state, digest)).reasons
        except (OSError, BundleRefused):
            continue


def kept_receipt(path: Path, kind: str) -> bytes:
    """A receipt from a file: a tlog-proof, or that of `kind` in what the admin port gives. Not believed yet.

    Raises ValueError for a file that is neither, OSError where it cannot be read.
    """
    data = path.read_bytes()
    proof = _of_kind(data, kind) if data.lstrip().startswith(b"{") else data
    if not proof.startswith(PROOF_HEADER.encode()):
        raise ValueError(f"{path} holds no receipt of the {kind}: no tlog-proof, no JSON of the admin port with one")
    return proof


def _of_kind(data: bytes, kind: str) -> bytes:
    try:
        return str(orjson.loads(data)["receipts"][kind]).encode()
    except (ValueError, KeyError, TypeError):
        return b""


def record_id(reader: Reader, wanted: str | None) -> str:
    """The one id that begins with `wanted`, or that of the newest exchange. Raises OwnError (RECORD_UNKNOWN)."""
    if wanted is None:
        rows = reader.connection.execute("SELECT id FROM exchange ORDER BY intent_number DESC LIMIT 1").fetchall()
    else:
        query = "SELECT id FROM exchange WHERE substr(id, 1, ?) = ? LIMIT 2"
        rows = reader.connection.execute(query, (len(wanted), wanted)).fetchall()
    if not rows:
        empty = "The log holds no exchange yet."
        unknown = "No exchange of this id is in the log; `sidecar audit query` lists them."
        raise OwnError("RECORD_UNKNOWN", empty if wanted is None else unknown, status=404)
    if len(rows) > 1:
        raise OwnError("RECORD_UNKNOWN", "More than one id begins like this; give more of it.", status=404)
    return str(rows[0][0])
