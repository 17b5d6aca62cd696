"""Passwords and user names, known by the word before them: in code, configuration, logs, JSON, and plain sentences.

gitleaks finds machine-made keys; what people type ("my password is Tr0ub4dor&3", `Pwd=hunter2;`) has no entropy to go
by. The price is care about what code writes there instead: types, calls, variables, placeholders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

PASSWORD_WORDS = listed(
    "password passwd passphrase passcode pwd passwort kennwort contraseña contrasena senha palavra-passe hasło haslo "
    "lösenord losenord salasana adgangskode wachtwoord parola mdp mot_de_passe clave"
)
USER_WORDS = (
    "user_name",  # as in code; the list below spells the two words
    "user_id",
    *listed(
        "user_name user_id "
        "username user-name userid login benutzername usuario utente gebruikersnaam användarnamn brugernavn "
        "käyttäjätunnus identifiant nom_d'utilisateur nazwa_użytkownika nome_utente nome_de_utilizador"
    ),
)
WORDS = (*PASSWORD_WORDS, *USER_WORDS)

SUFFIX = r"(?:[_-]?(?:\d|new|old|confirm(?:ation)?|repeat|value|plain|prod|dev|test|root|admin|db|e))?"
QUOTED = re.compile(
    SUFFIX + r"\\*[\"'`]?\]?[ \t]{0,3}(?:=>|:=|==?|:|,)[ \t]{0,3}[rbuf]?(\\*[\"'`])(?P<value>[^\s\"'`\\]{3,128})\1",
    re.IGNORECASE,
)
BARE = re.compile(
    SUFFIX + r"[ \t]{0,2}(?:=|:)[ \t]{0,2}(?P<value>[^\s\"'`<>,;&|(){}\[\]\\]{3,128})(?![(\[\w])", re.IGNORECASE
)
SPOKEN = re.compile(
    r"[ \t]+(?:(?:is|was|ist|lautet|war|es|est|è|é|jest|är|on|er|eq|to|of|fue|era)[ \t]*:?[ \t]+)?"
    r"[\"'“”„«`]?(?P<value>[^\s\"'“”«»`<>(){}\[\],;]{4,64})",
    re.IGNORECASE,
)
OPTION = re.compile(r"[ =](?P<value>[^\s\"'`<>$(){}-][^\s\"'`<>(){}]{2,128})")
PLACEHOLDER = re.compile(
    r"(?i)(?:[*x.•_#-]{3,}|[$%<{@&].*|.*[>}]|your[_-]?.*|my[_-]?(?:password|user.*)|(?:the|a|new|old)?_?(?:password|passwd|pwd|passphrase|secret"
    r"|username|user|login|name|email)\d?|change_?(?:me|it|this)|example|placeholder|redacted|hidden|masked|none|null|nil|true|false"
    r"|undefined|str|string|text|bytes|bool|boolean|int|integer|number|any|object|optional|required|field|value|input|hidden"
    r"|varchar|char|uuid|env|self|this|admin|root|guest|anonymous|test(?:user|ing)?|nobody|system|postgres|foo|bar|baz|function"
    r"|default|empty|unset|missing|invalid|incorrect|wrong|expired|reset|field|forgotten|protected|required)"
)
NAME_VALUE = re.compile(r"[\w@][\w.@+-]{2,40}")
CODE = re.compile(r"(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*|[a-z_]+(?:_[a-z]+)+|[A-Z_]+(?:_[A-Z]+)*|[a-z]+(?:[A-Z][a-z]+)+")
"""Names of code: dotted, snake_case, UPPER_CASE, camelCase."""
TRAILING = ".,;:)"
"""Ends a sentence or a list, not a password; "!" and "?" may be its last character."""
PASSWORD, USERNAME = "PASSWORD", "USERNAME"


def credentials(text: str, low: str, words: Iterable[str], *, strict: bool) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        find = FINDERS.get(word)
        if find is None:
            continue
        for at in places(low, word):
            if at == 0 or not low[at - 1].isalpha() or text[at].isupper():
                span = find(text, at, at + len(word), strict)
                if span is not None:
                    yield span


def _password(text: str, start: int, end: int, strict: bool) -> Span | None:
    if text[start - 2 : start] == "--":
        match = OPTION.match(text, end)
        return _span(match, PASSWORD, 0.7) if match and not PLACEHOLDER.fullmatch(match["value"]) else None
    match = QUOTED.match(text, end)
    if match:
        good = _is_password(match["value"], strict) or len(match["value"]) >= 16
        return _span(match, PASSWORD, 0.8) if good and not PLACEHOLDER.fullmatch(match["value"]) else None
    match = BARE.match(text, end) or SPOKEN.match(text, end)
    if match is None or CODE.fullmatch(match["value"]) or PLACEHOLDER.fullmatch(match["value"]):
        return None
    value = match["value"].rstrip(TRAILING)
    if match.re is SPOKEN and not _is_typed(value):
        return None
    return _span(match, PASSWORD, 0.7) if _is_password(value, strict) else None


def _is_password(value: str, strict: bool) -> bool:
    """A digit or a sign among letters, or any eight characters in strict mode."""
    mixed = any(not char.isalpha() for char in value) and any(char.isalnum() for char in value)
    return len(value) >= 4 and (mixed or (strict and len(value) >= 6))


def _is_typed(value: str) -> bool:
    """After a bare space, in a sentence: letters and a digit, so that "password policy" is none."""
    digits = sum(char.isdigit() for char in value)
    letters = sum(char.isalpha() for char in value)
    return len(value) >= 5 and digits > 0 and letters > 0


def _username(text: str, _start: int, end: int, strict: bool) -> Span | None:
    match = QUOTED.match(text, end)
    if match is None:
        match = BARE.match(text, end)
        if match is None or (not strict and not _is_handle(match["value"])):
            return None
    value = match["value"].rstrip(TRAILING)
    if (
        not NAME_VALUE.fullmatch(value)
        or PLACEHOLDER.fullmatch(value)
        or value.isdigit()
        or not any(map(str.isalpha, value))
    ):
        return None
    if match.re is BARE and CODE.fullmatch(value) and "." not in value:
        return None
    return _span(match, USERNAME, 0.6)


def _is_handle(value: str) -> bool:
    return any(char.isdigit() or char in ".-@" for char in value.rstrip(TRAILING)) and not value.startswith(
        ("self.", "this.")
    )


FINDERS = dict.fromkeys(PASSWORD_WORDS, _password) | dict.fromkeys(USER_WORDS, _username)


def _span(match: re.Match[str], entity: str, score: float) -> Span:
    start, end = match.span("value")
    while match.re is not QUOTED and end > start + 1 and match.string[end - 1] in TRAILING:
        end -= 1
    return Span(start, end, entity, score, "rules/credential", Strength.PROVEN)
