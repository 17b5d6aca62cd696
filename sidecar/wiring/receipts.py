"""Receipts for the admin port: inclusion proof and checkpoint of a record's entries, as tlog-proof text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson

from sidecar.drivers.store_reader import Reader
from sidecar.errors import OwnError

KINDS = ("intent", "outcome")


def receipt_of(state: Path) -> Callable[[str], Awaitable[bytes | None]]:
    """Record id -> JSON with the receipt of each of its entries, None for an id that is not in the log."""

    async def receipt(record: str) -> bytes | None:
        return await asyncio.to_thread(_receipts, state, record)

    return receipt


def _receipts(state: Path, record: str) -> bytes | None:
    found = {}
    with Reader.open(state, disclosures=False) as reader:
        for kind in KINDS:
            try:
                found[kind] = reader.receipt(record, kind)
            except OwnError as fault:
                if fault.code != "RECORD_UNKNOWN":
                    raise
    return orjson.dumps({"record": record, "receipts": found}) if found else None
