"""Base64 that holds text: what is found inside marks the whole block, for nothing shorter can be cut out of it."""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64decode
from binascii import Error
from collections.abc import Iterator
from typing import NamedTuple

BLOCK = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
LONGEST = 1 << 20


class Block(NamedTuple):
    start: int
    end: int
    text: str


def blocks(text: str) -> Iterator[Block]:
    """Runs that decode to printable UTF-8; words, hashes and images do not."""
    for match in BLOCK.finditer(text):
        decoded = _decoded(match.group())
        if decoded is not None:
            yield Block(*match.span(), decoded)


def _decoded(block: str) -> str | None:
    body = block.rstrip("=")
    if len(body) % 4 == 1 or len(body) > LONGEST:
        return None
    padded = body + "=" * (-len(body) % 4)
    decode = urlsafe_b64decode if "-" in body or "_" in body else b64decode
    try:
        plain = decode(padded).decode()
    except (Error, ValueError):
        return None
    return (
        plain
        if plain.isprintable() or plain.replace("\n", "").replace("\r", "").replace("\t", "").isprintable()
        else None
    )
