"""One-way operators: what they write is never restored, because the vault never hears of it.

A driver may bring others (presidio-anonymizer's); they are functions too: entity and value in, replacement out.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from sidecar.errors import Refusal
from sidecar.model import PlaceKind, RedactMode
from sidecar.redaction.grammar import TOKEN, label

Operator = Callable[[str, str], str]
"""Entity and value to what replaces the value."""

Operators = Mapping[RedactMode, Operator]


def mask(entity: str, _: str) -> str:
    """`<PHONE_NUMBER>`: the kind of value and nothing else."""
    return f"<{label(entity)}>"


def drop(_entity: str, _value: str) -> str:
    return ""


def keyed_hash(key: bytes) -> Operator:
    """`<PERSON#9f86d081884c7d65>`: equal values are equal, and nobody without the key can try candidates."""
    if len(key) < 16:
        raise ValueError("a key has at least 16 bytes")

    def operator(entity: str, value: str) -> str:
        text = f"{label(entity)}\0{value}".encode("utf-8", "surrogatepass")
        return f"<{label(entity)}#{hmac.digest(key, text, 'sha256').hex()[:16]}>"

    return operator


DEFAULTS: Operators = MappingProxyType({RedactMode.MASK: mask, RedactMode.DROP: drop})

_NOT_IN_IDENTIFIERS = re.compile(r"[^A-Za-z0-9_\-]+")


def replace(mode: RedactMode, entity: str, value: str, kind: PlaceKind, operators: Operators) -> str:
    """What a one-way rule puts in the value's place. Raises Refusal (OBLIGATION_UNSUPPORTED): a hash needs a key."""
    operator = operators.get(mode, DEFAULTS.get(mode))
    if operator is None:
        raise Refusal("OBLIGATION_UNSUPPORTED", f"Configure an operator for the redaction mode `{mode}`.")
    text = operator(entity, value)
    if TOKEN.search(text):  # an operator that keeps part of the value may keep a surrogate someone typed
        text = mask(entity, value)
    return _NOT_IN_IDENTIFIERS.sub("", text) if kind is PlaceKind.IDENTIFIER else text
