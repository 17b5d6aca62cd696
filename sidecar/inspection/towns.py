"""Addresses whose street nobody can know for one (Meir 50, Unter den Linden 77): by postcode and town behind them.

The town is one of the larger ones, its postcode has the form of its country, and before that stand a capitalised name
and a house number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.streets import DETECTOR, INSIDE, NUMBER
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
BEFORE = {
    code: re.compile(
        rf"(?<![\w-])(?!{NO_NAME}(?!\w)){NAME}(?:[ ](?:{NAME}|{SMALL})){{0,4}},?[ ]{NUMBER}{INSIDE}"
        rf"(?:, ?|[ ]|[ ]?\n)(?:[A-Z]{{1,2}}-)?{code}$"
    )
    for code in set(CODES.values())
}
REACH = 90


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
