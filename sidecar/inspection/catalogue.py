"""Which types exist, which of them these settings look for, and what each mode demands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

COUNTRIES = ("us", "gb", "de", "fr", "es", "it", "nl", "pt", "pl", "se", "fi", "dk", "be", "at", "ie")
"""The default locales. Presidio's Australian, Canadian, Indian and Singaporean recognisers: add au, ca, in, sg."""

GENERAL = (
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "CREDIT_CARD",
    "IBAN_CODE",
    "IP_ADDRESS",
    "MAC_ADDRESS",
    "URL",
    "CRYPTO",
    "API_KEY",
    "PRIVATE_KEY",
    "JWT",
    "PASSWORD",
    "USERNAME",
    "DATE_OF_BIRTH",
    "PASSPORT_MRZ",
    "MINOR",
    "STREET_ADDRESS",
    "GEO_COORDINATES",
    "CARD_SECURITY_CODE",
    "IMEI",
    "VIN",
    "CUSTOMER_NUMBER",
    "IDENTITY_NUMBER",
    "PASSPORT",
)
NAMES = ("PERSON", "LOCATION", "ORGANIZATION")
"""Found only by a names model (or a bigger recogniser); street addresses that follow no form, too."""

SPECIAL = ("SPECIAL_HEALTH", "SPECIAL_RELIGION", "SPECIAL_UNION", "SPECIAL_ORIENTATION", "SPECIAL_POLITICS")
"""Looked for only when named in `entities`, `+SPECIAL_HEALTH` beside the usual types."""

UNSUPPORTED = ("AGE", "NATIONALITY")
SIGNS = ("+", "-")


class Mode(StrEnum):
    """BALANCED wants a word nearby where a shape alone proves little; STRICT prefers a false hit to a miss."""

    BALANCED = "balanced"
    STRICT = "strict"


THRESHOLDS = {Mode.BALANCED: 0.4, Mode.STRICT: 0.3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one engine looks for. `entities` None means every type it can find; countries are ISO 3166 codes.

    Types in `entities` stand alone; `+TYPE` adds to the usual ones, `-TYPE` takes away, from whatever else is named.

    `thresholds` per type replace the mode's; `allow` are values never reported; `deny` are words always reported, by
    type; `word_files` the same from files of one phrase a line (read by the driver).
    """

    entities: frozenset[str] | None = None
    mode: Mode = Mode.BALANCED
    countries: tuple[str, ...] = COUNTRIES
    thresholds: tuple[tuple[str, float], ...] = ()
    allow: tuple[str, ...] = ()
    deny: tuple[tuple[str, tuple[str, ...]], ...] = ()
    word_files: tuple[tuple[str, str], ...] = ()

    @property
    def threshold(self) -> float:
        """The lowest that any type may need."""
        return min([THRESHOLDS[self.mode], *(score for _, score in self.thresholds)])

    def wants(self, entity: str) -> bool:
        named = self.entities or frozenset()
        if "-" + entity in named or "+" + entity in named:
            return "-" + entity not in named
        return entity not in SPECIAL if self.entities is None or is_change(named) else entity in named


def is_change(entities: Iterable[str]) -> bool:
    """Whether these are changes of the usual types (`+SPECIAL_HEALTH`, `-URL`) and nothing else; not where none is."""
    named = tuple(entities)
    return bool(named) and all(entity.startswith(SIGNS) for entity in named)


def missing(active: Iterable[str]) -> tuple[str, ...]:
    """Types a reader may expect and nobody looks for (guarantee 9)."""
    found = set(active)
    return tuple(entity for entity in (*GENERAL, *NAMES, *SPECIAL, *UNSUPPORTED) if entity not in found)
