"""The key files of a store: the signing key of its checkpoints, and the secret that its data keys hang on.

    signing.key   PKCS#8 PEM of an Ed25519 key; only the writer needs it
    data.key      64 hex digits; whoever reads disclosures needs it, whoever only verifies does not
    log.vkey      the public verifier key, to be handed to auditors and kept elsewhere

Private files are made with mode 0600 and refused when others may read them.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sidecar.errors import OwnError
from sidecar.ledger.disclosure import KEY_SIZE, Keyring
from sidecar.ledger.note import Ed25519Signer, NoteError, Verifier
from sidecar.ports import Entropy

SIGNING_KEY = "signing.key"
DATA_KEY = "data.key"
VKEY = "log.vkey"

_HEX_KEY = re.compile(r"[0-9a-f]{64}\n?")


def create_keys(folder: Path, origin: str, entropy: Entropy) -> None:
    """Write the files that are missing; existing ones are never replaced.

    For new folders only: a new data key makes the disclosures of a log that is there unreadable, without a word.
    """
    if not (folder / SIGNING_KEY).exists():
        key = Ed25519PrivateKey.from_private_bytes(entropy.token(32))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_durably(folder / SIGNING_KEY, pem, mode=0o600)
    if not (folder / DATA_KEY).exists():
        write_durably(folder / DATA_KEY, entropy.token(KEY_SIZE).hex().encode() + b"\n", mode=0o600)
    vkey = load_signer(folder, origin).verifier.vkey
    if not (folder / VKEY).exists():
        write_durably(folder / VKEY, vkey.encode() + b"\n", mode=0o644)


def check_present(folder: Path) -> None:
    """Raise OwnError LEDGER_KEY where a private key of a log that is there is missing."""
    for name in (SIGNING_KEY, DATA_KEY):
        if not (folder / name).exists():
            raise OwnError(
                "LEDGER_KEY",
                f"{folder / name} is missing, and the log that it belongs to is there: restore it from backup, or"
                " start with a new folder. Nothing was written.",
            )


def check_belonging(folder: Path, opening: Mapping[str, Any], *, vkey: str, keyring: Keyring) -> None:
    """Hold the keys against those that the log's first entry names. Raises OwnError LEDGER_KEY; nothing is written."""
    if opening["vkey"] != vkey:
        raise foreign(folder / SIGNING_KEY)
    if opening["data_key_id"] != keyring.id:
        raise foreign(folder / DATA_KEY)


def foreign(path: Path) -> OwnError:
    return OwnError("LEDGER_KEY", f"{path} is not the key that this log was opened with: restore it from backup.")


def load_signer(folder: Path, origin: str) -> Ed25519Signer:
    path = folder / SIGNING_KEY
    try:
        key = load_pem_private_key(read_private(path), password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise OwnError("LEDGER_KEY", f"{path} is not a PEM file of an unencrypted Ed25519 key; restore it from backup.")
    return Ed25519Signer(origin, key)


def load_keyring(folder: Path, origin: str) -> Keyring:
    path = folder / DATA_KEY
    text = read_private(path).decode("ascii", "replace")
    if not _HEX_KEY.fullmatch(text):
        raise OwnError("LEDGER_KEY", f"{path} does not hold 64 hexadecimal digits; restore it from backup.")
    return Keyring(bytes.fromhex(text), origin)


def load_vkey(path: Path) -> Verifier:
    """A verifier key from a file; raises OwnError naming the file."""
    try:
        return Verifier.parse(path.read_text("utf-8").rstrip("\n"))
    except OSError as fault:
        raise OwnError(
            "LEDGER_KEY",
            f"{path} cannot be read ({fault.strerror}). It is the log's public key: restore it, or give the copy that"
            " you kept elsewhere.",
        ) from fault
    except (ValueError, NoteError) as fault:
        raise OwnError("LEDGER_KEY", f"{path} does not hold a verifier key (name+id+base64).") from fault


def read_private(path: Path) -> bytes:
    """A private file's bytes; raises OwnError LEDGER_KEY where it cannot be read, or others may read it."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(4096)
    except OSError as fault:
        raise OwnError("LEDGER_KEY", f"{path} cannot be read ({fault.strerror}).") from fault
    if mode & 0o077:
        raise OwnError("LEDGER_KEY", f"{path} is open to other users; run: chmod 600 {path}")
    return data


def write_durably(path: Path, data: bytes, *, mode: int) -> None:
    """Temporary file, fsync, rename, fsync of the folder: after a power cut the file is whole or absent."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
