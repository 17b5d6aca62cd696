"""Base64 that holds text: what is found inside marks the whole block, for nothing shorter can be cut out of it."""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import NamedTuple

BLOCK = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
LONGEST = 1 << 20
LEAST = b"x" * 20
CONTROLS = bytes({*range(32), 127} - set(b"\t\n\r"))
MARKED = "".join("x" if BLOCK.fullmatch(char * 20) else " " for char in map(chr, range(256))).encode()
"""What each code point of Latin-1 is to a block: a part of it, or none."""


class Block(NamedTuple):
    start: int
    end: int
    text: str


def blocks(text: str) -> list[Block]:
    """Runs that decode to printable UTF-8; words, hashes and images do not."""
    found: list[Block] = []
    marked = text.encode("latin-1", "replace").translate(MARKED)
    at = marked.find(LEAST)
    while at >= 0:  # nearly no text has a run so long, and a substring is found ten times as fast as a pattern
        match = BLOCK.match(text, at)
        assert match is not None
        decoded = _decoded(match.group())
        if decoded is not None:
            found.append(Block(at, match.end(), decoded))
        at = marked.find(LEAST, match.end())
    return found


def _decoded(block: str) -> str | None:
    body = block.rstrip("=")
    if len(body) % 4 == 1 or len(body) > LONGEST:
        return None
    data = a2b_base64(body.replace("-", "+").replace("_", "/") + "=="[: -len(body) % 4])
    if len(data.translate(None, CONTROLS)) < len(data):
        return None  # as nearly always: spares an exception
    try:
        plain = data.decode()
    except ValueError:
        return None
    return (
        plain
        if plain.isprintable() or plain.replace("\n", "").replace("\r", "").replace("\t", "").isprintable()
        else None
    )
