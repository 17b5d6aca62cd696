"""What the flags of `sidecar audit query` and `tail` mean: times, shares, numbers of rows."""

from __future__ import annotations

import argparse
import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sidecar.drivers.clock import SystemClock

if TYPE_CHECKING:
    from sidecar.drivers.store_query import Filters

TABLE_ROWS, MAX_ROWS = 50, 10**12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
SPAN = re.compile(r"(\d{1,6})([smhdw])")


def limit(text: str) -> int:
    """Rows at most, 0 for all. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) > MAX_ROWS:
        raise argparse.ArgumentTypeError("a number of rows, or 0 for all")
    return int(text)


def name(text: str) -> str:
    """Something to look for; a shell's empty variable asks for nothing. Raises ArgumentTypeError."""
    if not text:
        raise argparse.ArgumentTypeError("is empty: say what to look for, or leave it out")
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that the locale does not know would be looked for, and found nowhere
        raise argparse.ArgumentTypeError("cannot be read in this locale: try LC_ALL=C.UTF-8") from None
    return text


def share(text: str) -> float:
    """0 to 1. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1: seventy percent is 0.7")
    return value


def when(text: str | None) -> int | None:
    """`1h` ago, or a date and time, in UTC unless it names a zone, as microseconds. Raises ValueError."""
    if text is None:
        return None
    if span := SPAN.fullmatch(text):
        return SystemClock().now() - int(span[1]) * SPANS[span[2]] * 1_000_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither a span (30m, 1h, 7d) nor a date and time (2026-11-21T13:00)") from None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // timedelta(microseconds=1)


def filters_of(options: argparse.Namespace) -> Filters:
    """Raises ValueError for what is no time, and for bounds that nothing can lie between."""
    from sidecar.drivers.store_query import Filters

    def ppm(value: float | None) -> int | None:
        return None if value is None else round(value * 1_000_000)

    same = "caller subject conversation model prompt prompt_version verdict code entity obligation"
    filters = Filters(
        **{name: getattr(options, name) for name in same.split()},
        since=when(options.since),
        until=when(getattr(options, "until", None)),
        confidence_min_ppm=ppm(options.confidence_min),
        confidence_max_ppm=ppm(options.confidence_max),
        state=options.state_is,
        limit=_rows(options),
    )
    if filters.since is not None and filters.until is not None and filters.since >= filters.until:
        raise ValueError("--since is not before --until: nothing can lie between them")
    low, high = filters.confidence_min_ppm, filters.confidence_max_ppm
    if low is not None and high is not None and low > high:
        raise ValueError("--confidence-min is above --confidence-max: nothing can lie between them")
    return filters


def _rows(options: argparse.Namespace) -> int | None:
    """How many rows a list may have, None for all: programs get all unless they say otherwise, people a screenful."""
    given: int | None = getattr(options, "limit", None)
    is_table = not (options.json or options.csv)
    return TABLE_ROWS if given is None and is_table else given or None
