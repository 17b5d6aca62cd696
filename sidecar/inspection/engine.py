"""All recognisers over one text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sidecar.inspection.cards import cards
from sidecar.inspection.catalogue import GENERAL, Mode, Settings
from sidecar.inspection.credentials import WORDS as CREDENTIAL_WORDS
from sidecar.inspection.credentials import credentials
from sidecar.inspection.emails import emails
from sidecar.inspection.encoded import blocks
from sidecar.inspection.ibans import ibans
from sidecar.inspection.keywords import MakeScan, lowered, pure_scan
from sidecar.inspection.network import addresses
from sidecar.inspection.normalise import normalised
from sidecar.inspection.phones import Phones
from sidecar.inspection.phones import version as phones_version
from sidecar.inspection.presidio_rules import presidio_rules
from sidecar.inspection.presidio_rules import version as presidio_version
from sidecar.inspection.rules import RuleBook
from sidecar.inspection.secrets import Secrets
from sidecar.inspection.secrets import version as secrets_version
from sidecar.inspection.spans import Span, resolve
from sidecar.inspection.tokens import Token, tokens
from sidecar.inspection.urls import urls
from sidecar.inspection.wallets import wallets
from sidecar.model import Detector

VERSION = "1"
"""Of our own rules; raise it with every change of what they find (it is part of the cache key and of the record)."""

Finder = Callable[[str, Sequence[Token]], Iterable[Span]]


class Engine:
    """Pure and deterministic: the same text and settings always give the same spans, whatever scan is used."""

    def __init__(self, settings: Settings, make_scan: MakeScan = pure_scan) -> None:
        self.settings = settings
        rules = [rule for rule in presidio_rules(settings.countries) if settings.wants(rule.entity)]
        self.entities = frozenset({rule.entity for rule in rules} | {name for name in GENERAL if settings.wants(name)})
        self._book = RuleBook(rules)
        self._phones = Phones(settings.countries)
        self._secrets = Secrets()
        self._words = tuple(dict.fromkeys((*self._secrets.keywords, *CREDENTIAL_WORDS)))
        self._scan = make_scan(self._words)
        self._numeric = self._numeric_finders()

    @property
    def detectors(self) -> tuple[Detector, ...]:
        return (
            Detector("rules", VERSION),
            Detector("presidio", presidio_version()),
            Detector("phonenumbers", phones_version()),
            Detector("gitleaks", secrets_version()),
        )

    def find(self, text: str) -> list[Span]:
        """Disjoint spans by position. Cost is linear in the text."""
        copy = normalised(text)
        found = list(self._wanted(self._marks(copy.text)))
        found.extend(self._encoded(copy.text))
        if not found:
            return found
        if copy.back is not None:
            found = [_moved(span, *copy.back(span.start, span.end)) for span in found]
        return resolve(found, text)

    def _wanted(self, spans: Iterable[Span]) -> Iterable[Span]:
        wanted = self.settings.entities
        return spans if wanted is None else (span for span in spans if span.entity in wanted)

    def _marks(self, text: str) -> Iterable[Span]:
        if "@" in text:
            yield from emails(text)
        if "://" in text:
            yield from urls(text, every=self.settings.mode is Mode.STRICT)
        yield from self._worded(text)
        found = tokens(text)
        if found:
            for finder in self._numeric:
                yield from finder(text, found)

    def _worded(self, text: str) -> Iterable[Span]:
        low = lowered(text)
        present = [self._words[number] for number in self._scan(low)]
        if present:
            yield from self._secrets.find(text, low, present)
            yield from credentials(text, low, present, strict=self.settings.mode is Mode.STRICT)

    def _encoded(self, text: str) -> Iterable[Span]:
        """A base64 block takes the strongest type found in it."""
        for block in blocks(text):
            inside = list(self._wanted(self._marks(block.text)))
            if inside:
                best = max(inside, key=lambda span: (span.strength, span.score))
                yield _moved(best, block.start, block.end)

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


def _moved(span: Span, start: int, end: int) -> Span:
    return span._replace(start=start, end=end)
