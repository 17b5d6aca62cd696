"""Surrogates and one-way operators as configured."""

from __future__ import annotations

from sidecar.config import ConfigError, RedactionSettings
from sidecar.model import RedactMode
from sidecar.plan import Surrogates
from sidecar.ports import Entropy
from sidecar.redaction import LIFELIKE, NUMBERED, Style, keyed, keyed_hash
from sidecar.redaction.oneway import DEFAULTS


def surrogates_of(settings: RedactionSettings, entropy: Entropy) -> Surrogates:
    """Without a configured key, hashes are comparable within one run of the process only."""
    key = bytes.fromhex(settings.key) if settings.key else entropy.token(32)
    return Surrogates(
        style=style_of(settings),
        operators={**DEFAULTS, RedactMode.HASH: keyed_hash(key)},
        guard=settings.guard,
        hosts=settings.hosts,
        tools=None if settings.tools is None else frozenset(settings.tools),
    )


def style_of(settings: RedactionSettings) -> Style:
    if settings.style != "keyed":
        return LIFELIKE if settings.style == "lifelike" else NUMBERED
    if settings.key is None:
        raise ConfigError("redaction.key: is needed for redaction.style: keyed")
    return keyed(bytes.fromhex(settings.key))
