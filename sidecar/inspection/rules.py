"""One recogniser: where it may start, what it looks like, what proves it, which words near it make it likelier."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from sidecar.inspection.columns import Beside
from sidecar.inspection.context import Context
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import Token

Check = Callable[[str], bool | None]

CONTEXT_GAIN = 0.35
CONTEXT_FLOOR = 0.4
"""As Presidio's LemmaContextAwareEnhancer: a context word adds 0.35 and lifts to at least 0.4."""

MISTYPED = 0.35
"""Of a number that fails its check right behind a word for it ("BSN: 123456789"): mistyped, or made up, and reported by
strict mode, whose threshold lies below this."""
LABEL_STEP = 0.01
"""What others lose where a rule's own word stands right before the number, to settle who names it."""
GENERAL_WORDS = (
    "ausweis car card carte cartão cc certificate dl document empresa entreprise establecimiento id identidad"
    " identification identifikationsnummer identité identità identity invoice medical mot national number pass person"
    " personal provider rechnung reference reg register registration référence self sociedad states tarjeta uid"
    " united us vehicle vero yritys établissement"
)
"""Words of a context that stand before numbers of every kind: what they label may be right as it is."""

NEVER: frozenset[int] = frozenset()
NOT_INSIDE, NOT_ON = r"(?<![^\W_])", r"(?![^\W_])"
"""Where a token may begin and end: `_` parts words, as in `user_4111111111111111`."""
BACK_REFERENCE = re.compile(r"\\[1-9]")
"""Only ever the separator between groups of digits; in the gate any separator will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`check` answers True (proven: `proven_score`), False (dropped) or None (no opinion: `score`).

    What the check drops is reported nevertheless, as `MISTYPED`, right behind a word of `label`.

    `beside_score`, if any, is that of what the check proves beside a context word: together they are a proof, where
    the check alone is none.

    `numeric` and `mixed` are the lengths of the tokens it may start with (digits only; letters and digits);
    `lead` says that one or two short words of letters stand before that token ("M AB 123", "QQ 12 34 56 C").
    """

    name: str
    entity: str
    pattern: re.Pattern[str] = field(repr=False)
    score: float
    proven_score: float = 1.0
    beside_score: float = 0.0
    check: Check | None = field(default=None, repr=False)
    context: Context | None = field(default=None, repr=False)
    label: Context | None = field(default=None, repr=False)
    numeric: frozenset[int] = NEVER
    mixed: frozenset[int] = NEVER
    lead: bool = False
    heads: frozenset[str] = field(init=False, repr=False)
    """The words with which the terms of `context` and `label` begin."""

    def __post_init__(self) -> None:
        terms = [words for words in (self.context, self.label) if words is not None]
        object.__setattr__(self, "heads", Context.union(terms).heads)

    def span(self, match: re.Match[str], around: Beside, threshold: float) -> Span | None:
        """The match as a span, its proof and its neighbourhood weighed; None below the threshold."""
        start, end = match.span()
        verdict = self.check(match.group()) if self.check else None
        if start == end:
            return None
        if verdict is False:
            return self._mistyped(start, end, around) if threshold <= MISTYPED else None
        score = self.proven_score if verdict else self.score
        settled = False
        if score < 1.0 and self._is_beside(around, start, end):
            settled = bool(verdict) and self.beside_score > 0
            score = self.beside_score if settled else max(min(score + CONTEXT_GAIN, 1.0), CONTEXT_FLOOR)
        if score < threshold:
            return None
        proven = settled or (verdict and (score >= 1.0 or self.is_labelled(around, start)))
        return Span(start, end, self.entity, score, self.name, Strength.PROVEN if proven else Strength.WEAK)

    def _is_beside(self, around: Beside, start: int, end: int) -> bool:
        """Whether a word of its context stands near, or an own one over the column whose cell it fills."""
        if self.context is None:
            return False
        own = self.label or self.context
        if own.within(around.heading(start)) and around.ends(end):
            return True
        return self.context.within(around.near(start, end))

    def is_labelled(self, around: Beside, start: int) -> bool:
        """Whether its own word stands right before, or over the column."""
        if self.label is None:
            return False
        return self.label.among(around.label(start)) or self.label.within(around.heading(start))

    def _mistyped(self, start: int, end: int, around: Beside) -> Span | None:
        if not self.is_labelled(around, start):
            return None
        return Span(start, end, self.entity, MISTYPED, self.name)


Match = Callable[[str, int], re.Match[str] | None]
Hit = tuple[Rule, re.Match[str]]


class Side(NamedTuple):
    """Rules, and all of their patterns as one: nearly every token fails it at once."""

    gate: Match
    rules: tuple[tuple[Match, Rule], ...]

    def hits(self, text: str, start: int, least: int) -> list[Hit]:
        return [(rule, hit) for match, rule in self.rules if (hit := match(text, start)) and hit.end() > least]


class Bucket(NamedTuple):
    """The rules of one kind of token. `weak` ones say nothing without a word nearby; `terms` are all of their words,
    asked for once."""

    strong: Side
    weak: Side
    terms: Context

    def find(self, around: Beside, start: int, least: int, threshold: float) -> list[Span]:
        """What begins at `start` and ends after `least`."""
        text = around.text
        hits = self.strong.hits(text, start, least) if self.strong.gate(text, start) else []
        weak = self.weak.gate(text, start)
        if weak is not None and self._is_said(around, start, weak.end()):
            more = self.weak.hits(text, start, least)
            hits += more if threshold <= MISTYPED else _said(around, start, more)
        if not hits:
            return []
        found = [(rule, span) for rule, hit in hits if (span := rule.span(hit, around, threshold))]
        return _settled(around, found) if len(found) > 1 else [span for _, span in found]

    def _is_said(self, around: Beside, start: int, end: int) -> bool:
        return self.terms.within(around.heading(start)) or self.terms.within(around.near(start, end))


def _said(around: Beside, start: int, hits: Sequence[Hit]) -> list[Hit]:
    """Those beside a word with which one of the rule's terms begins: most rules need no other look, nor a check."""
    heading = around.heading(start).heads
    heads = {end: heading | around.near(start, end).heads for end in {hit.end() for _, hit in hits}}
    return [(rule, hit) for rule, hit in hits if not rule.heads.isdisjoint(heads[hit.end()])]


def _settled(around: Beside, found: Sequence[tuple[Rule, Span]]) -> list[Span]:
    """The spans of one place: where the own word of some stands right before it, they go before their equals, and
    those that a check proves besides before all others."""
    own = [span for rule, span in found if rule.is_labelled(around, span.start) and span.score >= CONTEXT_FLOOR]
    others = [span for _, span in found if span not in own]
    if any(span.strength is Strength.PROVEN for span in own):
        others = [span._replace(strength=Strength.WEAK) for span in others]
    elif own:
        most = max(span.score for span in own) - LABEL_STEP
        others = [s._replace(score=min(s.score, most)) if s.strength is Strength.WEAK else s for s in others]
    return own + others


class RuleBook:
    """Rules by the tokens they may start at; what stays below `threshold` is not reported."""

    __slots__ = ("_headings", "_lead", "_mixed", "_numeric", "_parted", "_threshold", "_vocabulary")

    def __init__(self, rules: Iterable[Rule], threshold: float) -> None:
        kept = list(rules)
        alone = [rule for rule in kept if not rule.lead]
        lead = [rule for rule in kept if rule.lead]
        self._threshold = threshold
        self._headings = Context.union(own for rule in kept if (own := rule.label or rule.context) is not None)
        self._vocabulary = frozenset[str]().union(*(rule.heads for rule in kept))
        self._numeric = Buckets(alone, "numeric", threshold)
        self._parted = {mark: Buckets(_parted_by(mark, alone), "numeric", threshold) for mark in PARTING}
        self._mixed = Buckets(alone, "mixed", threshold)
        self._lead = (Buckets(lead, "mixed", threshold), Buckets(lead, "numeric", threshold))

    def find(self, text: str, tokens: Sequence[Token], tried: Sequence[int]) -> list[Span]:
        found: list[Span] = []
        around, threshold = Beside(text, self._headings, self._vocabulary), self._threshold
        for at in tried:
            start, end, numeric = tokens[at]
            bucket = self._digits(end - start, text[end : end + 1]) if numeric else self._mixed[end - start]
            if bucket is not None:
                found += bucket.find(around, start, start, threshold)
            if start > 1 and text[start - 2].isupper() and text[start - 1] in LEAD_ENDS:
                led = self._lead[numeric][end - start]
                if led is not None:
                    for lead in _leads(text, start):
                        found += led.find(around, lead, start, threshold)
        return found

    def _digits(self, length: int, mark: str) -> Bucket | None:
        """The rules that may start at so many digits with `mark` behind them."""
        if length >= LEAST_ALONE or mark > LAST_ASCII:
            return self._numeric[length]
        parted = self._parted.get(mark)
        return None if parted is None else parted[length]


LEAST_ALONE = 5
"""Digits: fewer are never a number by themselves but its first group, and the mark behind them tells whose."""
PARTING = " \t\n\v\f\r\x1c\x1d\x1e\x1f.-/,:"
"""Of ASCII, what parts a number's first group from the next."""
LAST_ASCII = "\x7f"


def _parted_by(mark: str, rules: Iterable[Rule]) -> list[Rule]:
    """Those whose pattern names the mark, or white space: the others end before it, or within their first group."""
    sources = ((rule, rule.pattern.pattern.replace("(?:", "")) for rule in rules)
    return [rule for rule, source in sources if mark in source or r"\s" in source]


LEAD_ENDS = " \u00a0.-"
LEAD = re.compile(r"[ \u00a0.-]([^\W\d_a-zß-ÿ]{1,3})(?:[ \u00a0-]([^\W\d_a-zß-ÿ]{1,3}))?(?![^\W_])")
"""Upper case: "in 3", "to be 2" stand everywhere in prose, and nobody writes a plate or a register number so."""


def _leads(text: str, start: int) -> list[int]:
    """Where one or two words of at most three letters before `start` begin."""
    match = LEAD.match(text[max(0, start - 9) : start][::-1])
    return [start - match.end(group) for group in (1, 2) if match.end(group) > 0] if match else []


class Buckets(dict[int, Bucket | None]):
    """Rules by the length of the tokens they start at. A length is prepared when the first token of it is met: all
    would be half of what compiling costs a start, 5 to 10 ms each."""

    def __init__(self, rules: Iterable[Rule], kind: str, threshold: float) -> None:
        super().__init__()
        self.rules: dict[int, list[Rule]] = {}
        self._threshold = threshold
        for rule in rules:
            for length in getattr(rule, kind):
                self.rules.setdefault(length, []).append(rule)

    def __missing__(self, length: int) -> Bucket | None:
        rules = self.rules.get(length)
        bucket = _bucket(rules, self._threshold) if rules else None
        if rules or length < SHORT:  # not of each length that a hostile text has
            self[length] = bucket
        return bucket


SHORT = 64


def _bucket(rules: Sequence[Rule], threshold: float) -> Bucket:
    sides: tuple[list[Rule], list[Rule]] = ([], [])
    for rule in rules:
        alone = max(rule.score, rule.proven_score if rule.check else 0.0)
        sides[alone < threshold].append(rule)
    strong, weak = map(_side, sides)
    terms = Context.union(rule.context for rule in sides[True] if rule.context is not None)
    return Bucket(strong, weak, terms)


def _side(rules: Sequence[Rule]) -> Side:
    patterns = tuple(dict.fromkeys(_flagged(rule.pattern) for rule in rules))
    return Side(_alternatives(patterns), tuple((rule.pattern.match, rule) for rule in rules))


@cache
def _alternatives(patterns: tuple[str, ...]) -> Match:
    return re.compile(NOT_INSIDE + f"(?:{'|'.join(patterns) or '(?!)'})").match


def _flagged(pattern: re.Pattern[str]) -> str:
    """The pattern with its flags inside, without its first look-behind; a back reference counts its own groups."""
    flags = ("i" if pattern.flags & re.IGNORECASE else "") + ("a" if pattern.flags & re.ASCII else "")
    body = BACK_REFERENCE.sub("(?:[- .:]?)", pattern.pattern.removeprefix(NOT_INSIDE))
    return f"(?{flags}:{body})"
