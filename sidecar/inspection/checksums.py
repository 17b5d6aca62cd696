"""The arithmetic that proves a number: generic schemes first, then those named after the number they belong to.

Each takes the matched text as it stands (separators and case included) and answers whether it is valid. Those marked
"as Presidio" are copies of its `validate_result`, held equal by tests/inspection/test_presidio_checks.py.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from hashlib import sha256
from operator import mul

ALNUM = {char: value for value, char in enumerate(string.digits + string.ascii_uppercase)}
VALUES = bytes(code - 48 if 48 <= code < 58 else 0 for code in range(256))
NO_DIGITS = bytes(code for code in range(256) if not 48 <= code < 58)
NUMBERS = {ord(char): str(value) for char, value in ALNUM.items()}


def digits(text: str) -> list[int]:
    return list(_values(text))


def _values(text: str) -> bytes:
    """The digits, a byte each, at memory speed."""
    return text.encode("ascii", "ignore").translate(VALUES, NO_DIGITS)


def compact(text: str) -> str:
    """Upper case, letters and digits only."""
    return "".join(filter(str.isalnum, text.upper()))


def weighted(values: Iterable[int], weights: Sequence[int]) -> int:
    return sum(map(mul, values, weights))


LUHN_DOUBLE = bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)).ljust(256, b"\0")


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    values = _values(text)
    return bool(values) and (sum(values[-1::-2]) + sum(values[-2::-2].translate(LUHN_DOUBLE))) % 10 == 0


def mod97(text: str) -> bool:
    """ISO/IEC 7064 mod 97-10 over capitals (A=10) and digits and nothing else, check digits at the end."""
    return int(text.translate(NUMBERS)) % 97 == 1


def mod11_10(values: Sequence[int]) -> bool:
    """ISO/IEC 7064 mod 11,10 (German tax id and VAT id, Croatian OIB)."""
    product = 10
    for value in values[:-1]:
        total = (value + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == values[-1]


VERHOEFF_D = [
    [
        (i + j) % 5 if i < 5 and j < 5 else 5 + (i + j) % 5 if i < 5 else 5 + (i - j) % 5 if j < 5 else (i - j) % 5
        for j in range(10)
    ]
    for i in range(10)
]
VERHOEFF_P = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def verhoeff(values: Sequence[int]) -> bool:
    """Verhoeff 1969: India's Aadhaar, Luxembourg's identity number."""
    check, table = 0, list(range(10))
    for value in reversed(values):
        check = VERHOEFF_D[check][table[value]]
        table = [table[VERHOEFF_P[i]] for i in range(10)]
    return check == 0


def icao(text: str) -> int:
    """The check digit of ICAO Doc 9303 part 3: weights 7 3 1, A=10."""
    return weighted((ALNUM.get(char, 0) for char in text.upper()), (7, 3, 1) * 16) % 10


BASE58 = {char: value for value, char in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}


def base58check(text: str, size: int = 25) -> bool:
    """Bitcoin's P2PKH and P2SH addresses; of other sizes, in bytes, its private keys."""
    number = 0
    for char in text:
        if char not in BASE58:
            return False
        number = number * 58 + BASE58[char]
    if number >> (8 * size):
        return False
    data = number.to_bytes(size, "big")
    return sha256(sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


BECH32 = {char: value for value, char in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def bech32(text: str) -> bool:
    """BIP 173 and BIP 350 (the constants 1 and 0x2bc830a3)."""
    if text not in (text.lower(), text.upper()):
        return False
    prefix, _, data = text.lower().rpartition("1")
    if not prefix or len(data) < 6 or any(char not in BECH32 for char in data):
        return False
    values = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    return _bech32_polymod(values + [BECH32[char] for char in data]) in (1, 0x2BC830A3)


def _bech32_polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(BECH32_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check
