"""Networks, versions and units: topdown/cidr.go, semver.go, parse_bytes.go, parse_units.go."""

# ruff: noqa: ARG001 (every builtin is given the run; those whose work grows charge it)
from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Final

from sidecar.rego import numbers
from sidecar.rego.errors import BuiltinError
from sidecar.rego.runtime import Run
from sidecar.rego.values import RegoSet, Value

from .operands import INT64, string

Builtin = Callable[..., Value]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class InvalidCidr(BuiltinError):
    """What Go's parser would not take either."""


def parse_ip(text: str) -> Address | None:
    """net.ParseIP: no zones; an IPv4-mapped address is the IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return None if "%" in text else address.ipv4_mapped or address
    return address


def parse_cidr(text: str) -> Network:
    """net.ParseCIDR: a prefix length, no netmask."""
    host, slash, bits = text.partition("/")
    address = parse_ip(host)
    if address is None or not slash or not re.fullmatch(r"\d{1,9}", bits, re.ASCII):
        raise InvalidCidr("invalid CIDR address")
    if ":" in host and address.version == 4:
        raise BuiltinError("network of IPv4-mapped addresses")  # no answer
    try:
        return ipaddress.ip_network(f"{host}/{int(bits)}", strict=False)
    except ValueError:
        raise InvalidCidr("invalid CIDR address") from None


def cidr_contains(run: Run, a: Value, b: Value) -> Value:
    outer = parse_cidr(string(a, 1))
    address = parse_ip(string(b, 1))
    if address is not None:
        return address in outer
    inner = parse_cidr(b)
    return inner.network_address in outer and inner.broadcast_address in outer


def cidr_intersects(run: Run, a: Value, b: Value) -> Value:
    one, other = parse_cidr(string(a, 1)), parse_cidr(string(b, 1))
    return other.network_address in one or one.network_address in other


def cidr_is_valid(run: Run, a: Value) -> Value:
    try:
        return type(a) is str and parse_cidr(a) is not None
    except InvalidCidr:
        return False


def cidr_expand(run: Run, a: Value) -> Value:
    network = parse_cidr(string(a, 1))
    run.spend(network.num_addresses)
    return RegoSet((text, text) for text in map(str, network))


# --- semantic versions ------------------------------------------------------------------------------

_IDENTIFIERS: Final = re.compile(r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*")
_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)


def parse_version(text: str) -> tuple[tuple[int, ...], str]:
    """Major, minor, patch and the pre-release text (internal/semver)."""
    rest, _, metadata = text.removeprefix("v").partition("+")
    rest, _, pre = rest.partition("-")
    if any(part and not _IDENTIFIERS.fullmatch(part) for part in (metadata, pre)):
        raise BuiltinError("not a valid SemVer")
    parts = rest.split(".")
    if len(parts) != 3 or not all(_INTEGER.fullmatch(part) for part in parts):
        raise BuiltinError("not a valid SemVer")
    core = tuple(map(int, parts))
    if not all(-INT64 <= part < INT64 for part in core):
        raise BuiltinError("not a valid SemVer")
    return core, pre


def _precedence(pre: str) -> tuple[object, ...]:
    """No pre-release is higher than any; numeric identifiers are lower than others (semver.org, item 11)."""
    if not pre:
        return (1,)
    return (0, *((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")))


def semver_compare(run: Run, a: Value, b: Value) -> Value:
    (x, pre_x), (y, pre_y) = parse_version(string(a, 1)), parse_version(string(b, 2))
    left, right = (x, _precedence(pre_x)), (y, _precedence(pre_y))
    return (left > right) - (left < right)


def semver_is_valid(run: Run, a: Value) -> Value:
    try:
        parse_version(string(a, 1))
    except BuiltinError:
        return False
    return True


# --- units ------------------------------------------------------------------------------------------

_STEPS: Final = "kmgtpe"
_BYTES: Final = {
    "": 1,
    **{unit + tail: 1000 ** (at + 1) for at, unit in enumerate(_STEPS) for tail in ("", "b")},
    **{unit + tail: 1024 ** (at + 1) for at, unit in enumerate(_STEPS) for tail in ("i", "ib")},
}
_UNITS: Final[dict[str, Fraction]] = {
    "m": Fraction(0.001), "": Fraction(1),
    **{name: Fraction(1000**3) for name in ("g", "G")},
    **{name: Fraction(1000) for name in ("k", "K")}, "M": Fraction(1000**2),
    **{name: Fraction(1000 ** (at + 4)) for at, unit in enumerate("tpe") for name in (unit, unit.upper())},
    **{name + "i": Fraction(1024 ** (at + 1)) for at, unit in enumerate(_STEPS) for name in (unit, unit.upper())},
}  # fmt: skip
_AMOUNT: Final = re.compile(r"(?P<amount>(?:[0-9.+-]|[eE](?=[0-9+-])[+-]?)*)(?P<unit>.*)", re.DOTALL)
_DECIMAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)


def _amount(text: str) -> tuple[Decimal, str]:
    if " " in text:
        raise BuiltinError("spaces not allowed in resource strings")
    match = _AMOUNT.fullmatch(text)
    if match is None or not _DECIMAL.fullmatch(match["amount"]):
        raise BuiltinError("could not parse amount to a number")
    value = Decimal(match["amount"])
    if abs(value.adjusted()) > numbers.MAX_EXPONENT:
        raise BuiltinError("exponent too large")
    return value, match["unit"]


def parse_bytes(run: Run, a: Value) -> Value:
    value, unit = _amount(string(a, 1).lower().replace('"', ""))
    if unit not in _BYTES:
        raise BuiltinError("byte unit not recognized")
    return int(numbers.rounded(numbers.rounded(Fraction(value)) * _BYTES[unit]))


def parse_units(run: Run, a: Value) -> Value:
    value, unit = _amount(string(a, 1).replace('"', ""))
    factor = _UNITS.get(unit[:1] + unit[1:].lower())
    if factor is None:
        raise BuiltinError("unit not recognized")
    exact = Fraction(value) * factor
    if exact.denominator == 1:
        return int(exact)
    return numbers.normal(Decimal(format(Decimal(exact.numerator) / Decimal(exact.denominator), ".10f")))


TABLE: dict[str, Builtin] = {
    "net.cidr_contains": cidr_contains,
    "net.cidr_expand": cidr_expand,
    "net.cidr_intersects": cidr_intersects,
    "net.cidr_is_valid": cidr_is_valid,
    "semver.compare": semver_compare,
    "semver.is_valid": semver_is_valid,
    "units.parse": parse_units,
    "units.parse_bytes": parse_bytes,
}
