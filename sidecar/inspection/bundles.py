"""Secrets that stand together: members of a JSON Web Key, recovery codes, a wallet's words, lines of .pgpass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.listings import PASSWORD
from sidecar.inspection.literals import PLACEHOLDER, is_typed, quoted_end
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

JWK = '"kty'
MEMBER = re.compile(r'\\*"(?:d|p|q|dp|dq|qi|k)\\*"\s{0,8}:\s{0,8}\\*"(?P<value>[\w-]{20,1024})(?![\w-])')
"""What RFC 7518 6.2.2, 6.3.2 and 6.4.1 keep private."""
LONGEST_KEY = 8192
PGPASS = (":5432:", ":5433:", ":6432:", ":*:*:")
PGPASS_LINE = re.compile(
    r"[\w.*-]{1,100}:(?:\d{2,5}|\*):[\w.*-]{1,64}:[\w.*-]{1,64}:"
    r"(?P<value>(?:[^\s:\\]|\\.){3,128})(?=\s|\Z)"
)
LONGEST_HEAD = 320
CODES = listed(
    "recovery_code backup_code scratch_code wiederherstellungscode backup-code code_de_récupération code_de_secours "
    "codes_de_récupération codes_de_secours código_de_recuperación códigos_de_recuperación código_de_respaldo "
    "códigos_de_respaldo códigos_de_recuperação código_de_recuperação codici_di_backup codici_di_recupero "
    "herstelcode kody_zapasowe kod_zapasowy recovery_key wiederherstellungsschlüssel bitlocker backup_key"
)
CODE = re.compile(r"(?:[A-Za-z0-9]{4,8}(?:[ -][A-Za-z0-9]{4,8}){1,8}|[A-Za-z0-9]{6,16})(?![\w-])")
WORDED = re.compile(r"(?<![\w-])[a-z]{5,}(?![\w-])")
"""A word of a sentence among them."""
BEFORE_CODES = re.compile(
    r"(?:s|n)?(?:[ ](?:for|für|pour|para|per|voor|do)[ ][^\n:]{1,40}(?=:))?"
    r"(?:[ ](?:are|is|sind|ist|sont|son|sono|zijn|to))?[ \t]{0,2}:?\s{1,8}"
)
BETWEEN_CODES = re.compile(r"[ \t]{0,4}[,;|]?[ \t]{0,4}(?:\r?\n[ \t]{0,8})?(?:(?:[-*•]|\d{1,2}[.)])[ \t]{1,4})?")
MOST_CODES = 20
FAR_CODES = re.compile(r"(?<![\w.,/-])(?P<value>(?!19|20)\d{8})(?![\w/-]|[.,]\d)")
FURTHEST_CODES = 200
CHAP = ("chap-secrets", "pap-secrets")
CHAP_LINE = re.compile(r"\n[ \t]*[\"']?[^\s\"'#]{1,64}[\"']?[ \t]{1,8}[^\s#]{1,64}[ \t]{1,8}[\"']?(?P<value>[^\s\"'#"
    r"]{4,64})[\"']?(?=\s|\Z)")
PHRASES = listed(
    "seed_phrase recovery_phrase mnemonic secret_phrase backup_phrase wallet_phrase seed_words recovery_words "
    "seedphrase phrase_de_récupération frase_semilla frase_de_recuperación frase_di_recupero herstelzin "
    "bip39 bip-39 12_word 24_word 12-word 24-word twelve_word 12_wörter "
    "24_wörter 12_mots 24_mots 12_palabras 24_palabras 12_parole 24_parole 12_woorden 24_woorden backup_words"
)
OWNERS = listed("seed metamask ledger trezor electrum wallet")
"""Words that stand in other texts, too: what is near them has to stand by itself, and be as long as BIP 39 says."""
ALONE = re.compile(r"(?:\A|[:=\n\"'`(])[ \t]{0,4}\Z")
LENGTHS = (12, 15, 18, 21, 24)
NOT_OF_WALLET = (
    "the|and|for|are|was|but|from|has|had|his|her|our|been|were|them|have|would|could|should|which|with|into|their|your"
    "|than|its|does|not|my|is|in|of|to"
)
"""Words that no such list has, and hardly a sentence lacks."""
WORD_OF_WALLET = rf"(?:\d{{1,2}}[.):]?[ ]?)?(?!(?:{NOT_OF_WALLET})\b)[a-z]{{3,8}}"
WORDS_OF_WALLET = re.compile(
    rf"(?<![\w-])(?P<value>{WORD_OF_WALLET}(?:(?:[ \t]{{1,3}}|,[ ]?|[ ]?\r?\n){WORD_OF_WALLET}){{11,24}})(?![\w-])"
)
"""Twelve to twenty-four words of three to eight letters (BIP 39), and perhaps one of the sentence before."""
FURTHEST_WORDS = 400
STRING_DATA = "stringdata:"
STRING_LINE = re.compile(r"[ \t]{1,16}[\w.-]{1,64}:[ \t]{1,4}[\"']?(?P<value>[^\n\"'#]{4,256}?)[\"']?[ \t]{0,3}(?:\r"
    r"?\n|\Z)")
"""Of a Secret in Kubernetes."""
LITERAL = "--from-literal"
OF_LITERAL = re.compile(r"[= ][\"']?[\w.-]{1,64}=[\"']?(?P<value>[^\s\"'$<{][^\s\"']{3,256})")
MOST_LINES = 40
MADE_OF = 300
"""Code points before a literal in which the command says that it makes a secret."""
DETECTOR = "rules/bundle"
WORDS = (JWK, STRING_DATA, *CHAP, LITERAL, *PGPASS, *CODES, *PHRASES, *OWNERS)


def bundles(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    after = {True: 0, False: 0}
    for word in words:
        if word == JWK:
            yield from _members(text, low)
            continue
        for at in places(low, word):
            if word in PGPASS:
                yield from _lines(text, at)
            elif word in CHAP:
                for line in CHAP_LINE.finditer(text, at, at + FURTHEST_WORDS):
                    if is_typed(line["value"]):
                        yield _span(*line.span("value"), PASSWORD)
            elif word == STRING_DATA:
                yield from _string_data(text, low, at + len(word))
            elif word == LITERAL:
                yield from _literal(text, low, at, at + len(word))
            elif word in CODES:
                yield from _codes(text, at + len(word))
        if word in PHRASES or word in OWNERS:
            alone = word in OWNERS
            for at in places(low, word):
                if at >= after[alone]:
                    after[alone] = at + len(word) + FURTHEST_WORDS
                    yield from _phrase(text, at + len(word), alone)


def _string_data(text: str, low: str, at: int) -> Iterator[Span]:
    if "secret" not in low[max(0, at - 1000) : at + 1000]:
        return
    at = text.find("\n", at, at + 8) + 1
    for _ in range(MOST_LINES):
        line = STRING_LINE.match(text, at) if at else None
        if line is None:
            return
        at = line.end()
        value = line["value"]
        if is_typed(value) and not PLACEHOLDER.fullmatch(value):
            yield _span(*line.span("value"), PASSWORD)


def _literal(text: str, low: str, at: int, end: int) -> Iterator[Span]:
    match = OF_LITERAL.match(text, end)
    if match and "secret" in low[max(0, at - MADE_OF) : at] and is_typed(match["value"]):
        start, stop = match.span("value")
        yield _span(start, quoted_end(text, start, stop), PASSWORD)


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
    first = True
    for _ in range(MOST_CODES):
        between = BETWEEN_CODES.match(text, at)
        code = CODE.match(text, between.end() if between else at)
        if code is None or not any(map(str.isdigit, code[0])) or WORDED.search(code[0]):
            if first:
                far = FAR_CODES.finditer(text, end, end + FURTHEST_CODES)
                yield from (_span(*one.span("value"), PASSWORD) for one in far)
            return
        first = False
        yield _span(*code.span(), PASSWORD)
        at = code.end()


def _phrase(text: str, end: int, alone: bool) -> Iterator[Span]:
    match = WORDS_OF_WALLET.search(text, end, end + FURTHEST_WORDS)
    if match is None or (alone and not _is_alone(text, match)):
        return
    if len(set(match["value"].split())) > 10:
        yield _span(*match.span("value"), "PRIVATE_KEY")


def _is_alone(text: str, match: re.Match[str]) -> bool:
    words = re.findall(r"[a-z]+", match["value"])
    before = text[max(0, match.start() - 8) : match.start()]
    return len(words) in LENGTHS and "," not in match["value"] and ALONE.search(before) is not None


def _span(start: int, end: int, entity: str) -> Span:
    return Span(start, end, entity, 0.8, DETECTOR, Strength.PROVEN)
