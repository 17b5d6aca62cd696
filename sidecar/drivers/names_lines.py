"""Line ends within a sentence: mails and plain text are wrapped at some width, in the middle of a name, too.

To the names model a line end is an end, as it is in a list or a table: "Anna\nMüller" are two, and one alone is easily
missed. So where prose was wrapped the line end, and what quotes or comments out the next line, is no word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sidecar.drivers.names.pieces import Word

PREFIX = re.compile(r"[ \t]*(?:>[> ]*|#+ |// )?[ \t]*")
SHORTEST, LONGEST = 50, 160
"""Code points of a line that was wrapped."""
LEAST_WORDS = 7
COLUMNS = re.compile(r"[;|\t]")
GOES_ON = ",-&"
"""Marks that a sentence goes on behind."""


def unwrapped(text: str, words: Sequence[Word]) -> list[Word]:
    """The words without the line ends at which prose was wrapped, and what the next lines begin with."""
    joints = list(_joints(text)) if "\n" in text else []
    kept: list[Word] = []
    at = 0
    for word in words:
        while at < len(joints) and joints[at][1] <= word.start:
            at += 1
        if at == len(joints) or word.start < joints[at][0]:
            kept.append(word)
    return kept


def _joints(text: str) -> Iterator[tuple[int, int]]:
    """From the end of each wrapped line to where the text of the next begins."""
    lines = text.split("\n")
    widest = max(map(len, lines)) if len(lines) < 3 else 0
    at = 0
    for number, line in enumerate(lines[:-1]):
        at += len(line) + 1
        if SHORTEST <= len(line) <= LONGEST:
            width = widest or max(map(len, lines[max(0, number - 1) : number + 3]))
            if begin := _goes_on(line.rstrip("\r"), lines[number + 1], min(width, LONGEST)):
                yield at - 1, at - 1 + begin


def _goes_on(line: str, behind: str, width: int) -> int:
    """How far behind the line end the next line goes on with the sentence, 0 where it does not.

    It begins with what the first began with, then with a letter; its first word would not have fitted; and what it goes
    on with is prose: most words of a table or a list have capitals.
    """
    prefix = PREFIX.match(line)
    assert prefix is not None
    start = prefix.end()
    if not (behind.startswith(prefix.group()) and behind[start : start + 1].isalpha()):
        return 0
    first = behind[start:].split(None, 1)[0]
    if not (line[-1].isalnum() or line[-1] in GOES_ON) or len(line) + 1 + len(first) <= width:
        return 0
    words = line[start:].split()
    small = sum(word[0].islower() for word in words)
    is_prose = len(words) >= LEAST_WORDS and 2 * small >= len(words) and len(COLUMNS.findall(line)) < 2
    return 1 + start if is_prose else 0
