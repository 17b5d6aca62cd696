"""Minting: the surrogate of a value, the same for the same value and never for another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from sidecar.model import Part
from sidecar.redaction.grammar import bracketed, label
from sidecar.redaction.styles import Style, core, cores, is_spelled
from sidecar.redaction.vault import Entry, Vault


class Mint:
    """Fills one vault. Numbers follow first appearance, so a conversation that grows keeps its numbers."""

    def __init__(self, style: Style, parts: Sequence[Part]) -> None:
        self.vault = Vault()
        self._style = style
        self._parts = parts
        self._known: dict[tuple[str, str], Entry] = {}
        self._numbers: dict[str, int] = {}
        self._series: dict[tuple[str, str], Iterator[str]] = {}
        self._typed: list[str] | None = None

    def entry(self, entity: str, value: str, meant: str | None = None) -> Entry:
        """The value's entry, minted on first sight. Identity is the label and the exact string; what it is
        `meant` to say, if that is anything else, is told by where it first stands.
        """
        stem = label(entity)
        entry = self._known.get((stem, value))
        if entry is None:
            name = self._name(stem, value)
            token = (self._lifelike(stem, value) if self._style.shapes else None) or bracketed(name)
            entry = Entry(entity=entity, value=value, meant=value if meant is None else meant, name=name, token=token)
            self.vault.add(entry, stem)
            self._known[stem, value] = entry
        return entry

    def _name(self, stem: str, value: str) -> str:
        if self._style.key is not None:
            names = (f"{stem}_{suffix}" for suffix in self._style.suffixes(stem, value))
            return next(name for name in names if self.vault.named(name) is None)
        self._numbers[stem] = number = self._numbers.get(stem, 0) + 1
        return f"{stem}_{number}"

    def _lifelike(self, stem: str, value: str) -> str | None:
        """The next of its series that the request does not hold itself; None when there is no series, or no more."""
        shape = self._style.shapes.get(stem)
        if shape is None:
            return None
        series = shape(value)
        first = next(series, "")
        series = self._series.setdefault((stem, first), shape(value))
        return next(filter(self._is_free, series), None)

    def _is_free(self, token: str) -> bool:
        """Whether the request does not hold it, in whatever spelling a restorer would take for it. All texts are read
        once, not once for each value; only a shape that `cores` does not know is looked for in them as it is.
        """
        if self._typed is None:
            self._typed = sorted({each for part in self._parts for each in cores(part.text)})
        stem = core(token)[0]
        near = bisect_left(self._typed, stem)
        if near < len(self._typed) and self._typed[near].startswith(stem):
            return False
        return is_spelled(token) or not any(token in part.text for part in self._parts)
