"""Calls that a web page makes somebody's browser send.

A page may send a POST of `text/plain` to any address that the browser reaches, loopback too, without asking first (the
Fetch standard's simple requests): it would spend `upstream.key`. And a name of the page's own that its DNS turns into
127.0.0.1 makes the sidecar same-origin for it (DNS rebinding). So an `Origin` has to be one that the operator named,
and on loopback `Host` has to be a name that no page can have: as Ollama, Jupyter and the servers of MCP do it.

Browsers send `Origin` with every POST, and no script can change it. SDKs, curl and proxies of servers send none. Who
presents a key of `callers.keys` is no page that a visitor came upon: a browser adds no such header by itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from sidecar.errors import CallerError
from sidecar.model import Caller

OWN_SITE = ("none", "same-origin")
"""What `Sec-Fetch-Site` says of an address that somebody typed, and of a page's own server."""
LOCAL_NAMES = (".localhost", ".local", ".internal")
"""Ends of names that nobody can register (RFC 6761, RFC 6762, ICANN's `.internal`): `host.docker.internal` has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """`origins` are those whose pages may call, in lower case; `loopback` says that nobody else can connect."""

    origins: frozenset[str] = frozenset()
    loopback: bool = False
    hosts: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hosts", frozenset(name_of(origin.partition("://")[2]) for origin in self.origins))

    def check(self, headers: Mapping[str, str], caller: Caller) -> None:
        """Raises CallerError (ORIGIN_NOT_ALLOWED)."""
        if caller.auth == "api_key":
            return
        origin = headers.get("Origin")
        if origin is None:
            if headers.get("Sec-Fetch-Site", "none") not in OWN_SITE:
                raise refused("A web page sent this call")
        elif origin.lower() not in self.origins:
            raise refused("A web page sent this call")
        name = name_of(headers.get("Host", "")) if self.loopback else ""
        if not is_local(name) and name not in self.hosts:
            raise refused("The call was for another host's name")


def refused(what: str) -> CallerError:
    return CallerError("ORIGIN_NOT_ALLOWED", f"{what}: name its origin in callers.origins, or send a key.", status=403)


@lru_cache(maxsize=64)
def name_of(host: str) -> str:
    """The name in `Host`, without its port."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower().rstrip(".")


@lru_cache(maxsize=64)
def is_local(name: str) -> bool:
    """An address, or a name that no public DNS gives out."""
    if "." not in name or name.endswith(LOCAL_NAMES):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
