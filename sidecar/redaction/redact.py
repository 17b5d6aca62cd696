"""Findings and rules to edits.

1. Each part is cut into pieces: text, and spans to be replaced. One-way spans become text at once.
2. If anything will be restored at all, the text is searched for what a restorer would take for a surrogate. Such a
   literal becomes a span of its own, `<LITERAL_1>`, which is restored to exactly what the caller typed; so every
   surrogate that the upstream sees is ours. If nothing is to be restored, literals need no care, and a request without
   findings is not touched (guarantee 5).
3. Spans are minted in the order of the parts (tools, response_format, messages, the rest: design.md 7).

A turn that only adds parts at the end keeps every earlier edit as it was, with two exceptions, both rare: a literal
typed before the conversation's first finding, and one typed without both brackets before the first finding of its
label. Each is then replaced from the turn of that finding on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sidecar.model import Channel, Edit, Finding, Part, Place, PlaceKind, RedactMode
from sidecar.redaction.grammar import LITERAL, RESERVED, bracketed, label
from sidecar.redaction.literals import LiteralScan
from sidecar.redaction.mint import Mint
from sidecar.redaction.oneway import DEFAULTS, Operators, replace
from sidecar.redaction.restore import Restorer
from sidecar.redaction.styles import NUMBERED, Style, stands_alone
from sidecar.redaction.urls import AUTHORITY_END, UrlCursor, trusted_texts
from sidecar.redaction.vault import Vault

STRICTNESS = {mode: rank for rank, mode in enumerate(RedactMode)}

_CONTEXT = 8


class Span(NamedTuple):
    """What is replaced in a part, and by which rule."""

    start: int
    end: int
    entity: str
    mode: RedactMode


@dataclass(frozen=True, slots=True)
class Hit:
    """A value that gets a surrogate."""

    entity: str
    value: str = field(repr=False)


Piece = str | Hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What to write where, what to restore from, and how many spans of each entity were replaced (LITERAL included)."""

    edits: tuple[Edit, ...] = ()
    vault: Vault = field(default_factory=Vault)
    counts: Mapping[str, int] = field(default_factory=dict)


def redact(
    parts: Sequence[Part],
    findings: Sequence[Finding],
    rules: Mapping[str, RedactMode],
    *,
    style: Style = NUMBERED,
    operators: Operators = DEFAULTS,
) -> Redaction:
    """Replace each finding as its entity's rule says; without one, as the rule of `*`; without that, not at all.

    Findings of a place must be disjoint and inside its text, and each place must be that of a part: ValueError if not.
    Raises Refusal (OBLIGATION_UNSUPPORTED) for a mode that has no operator.
    """
    spans = _spans(parts, findings, rules)
    if not spans:
        return Redaction()
    job = _Job(parts, spans, rules, style, operators)
    redaction = job.run(whole=False)
    return redaction if job.identifiers_restore(redaction.vault) else job.run(whole=True)


def _spans(
    parts: Sequence[Part], findings: Sequence[Finding], rules: Mapping[str, RedactMode]
) -> dict[Place, list[Span]]:
    """The spans that a rule wants replaced, by place, in order."""
    spans: dict[Place, list[Span]] = {}
    for finding in findings:
        mode = rules.get(finding.entity, rules.get("*"))
        if mode is not None:
            spans.setdefault(finding.place, []).append(Span(finding.start, finding.end, finding.entity, mode))
    if spans:
        _check(parts, spans)
    return spans


def _check(parts: Sequence[Part], spans: Mapping[Place, list[Span]]) -> None:
    sizes = {part.place: len(part.text) for part in parts}
    for place, marked in spans.items():
        marked.sort()
        reached = 0
        for span in marked:
            if not reached <= span.start < span.end <= sizes.get(place, -1):
                raise ValueError(f"findings overlap or lie outside the text at {place.label}")
            reached = span.end


class _Job:
    """One redaction. `run` may be called again, with identifiers replaced as a whole."""

    def __init__(
        self,
        parts: Sequence[Part],
        spans: Mapping[Place, list[Span]],
        rules: Mapping[str, RedactMode],
        style: Style,
        operators: Operators,
    ) -> None:
        self._parts = parts
        self._spans = spans
        self._style = style
        self._operators = operators
        every = [span for marked in spans.values() for span in marked]
        minted = {label(span.entity) for span in every if span.mode is RedactMode.SURROGATE}
        ruled = {label(entity) for entity in rules if entity != "*"}
        self._scan = LiteralScan(minted, RESERVED | ruled) if minted else None
        self._identifiers: list[tuple[str, str]] = []

    def run(self, *, whole: bool) -> Redaction:
        self._mint = Mint(self._style, self._parts)
        self._counts: dict[str, int] = {}
        self._identifiers.clear()
        edits = [Edit(part.place, text) for part in self._parts if (text := self._text(part, whole)) is not None]
        vault = self._mint.vault
        if vault:
            vault.trusted = trusted_texts(self._parts)
        return Redaction(edits=tuple(edits), vault=vault, counts=self._counts)

    def identifiers_restore(self, vault: Vault) -> bool:
        """Whether each identifier, whose surrogates have no brackets around them, comes back as it was."""
        return all(_restored(vault, new) == old for new, old in self._identifiers)

    def _text(self, part: Part, whole: bool) -> str | None:
        """The part's new text, None where it stays."""
        marked = self._spans.get(part.place, [])
        if not marked and not (self._scan and self._scan.literals(part.text)):
            return None
        identifier = part.place.kind is PlaceKind.IDENTIFIER
        if marked and identifier:
            marked = _widened(part.text, marked)
        pieces = [piece for text in self._pieces(part, marked) for piece in self._literals(text)]
        for piece in pieces:
            if isinstance(piece, Hit):
                self._count(piece.entity)
        if not marked and not any(isinstance(piece, Hit) for piece in pieces):
            return None
        return self._identifier(pieces, whole) if identifier else self._prose(part, pieces)

    def _pieces(self, part: Part, marked: Sequence[Span]) -> Iterator[Piece]:
        """Text and values in turn; what one-way rules leave belongs to the text around it."""
        text, at = "", 0
        for span in marked:
            value = part.text[span.start : span.end]
            text += part.text[at : span.start]
            at = span.end
            if span.mode is RedactMode.SURROGATE:
                yield text
                yield Hit(span.entity, value)
                text = ""
            else:
                self._count(span.entity)
                text += replace(span.mode, span.entity, value, part.place.kind, self._operators)
        yield text + part.text[at:]

    def _count(self, entity: str) -> None:
        self._counts[entity] = self._counts.get(entity, 0) + 1

    def _literals(self, piece: Piece) -> Iterator[Piece]:
        """The piece, cut where the caller typed what would be taken for a surrogate."""
        if isinstance(piece, Hit):
            yield piece
            return
        at = 0
        for start, end in self._scan.literals(piece) if self._scan else ():
            yield piece[at:start]
            yield Hit(LITERAL, piece[start:end])
            at = end
        yield piece[at:]

    def _identifier(self, pieces: Sequence[Piece], whole: bool) -> str:
        hits = [piece for piece in pieces if isinstance(piece, Hit)]
        old = "".join(piece.value if isinstance(piece, Hit) else piece for piece in pieces)
        if whole and hits:
            pieces = [Hit(hits[0].entity, old)]
        new = "".join(self._bare_name(piece) if isinstance(piece, Hit) else piece for piece in pieces)
        self._identifiers.append((new, old))
        return new

    def _bare_name(self, hit: Hit) -> str:
        entry = self._mint.entry(hit.entity, hit.value)
        entry.bare = True
        return entry.name

    def _prose(self, part: Part, pieces: Sequence[Piece]) -> str:
        tokens = [self._token(pieces, at) for at in range(len(pieces))]
        if "//" in part.text or "www." in part.text or "http" in part.text:
            self._mint.vault.links.update(_links(pieces, tokens))
        return "".join(tokens)

    def _token(self, pieces: Sequence[Piece], at: int) -> str:
        """The piece as the upstream gets it. A lifelike surrogate that would run into its neighbours is bracketed."""
        piece = pieces[at]
        if isinstance(piece, str):
            return piece
        entry = self._mint.entry(piece.entity, piece.value)
        before, after = pieces[at - 1] if at else "", pieces[at + 1] if at + 1 < len(pieces) else ""
        if entry.token == bracketed(entry.name) or not (isinstance(before, str) and isinstance(after, str)):
            return bracketed(entry.name)
        near = before[-_CONTEXT:] or ("x" if at > 1 else ""), after[:_CONTEXT] or ("x" if at + 2 < len(pieces) else "")
        return entry.token if stands_alone(near[0], entry.token, near[1]) else bracketed(entry.name)


def _widened(text: str, marked: Sequence[Span]) -> list[Span]:
    """Spans of an identifier, grown to the next `_` or `-`, so that what stands for them can be told apart."""
    grown: list[Span] = []
    for span in marked:
        start, end = _word(text, span)
        if grown and start <= grown[-1].end:
            before = grown.pop()
            strict = max(before, span, key=lambda each: STRICTNESS[each.mode])
            grown.append(Span(before.start, max(end, before.end), strict.entity, strict.mode))
        else:
            grown.append(span._replace(start=start, end=end))
    return grown


def _word(text: str, span: Span) -> tuple[int, int]:
    start, end = span.start, span.end
    while start > 0 and text[start - 1] not in "_-":
        start -= 1
    while end < len(text) and text[end] not in "_-":
        end += 1
    return start, end


def _links(pieces: Sequence[Piece], tokens: Sequence[str]) -> Iterator[str]:
    """The URLs of a redacted text, each up to and with a surrogate in it, or to the end of the host that it is in."""
    cursor = UrlCursor()
    for at, piece in enumerate(pieces):
        if isinstance(piece, str):
            cursor.advance(piece)
            continue
        if cursor.url:
            after = tokens[at + 1] if at + 1 < len(tokens) and cursor.host is None else ""
            end = AUTHORITY_END.search(after)
            yield cursor.url + tokens[at] + after[: end.start() if end else None]
        cursor.skip(tokens[at], tokens[at])


def _restored(vault: Vault, text: str) -> str:
    channel = Channel(0, "identifier")
    restorer = Restorer(vault, guard=False)
    return restorer.feed(channel, text) + restorer.finish(channel)
