"""All recognisers over one text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from sidecar.inspection import access as _access
from sidecar.inspection import accounts as _accounts
from sidecar.inspection import ages, bundles, dates, records, special, spoken, streets, towns
from sidecar.inspection import card_codes as _card_codes
from sidecar.inspection import coordinates as _coordinates
from sidecar.inspection import credentials as _credentials
from sidecar.inspection import identities as _identities
from sidecar.inspection import labelled as _labelled
from sidecar.inspection import logins as _logins
from sidecar.inspection import numbered as _numbered
from sidecar.inspection import spelled as _spelled
from sidecar.inspection.card_codes import CARD_SECURITY_CODE, card_codes
from sidecar.inspection.cards import cards
from sidecar.inspection.catalogue import GENERAL, SPECIAL, THRESHOLDS, Mode, Settings
from sidecar.inspection.coordinates import GEO_COORDINATES, coordinates, pairs
from sidecar.inspection.credentials import credentials
from sidecar.inspection.emails import emails
from sidecar.inspection.encoded import blocks
from sidecar.inspection.ibans import ibans
from sidecar.inspection.identities import IDENTITY_NUMBER, identities
from sidecar.inspection.keywords import MakeScan, lowered, pure_scan
from sidecar.inspection.labelled import labelled
from sidecar.inspection.logins import logins
from sidecar.inspection.made import made
from sidecar.inspection.national import national_rules
from sidecar.inspection.network import addresses
from sidecar.inspection.normalise import normalised
from sidecar.inspection.numbered import numbered
from sidecar.inspection.phones import Phones
from sidecar.inspection.phrases import Phrases, WordList
from sidecar.inspection.presidio_rules import presidio_rules
from sidecar.inspection.rules import RuleBook
from sidecar.inspection.secrets import SECRET_TYPES, Secrets
from sidecar.inspection.serials import serial_rules
from sidecar.inspection.shipped import FILES, shipped
from sidecar.inspection.spans import Span, Strength, resolve, whole
from sidecar.inspection.spelled import spelled
from sidecar.inspection.tokens import Token, outline, outside, tokens
from sidecar.inspection.urls import urls
from sidecar.inspection.wallets import wallets
from sidecar.model import Detector

VERSION = "16"
"""Of our own rules; raise it with every change of what they find (it is part of the cache key and of the record)."""

Finder = Callable[[str, Sequence[Token], Sequence[int]], list[Span]]
"""Takes the text, its tokens, and the indexes of those to be tried."""
WordedFinder = Callable[[str, str, Iterable[str]], Iterable[Span]]
"""Takes the text, the text lower-cased, and those of the finder's own words that stand in it."""
WORDS = (
    *_credentials.WORDS, *_access.WORDS, *bundles.WORDS, *_logins.WORDS,
    *_accounts.WORDS, *_card_codes.WORDS, *_coordinates.WORDS,
    *dates.WORDS, *ages.AGE_WORDS, *ages.SPELLED_WORDS,
    *streets.WORDS, *towns.WORDS, *special.WORDS, *_labelled.WORDS, *_numbered.WORDS, *_spelled.WORDS, *records.WORDS,
    *_identities.WORDS, *spoken.WORDS,
)  # fmt: skip


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
        every = (*presidio_rules(settings.countries), *national_rules(settings.countries), *serial_rules())
        rules = [rule for rule in every if settings.wants(rule.entity)]
        self._book = RuleBook(rules, settings.threshold)
        self._phones = Phones(settings.countries)
        self._secrets = Secrets()
        finders = self._worded_finders()
        self._words, self._worded = tuple(finders), tuple(finders.values())
        self._scan = make_scan(self._words) if self._words else lambda _: ()
        self._numeric = self._numeric_finders()
        self._lists = tuple(WordList(entity, phrases) for entity, phrases in (*settings.deny, *files))
        self._allowed = Phrases(settings.allow) if settings.allow else None
        self._thresholds = dict(settings.thresholds)
        own = {name for name in (*GENERAL, *SPECIAL) if settings.wants(name)}
        listed = {entity for entity, _ in (*settings.deny, *settings.word_files)}
        self.entities = frozenset({rule.entity for rule in rules} | own | listed)

    @property
    def detectors(self) -> tuple[Detector, ...]:
        """Our own rules, and what the others are derived from, in order."""
        return (Detector("rules", VERSION), *(Detector(name, str(shipped(name)["version"])) for name in FILES))

    def find(self, text: str) -> list[Span]:
        """Disjoint spans by position. Cost is linear in the text."""
        drawn = outline(text)
        copy = normalised(text, drawn)
        found = self._marks(copy.text, drawn if copy.back is None else outline(copy.text))
        found += self._encoded(copy.text)
        if copy.back is not None:
            found = [_moved(span, *copy.back(span.start, span.end)) for span in found]
        return self.settled(text, found) if found else found

    def settled(self, text: str, found: Iterable[Span]) -> list[Span]:
        """Spans of any detector as this engine reports them: thresholds, allow list, disjoint."""
        is_any_left_out = self._thresholds or self._allowed is not None
        spans = [span for span in found if self._is_kept(text, span)] if is_any_left_out else list(found)
        return resolve(spans, text) if spans else spans

    def _is_kept(self, text: str, span: Span) -> bool:
        """The mode's threshold is one of rules: what a model reports has passed that model's own."""
        if self._thresholds:
            usual = 0.0 if span.strength is Strength.MODEL else THRESHOLDS[self.settings.mode]
            if span.score < self._thresholds.get(span.entity, usual):
                return False
        return not self.allows(text[span.start : span.end])

    def allows(self, value: str) -> bool:
        """Whether the allow list says that this is never personal data."""
        return self._allowed is not None and value in self._allowed

    def _marks(self, text: str, drawn: bytes | None) -> list[Span]:
        found = emails(text) if "@" in text else []
        if "/" in text and "://" in text:
            found += urls(text, every=self.settings.mode is Mode.STRICT)
        found = self._wanted(found)
        numbers = tokens(text, drawn)
        if numbers:
            found += self._numbers(text, numbers, found)
        found = self._wanted(found + self._by_words(text, has_digits=bool(numbers)))
        for words in self._lists:
            found += words.find(text)
        return found

    def _wanted(self, spans: list[Span]) -> list[Span]:
        entities = self.entities
        return [span for span in spans if span.entity in entities]

    def _numbers(self, text: str, numbers: Sequence[Token], known: Sequence[Span]) -> list[Span]:
        """What proves itself first; then a number inside something proven is tried as nothing else.

        With an allow list it is: what is allowed to stand is not what stands inside it.
        """
        found: list[Span] = []
        tried: Sequence[int] = range(len(numbers))
        for finder in self._numeric:
            spans = finder(text, numbers, tried)
            found += spans
            if (spans or known) and self._allowed is None:
                tried = outside(text, numbers, tried, sorted((*known, *spans)) if known else spans)
                known = ()
        return found

    def _by_words(self, text: str, *, has_digits: bool) -> list[Span]:
        low = lowered(text)
        found: list[Span] = []
        present: dict[WordedFinder, list[str]] = {}
        for number in self._scan(low):
            for needs_digits, finder in self._worded[number]:
                if has_digits or not needs_digits:
                    present.setdefault(finder, []).append(self._words[number])
        for finder, words in present.items():
            found += finder(text, low, words)
        return found

    def _encoded(self, text: str) -> list[Span]:
        """A base64 block takes the strongest type found in it."""
        found: list[Span] = []
        for block in blocks(text):
            inside = self._marks(block.text, outline(block.text))
            if inside:
                best = max(inside, key=lambda span: (span.strength, span.score))
                found.append(_moved(best, block.start, block.end))
        return found

    def _worded_finders(self) -> dict[str, tuple[tuple[bool, WordedFinder], ...]]:
        """By word: those that start at it, and whether a text without a digit can hold what they find.

        Without the words of what is not looked for, so that the scan does not pay for them.
        """
        strict = self.settings.mode is Mode.STRICT
        every: tuple[tuple[tuple[str, ...], Iterable[str], bool, WordedFinder], ...] = (
            (SECRET_TYPES, self._secrets.keywords, False, self._secrets.find),
            (("PASSWORD", "USERNAME"), _credentials.WORDS, False, lambda *at: credentials(*at, strict=strict)),
            (("API_KEY", "PASSWORD", "PRIVATE_KEY"), _access.WORDS, False, _access.access),
            (("PASSWORD", "PRIVATE_KEY"), bundles.WORDS, False, bundles.bundles),
            (("PASSWORD",), _logins.WORDS, False, logins),
            (("USERNAME",), _accounts.WORDS, False, _accounts.accounts),
            ((CARD_SECURITY_CODE,), _card_codes.WORDS, True, card_codes),
            (_labelled.TYPES, _labelled.WORDS, True, labelled),
            (_numbered.TYPES, _numbered.WORDS, True, numbered),
            (_spelled.TYPES, _spelled.WORDS, False, spelled),
            ((IDENTITY_NUMBER,), _identities.WORDS, True, identities),
            ((GEO_COORDINATES,), _coordinates.WORDS, True, lambda *at: coordinates(*at, strict=strict)),
            (("DATE_OF_BIRTH", "PASSPORT_MRZ"), dates.WORDS, True, dates.dates),
            (("MINOR",), ages.AGE_WORDS, True, ages.ages),
            (("MINOR",), ages.SPELLED_WORDS, False, ages.spelled_ages),
            (("STREET_ADDRESS",), streets.WORDS, True, streets.streets),
            (("STREET_ADDRESS",), towns.WORDS, True, towns.towns),
            (SPECIAL, special.WORDS, False, special.special),
            (records.TYPES, records.WORDS, False, records.records),
            (spoken.TYPES, spoken.WORDS, False, spoken.spoken),
        )
        chosen = [
            (frozenset(words), needs_digits, finder)
            for types, words, needs_digits, finder in every
            if any(map(self.settings.wants, types))
        ]
        started = {
            word: tuple((needs_digits, finder) for words, needs_digits, finder in chosen if word in words)
            for word in (*self._secrets.keywords, *WORDS)
        }
        return {word: finders for word, finders in started.items() if finders}

    def _numeric_finders(self) -> tuple[Finder, ...]:
        """In this order: those that prove what they find come first."""
        threshold = self.settings.threshold
        every: dict[str, Finder] = {
            "IBAN_CODE": partial(ibans, threshold=threshold),
            "CREDIT_CARD": partial(cards, threshold=threshold),
            "CRYPTO": wallets,
            "IP_ADDRESS": addresses,
            GEO_COORDINATES: pairs,
            "PHONE_NUMBER": partial(self._phones.find, threshold=threshold),
            "API_KEY": made,
        }
        chosen = [finder for entity, finder in every.items() if self.settings.wants(entity)]
        if self.settings.wants("PRIVATE_KEY") and not self.settings.wants("CRYPTO"):
            chosen.append(wallets)
        if self.settings.wants("MAC_ADDRESS") and not self.settings.wants("IP_ADDRESS"):
            chosen.append(addresses)
        return (*chosen, self._book.find)


def undisguised(text: str, find: Callable[[str], Iterable[Span]]) -> list[Span]:
    """What another detector finds in the copy of the text that this engine reads, and in its base64 blocks."""
    copy = normalised(text, outline(text))
    found = [whole(span, copy.text) for span in find(copy.text)]
    for block in blocks(copy.text):
        inside = list(find(block.text))
        if inside:
            best = max(inside, key=lambda span: (span.strength, span.score))
            found.append(_moved(best, block.start, block.end))
    return found if copy.back is None else [_moved(span, *copy.back(span.start, span.end)) for span in found]


def _moved(span: Span, start: int, end: int) -> Span:
    return span._replace(start=start, end=end)
