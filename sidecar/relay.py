"""The reply half of an exchange (steps 8 to 10): bytes in, judged and restored bytes out.

A unary reply is one event. Events from the end of the last choice on are kept in `tail` until the outcome is durable
(guarantee 1); everything before leaves as soon as the release mode allows. Judging comes before restoring, so the
caller's own values are never inspected again and never reach a policy input.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sidecar import policy
from sidecar.deadline import LONG_STEP, others
from sidecar.dialects import Reader
from sidecar.dialects.collect import DECLARED
from sidecar.errors import UpstreamError
from sidecar.model import (
    Call,
    Channel,
    Decision,
    Delta,
    Finding,
    Inspection,
    Part,
    Place,
    RedactMode,
    Release,
    ReleaseMode,
    ReplyEvent,
    Role,
    Verdict,
)
from sidecar.redaction import Restorer, Vault, mask_text, spread
from sidecar.stream import Gate

TOOL_NAMES = frozenset({"tool_calls.name", "function_call.name"})

REASONING_FIELDS = ("reasoning", "reasoning_content")

LATE_LIMIT = 64 * 1024 * 1024
"""Bytes that a stream may go on by after its end, all of which wait for the outcome: as many as a body may have."""

KEPT_LIMIT = 4 * 1024 * 1024
"""Code points of reply text kept for inspection after a PASS release; what lies beyond is recorded as not inspected."""

TURN = 512
"""Surrogates, 10 to 20 us each, after which the other streams go on."""

PIECE = 8192
"""Code points of a long text that are restored at a time."""


class Judgement(NamedTuple):
    inspection: Inspection
    decision: Decision


Judge = Callable[[Sequence[Part], bool], Awaitable[Judgement]]
"""Inspects reply parts and asks policy; the flag says whether this is a window of a reply that goes on."""


class Withheld(Exception):
    """Policy denied the reply, or it could not be judged: nothing that is still held may leave."""

    def __init__(self, decision: Decision) -> None:
        super().__init__()
        self.decision = decision


class Relay:
    """One reply on its way. Feed it what the upstream sends; write what it returns."""

    def __init__(
        self, *, call: Call, reader: Reader, vault: Vault, restorer: Restorer, release: Release, judge: Judge
    ) -> None:
        self._reader = reader
        self.restorer = restorer
        self._vault = vault
        self._gate = None if release.mode is ReleaseMode.PASS else Gate(release)
        self._judge = judge
        self._choices = call.choices
        self._ended: set[int] = set()
        self._open: dict[Channel, None] = {}
        self._kept: dict[Channel, list[str]] = {}
        self._kept_size = 0
        self.judgement: Judgement | None = None
        self._found: dict[str, tuple[int, float]] = {}
        self.tail: list[bytes] = []
        self._late = 0

    async def feed(self, data: bytes) -> bytes:
        """Returns what may leave now. Raises UpstreamError, or Withheld."""
        events = self._reader.feed(data)
        if self._gate is None:
            return await self._pass(events)
        self._gate.feed(events)
        return await self._release(final=False) if self._gate.due() else b""

    async def finish(self) -> bytes:
        """The upstream has ended. Raises UpstreamError when it ended too early, or Withheld."""
        events = self._reader.finish()
        if self._gate is None:
            return await self._pass(events)
        self._gate.feed(events)
        return await self._release(final=True)

    def parts(self) -> tuple[Part, ...]:
        """The reply's text by channel, surrogates and all, for inspection after a PASS release."""
        return _parts_of(self._kept)

    @property
    def is_judged(self) -> bool:
        """Whether nothing leaves before it is judged; then `findings` counts what was found, by entity."""
        return self._gate is not None

    @property
    def findings(self) -> dict[str, int]:
        return {entity: count for entity, (count, _) in self._found.items()}

    def before(self, findings: Iterable[Finding]) -> dict[str, tuple[int, float]]:
        """What was found in text that has left: entity -> (count, best score). `findings` are those of what is being
        judged, which begins with some of that text: what they hold of it is not counted here.
        """
        if not self._found:
            return {}
        gone = {_place(channel): length for channel, length in self._gate.left().items()} if self._gate else {}
        again = Counter(f.entity for f in findings if f.end <= gone.get(f.place, 0))
        return {entity: (max(0, count - again[entity]), best) for entity, (count, best) in self._found.items()}

    @property
    def overflowed(self) -> bool:
        return self._kept_size > KEPT_LIMIT

    def reasoning(self, findings: Iterable[Finding]) -> str | None:
        """The model's own stated rationale with every finding masked, or None when it stated none. Text that was held
        to be judged is kept masked; `findings` are those of a reply that passed. What a server says in both fields
        (vLLM) was said once.
        """
        stated = {channel: texts for channel, texts in self._kept.items() if channel.field in REASONING_FIELDS}
        if not stated:
            return None
        if self.is_judged:
            return "\n".join(dict.fromkeys("".join(texts) for texts in stated.values())) or None
        texts = [mask_text(part.text, [f for f in findings if f.place == part.place]) for part in _parts_of(stated)]
        return "\n".join(dict.fromkeys(texts)) or None

    async def _pass(self, events: Iterable[ReplyEvent]) -> bytes:
        out: list[bytes] = []
        for event in events:
            ends = self._reader.ends(event)
            for delta in event.deltas if len(event.deltas) < 2 else self._news(event):
                self._keep(delta.channel, delta.text)
            if len(event.deltas) == 1 and not (ends or event.last or self.tail or len(event.raw) > PIECE):
                out.append(self._piece(event, event.deltas[0]))
                if self.restorer.seen > TURN:
                    await self._others()
            else:
                await self._send(event, [delta.text for delta in event.deltas], ends, out)
        return b"".join(out)

    def _piece(self, event: ReplyEvent, delta: Delta) -> bytes:
        """What most events are: one piece of one channel, far from any end. The short way through `_send`."""
        if not self._vault:
            return event.raw
        self._assign(delta, delta.text)
        self._open[delta.channel] = None
        text = self.restorer.feed(delta.channel, delta.text)
        if text == delta.text:
            return event.raw
        if delta.channel.whole:
            text += self.restorer.finish(delta.channel)
        return self._reader.rewrite(event, [text])

    def _news(self, event: ReplyEvent) -> Iterator[Delta]:
        """What an event says anew: Azure repeats its filter's results in each, Perplexity citations and the message."""
        for delta in event.deltas:
            said = self._kept.get(delta.channel) if delta.channel.whole else None
            if not said:
                yield delta
            elif delta.text != said[-1]:
                yield delta._replace(text=delta.text.removeprefix("".join(said)))

    async def _release(self, *, final: bool) -> bytes:
        """Judge all that is held, then let go of what stands before the line."""
        assert self._gate is not None
        texts = self._gate.texts()
        parts = reply_parts(texts)
        judged = await self._judge(parts, not final)
        spans = _held(_spans(judged, texts, parts), self._gate.left())
        so_far = self.judgement.decision if self.judgement else None
        self.judgement = judged._replace(decision=policy.united(so_far, judged.decision))
        held = self._gate.held()
        if self.judgement.decision.verdict is Verdict.DENY:
            self._tell(held, spans)
            raise Withheld(self.judgement.decision)
        masked, hidden = _masked(held, spans), _masked(held, _all_masked(spans))
        leaving = held[: self._gate.release(spans, final=final)]
        self._tell(leaving, spans)
        out: list[bytes] = []
        for event, new, told in zip(leaving, masked, hidden, strict=False):
            for delta, text in zip(event.deltas, told, strict=True):
                self._keep(delta.channel, text)
            await self._send(event, new, self._reader.ends(event), out)
        return b"".join(out)

    def _tell(self, leaving: Iterable[ReplyEvent], spans: Spans) -> None:
        """Count what was found in text that leaves; what is still held will be found, and counted, once more."""
        length: dict[Channel, int] = {}
        for event in leaving:
            for delta in event.deltas:
                length[delta.channel] = length.get(delta.channel, 0) + len(delta.text)
        for channel, found in spans.items():
            for span in found:
                if span.end <= length.get(channel, 0):
                    count, best = self._found.get(span.entity, (0, 0.0))
                    self._found[span.entity] = (count + 1, max(best, span.score))

    def _keep(self, channel: Channel, text: str) -> None:
        self._kept_size += len(text)
        if self._kept_size <= KEPT_LIMIT:
            self._kept.setdefault(channel, []).append(text)

    async def _send(self, event: ReplyEvent, texts: list[str], ends: Sequence[int], out: list[bytes]) -> None:
        """Restore one event; flush what is held where a choice ends; divert to the tail from the last end on."""
        if self._vault:
            await self._restore(event, texts, ends)
            self._flush(event, ends, out)
        changed = any(new != delta.text for new, delta in zip(texts, event.deltas, strict=True))
        raw = self._reader.rewrite(event, texts) if changed else event.raw
        self._ended.update(ends)
        late = event.last or self.tail or -1 in self._ended or len(self._ended) >= self._choices
        if late:
            self._wait(raw)
        else:
            out.append(raw)

    def _wait(self, raw: bytes) -> None:
        """Keep an event back until the outcome is durable. Raises UpstreamError: it might go on without end."""
        self._late += len(raw) if self.tail else 0
        if self._late > LATE_LIMIT:
            raise UpstreamError("GATE_OVERFLOW", "The model server goes on long after the end of its reply.")
        self.tail.append(raw)

    async def _restore(self, event: ReplyEvent, texts: list[str], ends: Sequence[int]) -> None:
        for delta, text in zip(event.deltas, texts, strict=True):
            self._assign(delta, text)
        for position, delta in enumerate(event.deltas):
            text = await self._fed(delta.channel, texts[position])
            if delta.channel.choice in ends or delta.channel.whole:
                self._open.pop(delta.channel, None)
                text += self.restorer.finish(delta.channel)
            else:
                self._open[delta.channel] = None
            texts[position] = text

    async def _fed(self, channel: Channel, text: str) -> str:
        """What the restorer lets go of; a long text goes in piece by piece."""
        out = []
        for at in range(0, len(text), PIECE):
            out.append(self.restorer.feed(channel, text[at : at + PIECE]))
            if self.restorer.seen > TURN or (at + PIECE) % LONG_STEP == 0:
                await self._others()
        return "".join(out)

    async def _others(self) -> None:
        self.restorer.seen = 0
        await others()

    def _assign(self, delta: Delta, text: str) -> None:
        """Where a delta names a tool, say so. Some servers name it once and write "" from then on."""
        if text and delta.channel.field in TOOL_NAMES:
            self.restorer.assign(delta.channel, text)

    def _flush(self, event: ReplyEvent, ends: Sequence[int], out: list[bytes]) -> None:
        """Give out held tails of channels that will get no more text, in an event of their own."""
        if not (ends or event.last):
            return
        for channel in [c for c in self._open if event.last or c.choice in ends]:
            del self._open[channel]
            if self.restorer.holding(channel):
                (self.tail if self.tail else out).append(self._reader.carry(channel, self.restorer.finish(channel)))


def _parts_of(pieces: Mapping[Channel, Sequence[str]]) -> tuple[Part, ...]:
    return reply_parts({channel: "".join(texts) for channel, texts in pieces.items()})


def reply_parts(texts: Mapping[Channel, str]) -> tuple[Part, ...]:
    """Reply text as parts, so that the same detectors read it."""
    return tuple([_part(channel, text) for channel, text in texts.items()])


def _part(channel: Channel, text: str) -> Part:
    """A tool's name is read as in the request that declared it."""
    key = DECLARED if channel.field in TOOL_NAMES else ""
    return Part(place=_place(channel), role=Role.ASSISTANT, text=text, key=key)


def _place(channel: Channel) -> Place:
    choice, field = channel.choice, channel.field
    return Place(path=("reply", choice, field, channel.item), label=f"reply[{choice}].{field}")


class Span(NamedTuple):
    """A finding in held reply text; `mask` is what replaces it, None where policy lets it stand."""

    start: int
    end: int
    mask: str | None
    entity: str
    score: float


Spans = Mapping[Channel, Sequence[Span]]


def _spans(judgement: Judgement, channels: Iterable[Channel], parts: Sequence[Part]) -> Spans:
    rules = judgement.decision.duties.redact
    found: dict[Channel, list[Span]] = {channel: [] for channel in channels}
    at = {part.place: spans for part, spans in zip(parts, found.values(), strict=True)}
    for f in judgement.inspection.findings:
        mask = _mask(f.entity, rules.get(f.entity, rules.get("*")))
        at[f.place].append(Span(f.start, f.end, mask, f.entity, f.score))
    return found


def _held(spans: Spans, left: Mapping[Channel, int]) -> Spans:
    """The same in what is still held: of a value that began in text that has left, only the rest can be masked."""
    return {
        channel: [s._replace(start=max(0, s.start - gone), end=s.end - gone) for s in found if s.end > gone]
        for channel, found in spans.items()
        for gone in [left[channel]]
    }


def _all_masked(spans: Spans) -> Spans:
    """The same for the record, which holds no finding whatever policy lets through."""
    return {channel: [s._replace(mask=f"<{s.entity}>") for s in found] for channel, found in spans.items()}


def _mask(entity: str, mode: RedactMode | None) -> str | None:
    """Reply text has no one to be restored for: whatever policy wants redacted is masked, or dropped."""
    if mode is None:
        return None
    return "" if mode is RedactMode.DROP else f"<{entity}>"


def _masked(events: Sequence[ReplyEvent], spans: Spans) -> list[list[str]]:
    """The new texts of each event's deltas, masks spread over the pieces they stand in."""
    pieces: dict[Channel, list[str]] = {}
    for event in events:
        for delta in event.deltas:
            pieces.setdefault(delta.channel, []).append(delta.text)
    for channel, texts in pieces.items():
        edits = [(span.start, span.end, span.mask) for span in spans.get(channel, ()) if span.mask is not None]
        if edits:
            pieces[channel] = spread(texts, edits)
    queues = {channel: iter(texts) for channel, texts in pieces.items()}
    return [[next(queues[delta.channel]) for delta in event.deltas] for event in events]
