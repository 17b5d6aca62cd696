"""Surrogates and one-way operators as configured."""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.config import ConfigError, Problem, RedactionSettings
from sidecar.model import RedactMode
from sidecar.plan import Surrogates
from sidecar.ports import Entropy
from sidecar.redaction import LIFELIKE, NUMBERED, Operator, Style, keyed, keyed_hash
from sidecar.redaction.oneway import DEFAULTS


def surrogates_of(settings: RedactionSettings, entropy: Entropy) -> Surrogates:
    """Without a configured key, hashes are comparable within one run of the process only."""
    key = bytes.fromhex(settings.key) if settings.key else entropy.token(32)
    return Surrogates(
        style=style_of(settings),
        operators={**DEFAULTS, RedactMode.HASH: keyed_hash(key), **dict(operators_of(settings))},
        guard=settings.guard,
        hosts=settings.hosts,
        tools=None if settings.tools is None else frozenset(settings.tools),
    )


def operators_of(settings: RedactionSettings) -> Iterator[tuple[RedactMode, Operator]]:
    """presidio-anonymizer's operators, in place of ours for policy's modes. Raises ConfigError."""
    for mode, chosen in settings.operators.items():
        from sidecar.drivers.anonymizer import operator  # slow to import, and few ask for it

        params = dict(chosen)
        name = params.pop("operator", "(none)")
        try:
            yield RedactMode(mode), operator(str(name), params)
        except ValueError as fault:
            raise ConfigError(Problem(f"redaction.operators.{mode}", str(fault))) from None


def style_of(settings: RedactionSettings) -> Style:
    if settings.style != "keyed":
        return LIFELIKE if settings.style == "lifelike" else NUMBERED
    if settings.key is None:
        raise ConfigError("redaction.key: is needed for redaction.style: keyed")
    return keyed(bytes.fromhex(settings.key))
