"""Checkpoints (C2SP tlog-checkpoint) and receipts (C2SP tlog-proof).

A checkpoint is a signed note over three lines: origin, size, root. A receipt is the inclusion proof of one entry with a
checkpoint verbatim; index and path come from the receipt, size and root only from the verified checkpoint.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sidecar.ledger.merkle import HASH_SIZE, MAX_PROOF, ProofError, leaf_hash, verify_inclusion
from sidecar.ledger.note import NoteError, Signer, Verifier, check_name, open_note, parse_note, sign_note, unbase64

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_SIZE = 2**63 - 1
_DECIMAL = re.compile("0|[1-9][0-9]{0,18}")


class Checkpoint(NamedTuple):
    """A tree head: which log, how many entries, which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A tlog-proof taken apart, not yet believed."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes


def parse_text(text: str) -> Checkpoint:
    """The note's text; extension lines are refused, for cosignatures of some types do not cover them."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise NoteError("malformed", "a checkpoint has three lines")
    root = unbase64(lines[2])
    if len(root) != HASH_SIZE:
        raise NoteError("malformed", "the root is not 32 bytes")
    return Checkpoint(check_name(lines[0]), parse_decimal(lines[1]), root)


def parse_decimal(text: str) -> int:
    """ASCII decimal without leading zeroes, below 2^63."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise NoteError("malformed", "not a decimal number")
    return int(text)


def sign_checkpoint(checkpoint: Checkpoint, *signers: Signer) -> str:
    return sign_note(checkpoint.text(), *signers)


def open_checkpoint(data: bytes, verifier: Verifier) -> Checkpoint:
    """A checkpoint signed by this log's key, whose name is its origin; raises NoteError."""
    checkpoint = parse_text(open_note(data, [verifier]))
    if checkpoint.origin != verifier.name:
        raise NoteError("origin-mismatch", "the checkpoint is of another log")
    return checkpoint


def peek_checkpoint(data: bytes) -> Checkpoint:
    """What a checkpoint claims, unverified: only for messages."""
    return parse_text(parse_note(data).text)


def encode_receipt(index: int, path: Sequence[bytes], checkpoint: str) -> str:
    lines = "".join(f"{b64encode(node).decode()}\n" for node in path)
    return f"{PROOF_HEADER}\nindex {index}\n{lines}\n{checkpoint}"


def parse_receipt(data: bytes) -> Receipt:
    """Raises NoteError (`malformed`). The optional `extra` line is checked for form and dropped: nothing signs it."""
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank or not head.isascii():
        raise NoteError("malformed", "not a receipt")
    lines = head.decode("ascii").split("\n")
    if lines.pop(0) != PROOF_HEADER:
        raise NoteError("malformed", "not a tlog-proof of version 1")
    if lines and lines[0].startswith("extra "):
        unbase64(lines.pop(0)[6:])
    if not lines or not lines[0].startswith("index "):
        raise NoteError("malformed", "no index line")
    index = parse_decimal(lines.pop(0)[6:])
    path = tuple(unbase64(line) for line in lines)
    if len(path) > MAX_PROOF or any(len(node) != HASH_SIZE for node in path):
        raise NoteError("malformed", "not an inclusion path")
    return Receipt(index, path, checkpoint)


def verify_receipt(entry: bytes, receipt: bytes, verifier: Verifier) -> tuple[int, Checkpoint]:
    """Index and checkpoint of an entry that this receipt proves.

    Raises NoteError: `malformed`, `signature-missing`, `signature-invalid`, `origin-mismatch`, or `proof-mismatch`
    when the entry is not the one that the receipt was made for.
    """
    parsed = parse_receipt(receipt)
    checkpoint = open_checkpoint(parsed.checkpoint, verifier)
    try:
        verify_inclusion(leaf_hash(entry), parsed.index, checkpoint.size, parsed.path, checkpoint.root)
    except ProofError as fault:
        raise NoteError("proof-mismatch", str(fault)) from fault
    return parsed.index, checkpoint
