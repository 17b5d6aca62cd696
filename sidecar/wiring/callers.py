"""The configured callers as the proxy looks them up."""

from __future__ import annotations

import ipaddress

from sidecar.config import CallerEntry, CallerSettings
from sidecar.model import Caller
from sidecar.proxy.callers import Callers, ProxyHeaders


def callers_of(settings: CallerSettings) -> Callers:
    """Raises ValueError for a network that is none."""
    return Callers(
        keys={entry.sha256: caller_of(entry, "api_key") for entry in settings.keys},
        uids={entry.uid: caller_of(entry, "unix_peer") for entry in settings.peers},
        proxies=[ipaddress.ip_network(text, strict=False) for text in settings.trusted],
        proxy_headers=ProxyHeaders(
            user=settings.user_header,
            tenant=settings.tenant_header,
            app=settings.app_header,
            roles=settings.roles_header,
        ),
    )


def caller_of(entry: CallerEntry, auth: str) -> Caller:
    return Caller(tenant=entry.tenant, app=entry.app, user=entry.user, roles=entry.roles, auth=auth)
