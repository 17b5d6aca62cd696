"""Names in the names of documents: `CV_Anna_Kowalska.pdf` says "CV Anna Kowalska" to people, and so to the names model.

Each is read once more on its own, as a line without its ending: what stands around it tells a model that it is a file.
Only for files that people name for people: `anna_client.py` is an identifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sidecar.drivers.names.pieces import Word, words_of

ENDING = re.compile(
    r"\.(?:pdf|docx?|odt|rtf|txt|xlsx?|ods|csv|pptx?|odp|eml|jpe?g|png|heic|tiff?|mp[34]|m4a|wav)(?![\w(\[=]|\.\w)",
    re.IGNORECASE,
)
"""Not `.msg` and `.zip`, which are attributes and methods in programs."""
LONGEST = 128
"""Code points of a file's name that are looked at."""


def document_words(text: str) -> list[Word]:
    """The words in the names of documents, at their places in the text, without underscores; a line for each name."""
    words: list[Word] = []
    for start, end in _names(text):
        found = [word for word in words_of(text[start:end]) if word.text != "_"]
        words += [Word(start + word.start, start + word.end, word.text) for word in found]
        words.append(Word(end, end, "\n"))
    return words


def _names(text: str) -> Iterator[tuple[int, int]]:
    """Names of at least two words, without their endings."""
    behind = 0
    for match in ENDING.finditer(text):
        start = match.start()
        least = max(behind, start - LONGEST)
        behind = match.end()
        while start > least and (text[start - 1].isalnum() or text[start - 1] in "_-."):
            start -= 1
        if any(mark in "_-" for mark in text[start : match.start()]):
            yield start, match.start()
