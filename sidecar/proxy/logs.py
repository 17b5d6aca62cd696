"""JSON logs without content: one line per exchange, and lifecycle lines.

Other libraries log through the same formatter, and theirs is where content would leak: a message or an exception's text
may quote what was being parsed. So of foreign records only logger, level and place in the code are written, and of an
exception only its type and the innermost place of our own (guarantee 4).
"""

from __future__ import annotations

import errno
import logging
import ssl
import sys
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

import orjson

from sidecar.proxy.log_writer import Queued

OURS = "sidecar"
"""The logger whose messages are written: they are constants of this code, with content-free fields."""

LOGGER, ROOT = logging.getLogger(OURS), logging.getLogger()


class ContentFree(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = head(record.created, record.levelno, record.name)
        if is_ours(record.name):
            line["event"] = record.msg
            line.update(getattr(record, "fields", {}))
        else:
            line["event"] = "foreign"
            line["at"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            line.update(described(record.exc_info[1]))
        return dumped(line)


class Seldom(logging.Filter):
    """Of lines that are not ours, one a second from each place: when no more files can be opened, asyncio says so a
    thousand times in a row, each second anew, which would fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if is_ours(record.name):
            return True
        place = record.name, record.pathname, record.lineno
        if 0 <= record.created - self._last.get(place, 0.0) < 1:
            return False
        self._last[place] = record.created
        return True


def head(at: float, level: int, logger: str) -> dict[str, object]:
    """What every line begins with."""
    return {
        "time": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
        "level": logging.getLevelName(level).lower(),
        "logger": logger,
    }


def dumped(line: Mapping[str, object]) -> str:
    return orjson.dumps(line, default=lambda value: type(value).__name__).decode()


def is_ours(name: str) -> bool:
    return name == OURS or name.startswith(OURS + ".")


def described(error: BaseException) -> dict[str, str]:
    """An exception without its text: type, the last place in our code that it went through, and what the system calls
    it (`ENOSPC`, `SQLITE_FULL`), where it says."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"/{OURS}/" in frame.filename]
    place = (ours or frames)[-1:] or None
    told = {"error": type(error).__name__}
    if place is not None:
        told["error_at"] = f"{place[0].filename.rpartition('/')[2]}:{place[0].lineno}"
    if (name := system_name(error)) is not None:
        told["errno"] = name
    return told


def system_name(error: BaseException) -> str | None:
    """The constant's name behind an error of the operating system, SQLite or OpenSSL; never its text."""
    inner = getattr(error, "os_error", error)  # aiohttp's own wrap it, and take over an errno that OpenSSL counts anew
    if isinstance(inner, ssl.SSLError):
        return getattr(inner, "reason", None)
    if isinstance(inner, OSError):
        return errno.errorcode.get(inner.errno or 0)
    name: str | None = getattr(inner, "sqlite_errorname", None)
    return name


def setup(stream: TextIO | None = None) -> Queued:
    """Send every logger's records to `stream` (stderr) in this form. Returns the handler, for taking it off again.

    Debug records of other libraries stay off: asyncio's and aiohttp's quote what they work on.
    """
    handler = Queued(stream or sys.stderr)
    handler.setFormatter(ContentFree())
    handler.addFilter(Seldom())
    ROOT.handlers[:] = [handler]
    ROOT.setLevel(logging.WARNING)
    LOGGER.setLevel(logging.INFO)
    return handler


def event(name: str, fields: Mapping[str, object] | None = None, *, level: int = logging.INFO) -> None:
    """Log one line. `name` is a constant, `fields` are content-free.

    Where nobody but our own handler listens, the line is written without a LogRecord: finding out which thread and line
    of code called, for each exchange, cost more than writing it.
    """
    listening = ROOT.handlers
    if len(listening) == 1 and isinstance(listening[0], Queued) and not LOGGER.handlers:
        stamp = time.time()  # noqa: TID251  as logging itself stamps its records
        listening[0].put(dumped({**head(stamp, level, OURS), "event": name, **(fields or {})}))
        return
    LOGGER.log(level, name, extra={"fields": dict(fields or {})})


def dropped() -> int:
    """Lines that could not be written."""
    return sum(handler.dropped for handler in ROOT.handlers if isinstance(handler, Queued))


def failure(name: str, error: BaseException) -> None:
    """Log a fault of ours by type and place."""
    LOGGER.error(name, extra={"fields": described(error)})
