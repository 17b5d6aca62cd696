"""How surrogates look: numbered, keyed, or shaped like what they stand for.

NUMBERED `<PERSON_1>` is the default: no state, stable over a growing conversation, and the model can tell people apart.
`keyed(key)` `<PERSON_0c3f...>` stays the same across conversations (agents, stored artefacts), at the price that the
provider can follow one pseudonym over time; rotate the key. LIFELIKE is for tools that validate what they are given;
its values come only from ranges that nobody owns:

    e-mail   example.com                                    RFC 2606
    phone    +1 202-555-0100 to -0199 and other areas'      NANPA, 555 line numbers for fictitious use
    IP       192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24  RFC 5737; 2001:db8::/32 RFC 3849
    card     411111 and a Luhn digit                        the card networks' test range
    IBAN     same country, bank and account all zeros but for the count; check digits of ISO 13616 and, where the
             account has digits of its own that validators know, those

Models write what they repeat in their own way: `DE09 0000 0000 0000 0000 01`, `(202) 555-0100`, `USER0001@EXAMPLE.COM`.
What may be one of ours so is `SPELLED`; whether it is says its core: one case, and of numbers the signs without gaps.
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


def _belgian(account: str) -> str:
    return account[2:] + f"{int(account[2:]) % 97 or 97:02}"


def _spanish(account: str) -> str:
    """Of bank and branch, which are zeros, the digit is 0; the second is the account's own."""
    digit = 11 - sum(int(sign) * (2**place % 11) for place, sign in enumerate(account[10:])) % 11
    return f"{account[:8]}0{digit if digit < 10 else 11 - digit}{account[10:]}"


def _french(account: str) -> str:
    """An X counts as 7."""
    digits = account[2:].replace("X", "7")
    return account[2:] + f"{97 - int(digits) * 100 % 97:02}"


def _norwegian(account: str) -> str:
    """Behind four zeros some read the rest as a giro account, whose digit is Luhn's: only those where both agree."""
    weighted = (int(sign) * weight for sign, weight in zip(account[1:], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True))
    digit = -sum(weighted) % 11
    return f"{account[1:]}{digit}" if str(digit) == luhn_digit(account[1:]) else ""


def _of_iso_7064(account: str) -> str:
    return account[2:] + f"{98 - int(account[2:]) * 100 % 97:02}"


OWN_CHECKS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "BE12": _belgian,
        "ES20": _spanish,
        "FI14": lambda account: account[1:] + luhn_digit(account[1:]),
        "FR23": _french,
        "NO11": _norwegian,
        **dict.fromkeys(("BA16", "ME18", "MK15", "PT21", "RS18", "SI15"), _of_iso_7064),
    }
)
"""By country and length, the account made into one whose own check digits are right, or "" (python-stdnum has them)."""


def _ibans(value: str) -> Iterator[str]:
    compact = re.sub(r"[^A-Z0-9]", "", value.upper())
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", compact):
        compact = "DE00" + 18 * "0"
    country, rest = compact[:2], compact[4:]
    free = len(rest) - len(rest.rstrip("0123456789"))
    blank = re.sub(r"[A-Z]", "X", re.sub(r"[0-9]", "0", rest))
    own = OWN_CHECKS.get(f"{country}{len(blank)}", str) if blank.isdigit() or country == "FR" else str
    for number in range(1, 10 ** min(free, 9)):
        account = blank[: len(blank) - free] + f"{number:0{free}}"
        if account := own(account):
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
_GAP = r"[ \u00a0\u202f./\-]"
_MAIL = r"(?i:user[0-9]{4,}+@example\.com)"
_FOUR = r"(?:192\.0\.2|198\.51\.100|203\.0\.113)\.[0-9]{1,3}+"
_SIX = r"2001:(?i:db8::[0-9a-f]{1,4}+)"
_PHONE = (
    rf"(?:\+1{_GAP}?|1(?:[.\-]?|[ ](?=\(|[0-9]{{3}}[ ]555[ ])))?"
    rf"(?:\([2-9][0-9]{{2}}\)|[2-9][0-9]{{2}}){_GAP}?555{_GAP}?01[0-9]{{2}}"
)
_CARD = rf"4111{_GAP}?11[0-9]{{2}}{_GAP}?[0-9]{{4}}{_GAP}?[0-9]{{4}}"
_IBAN = rf"[A-Za-z]{{2}}[0-9]{{2}}(?:{_GAP}?[0Xx]){{4}}(?:{_GAP}?[0-9Xx]){{7,26}}+"
_SPELLINGS = (
    rf"(?:{_MAIL}(?!\.?[A-Za-z0-9\-])|{_FOUR}(?!\.?[0-9A-Za-z])|{_SIX}(?![0-9A-Za-z:])"
    rf"|(?P<grouped>(?:{_PHONE}|{_CARD})(?![A-Za-z0-9])|{_IBAN}))"
)
_ALONE = r"(?<![A-Za-z0-9._%+\-])"

LIFELIKE_TOKEN = _ALONE + _SHAPES
"""What may be a lifelike surrogate: nothing adjoins that would make it part of a longer value."""

SPELLED = _ALONE + _SPELLINGS
SPELLED_JSON = rf"(?:{_ALONE}|{BEHIND_ESCAPE}){_SPELLINGS}"
"""What may be a lifelike surrogate as a model writes it. An IBAN may end earlier: what is minted tells where."""

ALONE = re.compile(_ALONE)
ALONE_JSON = re.compile(rf"{_ALONE}|{BEHIND_ESCAPE}")
"""Where one may begin."""

_SPELLED = re.compile(SPELLED)
_WITHIN = re.compile(rf"{_MAIL}|{_FOUR}|{_SIX}|(?P<grouped>{_PHONE}|{_CARD}|{_IBAN})")
"""Whatever adjoins: beside a value that is replaced stands something else afterwards."""
_SIGN = re.compile("[A-Za-z0-9]")
_AT_ONCE = re.compile("[A-Za-z0-9]+")
_LEAST_IBAN = 15
_NATIONAL = 10
_TAIL = re.compile(r"[+(]?(?:[A-Za-z0-9]|[ \u00a0\u202f./\-()]{1,2}(?![ \u00a0\u202f./\-()]))*+")
_LED = re.compile(r"[0-9]\)?[ \u00a0\u202f/]?\Z")
_STANDS_ALONE = re.compile(LIFELIKE_TOKEN)


def stands_alone(before: str, token: str, after: str) -> bool:
    """Whether a lifelike surrogate between these texts would be read as one."""
    text = before + token + after
    found = _STANDS_ALONE.match(text, len(before))
    return found is not None and found.end() == len(before) + len(token)


def is_spelled(token: str) -> bool:
    """Whether it has one of the shapes above, so that `cores` finds it wherever it stands."""
    return _SPELLED.fullmatch(token) is not None


def core(token: str) -> tuple[str, bool]:
    """What all spellings of a lifelike surrogate have in common, and whether they may have gaps."""
    found = _SPELLED.fullmatch(token)
    return (next(readings(found))[0], bool(found["grouped"])) if found else (token.lower(), False)


def forms(core: str) -> tuple[str, ...]:
    """The signs of a number with gaps, as they follow each other: one to call may have its country before it."""
    return (core, f"1{core}") if len(core) == _NATIONAL else (core,)


def readings(found: re.Match[str]) -> Iterator[tuple[str, int]]:
    """The cores that a match of SPELLED may have, each with its end, best first."""
    text, start, end = found.string, found.start(), found.end()
    if not found["grouped"]:
        yield text[start:end].lower(), end
        return
    ends = [sign.end() for sign in _SIGN.finditer(text, start, end)]
    signs = "".join(text[at - 1] for at in ends).upper()
    if signs.isdigit():
        yield signs[-_NATIONAL:] if len(signs) <= _NATIONAL + 1 else signs, end
        return
    whole = _AT_ONCE.match(text, start, end)
    if whole and whole.end() - start >= _LEAST_IBAN:
        yield signs[: whole.end() - start], whole.end()
    for size in range(len(ends), _LEAST_IBAN - 1, -1):
        if not _SIGN.match(text, ends[size - 1]):
            yield signs[:size], ends[size - 1]


def cores(text: str) -> Iterator[str]:
    """Whatever a text holds that might be read as a lifelike surrogate; of an IBAN the longest reading."""
    found = _WITHIN.search(text)
    while found:
        signs = "".join(_SIGN.findall(found[0])).upper()
        yield (signs[-_NATIONAL:] if len(signs) <= _NATIONAL + 1 else signs) if found["grouped"] else found[0].lower()
        found = _WITHIN.search(text, found.start() + 1)


def signs_of(tail: str) -> str | None:
    """The signs of what may be the beginning of a number with gaps, None if it is none."""
    return "".join(_SIGN.findall(tail)).upper() if _TAIL.fullmatch(tail) else None


def led(found: re.Match[str]) -> bool:
    """Whether a number to call without its country follows digits, and may be the end of another one."""
    text, start = found.string, found.start()
    if not found["grouped"] or text[start] == "+" or _LED.search(text, max(0, start - 3), start) is None:
        return False
    return len(_SIGN.findall(found["grouped"])) <= _NATIONAL + 1
