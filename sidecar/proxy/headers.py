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
OWN_PREFIX = "x-sidecar-"


def spelled(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Header fields as they came, as text. Bytes that are not UTF-8 survive as surrogates."""
    return tuple(
        (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")) for name, value in raw
    )


def request_headers(headers: Sequence[tuple[str, str]], drop: frozenset[str] = frozenset()) -> Headers:
    """What of a caller's headers goes upstream. `drop` holds further names, in lower case.

    `Content-Length` stays in its place; the upstream client sets it to what it sends.
    """
    left_out = REQUEST_ONLY | drop | named_by_connection(headers)
    return tuple(
        (name, value)
        for name, value in headers
        if (lower := name.lower()) not in left_out and not lower.startswith(OWN_PREFIX)
    )


def reply_headers(headers: Sequence[tuple[str, str]]) -> Headers:
    """What of an upstream's headers goes back to the caller; nobody upstream speaks in the sidecar's name."""
    left_out = HOP_BY_HOP | named_by_connection(headers)
    return tuple(
        (name, value)
        for name, value in headers
        if (lower := name.lower()) not in left_out and not lower.startswith(OWN_PREFIX)
    )


def named_by_connection(headers: Sequence[tuple[str, str]]) -> frozenset[str]:
    """The names that `Connection` lists: they are this hop's too (RFC 9110 7.6.1).

    A sender may not list what every recipient needs, so `content-length` and the like stay.
    """
    names: set[str] = set()
    for name, value in headers:
        if name.lower() == "connection":
            names.update(token.strip().lower() for token in value.split(","))
    return frozenset(names - {"content-length", "content-type", "content-encoding", "authorization", "close"})


def values(headers: Sequence[tuple[str, str]], wanted: str) -> list[str]:
    """Every value of one header; `wanted` in lower case."""
    return [value for name, value in headers if name.lower() == wanted]
