"""Secrets that stand together: members of a JSON Web Key, recovery codes, a wallet's words, lines of .pgpass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.listings import PASSWORD
from sidecar.inspection.literals import PLACEHOLDER
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

JWK = '"kty'
MEMBER = re.compile(r'\\*"(?:d|p|q|dp|dq|qi|k)\\*"\s{0,8}:\s{0,8}\\*"(?P<value>[\w-]{20,1024})(?![\w-])')
"""What RFC 7518 6.2.2, 6.3.2 and 6.4.1 keep private."""
LONGEST_KEY = 8192
PGPASS = (":5432:", ":5433:", ":6432:", ":*:*:")
PGPASS_LINE = re.compile(
    r"[\w.*-]{1,100}:(?:\d{2,5}|\*):[\w.*-]{1,64}:[\w.*-]{1,64}:"
    r"(?P<value>[^\s:]{3,128})(?=\s|\Z)"
)
LONGEST_HEAD = 320
CODES = listed(
    "recovery_code backup_code scratch_code wiederherstellungscode backup-code code_de_récupération code_de_secours "
    "codes_de_récupération codes_de_secours código_de_recuperación códigos_de_recuperación código_de_respaldo "
    "códigos_de_respaldo códigos_de_recuperação código_de_recuperação codici_di_backup codici_di_recupero "
    "herstelcode kody_zapasowe kod_zapasowy"
)
CODE = re.compile(r"(?:[A-Za-z0-9]{4,8}(?:[ -][A-Za-z0-9]{4,8}){1,4}|[A-Za-z0-9]{6,16})(?![\w-])")
BEFORE_CODES = re.compile(
    r"(?:s|n)?(?:[ ](?:for|für|pour|para|per|voor|do)[ ][^\n:]{1,40}(?=:))?"
    r"(?:[ ](?:are|is|sind|ist|sont|son|sono|zijn|to))?[ \t]{0,2}:?\s{1,8}"
)
BETWEEN_CODES = re.compile(r"[ \t]{0,4}[,;|]?[ \t]{0,4}(?:\r?\n[ \t]{0,8})?(?:(?:[-*•]|\d{1,2}[.)])[ \t]{1,4})?")
MOST_CODES = 20
PHRASES = listed(
    "seed_phrase recovery_phrase mnemonic secret_phrase backup_phrase wallet_phrase seed_words recovery_words "
    "seedphrase phrase_de_récupération frase_semilla frase_de_recuperación frase_di_recupero herstelzin"
)
WORDS_OF_WALLET = re.compile(
    r"\w{0,16}(?:[ ](?:for|of|to)[ ][^\n:=]{1,30}(?=[:=]))?[\"']?(?:[ ](?:is|are|ist|est|es|è)[ ]?)?"
    r"[ \t]{0,2}[:=]?\s{0,4}[\"'`]?"
    r"(?P<value>(?:\d{1,2}[.)][ ]?)?[a-z]{3,8}(?:(?:[ ]|,[ ]?|\r?\n)(?:\d{1,2}[.)][ ]?)?[a-z]{3,8}){11,23})(?![\w-])"
)
"""Twelve to twenty-four words of three to eight letters (BIP 39)."""
NOT_OF_WALLET = frozenset(
    listed("the and for are was not but from has had his her she our been were them have would could should which")
)
"""Words that no such list has, and hardly a sentence lacks."""
DETECTOR = "rules/bundle"
WORDS = (JWK, *PGPASS, *CODES, *PHRASES)


def bundles(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        if word == JWK:
            yield from _members(text, low)
            continue
        for at in places(low, word):
            if word in PGPASS:
                yield from _lines(text, at)
            elif word in CODES:
                yield from _codes(text, at + len(word))
            else:
                yield from _phrase(text, at + len(word))


def _members(text: str, low: str) -> Iterator[Span]:
    """Of the object around each `"kty"`, which no other one shares."""
    done = 0
    for at in places(low, JWK):
        start = text.rfind("{", max(done, at - LONGEST_KEY), at) if at >= done else -1
        if start >= 0:
            end = text.find("}", at, at + LONGEST_KEY)
            done = end if end >= 0 else at + LONGEST_KEY
            for member in MEMBER.finditer(text, start, done):
                yield _span(*member.span("value"), "PRIVATE_KEY")


def _lines(text: str, at: int) -> Iterator[Span]:
    line = PGPASS_LINE.match(text, text.rfind("\n", max(0, at - LONGEST_HEAD), at) + 1)
    if line and line.end() > at and not PLACEHOLDER.fullmatch(line["value"]):
        yield _span(*line.span("value"), PASSWORD)


def _codes(text: str, end: int) -> Iterator[Span]:
    head = BEFORE_CODES.match(text, end)
    at = head.end() if head else len(text)
    for _ in range(MOST_CODES):
        between = BETWEEN_CODES.match(text, at)
        code = CODE.match(text, between.end() if between else at)
        if code is None or not any(map(str.isdigit, code[0])):
            return
        yield _span(*code.span(), PASSWORD)
        at = code.end()


def _phrase(text: str, end: int) -> Iterator[Span]:
    match = WORDS_OF_WALLET.match(text, end)
    if match is not None:
        words = re.findall(r"[a-z]+", match["value"])
        if len(words) % 3 == 0 and NOT_OF_WALLET.isdisjoint(words):
            yield _span(*match.span("value"), "PRIVATE_KEY")


def _span(start: int, end: int, entity: str) -> Span:
    return Span(start, end, entity, 0.8, DETECTOR, Strength.PROVEN)
