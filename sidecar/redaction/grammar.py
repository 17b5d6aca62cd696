"""How a surrogate is written, and every other spelling of it that is still taken for one.

A surrogate's name is LABEL_SUFFIX: the entity in capitals and a number (`PERSON_1`), or `0` and 16 hex digits of a
keyed hash (`PERSON_0c3f...`). It stands in brackets, `<PERSON_1>`, or bare where a provider allows no brackets. No
segment of a label begins with a digit, so that a name ends at its first `_digit` and reads in one way only; none has
more than `MAX_WORDS` segments, or a reply of `A_A_A_...` would be read to its end from each `A`.

Models rewrite what they repeat. The closed list of spellings taken for `<PERSON_1>`:

    brackets    `<` `>`, HTML `&lt;` `&gt;`, JSON `\\u003c` `\\u003e` (up to four backslashes: JSON within JSON),
                Markdown `\\<` `\\>`, the first only with the second: what stands in a folder has a backslash before it;
                in links `%3C` `%3E`: there the value is percent-encoded, too (RFC 3986)
    underscore  `_`, or with up to four backslashes before it (Markdown, JSON)
    case        any, where both brackets stand
    one bracket missing, or both, where the name is in capitals and nothing that could belong to a longer name adjoins

Whatever this list takes for a surrogate in a reply, redaction must find as a literal in the request: both sides use
`TOKEN`, so they cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

LITERAL = "LITERAL"
"""The entity of a surrogate that the caller typed: it stands for itself."""

_WELL_KNOWN = """LITERAL PERSON LOCATION ORGANIZATION STREET_ADDRESS EMAIL_ADDRESS PHONE_NUMBER CREDIT_CARD IBAN_CODE
    IP_ADDRESS MAC_ADDRESS URL DATE_TIME DATE_OF_BIRTH NRP AGE USERNAME PASSWORD API_KEY SECRET CRYPTO MEDICAL_LICENSE
    US_SSN US_ITIN US_PASSPORT US_DRIVER_LICENSE US_BANK_NUMBER UK_NHS UK_NINO PASSPORT TAX_ID
    GEO_COORDINATES CARD_SECURITY_CODE IMEI VIN CUSTOMER_NUMBER
    IDENTITY_NUMBER"""

RESERVED = frozenset(_WELL_KNOWN.split())
"""Labels whose bracketed form is a literal from the first turn on, so that a later finding renumbers nothing before."""

MAX_WORDS = 16
"""Segments of a label."""

_OPEN = r"(?:\\{0,4}<|&[lL][tT];|\\{1,4}u003[cC]|%3[cC])"
_CLOSE = r"(?:\\{0,4}>|&[gG][tT];|\\{1,4}u003[eE]|%3[eE])"
_JOIN = r"\\{0,4}_"
_SUFFIX = r"(?:0[0-9a-fA-F]{16}|[1-9][0-9]*+)"
_MORE = f"{{0,{MAX_WORDS - 1}}}+"

# Both begin behind the first character, which `tokens` matches as one of a set: so the search skips all others fast.
_BRACKETED = (
    r"(?:(?<=<)|(?<=&)[lL][tT];|(?<=\\)\\{0,3}(?:u003[cC]|<)|(?<=%)3[cC])"
    rf"(?P<body>[A-Za-z][A-Za-z0-9]*+(?:{_JOIN}[A-Za-z][A-Za-z0-9]*+){_MORE}{_JOIN}{_SUFFIX})"
    rf"(?:(?P<close>{_CLOSE})|(?![A-Za-z0-9]))"
)
_BARE = (
    rf"(?<=[A-Z])[A-Z0-9]*+(?:{_JOIN}[A-Z][A-Z0-9]*+){_MORE}{_JOIN}{_SUFFIX}(?P<bare>)"
    rf"(?:(?P<shut>{_CLOSE})|(?![A-Za-z0-9]))"
)
_FIRST = r"[<&%\\A-Z]"

_BOUND = r"(?:(?<![A-Za-z0-9].)|(?<=%3[eE].))"
# In the text of a JSON document a name may follow an escape such as \n, whose last character is a letter.
_BOUND_JSON = rf"(?:{_BOUND}|(?<=\\[bfnrt].)|(?<=\\u[0-9a-fA-F]{{4}}.))"
BEHIND_ESCAPE = r"(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{4})"


@lru_cache(maxsize=8)
def tokens(*, json_text: bool = False, others: str = "") -> re.Pattern[str]:
    """Finds surrogates in every tolerated spelling; `others` is a pattern of further ones, found as group `other`."""
    bound = _BOUND_JSON if json_text else _BOUND
    return re.compile(f"{_FIRST}(?:{_BRACKETED}|{bound}{_BARE})" + (f"|(?P<other>{others})" if others else ""))


@lru_cache(maxsize=2)
def starts(*, json_text: bool = False) -> re.Pattern[str]:
    """Finds where a surrogate, in whatever spelling, may begin."""
    return re.compile(rf"{_FIRST}(?:(?<=[<&%\\])|{_BOUND_JSON if json_text else _BOUND})")


class Token(NamedTuple):
    """What `tokens` found, taken apart: the name's body as it is spelled, where it stands, and its brackets."""

    body: str
    start: int
    end: int
    opening: str
    closing: str

    @property
    def name(self) -> str:
        return plain(self.body)


def read(found: re.Match[str]) -> Token:
    """Take a match of `tokens` apart."""
    if found["body"] is not None:
        start, end = found.span("body")
        return Token(found["body"], start, end, found.string[found.start() : start], found["close"] or "")
    start, end = found.start(), found.start("bare")
    return Token(found.string[start:end], start, end, "", found["shut"] or "")


TOKEN = tokens(json_text=True)
"""What any restorer may take for a surrogate, in text or in JSON: the literals of a request."""

# What stands at the end of a text and may become a TOKEN. Backslashes may go on to be a bracket or an underscore.
_TAIL = re.compile(
    rf"(?P<open>{_OPEN})?+(?P<body>[A-Za-z][A-Za-z0-9]*+(?:{_JOIN}[A-Za-z0-9]*+)*+)?"
    r"(?P<end>\\{1,4}(?P<more>u(?:0(?:03?)?)?)?|&(?:[gG][tT]?)?|&(?:[lL][tT]?)?|%3?)?"
)
_CANONICAL = re.compile(r"[A-Z][A-Z0-9]*+(?:_[A-Z][A-Z0-9]*+)*+_(?:0[0-9a-f]{16}|[1-9][0-9]*+)")
_CANONICAL_START = re.compile(r"[A-Z][A-Z0-9]*+(?:_[A-Z][A-Z0-9]*+)*+(?:_(?:0[0-9a-f]{0,16}|[1-9][0-9]*+)?)?")
_WHOLE_SUFFIX = re.compile(_SUFFIX)
_SUFFIX_START = re.compile(r"0[0-9a-fA-F]{0,16}|(?:[1-9][0-9]*+)?")
_JOINT = re.compile(_JOIN)
_NAME = re.compile(r"(?P<label>.+)_[0-9][0-9A-F]*")

_LONGEST_BRACKET = len(r"\\\\u003c")
_LONGEST_JOIN = len(r"\\\\_")


@lru_cache(maxsize=1024)
def label(entity: str) -> str:
    """The entity as a surrogate's name spells it: capitals, no `_digit`, a letter first, `MAX_WORDS` words at most."""
    words = re.sub(r"[^A-Z0-9]+", "_", entity.upper()).strip("_")
    words = "_".join(re.sub(r"_(?=[0-9])", "", words).split("_")[:MAX_WORDS])
    return words if words[:1].isalpha() else f"X{words}"


def label_of(name: str) -> str:
    """The label in a surrogate's name, in capitals."""
    found = _NAME.fullmatch(name)
    return found["label"] if found else ""


def plain(body: str) -> str:
    """A name without the backslashes that Markdown and JSON put before its underscores."""
    return body.replace("\\", "") if "\\" in body else body


def joints(body: str) -> Iterator[int]:
    """Where a name may begin in a longer one: at its start and behind each underscore (`get_PERSON_1`)."""
    yield 0
    yield from (found.end() for found in _JOINT.finditer(body))


bracketed = "<{}>".format
"""A surrogate's name in its brackets, as it is minted."""


def is_encoded(spelling: str) -> bool:
    """Whether a surrogate's brackets, or the one that is left, are spelled as in a link."""
    return spelling[0] == "%" or spelling[-3:-1] == "%3"


def canonical(name: str) -> bool:
    """Whether this is a surrogate's name exactly as one would be minted."""
    return _CANONICAL.fullmatch(name) is not None


def longest_spelling(name: str) -> int:
    """Code points of a surrogate with this name in its longest tolerated spelling."""
    return 2 * _LONGEST_BRACKET + len(name) + name.count("_") * (_LONGEST_JOIN - 1)


def pending(tail: str, labels: Collection[str]) -> bool:
    """Whether a text that ends here may go on to be a surrogate with one of these labels, or another canonical one."""
    found = _TAIL.fullmatch(tail)
    if found is None:
        return False
    opened, body, end = found["open"], found["body"], found["end"]
    if body is None:
        return end is None if opened else end is not None and not end.lower().startswith("&g")
    name = plain(body).upper() if opened else plain(body)
    if end and (end[0] in "&%" or found["more"]):
        return not end.lower().startswith("&l") and any(_completes(name, each) for each in labels)
    return any(_begins(name, each) for each in labels) or (
        opened is not None and opened.endswith("<") and not end and _CANONICAL_START.fullmatch(body) is not None
    )


def _begins(name: str, each: str) -> bool:
    stem = f"{each}_"
    return stem.startswith(name) or (name.startswith(stem) and _SUFFIX_START.fullmatch(name, len(stem)) is not None)


def _completes(name: str, each: str) -> bool:
    stem = f"{each}_"
    return name.startswith(stem) and _WHOLE_SUFFIX.fullmatch(name, len(stem)) is not None


@lru_cache(maxsize=256)
def trigger(labels: frozenset[str], *, json_text: bool = False) -> re.Pattern[str]:
    """Finds whatever may begin a surrogate with these labels: a text without it can pass unread.

    A bare name begins with two capitals of its label. Compiling takes 0.1 ms, and an installation sees few sets. The
    look behind stands after the letter: the search then skips over all letters that begin nothing.
    """
    alone = "" if json_text else "(?<![A-Za-z0-9].)"
    seconds: dict[str, set[str]] = {}
    for each in labels:
        seconds.setdefault(each[0], set()).add(each[1:2] if each[1:2].isalnum() else "")
    bare = (f"|{first}{alone}(?:{'|'.join(sorted(nexts))}|\\Z)" for first, nexts in sorted(seconds.items()))
    return re.compile(r"<|&(?:[lL]|\Z)|%(?:3|\Z)|\\(?:u|\\|\Z)" + "".join(bare))
