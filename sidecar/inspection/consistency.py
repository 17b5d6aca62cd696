"""A value found once is masked wherever it stands again: names above all, which a model finds in one sentence only.

By turns, not backwards over them: what is found in a turn is masked in that turn and in later ones. An earlier turn was
sent upstream as it stands, and changing it now would break the identical prefix that providers cache by (guarantee of
issue 3), to hide what they were already told. A turn is what one request adds: it begins with the assistant's reply.

Of a person named in full each name is looked for by itself, too: who is "Peter Miller" once is "Mr Miller" afterwards.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Sequence

from sidecar.inspection.phrases import Phrases, folded
from sidecar.inspection.spans import NAMES, Span, Strength, resolve

PERSON = "PERSON"
LEAST = 4
"""Code points: shorter values stand for too much else."""
LEAST_NAME = 3
"""Of a person's name with its capital: Tom, Jan, Eva."""
LEAST_WEAK = 7
"""Of a value that a word nearby made likely: long enough not to be another number."""
LEFT_OUT = frozenset({"MINOR", "URL", "PASSPORT_MRZ", "CARD_SECURITY_CODE"})
"""Types whose text says nothing by itself, or is its own context."""
FEW = 128
"""Up to so many values each is searched for (a code point costs a nanosecond); beyond, one pass looks for all."""
JOINTS = str.maketrans("", "", "-'’")
"""What stands within one name: Lloyd-George, O'Brien."""
NEARBY = 2000
"""Code points on either side."""
STEP = 1_000_000
"""Values times code points searched between two yields."""


MOST_VALUES = 2000
"""Values remembered, first come: the same ones whatever is appended."""
SLICE = 8192
"""Code points looked at between two yields."""

Places = Iterator[tuple[int, int]]
Steps = Generator[None, None, list[Span]]
Allows = Callable[[str], bool]
"""Whether a value is never personal data here (the settings' allow list)."""


def nothing(_value: str) -> bool:
    """An empty allow list."""
    return False


class Known:
    """The values found so far, by the text that was found. It lives for one request."""

    __slots__ = ("_allows", "_phrases", "_values")

    def __init__(self, allows: Allows = nothing) -> None:
        self._allows = allows
        self._values: dict[str, Span] = {}
        self._phrases: Phrases | None = None

    def learn(self, text: str, spans: Sequence[Span]) -> None:
        known = self._values
        for span in spans:
            value = text[span.start : span.end]
            least = _least(span, value)
            if not least <= len(value) <= 200 or span.entity in LEFT_OUT:
                continue
            if len(known) < MOST_VALUES:
                names = names_in(span, value, text) if span.entity == PERSON else ()
                for name in (value, *names):
                    if name not in known and not self._allows(name):
                        self._keep(name, span)

    def _keep(self, value: str, span: Span) -> None:
        """Also in what is searched already: made anew in each turn, it took as long as values times turns."""
        self._values[value] = span
        if self._phrases is not None and folded(value):
            self._phrases.add(value)

    def found(self, text: str, spans: Sequence[Span]) -> list[Span]:
        """What `spread` answers, without a pause: for a short text and few values."""
        places = [place for value, span in self._values.items() for place in _searched(value, span, text)]
        return _joined(self._values, text, spans, places)

    def spread(self, text: str, spans: Sequence[Span]) -> Steps:
        """The spans with those of known values that stand in the text, too.

        A generator: it yields after each stretch of work, so that a caller with an event loop can let others run; its
        return value is the answer.
        """
        values = self._values
        places: list[tuple[int, int]] = []
        work = 0
        for value, span in values.items() if len(values) <= FEW else ():
            if value in text:
                places += _searched(value, span, text)
            work += len(text)
            if work > STEP:
                work = 0
                yield
        if len(values) > FEW:
            self._phrases = self._phrases or Phrases(value for value in values if folded(value))
            for start, end in _slices(text):
                places.extend((start + low, start + high) for low, high in self._phrases.places(text[start:end]))
                yield
        return _joined(values, text, spans, places)


def names_in(person: Span, value: str, text: str) -> list[str]:
    """The names of a person's full name that say who it is by themselves: capitalised words of three letters and more,
    unless the text nearby has the same word in small letters ("Mark Brown", "a brown dog")."""
    if person.strength is Strength.WEAK or " " not in value:
        return []
    words = [word.strip(".,;:()\"'“”«»") for word in value.split()]
    near = (max(0, person.start - NEARBY), person.end + NEARBY)
    return [word for word in words if len(word) >= LEAST_NAME and is_name(word) and text.find(word.lower(), *near) < 0]


def _least(span: Span, value: str) -> int:
    if span.strength is Strength.WEAK:
        return LEAST_WEAK
    return LEAST_NAME if span.entity == PERSON and value and is_name(value) else LEAST


def is_name(word: str) -> bool:
    return word[0].isupper() and not word.isupper() and word.translate(JOINTS).isalpha()


def alone(text: str, spans: Sequence[Span], allows: Allows = nothing) -> Sequence[Span]:
    """The spans of a short text that stands by itself, with those of its own values that stand in it again."""
    for span in spans:
        value = text[span.start : span.end]
        if (
            text.find(value) != span.start
            or text.find(value, span.end) >= 0
            or (span.entity == PERSON and names_in(span, value, text))
        ):
            known = Known(allows)
            known.learn(text, spans)
            return known.found(text, spans)
    return spans


def turns(replies: Sequence[bool]) -> Iterator[range]:
    """What each request added: a turn begins where the assistant (True) begins to speak."""
    start = 0
    for at in range(1, len(replies)):
        if replies[at] and not replies[at - 1]:
            yield range(start, at)
            start = at
    yield range(start, len(replies))


def _joined(known: dict[str, Span], text: str, spans: Sequence[Span], places: Sequence[tuple[int, int]]) -> list[Span]:
    spans = [_as_known(span, known.get(text[span.start : span.end])) for span in spans]
    ends = [span.end for span in spans]
    new = [
        known[text[start:end]]._replace(start=start, end=end, detector="consistency")
        for start, end in places
        if not _inside(start, end, spans, ends) and text[start:end] in known
    ]
    return resolve([*spans, *new], text) if new else list(spans)


def _as_known(span: Span, known: Span | None) -> Span:
    """A model calls one name now a person and now a place: what it was called first it stays, with one surrogate."""
    if known is None or known.entity == span.entity or not {known.entity, span.entity} <= NAMES:
        return span
    return span._replace(entity=known.entity) if span.strength is known.strength is Strength.MODEL else span


def _inside(start: int, end: int, spans: Sequence[Span], ends: Sequence[int]) -> bool:
    """Spans are disjoint and in order, so only the first that ends at or after `end` can hold it."""
    at = bisect_left(ends, end)
    return at < len(spans) and spans[at].start <= start


def _searched(value: str, span: Span, text: str) -> list[tuple[int, int]]:
    """Where the value stands as words of its own; a person's name also before the s of a genitive (Wolfs Fax)."""
    found: list[tuple[int, int]] = []
    genitive = span.entity == PERSON and value[-1] not in "sxzß"
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        behind = end + 1 if genitive and text[end : end + 1] == "s" else end
        if not (text[at - 1 : at].isalnum() or text[behind : behind + 1].isalnum()):
            found.append((at, end))
        at = text.find(value, end)
    return found


def _slices(text: str) -> Places:
    """Cut after a line or a space, so that a value of one line stays whole."""
    start = 0
    while start < len(text):
        end = min(len(text), start + SLICE)
        if end < len(text):
            end = max(text.rfind("\n", start, end), text.rfind(" ", start, end), start) + 1
            end = start + SLICE if end <= start + 1 else end
        yield start, end
        start = end
