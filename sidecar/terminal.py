"""Colours, where the output is a terminal that shows them and its user wants them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TextIO

SURROGATE = re.compile(r"<[A-Z][A-Z_]*_\d+>")


def shows_colour(stream: TextIO) -> bool:
    """Not where NO_COLOR is set (https://no-color.org), nor on a terminal that calls itself dumb."""
    said = os.environ  # noqa: TID251  how to write on a terminal is a setting of it, not of the sidecar
    return stream.isatty() and not said.get("NO_COLOR") and said.get("TERM") != "dumb"


class Paint:
    """Marks up text for one stream; plain text where that is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._on = shows_colour(stream)

    def title(self, text: str) -> str:
        return self._code("1", text)

    def good(self, text: str) -> str:
        return self._code("32", text)

    def bad(self, text: str) -> str:
        return self._code("31", text)

    def values(self, text: str, values: Iterable[str]) -> str:
        """Personal values stand out in yellow."""
        for value in values:
            text = text.replace(value, self._code("33", value))
        return text

    def surrogates(self, text: str) -> str:
        """Surrogates stand out in cyan."""
        return SURROGATE.sub(lambda match: self._code("36", match[0]), text)

    def _code(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._on else text
