"""How surrogates look: numbered, keyed, or shaped like what they stand for.

NUMBERED `<PERSON_1>` is the default: no state, stable over a growing conversation, and the model can tell people apart.
`keyed(key)` `<PERSON_0c3f...>` stays the same across conversations (agents, stored artefacts), at the price that the
provider can follow one pseudonym over time; rotate the key. LIFELIKE is for tools that validate what they are given;
its values come only from ranges that nobody owns:

    e-mail   example.com                                    RFC 2606
    phone    +1 202-555-0100 to -0199 and other areas'      NANPA, 555 line numbers for fictitious use
    IP       192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24  RFC 5737; 2001:db8::/32 RFC 3849
    card     411111 and a Luhn digit                        the card networks' test range
    IBAN     same country, bank and account all zeros but for the count; ISO 13616 check digits
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType

from sidecar.redaction.grammar import BEHIND_ESCAPE

Shape = Callable[[str], Iterator[str]]
"""What may stand for a value, best first. It may end: then the value gets a name in brackets."""


def _none() -> Mapping[str, Shape]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How the surrogates of an exchange are made: keyed if there is a `key`, lifelike for the labels in `shapes`."""

    key: bytes | None = field(default=None, repr=False)
    shapes: Mapping[str, Shape] = field(default_factory=_none)

    def suffixes(self, label: str, value: str) -> Iterator[str]:
        """What may follow the label, after those that are taken: the first that is free is used."""
        if self.key is None:
            raise ValueError("a numbered style counts")
        for attempt in count():
            text = f"{attempt}\0{label}\0{value}".encode("utf-8", "surrogatepass")
            yield "0" + hmac.digest(self.key, text, "sha256").hex()[:16]


NUMBERED = Style()


def keyed(key: bytes) -> Style:
    """Surrogates that are the same in every exchange under this key (at least 16 bytes; one per tenant)."""
    if len(key) < 16:
        raise ValueError("a key has at least 16 bytes")
    return Style(key=key)


def _emails(_: str) -> Iterator[str]:
    return (f"user{number:04}@example.com" for number in count(1))


_AREAS = tuple(f"{region}{rest}" for rest in ("02", "12") for region in range(2, 10))


def _phones(_: str) -> Iterator[str]:
    return (f"+1-{area}-555-01{line:02}" for area in _AREAS for line in range(100))


def _addresses(value: str) -> Iterator[str]:
    if ":" in value:
        return (f"2001:db8::{number:x}" for number in range(1, 0xFFFF))
    nets = ("192.0.2", "198.51.100", "203.0.113")
    return (f"{net}.{host}" for net in nets for host in range(1, 255))


def luhn_digit(digits: str) -> str:
    """The check digit that makes a card number valid (ISO/IEC 7812-1 annex B)."""
    total = sum(sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10)) for place, digit in enumerate(digits[::-1]))
    return str(-total % 10)


def _cards(_: str) -> Iterator[str]:
    numbers = (f"411111{number:09}" for number in count(1))
    return (digits + luhn_digit(digits) for digits in numbers)


def iban_check(country: str, account: str) -> str:
    """The two digits that make an IBAN valid (ISO 13616, mod 97)."""
    number = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{98 - int(number) % 97:02}"


def _ibans(value: str) -> Iterator[str]:
    compact = re.sub(r"[^A-Z0-9]", "", value.upper())
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", compact):
        compact = "DE00" + 18 * "0"
    country, rest = compact[:2], compact[4:]
    free = len(rest) - len(rest.rstrip("0123456789"))
    blank = re.sub(r"[A-Z]", "X", re.sub(r"[0-9]", "0", rest))
    for number in range(1, 10 ** min(free, 9)):
        account = blank[: len(blank) - free] + f"{number:0{free}}"
        yield country + iban_check(country, account) + account


LIFELIKE = Style(
    shapes=MappingProxyType(
        {
            "EMAIL_ADDRESS": _emails,
            "PHONE_NUMBER": _phones,
            "IP_ADDRESS": _addresses,
            "CREDIT_CARD": _cards,
            "IBAN_CODE": _ibans,
        }
    )
)

_SHAPES = (
    r"(?:user[0-9]{4,}+@example\.com(?!\.?[A-Za-z0-9\-])"
    r"|\+1-[0-9]{3}-555-01[0-9]{2}(?![A-Za-z0-9])"
    r"|(?:192\.0\.2|198\.51\.100|203\.0\.113)\.[0-9]{1,3}+(?!\.?[0-9A-Za-z])"
    r"|2001:db8::[0-9a-f]{1,4}+(?![0-9A-Za-z:])"
    r"|411111[0-9]{10}(?![A-Za-z0-9])"
    r"|[A-Z]{2}[0-9]{2}[0X]{4}[0-9X]{7,26}+(?![A-Za-z0-9]))"
)
_ALONE = r"(?<![A-Za-z0-9._%+\-])"

LIFELIKE_TOKEN = _ALONE + _SHAPES
LIFELIKE_TOKEN_JSON = rf"(?:{_ALONE}|{BEHIND_ESCAPE}){_SHAPES}"
"""What may be a lifelike surrogate: nothing adjoins that would make it part of a longer value."""

_STANDS_ALONE = re.compile(LIFELIKE_TOKEN)


def stands_alone(before: str, token: str, after: str) -> bool:
    """Whether a lifelike surrogate between these texts would be read as one."""
    text = before + token + after
    found = _STANDS_ALONE.match(text, len(before))
    return found is not None and found.end() == len(before) + len(token)
