"""Where in a JSON text a position stands, so that a value put there stays one value.

Tool arguments and declared JSON output are JSON documents (RFC 8259), and strings in them may hold JSON again. A value
restored inside a string is escaped once per document it stands in; outside any string it becomes a string of its own,
so that no value can add a key or close an object. A model that was told to write JSON and writes `Sorry, ...` is not
quoted at: there a value becomes a string only where a document awaits one.

A string counts as a document when it begins with `{` or `[`, in Markdown's fence or without, and, outside its own
strings, holds nothing that JSON does not. `[see](https://...)` is Markdown and `[1] "quoted"` a footnote, and both are
escaped once only. So does a reply whose form nobody declared.

What was pasted into a prompt as JSON (`J\\u00fcrgen`, in quotes) is a value as it was typed: in prose it comes back so,
in a document as what it means.
"""

from __future__ import annotations

import json
import re

MAX_DEPTH = 4
"""Documents within documents. Deeper ones are taken for plain text: no surrogate is recognised there either."""

# In a string, up to its end or to an escape that the chunk cuts.
_INSIDE = re.compile(r'(?:[^"\\]++|\\u[0-9a-fA-F]{4}|\\u(?![0-9a-fA-F]{0,3}\Z)|\\[^u])*+')
_OUTSIDE = re.compile(r"(?:[\s{}\[\]:,]|(?:true|false|null|-?[0-9][0-9.eE+\-]*+)(?![A-Za-z0-9.+\-]))*+")
_WORD_CUT = re.compile(r"[A-Za-z0-9.+\-]{1,40}\Z")
# Whole strings that hold no document, and what stands between them: most of a reply, passed over at once.
_PLAIN = re.compile(r'(?:[^"]*+"(?!(?:\s|\\[bfnrt])*(?:[{\[]|\\u))(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_AWAITS_VALUE = re.compile(r'":|["0-9el}\]],')  # the last two signs outside strings, a string being one quote
_BEGINS = frozenset('{["-0123456789tfn')
_NEAR = 64
_FAR = 4096
"""Code points of a string before a value in it."""

_FENCE = re.compile(r"(?:```[A-Za-z]{0,9}\s*)?(?=[{\[])")
_FENCE_CUT = re.compile(r"`{0,2}|```[A-Za-z]{0,9}")
_LONE = re.compile(r"[\ud800-\udfff]")
_ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|["\\/bfnrt])')


def escape(value: str) -> str:
    """The value as it stands inside a JSON string. What UTF-8 cannot carry is spelled `\\udXXX`."""
    text = json.dumps(value, ensure_ascii=False)[1:-1]
    return _LONE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def meant(value: str, text: str, start: int) -> str:
    """What a value says that stands there in a text: something else than its characters, if they are JSON's."""
    if "\\" not in value or not any(_opened(text, start, quote) for quote in "\"'"):
        return value
    try:
        return str(json.loads(f'"{value}"'))
    except ValueError:
        return value


def _opened(text: str, start: int, quote: str) -> bool:
    """Whether the last quote before it, of those that no backslash escapes, begins a string of JSON or of Python."""
    before = text[max(0, start - _FAR) : start].replace("\\\\", "  ").replace(f"\\{quote}", "  ")
    return before[: max(0, before.rfind(quote))].rstrip().endswith(("{", "[", ",", ":"))


def _unescape(raw: str) -> str:
    """The text of a piece of a JSON string; an escape that JSON does not know stands for itself."""
    return _ESCAPE.sub(_character, raw)


def _character(found: re.Match[str]) -> str:
    return str(json.loads(f'"{found[0]}"'))


class TextCursor:
    """Follows a text that may be a JSON document, though nobody says so: what a string holds, a reply."""

    __slots__ = ("_begun", "_depth", "_fresh", "_inner")

    def __init__(self, depth: int = 1) -> None:
        self._depth = depth
        self._fresh = True  # nothing has told yet what it is
        self._begun = ""
        self._inner: JsonCursor | None = None

    @property
    def followed(self) -> bool:
        """Whether there is any use in going on."""
        return self._fresh or (self._inner is not None and self._inner.alive)

    def advance(self, text: str) -> None:
        """Go over more of the text."""
        if self._fresh:
            text = (self._begun + text).lstrip()
            self._begun = text.rstrip()
            if _FENCE_CUT.fullmatch(self._begun):
                return
            self._fresh = False
            if (begun := _FENCE.match(text)) and self._depth < MAX_DEPTH:
                text = text[begun.end() :]
                self._inner = JsonCursor(self._depth + 1)
        if self._inner is not None and self._inner.alive:
            self._inner.advance(text)

    def torn(self) -> bool:
        """Whether an escape has begun here: a value put behind it would be read as its end."""
        return self._inner is not None and self._inner.alive and self._inner.torn()

    def place(self, value: str, typed: str) -> str:
        """The value as it has to be spelled here, which is as it was typed where this is no document."""
        self._fresh = False
        return self._inner.place(value, typed) if self._inner is not None and self._inner.alive else typed


class JsonCursor:
    """Follows the text of a JSON document as it comes, keeping only where it is."""

    __slots__ = (
        "_balance", "_begun", "_cut", "_depth", "_last", "_open", "_prose", "_text", "_word", "alive",
    )  # fmt: skip

    def __init__(self, depth: int = 1) -> None:
        self._depth = depth
        self._open = False  # inside a string
        self._text = TextCursor(depth)  # what that string holds
        self._cut = ""  # an escape whose end has not come
        self._balance = 0
        self._last = ""
        self._word = ""  # the beginning of a number or of `true`, whose end has not come
        self.alive = True
        """Whether all that went by may be JSON."""
        self._begun = depth > 1
        self._prose = depth > 1  # text around documents, if any

    def advance(self, text: str) -> None:
        """Go over more of the text."""
        if not self._begun and (begun := text.lstrip()):
            self._begun, self._prose = True, begun[0] not in _BEGINS
        text, self._cut = self._cut + text, ""
        at = 0
        while at < len(text):
            at = self._string(text, at) if self._open else self._between(text, at)

    def torn(self) -> bool:
        """Whether an escape has begun here: a value put behind it would be read as its end."""
        return bool(self._cut) or (self._open and self._text.torn())

    def place(self, value: str, typed: str) -> str:
        """The value as it has to be spelled here; afterwards the cursor stands behind it."""
        if self._open:
            return escape(self._text.place(value, value))
        self._begun = True
        if not self._prose or _AWAITS_VALUE.fullmatch(self._last):
            self._last = '"'
            return f'"{escape(value)}"'
        self.alive = False  # a bare word: what began like a document is prose
        return typed

    def _between(self, text: str, at: int) -> int:
        """Outside strings, up to the next quote; returns where to go on."""
        if self._depth == 1 and (plain := _PLAIN.match(text, at)) and plain.end() > at:
            at, self._last = plain.end(), '"'
        end = text.find('"', at)
        stop = len(text) if end < 0 else end
        if self._depth > 1:
            self._check(text[at:stop], more=end < 0)
        self._last = (self._last + "".join(text[max(at, stop - _NEAR) : stop].split()))[-2:]
        if end < 0:
            return stop
        self._open = True
        self._text = TextCursor(self._depth)
        return end + 1

    def _check(self, between: str, *, more: bool) -> None:
        """Whether this is a document still, by what stands outside its strings."""
        between, self._word = self._word + between, ""
        if more and (cut := _WORD_CUT.search(between)):
            between, self._word = between[: cut.start()], cut[0]
        count = between.count
        self._balance += count("{") + count("[") - count("}") - count("]")
        if _OUTSIDE.fullmatch(between) is None or (self._balance <= 0 and not more):
            self.alive = False

    def _string(self, text: str, at: int) -> int:
        """Inside a string, up to its end; returns where to go on."""
        found = _INSIDE.match(text, at)
        assert found is not None
        stop = found.end()
        if self._text.followed:
            self._text.advance(_unescape(text[at:stop]))
        if stop == len(text):
            return stop
        if text[stop] == '"':
            self._open, self._last = False, (self._last + '"')[-2:]
            return stop + 1
        self._cut = text[stop:]
        return len(text)
