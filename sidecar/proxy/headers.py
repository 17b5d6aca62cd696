"""Which headers go past this hop, each way. Order, spelling and duplicates are kept.

Left out are the connection's own (RFC 9110 7.6.1 and those that `Connection` names), framing that aiohttp writes anew,
and what an application says to the sidecar alone (`x-sidecar-*`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Headers = tuple[tuple[str, str], ...]

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
REQUEST_ONLY = HOP_BY_HOP | {"expect", "host"}
NEEDED = frozenset({"content-length", "content-type", "content-encoding", "authorization", "close"})
NONE: frozenset[str] = frozenset()
OWN_PREFIX = "x-sidecar-"


def spelled(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Header fields as they came, as text. Bytes that are not UTF-8 survive as surrogates."""
    return tuple(
        [(name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")) for name, value in raw]
    )


def readable(value: str) -> str:
    """A value of `spelled` as people read it: bytes that are no UTF-8 are ISO-8859-1, as HTTP once had it.

    Older clients and proxies still send it (RFC 9110 5.5). No detector knows a name with a surrogate in it, and aiohttp
    writes the value without it.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


def request_headers(headers: Sequence[tuple[str, str]], drop: frozenset[str] = frozenset()) -> Headers:
    """What of a caller's headers goes upstream. `drop` holds further names, in lower case.

    `Content-Length` stays in its place; the upstream client sets it to what it sends.
    """
    kept = _without(headers, REQUEST_ONLY | drop if drop else REQUEST_ONLY)
    for _, value in kept:
        if not value.isascii():
            return tuple([(name, readable(value)) for name, value in kept])
    return kept


def reply_headers(headers: Sequence[tuple[str, str]]) -> Headers:
    """What of an upstream's headers goes back to the caller; nobody upstream speaks in the sidecar's name."""
    return _without(headers, HOP_BY_HOP)


def _without(headers: Sequence[tuple[str, str]], left_out: frozenset[str]) -> Headers:
    if named := named_by_connection(headers):
        left_out |= named
    return tuple(
        [
            (name, value)
            for name, value in headers
            if (lower := name.lower()) not in left_out and not lower.startswith(OWN_PREFIX)
        ]
    )


def named_by_connection(headers: Sequence[tuple[str, str]]) -> frozenset[str]:
    """The names that `Connection` lists: they are this hop's too (RFC 9110 7.6.1).

    A sender may not list what every recipient needs, so `content-length` and the like stay.
    """
    listed = values(headers, "connection")
    return (
        frozenset(token.strip().lower() for value in listed for token in value.split(",")) - NEEDED if listed else NONE
    )


def values(headers: Sequence[tuple[str, str]], wanted: str) -> list[str]:
    """Every value of one header; `wanted` in lower case, and in ASCII as all names are that anybody looks for."""
    size = len(wanted)
    return [value for name, value in headers if len(name) == size and name.lower() == wanted]
