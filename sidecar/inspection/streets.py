"""Street addresses by the way a country writes them: a street word, a house number, then postcode and town.

What the names model misses most (recall 0.39) follows these forms. A street word alone is not
enough: there must be a house number beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

NAME = r"[A-ZÀ-ÖØ-ÞŁŚŻŹĆ0-9][\w'’.-]{0,24}"
TOWNS = r"(?:[A-ZÀ-ÖØ-ÞŁŚŻŹĆ][\w'’.-]{0,24}|\d{1,2}(?:er?|ème)?(?![\w.,:/-]))"
TOWN = (
    rf"{NAME}(?:(?<![^\W\d_]{{3}}\.)(?<![ ][A-Z]\.)[ -]"
    rf"(?:{TOWNS}|am|an der|im|ob der|sur|sous|les|la|le|de|del|di|do|da|of|upon|the)){{0,3}}"
)
"""Up to the end of a sentence."""
NUMBER = (
    r"(?!0)\d{1,5}(?:[/-]?\d{1,4}(?!\d)|[ ]\d{1,2}(?![\d.,:]|[ -]\d))?(?:/\d{1,4}(?!\d))?"
    r"(?:[ ](?:bis|ter|quater)(?!\w)|[ /]?(?:hs|[a-zA-Z])(?!\w|\.[ ]?\d)(?:[ ]\d{1,3}(?![\w-]|[.,:]\d|[ ]\d))?)?"
    r"(?:(?<=[A-Za-z])(?:/\d{1,4}){1,2}(?![\w])|-(?:[A-Za-z]{1,3}|[IVX]{1,4})(?![\w-]))?"
)
"""`12`, `7/2`, `123 2`, `45/2/12`, `12 bis`, `45/B`, `12 A 5`, `88a/2/14`, `245-B`, `12-hs`."""
UNIT = r"(?:[, \n]{1,2}(?i:apt|apartment|suite|ste|unit|flat|room|floor|fl|bldg|building|#)\.? ?#?[\w-]{1,6})?"

WORD = r"(?=\S{0,24}?[a-zß-ÿ])[A-ZÀ-ÖØ-ÞŁŚŻŹĆ][\w'’.-]{0,24}"
"""A name that begins with a letter and is no abbreviation: "via RFC 1870" is no street in Rome."""

SUFFIXED = listed(
    "straße strasse str. weg platz allee gasse ring damm ufer chaussee steig straat laan plein gracht kade "
    "singel dijk gatan vägen gränd torget katu kuja ntie vej gade stræde allé boulevarden markt promenade steeg "
    "npolku nkaari vænget torv stigen backen "
    "dreef hof boulevard pad baan lei werf"
)
"""Compounded to the name: Hauptstraße 5, Keizersgracht 12, Storgatan 3."""
PREFIXED = listed(
    "rue avenue av. avda. boulevard bd place chemin allée impasse quai cours route calle c/ avenida avda plaza "
    "paseo camino carrer via viale piazza corso largo vicolo strada rua travessa praça estrada ul. ulica al. "
    "aleja pl. os. rynek passeig ronda rambla pasaje pasadizo callejón alameda glorieta carretera cuesta calzada "
    "circuito andador cerrada privada retorno prolongación periférico lungomare lungotevere lungarno salita traversa "
    "p.zza v.le c.so "
    "vico contrada borgo rotonda canale stretto località"
)
"""Before the name: 12 rue de la Paix, Calle Mayor 3, Via Roma 1, ul. Długa 7/2."""
ENGLISH = listed(
    "street st ave avenue road rd lane ln drive dr boulevard blvd way court ct place pl square sq terrace "
    "close crescent highway hwy parkway pkwy circle cir trail gardens grove mews row plaza loop"
)
ENGLISH_TOO = listed(
    "park cove ridge heights hill hills view crossing run path pike pass point manor meadow meadows walk green hollow "
    "landing glen knoll vista estate estates gate wharf quay rise vale mount parade esplanade common yard passage "
    "croft fields villas cottages bypass causeway expressway turnpike junction corner corners shore shores springs "
    "summit orchard valley village bridge harbor harbour forest creek station brook"
)
"""The other endings of postal services' lists; not after what may be a year ("2012 Olympic Park")."""
BOXES = listed("p.o. po_box postfach boîte_postale apartado casella_postale postbus")
UNITS = listed("apt suite")
"""Begins the line that stands between house and town in a letter's address."""
WRITTEN = {
    f" {word}": re.compile(rf" {word[0].upper()}(?:{word[1:]}|{word[1:].upper()})(?![^\W_])").finditer
    for word in (*ENGLISH, *ENGLISH_TOO)
}
"""As in an address: `Street`, `ROAD`, with the space before; `last` and `Please` hold one and are none."""
WORDS = tuple(dict.fromkeys((*SUFFIXED, *PREFIXED, *WRITTEN, *BOXES, *UNITS)))

POSTCODE = r"(?:\d\d-\d{3}|\d{4}-\d{3}|(?:[A-Z]{1,3}-)?(?:\d{3} \d\d|\d{4,5}(?:[ ]?[A-Z]{2}(?!\w))?))"
"""Of Poland, Portugal, Sweden and Greece, and of everybody else on the continent."""
LINE = r"(?:,?[ \t]{0,4}\r?\n[ \t>|+-]{0,12}|[ ]{0,2}[·•|–-][ ]{0,2}|[ ,\n]{1,3})"
"""What parts the lines of an address: the end of one (indented, quoted, in a patch), a comma, a letterhead's signs."""
AFTER = rf"(?:{LINE}{POSTCODE}[ ,]{{1,2}}{TOWN})?"
"""Postcode and town, as on the continent."""
INSIDE = (
    r"(?:(?:,?[ ]|/)(?:Appartamento|Appart(?:ement)?|App\.|Apt\.|Interno|Int\.|Interior|Scala|Piano|Depto\.|"
    r"Departamento|Edif\.|Edificio|Piso|Puerta|bus|bo[iî]te|bte|Wohnung|Whg\.|Top|TOP|Stiege|"
    r"Stg\.|Tür|m\.?|lok\.|lokal|mieszk\.|lgh|lägenhet|as\.|huis)[ ]?"
    r"\d{1,4}[A-Za-z]?(?![\w])"
    r"|,?[ ](?i:scala|esc\.|escalera|bloque|blq\.|portal|puerta|pta\.|bajo|int\.|interno)[ ]?"
    r"(?:\d{1,4}[A-Z]?|[A-Z])(?!\w)"
    r"|,?[ ](?:\d{1,2}\.|st\.?|kl\.?)[ ]?(?:sal[ .,]{0,2})?(?:tv|th|mf|t\.v|t\.h)(?![\w])\.?"
    r"|,?[ ]\d{1,2}(?:\.?[ºª°])?[ ](?:tr|vån|andar)(?![\w])\.?"
    r"|,?[ ](?:\d{1,2}\.[ ]?)?(?:OG|EG|DG|UG|HP|Stock|Etage)(?:[ ](?:links|rechts|mitte|li|re|mi)\.?)?(?![\w])){0,3}"
)
"""Flat, stair, floor, letter box behind the house number; Danish `2. tv`."""
SUFFIX_AFTER = re.compile(rf"(?:e|en)?\.?[ ]{{1,2}}{NUMBER}(?![\d.,]\d){INSIDE}{AFTER}")
OF_AFTER = re.compile(
    rf"[ ](?:(?:de[rs]|am)(?:[ ]\d{{1,2}}\.)?(?:[ ]{WORD}){{1,3}}|van(?:[ ]de[nr]?)?(?:[ ]{WORD}){{1,2}})"
    rf"[ ](?!(?:1[89]|20)\d\d(?!\d)){NUMBER}(?![\d.,]\d){INSIDE}{AFTER}"
)
"""Straße des 17. Juni 135, Allee der Kosmonauten 5, Laan van Meerdervoort 50."""
OF_WORDS = frozenset({"straße", "strasse", "allee", "platz", "ufer", "laan", "plein"})
SURE = frozenset({"straße", "strasse", "straat", "gracht", "gatan", "gasse", "allee", "laan"})
"""Compounded, with a house number, also in small letters, as messages are typed."""
AMOUNT = re.compile(r" ?(?:km|m|meters?|min|minuten|mal|uur|uhr)(?!\w)")
SEAT = frozenset({"platz", "plein"})
ARTICLE = re.compile(
    r"(?<!\w)(?:[KkSsDdMm]?ein(?:e[nmrs]?)?|d(?:er|ie|as|en|em)|(?:erst|zweit|dritt|viert|letzt)e[nmrs]?|\d+\.)[ ]$",
    re.IGNORECASE,
)
"""`der letzte Platz der Gruppe 3` is none."""
CONNECT = r"(?:de la|de los|de las|de l['’]|des|del|della|delle|dei|degli|du|de|do|da|dos|das|d['’]|the)"
PREFIX_NAME = rf"[ ]?(?:{CONNECT}[ ]?)?{WORD}(?:[ -](?:{CONNECT}[ ]?)?{NAME}){{0,4}}?"
FLOOR = (
    r"(?:,?[ ](?:-[ ])?(?:\d{1,2}[ ]?\.?[ºª°]?(?![ -]?\d{2})|r/c)"
    r"(?:[ ]?(?:[A-Z]|\d{1,2}[ ]?ª|izda|dcha|izq|der|pta|puerta|[Ee]sq|[Dd]t[oa]|[Ff]rente|[Ff]te)\.?(?![\w]))?"
    r"(?![\w]))?"
)
"""Storey and door, as in Spain: `, 6º A`, ` - 5º 2ª`, `, 1D`."""
PREFIX_AFTER = re.compile(rf"{PREFIX_NAME},?[ ](?:n[º°.]{{0,2}}[ ]?)?{NUMBER}(?![\w]){FLOOR}{INSIDE}{AFTER}")
PREFIX_NUMBERED = re.compile(rf"{PREFIX_NAME[:-1]}(?=[\s,.;:!?)\]<>\"'|\\/»”]|$){AFTER}")
NUMBER_BEFORE = re.compile(r"(?<![\w.])[0-9]{1,4}(?:[ ]?(?:bis|ter|quater|[A-Za-z](?![\w])))?,? $")
STATES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA "
    "RI SC SD TN TX UT VT VA WA WV WI WY DC"
).replace(" ", "|")
COMPASS = r"(?:NW|NE|SW|SE|[NSEW]|North|South|East|West)"
PROVINCES = r"\(?(?:AB|BC|MB|NB|NL|NS|NT|NU|ON|PE|QC|SK|YT)\)?,?[ ]{1,2}[A-Z]\d[A-Z] ?\d[A-Z]\d"
TERRITORIES = r"(?:ACT|NSW|NT|QLD|SA|TAS|VIC|WA) \d{4}"
"""Of Canada and of Australia, with their postcodes."""
ENGLISH_AFTER = re.compile(
    rf"\.?(?: {COMPASS}(?![\w]))?{UNIT}(?:(?:[, \n]{{1,3}}|{LINE}){TOWN}(?:,[ ]{NAME})?[, \n]{{1,3}}"
    rf"(?:{TERRITORIES}|{PROVINCES}|(?:{STATES})(?:[ ]\d{{5}}(?:-\d{{4}})?)?"
    r"|(?!(?:19|20)\d\d(?!\d))\d{4}(?:\d\d)?(?![\d-])"
    r"|\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}))?(?![\w])"
)
HOUSE = re.compile(
    rf"(?<![\w.])(?:(?:[Ff]lat|FLAT|[Aa]p(?:artmen)?t\.?|[Uu]nit|[Ss]uite|[Ss]tudio)[ ]#?\w{{1,4}},?[ ])?"
    rf"(\d{{1,6}}[A-Za-z]?(?:-\d{{1,4}})?)[ ](?:{COMPASS}\.?[ ])?"
    r"(?:(?:[A-Z][\w'’.-]{0,24}|\d{1,3}(?:st|nd|rd|th))[ ]){1,4}$"
)
SENTENCE_END = re.compile(r"(?!dcha|izda)[^\W\d_]{4}\.[ \n]")
"""Au cours de la guerre. En 1968 ...; but `3.º dcha.`"""
YEAR = re.compile(r"(?:1[89]|20)\d\d")
BOX_AFTER = re.compile(r"[ ]?(?:box)?[ #:.]{0,3}\d[\d ]{1,8}\d", re.IGNORECASE)
BLOCK_AFTER = re.compile(
    r"\.? ?#?\d{1,5}[A-Za-z]?,?\n(?:[^\n]{0,40}\n){0,3}[^\n\d]{2,50} \d{5}(?:-\d{4})?(?![\w-])", re.IGNORECASE
)
"""The lines after it, to one that ends with a five-digit code."""
DETECTOR = "rules/street"
REACH = 110


def streets(text: str, low: str, words: Iterable[str]) -> list[Span]:
    """`words` are those of WORDS that stand in `low`."""
    found: list[Span] = []
    for word in words:
        if word in WRITTEN:
            found += filter(None, [_english(text, match.start() + 1, match.end()) for match in WRITTEN[word](text)])
            continue
        for form in FORMS.get(word, ()):
            found += filter(None, [form(text, at, at + len(word)) for at in places(low, word)])
    return found


def _suffixed(text: str, start: int, end: int) -> Span | None:
    match = SUFFIX_AFTER.match(text, end, end + REACH) if text[end : end + 1] in (" ", ".", "e") else None
    if match is None:
        return _named_of(text, start, end)
    begin = start
    while begin and (text[begin - 1].isalpha() or text[begin - 1] in "-'’."):
        begin -= 1
    if begin == start and text[start].islower():
        return None
    begin = begin if begin < start else _word_before(text, start)
    if text[begin:end] in NO_STREETS:
        return None
    is_typed = text[start:end] in SURE and start - begin >= 3 and not AMOUNT.match(text, match.end())
    return _span(text, begin, match.end()) if text[begin].isupper() or is_typed else None


def _named_of(text: str, start: int, end: int) -> Span | None:
    if text[start:end].lower() not in OF_WORDS or not text[start].isupper() or text[start - 1 : start].isalnum():
        return None
    match = OF_AFTER.match(text, end, end + REACH)
    if match is None or (text[start:end].lower() in SEAT and ARTICLE.search(text, max(0, start - 16), start)):
        return None
    return _span(text, start, match.end())


NO_STREETS = frozenset({"Auntie", "Spring", "During", "String", "Norweg", "Bring", "Bahnhof", "Offspring",
                        "Ipad", "Notepad", "Thinkpad", "Touchpad", "Launchpad", "Keypad", "Allerlei", "Garantie",
                        "Stehplatz", "Sitzplatz", "Stellplatz", "Arbeitsplatz", "Studienplatz", "Speicherplatz",
                        "Tabellenplatz", "Listenplatz", "Startplatz", "Steckplatz", "Liegeplatz", "Ausbildungsplatz",
                        "Kitaplatz", "Therapieplatz"})  # fmt: skip


def _word_before(text: str, start: int) -> int:
    """`Alter Markt 5`, `Berliner Str. 3`: the street word stands alone, its name before it."""
    match = re.search(r"(?:[A-ZÄÖÜ][\w'’.-]{1,24}[ -]){1,2}$", text[max(0, start - 50) : start])
    return start - len(match.group()) if match else start


def _prefixed(text: str, start: int, end: int) -> Span | None:
    if (start and text[start - 1].isalnum()) or (text[end : end + 1].isalnum()):
        return None
    before = NUMBER_BEFORE.search(text[max(0, start - 14) : start])
    match = (PREFIX_NUMBERED if before else PREFIX_AFTER).match(text, end, end + REACH)
    stop = SENTENCE_END.search(match.group()) if match else None
    if match is None or (stop and not before):
        return None
    end = match.start() + stop.end() - 2 if stop else match.end()
    return _span(text, start - len(before.group()) if before else start, end)


def _english(text: str, start: int, end: int) -> Span | None:
    house = HOUSE.search(text[max(0, start - REACH) : start])
    after = ENGLISH_AFTER.match(text, end, end + REACH)
    if house is None or after is None or SENTENCE_END.search(house.group()):
        return None
    if text[start:end].lower() in ENGLISH_TOO and YEAR.fullmatch(house[1]):
        return None
    return _span(text, start - len(house.group()), after.end())


def _box(text: str, start: int, end: int) -> Span | None:
    match = BOX_AFTER.match(text, end, end + 20)
    return _span(text, start, match.end()) if match else None


def _block(text: str, start: int, end: int) -> Span | None:
    match = None if start and text[start - 1] not in "\n ,>" else BLOCK_AFTER.match(text, end, end + 2 * REACH)
    return _span(text, start, match.end()) if match else None


def _span(text: str, start: int, end: int) -> Span:
    """Without the full stop that ends the sentence."""
    end -= text[end - 1] == "."
    return Span(start, end, "STREET_ADDRESS", 0.7, DETECTOR, Strength.LIST)


FORM_WORDS = (
    (_suffixed, SUFFIXED), (_prefixed, PREFIXED), (_box, BOXES), (_block, UNITS),
)  # fmt: skip
FORMS = {word: tuple(form for form, words in FORM_WORDS if word in words) for word in WORDS}
