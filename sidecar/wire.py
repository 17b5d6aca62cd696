"""Bodies and headers on their way out and back: content coding, what is sent, how a reply's bytes are read.

No I/O. Where nothing changes, the caller's own bytes and headers go on as they are (guarantee 5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet

from sidecar.carried import Headers, headers_with, is_carried, target_with
from sidecar.dialects import Dialect
from sidecar.errors import CallerError, UpstreamError
from sidecar.model import Arrival, Call, Decision, Outbound, PlaceKind
from sidecar.plan import BODY_LIMIT
from sidecar.ports import Incoming
from sidecar.redaction import Redaction
from sidecar.relay import LATE_LIMIT, Relay
from sidecar.stream import READABLE_CODINGS, Transducer, decoder

EDITED_AWAY = frozenset(
    {"content-length", "content-encoding", "content-md5", "digest", "content-digest", "repr-digest", "etag"}
)
"""Headers that speak of the exact bytes (RFC 9530 has two): left out where the bytes have changed."""

REQUEST_EDITED_AWAY = EDITED_AWAY | {"accept-encoding"}

PACKED = 100
"""How many times as large as its coding a body may be, as far as can be guessed before it is opened."""


class Digest:
    """SHA-256 and length of what went by."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()
        self.size = 0

    def feed(self, data: bytes) -> bytes:
        self._sha.update(data)
        self.size += len(data)
        return data

    def value(self) -> bytes:
        return self._sha.digest()


class Compressed:
    """A coded reply that nothing changes: the caller gets the coded bytes, once what they stand for may go."""

    def __init__(self, inner: Relay, coding: Transducer) -> None:
        self._inner = inner
        self._coding = coding
        self._late: list[bytes] = []
        self._size = 0

    async def feed(self, data: bytes) -> bytes:
        left = await self._inner.feed(self._coding.feed(data))
        self._size = len(data) + (self._size if self._late else 0)
        self._late.append(data)
        if self._size > LATE_LIMIT:
            raise UpstreamError("GATE_OVERFLOW", f"The reply exceeds {LATE_LIMIT} coded bytes.")
        if not left or self._inner.tail:
            return b""
        out, self._late = b"".join(self._late), []
        return out

    async def finish(self) -> bytes:
        self._coding.finish()
        await self._inner.finish()
        self._inner.tail[:] = [b"".join(self._late)]
        return b""


class Opened:
    """A coded reply that has to be read or changed: the caller gets it without the coding."""

    def __init__(self, inner: Relay, coding: Transducer) -> None:
        self._inner = inner
        self._coding = coding

    async def feed(self, data: bytes) -> bytes:
        return await self._inner.feed(self._coding.feed(data))

    async def finish(self) -> bytes:
        self._coding.finish()
        return await self._inner.finish()


Pipe = Relay | Compressed | Opened


def opened(body: bytes, coding: str, limit: int) -> bytes:
    """A request body without its content coding. Raises CallerError (415, 413, 400)."""
    transducer = decoder(
        coding,
        limit=limit,
        damaged=CallerError("BODY_UNPARSABLE", "The body's content coding is damaged or cut off."),
        too_large=CallerError("BODY_TOO_LARGE", "Send a smaller body, or raise limits.body.", status=413),
    )
    if transducer is None:
        raise CallerError("ENCODING_UNSUPPORTED", "Send the body uncompressed, or with gzip or deflate.", status=415)
    return transducer.feed(body) + transducer.finish()


def outbound_of(
    arrival: Arrival, body: bytes, dialect: Dialect, call: Call, redaction: Redaction, decision: Decision
) -> Outbound:
    """Fix what will be sent. With nothing to change, these are the caller's own bytes, still coded (guarantee 5)."""
    duties = decision.duties
    edits = [edit for edit in redaction.edits if not is_carried(edit)]
    new = dialect.edit(body, edits) if edits else body
    if duties.cap_tokens is not None or duties.model is not None or duties.disable_tools:
        disabled = renamed(duties.disable_tools, call, redaction)
        new = dialect.shape(new, cap_tokens=duties.cap_tokens, model=duties.model, disable_tools=disabled)
    target, headers = arrival.target, arrival.headers
    if len(edits) < len(redaction.edits):
        target, headers = target_with(target, redaction.edits), headers_with(headers, redaction.edits)
    if new == body:
        return Outbound(method=arrival.method, target=target, headers=narrowed(headers), body=arrival.body)
    headers = (*without(headers, REQUEST_EDITED_AWAY), ("Accept-Encoding", "identity"))
    return Outbound(method=arrival.method, target=target, headers=headers, body=new)


def renamed(tools: frozenset[str], call: Call, redaction: Redaction) -> frozenset[str]:
    """The tools by the names they have after redaction too: editing comes first, and may have changed a name."""
    if not tools or not redaction.edits:
        return tools
    texts = {part.place: part.text for part in call.parts if part.place.kind is PlaceKind.IDENTIFIER}
    return tools | {edit.text for edit in redaction.edits if texts.get(edit.place) in tools}


def narrowed(headers: Headers) -> tuple[tuple[str, str], ...]:
    """The same headers, asking only for content codings that can be read here; no wish at all stays none."""
    return tuple((name, readable(value) if name.lower() == "accept-encoding" else value) for name, value in headers)


def readable(accept: str) -> str:
    wishes = [wish.strip() for wish in accept.split(",")]
    kept = [wish for wish in wishes if wish.split(";")[0].strip().lower() in READABLE_CODINGS]
    return accept if len(kept) == len(wishes) else ", ".join(kept) or "identity"


def is_stream(incoming: Incoming) -> bool:
    """Whether the reply is an event stream. Raises UpstreamError for anything that is neither that nor JSON."""
    kind = (header(incoming.headers, "content-type") or "").split(";")[0].strip().lower()
    if kind == "text/event-stream":
        return True
    if kind == "application/json" or kind.endswith("+json"):
        return False
    if incoming.status >= 400:
        raise failed(incoming)
    raise UpstreamError("UPSTREAM_INVALID", "The model server answered neither JSON nor an event stream.")


def failed(incoming: Incoming) -> UpstreamError:
    """An error status whose body is no JSON object (a rate limit's page, an empty 401): the caller's SDK needs to know
    which, and when to try again. From 500 on (a gateway's page while the model server starts) it is a bad gateway.
    """
    advice = f"The model server answered with status {incoming.status} and nothing that can be read."
    error = UpstreamError("UPSTREAM_STATUS", advice, status=incoming.status if incoming.status < 500 else None)
    error.retry_after = header(incoming.headers, "retry-after")
    return error


def pipe_of(relay: Relay, incoming: Incoming, *, verbatim: bool) -> Pipe:
    """How the reply's bytes go through the relay, given their content coding."""
    coding = header(incoming.headers, "content-encoding")
    if coding is None:
        return relay
    damaged = UpstreamError("UPSTREAM_INVALID", "The reply's content coding is damaged, or not one that was asked for.")
    transducer = decoder(coding, limit=BODY_LIMIT, damaged=damaged, too_large=damaged)
    if transducer is None:
        raise damaged
    if coding.strip().lower() in ("", "identity"):
        return relay
    return Compressed(relay, transducer) if verbatim else Opened(relay, transducer)


def reply_headers(headers: Headers, *, verbatim: bool) -> list[tuple[str, str]]:
    return list(headers) if verbatim else without(headers, EDITED_AWAY)


def without(headers: Headers, names: AbstractSet[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in names]


def header(headers: Headers, wanted: str) -> str | None:
    for name, value in headers:
        if name.lower() == wanted:
            return value
    return None
