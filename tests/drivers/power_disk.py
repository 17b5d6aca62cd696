"""A disk that can lose power, fill up, or fail to sync: an SQLite VFS in Python, for a process of its own.

Run as `python power_disk.py MODE FOLDER` by test_store_power.py. It uses apsw's copy of SQLite, which must never share
a process with the standard library's on one file. Every write, truncation, sync and deletion is logged; a power cut at
any point is then played back: what was synced is kept, of the rest a random part, in pieces of 512 bytes.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import apsw

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sidecar.drivers import store_folder, store_open, store_sql
from sidecar.drivers.store import Ledger
from sidecar.errors import OwnError
from tests.ledger.factory import make_intent, make_outcome, start

SECTOR = 512


class Op(NamedTuple):
    kind: str
    name: str
    at: int = 0
    data: bytes = b""


LOG: list[Op] = []
NOTES: list[tuple[int, str]] = []
FAIL: dict[str, int] = {}


def log(op: Op) -> None:
    """Log an operation; raise what FAIL says once its countdown has run out, and again at every later one."""
    LOG.append(op)
    if op.kind in FAIL:
        FAIL[op.kind] -= 1
        if FAIL[op.kind] < 0:
            raise apsw.FullError("no space") if op.kind == "write" else apsw.IOError("sync failed")


class Disk(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("power", "")

    def xOpen(self, name: Any, flags: list[int]) -> DiskFile:
        return DiskFile(name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        log(Op("delete", Path(filename).name))
        super().xDelete(filename, syncdir)


class DiskFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self.name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temp").name

    def xWrite(self, data: bytes, offset: int) -> None:
        log(Op("write", self.name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        log(Op("truncate", self.name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        log(Op("sync", self.name))
        super().xSync(flags)


class Careless:
    """A connection that is told to be durable, and is not: shows that the test can fail."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        return self._connection.execute(sql.replace("synchronous = FULL", "synchronous = OFF"), parameters)

    def executemany(self, sql: str, rows: Any) -> Any:
        return self._connection.executemany(sql, rows)

    def close(self) -> None:
        self._connection.close()


def engine(careless: bool) -> store_sql.Engine:
    def connect(path: Path) -> Any:
        connection = apsw.Connection(str(path), vfs="power")
        return Careless(connection) if careless else connection

    return store_sql.Engine(connect, apsw.ConstraintError, apsw.sqlite_lib_version())


PWRITE = store_folder.CheckpointFile.write


class CheckpointLog(store_folder.CheckpointFile):
    """Remembers when each checkpoint was written: after a power cut the file may be any of them."""

    def write(self, note: str) -> None:
        PWRITE(self, note)
        NOTES.append((len(LOG), note))


async def exchanges(ledger: Ledger, numbers: range, acknowledged: list[tuple[int, str, str]]) -> str | None:
    """Write exchanges one after the other; the code of the error that ended it."""
    for number in numbers:
        try:
            await ledger.open(make_intent(number))
            acknowledged.append((len(LOG), "intent", make_intent(number).id))
            await ledger.close(make_outcome(number))
            acknowledged.append((len(LOG), "outcome", make_intent(number).id))
        except OwnError as fault:
            return fault.code
    return None


async def load(folder: Path, careless: bool, acknowledged: list[tuple[int, str, str]]) -> dict[str, Any]:
    ledger = await start(folder, engine=engine(careless))
    begun = len(LOG)
    FAIL.update(dict.fromkeys(sys.argv[3:], 20))
    codes = await asyncio.gather(*(exchanges(ledger, range(n * 100, n * 100 + 30), acknowledged) for n in range(3)))
    failed_at = len(LOG)
    report = {"codes": codes, "failed": ledger.failed, "begun": begun}
    if ledger.failed:
        report["again"] = await exchanges(ledger, range(900, 901), acknowledged)
        report["retried"] = len(LOG) - failed_at
    else:
        ledger._writer.fold_in(force=True)
        report["more"] = await exchanges(ledger, range(800, 810), acknowledged)
    await ledger.stop(clean=False)
    return report


def after_power_cut(cut: int, source: random.Random) -> dict[str, bytes]:
    """The files as a disk may hold them when the power went after `cut` operations."""
    last_sync = {op.name: at for at, op in enumerate(LOG[:cut]) if op.kind == "sync"}
    folder_sync = max((at for at, op in enumerate(LOG[:cut]) if op.kind == "folder"), default=-1)
    files: dict[str, bytearray] = {}
    for at, op in enumerate(LOG[:cut]):
        durable = at < last_sync.get(op.name, -1)
        if op.kind == "write":
            file = files.setdefault(op.name, bytearray())
            for start_at in range(0, len(op.data), SECTOR):
                if durable or source.random() < 0.5:
                    piece = op.data[start_at : start_at + SECTOR]
                    where = op.at + start_at
                    file.extend(bytes(max(0, where + len(piece) - len(file))))
                    file[where : where + len(piece)] = piece
        elif op.kind == "truncate" and (durable or source.random() < 0.5):
            del files.setdefault(op.name, bytearray())[op.at :]
        elif op.kind == "delete" and (at < folder_sync or source.random() < 0.5):
            files.pop(op.name, None)
    return {name: bytes(data) for name, data in files.items()}


def play_back(folder: Path, begun: int, acknowledged: list[tuple[int, str, str]], cuts: int) -> None:
    source = random.Random(7)
    for number in range(cuts):
        cut = source.randint(begun, len(LOG))
        target = folder.parent / f"cut{number}"
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns("ledger.sqlite*", "checkpoint", "lock"))
        for name, data in after_power_cut(cut, source).items():
            if name.startswith("ledger.sqlite"):
                (target / name).write_bytes(data)
        notes = [note for at, note in NOTES if at <= cut]
        (target / "checkpoint").write_text(notes[-1])
        known = [[kind, name] for at, kind, name in acknowledged if at <= cut]
        (folder.parent / f"cut{number}.json").write_text(json.dumps(known))


def main() -> None:
    mode, folder = sys.argv[1], Path(sys.argv[2])
    disk = Disk()
    store_folder.CheckpointFile.write = CheckpointLog.write  # type: ignore[method-assign]
    store_open.sync_folder = lambda _: log(Op("folder", ""))
    acknowledged: list[tuple[int, str, str]] = []
    report = asyncio.run(load(folder, mode == "careless", acknowledged))
    report["acknowledged"] = [[kind, name] for _, kind, name in acknowledged]
    if mode in ("cut", "careless"):
        play_back(folder, report["begun"], acknowledged, 12)
    report["syncs"] = sum(op.kind == "sync" for op in LOG)
    print(json.dumps(report))
    disk.unregister()


if __name__ == "__main__":
    main()
