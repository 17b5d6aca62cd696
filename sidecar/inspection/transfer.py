"""What mail and the web do to a text on its way: form encoding, quoted-printable, encoded words in headers.

`name=Anna+Schmidt&iban=DE89+3704+...` (a query string or a form's body), `M=C3=BCller` and lines that end in `=` (RFC
2045 6.7), `=?utf-8?Q?Anna_M=C3=BCller?=` (RFC 2047). Each is looked for at its own marks (`&name=`, `=C3`, `=?`), which
nearly no text has. `1+1`, `C++`, base64 and `tel=+49` keep their signs, `x=20` its number, `KEY=` its end of line.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from collections.abc import Iterator

Edit = tuple[int, int, str]
"""Start, end, and what a reader sees there."""

FIELD = re.compile(r"(?:&(?:amp;)?|\?)[\w.\-\[\]]{1,64}=")
"""Where the value of a second field begins, or that of the first of a URL's query."""
VALUE = re.compile(r"""[^\s&=?"'<>`\\{}|#]*+""")
LONGEST_VALUE = 4096
BASE64 = re.compile(r"[A-Za-z0-9+/]+")
PIECE = re.compile(r"[A-Za-z0-9]{8,}")
WORD_LENGTH = 12
"""More than the words of a sentence have between two spaces, less than base64 has between two signs."""
SPACES = re.compile(r"\+(?!(?<=[=+]\+)[0-9])")
"""Not the sign of a number to call: `tel=+49+30`."""

QUOTED = re.compile(r"=(?:[0-9A-F]{2}|\r?\n)(?:=(?:[0-9A-F]{2}|\r?\n))*+")
SOFT = re.compile(r"=\r?\n")
SURE_BYTES = 4
BROKEN_LINE = range(70, 77)
"""Code points of a line that a mail program has broken, the sign at its end included."""
DATE_AFTER = re.compile(r"[./-][0-9]")
BASE64_LINE = re.compile(r"[A-Za-z0-9+/]{16,}={1,2}")
LONGEST_LINE = 256

WORD = re.compile(
    r"=\?(utf-8|us-ascii|iso-8859-1|iso-8859-15|windows-1252)(?:\*[\w-]{1,16})?"
    r"\?(?:q\?([^?\s]{1,1000})|b\?([A-Z0-9+/=]{1,1000}))\?=(\s{1,4}(?==\?))?",
    re.IGNORECASE | re.ASCII,
)
WORD_SIGNS = re.compile(r"_|(?:=[0-9A-Fa-f]{2})+")


def form_spaces(text: str) -> Iterator[Edit]:
    """Each `+` of `name=value&name=value`, and of a URL's `?name=value`, that stands for a space."""
    if "+" not in text or "=" not in text or not ("&" in text or "?" in text):
        return
    done = 0
    for field in FIELD.finditer(text):
        start, end = field.span()
        if text[start] == "&":
            begin = text.rfind("=", max(done, start - LONGEST_VALUE), start) + 1
            if begin > 1 and text[begin - 2].isalnum():
                yield from _spaces(text, begin, start)
        done = _value_end(text, end, len(text))
        yield from _spaces(text, end, done)


def _value_end(text: str, start: int, stop: int) -> int:
    value = VALUE.match(text, start, stop)
    return value.end() if value else start


def _spaces(text: str, start: int, end: int) -> Iterator[Edit]:
    if text.find("+", start, end) < 0 or _value_end(text, start, end) < end or text.startswith("=", end):
        return
    if not _is_base64(text[start:end]):
        yield from ((*sign.span(), " ") for sign in SPACES.finditer(text, start, end))


def _is_base64(value: str) -> bool:
    rare = value.count("+") * WORD_LENGTH <= len(value)
    return rare and BASE64.fullmatch(value) is not None and any(map(_is_mixed, PIECE.findall(value)))


def _is_mixed(piece: str) -> bool:
    """Whether capitals, small letters and digits stand in it."""
    return not piece.isalpha() and piece != piece.upper() and piece != piece.lower()


def quoted_printable(text: str) -> Iterator[Edit]:
    """Escapes and broken lines. What proves itself always; the rest (`=20`, `=FC`) in a text that is such a body."""
    runs = list(QUOTED.finditer(text)) if "=" in text else []
    if not runs:
        return
    proven = [_proven(run[0]) for run in runs]
    is_body = _is_body(text, runs, proven)
    for run, plain in zip(runs, proven, strict=True):
        if plain is None:
            plain = _likely(text, *run.span()) if is_body else _joined(text, *run.span())
        if plain is not None:
            yield (*run.span(), plain)


def _bytes(written: str) -> bytes:
    return bytes.fromhex(SOFT.sub("", written).replace("=", ""))


def _decoded(data: bytes, charset: str = "utf-8") -> str | None:
    try:
        plain = data.decode(charset)
    except ValueError:
        return None
    return plain if "".join(plain.split()).isprintable() else None


def _proven(written: str) -> str | None:
    """What the run says if nothing else is written so: a letter beyond ASCII in UTF-8, or four signs and more."""
    data = _bytes(written)
    return _decoded(data) if len(data) >= SURE_BYTES or (len(data) > 1 and not data.isascii()) else None


def _is_body(text: str, runs: list[re.Match[str]], proven: list[str | None]) -> bool:
    """Whether a header says so; or a proof stands in it, and most of its `=` begin an escape, as no code's do."""
    if "uoted-" in text and "quoted-printable" in text.lower():
        return True
    if 2 * sum(run[0].count("=") for run in runs) < text.count("="):
        return False
    return any(plain is not None for plain in proven) or '=3D"' in text or any(_is_broken(text, run) for run in runs)


def _is_broken(text: str, run: re.Match[str]) -> bool:
    """Whether the line is of the length at which mail programs break, has several words, and ends within one."""
    if "\n" not in run[0]:
        return False
    end = text.index("\n", run.start())
    floor = max(0, end - BROKEN_LINE.stop - 1)
    start = max(floor, text.rfind("\n", floor, end) + 1)
    line = text[start:end].removesuffix("\r")
    return len(line) in BROKEN_LINE and " " in line and not text[run.start() - 1 : run.start()].isspace()


def _likely(text: str, start: int, end: int) -> str | None:
    """What the run says in a body: no letters and digits, for none are escaped, but those of Latin-1."""
    data = _bytes(text[start:end])
    if not data:
        return None if text[max(0, start - 1) : start] == "=" or _ends_base64(text, start) else ""
    if data.isascii():
        is_sign = not (any(chr(byte).isalnum() for byte in data) or DATE_AFTER.match(text, end))
        return _decoded(data) if is_sign else None
    follows = text[end : end + 1]
    is_letter = text[max(0, start - 1) : start].isalpha() or follows.islower()
    return _decoded(data, "latin-1") if is_letter and not (follows.isdigit() or follows.isupper()) else None


def _joined(text: str, start: int, end: int) -> str | None:
    """Between two digits a broken line needs no other proof."""
    is_between = text[end - 1] == "\n" and text[max(0, start - 1) : start].isdigit() and text[end : end + 1].isdigit()
    return "" if is_between and not _bytes(text[start:end]) and not _ends_base64(text, start) else None


def _ends_base64(text: str, at: int) -> bool:
    """Whether the sign may be the padding of a block: that of a line which holds nothing else."""
    floor = max(0, at - LONGEST_LINE)
    start = max(floor, text.rfind("\n", floor, at) + 1)
    return (at + 1 - start) % 4 == 0 and BASE64_LINE.fullmatch(text, start, at + 1) is not None


def encoded_words(text: str) -> Iterator[Edit]:
    """Words of a mail's header. One in base64 is one edit; the white space between two is none."""
    if "=?" not in text or "?=" not in text:
        return
    for word in WORD.finditer(text):
        charset, block = word[1], word[3]
        if block is None:
            yield (word.start(), word.start(2), "")
            yield from _signs(text, word, charset)
            yield (word.end(2), word.end(), "")
        elif (plain := _from_base64(block, charset)) is not None:
            yield (*word.span(), plain)


def _signs(text: str, word: re.Match[str], charset: str) -> Iterator[Edit]:
    for sign in WORD_SIGNS.finditer(text, *word.span(2)):
        plain = " " if sign[0] == "_" else _decoded(_bytes(sign[0]), charset)
        if plain is not None:
            yield (*sign.span(), plain)


def _from_base64(block: str, charset: str) -> str | None:
    try:
        return _decoded(a2b_base64(block), charset)
    except Error:
        return None
