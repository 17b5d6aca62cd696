"""What `sidecar serve` says at start: all that an application and an auditor need."""

from __future__ import annotations

from ipaddress import ip_address
from shlex import quote

from sidecar.config import Config
from sidecar.drivers.inspector import Inspector
from sidecar.drivers.upstream_door import base_of
from sidecar.model import PolicyVersion
from sidecar.proxy.server import Bound, Listen

ANY_HOST = "http://localhost"
"""Over a Unix socket nobody asks what the host is; a URL must have one."""

LOOPBACK = ("127.", "localhost")
"""Beginnings of names that lead here; `127.1` is read as an address only by who connects."""


def banner(config: Config, bound: Bound, vkey: str, inspector: Inspector, policy: PolicyVersion) -> str:
    at = bound.data[0]
    lines = [
        *base_lines(at),
        f"Calls go to                 {goes_to(config)} as {config.upstream.kind}, side {config.side}",
        f"Health, metrics, receipts   http://{bound.admin}",
        f"Looked for                  {', '.join(inspector.looked_for)}",
        f"NOT looked for              {', '.join(inspector.not_looked_for) or 'nothing known is left out'}",
        f"Policy                      {policy.revision} ({policy.engine}, sha256 {policy.bundle_sha256[:16]})",
        f"Ledger                      {config.state}",
        f"Verifier key, keep a copy   {vkey}",
    ]
    if reachable(at) and not config.callers.required:
        lines.append(
            "WARNING                     anonymous callers can reach this address from outside; name callers and set "
            "callers.required"
        )
    return "\n".join(lines) + "\n"


def goes_to(config: Config) -> str:
    """What stands for `/v1` where calls go."""
    socket = config.upstream.unix
    return f"unix:{socket} /v1" if socket else base_of(config.upstream.url or "")


def base_lines(at: Listen) -> list[str]:
    """How an application gets here. Nothing reads a base URL that is a socket, so the client has to be told apart."""
    if at.path is None:
        base = base_url(at)
        return [f"Base URL for applications   {base}   (export OPENAI_BASE_URL={base})"]
    http = f"httpx.Client(transport=httpx.HTTPTransport(uds={at.path!r}))"
    return [
        f"Socket for applications     {at.path}",
        f"  in Python                 OpenAI(base_url='{ANY_HOST}/v1', http_client={http})",
        f"  in a shell                curl --unix-socket {quote(at.path)} {ANY_HOST}/v1/models",
    ]


def base_url(at: Listen) -> str:
    """Of all addresses of the machine, one that a client can write."""
    return str(at) if at.path else f"http://{at if at.host else f'localhost:{at.port}'}/v1"


def reachable(at: Listen) -> bool:
    """Whether others than this machine's own processes can connect."""
    return at.path is None and not is_loopback(at)


def is_loopback(at: Listen) -> bool:
    """Whatever the spelling: pages.py looks at `Host` here only."""
    try:
        return ip_address(at.host).is_loopback
    except ValueError:
        return at.host.lower().startswith(LOOPBACK)
