"""Where a value or a key of a parsed tree stands in the bytes it was parsed from.

A walk through the tree in document order: what orjson would write for a string or a compact subtree is compared with
the bytes at C speed; only what is spelled otherwise is read token by token. The walk follows
the wanted paths and stops when it has found them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from sidecar.dialects.jsontext import load_reply, spell

Path = tuple[str | int, ...]

_SCALAR = re.compile(rb"[^\s,:\]}]+")
_BLANK = frozenset(b" \t\n\r")
_BACKSLASH = b"\\"[0]


class Misplaced(ValueError):
    """The bytes are not what the tree was read from, or a path is not in it."""


class Span(NamedTuple):
    """Offsets of a value, and of its key where it has one (-1 otherwise)."""

    start: int
    end: int
    key_start: int = -1
    key_end: int = -1


class Cut(NamedTuple):
    """Bytes to put in place of `raw[start:end]`."""

    start: int
    end: int
    new: bytes

    def __repr__(self) -> str:
        return f"Cut({self.start}, {self.end})"


def locate(raw: bytes, tree: Any, paths: Iterable[Path]) -> dict[Path, Span]:
    """The span of each path. Raises Misplaced."""
    wanted = set(paths)
    if not wanted:
        return {}
    walk = _Walk(raw, wanted)
    try:
        walk.value(tree, _trie(wanted), (), -1, -1)
    except IndexError as error:
        raise Misplaced("the bytes end before the tree does") from error
    if walk.left:
        raise Misplaced("no such path")
    return walk.spans


def apply(raw: bytes, cuts: Iterable[Cut]) -> bytes:
    """`raw` with all cuts made. Raises Misplaced when two overlap: text must never be spliced into text."""
    pieces: list[bytes] = []
    at = 0
    for cut in sorted(cuts):
        if cut.start < at:
            raise Misplaced("overlapping edits")
        pieces += raw[at : cut.start], cut.new
        at = cut.end
    pieces.append(raw[at:])
    return b"".join(pieces)


def drop(items: Sequence[tuple[int, int]], gone: frozenset[int]) -> list[Cut]:
    """Cuts that take items out of a list or members out of an object, each with the comma that joined it."""
    kept = [index for index in range(len(items)) if index not in gone]
    if not kept:
        return [Cut(items[0][0], items[-1][1], b"")] if items else []
    last = kept[-1]
    cuts = [Cut(items[index][0], items[index + 1][0], b"") for index in sorted(gone) if index < last]
    if last < len(items) - 1:
        cuts.append(Cut(items[last][1], items[-1][1], b""))
    return cuts


def _trie(paths: Iterable[Path]) -> dict[Any, Any]:
    root: dict[Any, Any] = {}
    for path in paths:
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def _says(token: bytes, text: str) -> bool:
    try:
        return bool(load_reply(token) == text)
    except ValueError:
        return False


class _Walk:
    """One pass over the bytes. `compact` falls once a container is found to be spelled with blanks."""

    __slots__ = ("compact", "left", "pos", "raw", "spans", "wanted")

    def __init__(self, raw: bytes, wanted: set[Path]) -> None:
        self.raw = raw
        self.pos = 0
        self.wanted = wanted
        self.left = len(wanted)
        self.spans: dict[Path, Span] = {}
        self.compact = True

    def value(self, value: Any, node: dict[Any, Any], path: Path, key_start: int, key_end: int) -> None:
        start = self._blank()
        self._read(value, node, path)
        if path in self.wanted and path not in self.spans:
            self.spans[path] = Span(start, self.pos, key_start, key_end)
            self.left -= 1

    def _read(self, value: Any, node: dict[Any, Any] | None, path: Path) -> None:
        kind = type(value)
        if kind is str:
            self._string(value)
        elif kind is dict:
            self._object(value, node, path)
        elif kind is list:
            self._array(value, node, path)
        else:
            self._scalar()

    def _skip(self, value: Any) -> None:
        self._blank()
        if type(value) in (dict, list) and self.compact:
            if self._verbatim(value):
                return
            self.compact = False
        self._read(value, None, ())

    def _object(self, value: dict[str, Any], node: dict[Any, Any] | None, path: Path) -> None:
        self._take(b"{"[0])
        more = False
        for key, item in value.items():
            if more:
                self._take(b","[0])
            more = True
            start = self._blank()
            self._string(key)
            end = self.pos
            self._take(b":"[0])
            if node is None or key not in node:
                self._skip(item)
                continue
            self.value(item, node[key], (*path, key), start, end)
            if not self.left:
                return
        self._take(b"}"[0])

    def _array(self, value: list[Any], node: dict[Any, Any] | None, path: Path) -> None:
        self._take(b"["[0])
        for index, item in enumerate(value):
            if index:
                self._take(b","[0])
            if node is None or index not in node:
                self._skip(item)
                continue
            self.value(item, node[index], (*path, index), -1, -1)
            if not self.left:
                return
        self._take(b"]"[0])

    def _verbatim(self, value: Any) -> bool:
        """Past a container in one comparison; it ends with its bracket, so a match is never a prefix of more."""
        try:
            spelled = orjson.dumps(value)
        except TypeError:  # a reply's lone surrogate
            return False
        found = self.raw.startswith(spelled, self.pos)
        self.pos += len(spelled) * found
        return found

    def _string(self, text: str) -> None:
        spelled = spell(text)
        if self.raw.startswith(spelled, self.pos):
            self.pos += len(spelled)
            return
        end = self._string_end()
        if not _says(self.raw[self.pos : end], text):
            raise Misplaced("another string stands here")
        self.pos = end

    def _string_end(self) -> int:
        """After the next quote that no backslash escapes; escapes in between cost nothing, unlike in a pattern."""
        raw, end = self.raw, self.pos
        while True:
            end = back = raw.find(b'"', end + 1)
            while raw[back - 1] == _BACKSLASH:
                back -= 1
            if end < 0 or (end - back) % 2 == 0:
                return end + 1

    def _scalar(self) -> None:
        token = _SCALAR.match(self.raw, self.pos)
        if token is None or token[0][0] in b'"{[':
            raise Misplaced("no scalar stands here")
        self.pos = token.end()

    def _take(self, byte: int) -> None:
        if self.raw[self._blank()] != byte:
            raise Misplaced("the tree's shape is not that of the bytes")
        self.pos += 1

    def _blank(self) -> int:
        raw, pos = self.raw, self.pos
        while raw[pos] in _BLANK:
            pos += 1
        self.pos = pos
        return pos
