"""The `Inspect` port: findings of every part, cached, off the event loop when long, within a deadline.

A request's new text (what the cache does not know) is analysed in line when it is short, and in a worker process when
it is not: pure Python holds the interpreter lock, so a thread would stall every other stream. Any fault is an OwnError
with INSPECTOR_TIMEOUT or INSPECTOR_ERROR, which the conductor turns into a deny; nothing is ever found by failing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Self

from sidecar.drivers.inspector_pool import WORKER, Pool
from sidecar.drivers.inspector_scan import fastest
from sidecar.drivers.inspector_worker import settings_to_json
from sidecar.errors import OwnError, SidecarError
from sidecar.inspection.cache import Key, SpanCache
from sidecar.inspection.catalogue import COUNTRIES, Mode, Settings, missing
from sidecar.inspection.engine import Engine
from sidecar.inspection.segments import Segment, joined, segments
from sidecar.inspection.spans import Span
from sidecar.model import Finding, Inspection, Part
from sidecar.ports import Clock

INLINE = 2048
"""Code points of new text analysed on the event loop: under 2 ms at one value every 20 characters."""
FRAME = 65536
"""Code points handed to a worker at once: several long prompts take turns instead of waiting for each other."""
CACHE_BYTES = 32 << 20

FAILED = "a detector failed; the call was not inspected and was not let through. Try again; if it stays, see the log"
SLOW = "inspection did not finish within its deadline; the call was not let through. Try again, or send less text"


class Inspector:
    """Reuse one for the life of the process; `close` ends its workers.

    `entities` None means every type it can find; `locales` are ISO 3166 country codes; `secret` keys the cache.
    """

    def __init__(
        self,
        *,
        secret: bytes,
        clock: Clock,
        entities: Iterable[str] | None = None,
        mode: str = "balanced",
        locales: Sequence[str] = COUNTRIES,
        deadline_s: float = 10.0,
        cache_bytes: int = CACHE_BYTES,
        workers: int = 1,
        command: tuple[str, ...] = WORKER,
    ) -> None:
        wanted = None if entities is None else frozenset(entities)
        self._settings = Settings(entities=wanted, mode=Mode(mode), countries=tuple(locales))
        self._engine = Engine(self._settings, fastest()[1])
        self._clock = clock
        self._deadline_s = deadline_s
        self._detectors = self._engine.detectors
        self._missing = missing(self._engine.entities)
        self._cache = SpanCache(cache_bytes, secret, repr((self._settings, self._detectors)))
        self._pool = Pool(settings_to_json(self._settings), size=workers, frame_s=deadline_s, command=command)
        self._flights: dict[Key, asyncio.Task[tuple[Span, ...]]] = {}

    @property
    def not_looked_for(self) -> tuple[str, ...]:
        return self._missing

    @property
    def looked_for(self) -> tuple[str, ...]:
        return tuple(sorted(self._engine.entities))

    async def start(self) -> Self:
        """Start a worker now rather than at the first long prompt."""
        await self._pool.warm()
        return self

    async def close(self) -> None:
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        self._pool.close()

    async def inspect(self, parts: Sequence[Part]) -> Inspection:
        """Findings by part, in order. Raises OwnError (INSPECTOR_TIMEOUT, INSPECTOR_ERROR)."""
        try:
            spans = await self._spans(parts)
        except SidecarError:
            raise
        except TimeoutError:
            raise OwnError("INSPECTOR_TIMEOUT", SLOW) from None
        except Exception:  # noqa: BLE001  no detector's failure may pass for an answer; its message may quote the text
            raise OwnError("INSPECTOR_ERROR", FAILED) from None
        findings = tuple(_finding(part, span) for part, found in zip(parts, spans, strict=True) for span in found)
        return Inspection(findings=findings, detectors=self._detectors, not_looked_for=self._missing)

    async def _spans(self, parts: Sequence[Part]) -> list[Sequence[Span]]:
        keys = [self._cache.key(part.text) for part in parts]
        known = {key: self._cache.get(key) for key in keys}
        new = {key: part.text for key, part in zip(keys, parts, strict=True) if known[key] is None}
        if sum(map(len, new.values())) <= INLINE:
            found = {key: self._kept(key, self._engine.find(text)) for key, text in new.items()}
        else:
            async with asyncio.timeout(self._deadline_s):
                found = dict(zip(new, await asyncio.gather(*map(self._long, new, new.values())), strict=True))
        return [known[key] or found.get(key, ()) for key in keys]

    def _kept(self, key: Key, spans: Iterable[Span]) -> tuple[Span, ...]:
        kept = tuple(spans)
        self._cache.put(key, kept)
        return kept

    async def _long(self, key: Key, text: str) -> tuple[Span, ...]:
        """One analysis however many wait for it; it goes on when one of them leaves."""
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.get_running_loop().create_task(self._analysed(key, text))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    def _landed(self, key: Key, flight: asyncio.Task[tuple[Span, ...]]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # marks it as seen: whoever waited has it, and nobody may have waited

    async def _analysed(self, key: Key, text: str) -> tuple[Span, ...]:
        """The text piece by piece, pieces from the cache where they are known."""
        pieces = [(piece, text[piece.low : piece.high]) for piece in segments(text)]
        keys = [self._cache.key(window) for _, window in pieces]
        known = [self._cache.get(piece_key) for piece_key in keys]
        new = [at for at, spans in enumerate(known) if spans is None]
        for batch in _batches(new, pieces):
            for at, spans in zip(batch, await self._pool.find([pieces[at][1] for at in batch]), strict=True):
                known[at] = self._kept(keys[at], spans)
        return self._kept(key, joined([(piece, known[at] or ()) for at, (piece, _) in enumerate(pieces)]))


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


def _finding(part: Part, span: Span) -> Finding:
    return Finding(
        place=part.place,
        start=span.start,
        end=span.end,
        entity=span.entity,
        score=span.score,
        detector=span.detector,
    )
