"""JSON logs without content: one line per exchange, and lifecycle lines.

Other libraries log through the same formatter, and theirs is where content would leak: a message or an exception's text
may quote what was being parsed. So of foreign records only logger, level and place in the code are written, and of an
exception only its type and the innermost place of our own (guarantee 4).
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

import orjson

OURS = "sidecar"
"""The logger whose messages are written: they are constants of this code, with content-free fields."""


class ContentFree(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if is_ours(record.name):
            line["event"] = record.msg
            line.update(getattr(record, "fields", {}))
        else:
            line["event"] = "foreign"
            line["at"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            line.update(described(record.exc_info[1]))
        return orjson.dumps(line, default=lambda value: type(value).__name__).decode()


def is_ours(name: str) -> bool:
    return name == OURS or name.startswith(OURS + ".")


def described(error: BaseException) -> dict[str, str]:
    """An exception without its text: type, and the last place in our code that it went through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"/{OURS}/" in frame.filename]
    place = (ours or frames)[-1:] or None
    told = {"error": type(error).__name__}
    if place is not None:
        told["error_at"] = f"{place[0].filename.rpartition('/')[2]}:{place[0].lineno}"
    return told


def setup(stream: TextIO | None = None, level: int = logging.INFO) -> logging.Handler:
    """Send every logger's records to `stream` (stderr) in this form. Returns the handler, for taking it off again.

    Debug records of other libraries stay off: asyncio's and aiohttp's quote what they work on.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(ContentFree())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level)
    return handler


def event(name: str, fields: Mapping[str, object] | None = None, *, level: int = logging.INFO) -> None:
    """Log one line. `name` is a constant, `fields` are content-free."""
    logging.getLogger(OURS).log(level, name, extra={"fields": dict(fields or {})})


def failure(name: str, error: BaseException) -> None:
    """Log a fault of ours by type and place."""
    logging.getLogger(OURS).error(name, extra={"fields": described(error)})
