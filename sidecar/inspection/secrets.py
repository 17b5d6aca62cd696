"""Secrets by their own form: gitleaks' rules (MIT; derived table), tried where their keyword stands.

Entropy and allow lists as in gitleaks 8: the secret is the rule's group, or the first group that matched, or all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import log2
from typing import Any, NamedTuple

from sidecar.inspection.shipped import shipped
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

ENTITIES = {"private-key": "PRIVATE_KEY", "jwt": "JWT", "jwt-base64": "JWT", "hashicorp-tf-password": "PASSWORD",
            "curl-auth-user": "PASSWORD"}  # fmt: skip
API_KEY = "API_KEY"
SECRET_TYPES = ("API_KEY", "PRIVATE_KEY", "JWT", "PASSWORD", "USERNAME")
TOKEN_TAIL = re.compile(r"[A-Za-z0-9_.~+/=-]*")
TRUNCATED_KEY = re.compile(
    r"-----BEGIN[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:\\r|\\n|\s){1,4}(?:[A-Za-z0-9+/]{20,}|(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]{0,80}|[A-Za-z0-9+/]{1,64}={1,2}))+"
    r"=?=?"
)
BEFORE_NAME = re.compile(r"[\w.-]{0,50}")


class Allow(NamedTuple):
    """What is no secret although it looks like one; `target` is secret, match or line."""

    target: str
    regexes: tuple[re.Pattern[str], ...]
    stopwords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecretRule:
    """Compiled when first needed: most of the 219 never are."""

    row: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        return str(self.row["id"])

    @property
    def keywords(self) -> list[str]:
        return list(self.row["keywords"])

    def find(self, text: str, at: int) -> Iterator[Span]:
        """Secrets whose keyword stands at `at`."""
        row = self.row
        if row["needs"] and not self._is_last_before(text, at):
            return
        pattern = _compiled(row["regex"])
        if row["near"]:
            matches = pattern.finditer(text, max(0, at - row["near"]), at + row["near"])
        else:
            limit = at + row["reach"]
            starts = range(max(0, at - row["back"]), at + 1)
            matches = filter(None, (pattern.match(text, start, limit) for start in starts))
        for match in matches:
            span = self._span(text, match)
            if span is not None:
                yield span
                return

    def _is_last_before(self, text: str, at: int) -> bool:
        """Whether what the rule needs comes before its keyword comes again: else the later one finds the same."""
        needs, word = self.row["needs"], self.row["keywords"][0]
        found = [place for need in needs if (place := text.find(need, at, at + self.row["reach"])) >= 0]
        again = text.find(word, at + 1, at + self.row["reach"])
        return bool(found) and (again < 0 or min(found) < again)

    def _span(self, text: str, match: re.Match[str]) -> Span | None:
        start, end = _unquoted(text, *_secret(match, self.row["group"]))
        if end == match.endpos < len(text):
            tail = TOKEN_TAIL.match(text, end)
            end = tail.end() if tail else end
        while end > start and text[end - 1] == "\\":  # of the quote behind it, in JSON within a text
            end -= 1
        secret = text[start:end]
        if not secret.strip() or entropy(secret) < self.row["entropy"] or self._is_allowed(text, match, secret):
            return None
        return Span(start, end, ENTITIES.get(self.name, API_KEY), 0.9, f"gitleaks/{self.name}", Strength.PROVEN)

    def _is_allowed(self, text: str, match: re.Match[str], secret: str) -> bool:
        whole = self._whole(text, match)
        return any(
            _allows(allow, {"secret": secret, "match": whole}.get(allow.target) or _line(text, match), secret)
            for allow in (*allows(self.name), *_global_allow())
        )

    def _whole(self, text: str, match: re.Match[str]) -> str:
        """The match as gitleaks sees it: with the name before the keyword, which our table leaves out."""
        if not self.row["assigned"]:
            return match.group()
        head = BEFORE_NAME.match(text[max(0, match.start() - 50) : match.start()][::-1])
        return (head.group()[::-1] if head else "") + match.group()


def _secret(match: re.Match[str], group: int) -> tuple[int, int]:
    if group:
        return match.span(group)
    for number in range(1, (match.re.groups or 0) + 1):
        if match.group(number):
            return match.span(number)
    return match.span()


def _unquoted(text: str, start: int, end: int) -> tuple[int, int]:
    """A few rules take the quotes along, which belong to the text around."""
    is_quoted = end - start > 2 and text[start] in "\"'" and text[end - 1] == text[start]
    return (start + 1, end - 1) if is_quoted else (start, end)


def _line(text: str, match: re.Match[str]) -> str:
    start, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
    return text[max(start, match.start() - 500) : min(end if end >= 0 else len(text), match.end() + 500)]


def _allows(allow: Allow, target: str, secret: str) -> bool:
    if any(regex.search(target) for regex in allow.regexes):
        return True
    low = secret.lower() if allow.stopwords else ""
    return any(map(low.__contains__, allow.stopwords))


def entropy(text: str) -> float:
    """Shannon, in bits per character."""
    size = len(text)
    return -sum(count / size * log2(count / size) for count in Counter(text).values()) if size else 0.0


@cache
def _compiled(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.ASCII)


def _allow(row: dict[str, Any]) -> Allow:
    regexes = tuple(re.compile(regex, re.ASCII) for regex in row["regexes"])
    return Allow(row["target"], regexes, tuple(word.lower() for word in row["stopwords"]))


@cache
def allows(name: str) -> tuple[Allow, ...]:
    return tuple(_allow(row) for rule in shipped("gitleaks")["rules"] if rule["id"] == name for row in rule["allow"])


@cache
def _global_allow() -> tuple[Allow, ...]:
    return (_allow(shipped("gitleaks")["allow"]),)


class Secrets:
    """Every rule, by keyword. `keywords` is what the one-pass scan must look for."""

    __slots__ = ("_rules", "keywords")

    def __init__(self) -> None:
        rules = [SecretRule(row) for row in shipped("gitleaks")["rules"]]
        table: dict[str, list[SecretRule]] = {}
        for rule in rules:
            for keyword in rule.keywords:
                table.setdefault(keyword, []).append(rule)
        self._rules = table
        self.keywords: Sequence[str] = tuple(table)

    def find(self, text: str, low: str, keywords: Iterable[str]) -> Iterator[Span]:
        """`low` is the text lower-cased, `keywords` those that stand in it."""
        for keyword in keywords:
            rules = self._rules.get(keyword, ())
            found = places(low, keyword) if rules else []
            for rule in rules:
                after = 0
                for at in found:
                    if at >= after:
                        for span in rule.find(text, at):
                            after = span.end
                            yield span
        if "-----begin" in low:
            yield from _truncated_keys(text)


def _truncated_keys(text: str) -> Iterator[Span]:
    """A private key whose end is cut off is still most of a private key."""
    for match in TRUNCATED_KEY.finditer(text):
        yield Span(*match.span(), "PRIVATE_KEY", 0.9, "rules/private-key", Strength.PROVEN)
