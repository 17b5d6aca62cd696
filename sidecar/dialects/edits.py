"""New text at places: only the named spans change, at any depth of JSON-in-strings."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from sidecar.dialects.jsontext import NOT_JSON, load_inside, load_reply, spell
from sidecar.dialects.spans import Cut, Misplaced, Path, Span, apply, locate
from sidecar.errors import OwnError
from sidecar.model import INSIDE, Edit, Place, PlaceKind

_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{4}|u[0-9a-fA-F]{4}|.)", re.DOTALL)

_NUMBER_STARTS = b"-0123456789"


class Change(NamedTuple):
    """An edit within one JSON text: its path starts there. Its repr hides text and path."""

    path: Path
    kind: PlaceKind
    text: str

    def __repr__(self) -> str:
        return f"Change({self.kind})"


def edit(body: bytes, edits: Sequence[Edit]) -> bytes:
    """A body that was parsed, with each place's text replaced. Raises OwnError (INTERNAL) rather than edit in part."""
    if not edits:
        return body
    misplaced = False
    try:
        edited = _in_order(body, edits)
        if edited is not None:
            return edited
        tree = orjson.loads(body)  # its keys were looked through before: a duplicate would be misplaced
        return apply(body, cuts(body, tree, [Change(e.place.path, e.place.kind, e.text) for e in edits]))
    except (Misplaced, orjson.JSONDecodeError):  # outside the handler: the decoder's error holds the whole body
        misplaced = True
    assert misplaced
    raise OwnError("INTERNAL", "Nothing was sent. Report this with the record's id: an edit missed its place.")


def _in_order(body: bytes, edits: Sequence[Edit]) -> bytes | None:
    """The short way: texts that stand in the order of the edits, spelled as orjson does, are found by their spelling.
    None where one is not. A text found in a wrong place shows when the result is read back: it is another tree."""
    tree = orjson.loads(body)
    pieces: list[bytes] = []
    at = 0
    try:
        for place, text in edits:
            old = _put(tree, place, text)
            if old is None or (start := body.find(old, at)) < 0:
                return None
            pieces += body[at:start], spell(text)
            at = start + len(old)
        edited = b"".join((*pieces, body[at:]))
        return edited if orjson.loads(edited) == tree else None
    except (LookupError, TypeError, ValueError):
        return None


def _put(tree: Any, place: Place, text: str) -> bytes | None:
    """How orjson spells the text that stood at a place of the tree; None where no plain text stands."""
    *way, last = place.path
    if place.kind is PlaceKind.KEY or INSIDE in place.path:
        return None
    for step in way:
        tree = tree[step]
    old = tree[last]
    tree[last] = text
    return orjson.dumps(old) if type(old) is str else None


def cuts(raw: bytes, tree: Any, changes: Iterable[Change]) -> list[Cut]:
    """What to cut in `raw`, the bytes `tree` was read from. Raises Misplaced."""
    here, inner = _split(changes)
    spans = locate(raw, tree, {change.path for change in here} | inner.keys())
    made = [_cut(raw, spans[change.path], change) for change in here]
    for path, deeper in inner.items():
        made += _cuts_inside(raw, spans[path], deeper)
    return made


def _split(changes: Iterable[Change]) -> tuple[list[Change], dict[Path, list[Change]]]:
    """Those of this JSON text, and those of the texts within its strings, by the string's path."""
    here: list[Change] = []
    inner: dict[Path, list[Change]] = {}
    for change in changes:
        if INSIDE not in change.path:
            here.append(change)
            continue
        at = change.path.index(INSIDE)
        inner.setdefault(change.path[:at], []).append(change._replace(path=change.path[at + 1 :]))
    return here, inner


def _cut(raw: bytes, span: Span, change: Change) -> Cut:
    """A text that is what it was keeps its spelling. A number's surrogate is a quoted string."""
    start, end = span[2:] if change.kind is PlaceKind.KEY else span[:2]
    number = change.kind is PlaceKind.NUMBER
    if start < 0 or raw[start] not in (_NUMBER_STARTS if number else b'"'):
        raise Misplaced("no text of this kind stands here")
    old = raw[start:end]
    same = old.decode() == change.text if number else load_reply(old) == change.text
    return Cut(start, end, old if same else spell(change.text))


def _cuts_inside(raw: bytes, span: Span, changes: list[Change]) -> list[Cut]:
    """Cuts in the JSON text that the string at `span` holds, moved to where they stand in the string's literal.

    The literal may spell a character in several ways, so the offsets of the decoded text are mapped over its escapes
    instead of writing the literal anew: what lies outside the inner spans keeps its bytes at every level.
    """
    if raw[span.start] not in b'"':
        raise Misplaced("no string stands here")
    text: str = orjson.loads(raw[span.start : span.end])
    tree = load_inside(text)
    if tree is NOT_JSON:
        raise Misplaced("no JSON stands in this string")
    inner = cuts(text.encode(), tree, changes)
    outer = _Offsets(raw[span.start + 1 : span.end - 1])
    return [
        Cut(span.start + 1 + outer.at(cut.start), span.start + 1 + outer.at(cut.end), spell(cut.new.decode())[1:-1])
        for cut in inner
    ]


class _Offsets:
    """Offsets in the UTF-8 text that a literal stands for -> offsets in the literal."""

    __slots__ = ("_after", "_shift")

    def __init__(self, spelled: bytes) -> None:
        self._after: list[int] = [0]
        self._shift: list[int] = [0]
        shift = 0
        for escape in _ESCAPE.finditer(spelled):
            start, end = escape.span()
            stands_for = _utf8_size(escape[0])
            self._after.append(start - shift + stands_for)
            shift += end - start - stands_for
            self._shift.append(shift)

    def at(self, offset: int) -> int:
        return offset + self._shift[bisect_right(self._after, offset) - 1]


def _utf8_size(escape: bytes) -> int:
    """Bytes of the character that an escape stands for: `\\n`, `\\u00e9`, or a pair of surrogates."""
    if len(escape) == 2:
        return 1
    if len(escape) == 12:
        return 4
    code = int(escape[2:], 16)
    return 1 if code < 0x80 else 2 if code < 0x800 else 3
