"""Passwords in sentences and chats: what somebody says of them behind the word."""

from __future__ import annotations

import re

from sidecar.inspection.listings import PASSWORD
from sidecar.inspection.literals import (
    CODE,
    DOCUMENTED,
    LEET,
    PLACEHOLDER,
    TRAILING,
    is_mixed,
    is_set_phrase,
    is_strong,
    is_typed,
)
from sidecar.inspection.spans import Span, Strength

SAID = re.compile(
    r"(?:[ ,](?:[^\n.:;=<>{}()\"]|\.(?=\w)){1,48}?)?"
    r"(?:[ ](?:is|was|it['’]?s|ist|lautet|war|es|(?:c['’])?est|era|è|é|jest|to|är|er):?[ ]|[ ]?:[ ]{1,4})"
    r"(?:«[ \u00a0\u202f]?|[\"'“„`])?(?P<value>[^\s\"'“”«»`<>(){}\[\],;]{6,64})"
    r"(?P<other>[ ](?:or|oder|ou|of|o|albo)[ ][^\s,;]{6,64})?",
    re.IGNORECASE,
)
"""`the password for the wifi is ...`, `mot de passe provisoire : ...`, `my password, I think it was ... or ...`."""
SAID_QUOTED = re.compile(
    r"(?:[ ,](?:[^\n.:;=<>{}()\"]|\.(?=\w)){1,48}?)?"
    r"(?:[ ](?:is|was|it['’]?s|ist|lautet|war|es|(?:c['’])?est|era|è|é|jest|to|är|er):?[ ]|[ ]?:[ ]{1,4})"
    r"(?:«[ \u00a0\u202f]?|[\"'“„`])(?P<value>[^\s\"“”«»`<>{}][^\n\"“”«»`<>{}]{4,64}?)[ \u00a0\u202f]?[\"'’”»`“](?![\w"
    r"\"])",
    re.IGNORECASE,
)
"""Whatever stands in quotes behind "the password for the wifi is"."""
BRACKETED = re.compile(
    r"s?[ ]\((?P<link>[^\n()]{0,30}?(?:is|it['’]?s|ist|es|c['’]est|war|was|:)[ ]{1,2})?[\"'“„`]?(?P<value>[^\s\"'“”`"
    r"()][^\n\"'“”`()]{5,63})[\"'”“`]?\)",
    re.IGNORECASE,
)
"""`my password (it's ...)`"""
BELOW = re.compile(r"[ \t]{0,3}:[ \t]{0,3}\r?\n[ \t]{0,3}[\"'`]?(?P<value>[^\s\"'`][^\n\"'`:]{4,64})[\"'`]?[ \t]{0,3"
    r"}(?:\r?\n|\Z)")
"""On a line of its own."""
GROUPED = re.compile(r"[^\n:]{0,40}(?:[:=]|[ ]is)[ ]?[\"'`]?(?P<value>[a-z]{4}(?:[ ][a-z]{4}){3})(?![\w-])")
"""A password for one application, as Google shows it."""
FROM_TO = re.compile(
    r"[^\n.;=<>{}()\"]{0,48}?[ ](?:from|von|de|van)[ ][\"'“„`]?(?P<value>[^\s\"'“”`<>(){}]{6,64}[\"'”“`]?[ ]"
    r"(?:to|auf|zu|à|a|naar)[ ][\"'“„`]?[^\s\"'“”`<>(){},;]{6,64})",
    re.IGNORECASE,
)
"""`changed the password from ... to ...`"""
APPOSED = re.compile(
    r"[ ](?:for|of|to|at|on|in|für|vom|von|zum|zur|im|am|pour|de|du|para|del|per|voor|van|do|na)[ ]|,", re.IGNORECASE
)
"""What a word is parted by from what it is the password of: `password algorithm is argon2` is none."""
ANSWER = re.compile(
    r"[^\n]{0,100}(?:\n(?:\[[\d/.,: APMapm-]{4,24}\]|\d[\d/.,: APMapm-]{3,22})[ -]{1,3}|\?[ \t]{0,3}\r?\n)"
    r"[^\n:]{1,40}: (?:(?:(?:c['’]est|it['’]?s|it is|es ist|das ist|ist|het is|es|è)[ ])(?P<said>\S{6,64})(?=\s|\Z)"
    r"|(?P<value>\S{6,64})[ \t]{0,3}(?:\r?\n|\Z))"
)
"""The line ends with a question, or the next one begins with a time."""
ENDS_SO = re.compile(r"\d\Z|\d.*\d")
DETECTOR = "rules/credential"


def said(text: str, end: int) -> Span | None:
    """What a sentence says behind the word that ends at `end`."""
    for find in (_quoted, _bracketed, _grouped, _named, _changed, _below, _answered):
        span = find(text, end)
        if span is not None:
            return span
    return None


def _quoted(text: str, end: int) -> Span | None:
    match = SAID_QUOTED.match(text, end)
    if match is None or not _is_quoted_password(match["value"]):
        return None
    return _span(*match.span("value"))


def _is_quoted_password(value: str) -> bool:
    if " " in value:
        return is_set_phrase(value)
    is_word = len(value) >= 6 and value.lower() not in DOCUMENTED and not CODE.fullmatch(value)
    return (is_word or is_typed(value)) and "()" not in value and not PLACEHOLDER.fullmatch(value)


def _bracketed(text: str, end: int) -> Span | None:
    match = BRACKETED.match(text, end)
    value = match["value"] if match else ""
    if " " in value:
        return _span(*match.span("value")) if match and is_set_phrase(value) else None
    good = is_strong(value) or is_mixed(value) or (match is not None and bool(match["link"]) and is_typed(value))
    return _span(*match.span("value")) if match and good and not CODE.fullmatch(value) else None


def _named(text: str, end: int) -> Span | None:
    """In a sentence that says more of it; `password algorithm is Argon2id` ends in letters behind its one figure."""
    match = SAID.match(text, end)
    value = match["value"].rstrip(TRAILING) if match else ""
    good = is_strong(value) or is_mixed(value) or (_is_long(value) and APPOSED.match(text, end) is not None)
    if match is None or not good or CODE.fullmatch(value):
        return None
    if value.isalnum() and not ENDS_SO.search(value) and not (len(value) > 9 and LEET.search(value)):
        return None
    start = match.start("value")
    stop = match.end("other") if match["other"] and is_typed(match["other"].split()[-1]) else start + len(value)
    return _span(start, stop)


def _is_long(value: str) -> bool:
    return len(value) >= 8 and is_typed(value) and sum(map(str.isalpha, value)) > 3


def _grouped(text: str, end: int) -> Span | None:
    match = GROUPED.match(text, end)
    good = match is not None and DOCUMENTED.isdisjoint(match["value"].split())
    return _span(*match.span("value")) if match and good else None


def _below(text: str, end: int) -> Span | None:
    match = BELOW.match(text, end)
    value = match["value"].rstrip() if match else ""
    good = is_set_phrase(value) if " " in value else is_strong(value) or is_mixed(value)
    return _span(match.start("value"), match.start("value") + len(value)) if match and good else None


def _changed(text: str, end: int) -> Span | None:
    match = FROM_TO.match(text, end)
    good = match is not None and all(is_strong(match["value"].split(" ")[at].strip("\"'")) for at in (0, -1))
    return _span(*match.span("value")) if match and good else None


def _answered(text: str, end: int) -> Span | None:
    """The next line of a chat, where that is nothing but a password."""
    match = ANSWER.match(text, end)
    if match is None:
        return None
    group = "value" if match["value"] else "said"
    value = match[group].rstrip(TRAILING)
    start = match.start(group)
    return _span(start, start + len(value)) if is_strong(value) else None


def _span(start: int, end: int) -> Span:
    return Span(start, end, PASSWORD, 0.6, DETECTOR, Strength.PROVEN)
