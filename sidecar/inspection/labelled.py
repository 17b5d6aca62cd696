"""Numbers told by the word right before them, in spellings that begin at no token of a rule: plates in lower case
("kennzeichen: kn-ab123"), and the series of Polish documents with a word in its midst ("seria CEL nr 945553").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.checksums import compact
from sidecar.inspection.national_checks import pl_id_card, pl_passport
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

IS = (
    r"[a-zà-ÿ]{0,5}(?:[ _-]?(?:nr|no|number|nummer|num[eé]ro|número|n[°º]))?\.?[ :=\"'\t]{1,4}"
    r"(?:(?:is|ist|lautet|war|est|è|es)[ :]{1,2})?"
)
"""From the word to its number, an ending of the word included."""
GERMAN = r"[a-zäöü]{1,3}-[a-z]{1,2}[- ]?\d{1,4}[eh]?"
"""With its hyphen: `kennzeichen von ab 2015` names none."""
AUSTRIAN = r"[a-z]{1,2}-\d{1,5}[a-z]{1,3}"
SYSTEM = r"[a-hj-np-tv-z]{2}(?P<mark>-?)\d{3}(?P=mark)[a-hj-np-tv-z]{2}"
"""Of France since 2009 and of Italy since 1994."""
DUTCH = r"(?=[\d-]{0,8}[a-z])(?=[a-z-]{0,8}\d)(?:[a-z0-9]{1,3}-[a-z0-9]{2,3}-[a-z0-9]{1,3}|[a-z0-9]{6})"
BELGIAN = r"\d(?P<mark>-?)[a-z]{3}(?P=mark)\d{3}"
SPANISH = r"\d{4}[ -]?[b-df-hj-npr-tv-z]{3}"


def _after(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"{IS}(?P<value>{pattern})(?![^\W_])", re.IGNORECASE)


DE, AT = ("DE_KFZ", _after(GERMAN)), ("AT_LICENSE_PLATE", _after(AUSTRIAN))
FR, IT = ("FR_LICENSE_PLATE", _after(SYSTEM)), ("IT_LICENSE_PLATE", _after(SYSTEM))
NL, BE = ("NL_LICENSE_PLATE", _after(DUTCH)), ("BE_LICENSE_PLATE", _after(BELGIAN))
ES = ("ES_LICENSE_PLATE", _after(SPANISH))
PLATES = {
    "kennzeichen": (DE, AT),
    "nummernschild": (DE, AT),
    "immatricul": (FR, BE),
    "targa": (IT,),
    "kenteken": (NL,),
    "nummerplaat": (BE, NL),
    "matrícula": (ES,),
    "matricula": (ES,),
}
"""By word: whose plates it means."""
SERIES = ("seria", "serii")
DOCUMENT = re.compile(
    r"(?: i (?:nr|numer))?[ :.,]{1,3}(?P<value>(?P<letters>[a-z]{2,3})[ ,]{0,2}(?:(?:nr|numer)[ :.]{1,3})?"
    r"(?P<digits>\d{6,7}))(?![^\W_])",
    re.IGNORECASE | re.ASCII,
)
DOCUMENTS = {(3, 6): ("PL_ID_CARD", pl_id_card), (2, 7): ("PL_PASSPORT", pl_passport)}
"""By the numbers of letters and digits."""
WORDS = (*PLATES, *SERIES)
TYPES = tuple({entity for plates in PLATES.values() for entity, _ in plates} | {name for name, _ in DOCUMENTS.values()})
SCORE = 0.6
DETECTOR = "rules/labelled"


def labelled(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        for at in places(low, word):
            yield from _document(text, at + len(word)) if word in SERIES else _plates(text, word, at + len(word))


def _plates(text: str, word: str, end: int) -> Iterator[Span]:
    for entity, pattern in PLATES[word]:
        match = pattern.match(text, end)
        if match is not None:
            yield Span(*match.span("value"), entity, SCORE, DETECTOR, Strength.PROVEN)


def _document(text: str, end: int) -> Iterator[Span]:
    """Letters and digits whose check digit is right."""
    match = DOCUMENT.match(text, end)
    kind = match and DOCUMENTS.get((len(match["letters"]), len(match["digits"])))
    if match and kind and kind[1](compact(match["letters"] + match["digits"])):
        yield Span(*match.span("value"), kind[0], SCORE, DETECTOR, Strength.PROVEN)
