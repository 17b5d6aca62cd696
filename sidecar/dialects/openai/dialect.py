"""The OpenAI dialect of one operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.dialects import Reader
from sidecar.dialects.edits import edit
from sidecar.dialects.openai.fields import parse
from sidecar.dialects.openai.readers import EmbeddingReader, StreamReader, UnaryReader
from sidecar.dialects.openai.shaping import shape
from sidecar.model import Call, Edit, Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAI:
    """`cap_field` is what a cap is written to where the caller set none; None where output has no length."""

    operation: Operation
    cap_field: str | None

    def parse(self, body: bytes) -> Call:
        return parse(body, self.operation)

    def edit(self, body: bytes, edits: Sequence[Edit]) -> bytes:
        return edit(body, edits)

    def shape(self, body: bytes, *, cap_tokens: int | None, model: str | None, disable_tools: frozenset[str]) -> bytes:
        cap = cap_tokens if self.cap_field is not None else None
        return shape(body, cap=cap, cap_field=self.cap_field or "", model=model, disabled=disable_tools)

    def reader(self, call: Call, *, stream: bool) -> Reader:
        if stream:
            return StreamReader(call)
        return EmbeddingReader(call) if self.operation is Operation.EMBEDDING else UnaryReader(call)
