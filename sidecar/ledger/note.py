"""Signed notes and verifier keys (C2SP signed-note), with Ed25519 keys of type 0x01.

Parsing is strict on bytes: Python's own `int()` and `b64decode()` accept blanks, underscores and stray bits, so every
field is matched whole and every base64 text is encoded again and compared. The four-byte key id is a hint: trust comes
from the verifier key that the reader brought along.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
MAX_NOTE = 1_000_000
MAX_SIGNATURES = 100
"""As golang.org/x/mod/sumdb/note; verifiers MUST accept at least 16."""

_SIGNATURE_LINE = re.compile("— ([^ ]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_KEY_ID = re.compile("[0-9a-f]{8}")


class NoteError(ValueError):
    """A note, key or signature that cannot be accepted. `reason` is a stable word."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


def unbase64(text: str) -> bytes:
    """Standard base64 with padding, in its one canonical spelling; raises NoteError."""
    try:
        data = b64decode(text, validate=True)
    except ValueError as fault:
        raise NoteError("malformed", "not base64") from fault
    if b64encode(data).decode() != text:
        raise NoteError("malformed", "base64 is not canonical")
    return data


def check_name(name: str) -> str:
    """Key names are non-empty and hold no Unicode space, no plus, no control character."""
    if not name or "+" in name or any(char.isspace() for char in name) or _CONTROL.search(name):
        raise NoteError("malformed", "not a key name")
    return name


@lru_cache(64)
def key_id(name: str, material: bytes) -> bytes:
    """SHA-256(name || 0x0A || type || key)[:4]; `material` is type and key."""
    return sha256(name.encode() + b"\n" + material).digest()[:4]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A named public key that notes are checked against."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return key_id(self.name, bytes([ED25519]) + self.public)

    @property
    def vkey(self) -> str:
        """`name+hex(id)+base64(type || key)`, the form in which keys are handed around."""
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([ED25519]) + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        name, _, rest = vkey.partition("+")
        hinted, _, material64 = rest.partition("+")
        material = unbase64(material64)
        if not _KEY_ID.fullmatch(hinted) or len(material) != 33 or material[0] != ED25519:
            raise NoteError("malformed", "not an Ed25519 verifier key")
        if key_id(check_name(name), material).hex() != hinted:
            raise NoteError("malformed", "key id does not belong to the key")
        return cls(name, material[1:])

    def verify(self, text: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer(Protocol):
    """What signs checkpoints: a local key, or one behind a KMS."""

    @property
    def verifier(self) -> Verifier: ...

    def sign(self, text: bytes) -> bytes: ...


class Ed25519Signer:
    """A local Ed25519 key under a name."""

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.verifier = Verifier(check_name(name), key.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        return self._key.sign(text)


class Signature(NamedTuple):
    name: str
    id: bytes
    value: bytes


class Note(NamedTuple):
    """A note taken apart, not yet believed."""

    text: str
    signatures: tuple[Signature, ...]


def sign_note(text: str, *signers: Signer) -> str:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteError("malformed", "a note's text ends with a newline and has no control characters")
    raw = text.encode()
    lines = [signature_line(signer.verifier, signer.sign(raw)) for signer in signers]
    return f"{text}\n{''.join(lines)}"


def signature_line(verifier: Verifier, signature: bytes) -> str:
    return f"— {verifier.name} {b64encode(verifier.id + signature).decode()}\n"


def parse_note(data: bytes) -> Note:
    if len(data) > MAX_NOTE:
        raise NoteError("malformed", "note too large")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise NoteError("malformed", "not UTF-8") from fault
    text, blank, tail = whole.rpartition("\n\n")
    if _CONTROL.search(whole) or not blank or not tail.endswith("\n"):
        raise NoteError("malformed", "not a signed note")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("malformed", "too many signatures")
    return Note(text + "\n", tuple(_parse_line(line) for line in lines))


def _parse_line(line: str) -> Signature:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise NoteError("malformed", "not a signature line")
    raw = unbase64(match[2])
    if len(raw) < 5:
        raise NoteError("malformed", "signature too short")
    return Signature(check_name(match[1]), raw[:4], raw[4:])


def open_note(data: bytes, verifiers: Sequence[Verifier]) -> str:
    """The text of a note that a known key signed.

    Unknown keys are ignored; a wrong signature by a known key rejects the whole note (`signature-invalid`), and so
    does the lack of any known signature (`signature-missing`).
    """
    note = parse_note(data)
    known = {(verifier.name, verifier.id): verifier for verifier in verifiers}
    raw, found = note.text.encode(), False
    for signature in note.signatures:
        verifier = known.get((signature.name, signature.id))
        if verifier is None:
            continue
        if not verifier.verify(raw, signature.value):
            raise NoteError("signature-invalid", f"by {verifier.name}")
        found = True
    if not found:
        raise NoteError("signature-missing", "no signature by a trusted key")
    return note.text
