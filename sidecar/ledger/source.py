"""How verification sees a store: rows whose values may have any type, for a flipped byte turns a blob into a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol


class SourceDamaged(Exception):
    """The carrier itself cannot be read any further."""


class StoredEntry(NamedTuple):
    """A leaf with everything that lies beside it. `exchange` is in the order of index.COLUMNS."""

    number: Any
    body: Any
    leaf: Any
    box: Any
    wrapped: Any
    exchange: Sequence[Any] | None


class Seen(NamedTuple):
    """An intent or outcome that is right in itself and beside its exchange (verify_range.py): what the whole is judged
    by. `leaf` is the hash of its bytes, `bundle` the digest of the policy bundle that it names.
    """

    number: int
    leaf: bytes
    typ: str
    id: str
    t: int
    bundle: str | None


class StoredHead(NamedTuple):
    origin: Any
    size: Any
    root: Any
    frontier: Any
    t: Any
    open_from: Any
    checkpoint: Any
    one: Any


class StoreSource(Protocol):
    """What verification asks of a store. All but `problems` may raise SourceDamaged."""

    def problems(self) -> Iterable[tuple[str, str]]:
        """(reason, detail) of what the carrier's own checks found: integrity of its pages, the schema."""
        ...

    def heads(self) -> Sequence[StoredHead]: ...

    def entries(self, size: int | None) -> Iterator[StoredEntry | Seen]:
        """All in order; `size` is the signed number of them, None where nothing is signed."""
        ...

    def tiles(self) -> Iterable[tuple[Any, Any, Any]]: ...

    def strays(self) -> Iterable[tuple[str, Any]]:
        """(table, number) of boxes, data keys and index rows that belong to no entry."""
        ...

    def remains(self, exchanges: Iterable[str]) -> Iterable[tuple[int, str]]:
        """(number, id) of those exchanges that still have a box or a data key."""
        ...
