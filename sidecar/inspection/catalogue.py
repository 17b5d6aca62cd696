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
)
NAMES = ("PERSON", "LOCATION", "ORGANIZATION", "STREET_ADDRESS")
"""Found only by a names model (or a bigger recogniser)."""

UNSUPPORTED = ("AGE", "NATIONALITY", "MEDICAL_RECORD_NUMBER")


class Mode(StrEnum):
    """BALANCED wants a word nearby where a shape alone proves little; STRICT prefers a false hit to a miss."""

    BALANCED = "balanced"
    STRICT = "strict"


THRESHOLDS = {Mode.BALANCED: 0.4, Mode.STRICT: 0.3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one engine looks for. `entities` None means every type it can find; countries are ISO 3166 codes."""

    entities: frozenset[str] | None = None
    mode: Mode = Mode.BALANCED
    countries: tuple[str, ...] = COUNTRIES

    @property
    def threshold(self) -> float:
        return THRESHOLDS[self.mode]

    def wants(self, entity: str) -> bool:
        return self.entities is None or entity in self.entities


def missing(active: Iterable[str]) -> tuple[str, ...]:
    """Types a reader may expect and nobody looks for (guarantee 9)."""
    found = set(active)
    return tuple(entity for entity in (*GENERAL, *NAMES, *UNSUPPORTED) if entity not in found)
