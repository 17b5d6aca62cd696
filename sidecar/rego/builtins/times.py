"""Time of nanoseconds since 1970, with Go's layouts: topdown/time.go, package time.

The clock itself is not here: the time of a decision is part of its input.
"""

# ruff: noqa: ARG001 (every builtin is given the run; those whose work grows charge it)
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sidecar.rego import numbers
from sidecar.rego.errors import BuiltinError
from sidecar.rego.runtime import Run
from sidecar.rego.values import Value

from .operands import INT64, integer, number, string, wrong_type

Builtin = Callable[..., Value]

SECOND: Final = 1_000_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIXED: Final = {"UTC": UTC, "": UTC}

LAYOUTS: Final = {
    "ANSIC": "Mon Jan _2 15:04:05 2006",
    "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
    "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
    "RFC822": "02 Jan 06 15:04 MST",
    "RFC822Z": "02 Jan 06 15:04 -0700",
    "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
    "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
    "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A local time and the nanoseconds datetime has no room for."""

    local: datetime
    nanos: int  # below a second
    layout: str


def nanoseconds(local: datetime, nanos: int) -> int:
    elapsed = local - EPOCH
    total = (elapsed.days * 86_400 + elapsed.seconds) * SECOND + nanos
    if not -INT64 <= total < INT64:
        raise BuiltinError("time outside of valid range")
    return total


def moment(value: Value) -> Moment:
    """A number of nanoseconds, or [nanoseconds, zone, layout] (tzTime)."""
    parts = value if type(value) is list else [value]
    if not parts or (type(value) is not list and not numbers.is_number(value)):
        raise wrong_type(1, value, "either number (ns) or [number (ns), string (tz)]")
    total = numbers.to_big(number(parts[0], 1))
    if total.denominator != 1 or not -INT64 <= total < INT64:
        raise BuiltinError("timestamp too big")
    seconds, nanos = divmod(int(total), SECOND)
    place = zone(string(parts[1], 1)) if len(parts) > 1 else UTC
    layout = string(parts[2], 1) if len(parts) > 2 else ""
    return Moment((EPOCH + timedelta(seconds=seconds)).astimezone(place), nanos, layout)


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """A zone of the time zone database. `Local` is refused: a decision must not depend on the machine."""
    if name in _FIXED:
        return _FIXED[name]
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BuiltinError("unknown time zone") from None


def date(run: Run, a: Value) -> Value:
    local = moment(a).local
    return [local.year, local.month, local.day]


def clock(run: Run, a: Value) -> Value:
    local = moment(a).local
    return [local.hour, local.minute, local.second]


def weekday(run: Run, a: Value) -> Value:
    return _DAYS[moment(a).local.weekday()]


def add_date(run: Run, a: Value, years: Value, months: Value, days: Value) -> Value:
    """Overflowing days run on into the next month: Oct 31 plus a month is Dec 1 (time.AddDate)."""
    at = moment(a)
    month = at.local.year * 12 + at.local.month - 1 + integer(years, 2) * 12 + integer(months, 3)
    shift = at.local.day - 1 + integer(days, 4)
    try:
        moved = at.local.replace(year=month // 12, month=month % 12 + 1, day=1) + timedelta(days=shift)
        return nanoseconds(moved, at.nanos)
    except (ValueError, OverflowError):
        raise BuiltinError("time outside of valid range") from None


def diff(run: Run, a: Value, b: Value) -> Value:
    """Years, months, days, hours, minutes, seconds between two moments."""
    one, other = moment(a).local, moment(b).local.astimezone(moment(a).local.tzinfo)
    first, last = sorted((one, other), key=lambda local: local.astimezone(UTC))
    gap = [getattr(last, unit) - getattr(first, unit) for unit in _UNITS]
    for index, size in ((5, 60), (4, 60), (3, 24), (2, _days_in(first)), (1, 12)):
        if gap[index] < 0:
            gap[index] += size
            gap[index - 1] -= 1
    return gap


_UNITS: Final = ("year", "month", "day", "hour", "minute", "second")


def _days_in(local: datetime) -> int:
    return 32 - (datetime(local.year, local.month, 1, tzinfo=UTC) + timedelta(days=31)).day


# --- layouts ----------------------------------------------------------------------------------------

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip

# The chunks of a layout, in the order nextStdChunk tries them (time/format.go).
_CHUNK: Final = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|01|02|03|04|05|06|15|1|2006|2|__2|_2(?!006)|3|4|5"
    r"|PM|pm|-07:00:00|-07:00|-070000|-0700|-07|Z07:00:00|Z07:00|Z070000|Z0700|Z07|[.,](?:0+|9+)(?!\d)"
)


def layout_of(name: str) -> list[str]:
    """A layout as literals (even places) and chunks (odd ones)."""
    text = LAYOUTS.get(name, name)
    parts, end = [], 0
    for match in _CHUNK.finditer(text):
        parts += [text[end : match.start()], match[0]]
        end = match.end()
    return [*parts, text[end:]]


def time_format(run: Run, a: Value) -> Value:
    at = moment(a)
    parts = layout_of(at.layout or "RFC3339Nano")
    return "".join(part if index % 2 == 0 else shown(at, part) for index, part in enumerate(parts))


_SHOWN: Final[dict[str, Callable[[datetime], str]]] = {
    "January": lambda t: _MONTHS[t.month - 1], "Jan": lambda t: _MONTHS[t.month - 1][:3],
    "Monday": lambda t: _DAYS[t.weekday()], "Mon": lambda t: _DAYS[t.weekday()][:3],
    "MST": lambda t: t.tzname() or "UTC",
    "002": lambda t: f"{t.timetuple().tm_yday:03d}", "__2": lambda t: f"{t.timetuple().tm_yday:3d}",
    "01": lambda t: f"{t.month:02d}", "1": lambda t: str(t.month),
    "02": lambda t: f"{t.day:02d}", "2": lambda t: str(t.day), "_2": lambda t: f"{t.day:2d}",
    "03": lambda t: f"{(t.hour + 11) % 12 + 1:02d}", "3": lambda t: str((t.hour + 11) % 12 + 1),
    "04": lambda t: f"{t.minute:02d}", "4": lambda t: str(t.minute),
    "05": lambda t: f"{t.second:02d}", "5": lambda t: str(t.second),
    "06": lambda t: f"{t.year % 100:02d}", "2006": lambda t: f"{t.year:04d}", "15": lambda t: f"{t.hour:02d}",
    "PM": lambda t: "PM" if t.hour >= 12 else "AM", "pm": lambda t: "pm" if t.hour >= 12 else "am",
}  # fmt: skip


def shown(at: Moment, chunk: str) -> str:
    if chunk in _SHOWN:
        return _SHOWN[chunk](at.local)
    if chunk[0] in ".,":
        digits = f"{at.nanos:09d}"[: len(chunk) - 1]
        digits = digits.rstrip("0") if chunk[1] == "9" else digits
        return chunk[0] + digits if digits else ""
    return offset_text(at.local.utcoffset() or timedelta(), chunk)


def offset_text(offset: timedelta, chunk: str) -> str:
    seconds = int(offset.total_seconds())
    if chunk[0] == "Z" and not seconds:
        return "Z"
    sign, size = ("-" if seconds < 0 else "+"), abs(seconds)
    parts = [f"{size // 3600:02d}", f"{size // 60 % 60:02d}", f"{size % 60:02d}"]
    colon = ":" if ":" in chunk else ""
    return sign + colon.join(parts[: (len(chunk.replace(":", "")) - 1) // 2])


_NAMES: Final = "|".join
_FRACTION: Final = r"(?P<f>[.,]\d+)?"
_READ: Final[dict[str, str]] = {
    # Only names are found in any case (time.lookup).
    "January": f"(?P<B>(?i:{_NAMES(_MONTHS)}))", "Jan": f"(?P<b>(?i:{_NAMES(name[:3] for name in _MONTHS)}))",
    "Monday": f"(?i:{_NAMES(_DAYS)})", "Mon": f"(?i:{_NAMES(name[:3] for name in _DAYS)})",
    "MST": r"(?P<Z>[A-Z]{3,4}|[+-]\d{2})", "002": r"(?P<j>\d{3})", "__2": r"(?P<j> {0,2}\d{1,3})",
    "01": r"(?P<m>\d{2})", "1": r"(?P<m>\d{1,2})", "02": r"(?P<d>\d{2})", "2": r"(?P<d>\d{1,2})",
    "_2": r" ?(?P<d>\d{1,2})", "03": r"(?P<I>\d{2})", "3": r"(?P<I>\d{1,2})", "04": r"(?P<M>\d{2})",
    "4": r"(?P<M>\d{1,2})", "05": r"(?P<S>\d{2})" + _FRACTION, "5": r"(?P<S>\d{1,2})" + _FRACTION,
    "06": r"(?P<y>\d{2})", "2006": r"(?P<Y>\d{4})", "15": r"(?P<H>\d{2})", "PM": r"(?P<p>[AP]M)",
    "pm": r"(?P<p>[ap]m)",
}  # fmt: skip
_SIGNED: Final = {4: r"[+-]\d{4}", 2: r"[+-]\d{2}", 6: r"[+-]\d{6}"}


@lru_cache(maxsize=256)
def reader_of(layout: str) -> re.Pattern[str]:
    """A layout as a pattern. Seconds may carry a fraction that the layout does not mention next (time.Parse)."""
    pieces, parts = [], layout_of(layout)
    for index, part in enumerate(parts):
        pieces.append(re.escape(part) if index % 2 == 0 else readable(part, [*parts, "", ""][index + 2]))
    try:
        return re.compile("".join(pieces), re.ASCII)
    except re.error:  # a chunk twice
        raise BuiltinError("time layout not available here") from None


def readable(chunk: str, after: str) -> str:
    if chunk in ("05", "5") and after[:1] in (".", ","):
        return _READ[chunk].removesuffix(_FRACTION)
    if chunk in _READ:
        return _READ[chunk]
    if chunk[0] in ".,":  # zeros are so many digits, nines any number or none
        return rf"(?P<f>[.,]\d{{{len(chunk) - 1}}})" if chunk[1] == "0" else _FRACTION
    plain = chunk.replace(":", "")
    body = _SIGNED[len(plain) - 1]
    if ":" in chunk:
        body = r"[+-]" + ":".join([r"\d{2}"] * ((len(plain) - 1) // 2))
    return rf"(?P<z>Z|{body})" if chunk[0] == "Z" else rf"(?P<z>{body})"


def parse_time(layout: str, text: str) -> int:
    match = reader_of(layout).fullmatch(text)
    if match is None:
        raise BuiltinError("time does not match its layout")
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    try:
        return nanoseconds(local_time(found), fraction(found.get("f", "")))
    except (ValueError, OverflowError):
        raise BuiltinError("time out of range") from None


def local_time(found: dict[str, str]) -> datetime:
    hour = int(found.get("H", found.get("I", "0")))
    if "I" in found and not 0 < hour <= 12 and hour:
        raise ValueError(hour)
    if "p" in found:
        hour = hour % 12 + (12 if found["p"].lower() == "pm" else 0)
    day = datetime(year_of(found), month_of(found), int(found.get("d", "1")), tzinfo=UTC)
    if "j" in found:
        day = datetime(day.year, 1, 1, tzinfo=UTC) + timedelta(days=int(found["j"]) - 1)
    time = day.replace(hour=hour, minute=int(found.get("M", "0")), second=int(found.get("S", "0")))
    return time - offset_of(found)


def year_of(found: dict[str, str]) -> int:
    if "y" in found:  # two digits: 69 and above are of the twentieth century
        return int(found["y"]) + (1900 if int(found["y"]) >= 69 else 2000)
    if "Y" not in found:
        raise ValueError("year 0 is out of range here")
    return int(found["Y"])


def month_of(found: dict[str, str]) -> int:
    name = (found.get("B") or found.get("b") or "").lower()[:3]
    if name:
        return [month[:3].lower() for month in _MONTHS].index(name) + 1
    return int(found.get("m", "1"))


def offset_of(found: dict[str, str]) -> timedelta:
    """An offset as written. A zone's abbreviation alone says nothing certain: only UTC and GMT are taken."""
    text = found.get("z", "Z")
    if text.upper() == "Z":
        if found.get("Z", "UTC") not in ("UTC", "GMT"):
            raise ValueError("zone abbreviation")
        return timedelta()
    digits = text[1:].replace(":", "")
    parts = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
    if parts[0] > 24 or any(part > 59 for part in parts[1:]):
        raise ValueError("offset")
    size = timedelta(hours=parts[0], minutes=sum(parts[1:2]), seconds=sum(parts[2:3]))
    return -size if text[0] == "-" else size


def fraction(text: str) -> int:
    return int(text[1:10].ljust(9, "0")) if text else 0


# --- durations --------------------------------------------------------------------------------------

_SPAN: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w|y)")
_SIZES: Final[dict[str, int]] = {
    "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": SECOND, "m": 60 * SECOND,
    "h": 3600 * SECOND, "d": 24 * 3600 * SECOND, "w": 7 * 24 * 3600 * SECOND, "y": 365 * 24 * 3600 * SECOND,
}  # fmt: skip


def parse_duration(run: Run, a: Value) -> Value:
    """time.ParseDuration, and OPA's days, weeks and years of 365 days."""
    text = string(a, 1)
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0
    if not body or _SPAN.sub("", body):
        raise BuiltinError("invalid duration")
    total = sum(_span(amount, _SIZES[unit]) for amount, unit in _SPAN.findall(body))
    if total >= INT64:
        raise BuiltinError("invalid duration")
    return -total if text[0] == "-" else total


def _span(amount: str, size: int) -> int:
    """As Go: the part behind the point goes through a double, whose rounding may make it whole."""
    whole, _, part = amount.partition(".")
    part = part[: 19 if int(part[:19] or 0) <= INT64 else 18]
    return int(whole or 0) * size + int(int(part or 0) * (size / 10 ** len(part)))


def parse_ns(run: Run, layout: Value, text: Value) -> Value:
    return parse_time(string(layout, 1), string(text, 2))


def parse_rfc3339_ns(run: Run, text: Value) -> Value:
    return parse_time("RFC3339", string(text, 1))


TABLE: dict[str, Any] = {
    "time.add_date": add_date,
    "time.clock": clock,
    "time.date": date,
    "time.diff": diff,
    "time.format": time_format,
    "time.parse_duration_ns": parse_duration,
    "time.parse_ns": parse_ns,
    "time.parse_rfc3339_ns": parse_rfc3339_ns,
    "time.weekday": weekday,
}
