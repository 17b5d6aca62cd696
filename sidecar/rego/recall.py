"""Answers given before: where all that the policy reads of an input is as it was, so is the answer.

Calls of one application differ in their ids, times and lengths, which few policies look at; evaluating the default
bundle takes ten times as long as finding its answer here. Faults are never kept. What is kept is bounded in number and
size and holds what the policy input holds: no text of a call.
"""

from __future__ import annotations

import marshal
from typing import Any, Final

import orjson

from . import document as documents
from .engine import Clock, Engine
from .reads import projection
from .runtime import MISSING
from .values import Undefined

KEPT: Final = 512
KEY_LIMIT: Final = 4096
FORMAT: Final = 2  # without references: the same value has the same bytes, and 1, 1.0 and true have different ones
PLAIN: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


class Recall:
    """`Engine.evaluate` of one entrypoint. An answer is shared by those who get it, and not to be changed."""

    def __init__(self, engine: Engine, entrypoint: str, kept: int = KEPT) -> None:
        self._engine, self._entrypoint, self._kept = engine, entrypoint, kept
        self._answers: dict[bytes, Any] = {}
        reads = engine.reads  # 8 ms for the default bundle: now, not in the first call
        self._seen = None if reads is None else projection(reads)

    def evaluate(self, document: Any, *, now: Clock | None = None) -> Undefined | Any:
        """The entrypoint's value. Raises EvaluationFault, and nothing else."""
        key = self._key(document)
        answer = self._answers.get(key, MISSING) if key else MISSING
        if answer is not MISSING:
            self._admit(document)
            return answer
        answer = self._engine.evaluate(self._entrypoint, document, now=now)
        if key:
            self._keep(key, answer)
        return answer

    def _key(self, document: Any) -> bytes:
        """What the policy reads, exactly; empty where an answer is not to be looked for."""
        if self._seen is None:
            return b""
        try:
            key = marshal.dumps(self._seen(document), FORMAT)
        except ValueError:  # not JSON: the engine says so
            return b""
        return key if len(key) <= KEY_LIMIT else b""

    def _admit(self, document: Any) -> None:
        """Refuses what the engine refuses. A text has room for no more than its length, and nests no deeper than it
        has brackets, so that a short one need not be walked."""
        limits = self._engine.limits
        try:
            text = orjson.dumps(document, option=PLAIN)
        except TypeError:
            text = b""
        if not text or 2 * len(text) > limits.input_bytes or text.count(b"{") + text.count(b"[") > limits.depth:
            documents.admit(document, depth=limits.depth, size=limits.input_bytes)

    def _keep(self, key: bytes, answer: Any) -> None:
        if len(self._answers) >= self._kept:
            self._answers.pop(next(iter(self._answers)), None)  # the oldest
        self._answers[key] = answer
