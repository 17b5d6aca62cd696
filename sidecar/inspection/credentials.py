"""Passwords and user names, known by the word before them: in code, configuration, logs, JSON, and plain sentences.

gitleaks finds machine-made keys; what people type ("my password is Tr0ub4dor&3", `Pwd=hunter2;`) has no entropy to go
by. The price is care about what code writes there instead: types, calls, variables, placeholders (literals.py). Words
that mean other things too (`pass`, `pw`, `pin`) ask for a value that nothing else would be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from sidecar.inspection import listings
from sidecar.inspection.credential_forms import (
    ANSWERED_NAME,
    ATTRIBUTE,
    BARE,
    CALL,
    DEFAULT,
    DIRECTED,
    DIRECTIVE,
    ELEMENT,
    FALLBACK,
    HEAD,
    INPUT,
    JOINED_BARE,
    LINE,
    MEASURE,
    MULTIPART,
    NAME_VALUE,
    OPTION,
    OPTION_HEAD,
    PAIRED,
    PATH,
    PHRASE,
    PIN,
    QUOTED,
    QUOTED_OPTION,
    SAID_NAME,
    SENT,
    SIGN,
    SPOKEN,
    TAG,
    TYPED,
    VERSION,
    WITHIN,
)
from sidecar.inspection.credential_speech import said
from sidecar.inspection.credential_words import JOINED, PASSWORD_WORDS, PIN_WORDS, USER_WORDS, WEAK_WORDS
from sidecar.inspection.keywords import listed
from sidecar.inspection.listings import PASSWORD, USERNAME
from sidecar.inspection.literals import (
    CODE,
    COMMON,
    PLACEHOLDER,
    PROSE,
    TRAILING,
    is_common,
    is_hash,
    is_leet,
    is_mixed,
    is_set_phrase,
    is_strong,
    is_typed,
    unquoted,
)
from sidecar.inspection.logins import below_name
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

WORDS = (*PASSWORD_WORDS, *WEAK_WORDS, *PIN_WORDS, *USER_WORDS, *listings.WORDS)

Find = Callable[[str, int, int, bool], Span | None]
"""Takes the text, where the word starts and ends, and whether the mode is strict."""
HEADS = frozenset(',;\t|"\r\n ')
"""What follows the heading of a column."""
LINKS = (" is ", " ist ", " lautet ", " = ", " : ", " är ", " er ")
SIGNS_ONLY = frozenset("$%&@#*")


def credentials(text: str, low: str, words: Iterable[str], *, strict: bool) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    present = tuple(words)
    for word in present:
        find = FINDERS.get(word)
        if find is not None:
            yield from _at_word(text, low, word, find, strict)
    yield from listings.listed_values(text, low, present)


def _at_word(text: str, low: str, word: str, find: Find, strict: bool) -> Iterator[Span]:
    after = 0
    for at in places(low, word):
        if not _begins(text, low, at, word):
            continue
        end = at + len(word)
        span = find(text, at, end, strict)
        if span is not None:
            yield span
        elif find is not _username and at >= after and text[end : end + 1] in HEADS:
            spans, after = listings.below(text, at, strict=strict)
            yield from spans


def _begins(text: str, low: str, at: int, word: str) -> bool:
    """At a word's, a `_`'s or a camel's boundary; a word that is never a part of another one anywhere."""
    if at == 0 or not low[at - 1].isalpha():
        return True
    if word in JOINED and not (text[at].isupper() and text[at - 1].islower()):
        return _is_joined(text, low, at, at + len(word))
    if not text[at].isupper():
        return word == "pass" and low[max(0, at - 4) : at].endswith(("db", "smtp", "user", "mail", "root"))
    return word not in (*WEAK_WORDS, *PIN_WORDS) or text[at - 1].islower() or text[max(0, at - 2) : at] == "DB"


def _is_joined(text: str, low: str, at: int, end: int) -> bool:
    """`chgpassword x` and `PASSWORDpassword` are no compounds of this kind."""
    if text[at - 1].isupper() and text[at].islower():
        return False
    is_option = OPTION_HEAD.search(text, max(0, at - 32), at) is not None
    return low[end : end + 1] != " " or low.startswith(LINKS, end) or is_option


def _password(text: str, start: int, end: int, strict: bool) -> Span | None:
    if text[start - 2 : start] == "--":
        return _option(text, end)
    if OPTION_HEAD.search(text, max(0, start - 32), start):
        span = _option(text, end)
        return span if span and _is_given(text[span.start : span.end]) else None
    match = QUOTED.match(text, end)
    if match and match["value"].lower() != "value":  # of a pair: `"key": "db_password", "value": "..."`
        return _span(match, PASSWORD, 0.8) if _is_literal(match["value"], strict) else None
    match = PHRASE.match(text, end)
    if match:
        return _span(match, PASSWORD, 0.7) if is_set_phrase(match["value"]) else None
    found = _enclosed(text, start, end) or _line(text, start, end) or _structured(text, end)
    found = found or _bare(text, start, end, strict)
    return found or below_name(text, start, end) or said(text, end) or _directed(text, start, end)


def _is_given(value: str) -> bool:
    """To `--tls-password`, and no next word of a command or a sentence behind `--ask-password`."""
    return is_typed(value) and not CODE.fullmatch(value) and "://" not in value


def _option(text: str, end: int) -> Span | None:
    match = QUOTED_OPTION.match(text, end) or OPTION.match(text, end)
    if match is None or PLACEHOLDER.fullmatch(match["value"]):
        return None
    return _span(match, PASSWORD, 0.7)


def _enclosed(text: str, start: int, end: int) -> Span | None:
    """Whatever stands there, where quotes or semicolons say where it ends."""
    for head, pattern in WITHIN:
        match = pattern.match(text, end)
        if match and head.search(text, max(0, start - 64), start):
            value = match["value"]
            good = is_set_phrase(value) if " " in value else _is_literal(value, False) and not CODE.fullmatch(value)
            return Span(*match.span("value"), PASSWORD, 0.7, DETECTOR, Strength.PROVEN) if good else None
    return None


def _directed(text: str, start: int, end: int) -> Span | None:
    """`LoginPassword ...`: a directive, for a sentence has no capital within a word."""
    match = DIRECTIVE.match(text, end) if text[start - 1 : start].isalpha() else None
    if match is None or not DIRECTED.search(text, max(0, start - 48), start):
        return None
    value = match["value"]
    good = is_set_phrase(value) if " " in value else is_typed(value) and not CODE.fullmatch(value)
    return _span(match, PASSWORD, 0.6) if good and not PLACEHOLDER.fullmatch(value) else None


def _is_literal(value: str, strict: bool) -> bool:
    if VERSION.fullmatch(value):  # `"pbkdf2-password": "^1.2.1"` of a list of packages
        return False
    good = _is_password(value, strict) or len(value) >= 16 or is_common(value)
    return good and (is_hash(value) or not PLACEHOLDER.fullmatch(value))


def _line(text: str, start: int, end: int) -> Span | None:
    """A whole line of settings: there a value may hold any sign, blanks between words, and letters alone."""
    match = LINE.match(text, end)
    if match is None:
        return None
    head = HEAD.search(text, max(0, start - 80), start)
    if head is None or not _is_set(text, start, end, match["value"], is_equal=text[match.start("value") - 1] == "="):
        return None
    return Span(*match.span("value"), PASSWORD, 0.7, DETECTOR, Strength.PROVEN)


def _is_set(text: str, start: int, end: int, value: str, *, is_equal: bool) -> bool:
    if " " in value:
        return is_set_phrase(value)
    if CODE.fullmatch(value) or PLACEHOLDER.fullmatch(value.rstrip("!")):
        return is_common(value) or (is_equal and "." in value and text[end : end + 1] == "=" and is_leet(value))
    if value.isalpha():
        is_setting = text[start:end].isupper() and (is_equal or text[start - 1 : start] == "_")
        return is_common(value) or (is_setting and len(value) >= 5)
    return is_equal and text[end : end + 1] == "=" and value[-1] not in TRAILING and is_strong(value)


def _structured(text: str, end: int) -> Span | None:
    for pattern in (ELEMENT, ATTRIBUTE, DEFAULT, TYPED, FALLBACK, INPUT, MULTIPART, SENT):
        match = pattern.match(text, end)
        if match:
            good = _is_literal(match["value"], False) and not CODE.fullmatch(match["value"])
            return _span(match, PASSWORD, 0.7) if good else None
    match = CALL.match(text, end)
    return _span(match, PASSWORD, 0.7) if match and is_typed(match["value"]) else None


def _bare(text: str, start: int, end: int, strict: bool) -> Span | None:
    match = unquoted(BARE, JOINED_BARE, text, start, end) or SPOKEN.match(text, end)
    if match is None:
        return None
    value = match["value"].rstrip(TRAILING)
    if value.startswith("?") and text[end : end + 1] == ":":  # `${PASSWORD:?must be set}` of a shell
        return None
    if TAG.match(match["value"]) or text[start - 2 : start].upper() == "NO":  # `!vault |`, `NOPASSWD: /usr/bin/id`
        return None
    if PATH.fullmatch(match["value"]) and text[end - 3 : end].lower() == "pwd":
        return None
    if match.re is not SPOKEN and (is_common(value) or is_hash(value)):
        return _span(match, PASSWORD, 0.7)
    if CODE.fullmatch(match["value"]) or PLACEHOLDER.fullmatch(match["value"].rstrip("!?" + TRAILING)):
        return None
    if match.re is SPOKEN and not is_typed(value):
        return None
    return _span(match, PASSWORD, 0.7) if _is_password(value.rstrip("?"), strict) else None


def _is_password(value: str, strict: bool) -> bool:
    """A digit or a sign among letters, or any eight characters in strict mode."""
    mixed = any(not char.isalpha() for char in value) and any(char.isalnum() for char in value)
    return len(value) >= 4 and (mixed or (strict and len(value) >= 6))


def _weak(text: str, start: int, end: int, strict: bool) -> Span | None:
    """`pass` and `pw`: statements, counts and widths of pulses unless the value is a password by itself."""
    if text[start - 1 : start] == text[end : end + 1] == '"':
        match = QUOTED.match(text, end)
        return _span(match, PASSWORD, 0.7) if match and _is_of_data(match["value"], strict) else None
    before = text[start - 1 : start]
    is_named = before in ("_", "-", "&", "?") or (text[start].isupper() and before.islower())
    if is_named or (text[start:end].isupper() and text[end : end + 1] in "=:"):
        return _password(text, start, end, strict)
    match = QUOTED.match(text, end) or unquoted(BARE, JOINED_BARE, text, start, end)
    if match is None:
        return _spoken_weak(text, end)
    value = match["value"] if match.re is QUOTED else match["value"].rstrip(TRAILING)
    if is_common(value):
        return _span(match, PASSWORD, 0.7)
    if MEASURE.fullmatch(value) or CODE.fullmatch(value) or PLACEHOLDER.fullmatch(value):
        return None
    good = is_strong(value) or is_mixed(value) or (is_typed(value) and len(value) >= 6 and value.isalnum())
    return _span(match, PASSWORD, 0.7) if good else None


def _is_of_data(value: str, strict: bool) -> bool:
    """Under a key: `"pass": "..."`, and no count or share of what passed."""
    return is_common(value) or (is_typed(value) and not MEASURE.fullmatch(value) and _is_literal(value, strict))


def _spoken_weak(text: str, end: int) -> Span | None:
    match = SPOKEN.match(text, end)
    value = match["value"].rstrip(TRAILING) if match else ""
    is_said = match is not None and match.start("value") - end > 2 and len(value) >= 8  # `pass is ...`
    if match is None or MEASURE.fullmatch(value) or not (is_strong(value) or (is_said and is_typed(value))):
        return said(text, end)
    return _span(match, PASSWORD, 0.6) if SIGNS_ONLY.isdisjoint(match["value"][:1]) else None


def _pin(text: str, start: int, end: int, _strict: bool) -> Span | None:
    """Four to eight figures; letters only as a strong or a common password."""
    match = PIN.match(text, end)
    if match is not None:
        return _span(match, PASSWORD, 0.6)
    match = QUOTED.match(text, end) or unquoted(BARE, JOINED_BARE, text, start, end)
    if match is None or PLACEHOLDER.fullmatch(match["value"]):
        return None
    value = match["value"].rstrip(TRAILING)
    is_sign = is_strong(value) and not value.isalnum()
    return _span(match, PASSWORD, 0.6) if is_sign or value.lower() in COMMON else None


def _passcode(text: str, start: int, end: int, strict: bool) -> Span | None:
    """Of a telephone's screen, or of anything else."""
    return _pin(text, start, end, strict) or _password(text, start, end, strict)


def _said_name(text: str, start: int, end: int) -> Span | None:
    """With figures at its end, or with a sign between its letters where "is" says that it is one, or before a password;
    `login form1` is none."""
    match = SAID_NAME.match(text, end) or ANSWERED_NAME.match(text, end)
    if match is None or PLACEHOLDER.fullmatch(match["value"]) or not PROSE.isdisjoint(SIGN.split(match["value"])):
        return None
    if match.re is SAID_NAME and not PAIRED.match(text, match.end()):
        is_said, size = bool(match["link"].strip()), len(match["digits"])
        is_figured = size > 1 and len(match["value"]) - size > 3 and (is_said or text[start:end].lower() != "login")
        if not is_figured and not (is_said and SIGN.search(match["value"])):
            return None
    return _span(match, USERNAME, 0.6)


def _username(text: str, start: int, end: int, strict: bool) -> Span | None:
    match = QUOTED.match(text, end)
    if match is None:
        match = BARE.match(text, end)
        if match is None:
            return _said_name(text, start, end)
        if not (strict or _is_handle(match["value"]) or PAIRED.match(text, match.end())):
            return None
    value = match["value"].rstrip(TRAILING)
    if (
        not NAME_VALUE.fullmatch(value)
        or PLACEHOLDER.fullmatch(value)
        or MEASURE.fullmatch(value)
        or value.startswith(OBJECTS)
        or MEMBER.fullmatch(value)
        or not any(map(str.isalpha, value))
    ):
        return None
    if match.re is BARE and CODE.fullmatch(value) and "." not in value:
        return None
    return _span(match, USERNAME, 0.6)


MEMBER = re.compile(r"(?:[A-Za-z_]\w*\.)+\w*(?:user_?name|user|login)", re.IGNORECASE)
"""`Username: opt.Username`."""
OBJECTS = tuple(
    f"{name}."
    for name in listed(
        "self this var local data module each args config settings cfg conf os env process req request params form "
        "options opts props state session user event ctx context input body payload values"
    )
)
"""Begin an expression: `username = var.db_username`."""


def _is_handle(value: str) -> bool:
    return any(char.isdigit() or char in ".-@" for char in value.rstrip(TRAILING))


DETECTOR = "rules/credential"
FINDERS = (
    dict.fromkeys(PASSWORD_WORDS, _password)
    | dict.fromkeys(WEAK_WORDS, _weak)
    | dict.fromkeys(PIN_WORDS, _pin)
    | {"passcode": _passcode}
    | dict.fromkeys(USER_WORDS, _username)
)


def _span(match: re.Match[str], entity: str, score: float) -> Span:
    start, end = match.span("value")
    while match.re is not QUOTED and end > start + 1 and match.string[end - 1] in TRAILING:
        end -= 1
    return Span(start, end, entity, score, DETECTOR, Strength.PROVEN)
