"""Signed notes, keys, checkpoints and receipts: worked examples of others, then everything that must be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar.ledger.checkpoint import (
    Checkpoint,
    encode_receipt,
    open_checkpoint,
    parse_receipt,
    parse_text,
    peek_checkpoint,
    sign_checkpoint,
    verify_receipt,
)
from sidecar.ledger.merkle import Frontier, inclusion_proof, leaf_hash
from sidecar.ledger.note import Ed25519Signer, NoteError, Verifier, open_note, parse_note, sign_note
from sidecar.ledger.tiles import split_bundle, split_tile
from tests.ledger.factory import nodes_of

HERE = Path(__file__).parent
NOTES: dict[str, Any] = json.loads((HERE / "vectors" / "notes.json").read_text())
GOLDEN: dict[str, Any] = json.loads((HERE / "vectors" / "golden_log.json").read_text())
PETER, ENOCH = NOTES["peter"], NOTES["enoch"]
SIGNER = Ed25519Signer("log.example/audit/1", Ed25519PrivateKey.from_private_bytes(b"s" * 32))
ENTRIES = [f"entry {n}".encode() for n in range(300)]


def test_the_worked_example_of_the_specification() -> None:
    verifier = Verifier.parse(NOTES["example"]["vkey"])
    assert verifier.vkey == NOTES["example"]["vkey"]
    assert open_note(NOTES["example"]["note"].encode(), [verifier]) == "This is an example message.\n"


def test_the_go_example_is_signed_byte_for_byte() -> None:
    signer = Ed25519Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(bytes.fromhex(PETER["seed"])))
    assert signer.verifier.vkey == PETER["vkey"]
    note = sign_note(PETER["text"], signer)
    assert note == PETER["text"] + "\n" + PETER["signature"]


def test_several_signatures_count_when_one_is_known_and_none_known_is_wrong() -> None:
    peter = Verifier.parse(PETER["vkey"])
    both = PETER["text"] + "\n" + ENOCH["signature"] + PETER["signature"]
    assert open_note(both.encode(), [peter]) == PETER["text"]
    renamed = both.replace("PeterNeumann", "CarmenSandiego").encode()
    with pytest.raises(NoteError) as fault:
        open_note(renamed, [peter])
    assert fault.value.reason == "signature-missing"
    forged = both.replace("JnAM=", "JnAA=").encode()
    with pytest.raises(NoteError) as fault:
        open_note(forged, [peter])
    assert fault.value.reason == "signature-invalid"


@pytest.mark.parametrize("note", [*NOTES["malformed"], "\xff"])
def test_malformed_notes(note: str) -> None:
    with pytest.raises(NoteError) as fault:
        open_note(note.encode("latin-1" if note == "\xff" else "utf-8"), [Verifier.parse(PETER["vkey"])])
    assert fault.value.reason == "malformed"


@pytest.mark.parametrize("vkey", NOTES["bad_keys"])
def test_bad_keys(vkey: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(vkey)


def test_every_changed_character_of_a_key_is_noticed() -> None:
    for at in range(len(PETER["vkey"])):
        with pytest.raises(NoteError):
            Verifier.parse(PETER["vkey"][:at] + chr(ord(PETER["vkey"][at]) + 1) + PETER["vkey"][at + 1 :])


def test_the_golden_log_of_tessera() -> None:
    verifier = Verifier.parse(GOLDEN["vkey"])
    entries = split_bundle(bytes.fromhex(GOLDEN["bundle"]), 15)
    assert [leaf_hash(entry) for entry in entries] == split_tile(bytes.fromhex(GOLDEN["tile"]), 15)
    tree = Frontier()
    for size, note in enumerate(GOLDEN["checkpoints"]):
        assert open_checkpoint(note.encode(), verifier) == Checkpoint("example.com/log/testdata", size, tree.root())
        if size < 15:
            tree.append(leaf_hash(entries[size]))


@pytest.mark.parametrize("size", ["01", "+1", " 1", "1_0", "１", "-1", "", "1e3", str(2**63), "9" * 40])
def test_sizes_that_python_would_accept(size: str) -> None:
    with pytest.raises(NoteError):
        parse_text(f"origin\n{size}\n{'A' * 43}=\n")


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\nAAAA\n",
        f"origin\n1\n{'A' * 43}=\nextension\n",
        f"ori gin\n1\n{'A' * 43}=\n",
        f"\n1\n{'A' * 43}=\n",
        f"origin\n1\n{'A' * 42}B=\n",
        f"origin\n1\n{'A' * 43}=",
    ],
)
def test_texts_that_are_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteError):
        parse_text(text)


def test_a_checkpoint_must_be_of_the_log_whose_key_signed_it() -> None:
    note = sign_checkpoint(Checkpoint("another.example/log", 1, b"r" * 32), SIGNER).encode()
    assert peek_checkpoint(note).origin == "another.example/log"
    with pytest.raises(NoteError) as fault:
        open_checkpoint(note, SIGNER.verifier)
    assert fault.value.reason == "origin-mismatch"


def receipt_of(index: int, size: int = 300) -> bytes:
    leaves = [leaf_hash(entry) for entry in ENTRIES[:size]]
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    note = sign_checkpoint(Checkpoint(SIGNER.verifier.name, size, tree.root()), SIGNER)
    return encode_receipt(index, inclusion_proof(nodes_of(leaves), index, size), note).encode()


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (299, 300), (255, 300), (256, 257)])
def test_receipts_round_trip(index: int, size: int) -> None:
    receipt = receipt_of(index, size)
    assert verify_receipt(ENTRIES[index], receipt, SIGNER.verifier)[0] == index
    with pytest.raises(NoteError) as fault:
        verify_receipt(b"another entry", receipt, SIGNER.verifier)
    assert fault.value.reason == "proof-mismatch"


def test_extra_data_of_a_receipt_is_read_over() -> None:
    receipt = receipt_of(7).replace(b"\nindex", b"\nextra AAAA\nindex", 1)
    assert verify_receipt(ENTRIES[7], receipt, SIGNER.verifier)[0] == 7


def test_no_changed_byte_of_a_receipt_goes_unnoticed() -> None:
    receipt = receipt_of(7)
    for at in range(len(receipt)):
        changed = receipt[:at] + bytes([receipt[at] ^ 1]) + receipt[at + 1 :]
        with pytest.raises(NoteError):
            verify_receipt(ENTRIES[7], changed, SIGNER.verifier)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200), st.integers(1, 5))
@settings(deadline=None)
def test_any_text_signs_and_opens(text: str, copies: int) -> None:
    note = sign_note(text + "\n", *[SIGNER] * copies)
    assert open_note(note.encode(), [SIGNER.verifier]) == text + "\n"


NOTE = sign_note("text\n", SIGNER).encode()


@given(st.binary(max_size=300))
@example(NOTE)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_note_or_malformed(data: bytes) -> None:
    for parse in (parse_note, parse_receipt, peek_checkpoint):
        try:
            parse(data)
        except NoteError as fault:
            assert fault.reason == "malformed"


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_notes_and_receipts_never_crash(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([NOTE, RECEIPT])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    for parse in (parse_note, parse_receipt, peek_checkpoint):
        try:
            parse(bytes(whole))
        except NoteError:
            continue


RECEIPT = receipt_of(7)


@pytest.mark.parametrize("path", sorted((HERE / "corpus").glob("note-*")), ids=lambda path: path.name)
def test_corpus(path: Path) -> None:
    for parse in (parse_note, parse_receipt, peek_checkpoint):
        with pytest.raises(NoteError):
            parse(path.read_bytes())
