"""A name and its password side by side, without a word for either: `admin / Winter2024!`, `(root:Passw0rd!)`, the
answer to "who has the login?", and a block of lines of which one names who logs in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.listings import PASSWORD
from sidecar.inspection.literals import (
    CODE,
    DOCUMENTED,
    ODD,
    PLACEHOLDER,
    TRAILING,
    is_mixed,
    is_strong,
    is_typed,
)
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

ACCOUNTS = listed(
    "admin superadmin netadmin dbadmin root administrator sa postgres svc deploy sysadmin superuser user demo"
)
BESIDE = re.compile(
    r"(?:[\d_.-][\w.-]{0,24})?[\"'`]?(?:[ ]?(?P<slash>/|\|)[ ]?|[ ]?:[ ]?|[ ](?:and|with|und|mit|et|y|e|en)[ ])[\"'`]?"
    r"(?P<value>[^\s\"'`/|:<>(){}\[\],;=]{6,64})(?(slash)(?![\w(\[=/:])|(?=[\"'`)\],;]|[ \t]{0,3}(?:\r?\n|\Z)))"
)
"""What follows the name of an account that every machine has, to the end of the line or of the bracket where only a
colon or a word stands between: chats begin so (`user: GPT-4o is ...`)."""
TYPED = frozenset("!#$%*@^~")
"""What names of products and versions do not have."""
VERSIONED = re.compile(r"[A-Za-z]+(?:[-.]v?\d[\d.]*|\d+\.[\d.]+)")
"""`Ubuntu-22.04`, `Python3.12`."""
ASKED = listed("login creds credentials zugang zugangsdaten identifiants credenciales credenziali inloggegevens")
ANSWERED = re.compile(
    r"[^\n]{0,80}[?:][ \t]{0,3}\r?\n[^\n:]{0,12}(?:\d:\d\d[^\n:]{0,12})?(?:[^\n:/|]{1,40}:[ ])?[\"'`]?"
    r"[\w.@+-]{2,40}(?:(?P<slash>[ ]{1,2}[/|][ ]{1,2}|[/|:])|[ ]{1,3})[\"'`]?(?P<value>[^\s\"'`/|]{6,64})"
    r"(?(slash)|[\"'`]?[ \t]{0,3}(?=\r?\n|\Z))"
)
"""The next line of a chat, or of a note below its heading."""
WIFI = listed("wifi wi-fi wlan ssid réseau netzwerk")
KEY_OF_WIFI = re.compile(
    r"[^\n]{0,80}?(?<!\w)(?:key|code|clé|clef|clave|schlüssel|sleutel|chiave|klucz|nyckel)[ ]?[:=]?[ ](?:is[ ]|est[ "
    r"]|ist[ ]|es[ ])?"
    r"[\"'`«“„]?[ ]?(?!(?:WPA|WEP|TKIP|AES|SAE)\b|WPA\d)(?P<value>[^\s\"'`«»“”<>(){}\[\],;]{6,63})",
    re.IGNORECASE,
)
LOGIN_LINE = re.compile(
    r"(?:^|\n)[ \t>*-]{0,8}(?:\w{1,16}[ _-])?(?:user(?:[ _-]?(?:name|id))?|login|log-?in|e-?mail|account|benutzer(?:"
    r"name)?|nutzer"
    r"|usuario|utilisateur|identifiant|utente|gebruiker(?:snaam)?|konto|kontonamn|cuenta)\*{0,2}[ \t]{0,3}[:=][ \t]{"
    r"0,3}"
    r"(?P<name>[^\s\"'{}()<>,;$]{2,64})[ \t]{0,3}\r?\n[ \t>*-]{0,8}(?:\w{1,16}[ _-])?\Z",
    re.IGNORECASE,
)
BELOW_NAME = re.compile(
    r"\*{0,2}[ \t]{0,3}[:=][ \t]{0,3}(?P<value>[^\s\"'{}()<>\[\]$%*,;][^\s\"'{}()<>\[\],;]{3,64}"
    r")[ \t]{0,3}(?=\r?\n|\Z)"
)
LONGEST_LINES = 180
DETECTOR = "rules/login"
WORDS = (*ACCOUNTS, *ASKED, *WIFI)


def logins(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        if word in WIFI:
            yield from _of_wifi(text, low, word)
            continue
        pattern = ANSWERED if word in ASKED else BESIDE
        for at in places(low, word):
            if at == 0 or not (low[at - 1].isalnum() or low[at - 1] in "./@\\$"):
                match = pattern.match(text, at + len(word))
                if match is not None and _is_login(match):
                    start = match.start("value")
                    yield _span(start, start + len(match["value"].rstrip(TRAILING)))


def _of_wifi(text: str, low: str, word: str) -> Iterator[Span]:
    """`réseau "Atelier", clé croissant-beurre-7h`: a key is a password there."""
    for at in places(low, word):
        match = KEY_OF_WIFI.match(text, at + len(word))
        value = match["value"].rstrip(TRAILING) if match else ""
        if match and is_typed(value) and len(value) >= 8 and not CODE.fullmatch(value):
            yield _span(match.start("value"), match.start("value") + len(value))


def _is_login(match: re.Match[str]) -> bool:
    value = match["value"]
    is_parted = match["slash"] is not None or match.re is ANSWERED
    if VERSIONED.fullmatch(value) or not (is_parted or not TYPED.isdisjoint(value)):
        return False
    return _is_password(value.rstrip(TRAILING))


def _is_password(value: str) -> bool:
    if len(value) >= 8 and not ODD.isdisjoint(value) and any(map(str.isupper, value)) and value[0] not in "$#%@&":
        return True
    if is_strong(value):
        return value[0] != "#"
    return is_mixed(value) and not value.isalnum() and not CODE.fullmatch(value)


def below_name(text: str, start: int, end: int) -> Span | None:
    """On the line behind that of a name, anything that is no word of documentation: `User: bob`, `Password: simple`."""
    match = BELOW_NAME.match(text, end)
    if match is None:
        return None
    head = LOGIN_LINE.search(text, max(0, start - LONGEST_LINES), start)
    value = match["value"]
    if head is None or PLACEHOLDER.fullmatch(value) or value.lower() in DOCUMENTED or "://" in value:
        return None
    if PLACEHOLDER.fullmatch(head["name"]) and not is_typed(value) and head["name"].lower() not in ACCOUNTS:
        return None
    return None if CODE.fullmatch(value) and not value.isalpha() else _span(*match.span("value"))


def _span(start: int, end: int) -> Span:
    return Span(start, end, PASSWORD, 0.6, DETECTOR, Strength.PROVEN)
