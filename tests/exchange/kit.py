"""The stage on which one exchange is played, with fakes all round, and what is said on it."""

from __future__ import annotations

from typing import Any

import orjson

from sidecar.dialects.routes import match
from sidecar.exchange import Exchange
from sidecar.model import Arrival, Outbound, Side
from sidecar.plan import House
from sidecar.ports import Ports
from sidecar.testing import (
    ALLOW,
    FakeAnswer,
    FakeClock,
    FakeDecide,
    FakeForward,
    FakeInspect,
    MemoryRecord,
    ScriptedReply,
    Transcript,
    arrival,
)

SECRET = "ann@example.org"
DIALECT = match("openai", "POST", "/v1/chat/completions").dialect
HOUSE = House(side=Side.EGRESS, provider="openai", recipient="api.example")
SSE = (("Content-Type", "text/event-stream"),)
WHOLE = {"type": "release", "id": "whole", "params": {"mode": "whole"}}
WINDOWED = {"type": "release", "id": "windows", "params": {"mode": "windowed", "hold": 20}}
DENIED = {**ALLOW, "allow": False, "denies": [{"code": "REPLY_FORBIDDEN"}], "obligations": []}


class Stage:
    """One exchange with fakes all round."""

    def __init__(self, reply: Any = None, answers: Any = None, **fail: BaseException) -> None:
        self.transcript = Transcript(fail={name.replace("_", " "): fault for name, fault in fail.items()})
        self.inspect = FakeInspect(self.transcript)
        self.decide = FakeDecide(self.transcript, answers)
        self.record = MemoryRecord(self.transcript)
        self.forward = FakeForward(self.transcript, reply or echo)
        self.answer = FakeAnswer(self.transcript)
        self.ports = Ports(
            inspect=self.inspect,
            decide=self.decide,
            record=self.record,
            forward=self.forward,
            clock=FakeClock(),
        )

    async def run(self, call: bytes | Arrival, house: House = HOUSE, dialect: Any = DIALECT) -> Exchange:
        """Govern a call, or a chat with this body."""
        came = call if isinstance(call, Arrival) else arrival(call)
        exchange = Exchange(came, dialect, self.answer, self.ports, house)
        await exchange.run()
        return exchange

    @property
    def steps(self) -> list[str]:
        return self.transcript.steps


def question(text: str, **more: Any) -> bytes:
    return orjson.dumps({"model": "m", "messages": [{"role": "user", "content": text}], **more})


def completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return orjson.dumps(
        {"id": "c1", "model": "m-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    )


def echo(outbound: Outbound) -> ScriptedReply:
    return ScriptedReply(chunks=[completion(orjson.loads(outbound.body)["messages"][0]["content"])])


def events(text: str) -> bytes:
    """A chat stream that says `text` in pieces of three characters."""
    pieces = [text[i : i + 3] for i in range(0, len(text), 3)]
    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in pieces]
    deltas += [({}, "stop")]
    lines = [
        b"data: "
        + orjson.dumps({"id": "c1", "model": "m-1", "choices": [{"index": 0, "delta": d, "finish_reason": f}]})
        + b"\n\n"
        for d, f in deltas
    ]
    return b"".join(lines) + b"data: [DONE]\n\n"


def said(stream: bytes) -> str:
    """The content that a client puts together from a stream."""
    out = []
    for line in stream.split(b"\n\n"):
        if line.startswith(b"data: {"):
            out += [choice["delta"].get("content") or "" for choice in orjson.loads(line[6:])["choices"]]
    return "".join(out)


def obliged(*obligations: dict[str, Any]) -> dict[str, Any]:
    return {**ALLOW, "obligations": [*ALLOW["obligations"], *obligations]}


MASK = obliged({"type": "redact", "id": "m", "params": {"entities": ["EMAIL_ADDRESS"], "mode": "mask"}})
