"""The `Inspect` port: findings of every part, cached, off the event loop when long, within a deadline.

A request's new text (what the cache does not know) is analysed in line when it is short, and in a worker process when
it is not: pure Python holds the interpreter lock, so a thread would stall every other stream. Any fault is an OwnError
with INSPECTOR_TIMEOUT or INSPECTOR_ERROR, which the conductor turns into a deny; nothing is ever found by failing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Hashable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sidecar.deadline import for_texts, others, within
from sidecar.drivers.inspector_pool import START_S, WORKER, Pool, WorkerFailed
from sidecar.drivers.inspector_scan import fastest
from sidecar.drivers.inspector_worker import Plan
from sidecar.errors import OwnError, SidecarError
from sidecar.inspection.cache import NEW, Key, SpanCache, Spans
from sidecar.inspection.catalogue import Mode, Settings, missing
from sidecar.inspection.checksums import NO_DIGITS
from sidecar.inspection.consistency import Known, Steps, alone, turns
from sidecar.inspection.countries import national_missing
from sidecar.inspection.engine import Engine
from sidecar.inspection.keyed import moved_back, told
from sidecar.inspection.segments import Segment, joined, segments
from sidecar.inspection.spans import Span
from sidecar.inspection.tokens import DIGITS
from sidecar.model import Caller, Detector, Finding, Inspection, Part, Role
from sidecar.ports import Clock

if TYPE_CHECKING:
    from sidecar.drivers.names_model import NamesModel

INLINE = 2048
"""Code points of new text analysed on the event loop: under 2 ms at one value every 20 characters."""
INLINE_NUMBERS = 160
"""Runs of digits; a dense 2 KB prompt holds 130, `12-12-12-...` 700 that each may begin a dozen kinds of number."""
FRAME = 2048
"""Code points handed to a worker at once, or one piece: long prompts take turns with each other and with short ones
(beside one of 400 KB a short call took 0.7 s with frames of 16,384, and 0.1 s with these)."""
USUAL = Settings()
CACHE_BYTES = 32 << 20
FEW = 8
SLICE = 1000
STRIDE = 256
"""Pieces of a long text, or texts, between two turns of the event loop: about a millisecond."""

FAILED = "a detector failed; the call was not inspected and was not let through. Try again; if it stays, see the log"
SLOW = "inspection did not finish within its deadline; the call was not let through. Try again, or send less text"
NOT_LOADED = "a detector cannot be loaded: {}. Correct `detection` in the configuration, or install what is missing"
SLOW_TO_LOAD = f"it takes longer than {START_S:.0f} seconds"

T = TypeVar("T")
S = TypeVar("S")


class Flight:
    """One analysis that is under way, and how many wait for it."""

    def __init__(self, analyse: Callable[[Callable[[], bool]], Coroutine[Any, Any, Spans]]) -> None:
        self._waiting = 0
        self.task = asyncio.get_running_loop().create_task(analyse(lambda: self._waiting > 0))

    async def spans(self) -> Spans:
        self._waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self._waiting -= 1


class Inspector:
    """Reuse one for the life of the process; `close` ends its workers.

    `settings` say what the rules look for, and what of all that is found counts; `secret` keys the cache. `names` None
    uses the names model if it is installed. `recognisers` are configured as drivers/presidio.py says.
    """

    def __init__(
        self,
        *,
        secret: bytes,
        clock: Clock,
        settings: Settings = USUAL,
        names: bool | None = None,
        recognisers: Sequence[Mapping[str, Any]] = (),
        consistent: bool = True,
        deadline_s: float = 10.0,
        cache_bytes: int = CACHE_BYTES,
        workers: int = 1,
        command: tuple[str, ...] = WORKER,
    ) -> None:
        model = _names_model(settings.mode) if names is not False else None
        if names and model is None:
            raise ValueError("the names model is not installed")
        plan = Plan(settings=settings, names=model is not None, recognisers=tuple(recognisers))
        self._engine = rules_of(settings)
        self._heavy = plan.is_heavy
        self._reads_alone = not recognisers
        self._is_consistent = consistent
        self._deadline_s = deadline_s
        self._detectors, self._found_types = _described(self._engine, model, recognisers)
        self._missing = (*missing(self._found_types), *national_missing(self._found_types))
        self._cache = SpanCache(cache_bytes, secret, repr((settings, self._detectors)))
        self._pool = Pool(plan.to_json(), monotonic=clock.monotonic, size=workers, frame_s=deadline_s, command=command)
        self._flights: dict[Key, Flight] = {}

    @property
    def not_looked_for(self) -> tuple[str, ...]:
        return self._missing

    @property
    def looked_for(self) -> tuple[str, ...]:
        return tuple(sorted(self._found_types))

    @property
    def detectors(self) -> tuple[Detector, ...]:
        return self._detectors

    async def start(self) -> Self:
        """Start the workers now rather than at the first long prompt. Raises OwnError when one cannot be started."""
        try:
            await self._pool.warm(reading=self._reads_alone)
        except (TimeoutError, WorkerFailed) as fault:
            why = getattr(fault, "unloaded", None if self._reads_alone else SLOW_TO_LOAD)
            raise OwnError("INSPECTOR_ERROR", NOT_LOADED.format(why) if why else FAILED) from None
        return self

    async def close(self) -> None:
        flights = [flight.task for flight in self._flights.values()]
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        self._pool.close()
        await asyncio.sleep(0)  # lets the closed transports say goodbye to the loop

    async def inspect(self, parts: Sequence[Part], caller: Caller | None = None) -> Inspection:
        """Findings by part, in order. Raises OwnError (INSPECTOR_TIMEOUT, INSPECTOR_ERROR)."""
        try:
            findings = self._alone(parts[0]) if len(parts) == 1 else None
            if findings is None:
                findings = await within(for_texts(self._deadline_s, parts), self._found(parts, _who(caller)))
        except SidecarError:
            raise
        except TimeoutError:
            raise OwnError("INSPECTOR_TIMEOUT", SLOW) from None
        except Exception:  # noqa: BLE001  no detector's failure may pass for an answer; its message may quote the text
            raise OwnError("INSPECTOR_ERROR", FAILED) from None
        return Inspection(findings=tuple(findings), detectors=self._detectors, not_looked_for=self._missing)

    def _alone(self, part: Part) -> list[Finding] | None:
        """Of one short part with few findings, where nothing waits: no deadline could ever pass. Else None."""
        text = told(part) if part.key else part.text
        if len(text) > INLINE:
            return None
        key = self._cache.key(text)
        spans: Sequence[Span] | None = self._cache.get(key)
        if spans is None:
            if self._heavy or not _is_short((text,)):
                return None
            spans = self._kept(key, self._engine.find(text))
        if len(spans) > FEW:
            return None
        spans = moved_back(part, spans) if part.key else spans
        spans = alone(part.text, spans, self._engine.allows) if self._is_consistent else spans
        return [NEW(Finding, (part.place, *span[:-1])) for span in spans]

    async def _found(self, parts: Sequence[Part], who: Hashable) -> list[Finding]:
        spans = await self._spans(parts, who)
        if len(parts) <= STRIDE and sum(map(len, spans)) <= SLICE:
            return _findings(parts, spans)
        return await _in_slices(parts, spans)

    async def _spans(self, parts: Sequence[Part], who: Hashable) -> Sequence[Sequence[Span]]:
        texts = await _each(_text_of, parts)
        keys = await _each(self._cache.key, texts)
        known = await _each(self._cache.get, keys)
        if None in known:
            new = {key: text for key, text, spans in zip(keys, texts, known, strict=True) if spans is None}
            found = await self._new(new, who)
            known = [found.get(key, spans) for key, spans in zip(keys, known, strict=True)]
        if not (any(known) and any(part.key for part in parts)):
            spans: Sequence[Sequence[Span]] = [found or () for found in known]
        else:
            keys = [_shifted(*each) for each in zip(keys, texts, parts, strict=True)]
            spans = await _each(_back, list(zip(parts, known, strict=True)))
        return await self._consistent(parts, keys, spans) if self._is_consistent and any(spans) else spans

    async def _new(self, texts: Mapping[Key, str], who: Hashable) -> dict[Key, Spans]:
        if not self._heavy and _is_short(texts.values()):
            return {key: self._kept(key, self._engine.find(text)) for key, text in texts.items()}
        return {key: await self._long(key, text, who) for key, text in texts.items()}

    async def _consistent(
        self, parts: Sequence[Part], keys: Sequence[Key], spans: Sequence[Sequence[Span]]
    ) -> Sequence[Sequence[Span]]:
        """Values found once, wherever they stand again (inspection/consistency.py); turns seen before are cached."""
        if len(parts) == 1 and len(parts[0].text) <= INLINE and len(spans[0]) <= FEW:  # cheaper than to look it up
            return [alone(parts[0].text, spans[0], self._engine.allows)]
        known, behind, chain = Known(self._engine.allows), 0, b""
        found: list[Sequence[Span]] = []
        for turn in turns([part.role is Role.ASSISTANT for part in parts]):
            chain = self._cache.chained(chain, b"".join(keys[turn.start : turn.stop]))
            kept_at = [chain + b"%x" % at for at in range(len(turn))]
            kept = await _each(self._cache.get, kept_at)
            if None in kept:
                await _learned(known, parts, spans, range(behind, turn.stop))
                behind = turn.stop
                for at, key in zip(turn, kept_at, strict=True):
                    found.append(self._kept(key, await _in_steps(known.spread(parts[at].text, spans[at]))))
                    if len(found) % STRIDE == 0:
                        await others()
            else:
                found += [spans for spans in kept if spans is not None]
        return found

    def _kept(self, key: Key, spans: Iterable[Span]) -> Spans:
        kept = Spans(spans)
        self._cache.put(key, kept)
        return kept

    async def _long(self, key: Key, text: str, who: Hashable) -> Spans:
        """One analysis however many wait for it; it goes on when one of them leaves, and ends behind the last."""
        flight = self._flights.get(key)
        if flight is None or flight.task.done():
            flight = self._flights[key] = Flight(lambda wanted: self._analysed(key, text, wanted, who))
            flight.task.add_done_callback(partial(self._landed, key, flight))
        return await flight.spans()

    def _landed(self, key: Key, flight: Flight, task: asyncio.Task[Spans]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # marks it as seen: whoever waited has it, and nobody may have waited

    async def _analysed(self, key: Key, text: str, wanted: Callable[[], bool], who: Hashable) -> Spans:
        """The text piece by piece, pieces from the cache where they are known. Raises Abandoned."""
        if not text:  # servers stream `"content": ""` before a tool call, and files may be empty
            return self._kept(key, ())
        pieces = [(piece, piece.window(text)) for piece in segments(text)]
        keys: list[Key] = []
        for _, window in pieces:
            keys.append(self._cache.key(window))
            if len(keys) % STRIDE == 0:
                await others()
        first = {piece_key: at for at, piece_key in reversed(list(enumerate(keys)))}  # a text may repeat itself
        known = {piece_key: self._cache.get(piece_key) for piece_key in first}
        new = sorted(first[piece_key] for piece_key, spans in known.items() if spans is None)
        for batch in _batches(new, pieces):
            told = [pieces[at][1] for at in batch]
            for at, spans in zip(batch, await self._pool.find(told, wanted=wanted, caller=who), strict=True):
                known[keys[at]] = self._kept(keys[at], spans)
        found = [known[piece_key] or () for piece_key in keys]
        return self._kept(key, joined([(piece, spans) for (piece, _), spans in zip(pieces, found, strict=True)]))


@lru_cache(maxsize=1)
def rules_of(settings: Settings) -> Engine:
    """Built in 0.1 s, which a start would take twice: to see whether the settings can be used, and to use them."""
    return Engine(settings, fastest()[1])


def _batches(new: Sequence[int], pieces: Sequence[tuple[Segment, str]]) -> list[list[int]]:
    batches: list[list[int]] = []
    room = 0
    for at in new:
        size = len(pieces[at][1])
        if size > room:
            batches.append([])
            room = FRAME
        batches[-1].append(at)
        room -= size
    return batches


def _is_short(texts: Collection[str]) -> bool:
    """Whether the event loop can bear it: short, and not made of numbers, which cost the most."""
    if sum(map(len, texts)) > INLINE:
        return False
    together = " ".join(texts)
    few = len(together.encode("ascii", "ignore").translate(None, NO_DIGITS)) <= INLINE_NUMBERS
    return few or len(DIGITS.findall(together)) <= INLINE_NUMBERS


async def _in_steps(steps: Steps) -> list[Span]:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            answer: list[Span] = done.value
            return answer
        await others()


async def _each(work: Callable[[T], S], items: Sequence[T]) -> list[S]:
    """`work` of each; of many in strides, so that the other streams go on."""
    if len(items) <= STRIDE:
        return list(map(work, items))
    done: list[S] = []
    for start in range(0, len(items), STRIDE):
        done += map(work, items[start : start + STRIDE])
        await others()
    return done


async def _learned(known: Known, parts: Sequence[Part], spans: Sequence[Sequence[Span]], places: range) -> None:
    for number, at in enumerate(places, 1):
        known.learn(parts[at].text, spans[at])
        if number % STRIDE == 0:
            await others()


def _who(caller: Caller | None) -> Hashable:
    """Those who are not known cannot be told apart."""
    return None if caller is None or caller.auth == "anonymous" else (caller.tenant, caller.app, caller.user)


def _text_of(part: Part) -> str:
    return told(part) if part.key else part.text


def _back(found: tuple[Part, Spans | None]) -> Sequence[Span]:
    part, spans = found
    return moved_back(part, spans) if spans and part.key else spans or ()


def _shifted(key: Key, text: str, part: Part) -> Key:
    """The key of a part whose spans have been moved: the same text may be read beside a key, or stand by itself."""
    return key + b"%d," % (len(text) - len(part.text)) if part.key else key


async def _in_slices(parts: Sequence[Part], spans: Sequence[Sequence[Span]]) -> list[Finding]:
    """A megabyte of values is 25,000 objects, more than one turn of the event loop should make."""
    findings: list[Finding] = []
    made = 0
    for number, (part, found) in enumerate(zip(parts, spans, strict=True), 1):
        for start in range(0, len(found), SLICE):
            findings += _findings([part], [found[start : start + SLICE] if len(found) > SLICE else found])
            if len(found) > SLICE:
                await others()
        if number % STRIDE == 0 or len(findings) - made > SLICE:
            made = len(findings)
            await others()
    return findings


def _findings(parts: Sequence[Part], spans: Sequence[Sequence[Span]]) -> list[Finding]:
    findings: list[Finding] = []
    for part, found in zip(parts, spans, strict=True):
        if found:
            findings += (found if isinstance(found, Spans) else Spans(found)).at(part.place)
    return findings


def _names_model(mode: Mode) -> NamesModel | None:
    """The model's card (its weights stay on disk here; a worker loads them), None where it is not installed."""
    from sidecar.drivers.names_model import HOME, NamesModel

    if find_spec("onnxruntime") is None or not (HOME / "model.onnx").is_file():
        return None
    return NamesModel(mode=mode)


def _described(
    engine: Engine, model: NamesModel | None, recognisers: Sequence[Mapping[str, Any]]
) -> tuple[tuple[Detector, ...], frozenset[str]]:
    """Every detector with its version, and every type that one of them finds."""
    detectors, types = list(engine.detectors), set(engine.entities)
    if model is not None:
        detectors.append(Detector("names", model.version))
        types.update(filter(engine.settings.wants, model.entities))
    if recognisers:
        from sidecar.drivers.presidio import described

        for detector, entities in map(described, recognisers):
            detectors.append(detector)
            types.update(entities)
    return tuple(detectors), frozenset(types)
