"""Keys that no form names: what a machine made, standing by itself near a word that says that it is a key.

`I copied config/master.key there, it contains` and a line of 32 figures; `our Fastly key IafclDf... stopped working`.
Code has hashes, digests and public keys of the same looks, so a word that says so ends it, and a place in a
longer value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sidecar.inspection.context import Context
from sidecar.inspection.literals import FALSE_SECRET, RUN, is_worded
from sidecar.inspection.secrets import API_KEY, entropy
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import Token

HEX = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}|[0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{64}")
REST = re.compile(r"(?:[-_+/.=]{1,2}[A-Za-z0-9]+){0,12}={0,2}")
HEAD = re.compile(r"[\w+/=.-]{0,64}\Z")
BOT = re.compile(r"[MNO][\w-]{22,28}\.[\w-]{6}\.[\w-]{27,40}(?![\w-])")
"""Of Discord: begins with the number of its account in base64."""
PRODUCT = re.compile(r"(?<![\w-])[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}(?![\w-])")
"""A licence of Windows, VMware and others."""
NTLM = re.compile(r"(?i)[0-9a-f]{32}:[0-9a-f]{32}(?![\w:])")
"""Both hashes of a password of Windows."""
ALONE_BEFORE, ALONE_BEHIND = frozenset(" \t\n\r\"'`(“„«=>"), frozenset(" \t\n\r\"'`)”“»<,;.?!")
KEPT = Context.words(
    "key keys apikey token tokens secret secrets credential credentials password passwords passwort kennwort "
    "passphrase auth schlüssel apikeys clé clave chiave sleutel klucz jeton geheimnis seed bearer"
)
PUBLIC = Context.words(
    "public pub pubkey publickey fingerprint thumbprint digest digests checksum checksums hash hashes hashed sha sha1 "
    "md5 integrity commit commits git revision rev etag id ids uuid guid trace span request cache build signature sig "
    "signed pgp gpg certificate cert serial address addresses contract txid transaction block docker image tag layer "
    "primary foreign idempotency partition object bucket path file files filename url pages page cursor encrypted "
    "ciphertext test tests vector vectors example nonce iv salt version lock package sample dummy fake expected assert"
)
CONSTANT = re.compile(r"(?<![\w.])[A-Z][A-Z0-9_]{2,40}[ \t]{0,2}[:=][ \t]{0,2}[\"']\Z")
WORDS = re.compile(r"[A-Z][a-z]{3,}|[a-z]{5,}")
BEHIND = re.compile(r"[ \t]{1,2}[\w*.(]")
"""A line of a log of commits, or of a list of sums of files."""
SHORTEST, LONGEST = 20, 128
DETECTOR = "rules/made"


def made(text: str, tokens: Sequence[Token], tried: Sequence[int]) -> list[Span]:
    found: list[Span] = []
    after = 0
    for start, end, numeric in map(tokens.__getitem__, tried):
        if numeric or start < after:
            continue
        if end - start < SHORTEST:
            if end - start == 5 and "-" in (text[end : end + 1], text[start - 1 : start]):
                match = PRODUCT.search(text, max(0, start - 24), end + 24)
                if match and match.end() > start:
                    after = match.end()
                    found.append(Span(*match.span(), API_KEY, 0.6, DETECTOR, Strength.PROVEN))
            continue
        pair = NTLM.match(text, start) if end - start == 32 and text[end : end + 1] == ":" else None
        stop = pair.end() if pair else _bot(text, start, end) or _key(text, start, end)
        if stop:
            after = stop
            found.append(Span(start, stop, API_KEY, 0.6, DETECTOR, Strength.PROVEN))
    return found


def _bot(text: str, start: int, end: int) -> int:
    match = BOT.match(text, start) if text[start] in "MNO" and text[end : end + 1] in ".-_" else None
    return match.end() if match and entropy(match[0]) > 4.0 and (start == 0 or not _joined(text[start - 1])) else 0


def _joined(char: str) -> bool:
    return char.isalnum() or char in "-_./+="


def _key(text: str, start: int, end: int) -> int:
    """Where it ends, or 0."""
    if start and text[start - 1] not in ALONE_BEFORE:
        return 0
    rest = REST.match(text, end)
    stop = rest.end() if rest else end
    word = text[start:stop]
    is_alone = stop == len(text) or text[stop] in ALONE_BEHIND
    if stop - start > LONGEST or text.startswith("0x", start) or not is_alone or not _is_made(word):
        return 0
    if word.startswith("AAAA") or _is_listed(text, start, stop):
        return 0
    is_kept = KEPT.near(text, start, stop) or CONSTANT.search(text, max(0, start - 48), start)
    return stop if is_kept and not PUBLIC.near(text, start, stop) and not FALSE_SECRET.search(word) else 0


def _is_made(word: str) -> bool:
    if HEX.fullmatch(word):
        return entropy(word) > 3.0
    if word in (word.lower(), word.upper()) or sum(map(str.isdigit, word)) < 2 or is_worded(word):
        return False
    named = sum(map(len, WORDS.findall(word)))
    return entropy(word) > 3.8 and len(RUN.findall(word)) > 3 and named * 2 < len(word)


def _is_listed(text: str, start: int, stop: int) -> bool:
    """At the beginning of its line with words behind it."""
    return text[start - 1 : start] in ("", "\n") and BEHIND.match(text, stop) is not None
