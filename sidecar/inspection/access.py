"""Secrets known by where they stand: HTTP authorization headers, passwords on command lines, keys of model providers.

gitleaks wants `curl` before a header and a key of exact length; what people paste into a prompt is a header from a log
and a key that lost its tail.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Iterator

from sidecar.inspection.credentials import CODE, PASSWORD, PLACEHOLDER
from sidecar.inspection.secrets import API_KEY, entropy
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

HEADER = re.compile(
    r"\\*[\"'`]?[ \t]{0,3}[:=,][ \t]{0,3}\\*[\"'`]?(?P<scheme>bearer|basic|token|api-?key)[ \t]{1,3}"
    r"(?P<value>[\w.~+/=-]{8,})",
    re.IGNORECASE,
)
"""RFC 9110 11.6.2 with the schemes in use; the value is a token68."""
PROVIDERS = {
    "sk-": re.compile(r"sk-(?:(?:proj|svcacct|admin|ant|or|lf)-[\w-]{20,200}|[A-Za-z0-9]{32,64}(?![\w-]))"),
    "xai-": re.compile(r"xai-[A-Za-z0-9]{40,120}"),
    "gsk_": re.compile(r"gsk_[A-Za-z0-9]{40,80}"),
    "nvapi-": re.compile(r"nvapi-[\w-]{40,100}"),
}
"""OpenAI, Anthropic, DeepSeek, OpenRouter and Langfuse; xAI; Groq; NVIDIA: whole or cut off."""
SSHPASS = re.compile(r"[ \t]+(?:-\w[ \t]+)*-p[ \t]*(?P<value>[^\s\"'`$<{-][^\s\"'`]{2,128})")
MYSQL = re.compile(
    r"(?:dump|admin|import|show|check)?(?=[ \t])[^\n|;&]{0,160}?[ \t]-p(?P<value>[^\s\"'`$<{-][^\s\"'`]{2,128})"
)
WORDS = ("authorization", "sshpass", "mysql", *PROVIDERS)
LEAST_BITS = 3.0
"""Per character: `Bearer aaaaaaaaaaaaaaaa` and words of documentation have less."""


def access(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        find = FINDERS[word]
        for at in places(low, word):
            if at == 0 or not low[at - 1].isalnum():
                span = find(text, at, at + len(word))
                if span is not None:
                    yield span


def _header(text: str, _start: int, end: int) -> Span | None:
    match = HEADER.match(text, end)
    if match is None:
        return None
    value = match["value"]
    if match["scheme"].lower() == "basic":
        return _span(match, PASSWORD) if _is_basic(value) else None
    made = any(map(str.isdigit, value)) and len(value) >= 16 and entropy(value) >= LEAST_BITS
    return _span(match, API_KEY) if made and not CODE.fullmatch(value) else None


def _is_basic(value: str) -> bool:
    """RFC 7617: base64 of a name, a colon and a password."""
    try:
        return b":" in binascii.a2b_base64(value.encode() + b"=" * (-len(value) % 4))
    except (ValueError, UnicodeEncodeError):
        return False


def _option(pattern: re.Pattern[str]) -> Callable[[str, int, int], Span | None]:
    def find(text: str, _start: int, end: int) -> Span | None:
        match = pattern.match(text, end)
        if match is None or PLACEHOLDER.fullmatch(match["value"]):
            return None
        return _span(match, PASSWORD)

    return find


def _provider(pattern: re.Pattern[str]) -> Callable[[str, int, int], Span | None]:
    def find(text: str, start: int, _end: int) -> Span | None:
        match = pattern.match(text, start)
        if match is None or entropy(match.group()) < LEAST_BITS or not any(map(str.isdigit, match.group())):
            return None
        return Span(*match.span(), API_KEY, 0.8, "rules/access", Strength.PROVEN)

    return find


def _span(match: re.Match[str], entity: str) -> Span:
    return Span(*match.span("value"), entity, 0.8, "rules/access", Strength.PROVEN)


FINDERS = {
    "authorization": _header,
    "sshpass": _option(SSHPASS),
    "mysql": _option(MYSQL),
    **{word: _provider(pattern) for word, pattern in PROVIDERS.items()},
}
