"""Who called: by API key, by a trusted proxy's word, by the peer of a Unix socket; otherwise `anonymous`.

Keys are known by their SHA-256 only. Comparing digests needs no constant time: who can measure how far a digest
matched learns nothing of the key behind it.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.errors import CallerError
from sidecar.model import Caller
from sidecar.proxy.headers import readable, values

ANONYMOUS = Caller()
KEY_HEADERS = ("x-api-key", "api-key")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The other end of a connection: an address, or the user id of a Unix socket's peer."""

    address: str | None = field(default=None, repr=False)
    uid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHeaders:
    """Names of the headers in which a trusted proxy says who called; `roles` are separated by commas."""

    user: str | None = None
    tenant: str | None = None
    app: str | None = None
    roles: str | None = None

    def names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in (self.user, self.tenant, self.app, self.roles) if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """The configured table. `keys` maps the SHA-256 (hex) of a key to its owner, `uids` a Unix user id to its owner.

    `proxies` are the networks from which `proxy_headers` are believed; from anywhere else they are ignored, and from
    nowhere do they go upstream.
    """

    keys: Mapping[str, Caller] = field(default_factory=dict, repr=False)
    uids: Mapping[int, Caller] = field(default_factory=dict, repr=False)
    proxies: Sequence[Network] = ()
    proxy_headers: ProxyHeaders = ProxyHeaders()
    dropped: frozenset[str] = field(init=False)
    """Headers that name people to the sidecar, and go no further."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dropped", self.proxy_headers.names())

    def identify(self, headers: Sequence[tuple[str, str]], peer: Callable[[], Peer]) -> Caller:
        """The caller; `peer` is asked only when it matters. Raises CallerError (HEADER_INVALID): an ambiguous word."""
        if self.keys and (known := self.keys.get(digest_of_key(headers))):
            return known
        if not self.uids and not self.proxies:
            return ANONYMOUS
        other = peer()
        if other.uid is not None and (known := self.uids.get(other.uid)):
            return known
        return self._introduced(headers) if self._trusted(other) else ANONYMOUS

    def _trusted(self, peer: Peer) -> bool:
        if peer.address is None:
            return False
        address = ipaddress.ip_address(peer.address)
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.proxies)

    def _introduced(self, headers: Sequence[tuple[str, str]]) -> Caller:
        names = self.proxy_headers
        user, tenant, app, roles = (
            single(headers, name) for name in (names.user, names.tenant, names.app, names.roles)
        )
        if not (user or tenant or app):
            return ANONYMOUS
        return Caller(
            tenant=tenant or "anonymous",
            app=app or "anonymous",
            user=user,
            roles=tuple(role.strip() for role in (roles or "").split(",") if role.strip()),
            auth="proxy_header",
        )


def single(headers: Sequence[tuple[str, str]], name: str | None) -> str | None:
    """The one value of a header, None when it is absent or empty. Raises CallerError (HEADER_INVALID) for two."""
    if name is None:
        return None
    found = values(headers, name.lower())
    if len(found) > 1:
        raise CallerError("HEADER_INVALID", f"Send the header {name} once.")
    return readable(found[0]).strip() or None if found else None


def digest_of_key(headers: Sequence[tuple[str, str]]) -> str:
    """SHA-256 (hex) of the key that was presented, or "" when there was none."""
    for value in values(headers, "authorization"):
        scheme, _, key = value.partition(" ")
        if scheme.lower() == "bearer":
            return digest(key.strip())
    for name in KEY_HEADERS:
        for value in values(headers, name):
            return digest(value.strip())
    return ""


def digest(key: str) -> str:
    """How a key is written in the configuration: `printf %s KEY | sha256sum`."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def peer_of(transport: asyncio.BaseTransport | None) -> Peer:
    """The peer of a connection. The user id of a Unix socket's peer is the kernel's word (SO_PEERCRED, unix(7))."""
    if transport is None:
        return Peer()
    sock, peername = transport.get_extra_info("socket"), transport.get_extra_info("peername")
    if sock is not None and sock.family == socket.AF_UNIX:
        size = struct.calcsize("3i")
        _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        return Peer(uid=uid)
    if isinstance(peername, tuple):
        return Peer(address=str(peername[0]))
    return Peer()
