"""Whose numbers are known: the national types of each country, and which of them nobody looks for (guarantee 9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

from sidecar.inspection.catalogue import GENERAL, NAMES, SPECIAL
from sidecar.inspection.national import ROWS
from sidecar.inspection.presidio_rules import STARTS, table

WHOLE = "NATIONAL_IDS_"
"""With a country's code: that none of the numbers that only this country has is looked for."""

COUNTRY_NAMES = {
    "at": "austria", "au": "australia", "be": "belgium", "ca": "canada", "ch": "switzerland", "de": "germany",
    "dk": "denmark", "es": "spain", "fi": "finland", "fr": "france", "gb": "united kingdom", "ie": "ireland",
    "in": "india", "it": "italy", "lu": "luxembourg", "nl": "netherlands", "no": "norway", "pl": "poland",
    "pt": "portugal", "se": "sweden", "sg": "singapore", "us": "united states",
}  # fmt: skip
"""Every country with rules; the names only help to suggest a code."""
WRITTEN = {**{code: code for code in COUNTRY_NAMES}, **{name: code for code, name in COUNTRY_NAMES.items()}, "uk": "gb"}
"""What may be written for a country, and its code."""


@cache
def national_types() -> Mapping[str, frozenset[str]]:
    """The types of each country, by ISO 3166 code in lower case; a few belong to more than one."""
    found: dict[str, set[str]] = {country: {row.entity for row in rows} for country, rows in ROWS.items()}
    for name, starts in STARTS.items():
        for start in starts:
            found.setdefault(start.country, set()).add(table()["recognisers"][name]["entity"])
    return {country: frozenset(found[country]) for country in sorted(found)}


@cache
def known_types() -> frozenset[str]:
    """Every type that the rules or the names model find, whatever the settings."""
    return frozenset((*GENERAL, *NAMES, *SPECIAL)).union(*national_types().values())


def national_missing(found: Collection[str]) -> tuple[str, ...]:
    """What of the known countries' numbers is not among the types `found`.

    A country of which nothing is looked for is one entry, `NATIONAL_IDS_FR`, and not its ten types: the list stands in
    every intent, where the types of all countries would be 2 KB, as much as an exchange's two entries are without. Of a
    country that is looked for in part, the types left out are named.
    """
    missing: list[str] = []
    for country, types in national_types().items():
        own = types.difference(*(other for name, other in national_types().items() if name != country))
        missing += sorted(types.difference(found)) if own.intersection(found) else [WHOLE + country.upper()]
    return tuple(dict.fromkeys(missing))
