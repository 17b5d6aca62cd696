"""Secrets known by where they stand: HTTP authorization headers, what is named in commands.py and providers.py.

gitleaks wants `curl` before a header and a key of exact length; what people paste into a prompt is a header from a log
and a key that lost its tail.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Iterator

from sidecar.inspection import assignments, commands
from sidecar.inspection.listings import PASSWORD
from sidecar.inspection.literals import (
    CODE,
    LEAST_BITS,
    PLACEHOLDER,
    is_common,
    is_mixed,
    is_strong,
    is_typed,
    quoted_end,
)
from sidecar.inspection.providers import ADDRESSES, ENDED, HASHES, LINKS, PREFIXED, compiled
from sidecar.inspection.secrets import API_KEY, entropy
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

HEADER = re.compile(
    r"\\*[\"'`]?[ \t]{0,3}(?:[:=]|[ \t](?=[\"'])|,(?:\s{0,40}\\*[\"']value\\*[\"'][ \t]{0,3}:)?)[ \t]{0,3}"
    r"\\*[\"'`]?(?P<scheme>[a-z][\w-]{2,20})[ \t]{1,3}"
    r"(?P<value>[\w.~+/=-]{8,})",
    re.IGNORECASE,
)
"""RFC 9110 11.6.2 with the schemes in use; the value is a token68."""
ARGUMENTS = re.compile(
    r"\([ \t]{0,4}(?:[\"'][^\"'\n]{0,80}[\"']|[\w.]{1,60}),[ \t]{0,4}(?:[\"'][^\"'\n]{1,80}[\"'],[ \t]{0,4})?"
    r"[\"'](?P<value>[^\s\"'\\][^\n\"'\\]{4,64})[\"'][ \t]{0,4}[,)]"
)
"""`smtp.login(user, "...")`, `mysqli_connect(host, user, "...")`."""
PAIR = re.compile(
    r"s?(?:[ \t]{1,2}(?:for|für|pour)[ ][^\n:]{2,40}?(?=:))?"
    r"(?:[ \t]{1,2}(?:is|are|ist|sind))?[ \t]{0,2}[:=]?[ \t]{1,2}[\w.@-]{2,40}(?:[ \t]{1,2}[/|:][ \t]{1,2}|[/|:])"
    r"(?P<value>[^\s\"'`/|]{6,64})",
    re.IGNORECASE,
)
"""`login jdoe / ...`, `credentials: jdoe/...`."""
WEB_TOKEN = re.compile(r"eyJ[\w-]{14,}(?:\.[\w-]{16,}|\.(?=\.)){1,2}(?:\.[\w-]*){0,2}")
"""A JSON Web Token, signed or encrypted (RFC 7519), whatever its second part holds."""
PRIVATE_LINES = re.compile(r"\d{1,3}\r?\n(?P<value>[A-Za-z0-9+/=\r\n]{20,4096})")
"""A key of PuTTY's; its end is the line that says `Private-MAC`."""
STATIC_LINES = re.compile(r"\s{1,40}(?P<value>[0-9a-f]{32}(?:\s{1,40}[0-9a-f]{32}){0,15})")
CALLS = (
    "login", "mysqli_connect", "mysql_connect", "mysqli", "getconnection", "mysqldb.connect", "pymysql.connect",
    "psycopg2.connect", "oracledb.connect", "mariadb.connect", "new pdo", "dbi->connect", "ftp",
)  # fmt: skip
PAIRED = (
    "login", "credential", "creds", "zugangsdaten", "user/pass", "username/password", "anmeldedaten", "identifiants",
    *(f"{name}/{word}" for name in ("id", "login") for word in ("pw", "pwd", "pass", "password", "passwd")),
)  # fmt: skip


Find = Callable[[str, int, int], Span | None]
"""Takes the text, and where the word starts and ends."""


def access(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        if word in assignments.WORDS:
            yield from assignments.assigned(text, low, word)
        find = FINDERS.get(word)
        for at in places(low, word) if find else ():
            if find and (at == 0 or not low[at - 1].isalnum() or word in ANYWHERE):
                span = find(text, at, at + len(word))
                if span is not None:
                    yield span


def _header(text: str, _start: int, end: int) -> Span | None:
    match = HEADER.match(text, end)
    if match is None:
        return None
    value = match["value"]
    if match["scheme"].lower() == "basic":
        return _span(match, PASSWORD) if _is_basic(value) else None
    made = any(map(str.isdigit, value)) and len(value) >= 16 and entropy(value) >= LEAST_BITS
    return _span(match, API_KEY) if made and not CODE.fullmatch(value) else None


def _is_basic(value: str) -> bool:
    """RFC 7617: base64 of a name, a colon and a password."""
    try:
        return b":" in binascii.a2b_base64(value.encode() + b"=" * (-len(value) % 4))
    except (ValueError, UnicodeEncodeError):
        return False


def _valued(pattern: str, entity: str) -> Find:
    def find(text: str, _start: int, end: int) -> Span | None:
        match = compiled(pattern).match(text, end)
        if match is None or PLACEHOLDER.fullmatch(match["value"]):
            return None
        start, stop = match.span("value")
        return Span(start, quoted_end(text, start, stop), entity, 0.8, DETECTOR, Strength.PROVEN)

    return find


def _pair(text: str, _start: int, end: int) -> Span | None:
    match = PAIR.match(text, end) or ARGUMENTS.match(text, end)
    if match is None or PLACEHOLDER.fullmatch(match["value"]):
        return None
    value = match["value"]
    good = is_strong(value) or is_mixed(value) if match.re is PAIR else is_typed(value) or is_common(value)
    return _span(match, PASSWORD) if good and (match.re is ARGUMENTS or not CODE.fullmatch(value)) else None


def _signed(text: str, start: int, _end: int) -> Span | None:
    if start and (text[start - 1].isalnum() or text[start - 1] in "_-."):
        return None
    match = WEB_TOKEN.match(text, start)
    return Span(*match.span(), "JWT", 0.8, DETECTOR, Strength.PROVEN) if match else None


def _putty(text: str, _start: int, end: int) -> Span | None:
    match = PRIVATE_LINES.match(text, end)
    return _span(match, "PRIVATE_KEY") if match else None


def _static(text: str, _start: int, end: int) -> Span | None:
    match = STATIC_LINES.match(text, end)
    return _span(match, "PRIVATE_KEY") if match else None


def _ended(before: str, after: str) -> Find:
    def find(text: str, start: int, _end: int) -> Span | None:
        head = compiled(rf"{before}\Z").search(text, max(0, start - 80), start)
        match = compiled(after).match(text, start) if head else None
        return Span(head.start(), match.end(), API_KEY, 0.8, DETECTOR, Strength.PROVEN) if head and match else None

    return find


def _hash(pattern: str) -> Find:
    def find(text: str, start: int, _end: int) -> Span | None:
        match = compiled(pattern).match(text, start)
        return Span(*match.span(), PASSWORD, 0.8, DETECTOR, Strength.PROVEN) if match else None

    return find


def _provider(pattern: str, group: int = 0) -> Find:
    def find(text: str, start: int, _end: int) -> Span | None:
        match = compiled(pattern).match(text, start)
        if match is None or entropy(match[group]) < LEAST_BITS or not _is_made(match[group]):
            return None
        return Span(*match.span(group), API_KEY, 0.8, DETECTOR, Strength.PROVEN)

    return find


def _is_made(value: str) -> bool:
    """With a figure in it, or longer than any word."""
    return any(map(str.isdigit, value)) or LONG.search(value) is not None


def _span(match: re.Match[str], entity: str) -> Span:
    return Span(*match.span("value"), entity, 0.8, DETECTOR, Strength.PROVEN)


LONG = re.compile(r"[A-Za-z]{40}")
DETECTOR = "rules/access"
FINDERS: dict[str, Find] = {
    **dict.fromkeys((*CALLS, *PAIRED), _pair),
    **{word: _valued(pattern, PASSWORD) for word, pattern in (commands.PASSWORDS | commands.TYPES).items()},
    **{word: _valued(pattern, API_KEY) for word, pattern in (commands.KEYS | ADDRESSES).items()},
    **{word: _provider(pattern) for word, pattern in PREFIXED.items()},
    **{word: _hash(pattern) for word, pattern in HASHES.items()},
    **{word: _provider(pattern, 1) for word, pattern in LINKS.items()},
    **{word: _ended(*parts) for word, parts in ENDED.items()},
    "authorization": _header,
    "eyj": _signed,
    "private-lines: ": _putty,
    "openvpn static key v1-----": _static,
}
WORDS = (*FINDERS, *assignments.WORDS)
ANYWHERE = frozenset((*ENDED, *ADDRESSES, *LINKS, *commands.TYPES, *commands.POSTFIX, "authtok", "rootpw",
                      ".run(", ".start(", ".wallet(", "eyj"))
"""What may stand right behind a letter or a figure."""
