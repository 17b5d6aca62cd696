"""Addresses of Bitcoin, and private keys of Bitcoin and Nostr, proven by their own checksums; addresses of Ethereum,
known by their shape.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sidecar.inspection.checksums import base58check, bech32
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import Token

BITCOIN = re.compile(r"[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc|BC|tb)1[02-9A-Za-z]{11,71}")
ETHEREUM = re.compile(r"0x[0-9A-Fa-f]{40}")
DETECTOR = "rules/wallet"


KEYS = {51: ("5", 37), 52: ("KL", 38), 111: ("x", 82)}
"""By length, what a private key begins with, and its bytes: WIF, WIF of a compressed key, BIP 32's `xprv`."""


def wallets(text: str, tokens: Sequence[Token], tried: Sequence[int]) -> list[Span]:
    found: list[Span] = []
    for start, end, numeric in map(tokens.__getitem__, tried):
        if not numeric and 14 <= end - start <= 111:
            entity = _entity(text[start:end])
            if entity:
                found.append(Span(start, end, entity, 1.0, DETECTOR, Strength.PROVEN))
    return found


def _entity(word: str) -> str | None:
    if BITCOIN.fullmatch(word):
        return "CRYPTO" if (base58check(word) if word[0] in "13" else bech32(word)) else None
    if ETHEREUM.fullmatch(word):
        return "CRYPTO"
    first, size = KEYS.get(len(word), ("", 0))
    is_key = word[0] in first and (word[0] != "x" or word.startswith("xprv")) and base58check(word, size)
    return "PRIVATE_KEY" if is_key or (word.startswith("nsec1") and bech32(word)) else None
