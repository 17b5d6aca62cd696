"""Passwords in columns: below a heading of CSV, semicolons, tabs or Markdown, in the rows of SQL's INSERT, in HTML.

The word stands once, at the head; so the rows are read from there, once for all headings above them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sidecar.inspection.literals import DOCUMENTED, PLACEHOLDER, is_common, is_hash, is_set_phrase, is_typed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tables import in_html, inserted
from sidecar.inspection.tokens import places

PASSWORD, USERNAME = "PASSWORD", "USERNAME"
WORDS = ("insert into", "identified", "</td>")
COLUMN = re.compile(
    r"(?:[\w.-]{0,32}[_ .-])?(?:user|db|smtp)?(?:password|passwort|kennwort|passwd|passphrase|pwd|pass|pw|mdp"
    r"|mot de passe|contraseña|contrasena|wachtwoord|hasło|haslo|lösenord|senha|clave|parola|salasana"
    r"|adgangskode)(?:[_ -]?hash)?",
    re.IGNORECASE,
)
HEADING = re.compile(r"(?!\s)[^\n=(){}\[\]:<>#*?!]{3,400}")
NAMES = re.compile(r"(?i)(?<![a-z])(?:user(?:[ _-]?name)?|login|e-?mail|account|benutzer\w{0,5}|usuario|utilisateur)"
    r"(?![a-z])")
CELL = re.compile(r"[\"']?[\w .-]{0,40}[\"']?")
MARKS = "\t;|,"
RULE = re.compile(r"[|:\- \t]+")
LONGEST_ROW, MOST_ROWS, MOST_CELLS = 400, 2000, 64
"""Code points, lines and cells: what is longer is no table that somebody pasted by hand."""
IDENTIFIED = re.compile(
    r"identified(?:\s{1,4}with\s{1,4}[\w'\"]{1,40})?\s{1,4}(?:by|as)\s{1,4}(?:password\s{1,4})?"
    r"(?:'(?P<single>[^'\n]{3,128})'|\"(?P<double>[^\"\n]{3,128})\"|(?P<bare>[^\s;'\"]{4,128}))",
    re.IGNORECASE,
)
"""CREATE USER and ALTER USER of MySQL, MariaDB and Oracle."""


def below(text: str, at: int, *, strict: bool) -> tuple[list[Span], int]:
    """What the heading says in whose line `at` lies, and where its rows end; no rows where it is no heading."""
    start = text.rfind("\n", max(0, at - LONGEST_ROW), at) + 1
    if start == 0 and at > LONGEST_ROW:
        return [], 0
    heading = HEADING.match(text, start)
    if heading is None or text[heading.end() : heading.end() + 1] != "\n":
        return [], 0
    mark, columns = _headed(heading.group().rstrip("\r"))
    is_named = strict or _has_names(heading.group())
    return _rows(text, heading.end() + 1, mark, columns, is_named) if columns else ([], 0)


def _headed(line: str) -> tuple[str, dict[int, int]]:
    """The mark that parts the cells, and the columns that hold passwords, with the number of cells."""
    mark = max(MARKS, key=line.count)
    cells = line.split(mark)
    if not 2 <= len(cells) <= MOST_CELLS or not all(map(CELL.fullmatch, cells)):
        return mark, {}
    if mark == "," and (not cells[-1] or any(cell.startswith(" ") for cell in cells)):
        return mark, {}
    named = [number for number, cell in enumerate(cells) if COLUMN.fullmatch(cell.strip(" \"'"))]
    return mark, dict.fromkeys(named, len(cells))


def _has_names(line: str) -> bool:
    """A column of names beside that of passwords: what stands there is one, whatever it looks like."""
    return NAMES.search(line) is not None


def _rows(text: str, at: int, mark: str, columns: dict[int, int], is_named: bool) -> tuple[list[Span], int]:
    found: list[Span] = []
    for after, row in rows(text, at, mark, next(iter(columns.values())), LONGEST_ROW):
        found += [_span(*row[number]) for number in columns if _is_password(text, *row[number], is_named)]
        at = after
    return found, at


def rows(text: str, at: int, mark: str, size: int, longest: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Where the next row begins, and this one's cells, while there are `size` of them; rules between rows are none."""
    for _ in range(MOST_ROWS):
        end = text.find("\n", at, at + longest)
        end = min(len(text), at + longest) if end < 0 else end
        row = cells(text, at, end, mark)
        if len(row) != size:
            return
        if not RULE.fullmatch(text, at, end):
            yield end + 1, row
        at = end + 1


def cells(text: str, at: int, end: int, mark: str) -> list[tuple[int, int]]:
    """Where each cell's content stands, without blanks and quotes; a mark inside quotes parts nothing."""
    found: list[tuple[int, int]] = []
    while at <= end and len(found) <= MOST_CELLS:
        closing = text.find('"', at + 1, end) if text[at : at + 1] == '"' else -1
        stop = text.find(mark, max(at, closing), end)
        stop = end if stop < 0 else stop
        found.append(_stripped(text, at, stop))
        at = stop + 1
    return found


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in " \"'`\t":
        start += 1
    while end > start and text[end - 1] in " \"'`\t\r":
        end -= 1
    return start, end


def _is_password(text: str, start: int, end: int, is_named: bool) -> bool:
    value = text[start:end]
    if is_hash(value):
        return True
    if " " in value:
        return is_named and is_set_phrase(value)
    good = is_typed(value) or is_common(value) or (is_named and len(value) >= 6)
    return good and not PLACEHOLDER.fullmatch(value) and value.lower() not in DOCUMENTED


def listed_values(text: str, low: str, words: Sequence[str]) -> Iterator[Span]:
    """What SQL says; `words` are those of WORDS that stand in `low`, the text lower-cased."""
    if "insert into" in words:
        for value in inserted(text):
            if value.is_quoted and COLUMN.fullmatch(value.column) and _is_value(text[value.start : value.end]):
                yield _span(value.start, value.end)
    if "</td>" in words:
        for value in in_html(text):
            if COLUMN.fullmatch(value.column) and _is_password(text, value.start, value.end, is_named=False):
                yield _span(value.start, value.end)
    if "identified" in words:
        for at in places(low, "identified"):
            match = IDENTIFIED.match(text, at)
            if match and not PLACEHOLDER.fullmatch(match[match.lastindex or 0]):
                yield _span(*match.span(match.lastindex or 0))


def _is_value(value: str) -> bool:
    return len(value) >= 4 and (is_hash(value) or not PLACEHOLDER.fullmatch(value))


def _span(start: int, end: int) -> Span:
    return Span(start, end, PASSWORD, 0.8, "rules/credential", Strength.PROVEN)
