"""What hides a store's disclosures: nothing random is used twice, nothing opens elsewhere, what is erased is gone."""

from __future__ import annotations

import hashlib
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sidecar.drivers.clock import SystemEntropy
from sidecar.drivers.keys import load_keyring
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_verify import verify_path
from sidecar.ledger.disclosure import (
    NONCE_SIZE,
    DisclosureError,
    Keyring,
    arrays_of,
    box_context,
    disclose,
    match,
    open_box,
    read,
)
from sidecar.ledger.entries import parse
from sidecar.ledger.report import VERIFIED
from tests.ledger.factory import exchange_id, make_intent, make_outcome, start

EXCHANGES = 6
AT = 1_790_000_000_000_000
KINDS = ("tenant", "app", "user", "subject", "conversation", "prompt_version")


@pytest.fixture
async def state(tmp_path: Path) -> Path:
    """The same exchange again and again: whatever differs between two of them is random. The first is entry 2."""
    async with await start(tmp_path / "state") as ledger:
        for number in range(EXCHANGES):
            await ledger.open(make_intent(1, id=exchange_id(number), at=AT))
            await ledger.close(make_outcome(1, id=exchange_id(number), at=AT))
    return tmp_path / "state"


def fetch(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        return connection.execute(query).fetchall()


def edit(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)


def ring_of(folder: Path) -> Keyring:
    return load_keyring(folder, StateFolder(folder).origin())


def disclosures(folder: Path) -> Iterator[bytes]:
    """All of them, as JSON arrays."""
    ring = ring_of(folder)
    wrapped = dict(fetch(folder, "SELECT x.id, k.wrapped FROM datakey k JOIN exchange x ON x.intent_number = k.number"))
    for body, box in fetch(folder, "SELECT body, box FROM entry JOIN box USING (number)"):
        leaf = parse(body)
        yield from open_box(box, ring.unwrap(wrapped[leaf["id"]], leaf["id"]), box_context(leaf["id"], leaf["typ"]))


def test_no_salt_stands_for_two_fields(state: Path) -> None:
    """Else whoever is shown one field of an entry can try what the others say."""
    salts = [orjson.loads(array)[0] for array in disclosures(state)]
    assert len(salts) > 8 * EXCHANGES
    assert len(set(salts)) == len(salts)


def test_no_nonce_and_no_key_is_used_twice(state: Path) -> None:
    """Two texts under one key and one nonce of GCM give each other away; an intent and its outcome share their key."""
    boxes = [box for (box,) in fetch(state, "SELECT box FROM box")]
    wrapped = fetch(state, "SELECT id, wrapped FROM datakey JOIN exchange ON number = intent_number")
    assert (len(boxes), len(wrapped)) == (2 * EXCHANGES, EXCHANGES)
    nonces = [sealed[:NONCE_SIZE] for sealed in (*boxes, *(key for _, key in wrapped))]
    assert len(set(nonces)) == len(nonces)
    ring = ring_of(state)
    assert len({ring.unwrap(key, name) for name, key in wrapped}) == EXCHANGES


@pytest.mark.parametrize(
    ("table", "column", "source", "reason"),
    [
        ("box", "box", 3, "disclosure-altered"),  # the outcome's beside its intent: their key is the same
        ("box", "box", 4, "disclosure-altered"),
        ("datakey", "wrapped", 4, "data-key-altered"),
    ],
)
def test_nothing_opens_where_it_was_not_sealed(state: Path, table: str, column: str, source: int, reason: str) -> None:
    assert verify_path(state).exit_code == VERIFIED
    edit(
        state,
        f"UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE number = {source}) WHERE number = 2",
    )
    assert (2, reason) in {(failure.index, failure.reason) for failure in verify_path(state).failures}


def test_what_hangs_on_the_secret_is_of_one_log_and_one_purpose() -> None:
    secret, nonce, key = b"s" * 32, b"n" * 12, b"k" * 32
    ring, other = Keyring(secret, "a.example/audit/1"), Keyring(secret, "a.example/audit/2")
    assert ring.id != other.id and ring.ref("user", "u") != other.ref("user", "u")
    wrapped = ring.wrap(key, "x", nonce)
    assert ring.unwrap(wrapped, "x") == key
    for wrong in (lambda: other.unwrap(wrapped, "x"), lambda: ring.unwrap(wrapped, "y")):
        with pytest.raises(DisclosureError, match="data-key-altered"):
            wrong()
    with pytest.raises(InvalidTag):
        AESGCM(ring._lookup).decrypt(nonce, wrapped[12:], b"x")
    assert not ring._lookup.hex().startswith(ring.id), "the id stands in the log's first entry"
    assert len({ring.ref(kind, "u") for kind in KINDS}) == len(KINDS)


def test_a_box_holds_what_its_leaf_commits_to_and_no_more() -> None:
    sealed = disclose({"a": 1, "b": 2, "c": 3}, SystemEntropy().token)
    arrays = list(sealed.arrays)
    texts = [urlsafe_b64encode(array).rstrip(b"=") for array in arrays]
    digests = [urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode() for text in texts]
    assert sealed.digests == sorted(digests), "as RFC 9901 4.2.3 has it"
    assert arrays_of([text.decode() for text in texts]) == arrays
    match(arrays, sealed.digests)
    assert read(arrays) == {"a": 1, "b": 2, "c": 3}
    for wrong in (arrays[:-1], [*arrays, arrays[0]], [*arrays[:-1], arrays[0]], [*arrays, b""], []):
        with pytest.raises(DisclosureError, match="disclosure-mismatch"):
            match(wrong, sealed.digests)
    with pytest.raises(DisclosureError, match="disclosure-malformed"):
        read([arrays[0], arrays[0]])
    for text in ("WyI", "W", "WyJ=", "W+8_", "W-8/", "WyJ BXQ", "WyJB\n", "WyJB\nWyJB", "\u0661", None, 5):
        with pytest.raises(DisclosureError, match="disclosure-malformed"):
            read(arrays_of([text]))  # type: ignore[list-item]


async def test_the_store_is_opened_as_its_promises_need(tmp_path: Path) -> None:
    """Each commit is synced; what is erased is overwritten; only the writer folds the WAL in, when nobody waits."""
    async with await start(tmp_path) as ledger:
        asked = ledger._writer._connection.execute
        found = {name: asked(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}
    assert found == PRAGMAS


PRAGMAS = {"synchronous": 2, "secure_delete": 1, "wal_autocheckpoint": 0, "journal_mode": "wal"}
