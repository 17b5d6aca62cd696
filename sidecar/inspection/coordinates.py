"""Coordinates that place a person: decimal pairs, degrees with minutes and seconds, keys (`"lat": 52.52`).

ISO 6709: latitude to 90 degrees, longitude to 180; four decimals are eleven metres. Two decimals in a row are anything
(vectors, sums, sizes), so that a word, an address of a map, or the letters of the four winds must say what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sidecar.inspection.columns import Beside
from sidecar.inspection.context import Context
from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import Token, places

GEO_COORDINATES = "GEO_COORDINATES"
GEOGRAPHY = Context.words(
    """
    gps gnss lat lats lon lng latlng latlon latlong lonlat latitude longitude latitudes longitudes geo geolocation
    geolocated geotag geotagged geofence geopoint waypoint coordinate coordinates coords coord wgs84 wgs kml
    koordinaten koordinate breitengrad längengrad geokoordinaten gps_daten
    coordonnées coordonnees géolocalisation géolocalisé latitud longitud coordenadas geolocalización
    latitudine longitudine coordinata geolocalizzazione coördinaten coordinaten coördinaat breedtegraad lengtegraad
    geolocatie
    """
)
"""Words of geography: beside them a height may follow, and letters need not."""
PLACE = Context.words(
    """
    location locations located position whereabouts map maps mapped marker pin tracker tracked spotted lives living
    seen pinged photo photos picture selfie parked
    meet meeting point pickup dropoff home address
    standort ort aufenthaltsort treffpunkt karte wohnt wohnung treffen ortung geortet foto fotos aufgenommen geparkt
    localisation emplacement lieu habite domicile rendez_vous carte localisé prise garé garée
    ubicación ubicacion localización posición posicion mapa vive domicilio punto localizado tomada aparcado
    posizione luogo mappa abita incontro casa localizzato scattata parcheggiata
    locatie positie plek kaart woont adres ontmoeten genomen geparkeerd
    """
)
MARK = re.compile(
    r"(?:@|[?&#;](?:q|ll|sll|cbll|query|center|daddr|saddr|destination|origin|viewpoint|at|coords?)=(?:loc:)?"
    r"|/maps/(?:place|search|dir)/|#map=\d{1,2}(?:\.\d{1,2})?/|(?<![^\W_])geo:|!3d|POINT ?\()\Z",
    re.IGNORECASE,
)
"""Of an address of a map, of geo: (RFC 5870), of well-known text (ISO 19125)."""
MARK_REACH = REACH = 24
WINDS = r"[NSEWOZ]"
FIGURE = r"[-+]?[0-9]{1,3}(?:\.[0-9]{3,16}|,[0-9]{4,16})"
PAIR = re.compile(
    rf"(?P<w1>{WINDS}[ ]?)?(?P<a>{FIGURE})(?:[ ]?°)?(?(w1)|(?P<w2>[ ]?{WINDS}(?![^\W_]))?)"
    rf"(?:[ ]?[,;|/]\s{{0,24}}|\s{{1,24}}|!4d)"
    rf"(?P<w3>{WINDS}[ ]?)?(?P<b>{FIGURE})(?![0-9])(?:[ ]?°)?(?(w3)|(?P<w4>[ ]?{WINDS}(?![^\W_]))?)(?!\w|\.\d)"
)
AT = re.compile(r"(?:left|am|was|is|found|it|him|her|them|car|bike|taxi|near) (?:at|near) \Z")
NUMBER_BEFORE = re.compile(r"[0-9][,;]?\s{0,3}\Z|[^\W_]\(\Z")
NUMBER_AFTER = re.compile(r"\s?[,;]\s{0,24}[-+]?[0-9]")
"""A list of figures goes on; a function is called (`translate(12.3456, 45.6789)`)."""
VECTOR_AFTER = re.compile(r"(?:\s?[,;]\s{0,24}[-+]?[0-9]{1,6}\.[0-9]{3,16}){2}")
"""One figure more may be a height, two are none."""
FEWEST = 4
LEAST_OF_TWO, LEAST_STRICT = 3, 2
"""Decimals of the finer of two keys: a hundred metres place a person, a kilometre is a town's weather."""
CHAINED = 12
"""Code points from one pair to the next of a line or a track."""
DEGREE = re.compile(
    rf"(?P<w1>(?<![^\W_]){WINDS}[ ]?)?(?<![\w.,])(?P<sign>[-+])?(?P<d>[0-9]{{1,3}}(?:[.,][0-9]{{1,16}})?)[ ]?"
    r"(?:°|º|deg(?![^\W_]))[ ]?"
    r"(?:(?P<m>[0-5]?[0-9](?:[.,][0-9]{1,12})?)[ ]?['′’´][ ]?"
    r"(?:(?P<s>[0-5]?[0-9](?:[.,][0-9]{1,8})?)[ ]?(?:\\{0,4}\"|″|”|''|′′|’’)[ ]?)?)?"
    rf"(?(w1)|(?P<w2>{WINDS}(?![^\W_])|(?i:north|south|east|west|nord|sud|süd|est|ost|norte|sur|este|oeste|ovest|noord"
    r"|zuid)(?![^\W_]))?)"
)
BEGIN = re.compile(rf"(?:(?<![^\W_]){WINDS}[ ]?)?[-+]?(?<![\w.,])[0-9]{{1,3}}(?:[.,][0-9]{{1,16}})?[ ]?\Z")
BETWEEN = re.compile(r"[ ]?[,;/]?\s{0,3}(?:(?:and|und|et|y|e|en)[ ])?")
LATITUDE_KEYS = listed("latitud breitengrad breedtegraad")
LONGITUDE_KEYS = listed("longitud längengrad lengtegraad lng")
SHORT_LATITUDE, SHORT_LONGITUDE = ("lat",), ("lon", "long")
SHORT_ENDS = ('"', "'", "=", ":", " ", ".", ">", "\\")
KEYS = {
    **{word: word for word in (*LATITUDE_KEYS, *LONGITUDE_KEYS)},
    **{word + end: word for word in (*SHORT_LATITUDE, *SHORT_LONGITUDE) for end in SHORT_ENDS},
}
del KEYS["long "]
"""`lat` and `lon` only where the key ends: `later`, `along`, a long time."""
DEGREES = ("°", "º", " deg ")
WORDS = (*KEYS, *DEGREES)
LATITUDE = r"(?P<name>lat(?:itud(?:e|ine)?)?|breitengrad|breedtegraad)"
LONGITUDE = r"(?P<name>l(?:ng|on(?:g(?:itud(?:e|ine)?)?)?)|längengrad|lengtegraad)"
VALUE = (
    r"(?:\\{0,4}[\"'`]?\]?|\.(?=[ :]))[ \t]{0,3}(?:=>|[:=>]|(?:is|ist|est|es|è)(?= ))?[ \t]{0,3}\\{0,4}[\"'`]?"
    r"(?P<value>[-+]?[0-9]{1,3}(?:\.[0-9]{1,16}|,[0-9]{4,16}))(?![\w]|[.,]\d)(?!°? ?['′]|°? ?\d)"
)
LATITUDE_AT, LONGITUDE_AT = (re.compile(name + VALUE, re.IGNORECASE) for name in (LATITUDE, LONGITUDE))
PREFIXES = frozenset("m_-.[$@/?&#;,{(<\"'` \t\r\n=:")
"""What may stand before a key; the m is OpenStreetMap's (`mlat`)."""
NEAR = 64
"""From one key to the other."""
DETECTOR = "rules/coordinates"


def pairs(text: str, tokens: Sequence[Token], tried: Sequence[int]) -> list[Span]:
    """Decimal pairs: tried where a figure has three decimals or more."""
    found: list[Span] = []
    after = 0
    around = Beside(text, GEOGRAPHY, GEOGRAPHY.heads)
    for at in tried:
        start, end, _ = tokens[at]
        if end - start < 3 or start < 2 or text[start - 1] not in ".," or not at:
            continue
        whole, dot, _ = tokens[at - 1]
        if dot != start - 1 or dot - whole > 4 or whole < after or _goes_on(text, tokens, at - 1):
            continue
        match = PAIR.match(text, _opening(text, dot, after))
        if match is not None:
            gap = text[after : match.start()] if found and match.start() - after <= CHAINED else ""
            span = _pair(around, match, chained=gap.strip(" ,;") != "")
            if span is not None:
                after = span.end
                found.append(span)
    return found


def _goes_on(text: str, tokens: Sequence[Token], at: int) -> bool:
    """Whether a decimal stands before the token, one comma or blank away: then a list goes on, and no pair begins."""
    if at < 1:
        return False
    begin, end, _ = tokens[at - 1]
    start = tokens[at][0]
    return start - end <= REACH and text[begin - 1 : begin] == "." and not text[end:start].strip(" ,;\t\r\n-+")


def _opening(text: str, dot: int, floor: int) -> int:
    """Back over the digits before the point, a sign, and a letter for the wind."""
    start = dot
    while start > floor and text[start - 1].isdecimal():
        start -= 1
    if start > floor and text[start - 1] in "+-":
        start -= 1
    lead = start - 1 if text[start - 1 : start] != " " else start - 2
    if lead >= floor and text[lead] in "NSEWOZ" and not text[lead - 1 : lead].isalnum():
        return lead
    return start


def _pair(around: Beside, match: re.Match[str], *, chained: bool) -> Span | None:
    text, (start, end) = around.text, match.span()
    first, second = _number(match["a"]), _number(match["b"])
    one, two = ((match[before] or match[behind] or "").strip() for before, behind in (("w1", "w2"), ("w3", "w4")))
    if not _is_on_earth(first, second):
        return None
    if _are_across(one, two):
        return Span(start, end, GEO_COORDINATES, 0.8, DETECTOR, Strength.PROVEN)
    if one or two or min(_decimals(match["a"]), _decimals(match["b"])) < FEWEST:
        return None
    if MARK.search(text, max(0, start - MARK_REACH), start):
        return Span(start, end, GEO_COORDINATES, 0.8, DETECTOR, Strength.PROVEN)
    if max(abs(first), abs(second)) >= 1 and (chained or _is_said(around, start, end)):
        return Span(start, end, GEO_COORDINATES, 0.6, DETECTOR, Strength.PROVEN)
    return None


def _is_said(around: Beside, start: int, end: int) -> bool:
    """Whether a word near it, or over its column, says that it is a place; no part of a vector is one."""
    text = around.text
    if VECTOR_AFTER.match(text, end):
        return False
    if GEOGRAPHY.near(text, start, end) or GEOGRAPHY.within(around.heading(start)):
        return True
    if AT.search(text, max(0, start - REACH), start) and not NUMBER_AFTER.match(text, end):
        return True
    return not (
        NUMBER_BEFORE.search(text, max(0, start - REACH), start) or NUMBER_AFTER.match(text, end)
    ) and PLACE.near(text, start, end)


def _is_on_earth(first: float, second: float) -> bool:
    """In either order: GeoJSON (RFC 7946) writes the longitude first."""
    low, high = sorted((abs(first), abs(second)))
    return low <= 90 and high <= 180


def _are_across(one: str, two: str) -> bool:
    """Whether one letter is of north and south, the other of east and west."""
    return bool(one and two) and (one[0].upper() in "NSZ") != (two[0].upper() in "NSZ")


def coordinates(text: str, low: str, words: Iterable[str], *, strict: bool) -> Iterator[Span]:
    """Keys with their figures, and degrees. `words` are those of WORDS that stand in `low`."""
    for word in words:
        if word in DEGREES:
            for at in places(low, word):
                yield from _degrees(text, at, strict=strict)
            continue
        for at in places(low, word):
            if at == 0 or low[at - 1] in PREFIXES or (text[at].isupper() and text[at - 1].islower()):
                yield from _keyed(text, at, KEYS[word] in (*LATITUDE_KEYS, *SHORT_LATITUDE), strict=strict)


def _keyed(text: str, at: int, is_latitude: bool, *, strict: bool) -> Iterator[Span]:
    """Two keys, of which one has a thousandth of a degree; or one key with ten metres' worth of decimals."""
    own, other = (LATITUDE_AT, LONGITUDE_AT) if is_latitude else (LONGITUDE_AT, LATITUDE_AT)
    match = own.match(text, at)
    if match is None or abs(_number(match["value"])) > (90 if is_latitude else 180):
        return
    beside = other.search(text, match.end(), match.end() + NEAR) or other.search(text, max(0, at - NEAR), at)
    if beside is not None:
        fine = max(_decimals(match["value"]), _decimals(beside["value"])) >= (LEAST_STRICT if strict else LEAST_OF_TWO)
    else:
        fine = _decimals(match["value"]) >= FEWEST and match["name"].lower() != "long"
    if fine and (_number(match["value"]) or beside is not None):
        yield Span(*match.span("value"), GEO_COORDINATES, 0.6, DETECTOR)


def _number(figure: str) -> float:
    return float(figure.replace(",", "."))


def _decimals(figure: str) -> int:
    return len(figure.replace(",", ".").partition(".")[2])


def _degrees(text: str, at: int, *, strict: bool) -> Iterator[Span]:
    """Two angles that point across, or one fine enough to be a place's."""
    begun = BEGIN.search(text, max(0, at - REACH), at)
    first = DEGREE.match(text, begun.start()) if begun is not None else None
    if first is None or not _is_angle(first):
        return
    gap = BETWEEN.match(text, first.end())
    second = DEGREE.match(text, gap.end()) if gap is not None else None
    if second is None or not _is_angle(second):
        if _wind(first) and _is_fine(first, FEWEST):
            yield Span(*first.span(), GEO_COORDINATES, 0.5, DETECTOR, Strength.PROVEN)
        return
    if _are_across(_wind(first), _wind(second)):
        good = all(_is_fine(each, FEWEST - 1) or (strict and each["m"]) for each in (first, second))
    else:
        good = bool(first["s"] and second["s"]) and GEOGRAPHY.near(text, first.start(), second.end())
    if good:
        yield Span(first.start(), second.end(), GEO_COORDINATES, 0.8, DETECTOR, Strength.PROVEN)


def _is_angle(match: re.Match[str]) -> bool:
    return _number(match["d"]) <= 180


def _wind(match: re.Match[str]) -> str:
    return (match["w1"] or match["w2"] or "").strip()


def _is_fine(match: re.Match[str], decimals: int) -> bool:
    """Within a hundred metres: seconds, two decimals of a minute, that many of a degree."""
    if match["s"]:
        return True
    return _decimals(match["m"]) >= 2 if match["m"] else _decimals(match["d"]) >= decimals
