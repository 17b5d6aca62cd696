"""Policy bundles that were in force, kept in the state folder by their digest: a decision can be explained later."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sidecar.drivers.keys import sync_folder, write_durably
from sidecar.drivers.store_folder import StateFolder
from sidecar.ledger.verify_bundles import FOLDER, bundle_path


def keep_bundle(state: Path, sha256: str, raw: bytes) -> None:
    """Write the bundle beside the ledger, unless it is there. The digest in its name says what must be in it."""
    path = state / bundle_path(sha256)
    if path.is_file() and path.read_bytes() == raw:
        return
    if not path.parent.is_dir():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        sync_folder(state)
    write_durably(path, raw, mode=0o644)  # before the first entry that names it


def kept_digests(state: Path) -> list[str]:
    """SHA-256 of each bundle that was kept; none where the folder is not there."""
    return sorted(path.name.removesuffix(".tar.gz") for path in (state / FOLDER).glob("*.tar.gz"))


def kept_bundle(state: Path, sha256: str) -> bytes:
    """Raises FileNotFoundError where it was not kept, or is not what its name says."""
    raw = StateFolder(state).read_bundle(sha256)
    if raw is None:
        raise FileNotFoundError("the policy bundle of this record is not in the state folder")
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise FileNotFoundError("the policy bundle in the state folder is not the one that decided")
    return raw
