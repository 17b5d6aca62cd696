"""The vault: one exchange's map between surrogates and the caller's values.

It is the only mutable object of the room besides the restorer, it cannot be written down, and it is dropped with its
exchange: were it shared, typing another number would read someone else's data (reference/pii.md 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from sidecar.redaction.grammar import bracketed, longest_spelling


@dataclass(slots=True, kw_only=True)
class Entry:
    """A value and what stands for it: `token`, and its `name` in brackets; the name alone too, once minted bare."""

    entity: str
    value: str = field(repr=False)
    name: str
    token: str = field(repr=False)
    bare: bool = False

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a vault's entry is never written down")


class Vault:
    """Surrogates to values. Falsy while nothing has been minted; refuses to be pickled or copied.

    `trusted` and `links` are for the restorer's guard (sidecar/redaction/urls.py): the texts that may name a host, and
    the beginnings of the request's URLs up to a surrogate in them.
    """

    __slots__ = ("_labels", "_lifelike", "_names", "_starts", "_tokens", "links", "longest", "trusted")

    def __init__(self) -> None:
        self._names: dict[str, Entry] = {}
        self._tokens: dict[str, Entry] = {}
        self._labels: set[str] = set()
        self._lifelike: set[str] = set()
        self._starts: set[str] = set()
        self.trusted: tuple[str, ...] = ()
        self.links: set[str] = set()
        self.longest = 0

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    def __repr__(self) -> str:
        return f"Vault({len(self)} values)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a vault lives and dies with its exchange; it is never written down")

    def add(self, entry: Entry, label: str) -> None:
        """Keep a new surrogate, whose name begins with this label. Raises ValueError when another value has it."""
        key = entry.name.upper()
        if key in self._names or entry.token in self._tokens:
            raise ValueError(f"{entry.name} stands for another value")
        self._names[key] = self._tokens[entry.token] = entry
        self._labels.add(label)
        self.longest = max(self.longest, longest_spelling(entry.name))
        if entry.token != bracketed(entry.name):
            self.longest = max(self.longest, len(entry.token) + 1)
            self._lifelike.add(entry.token)
            self._starts.update(entry.token[:end] for end in range(1, len(entry.token) + 1))
            self._starts.add(f"{entry.token}.")  # an address goes on after a dot, a sentence ends with one

    def named(self, name: str) -> Entry | None:
        """The value of this name, in whatever case it is written."""
        return self._names.get(name.upper())

    def lifelike(self, token: str) -> Entry | None:
        """The value that this format-preserving surrogate stands for."""
        return self._tokens[token] if token in self._lifelike else None

    @property
    def labels(self) -> frozenset[str]:
        return frozenset(self._labels)

    @property
    def starts(self) -> frozenset[str]:
        """Every beginning of every format-preserving surrogate, itself included."""
        return frozenset(self._starts)

    def values(self) -> Mapping[str, int]:
        """How many different values of each entity there are."""
        counts: dict[str, int] = {}
        for entry in self._tokens.values():
            counts[entry.entity] = counts.get(entry.entity, 0) + 1
        return counts
