"""The vault: one exchange's map between surrogates and the caller's values.

It is the only mutable object of the room besides the restorer, it cannot be written down, and it is dropped with its
exchange: were it shared, typing another number would read someone else's data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from sidecar.redaction import styles
from sidecar.redaction.grammar import bracketed, longest_spelling


@dataclass(slots=True, kw_only=True)
class Entry:
    """A value and what stands for it: `token`, and its `name` in brackets; the name alone too, once minted bare.

    `value` is as it was typed, `meant` what that says where it was typed as JSON in the midst of prose.
    """

    entity: str
    value: str = field(repr=False)
    meant: str = field(repr=False)
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

    __slots__ = ("_grouped", "_labels", "_names", "_spelled", "_starts", "_tokens", "links", "longest", "trusted")

    def __init__(self) -> None:
        self._names: dict[str, Entry] = {}
        self._tokens: dict[str, Entry] = {}
        self._labels: set[str] = set()
        self._spelled: dict[str, Entry | None] = {}
        self._starts: set[str] = set()
        self._grouped: dict[str, bool] = {}
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
            self.longest = max(self.longest, 2 * len(entry.token) + 2)  # a gap after every sign
            self._learn(entry)

    def _learn(self, entry: Entry) -> None:
        """Remember how the surrogate may be written, and how each such spelling begins."""
        core, is_grouped = styles.core(entry.token)
        self._spelled[core] = None if core in self._spelled else entry
        if not is_grouped:
            self._starts.update(core[:end] for end in range(1, len(core) + 1))
            self._starts.add(f"{core}.")  # an address goes on after a dot, a sentence ends with one
        for form in styles.forms(core) if is_grouped else ():
            self._grouped.update((form[:end], True) for end in range(len(form)))
            self._grouped.setdefault(form, False)

    def named(self, name: str) -> Entry | None:
        """The value of this name, in whatever case it is written."""
        return self._names.get(name.upper())

    def spelled(self, core: str) -> Entry | None:
        """The value whose format-preserving surrogate has this core (styles.py), unless two have."""
        return self._spelled.get(core)

    def begins(self, tail: str) -> bool:
        """Whether a text that ends here may go on to be a format-preserving surrogate, or a longer value than one."""
        if tail.lower() in self._starts:
            return True
        if tail[0].isalpha() and tail[:2].upper() not in self._grouped:
            return False  # most words: an account begins with its country, without a gap
        signs = styles.signs_of(tail) if self._grouped else None
        goes_on = None if signs is None else self._grouped.get(signs)
        return goes_on is not None and (goes_on or tail[-1].isalnum())

    @property
    def labels(self) -> frozenset[str]:
        return frozenset(self._labels)

    @property
    def firsts(self) -> str:
        """The characters that a format-preserving surrogate may begin with. Empty if there is none."""
        if not (self._starts or self._grouped):
            return ""
        letters = {each[0] for each in (*self._starts, *self._grouped) if each}
        return "".join(sorted({*map(str.lower, letters), *map(str.upper, letters), *("+(" if self._grouped else "")}))

    def values(self) -> Mapping[str, int]:
        """How many different values of each entity there are."""
        counts: dict[str, int] = {}
        for entry in self._tokens.values():
            counts[entry.entity] = counts.get(entry.entity, 0) + 1
        return counts
