"""Accept a call: head and body as they came, within limits; who called; what the application asserts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from unicodedata import normalize

from aiohttp import web
from aiohttp.http import HttpVersion11
from aiohttp.http_exceptions import HttpProcessingError

from sidecar.errors import CallerError, OwnError
from sidecar.model import NOTHING_ASSERTED, Asserted
from sidecar.proxy.headers import OWN_PREFIX

ASSERTED_LENGTH = 256
ASSERTED = {
    "x-sidecar-use-case": "use_case",
    "x-sidecar-prompt-name": "prompt_name",
    "x-sidecar-prompt-version": "prompt_version",
    "x-sidecar-subject": "subject",
    "x-sidecar-conversation": "conversation",
}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one caller may ask for, and in `held` all together. Sizes are bytes, times seconds.

    A body has `body_timeout` to arrive, and a second more for each `body_rate` bytes that have come: long bodies may
    take their time, drip-fed ones may not. `reading_timeout` is how long a caller may take nothing of its answer.
    """

    body: int = 64 * 1024 * 1024
    held: int = 1024 * 1024 * 1024
    body_timeout: float = 60.0
    reading_timeout: float = 120.0
    body_rate: int = 64 * 1024
    line: int = 16 * 1024
    header: int = 64 * 1024
    headers: int = 128
    keepalive: float = 75.0
    lingering: float = 2.0


Take = Callable[[int], None]
"""So many bytes of a body have come. Raises OwnError (OVERLOADED)."""


class Held:
    """Bytes of request bodies in memory, of all exchanges together: at most `most`, or one body that is alone."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0

    @contextmanager
    def share(self) -> Iterator[Take]:
        """One exchange's part of it: taken as the body comes, given back when the exchange has ended."""
        own = 0

        def take(count: int) -> None:
            nonlocal own
            own += count
            self.size += count
            if self.size > max(self.most, own):
                raise OwnError("OVERLOADED", "Too many bytes of calls are in flight; send the call again in a moment.")

        try:
            yield take
        finally:
            self.size -= own


def target_of(request: web.BaseRequest) -> str:
    """Path and query as sent. An absolute target (RFC 9112 3.2.2) loses its scheme and host.

    Raises CallerError (PROTOCOL_ERROR).
    """
    target = request.raw_path
    if not target.startswith("/"):
        target = request.rel_url.raw_path_qs
    if not target.startswith("/") or not target.isascii() or not target.isprintable() or "#" in target or " " in target:
        raise CallerError("PROTOCOL_ERROR", "Ask for a path, in visible ASCII and without a fragment.")
    return target


async def read_body(request: web.BaseRequest, limits: Limits, take: Take) -> bytes:
    """The body byte for byte, still coded.

    Raises CallerError: BODY_TOO_LARGE, BODY_TIMEOUT, PROTOCOL_ERROR; and what `take` raises, told of all that comes.
    """
    if (request.content_length or 0) > limits.body:
        raise too_large()
    content = request.content
    if content.is_eof() and content.exception() is None:
        return _whole(content.read_nowait(-1), limits, take)
    await expect_continue(request)
    try:
        return await _gather(request, limits, take)
    except TimeoutError:
        raise too_slow() from None
    except (web.RequestPayloadError, HttpProcessingError):
        raise CallerError("PROTOCOL_ERROR", "The body breaks off, or its chunks are not framed as HTTP says.") from None


async def _gather(request: web.BaseRequest, limits: Limits, take: Take) -> bytes:
    loop = asyncio.get_running_loop()
    start = loop.time() + limits.body_timeout
    chunks: list[bytes] = []
    size = 0
    async with asyncio.timeout_at(start) as deadline:
        while chunk := await request.content.readany():
            chunks.append(chunk)
            size += len(chunk)
            if size > limits.body:
                raise too_large()
            take(len(chunk))
            deadline.reschedule(start + size / limits.body_rate)
    return b"".join(chunks)


class Passing:
    """A body that is passed on as it comes, in the time that one which is read has; `late` says that it did not."""

    def __init__(self, request: web.BaseRequest, limits: Limits) -> None:
        self._content = request.content
        self._limits = limits
        self.late = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        limits, size = self._limits, 0
        start = asyncio.get_running_loop().time() + limits.body_timeout
        while True:
            try:
                async with asyncio.timeout_at(start + size / limits.body_rate):
                    chunk = await self._content.readany()
            except TimeoutError:
                self.late = True
                raise
            if not chunk:
                return
            size += len(chunk)
            yield chunk


def _whole(body: bytes, limits: Limits, take: Take) -> bytes:
    """A body that has come with its head."""
    if len(body) > limits.body:
        raise too_large()
    take(len(body))
    return body


def too_large() -> CallerError:
    return CallerError("BODY_TOO_LARGE", "Send a smaller body, or raise limits.body.", status=413)


def too_slow() -> CallerError:
    return CallerError("BODY_TIMEOUT", "Send the body faster.", status=408)


async def expect_continue(request: web.BaseRequest) -> None:
    """Say `100 Continue` to a caller who waits for it (RFC 9110 10.1.1). Raises CallerError (PROTOCOL_ERROR)."""
    expectation = request.headers.get("Expect")
    if expectation is None or request.version < HttpVersion11:
        return
    if expectation.strip().lower() != "100-continue":
        raise CallerError("PROTOCOL_ERROR", "The only expectation known here is 100-continue.", status=417)
    await request.writer.write(CONTINUE)


def asserted_by(headers: Sequence[tuple[str, str]]) -> Asserted:
    """What the application says of its own call, in NFC: one spelling of a name has one reference in the index.

    Raises CallerError (HEADER_INVALID).
    """
    found: dict[str, str] = {}
    for name, sent in headers:
        lower = name.lower()
        if not lower.startswith(OWN_PREFIX):
            continue
        field = ASSERTED.get(lower)
        if field is None:
            raise CallerError("HEADER_INVALID", f"Of x-sidecar-* headers these are known: {', '.join(ASSERTED)}.")
        value = normalize("NFC", sent)
        if field in found or not value.isprintable() or not 0 < len(value) <= ASSERTED_LENGTH:
            raise CallerError("HEADER_INVALID", f"Send {lower} once, with 1 to {ASSERTED_LENGTH} printable characters.")
        found[field] = value
    return Asserted(**found) if found else NOTHING_ASSERTED
