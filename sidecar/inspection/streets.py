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
    rf"(?:(?:am|an|der|im|ob|vorm|bei|bij|aan|den|sur|sous|l[aeo]s?|del|de|della|di|dos?|da|of|upon|the)[ -]){{0,2}}"
    rf"(?:[dl]['’])?{TOWNS}){{0,3}}"
)
"""Up to the end of a sentence."""
NUMBER = (
    r"(?!0)\d{1,5}(?:[/-]?\d{1,4}(?!\d)|[ ]\d{1,2}(?![\d.,:]|[ -]\d))?(?:/\d{1,4}(?!\d))?"
    r"(?:[ ](?:bis|ter|quater)(?!\w)|[ /]?(?:hs|[a-zA-Z])(?!\w|\.[ ]?\d)(?:[ ]\d{1,3}(?![\w-]|[.,:]\d|[ ]\d))?)?"
    r"(?:(?<=[A-Za-z])(?:/\d{1,4}){1,2}(?![\w])|-(?:[A-Za-z]{1,3}|[IVX]{1,4})(?![\w-]))?"
)
"""`12`, `7/2`, `123 2`, `45/2/12`, `12 bis`, `45/B`, `12 A 5`, `88a/2/14`, `245-B`, `12-hs`."""
UNIT = (
    r"(?:[, \n]{1,2}(?:(?i:apt|apartment|suite|ste|unit|flat|room|floor|fl|bldg|building|#)\.? ?(?:(?i:no)\. ?)?#?"
    r"(?:[A-Za-z-]{0,3}\d[\w-]{0,5}|[A-Z])(?!\w)"
    r"|(?i:\d{1,2}(?:st|nd|rd|th)|ground|top|first|second|third|fourth|fifth|sixth) (?i:floor|fl)(?!\w)))?"
)
"""`, FLUSHING` is a town, and no floor."""

WORD = r"(?=\S{0,24}?[a-zß-ÿ])[A-ZÀ-ÖØ-ÞŁŚŻŹĆ][\w'’.-]{0,24}"
"""A name that begins with a letter and is no abbreviation: "via RFC 1870" is no street in Rome."""

SUFFIXED = listed(
    "straße strasse str. weg platz allee gasse ring damm ufer chaussee steig straat laan plein gracht kade "
    "singel dijk gatan vägen gränd torget katu kuja ntie vej gade stræde allé boulevarden markt promenade steeg "
    "polku bulevardi nkaari vænget torv stigen backen "
    "dreef hof boulevard pad baan lei werf"
)
"""Compounded to the name: Hauptstraße 5, Keizersgracht 12, Storgatan 3."""
PREFIXED = listed(
    "rue avenue av. avda. boulevard bd place chemin allée impasse quai cours route calle c/ avenida avda plaza "
    "paseo camino carrer via viale piazza corso largo vicolo strada rua travessa praça estrada ul. ulica al. "
    "aleja pl. os. rynek passeig ronda rambla pasaje pasadizo callejón alameda rúa glorieta carretera cuesta calzada "
    "circuito andador cerrada privada retorno prolongación periférico lungomare lungotevere lungarno salita traversa "
    "p.zza v.le c.so "
    "vico contrada borgo rotonda canale stretto località incrocio av_ plac aleje faubourg ruelle cité "
    "acceso cañada urbanización vial ctra. travesía praceta beco"
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
ENGLISH_RARE = listed(
    "alley arcade bluff canyon cliff crest divide extension freeway gateway inlet island motorway mountain overpass "
    "prairie ramp ranch rapids roads shoal skyway squares stravenue streets throughway trafficway underpass viaduct "
    "villages wynd drove"
)
"""What else ends a street's name there; only before a flat's number, or a town with its postcode."""
BOXES = listed("p.o. po_box postfach boîte_postale apartado casella_postale postbus")
UNITS = listed("apt suite")
"""Begins the line that stands between house and town in a letter's address."""
WRITTEN = {
    f" {word}": re.compile(
        rf" {word[0].upper()}(?:{word[1:]}|{word[1:].upper()}){'[sS]?' if word in ENGLISH_RARE else ''}(?![^\W_])"
    ).finditer
    for word in (*ENGLISH, *ENGLISH_TOO, *ENGLISH_RARE)
}
"""As in an address: `Street`, `ROAD`, with the space before; `last` and `Please` hold one and are none."""
WORDS = tuple(dict.fromkeys((*SUFFIXED, *PREFIXED, *WRITTEN, *BOXES, *UNITS)))

POSTCODE = r"(?:\d\d-\d{3}|\d{4}-\d{3}|(?:[A-Z]{1,3}-)?(?:\d{3} \d\d|\d{4,5}(?:[ ]?[A-Z]{2}(?!\w))?))"
"""Of Poland, Portugal, Sweden and Greece, and of everybody else on the continent."""
LINE = r"(?:,?[ \t]{0,4}\r?\n[ \t>|+-]{0,12}|[ ]{0,2}[·•|–-][ ]{0,2}|[ ,\n]{1,3})"
"""What parts the lines of an address: the end of one (indented, quoted, in a patch), a comma, a letterhead's signs."""
PLACE = rf"{POSTCODE}(?:[ ,]{{1,2}}|,?\r?\n){TOWN}(?:[ ]?\([A-Z]{{2}}\))?"
AFTER = rf"(?:{LINE}{PLACE})?"
"""Postcode and town, as on the continent, on one line or on two; `(MI)` is a province of Italy."""
TOWN_FIRST = rf"{LINE}{TOWN},[ ]\d{{5}}(?![\w-])"
"""`Calle Mayor 5, Sevilla, 41001`."""
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
SUFFIX_AFTER = re.compile(rf"(?:e|en)?\.?[ ]{{1,2}}(0(?=[1-9]\d?(?!\d)))?{NUMBER}(?![\d.,]\d){INSIDE}{AFTER}")
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
CONNECT = (
    r"(?:de la|de los|de las|de l['’]|des|del|della|delle|dei|degli|dell['’]|du|de|di|do|da|dos|das|d['’]|à la|aux|au"
    r"|the)"
)
PREFIX_NAME = rf"[ ]?(?:{CONNECT}[ ]?)?{WORD}(?:[ -](?:{CONNECT}[ ]?)?{NAME}){{0,4}}?"
FLOOR = (
    r"(?:,?[ ](?:-[ ])?(?:\d{1,2}[ ]?\.?[ºª°]?(?![ -]?\d{2})|r/c)"
    r"(?:[ ]?(?:[A-Z]|\d{1,2}[ ]?ª|izda|dcha|izq|der|pta|puerta|[Ee]sq|[Dd]t[oa]|[Ff]rente|[Ff]te)\.?(?![\w]))?"
    r"(?![\w]))?"
)
"""Storey and door, as in Spain: `, 6º A`, ` - 5º 2ª`, `, 1D`."""
PREFIX_AFTER = re.compile(
    rf"{PREFIX_NAME},?[ ](?:(?:n[º°.]{{0,2}}[ ]?)?{NUMBER}|[sS]/[nN])(?![\w]){FLOOR}{INSIDE}"
    rf"(?:{TOWN_FIRST}|{AFTER})"
)
PREFIX_PLACE = re.compile(rf"{PREFIX_NAME}{LINE}(?=\d{{5}}(?!\d)){PLACE}")
"""`rue de Bourdon, 39247 Dole`: the house has no number, or none that is told."""
PREFIX_NUMBERED = re.compile(rf"{PREFIX_NAME[:-1]}(?=[\s,.;:!?)\]<>\"'|\\/»”]|$){AFTER}")
LOWER_NUMBERED = re.compile(
    r"[ ](?:(?:de la|de l['’]|des|du|de|d['’]|aux)[ ]?)(?:[\wÀ-ÿ'’-]{2,24})(?:[ -][\w'’-]{2,24}){0,4}?"
    rf"{LINE}(?=\d{{5}}(?!\d)){PLACE}"
)
"""`12 rue des lilas, 75011 Paris`, as it is typed."""
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
    rf"\.?(?: {COMPASS}(?![\w]))?{UNIT}"
    rf"(?:(?:[, \n]{{1,3}}|{LINE}){TOWN}(?:[ ]\d{{1,2}}(?=,))?(?:,[ ]{NAME})?[, \n]{{1,3}}"
    rf"(?:{TERRITORIES}|{PROVINCES}|(?:{STATES})(?:[ ]\d{{5}}(?:-\d{{4}})?)?"
    r"|(?!(?:19|20)\d\d(?!\d))\d{4}(?:\d\d)?(?![\d-])"
    r"|\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[\dW] ?[A-Z\d]{4}))?(?![\w])"
)
HOUSE = re.compile(
    rf"(?<![\w.])(?:(?:[Ff]lat|FLAT|[Aa]p(?:artmen)?t\.?|[Uu]nit|[Ss]uite|[Ss]tudio)[ ]"
    rf"#?(?:\w{{0,3}}\d\w{{0,2}}|[A-Z]),?[ ])?"
    rf"(\d{{1,6}}[A-Za-z]?(?:-\d{{1,4}})?)[ ](?:{COMPASS}\.?[ ])?"
    r"(?:(?:[A-Z][\w'’.-]{0,24}|\d{1,3}(?:st|nd|rd|th|ST|ND|RD|TH))[ ]){1,4}$"
    r"|(?<![\w.])(?:Flat|FLAT|Ap(?:artmen)?t\.?|Unit|Studio)[ ]#?(?:\d{1,4}[A-Za-z]?|[A-Z]),?[ \n]"
    r"(?:[A-Z][\w'’.-]{0,24}[ ]){1,3}$"
)
"""`221B Baker `, `Flat 3, Victoria `."""
TOLD = re.compile(r"\d[ ]?[A-Z]{2}$|\d{5}$|\d{5}-\d{4}$|^[, ]{1,2}(?i:apt|apartment|suite|ste|unit)\b")
"""A flat, or a town with its postcode."""
TOLD_AT_ALL = re.compile(
    r"[A-Z]{2} \d{5}(?!\d)|\d ?[A-Z]{2}(?!\w)|[ \n](?:Apt|APT|Suite|SUITE|Ste|STE|Unit|UNIT)(?!\w)"
)
RARE = frozenset(f" {word}" for word in ENGLISH_RARE)
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
    is_told: bool | None = None
    for word in words:
        if word in WRITTEN:
            if word in RARE and is_told is None:
                is_told = TOLD_AT_ALL.search(text) is not None
            if word in RARE and not is_told:
                continue
            found += filter(None, [_english(text, match.start() + 1, match.end()) for match in WRITTEN[word](text)])
            continue
        for form in FORMS.get(word, ()):
            found += filter(None, [form(text, at, at + len(word)) for at in places(low, word)])
    return found


def _suffixed(text: str, start: int, end: int) -> Span | None:
    end -= text[end - 1] == " "
    match = SUFFIX_AFTER.match(text, end, end + REACH) if text[end : end + 1] in (" ", ".", "e") else None
    if match is None:
        return _named_of(text, start, end)
    begin = start
    while begin and (text[begin - 1].isalpha() or text[begin - 1] in "-'’."):
        begin -= 1
    if begin == start and text[start].islower():
        return None
    begin = _first_of_two(text, begin, end) if begin < start else _word_before(text, start)
    if text[begin:end] in NO_STREETS or (match[1] and not text[begin:end].endswith(ZEROED)):
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


ADJECTIVE = re.compile(
    r"(?<!\w)(?:Store|Lille|Gamle|Søndre|Nørre|Østre|Vestre|Norra|Södra|Östra|Västra|Stora|Lilla|Gamla|Övre|Nedre"
    r"|Ober[en]|Unter[en]|Obere[nr]|Untere[nr]|Alten?|Neuen?|Große[nr]?|Kleine[nr]?|Hintere[nr]?|Vordere[nr]?"
    r"|Äußere[nr]?|Innere[nr]?|Kurzen?|Langen?|Korte|Lange|Nieuwe|Oude|Grote|Kleine|Eerste|Tweede|Derde)[ ]$"
)

NAMED_AFTER = re.compile(r"(?:(?<=[a-zß-ÿ][ ])|(?<=:[ ]))[A-Z][\w'’.-]{1,24}[ ](?:(?:van|de|der|den|la)[ ]){0,2}$")
NO_GERMAN = listed("straat laan gracht singel dijk steeg dreef kade gatan vägen gränd gade stræde vej")
"""Before which a word with a capital letter is no other noun."""
ZEROED = (*NO_GERMAN, *listed("straße strasse str. gasse weg"))
"""Whose houses a form may number `09`; "Handy-Markt 07" is a year."""


def _first_of_two(text: str, begin: int, end: int) -> int:
    """`Korte Noordstraat 5`, `Søndre Havnevej 42`; `aan de Joan Maetsuyckerstraat 15`, which starts no sentence."""
    match = ADJECTIVE.search(text, max(0, begin - 12), begin)
    if match is None and text[begin:end].endswith(NO_GERMAN):
        match = NAMED_AFTER.search(text, max(0, begin - 40), begin)
    return match.start() if match else begin


def _prefixed(text: str, start: int, end: int) -> Span | None:
    end -= text[end - 1] == " "
    if (start and text[start - 1].isalnum()) or (text[end : end + 1].isalnum()):
        return None
    before = NUMBER_BEFORE.search(text[max(0, start - 14) : start])
    forms = (PREFIX_NUMBERED, LOWER_NUMBERED) if before else (PREFIX_PLACE, PREFIX_AFTER)
    match = next(filter(None, (form.match(text, end, end + REACH) for form in forms)), None)
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
    word = text[start:end].lower()
    if word in ENGLISH_TOO and YEAR.fullmatch(house[1] or ""):
        return None
    if (RARE & {f" {word}", f" {word[:-1]}"} or house[1] is None) and not TOLD.search(after.group()):
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
