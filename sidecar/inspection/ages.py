"""Ages under eighteen: said as one (`12-year-old`, `aged 13`), or of a child (`mi hija de 6 años`, `syn, 8 lat`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

YEARS = listed("year yrs jahre ans años anni jaar anos lata lat år vuotta")
"""A year in eleven languages: behind a number it may be somebody's age."""
AGE_WORDS = (*YEARS, *listed("old aged age jährig årig vuotias y/o y.o"), *(f"{digit}yo" for digit in "0123456789"))
SPELLED_WORDS = (*(f"{sign}{word}" for word in YEARS for sign in " -"), "jährig", "årig")

NUMBERS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    "|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|dreizehn|vierzehn|fünfzehn|sechzehn|siebzehn"
    "|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|dix-sept"
    "|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|dieciséis|diecisiete"
    "|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|undici|dodici|tredici|quattordici|quindici|sedici|diciassette"
    "|twee|drie|vijf|zes|zeven|negen|tien|twaalf|dertien|veertien|vijftien|zestien|zeventien"
    "|dois|duas|três|quatro|sete|oito|dez|doze|treze|quinze|dezesseis|dezasseis|dezessete|dezassete"
    "|dwa|trzy|cztery|pięć|sześć|siedem|osiem|dziewięć|dziesięć|jedenaście|dwanaście|trzynaście|czternaście|piętnaście"
    "|szesnaście|siedemnaście|två|fyra|fem|sex|sju|åtta|nio|tio|elva|tolv|tretton|fjorton|femton|sexton|sjutton"
    "|fire|seks|syv|otte|ni|ti|elleve|tretten|fjorten|seksten|sytten|kaksi|kolme|neljä|viisi|kuusi|seitsemän|kahdeksan"
)
"""Two to seventeen; all of them are under age."""
KIN = (
    "son|daughter|child|kid|boy|girl|baby|toddler|grandson|granddaughter|grandchild|nephew|niece|pupil|stepson"
    "|stepdaughter|tochter|sohn|kind|junge|mädchen|enkel(?:in)?|schüler(?:in)?|neffe|nichte|bruder|schwester"
    "|fille|fils|enfant|garçon|bébé|petite-fille|petit-fils|neveu|nièce|élève|frère|sœur|hij[oa]|niñ[oa]|chic[oa]|bebé"
    "|niet[oa]|sobrin[oa]|alumn[oa]|herman[oa]|figli[oa]|bambin[oa]|ragazzin[oa]|nipot(?:e|in[oa])|alunn[oa]|fratello"
    "|sorella|zoon(?:tje)?|dochter(?:tje)?|kindje|jongen|jongetje|meisje|kleinzoon|kleindochter|leerling|broer(?:tje)?"
    "|zus(?:je)?|filh[oa]|menin[oa]|criança|net[oa]|alun[oa]|bebê|irm[ãa]o?|syn(?:a|em|owi|ek|ka|kiem)?|córk[aięą]"
    "|córeczk[aięą]|dzieck[oau]|dzieckiem|chłopiec|chłopca|dziewczynk[aięą]|wnuk|wnuczk[aięą]|uczeń|uczennic[aę]|brat"
    "|siostra|dotter|barn|pojke|flicka|søn|datter|dreng|pige|elev|bror|syster|poika(?:ni)?|tyttö|tyttäre\\w{0,4}|tytär"
    "|lapsi|lapse\\w{0,4}|vauva|children|kids|sons|daughters|kinder|söhne|töchter|enfants|hijos|hijas|niños|figli|figlie"
    "|bambini|kinderen|filhos|crianças|dzieci"
)
LINKS = (
    "who is|who's|is|was|aged|just|only|ist|war|wird|von|mit|im alter von|gerade|erst|de|d['’]|a|qui a|âgée?s? de"
    "|que tiene|tiene|cumple|con|di|ha|che ha|è|van|met|heeft|wordt|pas|com|tem|que tem|ma|w wieku|który ma|która ma"
    "|på|är|i åldern|er|fylder|fyller|on|täyttää"
)
"""What may stand between the child and the number."""
AGE = re.compile(
    rf"(?<![\w.])(?:aged? (?:of )?:?(?P<first>\d{{1,2}})"
    r"|(?P<age>\d{1,2})[ -]?(?:years?[ -]old(?!er)|yrs?[ -]old(?!er)|y/o|y\.o|yo(?!\w)|jahre alt|jährige?[rsn]?|jaar "
    r"oud"
    r"|anos de idade|år gammal|år gammel|årig[ae]?|-?vuotias)"
    rf"|(?P<spelled>{NUMBERS})(?:[ -]years?[ -]old(?!er)|jährige?[rsn]?|årig[ae]?)"
    r"|(?:âgée?s? de|enfant de|fille de|garçon de|fils de|edad de|niñ[oa] de|tiene|di|ha|bambin[oa] di|wieku|ma) "
    r"(?P<said>\d{1,2}) (?:ans|años|anni|lat)(?![\w]))"
)
"""Of lower-case text, as AGED and OF_A_CHILD are: to pass over a hundred words without regard to case takes ten times
as long."""
SIBLING = rf"\d{{1,2}}(?: (?i:{'|'.join(YEARS)})s?)?(?:,|,? (?:und|and|et|y|e|en|i)) "
"""Of several children each has an age: `(12 Jahre, 9 Jahre)`."""
OF_A_CHILD = re.compile(rf"(?<!\w)(?={KIN})")
OF_CHILD = re.compile(
    rf"(?i:{KIN})(?:[ ,(:–-]{{1,3}}(?:(?i:{LINKS})|[A-ZÀ-ÖØ-ÞŁŚŻŹĆ][\w'’-]{{1,15}})(?!\w)){{0,5}}"
    rf"[ ,(:–-]{{1,3}}(?:{SIBLING}){{0,4}}"
    rf"(?P<age>\d{{1,2}}|(?i:{NUMBERS}))[ -]?$"
)
NO_AGE = re.compile(
    r" (?:ago|older|younger|later|of(?! age)|in|after|älter|jünger|lang|später|nach|Erfahrung|d['’]exp|de exp|de plus"
    r"|de moins|de retard"
    r"|más|menor|mayor|después|di esp|più|fa|ouder|jonger|geleden|later|ervaring|mais|atrás|depois|starsz|młodsz|temu"
    r"|äldre|yngre|sedan|ældre|siden|sitten)",
    re.IGNORECASE,
)
"""`my son has 5 years of experience`, `her daughter, 3 years older`."""
AGED = re.compile(r"aged? |\d[ -]{0,2}[yjaåvl]|[ -]years?[ -]old|jährig|årig")
"""Stands wherever AGE matches, and costs a fraction of it: `ans` and `lat` are part of many a name."""
DIGIT = re.compile(r"\d")
NUMBER_WORDS = frozenset(NUMBERS.split("|"))
END = re.compile(r"[sn]?(?!\w)")
SPACES = (" ", "-", "\u00a0")
REACH = 20
CHILD_REACH = 60
OF_AGE = 18
DETECTOR = "rules/person-facts"


def ages(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of AGE_WORDS that stand in `low`."""
    for word in set(words).intersection(AGE_WORDS):
        of_years = word in YEARS
        for at in places(low, word):
            yield from _said(low, at)
            if of_years and text[at - 1 : at] in SPACES and text[at - 2 : at - 1].isdigit():
                yield from _of_child(text, low, at, at + len(word))


def spelled_ages(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """Ages in words (`five-year-old`); `words` are those of SPELLED_WORDS that stand in `low`."""
    for word in set(words).intersection(SPELLED_WORDS):
        for at in places(low, word):
            if _word_before(low, at) in NUMBER_WORDS:
                yield from _said(low, at, digits=False)
                if word[0] in SPACES:
                    yield from _of_child(text, low, at + 1, at + len(word))


def _word_before(low: str, at: int) -> str:
    return low[max(0, at - REACH) : at].replace("-", " ").rpartition(" ")[2].lstrip("(\"'„“")


def _said(low: str, at: int, *, digits: bool = True) -> Iterator[Span]:
    """Around one of the words: the number stands just before or just after it."""
    start, end = max(0, at - REACH), at + REACH
    is_likely = not digits or (AGED.search(low, start, end) and DIGIT.search(low, start, end))
    match = AGE.search(low, start, end) if is_likely else None
    if match and _is_minor(match["age"] or match["first"] or match["said"] or match["spelled"]):
        yield _span(*match.span())


def _of_child(text: str, low: str, at: int, end: int) -> Iterator[Span]:
    children = OF_A_CHILD.finditer(low, max(0, at - CHILD_REACH), at)
    match = next(filter(None, (OF_CHILD.match(text, child.start(), at) for child in children)), None)
    tail = END.match(text, end) if match else None
    if match and tail and _is_minor(match["age"]) and not NO_AGE.match(text, tail.end()):
        yield _span(match.start("age"), tail.end())


def _is_minor(age: str) -> bool:
    return not age.isdigit() or int(age) < OF_AGE


def _span(start: int, end: int) -> Span:
    return Span(start, end, "MINOR", 0.6, DETECTOR, Strength.LIST)
