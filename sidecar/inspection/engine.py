"""All recognisers over one text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sidecar.inspection import credentials as _credentials
from sidecar.inspection import dates, special, streets
from sidecar.inspection.cards import cards
from sidecar.inspection.catalogue import GENERAL, SPECIAL, THRESHOLDS, Mode, Settings
from sidecar.inspection.credentials import credentials
from sidecar.inspection.emails import emails
from sidecar.inspection.encoded import blocks
from sidecar.inspection.ibans import ibans
from sidecar.inspection.keywords import MakeScan, lowered, pure_scan
from sidecar.inspection.national import national_rules
from sidecar.inspection.network import addresses
from sidecar.inspection.normalise import normalised
from sidecar.inspection.phones import Phones
from sidecar.inspection.phones import version as phones_version
from sidecar.inspection.phrases import Phrases, WordList
from sidecar.inspection.presidio_rules import presidio_rules
from sidecar.inspection.presidio_rules import version as presidio_version
from sidecar.inspection.rules import RuleBook
from sidecar.inspection.secrets import SECRET_TYPES, Secrets
from sidecar.inspection.secrets import version as secrets_version
from sidecar.inspection.spans import Span, resolve
from sidecar.inspection.tokens import Token, tokens
from sidecar.inspection.urls import urls
from sidecar.inspection.wallets import wallets
from sidecar.model import Detector

VERSION = "1"
"""Of our own rules; raise it with every change of what they find (it is part of the cache key and of the record)."""

Finder = Callable[[str, Sequence[Token]], Iterable[Span]]
WordedFinder = Callable[[str, str, Iterable[str]], Iterable[Span]]
"""Takes the text, the text lower-cased, and the words that stand in it."""
WORDS = (*_credentials.WORDS, *dates.WORDS, *streets.WORDS, *special.WORDS)


class Engine:
    """Pure and deterministic: the same text and settings always give the same spans, whatever scan is used.

    `files` are the phrases of the settings' word files, by type.
    """

    def __init__(
        self,
        settings: Settings,
        make_scan: MakeScan = pure_scan,
        files: Iterable[tuple[str, Iterable[str]]] = (),
    ) -> None:
        self.settings = settings
        every = (*presidio_rules(settings.countries), *national_rules(settings.countries))
        rules = [rule for rule in every if settings.wants(rule.entity)]
        self._book = RuleBook(rules, settings.threshold)
        self._phones = Phones(settings.countries)
        self._secrets = Secrets()
        self._worded = self._worded_finders()
        self._words = tuple(dict.fromkeys((*self._secrets.keywords, *WORDS)))
        self._scan = make_scan(self._words)
        self._numeric = self._numeric_finders()
        self._lists = tuple(WordList(entity, phrases) for entity, phrases in (*settings.deny, *files))
        self._allowed = Phrases(settings.allow) if settings.allow else None
        self._thresholds = dict(settings.thresholds)
        own = {name for name in (*GENERAL, *SPECIAL) if settings.wants(name)}
        listed = {entity for entity, _ in (*settings.deny, *settings.word_files)}
        self.entities = frozenset({rule.entity for rule in rules} | own | listed)

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
        found = [span for span in self._marks(copy.text) if span.entity in self.entities]
        found.extend(self._encoded(copy.text))
        if copy.back is not None:
            found = [_moved(span, *copy.back(span.start, span.end)) for span in found]
        return self.settled(text, found)

    def settled(self, text: str, found: Iterable[Span]) -> list[Span]:
        """Spans of any detector as this engine reports them: thresholds, allow list, disjoint."""
        spans = [span for span in found if self._is_kept(text, span)]
        return resolve(spans, text) if spans else spans

    def _is_kept(self, text: str, span: Span) -> bool:
        if self._thresholds and span.score < self._thresholds.get(span.entity, THRESHOLDS[self.settings.mode]):
            return False
        return self._allowed is None or text[span.start : span.end] not in self._allowed

    def _marks(self, text: str) -> Iterable[Span]:
        if "@" in text:
            yield from emails(text)
        if "://" in text:
            yield from urls(text, every=self.settings.mode is Mode.STRICT)
        found = tokens(text)
        yield from self._by_words(text, has_digits=bool(found))
        if found:
            for finder in self._numeric:
                yield from finder(text, found)
        for words in self._lists:
            yield from words.find(text)

    def _by_words(self, text: str, *, has_digits: bool) -> Iterable[Span]:
        low = lowered(text)
        present = [self._words[number] for number in self._scan(low)]
        for needs_digits, finder in self._worded if present else ():
            if has_digits or not needs_digits:
                yield from finder(text, low, present)

    def _encoded(self, text: str) -> Iterable[Span]:
        """A base64 block takes the strongest type found in it."""
        for block in blocks(text):
            inside = [span for span in self._marks(block.text) if span.entity in self.entities]
            if inside:
                best = max(inside, key=lambda span: (span.strength, span.score))
                yield _moved(best, block.start, block.end)

    def _worded_finders(self) -> tuple[tuple[bool, WordedFinder], ...]:
        """Those that start at a word, and whether a text without a digit can hold what they find."""
        strict = self.settings.mode is Mode.STRICT
        every: tuple[tuple[tuple[str, ...], bool, WordedFinder], ...] = (
            (SECRET_TYPES, False, self._secrets.find),
            (("PASSWORD", "USERNAME"), False, lambda *at: credentials(*at, strict=strict)),
            (("DATE_OF_BIRTH", "PASSPORT_MRZ", "MINOR"), True, dates.dates),
            (("STREET_ADDRESS",), True, streets.streets),
            (SPECIAL, False, special.special),
        )
        return tuple((digits, finder) for types, digits, finder in every if any(map(self.settings.wants, types)))

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
        return (*chosen, self._book.find)


def _moved(span: Span, start: int, end: int) -> Span:
    return span._replace(start=start, end=end)
