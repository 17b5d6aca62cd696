"""Dates of birth, and machine-readable zones of travel documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.columns import below, is_heading
from sidecar.inspection.context import Context
from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tables import is_table
from sidecar.inspection.tokens import places

BIRTH_WORDS = (
    *listed(
        "born birth birthday birthdate dateofbirth dob d.o.b bday b-day geboren geburtsdatum geburtstag geb. geb: "
        "geb_am "
        "geb-dat gebdat gebdatum née né_le né(e né/e né·e né-e naissance datenaissance datenaiss naiss. "
        "nacido nacida nacimiento fechanacimiento fechanac nac. f.nac f_nac fnac ddn nasc. data_nasc dtnasc "
        "nació nací_el cumpleaños nato_il nata_il nato_a nata_a nato/a nata/o nato(a n._il nascita datanascita "
        "compleanno geboortedatum geboorte verjaardag nascido nascida nascimento datanascimento nasci_a nasci_em "
        "nasceu "
        "aniversário_em urodz ur. dataurodzenia född födelse fodelsedatum syntynyt synty synny synt. født fødsels "
        "foedsels "
        "fodselsdato anniversaire d.n. d._n."
    ),
    *(f"{word}{end}" for word in ("geb", "nac", "nasc", "naiss") for end in ('"', "'", "`", "=", " =", "<", ">")),
    *("data_nasc", "dt_nasc", "fecha_nac", "f_nac", "data_ur", "geb_datum", "date_naiss"),
)
DAYS = tuple("0123")
SIGNS = tuple(
    f"{sign}{space}{digit}"
    for sign, spaces in (
        ("s.", ("", " ")),
        ("f.", ("", " ")),
        ("b.", (" ",)),
        ("geb", (" ",)),
        ("*", ("", " ")),
        ("nata", (" ",)),
        ("nato", (" ",)),
    )
    for space in spaces
    for digit in DAYS
)
"""One letter or a star for birth, as genealogists, Finns, Swedes and Danes write it, and words which alone are none,
with the day's first digit."""
WORDS = (*BIRTH_WORDS, *SIGNS, "<<")

HEADINGS = Context.of(
    *listed(
        "birth birthday birthdate dateofbirth dob bday geburtsdatum geburtstag geboren geb gebdat gebdatum naissance"
        " datenaissance datenaiss naiss nacimiento fechanacimiento fechanac nac fnac nascita datanascita geboortedatum"
        " geboorte nascimento datanascimento nasc dtnasc urodzenia dataurodzenia ur född födelsedatum fodelsedatum"
        " födelsedag syntymäaika syntymäpäivä synt født fødselsdato fødselsdag fodselsdato birth_date né_le née_le"
        " né_e_le born nato_il nata_il d_n ddn d_o_b"
    )
)
"""Words over a table's column of dates of birth."""

MONTHS = "|".join(
    sorted(
        listed(
            "january february march april may june july august september october november december "
            "jan feb mar apr jun jul aug sep sept oct nov dec "
            "januar jänner februar feber märz mrz juni juli oktober okt dezember dez "
            "janvier janv février fevrier févr fév mars avril avr mai juin juillet juil août aout septembre octobre "
            "novembre décembre decembre déc "
            "enero ene febrero marzo abril abr mayo junio julio agosto ago septiembre setiembre octubre noviembre "
            "diciembre dic "
            "gennaio gen febbraio aprile maggio mag giugno giu luglio lug settembre set ottobre ott dicembre "
            "januari februari maart mrt mei augustus "
            "janeiro fevereiro fev março junho julho setembro outubro out novembro dezembro "
            "stycznia styczeń sty lutego luty lut marca marzec kwietnia kwiecień kwi maja maj czerwca czerwiec cze "
            "lipca lipiec lip sierpnia sierpień sie września wrzesień wrz października październik paź listopada "
            "listopad lis grudnia grudzień gru "
            "augusti marts desember "
            "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta "
            "lokakuuta marraskuuta joulukuuta"
        ),
        key=len,
        reverse=True,
    )
)
MONTH = rf"(?=[^\W\d_])(?:{MONTHS})\.?"
YEAR = r"(?:19|20)\d\d"
DAY = r"(?:3[01]|[12]\d|0?[1-9])"
NUMBER = r"(?:1[0-2]|0?[1-9])"
ORDINAL = r"(?:st|nd|rd|th|er|ère|e|ste|de|:[ae]|-?go|\.?[º°ª]|\.)"
TIME = r"(?:(?:T\d\d:?\d\d(?::?\d\d)?| \d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?"
"""Behind an ISO date, as JSON and databases write a day."""
DATE = re.compile(
    rf"(?<![\w/.-])(?:{YEAR}(?:0[1-9]|1[0-2])(?:3[01]|[12]\d|0[1-9])"
    rf"|{YEAR}(?:[-./]|[./,] ){NUMBER}(?:[-./]|[./,] ){DAY}{TIME}"
    rf"|{DAY}[-./ ]{{1,3}}{DAY}[-./ ]{{1,3}}(?:{YEAR}|['’]?\d\d)(?: \d\d:\d\d:\d\d)?"
    rf"|{DAY}{ORDINAL}?[ ./-]{{0,2}}(?:de |of |d['’])?{MONTH},?[ ./-]{{0,2}}(?:de |del |of )?(?:{YEAR}|['’]?\d\d)"
    rf"|{DAY}[. /-]{{1,2}}(?:I{{1,3}}|IV|VI{{0,3}}|IX|XI{{0,2}})[. /-]{{1,2}}{YEAR}"
    rf"|{YEAR}[ ,-]{{1,2}}{MONTH}[ -]{DAY}"
    rf"|{MONTH}[ -](?:the )?{DAY}(?:st|nd|rd|th)?,? ?{YEAR})(?![\w/-]|\.\d)",
    re.IGNORECASE,
)
DIGITS_FIRST = re.compile(rf"(?<![\w/.-])(?=\d)(?:{DATE.pattern})", re.IGNORECASE)
SHORT = re.compile(
    rf"[\"'”]?[ :=;,]{{0,3}}[\"']?(?:den )?(?P<date>\d\d(?:0[1-9]|1[0-2])(?:3[01]|[12]\d|0[1-9])"
    rf"|(?:3[01]|[12]\d|0[1-9])(?:0[1-9]|1[0-2])(?:{YEAR}|\d\d))(?![\w.,/-]*\d)(?!\w)"
)
"""Digits alone, right behind the word: YYMMDD, DDMMYY, DDMMYYYY."""
BEFORE = re.compile(
    rf"(?:am|op|den|dnia|vom|dne|r\.|le|il|el|on) (?P<date>{DATE.pattern})(?: ?r\.)?[^\d.;!?\n]{{0,40}}$", re.IGNORECASE
)
"""`ich bin am 3.5.1990 in Ulm geboren`."""
CLOSING = ("geboren", "urodz", "född", "født", "syntynyt")
DIGIT = re.compile(r"\d")
AFTER_WORD = 48
BEFORE_WORD = 72
MISREAD = re.compile(r"(?<=[ :])[0-9OolI]{1,2}([./-])[0-9OolI]{1,2}\1[0-9OolI]{2,4}(?![^\W_])")
READ = str.maketrans("OolI", "0011")
"""What character recognition takes digits for."""
SIGN_FOLLOWS = re.compile(rf"(?:{DATE.pattern})(?P<star>\*)?", re.IGNORECASE)
DAY_FIRST = re.compile(rf"{DAY}\D")
MRZ = re.compile(r"[PIACV][A-Z<][A-Z][A-Z<]{2}[A-Z0-9<]{25,39}\s{1,2}[A-Z0-9<]{30,44}(?:\s{1,2}[A-Z0-9<]{30})?")
"""ICAO Doc 9303: TD3 two lines of 44, TD2 two of 36, TD1 three of 30."""
DETECTOR = "rules/person-facts"


def dates(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`."""
    present = set(words)
    births = present.intersection(BIRTH_WORDS)
    for word in births:
        for at in places(low, word):
            yield from _births(text, at, at + len(word), closes=word in CLOSING)
    if births and is_table(text):
        named = sorted(at for word in births for at in places(low, word))
        for match in below(text, named, HEADINGS, DIGITS_FIRST):
            yield _made(*match.span())
    for sign in present.intersection(SIGNS):
        for at in places(low, sign):
            yield from _signed(text, at, at + len(sign) - 1)
    if "<<" in present:
        for match in MRZ.finditer(text):
            yield Span(*match.span(), "PASSPORT_MRZ", 1.0, DETECTOR, Strength.PROVEN)


def _births(text: str, start: int, end: int, *, closes: bool) -> Iterator[Span]:
    if start and text[start - 1].isalpha() and text[start].islower():
        return
    span = _after(text, end)
    if span and is_heading(text, start, span.start):
        return  # what stands below it is found there
    if span is None and closes:
        span = _span(BEFORE.search(text, max(0, start - BEFORE_WORD), start))
    if span:
        yield span


def _after(text: str, end: int) -> Span | None:
    """The next date: the word may stand in the middle of a label ("Date of birth (DD/MM/YYYY): ")."""
    if not DIGIT.search(text, end, end + AFTER_WORD):
        return None
    short = SHORT.match(text, end, end + AFTER_WORD)
    if short:
        return _span(short)
    match = DATE.search(text, end, end + AFTER_WORD)
    if match is None:
        match = MISREAD.search(text, end, end + AFTER_WORD)
        if match and not DATE.fullmatch(match.group().translate(READ)):
            return None
    if match is None or "\n\n" in text[end : match.start()] or text[match.end() : match.end() + 1].isalnum():
        return None
    return _made(*match.span())


def _signed(text: str, start: int, date: int) -> Iterator[Span]:
    """A sign alone is weak: the date stands at once behind it, written day first, and the sign begins no list item."""
    match = SIGN_FOLLOWS.match(text, date, date + AFTER_WORD)
    if match is None or not DAY_FIRST.match(text, date) or match["star"] or not _is_sign(text, start, date):
        return
    yield _made(date, match.end())


def _is_sign(text: str, start: int, date: int) -> bool:
    before = text[max(0, start - 2) : start]
    if text[start] != "*":
        if text.startswith("NATO", start):
            return False
        return not before[-1:].isalnum() and before[-1:] not in (".", "_", "-", "/")
    if date > start + 1:  # `Anna Müller, * 12.03.1985`; at the beginning of a line it is a list item
        return before[-1:] in ("(", ",", ";") or (before[-1:] == " " and before[:1] not in ("", " ", "\n", "*", "\t"))
    return before[-1:] in ("", "(", ",", ";", " ", "\n")


def _span(match: re.Match[str] | None) -> Span | None:
    return _made(*match.span("date")) if match else None


def _made(start: int, end: int) -> Span:
    return Span(start, end, "DATE_OF_BIRTH", 0.85, DETECTOR, Strength.PROVEN)
