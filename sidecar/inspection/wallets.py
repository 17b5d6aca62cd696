"""Bitcoin addresses, proven by their own checksums, and Ethereum addresses, known by their shape."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sidecar.inspection.checksums import base58check, bech32
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import Token

BITCOIN = re.compile(r"[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc|BC|tb)1[02-9A-Za-z]{11,71}")
ETHEREUM = re.compile(r"0x[0-9A-Fa-f]{40}")
DETECTOR = "rules/wallet"


def wallets(text: str, tokens: Sequence[Token], tried: Sequence[int]) -> list[Span]:
    return [
        Span(start, end, "CRYPTO", 1.0, DETECTOR, Strength.PROVEN)
        for start, end, numeric in map(tokens.__getitem__, tried)
        if not numeric and 14 <= end - start <= 74 and _is_wallet(text[start:end])
    ]


def _is_wallet(word: str) -> bool:
    if BITCOIN.fullmatch(word):
        return base58check(word) if word[0] in "13" else bech32(word)
    return ETHEREUM.fullmatch(word) is not None
