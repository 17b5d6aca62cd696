"""IPv4, IPv6 and MAC addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv6Address
from itertools import pairwise

from sidecar.inspection.context import WORDS
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import Token, places

OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|0?0?\d|0?[1-9]\d)"
IPV4 = re.compile(rf"{OCTET}(?:\.{OCTET}){{3}}(?:/(?:3[0-2]|[12]?\d))?(?![\w-]|\.\d)")
IPV6_CHARS = re.compile(r"[0-9A-Fa-f:]{2,45}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?")
LONGEST_GROUP = 4
HEXES = re.compile(r"[0-9A-Fa-f]{1,4}")
PREFIX = re.compile(r"(?:%\w+)?(?:/(?:12[0-8]|1[01]\d|[1-9]?\d))?")
MAC = re.compile(
    r"[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![^\W_]|\1)|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}(?![^\W_]|\.)"
)
NOBODY = re.compile(r"127\.|0\.0\.0\.0|255\.255\.")
"""Loopback, any address, masks and broadcast: they stand in every configuration and are nobody's (RFC 6890)."""
MARKS = frozenset(":-.")
"""Behind the first group of an IPv4 address, and behind each of a MAC address, be it the sentence's end."""
VERSIONS = frozenset({"v", "version", "versions", "release", "ver", "rev"})
DETECTOR = "rules/network"


def addresses(text: str, tokens: Sequence[Token], tried: Sequence[int]) -> list[Span]:
    found = _ipv6(text) if text.count(":") > 1 else []
    short = [
        (start, end, numeric)
        for start, end, numeric in map(tokens.__getitem__, tried)
        if end - start <= LONGEST_GROUP and text[end : end + 1] in MARKS
    ]
    if short:
        found += _ipv4(text, short)
        found += _macs(text, short)
    return found


def _ipv4(text: str, tokens: Sequence[Token]) -> list[Span]:
    found: list[Span] = []
    for start, end, numeric in tokens:
        if numeric and end - start <= 3 and text[end] == "." and not _continues(text, start):
            match = IPV4.match(text, start)
            if match and not NOBODY.match(match.group()) and not _is_version(text, start):
                found.append(Span(start, match.end(), "IP_ADDRESS", 0.95, DETECTOR, Strength.PROVEN))
    return found


def _continues(text: str, start: int) -> bool:
    return start >= 2 and text[start - 1] == "." and text[start - 2].isalnum()


def _is_version(text: str, start: int) -> bool:
    low = text[max(0, start - 12) : start].lower()
    return ("v" in low or "release" in low) and WORDS.findall(low)[-1] in VERSIONS


def _ipv6(text: str) -> list[Span]:
    """Around each ":" that has another near; `ipaddress` decides. `::` alone and `a::b` of code are no address."""
    found: list[Span] = []
    after = 0
    colons = places(text, ":")
    for colon, following in pairwise(colons):
        if colon < after or following - colon > LONGEST_GROUP + 1:
            continue
        start = colon
        while start > max(after, colon - LONGEST_GROUP) and text[start - 1] in "0123456789abcdefABCDEF":
            start -= 1
        match = IPV6_CHARS.match(text, start)
        after = match.end() if match else colon + 1
        if match and match.group().count(":") > 1:
            end = _ipv6_end(text, start, match.end())
            if end:
                found.append(Span(start, end, "IP_ADDRESS", 0.95, DETECTOR, Strength.PROVEN))
    return found


def _ipv6_end(text: str, start: int, end: int) -> int:
    if start and (text[start - 1].isalnum() or text[start - 1] in "_.:"):
        return 0
    if text[end - 1] == ":" and text[end - 2] != ":":
        end -= 1
    address = text[start:end]
    groups = HEXES.findall(address)
    if len(groups) < 2 or not any(char.isdigit() for char in address):
        return 0
    if text[end : end + 1].isalnum() or text[end : end + 1] == "_" or not _is_ipv6(address):
        return 0
    match = PREFIX.match(text, end)
    return match.end() if match else end


def _is_ipv6(address: str) -> bool:
    try:
        IPv6Address(address)
    except ValueError:
        return False
    return True


def _macs(text: str, tokens: Sequence[Token]) -> list[Span]:
    """Also where the first pair has no digit (`aa:bb:...`): tried at each pair, from as far back as it may begin."""
    found: list[Span] = []
    after = 0
    for start, end, _ in tokens:
        if end - start not in (2, 4) or start < after:
            continue
        match = _mac_at(text, start, after)
        if match is not None:
            after = match.end()
            if len(set(match.group().lower()) - set(":-.")) > 1:
                found.append(Span(match.start(), after, "MAC_ADDRESS", 0.95, DETECTOR, Strength.PROVEN))
    return found


def _mac_at(text: str, start: int, floor: int) -> re.Match[str] | None:
    for back in range(start - 15, start, 3):
        if back >= floor and (back == 0 or not (text[back - 1].isalnum() or text[back - 1] in ":-")):
            match = MAC.match(text, back)
            if match and match.end() > start:
                return match
    alone = start == 0 or not (text[start - 1].isalnum() or text[start - 1] in ":.-")
    return MAC.match(text, start) if alone else None
