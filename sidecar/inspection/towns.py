"""Addresses whose street nobody can know for one (Meir 50, Unter den Linden 77): by postcode and town behind them.

The town is one of the larger ones or the names model's, its postcode has the form of its country, and before that stand
a capitalised name and a house number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.streets import DETECTOR, INSIDE, NUMBER, STATES
from sidecar.inspection.tokens import places

FIVE = listed(
    "berlin hamburg münchen köln frankfurt stuttgart düsseldorf leipzig dortmund essen bremen dresden hannover "
    "nürnberg "
    "duisburg bochum wuppertal bielefeld bonn münster mannheim karlsruhe augsburg wiesbaden mönchengladbach "
    "gelsenkirchen aachen braunschweig chemnitz kiel krefeld halle magdeburg freiburg oberhausen lübeck erfurt mainz "
    "rostock kassel hagen potsdam saarbrücken hamm ludwigshafen oldenburg osnabrück leverkusen heidelberg darmstadt "
    "regensburg würzburg ulm ingolstadt göttingen heilbronn koblenz trier jena "
    "paris marseille lyon toulouse nice nantes montpellier strasbourg bordeaux lille rennes reims toulon grenoble "
    "dijon "
    "angers nîmes villeurbanne le_havre clermont-ferrand brest tours limoges amiens metz besançon orléans rouen "
    "mulhouse "
    "caen nancy avignon "
    "madrid barcelona valencia sevilla zaragoza málaga murcia palma bilbao alicante córdoba valladolid vigo gijón "
    "granada oviedo pamplona santander salamanca "
    "roma milano napoli torino palermo genova bologna firenze bari catania venezia verona messina padova trieste "
    "brescia "
    "parma modena perugia cagliari "
    "helsinki espoo tampere vantaa oulu turku jyväskylä lahti kuopio "
)
FOUR = listed(
    "wien graz linz salzburg innsbruck klagenfurt villach wels bregenz "
    "antwerpen gent brugge leuven mechelen hasselt kortrijk oostende brussel bruxelles liège charleroi namur mons "
    "københavn aarhus odense aalborg esbjerg "
    "lisboa porto braga coimbra faro"
)
DUTCH = listed(
    "amsterdam rotterdam den_haag utrecht eindhoven tilburg groningen almere breda nijmegen enschede haarlem arnhem "
    "zaandam amersfoort apeldoorn 's-hertogenbosch maastricht leiden dordrecht zwolle delft"
)
SWEDISH = listed(
    "stockholm göteborg malmö uppsala västerås örebro linköping helsingborg jönköping norrköping lund umeå"
)
POLISH = listed(
    "warszawa kraków łódź wrocław poznań gdańsk szczecin bydgoszcz lublin białystok katowice gdynia częstochowa radom "
    "toruń kielce rzeszów gliwice olsztyn"
)
CODES = {
    **dict.fromkeys(FIVE, r"\d{5}"),
    **dict.fromkeys(FOUR, r"(?:1[0-8]\d\d|2000|2018|20[3-9]0|2[1-9]\d\d|[3-9]\d{3})(?:-\d{3})?"),
    **dict.fromkeys(DUTCH, r"\d{4} ?[A-Z]{2}"),
    **dict.fromkeys(SWEDISH, r"\d{3} \d\d"),
    **dict.fromkeys(POLISH, r"\d\d-\d{3}"),
}
"""Of the four-digit codes those left out that are years."""
WORDS = tuple(f" {town}" for town in CODES)
NAME = r"[A-ZÀ-ÖØ-ÞŁŚŻŹĆ][\w'’.-]{0,24}"
SMALL = r"am|an|auf|im|in|zu[mr]?|unter|den|de[rms]?|van|het|la|le|les|du|des|del|della|di|da|do|dos|y|i|e"
NO_NAME = (
    r"(?:Adresse|Address|Adres|Anschrift|Wohnort"
    r"|Ab[bs]|Absatz|Abschnitt|Anlage|Art|Artikel|Article|Band|Chapter|Class|Fig|Figure|Kapitel|Nr|No|Page|Part|Q"
    r"|Seite"
    r"|Section|Tab|Tabelle|Table|Teil|Ver|Version|Vol|Volume|Week|Woche)"
)
HOUSE = (
    rf"(?<![\w-])(?!{NO_NAME}(?!\w)){NAME}(?:[ ](?:{NAME}|{SMALL})){{0,4}},?[ ]{NUMBER}{INSIDE}"
    r"(?:, ?|[ ]|[ ]?\n)(?:[A-Z]{1,2}-)?"
)
BEFORE = {code: re.compile(rf"{HOUSE}{code}$") for code in set(CODES.values())}
REACH = 90
PLAIN = (
    r"\d\d-\d{3}|\d{4}-\d{3}|\d{3} \d\d|\d{5}"
    r"|\d{4} ?(?!(?-i:in|en|de|el|la|al|am|an|to|at|of|on|om|op|te|da|di|du|em|na|w|à) )[A-Z]{2}"
)
POSTCODE = 16
"""Code points in which one stands, with what parts it from its town."""
CODE_BEFORE = re.compile(
    rf"(?:(?<![^\W_])(?<![.,:/$€£-])(?<!\d )(?:{PLAIN})|(?:^|[\n,;:\"'|>(\t][ ]{{0,4}})(?:[A-Z]{{1,2}}-)?"
    rf"(?:{PLAIN}|\d{{4}}))[ ]$",
    re.IGNORECASE,
)
"""A postcode right before a town; one of four digits where a part of an address begins."""
HOUSED = re.compile(rf"{HOUSE}$")
YEAR = re.compile(r"(?:19|20)\d\d ")
YEARS = re.compile(r"(?:19|20)\d\d\W*$")
PART_ENDS = re.compile(r"[ ]?(?:[\n\"'|<;)\t]|\Z)")
AUSTRALIAN = ("NSW", "VIC", "QLD", "TAS", "ACT", "SA", "WA", "NT")
BEHIND_STATE = "|".join(f"(?<= {state})" for state in AUSTRALIAN)
CODE_BEHIND = re.compile(
    rf"(?:(?:{BEHIND_STATE}|,?[ ](?:{'|'.join(AUSTRALIAN)}))[ ]\d{{4}}"
    rf"|(?:(?<=[ \n][A-Z][A-Z])|,?[ ](?:{STATES}),?)[ ]\d{{5}}(?:-\d{{4}})?|[ ]?[-\u2013]?[ ][1-9]\d\d ?\d{{3}}"
    r"|(?:(?<=[A-Z]\d)|(?<=[A-Z]\d\d)|(?<=\d[A-Z]))[ ]\d[A-Z]{2}|(?<=Dublin)[ ]\d{1,2}W?(?![-:]\d)"
    r"|,?[ \n]{1,2}(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|(?:[AC-FHKNPRTV-Y]\d\d|D6W) ?[0-9AC-FHKNPRTV-Y]{4}"
    r"|[A-Z]\d[A-Z] ?\d[A-Z]\d))(?![\w%€$£])",
    re.IGNORECASE,
)
"""Postcodes of Australia, the United States, India, Dublin, the United Kingdom, Ireland and Canada, behind the town."""


def towns(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`."""
    for word in words:
        pattern = BEFORE[CODES[word[1:]]]
        for at in places(low, word):
            if not text[at - 1 : at].isalnum() or not text[at + 1].isupper():
                continue
            end = at + len(word)
            match = None if text[end : end + 1].isalpha() else pattern.search(text, max(0, at - REACH), at)
            if match:
                yield Span(match.start(), end, "STREET_ADDRESS", 0.7, DETECTOR, Strength.LIST)


def postcodes(text: str, start: int, end: int) -> Iterator[Span]:
    """The postcode before or behind a town that the names model found, with name and house number before it."""
    before = CODE_BEFORE.search(text, max(0, start - POSTCODE), start)
    if before is not None:
        at = _next(text, before.start())
        house = HOUSED.search(text, max(0, at - REACH), at)
        if not YEAR.match(text, at) or PART_ENDS.match(text, end) or (house and not YEARS.search(house.group())):
            yield _address(house.start(), start - 1) if house else _code(at, start - 1)
    behind = CODE_BEHIND.match(text, end, end + POSTCODE)
    if behind is not None:
        yield _code(_next(text, end), behind.end())


def _next(text: str, at: int) -> int:
    """The next letter or digit."""
    while not text[at].isalnum():
        at += 1
    return at


def _address(start: int, end: int) -> Span:
    return Span(start, end, "STREET_ADDRESS", 0.5, DETECTOR, Strength.LIST)


def _code(start: int, end: int) -> Span:
    """Says as much of where as the town does, and is as much as that a part of an address that holds it."""
    return Span(start, end, "LOCATION", 0.5, DETECTOR, Strength.MODEL)
