"""Keys, tokens and session cookies, known by their names: `JWT_SECRET=...`, `"apikey": "..."`, `my token is ...`.

gitleaks' generic rule asks for entropy and forgives 1,500 words; in a file of settings a value behind `*_SECRET` is a
secret however it was made up. A name that means other things too (`key`, `session`) asks for a value made by a machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.literals import (
    AMPERSAND,
    CODE,
    FALSE_SECRET,
    PLACEHOLDER,
    TRAILING,
    UNQUOTED,
    WRAPPED,
    is_common,
    is_made,
    is_phrase,
    is_strong,
    is_typed,
    is_worded,
    unquoted,
)
from sidecar.inspection.secrets import API_KEY, TOKEN_TAIL, entropy
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

SECRET_WORDS = ("secret", "apikey", "api_key", *listed("api-key api_key authkey"))
TOKEN_WORDS = ("token",)
KEY_WORDS = (
    "key", "salt", "session", "sessid", "sessionid", "cookie", "_pat", "credential", "connect.sid", "sid=", "sig=",
    "csrf", "code=", "appid=", "pepper", "device_code", "auth_code", "authorization_code",
)  # fmt: skip
WORDS = (*SECRET_WORDS, *TOKEN_WORDS, *KEY_WORDS)
QUALIFIED = re.compile(
    r"(?i)(?:api|app|application|access|secret|auth|encryption|signing|signature|private|service|licen[sc]e|storage"
    r"|account|admin|master|jwt|session|cookie|hmac|aes|crypto|webhook|deploy|client|subscription|shared"
    r"|openai|cohere|notion|secretor)[ ._-]?\Z"
)
"""Before `key`: a key that somebody keeps, and not one of a map, a column or a keyboard."""
SUFFIX = r"(?:[_-]?(?:\d|base|value|prod|dev|test|live|staging|old|new|hash|secret))?"
CUSTOM = re.compile(r"(?i)(?<![\w-])x-[\w-]{0,40}-\Z")
"""A header of an application's own: `X-Acme-Key`."""
FALLBACK = re.compile(
    SUFFIX + r"[\"'\])]{0,3}[ \t]{1,3}(?:\|\||\?\?|or)[ \t]{1,3}([\"'])(?P<value>[^\s\"'`\\]{6,256})\1", re.IGNORECASE
)
"""`process.env.JWT_SECRET || "..."`"""
NOT_KEPT = re.compile(
    r"(?i)(?:checksum/?|public|primary|foreign|partition|sort|idempotency|cache|host|next|page|continuation|sync|resume|pub|row"
    r"|index|column|object|s3|group|unique|dedup|routing|translation|i18n|map|dict|sub)[ _-]?\Z"
)
LINK = r"\\*[\"'`]?\]?(?:[ \t]{0,32}(?:=>|:=|\?=|==?|:)[ \t]{0,32}|[ \t]{0,3},[ \t]{0,3})"
QUOTED = re.compile(
    SUFFIX + LINK + WRAPPED + r"[rbuf]?(\\*[\"'`])(?:(?:bearer|token|basic)[ ])?(?P<value>[^\s\"'`\\]{6,256})\1",
    re.IGNORECASE,
)
IS = SUFFIX + r"[\"'`]?[ \t]{0,32}(?:=|:)[ \t]{0,32}(?:[\w.-]{1,40}=(?=\w))?"
BARE = re.compile(rf"{IS}(?P<value>{UNQUOTED}{{6,256}})(?![(\[\w:]|\.\w)", re.IGNORECASE)
JOINED_BARE = re.compile(rf"{IS}(?P<value>(?:{UNQUOTED}|{AMPERSAND}){{6,256}})(?![(\[]|{UNQUOTED})", re.IGNORECASE)
SPOKEN = re.compile(
    r"(?:[ ](?:is|was|ist|lautet|war|est|es|è|é|jest|är|er|on|like|value))?[ \t]{0,2}:?[ \t]{1,3}[\"'`]?"
    r"(?P<value>[\w.~+/=:-]{16,256})",
    re.IGNORECASE,
)
ATTRIBUTE = re.compile(
    r"[\"']?(?:\s{0,8},\s{0,40}|[\s>+-]{1,40})[\"']?value[\"']?[ \t]{0,2}[=:][ \t]{0,2}[\"']?"
    rf"(?P<value>(?:[^\s\"'`<>{{}}&,;]|{AMPERSAND}){{8,256}})",
    re.IGNORECASE,
)
"""`- name: JWT_SECRET` and `value: ...` on the next line, and the same in JSON and XML."""
WORDY = re.compile(r"[A-Za-z]+(?:[-_.][A-Za-z]+)*")
SETTING = re.compile(r"(?:^|\n)[ \t]*(?:- |export |set |ENV |-e )?[A-Z][A-Z0-9_]{0,48}\Z")
JOINED = ("auth", "api", "access", "client", "csrf", "xsrf", "refresh", "php", "asp", "j")
"""Before a word that is written on in small letters: `authtoken`, `jsessionid`."""
SIGNATURE = re.compile(r"[A-Za-z0-9+/_-]{20,200}(?:=|%3[Dd]){0,2}")
SIGNED = {
    "sig=": re.compile(r"[&?;]\Z"),
    "sid=": re.compile(r"[\s&?;\[(,\"']\Z|\A\Z"),
    **dict.fromkeys(("code=", "appid="), re.compile(r"[&?]\Z")),
}
"""By word: what may stand before it."""
ELEMENT = re.compile(
    SUFFIX + r"(?:\"?(?:[ \t][^<>\n]{0,80})?>|</key>\s{0,40}<string>)(?P<value>[^\s<>&]{6,256})</", re.IGNORECASE
)
"""`<apiKey>...</apiKey>`, `<property name="secretKey">...</property>`, and a property list's pair."""
SIGNS = re.compile(
    r"[\"']?[ \t]{0,32}(?:=>|[,=:])[ \t]{0,32}([\"'])"
    r"(?P<value>(?=[^\n]{0,40}[^\w\s\"'])[ -~]{40,100}?)\1"
)
"""Salts of WordPress, made of every sign there is."""
OPTION_HEAD = re.compile(r"(?<![\w-])--[a-z-]{0,20}\Z")
OPTION = re.compile(r"(?:[ \t]{1,4}|=)[\"']?(?P<value>[^\s\"'`$<{-][^\s\"'`]{5,256})")
"""`--client-secret ...`"""
PHRASE = re.compile(SUFFIX + r"[ \t]{0,4}[=:][ \t]{0,4}([\"'])(?P<value>[^\n\"'`\\]{12,100})\1", re.IGNORECASE)
TO_THE_END = re.compile(r"[&|;,(){}\[\]<][^\s\"'`]{1,256}(?=[ \t]{0,3}\r?(?:\n|\Z))")
"""The rest of a setting's value behind a sign that BARE stops at: `SECRET_KEY=x7!k2&w8z^e1`."""
MIXED_BITS = 4.6
"""Per character: no sentence of forty letters and more has so much."""
DETECTOR = "rules/assignment"


def assigned(text: str, low: str, word: str) -> Iterator[Span]:
    """Values assigned to names that hold `word`, one of WORDS; `low` is the text lower-cased."""
    after = 0
    for at in places(low, word):
        end = at + len(word)
        if at >= after and not (word[-1] != "=" and low[end : end + 1].isalpha()) and _begins(text, low, at):
            span = _found(text, at, end, word)
            if span is not None:
                after = span.end
                yield span


def _begins(text: str, low: str, at: int) -> bool:
    """`clientSecret`, `AUTHKEY`, `apikey`, but neither `monkey` nor `possession`."""
    if at == 0 or not low[at - 1].isalpha() or low[at] in "_-":
        return True
    return text[at].isupper() or low.endswith(JOINED, max(0, at - 6), at)


def _found(text: str, start: int, end: int, word: str) -> Span | None:
    if word in SIGNED:
        return _signature(text, end) if SIGNED[word].search(text, max(0, start - 1), start) else None
    if OPTION_HEAD.search(text, max(0, start - 24), start):
        match = OPTION.match(text, end)
        value = match["value"] if match else ""
        good = is_typed(value) and (is_made(value) or _is_made_up(text, start, value, is_quoted=True))
        return _span(match, len(value)) if match and good else None
    match = SIGNS.match(text, end) if text[start:end] in ("KEY", "SALT") else None
    if match is not None and entropy(match["value"]) > MIXED_BITS:
        return _span(match, len(match["value"]))
    match = QUOTED.match(text, end) or unquoted(BARE, JOINED_BARE, text, start, end)
    match = match or ATTRIBUTE.match(text, end) or ELEMENT.match(text, end)
    if match is not None:
        value = match["value"].rstrip(TRAILING) if match.re is not QUOTED else match["value"]
        if not _is_secret(text, start, word, value, match.re is QUOTED):
            return None
        is_line = match.re in (BARE, JOINED_BARE) and _is_setting(text, start)
        rest = TO_THE_END.match(text, match.end("value")) if is_line else None
        return _span(match, rest.end() - match.start("value") if rest else len(value))
    match = FALLBACK.match(text, end)
    if match is not None:
        return _span(match, len(match["value"])) if _is_secret(text, start, word, match["value"], True) else None
    match = PHRASE.match(text, end) if word in SECRET_WORDS and _is_setting(text, start) else None
    if match is not None and is_phrase(match["value"]):
        return _span(match, len(match["value"]))
    match = SPOKEN.match(text, end)
    if match is None or not is_made(value := match["value"].rstrip(TRAILING)):
        return None
    return _span(match, len(value)) if word not in KEY_WORDS or _is_kept(text, start) else None


def _signature(text: str, end: int) -> Span | None:
    """Of a shared access signature, also where only the query was pasted; of a session."""
    match = SIGNATURE.match(text, end)
    return Span(*match.span(), API_KEY, 0.8, DETECTOR, Strength.PROVEN) if match and is_made(match.group()) else None


def _is_setting(text: str, start: int) -> bool:
    return SETTING.search(text, max(0, start - 80), start) is not None


def _is_kept(text: str, start: int) -> bool:
    head = text[max(0, start - 48) : start]
    return QUALIFIED.search(head[-16:]) is not None or CUSTOM.search(head) is not None


def _is_secret(text: str, start: int, word: str, value: str, is_quoted: bool) -> bool:
    if value[0] == "#" or PLACEHOLDER.fullmatch(value) or NOT_KEPT.search(text, max(0, start - 16), start):
        return False
    if word == "key" and not _is_kept(text, start) and not _is_setting(text, start):
        return False
    if is_made(value, 12 if word in SECRET_WORDS else 16):
        return True
    if word in KEY_WORDS and not (word == "key" and _is_kept(text, start)):
        return False
    return _is_made_up(text, start, value, is_quoted)


def _is_made_up(text: str, start: int, value: str, is_quoted: bool) -> bool:
    """By a person: with a digit or a sign among letters, or as words joined by hyphens behind a name such as
    `jwt_secret`; `secret: web-tls-secret` names an object."""
    if FALSE_SECRET.search(value):
        return False
    if is_common(value) or is_strong(value):
        return True
    if WORDY.fullmatch(value):
        is_compound = text[start - 1 : start] in ("_", "-") or text[start].isupper()
        return is_compound and value.count("-") > 1 and len(value) >= 16
    return is_typed(value) and len(value) >= 7 and not is_worded(value) and (is_quoted or not CODE.fullmatch(value))


def _span(match: re.Match[str], size: int) -> Span:
    start = match.start("value")
    tail = TOKEN_TAIL.match(match.string, start + size) if size >= 256 else None
    return Span(start, tail.end() if tail else start + size, API_KEY, 0.8, DETECTOR, Strength.PROVEN)
