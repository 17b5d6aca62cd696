"""All recognisers over one text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sidecar.inspection.cards import cards
from sidecar.inspection.catalogue import GENERAL, Mode, Settings
from sidecar.inspection.emails import emails
from sidecar.inspection.ibans import ibans
from sidecar.inspection.network import addresses
from sidecar.inspection.phones import Phones
from sidecar.inspection.phones import version as phones_version
from sidecar.inspection.presidio_rules import presidio_rules
from sidecar.inspection.presidio_rules import version as presidio_version
from sidecar.inspection.rules import RuleBook
from sidecar.inspection.spans import Span, resolve
from sidecar.inspection.tokens import Token, tokens
from sidecar.inspection.urls import urls
from sidecar.inspection.wallets import wallets
from sidecar.model import Detector

VERSION = "1"
"""Of our own rules; raise it with every change of what they find (it is part of the cache key and of the record)."""

Finder = Callable[[str, Sequence[Token]], Iterable[Span]]


class Engine:
    """Pure and deterministic: the same text and settings always give the same spans."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        rules = [rule for rule in presidio_rules(settings.countries) if settings.wants(rule.entity)]
        self.entities = frozenset({rule.entity for rule in rules} | {name for name in GENERAL if settings.wants(name)})
        self._book = RuleBook(rules)
        self._phones = Phones(settings.countries)
        self._numeric = self._numeric_finders()

    @property
    def detectors(self) -> tuple[Detector, ...]:
        return (
            Detector("rules", VERSION),
            Detector("presidio", presidio_version()),
            Detector("phonenumbers", phones_version()),
        )

    def find(self, text: str) -> list[Span]:
        """Disjoint spans by position. Cost is linear in the text."""
        wanted = self.settings.entities
        found = [span for span in self._marks(text) if wanted is None or span.entity in wanted]
        return resolve(found, text) if found else found

    def _marks(self, text: str) -> Iterable[Span]:
        if "@" in text:
            yield from emails(text)
        if "://" in text:
            yield from urls(text, every=self.settings.mode is Mode.STRICT)
        found = tokens(text)
        if found:
            for finder in self._numeric:
                yield from finder(text, found)

    def _numeric_finders(self) -> tuple[Finder, ...]:
        threshold = self.settings.threshold
        every: dict[str, Finder] = {
            "CREDIT_CARD": lambda text, found: cards(text, found, threshold),
            "IBAN_CODE": ibans,
            "IP_ADDRESS": addresses,
            "CRYPTO": wallets,
            "PHONE_NUMBER": lambda text, found: self._phones.find(text, found, threshold),
        }
        chosen = [finder for entity, finder in every.items() if self.settings.wants(entity)]
        if self.settings.wants("MAC_ADDRESS") and not self.settings.wants("IP_ADDRESS"):
            chosen.append(addresses)
        return (*chosen, lambda text, found: self._book.find(text, found, threshold))
