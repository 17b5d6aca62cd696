"""Redaction: values leave as surrogates and come back as themselves.

    grammar   how a surrogate is spelled, and which other spellings are taken for one
    styles    numbered, keyed and lifelike surrogates
    oneway    mask, hash, drop
    vault     one exchange's map; never written down
    literals  surrogates that the caller typed
    mint      values to surrogates
    redact    findings and rules -> edits, vault, counts
    jsontext  how deep in JSON a position stands
    urls      which host a text is on its way to
    disguise  links that only a browser reads as such
    restore   surrogates -> values, at any cut of a stream
    spread    edits over a text that lies in pieces

The upstream sees surrogates only; what it answers is judged with them in it and restored afterwards, in released text
alone (docs/decisions/0002). Nothing here waits, logs, or keeps anything beyond the exchange.
"""

from __future__ import annotations

from sidecar.redaction.oneway import Operator, Operators, keyed_hash
from sidecar.redaction.redact import Redaction, redact
from sidecar.redaction.restore import Restorer
from sidecar.redaction.spread import mask_text, spread
from sidecar.redaction.styles import LIFELIKE, NUMBERED, Style, keyed
from sidecar.redaction.vault import Vault

__all__ = [
    "LIFELIKE",
    "NUMBERED",
    "Operator",
    "Operators",
    "Redaction",
    "Restorer",
    "Style",
    "Vault",
    "keyed",
    "keyed_hash",
    "mask_text",
    "redact",
    "spread",
]
