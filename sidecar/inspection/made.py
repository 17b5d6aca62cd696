"""Keys that no form names: what a machine made, standing by itself near a word that says that it is a key.

`I copied config/master.key there, it contains` and a line of 32 figures; `our Fastly key IafclDf... stopped working`.
Code has hashes, digests and public keys of the same looks, so a word that says so ends it, and a place in a
longer value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sidecar.inspection.context import Context
from sidecar.inspection.keywords import listed
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
PUBLIC_WORDS = frozenset(
    listed(
        "public pub pubkey publickey fingerprint thumbprint digest digests checksum checksums hash hashes hashed sha "
        "sha1 md5 integrity commit commits git revision rev etag id ids uuid guid trace span request cache build "
        "signature sig signed pgp gpg certificate cert serial address addresses contract txid transaction block "
        "docker image tag layer primary foreign idempotency partition object bucket path file files filename url "
        "pages page cursor encrypted ciphertext test tests vector vectors example nonce iv salt version lock package "
        "sample dummy fake expected assert"
    )
)
PUBLIC = Context.words(" ".join(sorted(PUBLIC_WORDS)))
CONSTANT = re.compile(r"(?<![\w.])[A-Z][A-Z0-9_]{2,40}[ \t]{0,2}[:=][ \t]{0,2}[\"']\Z")
SIGNS = re.compile(r"[_~$-]")
PREFIXED_BY = frozenset("_~$-")
WORDS = re.compile(r"[A-Z][a-z]{3,}|[a-z]{5,}")
BEHIND = re.compile(r"[ \t]{1,2}[\w*.(]")
"""A line of a log of commits, or of a list of sums of files."""
SHORTEST, LONGEST = 20, 128
PREFIX = re.compile(
    r"(?:[A-Z][A-Z0-9]{1,15}|[a-z][a-z0-9]{1,15})(?:[_~$-](?:[A-Z0-9]{1,16}|[a-z0-9]{1,16})){0,3}[_~$-]\Z"
)
"""What a service puts before its keys: `lip_`, `mdb_sa_sk_`, `AIK-`. Of one case: parts of a public key are not."""
TAIL = re.compile(r"[\w-]{1,256}(?:[.~+/:][\w-]{12,256}){0,4}={0,2}", re.ASCII)
LOWER = re.compile(r"[a-z0-9]{30,256}")
HEXES = re.compile(r"[0-9a-f]{32,256}")
FIRST = 6
"""The least of the tail's first run of letters and figures: dates and numbers of parts have shorter ones."""
SUMS = re.compile(r"sha\d{0,3}|md5|blake\w{1,4}|h1|crc\d{0,2}")
NAMED = frozenset(
    listed(
        "chatcmpl cmpl call toolu msg resp run thread asst file batch step req evt event cus ch pi in sub si price "
        "prod acct txn seti src card ba po tr wh we i vpc subnet sg ami vol snap eni rtb igw lt job task node pod css "
        "jss sc style chunk index main vendor app runtime polyfills blob data cid did urn user customer order item "
        "record row entity group team org project account device message conversation chat obj bundle session"
    )
)
"""Prefixes of what many may know: the numbers of messages, payments and machines, names of files and styles."""
DETECTOR = "rules/made"


def made(text: str, tokens: Sequence[Token], tried: Sequence[int]) -> list[Span]:
    found: list[Span] = []
    after = tried_to = 0
    for start, end, numeric in map(tokens.__getitem__, tried):
        if numeric or start < after:
            continue
        if end - start >= FIRST and start > tried_to and text[start - 1] in PREFIXED_BY:
            tried_to = _run_end(text, start)
            begin = _prefix(text, start, tried_to)
            if begin < start:
                after = tried_to
                found.append(Span(begin, tried_to, API_KEY, 0.6, DETECTOR, Strength.PROVEN))
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


def _run_end(text: str, start: int) -> int:
    """Where a key would end: what stands within is not tried again, so that cost stays in step with the text."""
    tail = TAIL.match(text, start)
    return tail.end() if tail else start


def _prefix(text: str, start: int, stop: int) -> int:
    """Where a key begins that bears its service's own prefix, and needs no word beside it; `start` if it is none."""
    head = PREFIX.search(text, max(0, start - 64), start) if stop - start >= SHORTEST and _ends(text, stop) else None
    if head is None or not (head.start() == 0 or text[head.start() - 1] in ALONE_BEFORE):
        return start
    return head.start() if _is_of_service(head[0], text[start:stop]) else start


def _ends(text: str, stop: int) -> bool:
    """Not in a name of a file: a point ends a sentence there, or nothing."""
    behind = text[stop : stop + 2]
    return not behind or (behind[0] in ALONE_BEHIND and (behind[0] != "." or not behind[1:].strip()))


def _is_of_service(head: str, tail: str) -> bool:
    pieces = SIGNS.split(head.lower())
    if not (NAMED.isdisjoint(pieces) and PUBLIC_WORDS.isdisjoint(pieces)) or any(map(SUMS.fullmatch, pieces)):
        return False
    if FALSE_SECRET.search(head + tail):
        return False
    return _is_made(tail) or (head[-1] == "_" and _is_in_one_case(tail))


def _is_in_one_case(tail: str) -> bool:
    """Figures throughout, as words and dates have not."""
    if HEXES.fullmatch(tail):
        return entropy(tail) > 3.0
    return LOWER.fullmatch(tail) is not None and len(RUN.findall(tail)) * 4 > len(tail) and entropy(tail) > 3.8


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
