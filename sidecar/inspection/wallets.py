"""Addresses of cryptocurrencies, and private keys: proven by their own checksums, or known by their shape, alone or
beside a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sidecar.inspection.checksums import base58check, bech32
from sidecar.inspection.context import Context
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import Token

BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{26,35}")
"""Bitcoin, Litecoin, Dogecoin, Dash, Tron; Ripple with an alphabet of its own."""
RIPPLE = str.maketrans(
    "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz",
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
)
BECH32 = re.compile(r"[A-Za-z]{2,10}1[02-9A-Za-z]{11,98}")
"""Bitcoin since 2017 (BIP 173), Litecoin, Cardano, the Cosmos."""
ETHEREUM = re.compile(r"0x[0-9A-Fa-f]{40}")
MONERO = re.compile(r"[48][1-9A-HJ-NP-Za-km-z]{94}(?:[1-9A-HJ-NP-Za-km-z]{11})?")
MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d.*\d)[13LMD]\w+")
"""As the addresses of Bitcoin, Litecoin and Dogecoin; mistyped, or made up."""
COINS = Context.words(
    "bitcoin btc litecoin ltc dogecoin doge crypto cryptocurrency wallet wallets blockchain kryptowährung"
)
SHORTEST, LONGEST = 14, 111
DETECTOR = "rules/wallet"
KEYS = {51: ("5", 37), 52: ("KL", 38), 111: ("x", 82)}
"""By length, what a private key begins with, and its bytes: WIF, WIF of a compressed key, BIP 32's `xprv`."""


def wallets(text: str, tokens: Sequence[Token], tried: Sequence[int]) -> list[Span]:
    found: list[Span] = []
    for start, end, numeric in map(tokens.__getitem__, tried):
        if numeric or not SHORTEST <= end - start <= LONGEST:
            continue
        word = text[start:end]
        if _is_key(word):
            found.append(Span(start, end, "PRIVATE_KEY", 1.0, DETECTOR, Strength.PROVEN))
        elif _is_wallet(word):
            found.append(Span(start, end, "CRYPTO", 1.0, DETECTOR, Strength.PROVEN))
        elif BASE58.fullmatch(word) and MIXED.fullmatch(word) and COINS.near(text, start, end):
            found.append(Span(start, end, "CRYPTO", 0.6, DETECTOR))
    return found


def _is_key(word: str) -> bool:
    """Of Bitcoin, or of Nostr."""
    first, size = KEYS.get(len(word), ("", 0))
    if word[0] in first and (word[0] != "x" or word.startswith("xprv")):
        return base58check(word, size)
    return word.startswith("nsec1") and bech32(word)


def _is_wallet(word: str) -> bool:
    if BASE58.fullmatch(word):
        return base58check(word) or (word[0] == "r" and base58check(word.translate(RIPPLE)))
    if BECH32.fullmatch(word):
        return bech32(word)
    return ETHEREUM.fullmatch(word) is not None or MONERO.fullmatch(word) is not None
