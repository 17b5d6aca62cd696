"""Numbers and e-mail addresses in words, as transcripts of calls have them: "my number is two one two five five five
oh one eight three", "j dot smith at gmail dot com".

Six figures or more in a row, said one by one, are a number that somebody dictates, and no counting up or down.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

from sidecar.inspection.checksums import luhn
from sidecar.inspection.keywords import listed
from sidecar.inspection.phone_words import SPOKEN
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

FIGURES = tuple(
    dict(zip(listed(words), digits, strict=True))
    for words, digits in (
        ("zero oh nought one two three four five six seven eight nine", "000123456789"),
        ("null eins zwei zwo drei vier fünf sechs sieben acht neun", "01223456789"),
        ("zéro un deux trois quatre cinq six sept huit neuf", "0123456789"),
        ("cero uno dos tres cuatro cinco seis siete ocho nueve", "0123456789"),
        ("zero uno due tre quattro cinque sei sette otto nove", "0123456789"),
        ("nul een één twee drie vier vijf zes zeven acht negen", "01123456789"),
        ("zero um dois três quatro cinco seis meia sete oito nove", "01234566789"),
        ("zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć", "0123456789"),
        ("noll ett två tre fyra fem sex sju åtta nio", "0123456789"),
    )
)
"""By language: English, German, French, Spanish, Italian, Dutch, Portuguese, Polish, Swedish."""
TIMES = {"double": 2, "triple": 3}
FEWEST = 6
STARTS = tuple(dict.fromkeys((*(word for figures in FIGURES for word in figures), *TIMES)))
TEENS = listed("dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf")
UNITS = listed("_ un deux trois quatre cinq six sept huit neuf")
TENS = {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "quatre-vingt": 80}
FRENCH = {
    **{said: str(10 + number) for number, said in enumerate(TEENS)},
    **{f"{ten}{joint}{unit}": str(value + number) for ten, value in TENS.items() for joint in ("-", " et ", " ")
       for number, unit in enumerate(UNITS) if number},
    **{f"{ten}{joint}{said}": str(value + 10 + number) for ten, value in TENS.items() if value in (60, 80)
       for joint in ("-", " et ", " ") for number, said in enumerate(TEENS)},
    **{said: str(value) for ten, value in TENS.items() for said in (ten, f"{ten}s")},
}  # fmt: skip
"""In France a number is dictated in pairs: zéro six, douze, trente-quatre."""
TABLES = tuple({**figures, **FRENCH} if "zéro" in figures else figures for figures in FIGURES)
SAID = tuple("|".join(sorted(table, key=len, reverse=True)) for table in TABLES)
"""The longest first: `quatre-vingt-six` begins with a four."""
RUNS = tuple(
    re.compile(rf"(?:{said})(?!\w)(?:[ ,.…-]{{1,4}}(?:{said})(?!\w)){{{FEWEST - 2},}}")
    for said in (rf"(?:(?:{'|'.join(TIMES)}) )?(?:{figures})" for figures in SAID)
)
EACH = tuple(re.compile(rf"(?:{'|'.join(TIMES)}|{said})(?!\w)") for said in SAID)
AT_SIGNS = listed("at ät arobase arroba chiocciola apenstaartje małpa snabel-a")
DOT = r"(?:dot|punkt|point|punto|punt|ponto|kropka)"
JOINED = rf"(?:{DOT}|underscore|unterstrich|dash|hyphen|minus|tiret|guion|trattino)"
ENDS = r"(?:com|net|org|edu|gov|info|biz|io|co|de|fr|es|it|nl|pt|pl|se|uk|at|ch|be|eu|ie|dk|no|fi|us|ca)"
HOST = re.compile(rf"[ ]\w{{1,30}}(?: {JOINED} \w{{1,30}}){{0,3}} {DOT} {ENDS}(?: {DOT} {ENDS})?(?!\w)")
MAILBOX = re.compile(rf"(?<!\w)(?:\w{{1,30}} {JOINED} ){{0,4}}(?P<last>\w{{1,30}})[ ]$")
NO_MAILBOX = frozenset(listed("look looking us me it you find visit found available is are shop online up site page"))
"""`find us at example dot com` is a site."""
LONGEST = 140
WORDS = (*STARTS, *(f" {sign} " for sign in AT_SIGNS))
TYPES = ("EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "CUSTOMER_NUMBER")
DETECTOR = "rules/spoken"


def spoken(_text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    present = frozenset(words)
    yield from _numbers(low, present)
    for word in present:
        for at in places(low, word) if word not in STARTS else ():
            host = HOST.match(low, at + len(word) - 1)
            mailbox = MAILBOX.search(low, max(0, at + 1 - LONGEST), at + 1) if host else None
            if host and mailbox and mailbox["last"] not in NO_MAILBOX:
                yield Span(mailbox.start(), host.end(), "EMAIL_ADDRESS", 0.7, DETECTOR, Strength.PROVEN)


def _numbers(low: str, words: frozenset[str]) -> Iterator[Span]:
    languages = [at for at, figures in enumerate(FIGURES) if len(words & figures.keys()) > 1]
    first = words.intersection(chain(TIMES, *(FIGURES[at] for at in languages)))
    after = 0
    for at in sorted(at for word in first for at in places(low, word)):
        if at < after or low[at - 1 : at].isalnum():
            continue
        for language in languages:
            match = RUNS[language].match(low, at)
            digits = _digits(match.group(), language) if match else ""
            if match and len(digits) >= FEWEST:
                after = match.end()
                if not _is_counted(digits):
                    yield Span(at, after, _entity(low, at, after, digits), 0.6, DETECTOR)
                break


def _digits(said: str, language: int) -> str:
    digits, times = "", 1
    for word in EACH[language].findall(said):
        digits += TABLES[language].get(word, "") * times
        times = TIMES.get(word, 1)
    return digits


def _is_counted(digits: str) -> bool:
    """Up or down by the same step, as who counts, or one figure all over."""
    return len({(int(right) - int(left)) % 10 for left, right in pairwise(digits)}) == 1


def _entity(low: str, start: int, end: int, digits: str) -> str:
    if 13 <= len(digits) <= 19 and luhn(digits):
        return "CREDIT_CARD"
    return "PHONE_NUMBER" if SPOKEN.near(low, start, end) else "CUSTOMER_NUMBER"
