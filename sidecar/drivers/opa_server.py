"""A real OPA server behind the Decide port, through opa-python-client.

Its async client keeps connections alive and knows OPA's paths; three things of it are replaced here: the session (for
Unix sockets), the retries (it asks again after HTTP 500, which is a policy error, for 0.9 s), and the reading (it
drops OPA's error body, and takes an undefined decision for an empty one). Policies are never uploaded: the server gets
them from its bundle, the same one that the embedded engine reads.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import orjson
from opa_client.opa_async import AsyncOpaClient

from sidecar import policy
from sidecar.errors import OwnError
from sidecar.model import PolicyVersion
from sidecar.ports import Clock, Decide, EngineAnswer

ENGINE = "opa"
INPUT_LIMIT = 256 * 1024
ANSWER_LIMIT = 256 * 1024
QUERY = "provenance=true&strict-builtin-errors=true"
READY: Any = {"bundles": "true", "plugins": "true"}
"""The client would spell a bool `True`, which OPA does not read."""

BREAK_AFTER = 5
BROKEN_S = 1.0


class UnreadableAnswer(Exception):
    """What the server sent is not an answer of OPA's data API."""


class AnotherBundle(OwnError):
    """The server decided, but by another policy than the one expected of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the server listens: a host and port, or a socket in the file system."""

    host: str = "localhost"
    port: int = 8181
    tls: bool = False
    socket: str | None = None


def address_of(url: str) -> Address:
    """`http://host:port`, `https://host:port` or `unix:///path/to/opa.sock`. Raises ValueError for anything else."""
    parts = urlsplit(url)
    if parts.scheme == "unix" and parts.path and not parts.netloc:  # of unix://run/opa.sock `run` would be a host
        return Address(socket=parts.path)
    rest = (parts.path.strip("/"), parts.query, parts.fragment, parts.username)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(rest):
        raise ValueError("policy.opa_url must be http://host:port, https://host:port or unix:///path, and no more")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(host=host, port=parts.port or 8181, tls=parts.scheme == "https")


class Client(AsyncOpaClient):
    """opa-python-client, also over a socket, without retries, with OPA's answer whole."""

    def __init__(self, address: Address, *, timeout: float) -> None:
        settings = {"host": address.host, "port": address.port, "ssl": address.tls, "timeout": timeout}
        super().__init__(**settings, retries=0)  # type: ignore[no-untyped-call]  # the package ships no types
        self._socket = address.socket

    async def _init_session(self) -> None:
        self._connector = aiohttp.UnixConnector(path=self._socket) if self._socket else aiohttp.TCPConnector()
        timeout = aiohttp.ClientTimeout(total=self.timeout)
        self._session = aiohttp.ClientSession(headers=self.headers, connector=self._connector, timeout=timeout)

    async def evaluate(self, path: str, document: bytes) -> tuple[int, bytes]:
        """Status and body of OPA's answer to a query with `document` as input."""
        body, headers = b'{"input":' + document + b"}", {"Content-Type": "application/json"}
        async with self._request("POST", f"{self.root_url}/data/{path}?{QUERY}", data=body, headers=headers) as reply:
            return reply.status, await limited(reply.content)


async def limited(content: aiohttp.StreamReader) -> bytes:
    body = b""
    while chunk := await content.read(ANSWER_LIMIT):
        body += chunk
        if len(body) > ANSWER_LIMIT:
            raise UnreadableAnswer
    return body


class Breaker:
    """After `BREAK_AFTER` failures in a row nothing is asked for `BROKEN_S` seconds; then one call tries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_at = 0.0

    def admit(self) -> None:
        """Raise OwnError while the server is taken to be down."""
        if self._failures < BREAK_AFTER:
            return
        if self._clock.monotonic() < self._closed_at:
            raise unavailable()
        self._closed_at = self._clock.monotonic() + BROKEN_S

    def settle(self, answered: bool | None) -> None:
        """None of a call whose caller left: it tells nothing of the server, and the next call may try in its place."""
        if answered is None:
            self._closed_at = self._clock.monotonic()
            return
        self._failures = 0 if answered else self._failures + 1
        if self._failures == BREAK_AFTER:
            self._closed_at = self._clock.monotonic() + BROKEN_S


class OpaServer:
    """`ports.Decide` by an OPA server. Enter it before use; leaving closes its connections.

    OPA tells the revision it decided with, never the digest. `digests` maps the revisions that are expected to their
    SHA-256; an answer of another policy is a fault, or settings that the server does not have would silently not hold.
    Without `digests` any policy may answer, and is recorded without a digest.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        digests: Mapping[str, str] | None = None,
        timeout: float = 0.25,
    ) -> None:
        self._client = Client(address_of(url), timeout=timeout)
        self._clock = clock
        self._digests = dict(digests or {})
        self._timeout = timeout
        self._breaker = Breaker(clock)

    async def __aenter__(self) -> Self:
        await self._client._init_session()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close_connection()  # type: ignore[no-untyped-call]  # the package ships no types

    async def ready(self) -> bool:
        """Whether the server is up and its bundles are active. Before that it answers `{}`, which denies."""
        return bool(await self._client.check_health(query=READY))

    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        """Evaluate the entrypoint. Raises OwnError: PDP_UNAVAILABLE, _TIMEOUT, _ERROR, _CONTRACT, INPUT_INVALID."""
        body = orjson.dumps(document)
        if len(body) > INPUT_LIMIT:
            raise OwnError("INPUT_INVALID", "The policy input is over 256 KB.")
        self._breaker.admit()
        started = self._clock.monotonic()
        status, content = await self._ask(body)
        return self._answer(status, content, round((self._clock.monotonic() - started) * 1e6))

    async def _ask(self, body: bytes) -> tuple[int, bytes]:
        """One query, asked once more where the server closed a kept-alive connection: a query changes nothing."""
        answered: bool | None = False
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    reply = await self._client.evaluate(policy.ENTRYPOINT, body)
                except (aiohttp.ServerDisconnectedError, ConnectionResetError):
                    reply = await self._client.evaluate(policy.ENTRYPOINT, body)
            answered = True
        except asyncio.CancelledError:
            answered = None
            raise
        except UnreadableAnswer:
            raise OwnError("PDP_CONTRACT", "The OPA server's answer is over 256 KB.") from None
        except TimeoutError:
            raise OwnError("PDP_TIMEOUT", "The OPA server did not answer in time.") from None
        except (aiohttp.ClientError, OSError):
            raise unavailable() from None
        finally:
            self._breaker.settle(answered)
        return reply

    def _answer(self, status: int, content: bytes, eval_us: int) -> EngineAnswer:
        if status >= 400:
            raise fault_of(status, content)
        try:
            answer = strict_json(content)
        except (ValueError, RecursionError):
            raise OwnError("PDP_CONTRACT", "The OPA server's answer is not JSON, or names a key twice.") from None
        if not isinstance(answer, dict):
            raise OwnError("PDP_CONTRACT", "The OPA server's answer is not an object.")
        version = self._version(answer.get("provenance"))
        if self._digests and version.revision not in self._digests:
            raise AnotherBundle(
                "PDP_CONTRACT", "The OPA server runs another bundle: give it that of policy.bundle and .data."
            )
        undefined = "result" not in answer
        return EngineAnswer(result=answer.get("result"), undefined=undefined, policy=version, eval_us=eval_us)

    def _version(self, provenance: object) -> PolicyVersion:
        told = provenance if isinstance(provenance, dict) else {}
        bundles = told.get("bundles")
        revisions = sorted(_revisions(bundles)) if isinstance(bundles, dict) else []
        revision = "+".join(revisions)
        return PolicyVersion(
            engine=ENGINE,
            engine_version=str(told.get("version", "")),
            bundle_sha256=self._digests.get(revision, ""),
            revision=revision,
            entrypoint=policy.ENTRYPOINT,
        )


def _revisions(bundles: Mapping[str, Any]) -> list[str]:
    return [
        str(bundle["revision"]) for bundle in bundles.values() if isinstance(bundle, dict) and bundle.get("revision")
    ]


def fault_of(status: int, content: bytes) -> OwnError:
    """What OPA says of a failed evaluation, by its own code: only that, since its message may quote the input."""
    try:
        code = str(orjson.loads(content).get("code", "no code"))
    except (ValueError, AttributeError):
        code = "no code"
    shown = code if code.replace("_", "").isalnum() and len(code) < 64 else "no code"
    return OwnError("PDP_ERROR", f"The OPA server answered {status} ({shown}). Look at its log.")


def unavailable() -> OwnError:
    return OwnError("PDP_UNAVAILABLE", "The OPA server cannot be reached. Check that it runs, and policy.opa_url.")


def strict_json(content: bytes) -> Any:
    """JSON without repeated keys, NaN or infinities, which could be read two ways. Raises ValueError."""
    return json.loads(content, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _no_constant(_: str) -> Any:
    raise ValueError


class WithFallback:
    """A server first; while it cannot be reached, the embedded engine with the same bundle, marked `degraded`.

    The stand-in decides only where it holds the very bundle that the server last decided with; else the fault stands.
    """

    def __init__(self, server: Decide, stand_in: Decide, digest: str) -> None:
        self._server = server
        self._stand_in = stand_in
        self._digest = digest
        self._last: str | None = None

    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        try:
            answer = await self._server.decide(document)
        except AnotherBundle:
            self._last = None
            raise
        except OwnError as fault:
            if fault.code not in ("PDP_UNAVAILABLE", "PDP_TIMEOUT") or self._last != self._digest:
                raise
            answer = await self._stand_in.decide(document)
            return answer._replace(policy=replace(answer.policy, degraded=True))
        self._last = answer.policy.bundle_sha256
        return answer
