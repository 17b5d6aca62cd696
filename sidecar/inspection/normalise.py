"""The copy of a text that is searched, and the way back to the caller's own offsets.

People and attackers write `ｂｏｂ＠corp.example`, `4111\u200b1111...`, `pаypal` with a Cyrillic а, `4 1 1 1 1 1 ...`,
`bob%40corp.example`, `bob\\u0040corp.example`, `bob [at] corp [dot] example`, `4̶1̶1̶1̶`, `219\\-09\\-9999`; mail and
forms have their own ways (transfer.py). Detection sees what a reader would see; edits are made at the offsets of what
was sent. Plain text (nearly all there is) is its own copy: a few searches for single characters.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache
from html import unescape
from html.entities import html5
from typing import NamedTuple

from sidecar.inspection.transfer import Edit, encoded_words, form_spaces, quoted_printable

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u3164\uffa0\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e01ef"
)
"""Default-ignorable code points (Unicode DerivedCoreProperties) and interlinear marks."""
DASHES = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u00af", "-")
DOTS = dict.fromkeys("\u2024\u3002\uff0e\uff61\u06d4\u0701\u0702\ufe52", ".")
CONFUSABLES = dict(
    zip(
        "аеорсухівјѕһԁԛԝкмтнАВЕКМНОРСТУХІЈЅԌԚԜαοερνιτυχκΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսոհցքԁƖոıɡɑⅼℓ∣ꞏ",
        "aeopcyxibjshdqwkmtnABEKMHOPCTYXIJSGQWaoepvituxkABEZHIKMNOPTYXounhgqdlniga11|.",
        strict=True,
    )
)
"""Letters of other scripts that look like Latin ones (the part of Unicode's confusables.txt that such texts use)."""
OVERLAID = "\u0300-\u034e\u0350-\u036f\u20d0-\u20f0"
"""Combining marks, the keycap's frame and the strike-through among them: each belongs to what stands before it."""
SPECIAL = re.compile(
    f"[{INVISIBLE}{OVERLAID}\u00a0\u00af\u00b2\u00b3\u00b9\u0131\u0196\u0251\u0261\u0391-\u03ff\u0400-\u052f\u0531-\u0587\u0660-\u0669\u06d4\u06f0-\u06f9"
    "\u0701\u0702\u0966-\u096f\u09e6-\u09ef\u2000-\u200a\u2010-\u2015\u2024\u202f\u205f\u2070-\u209c\u2100-\u214f\u2160-\u217f\u2212\u2223\u2460-\u24ff"
    "\u2776-\u2793\u3000\u3002\ua78f\ufb00-\ufb06\ufe10-\ufe6f\uff01-\uff64\U0001d400-\U0001d7ff\U0001f100-\U0001f1ff]"
    f"[{OVERLAID}]*+"
)
"""Whatever the table below may change: a text without one of these needs no look at every character."""
MARK = re.compile(f"[{OVERLAID}]")
LAST_LATIN = 0x24F

SPLIT = re.compile(r"[0-9](?<![\w.,][0-9])([ .\-_/])[0-9](?:\1[0-9]){5,40}(?![\w])")
"""Single digits, seven or more, each one separator apart."""
SPLIT_OUTLINE = b"9 9 9 9 9 9 9"
ESCAPED = re.compile(
    r"%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*+|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}(?:\\x[0-9A-Fa-f]{2})*+"
    r"|&(?:#\d{2,7}|#[xX][0-9A-Fa-f]{2,6}|[A-Za-z][A-Za-z0-9]{1,7});"
)
BREAK = re.compile(r"\\{1,4}[nrt](?![a-z])|(?<!\\)\\[nrt](?=(?P<goes_on>[a-z]))")
"""What JSON, logs and source code write for the end of a line or a tab, where text was pasted with its escapes. Before
a small letter it may be a folder's or a command's name (`C:\\Users\\nina`, `\\textbf`)."""
BREAKS = {"n": "\n", "r": "\r", "t": "\t"}
QUOTING = ('\\"', '":', "':", '="', "='")
"""Of which one stands in what a program wrote, and so escaped."""
DRIVE = re.compile(r"(?:(?<![^\W_])[A-Za-z]:|\\)(?:\\[^\s\"\\]{0,64}){0,8}\Z")
LONGEST_PATH = 160
MARKDOWN = re.compile(
    r"\\(?:(?<=[0-9]\\)(?=[-/][0-9A-Za-z])|(?<=[A-Za-z]\\)(?=-[0-9])|(?<=[0-9A-Za-z]\\)(?=[._][0-9A-Za-z]))"
)
"""The sign that keeps a dot, hyphen or underscore from being markup; JSON writers put one before a slash."""
SPELLED = re.compile(
    r"[ \t]?(?:[\[({<][ \t]?(?:(at|arobase|arroba|chiocciola)|(?:dot|punkt|point|punto))[ \t]?[\])}>])[ \t]?",
    re.IGNORECASE,
)
COLOUR = re.compile(r"\x1b\[[0-9;:]{0,24}m")
"""What a log for a terminal colours its values with (ECMA-48 8.3.117)."""
SPELLED_HINTS = ("at]", "at)", "at}", "at>", "AT]", "AT)", "t ]", "t )")


class Copy(NamedTuple):
    """`text` is searched; `back` turns a span of it into a span of the original."""

    text: str
    back: Callable[[int, int], tuple[int, int]] | None


def normalised(text: str, drawn: bytes | None = None) -> Copy:
    """`drawn` is the text's outline (tokens.py), if it has one: it tells whether digits are set apart."""
    found = _found(text, drawn)
    return _applied(text, _disjoint(found)) if found else Copy(text, None)


def _found(text: str, drawn: bytes | None) -> list[Edit]:
    found: list[Edit] = []
    if not text.isascii() and SPECIAL.search(text):
        found.extend(_folds(text))
    has_escapes = "\\" in text
    if "%" in text or "&" in text or (has_escapes and ("\\u" in text or "\\x" in text)):
        found.extend(edit for match in ESCAPED.finditer(text) if (edit := _unescaped(match)))
    if has_escapes:
        found.extend((*match.span(), "") for match in MARKDOWN.finditer(text))
        if "\\n" in text or "\\t" in text or "\\r" in text:
            found.extend(_breaks(text))
    if "=" in text:
        found.extend((*form_spaces(text), *quoted_printable(text), *encoded_words(text)))
    if ("]" in text or ")" in text or "}" in text or ">" in text) and any(hint in text for hint in SPELLED_HINTS):
        found.extend((*match.span(), "@" if match.group(1) else ".") for match in SPELLED.finditer(text))
    if "\x1b[" in text:
        found.extend((*match.span(), "") for match in COLOUR.finditer(text))
    if drawn is None or SPLIT_OUTLINE in drawn:
        for match in SPLIT.finditer(text):
            found.extend((at, at + 1, "") for at in range(match.start() + 1, match.end(), 2))
    return found


def _breaks(text: str) -> Iterator[Edit]:
    """Before a small letter only where the text shows otherwise that it is written so, and not within a path."""
    found = list(BREAK.finditer(text))
    is_escaped = any(match["goes_on"] is None for match in found) or any(mark in text for mark in QUOTING)
    for match in found:
        start, end = match.span()
        if match["goes_on"] is None or (is_escaped and not DRIVE.search(text, max(0, start - LONGEST_PATH), start)):
            yield (start, end, BREAKS[text[end - 1]])


def _disjoint(found: list[Edit]) -> list[Edit]:
    """In order; of two that overlap the first."""
    kept: list[Edit] = []
    after = 0
    for edit in sorted(found):
        if edit[0] >= after:
            after = edit[1]
            kept.append(edit)
    return kept


def _folds(text: str) -> Iterator[Edit]:
    for match in SPECIAL.finditer(text):
        start, end = match.span()
        char = text[start]
        if MARK.match(char):
            start -= start > 0
            plain = _bare(text[start:end])
        else:
            plain = _plain(char)
            end = end if plain != char else start + 1  # a letter of another script keeps its accents
        if plain != text[start:end]:
            yield (start, end, plain)


def _bare(marked: str) -> str:
    """A character without the marks over it: the letter with an accent where there is one (`u\u0308`), else itself.

    What is no Latin letter keeps its marks: in other scripts they are part of the writing.
    """
    if MARK.match(marked):
        return ""
    if ord(marked[0]) > LAST_LATIN:
        return marked
    return unicodedata.normalize("NFC", marked)[0] if marked[0].isalpha() else marked[0]


@cache
def _plain(char: str) -> str:
    """What a reader sees: nothing, a plain dash, dot or space, a Latin letter, an ASCII digit, or NFKC's answer."""
    if re.match(f"[{INVISIBLE}]", char):
        return ""
    for table in (DASHES, DOTS, CONFUSABLES):
        if char in table:
            return table[char]
    if unicodedata.category(char) == "Zs":
        return " "
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKC", char)
    return CONFUSABLES.get(plain, plain)


def _character(written: str) -> str:
    """Of a reference of HTML, itself where it names none (`&total;`)."""
    return unescape(written) if written[1] == "#" else html5.get(written[1:], written)


def _unescaped(match: re.Match[str]) -> Edit | None:
    """Only what decodes to something printable: `100%25`, `%20d` of a format string are left to be themselves."""
    written = match.group()
    if written[0] == "%" or written.startswith("\\x"):
        data = bytes.fromhex(written.replace("%", "").replace("\\x", ""))
        try:
            plain = data.decode()
        except ValueError:
            if written[0] == "%":
                return None
            plain = data.decode("latin-1")  # JavaScript's `M\xfcller`
    else:
        plain = chr(int(written[2:], 16)) if written[0] == "\\" else _character(written)
    if not plain:  # of `&#11;`, which HTML does not let stand
        return None
    if not plain.isascii():
        plain = SPECIAL.sub(_seen, plain)
    visible = "".join(plain.split())  # a key or a machine-readable zone has lines
    return (*match.span(), plain) if visible.isprintable() and not "\ud800" <= plain[:1] <= "\udfff" else None


def _seen(match: re.Match[str]) -> str:
    """What was disguised before it was escaped: `\\uff14`, `%D0%B0`, `&#8203;`."""
    written = match.group()
    plain = written if MARK.match(written) else _plain(written[0])
    return plain if plain != written[0] else written


def _applied(text: str, edits: list[Edit]) -> Copy:
    out: list[str] = []
    copy_at, text_at = [0], [0]
    done = size = 0
    for start, end, plain in edits:
        out += (text[done:start], plain)
        size += start - done
        copy_at.append(size)
        text_at.append(start)
        size += len(plain)
        copy_at.append(size)
        text_at.append(end)
        done = end
    out.append(text[done:])

    def back(start: int, end: int) -> tuple[int, int]:
        """An edit is taken whole: half an escape is no place to cut."""
        first = bisect_right(copy_at, start) - 1
        last = bisect_right(copy_at, end - 1) - 1
        begin = text_at[first] if first % 2 else text_at[first] + start - copy_at[first]
        finish = text_at[last + 1] if last % 2 else text_at[last] + end - copy_at[last]
        return begin, max(finish, begin)

    return Copy("".join(out), back)
