"""A tree -> its parts. Whatever is not known to be harmless is text, so an unknown field can hide nothing.

Labels are made of the dialect's own field names and indexes. Below a field whose keys the caller chooses the label
stays that field's, and the path alone says where exactly a text stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from sidecar.dialects.jsontext import MAX_DEPTH, MAX_NODES, MAX_PARTS, NOT_JSON, load_inside, too_deep, too_many
from sidecar.dialects.spans import Path, locate
from sidecar.errors import CallerError
from sidecar.model import INSIDE, Part, Place, PlaceKind, Role, Uninspectable

MAX_INSIDE = 4
"""JSON within a string of JSON within a string...: each level doubles the backslashes, honest calls stop at two."""

LONG_NUMBER = 10**7
"""Numbers from eight digits on are places: phones, cards and account numbers travel unquoted, too."""

SHORT_NUMBER = 100
LONGEST_KEY = 64
TELLING = frozenset(
    {
        "account", "birth", "born", "cap", "cp", "csc", "cvc", "cvv", "dob", "fax", "konto", "lat", "latitude", "lng",
        "lon", "long", "longitude", "mobile", "phone", "pin", "plz", "postal", "postcode", "ssn", "tel", "telephone",
        "zip", "zipcode",
    }
)  # fmt: skip
"""Words of keys under which a short number is a place, too."""

DECLARED = "class"
"""The key that a tool's name is read beside. A tool called PERSON_1 is one that no model knows how to use, and alone
`pl-echo`, `duckduckgo_search` or `GradeDocuments` is one to the names model: of 420 tools' names it took 43 for a
person, place or company, and 21 beside this key; of 36 more with a person in them it found 25, and 28 beside it."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_JSON_START = re.compile(r"[ \t\r\n]*[\[{]")


class At(NamedTuple):
    """Where the walk stands; `named` is the nearest key above that the caller chose."""

    path: Path
    label: str
    role: Role
    named: str = ""

    def key(self, name: str) -> At:
        """A member with a name of the dialect's own."""
        return At((*self.path, name), f"{self.label}.{name}" if self.label else name, self.role)

    def item(self, index: int) -> At:
        return At((*self.path, index), f"{self.label}[{index}]", self.role, self.named)

    def into(self, step: str | int) -> At:
        """A step that the caller named: it stays out of the label."""
        return At((*self.path, step), self.label, self.role, self.named)

    def under(self, key: str) -> At:
        """A member whose key the caller chose."""
        return At((*self.path, key), self.label, self.role, key)

    def of(self, role: Role) -> At:
        return At(self.path, self.label, role, self.named)


class Collector:
    """Gathers what one body holds; the order of calls is the order of parts."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.uninspectable: list[Uninspectable] = []
        self.params: dict[str, int | float | bool | str] = {}
        self.unknown: list[str] = []
        self._nodes = 0
        self._inside = 0
        self._imprecise: list[tuple[int, Path]] = []

    def add(self, at: At, text: str, kind: PlaceKind = PlaceKind.TEXT) -> None:
        if not text:
            return
        if len(self.parts) >= MAX_PARTS:
            raise too_many()
        key = text if kind is PlaceKind.KEY else at.named
        place = Place(path=at.path, kind=kind, label=at.label)
        self.parts.append(Part(place=place, role=at.role, text=text, key=key))

    def opaque(self, at: At, kind: str) -> None:
        if len(self.uninspectable) >= MAX_PARTS:
            raise too_many()
        self.uninspectable.append(Uninspectable(at.label, kind))

    def prose(self, at: At, value: Any) -> None:
        """Text for people. It is read as JSON only where escapes would hide characters from a detector."""
        if type(value) is str:
            if not (_escaped(value) and self._json(at, value)):
                self.add(at, value)
        else:
            self.anything(at, value)

    def data(self, at: At, value: Any) -> None:
        """Text for programs, such as a tool's result: walked inside when it is a JSON object or array."""
        if type(value) is not str:
            self.anything(at, value)
        elif not self._json(at, value):
            self.add(at, value)

    def arguments(self, at: At, value: Any) -> None:
        """Text declared to be JSON of any type; plain text when it is not."""
        if type(value) is not str:
            self.anything(at, value)
        elif not self._walk_inside(at, value):
            self.add(at, value)

    def identifier(self, at: At, value: Any) -> None:
        if type(value) is str:
            self.add(at, value, PlaceKind.IDENTIFIER)
        else:
            self.anything(at, value)

    def declared(self, at: At, value: Any) -> None:
        """The name of a tool or of an output's form, where it is declared and wherever it is named again."""
        self.identifier(at._replace(named=DECLARED), value)

    def anything(self, at: At, value: Any) -> None:
        """Every string, key and long number below, in document order. Raises CallerError (BODY_TOO_DEEP)."""
        if len(at.path) > MAX_DEPTH:
            raise too_deep()
        handler = _WALKS.get(type(value))
        if handler is not None:
            handler(self, at, value)

    def member(self, at: At, key: str, value: Any) -> None:
        """A member whose key the caller chose."""
        below = at.under(key)
        self.key(below, key)
        self.anything(below, value)

    def key(self, at: At, name: str) -> None:
        """A key the caller chose, as a text of its own."""
        self.add(at, name, PlaceKind.KEY)

    def fields(self, at: At, value: dict[str, Any], handlers: Mapping[str, Handler]) -> None:
        """The members of an object the dialect knows, in document order; the others are the caller's.

        Raises CallerError (BODY_TOO_DEEP).
        """
        if len(at.path) > MAX_DEPTH:
            raise too_deep()
        self.count(len(value))
        for key, item in value.items():
            handler = handlers.get(key)
            if handler is None:
                self.member(at, key, item)
            elif item is not None:
                handler(self, at.key(key), item)

    def count(self, nodes: int) -> None:
        """Bounds the time one body may take. Raises CallerError (BODY_TOO_LARGE)."""
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise too_many()

    def settle(self, raw: bytes, tree: Any, base: int = 0) -> None:
        """Gives numbers that a float cannot hold exactly the digits that the bytes have."""
        if not self._imprecise:
            return
        late, self._imprecise = self._imprecise, []
        spans = locate(raw, tree, [path[base:] for _, path in late])
        for index, path in late:
            span, part = spans[path[base:]], self.parts[index]
            self.parts[index] = replace(part, text=raw[span.start : span.end].decode())

    def _object(self, at: At, value: dict[str, Any]) -> None:
        self.count(len(value))
        for key, item in value.items():
            self.member(at, key, item)

    def _array(self, at: At, value: list[Any]) -> None:
        self.count(len(value))
        for index, item in enumerate(value):
            self.anything(at.into(index), item)

    def _integer(self, at: At, value: int) -> None:
        if abs(value) >= LONG_NUMBER or (abs(value) >= SHORT_NUMBER and _speaks(at.named)):
            self.add(at, str(value), PlaceKind.NUMBER)

    def _float(self, at: At, value: float) -> None:
        if abs(value) >= LONG_NUMBER or (at.named and _speaks(at.named)):
            self._imprecise.append((len(self.parts), at.path))
            self.add(at, repr(value), PlaceKind.NUMBER)

    def _json(self, at: At, text: str) -> bool:
        return _JSON_START.match(text) is not None and self._walk_inside(at, text)

    def _walk_inside(self, at: At, text: str) -> bool:
        """Walks a JSON text in a string; False, with nothing gathered, when it is to be read as plain text."""
        marks = len(self.parts), self._imprecise
        self._imprecise, self._inside = [], self._inside + 1
        try:
            return self._try_inside(at.into(INSIDE), text)
        except CallerError as fault:
            # plain text shows a detector everything, unless escapes hide characters: then the call is refused
            if fault.code != "BODY_TOO_DEEP" or _escaped(text):
                raise
            del self.parts[marks[0] :]
            return False
        finally:
            self._imprecise, self._inside = marks[1], self._inside - 1

    def _try_inside(self, at: At, text: str) -> bool:
        tree = load_inside(text)
        if tree is NOT_JSON:
            return False
        if self._inside > MAX_INSIDE:
            raise CallerError("BODY_TOO_DEEP", f"Nest JSON within JSON strings no deeper than {MAX_INSIDE} levels.")
        self.anything(at, tree)
        if self._imprecise:
            self.settle(text.encode(), tree, len(at.path))
        return True


Handler = Callable[[Collector, At, Any], None]


def known(handlers: Mapping[str, Handler]) -> Handler:
    """An object some of whose members are known; whatever else is there, or stands in its place, is text."""

    def handle(collector: Collector, at: At, value: Any) -> None:
        if type(value) is dict:
            collector.fields(at, value, handlers)
        else:
            collector.anything(at, value)

    return handle


_WALKS: Mapping[type, Handler] = {
    str: Collector.data,
    dict: Collector._object,
    list: Collector._array,
    int: Collector._integer,
    float: Collector._float,
}


def _speaks(key: str) -> bool:
    """Whether a key (`zipCode`, `card_cvv`) says that a number below it is somebody's."""
    return key != "" and not TELLING.isdisjoint(word.lower() for word in _WORD.findall(key[:LONGEST_KEY]))


def _escaped(text: str) -> bool:
    """Whether characters may be hidden; looking for one character first is fifty times faster in long texts."""
    return "\\" in text and "\\u" in text
