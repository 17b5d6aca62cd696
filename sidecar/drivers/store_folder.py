"""The state folder of one log, and who may write it.

origin            the log's name: <domain>/audit/<log-id>; the id is random, never made from a host or pod name
signing.key ...   see keys.py
ledger.sqlite     the store (with -wal and -shm while in use)
checkpoint        the newest signed checkpoint; not synced of its own, so after a power cut it may be a little old
lock              held by the one writer
bundles/          the policy bundles that were in force, by their digest
"""

from __future__ import annotations

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path

from sidecar.drivers.keys import check_present, create_keys, sync_folder, write_durably
from sidecar.drivers.store_faults import unreachable
from sidecar.errors import OwnError
from sidecar.ledger.verify_bundles import bundle_path
from sidecar.ports import Entropy

_DOMAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,150}")
_ORIGIN = re.compile(rf"{_DOMAIN.pattern}/audit/([0-9a-f]{{32}})")


@dataclass(frozen=True, slots=True)
class StateFolder:
    path: Path

    @property
    def store(self) -> Path:
        return self.path / "ledger.sqlite"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint"

    def check(self) -> None:
        """Raise OwnError: LEDGER_FOLDER where there is no such folder, LEDGER_UNAVAILABLE where it may not be read."""
        try:
            (self.path / "origin").stat()
        except PermissionError as fault:
            raise unreachable(self.path, "permission denied") from fault
        except OSError as fault:
            if not self.path.is_dir():
                advice = f"There is no folder {self.path}; name the one that `sidecar serve` writes."
                raise OwnError("LEDGER_FOLDER", advice) from fault

    def origin(self) -> str:
        """The log's name. Raises OwnError: LEDGER_UNAVAILABLE without access, LEDGER_FOLDER when it is none of ours."""
        self.check()
        file = self.path / "origin"
        try:
            text = file.read_text("utf-8").rstrip("\n")
        except PermissionError as fault:
            raise unreachable(file, "permission denied") from fault
        except (OSError, ValueError) as fault:
            raise OwnError("LEDGER_FOLDER", f"{file} cannot be read: {self.path} is not a state folder.") from fault
        if not _ORIGIN.fullmatch(text):
            raise OwnError("LEDGER_FOLDER", f"{file} does not hold a log's name; restore it from backup.")
        return text

    def domain(self) -> str | None:
        """The first part of the log's name; None where there is no log yet, or none whose name can be read."""
        try:
            return self.origin().rpartition("/audit/")[0]
        except OwnError:
            return None

    def prepare(self, domain: str, entropy: Entropy) -> None:
        """Make what is missing of a new folder; what is there stays.

        Once there is a store or a checkpoint, nothing is made: what is missing then was lost, and a new one in its
        place would hide that. Raises OwnError: LEDGER_FOLDER, LEDGER_KEY.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.store.exists() or self.checkpoint.exists():
            if not (self.path / "origin").exists():
                raise OwnError("LEDGER_FOLDER", f"{self.path} holds a ledger but no origin file; restore it.")
            check_present(self.path)
            return
        if not (self.path / "origin").exists():
            if not _DOMAIN.fullmatch(domain):
                raise OwnError("LEDGER_FOLDER", "The log's domain must be a plain host name.")
            name = f"{domain.rstrip('/')}/audit/{entropy.token(16).hex()}"
            write_durably(self.path / "origin", name.encode() + b"\n", mode=0o644)
        create_keys(self.path, self.origin(), entropy)

    def is_store_gone(self) -> bool:
        """No database file, or an empty one without a WAL."""
        wal = self.store.with_name(self.store.name + "-wal")
        return not any(path.exists() and path.stat().st_size for path in (self.store, wal))

    def read_bundle(self, sha256: str) -> bytes | None:
        """The policy bundle kept under this digest, None when there is none; raises OSError when it cannot be read."""
        try:
            return (self.path / bundle_path(sha256)).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read_checkpoint(self) -> bytes | None:
        """The newest checkpoint beside the store, None when there is none."""
        try:
            return self.checkpoint.read_bytes()
        except FileNotFoundError:
            return None


class FolderLock:
    """flock on the folder's lock file: a second writer would fork the log. Released by the kernel when we die."""

    __slots__ = ("_handle",)

    def __init__(self, folder: StateFolder) -> None:
        handle = os.open(folder.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            os.close(handle)
            raise OwnError(
                "LEDGER_LOCKED",
                f"Another sidecar writes {folder.path}: give each its own state folder, or stop the other.",
            ) from fault
        self._handle = handle

    def release(self) -> None:
        os.close(self._handle)


class CheckpointFile:
    """The checkpoint beside the store, overwritten in place after each commit.

    One `pwrite` below 512 bytes is one sector; it never gets shorter, since sizes only grow. No fsync: any older
    checkpoint is still a true prefix of the log.
    """

    __slots__ = ("_handle",)

    def __init__(self, path: Path) -> None:
        fresh = not path.exists()
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if fresh:
            sync_folder(path.parent)

    def write(self, note: str) -> None:
        data = note.encode()
        os.pwrite(self._handle, data, 0)

    def replace(self, note: str) -> None:
        """Once at start: whatever lay there may have been longer. At no moment is the file empty."""
        self.write(note)
        os.ftruncate(self._handle, len(note.encode()))

    def close(self) -> None:
        os.close(self._handle)
