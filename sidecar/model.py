"""The nouns of the sidecar: what passes between rooms, and nothing else.

Nothing here changes once it is made: a class is a frozen dataclass with keywords, or, where a call makes many, a named
tuple. Only the standard library is imported. A type that holds a person's text hides it from its repr (guarantee 4), so
that a log line or an exception that mentions the object cannot leak it.

Units: times are integer microseconds since the epoch (`at`) or integer microseconds (`*_us`); sizes are bytes;
offsets are Unicode code points into the part's text; probabilities are parts per million (`*_ppm`); the `score` of a
finding is 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

EMPTY: Mapping[str, Any] = MappingProxyType({})


def _empty() -> Mapping[str, Any]:
    """Python 3.11 takes a mappingproxy for a mutable default; a factory it accepts."""
    return EMPTY


INSIDE = -1
"""Path step: the string found here is itself JSON; what follows is a path inside it. Indexes are never negative."""


class Side(StrEnum):
    """Where the sidecar stands: in front of a hosted API, or beside an own model server."""

    EGRESS = "egress"
    INBOUND = "inbound"


class Operation(StrEnum):
    """What is asked of the model; the values are OTel `gen_ai.operation.name` where it has one."""

    CHAT = "chat"
    COMPLETION = "text_completion"
    EMBEDDING = "embeddings"
    OPAQUE = "opaque"


class Role(StrEnum):
    """Who speaks in a part, as far as the body says."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    DEFINITION = "definition"
    METADATA = "metadata"


class PlaceKind(StrEnum):
    """What stands at a place, hence how a surrogate is written there.

    IDENTIFIER: the provider restricts the characters (a message's or a tool's `name`), so the surrogate goes without
    brackets. KEY and NUMBER exist only inside JSON-in-strings; a NUMBER's surrogate is a quoted string.
    """

    TEXT = "text"
    IDENTIFIER = "identifier"
    KEY = "key"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a text lives in a body: a JSON path of keys, indexes and `INSIDE` steps.

    The path may hold the caller's own keys, so only `label` (made of the dialect's field names and indexes, e.g.
    `messages[2].tool_calls[0].function.arguments`) is ever shown.
    """

    path: tuple[str | int, ...] = field(repr=False)
    kind: PlaceKind = PlaceKind.TEXT
    label: str

    def __hash__(self) -> int:
        """Of the path alone: places key every table of an exchange, and equal places have equal paths."""
        return hash(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The text at a place. `key` is the caller's own key that a value in data stands under (a key's is itself), which
    tells a detector what it is: `{"password": "..."}`.
    """

    place: Place
    role: Role
    text: str = field(repr=False)
    key: str = field(default="", repr=False)


class Uninspectable(NamedTuple):
    """A place that holds something no detector here can read: `image`, `audio`, `file`, `token_ids`, `reference`..."""

    label: str
    kind: str


class Finding(NamedTuple):
    """A span of a part that a detector marked. Offsets only, never the text."""

    place: Place
    start: int
    end: int
    entity: str
    score: float
    detector: str


class Edit(NamedTuple):
    """New text for the whole of one place. Its repr hides the text."""

    place: Place
    text: str

    def __repr__(self) -> str:
        return f"Edit({self.place.label})"


class Detector(NamedTuple):
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What the detectors say of some parts, and what they do not look for (guarantee 9)."""

    findings: tuple[Finding, ...]
    detectors: tuple[Detector, ...]
    not_looked_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent the exchange, as authenticated. `auth` is `api_key`, `proxy_header`, `unix_peer` or `anonymous`."""

    tenant: str = field(default="anonymous", repr=False)
    app: str = field(default="anonymous", repr=False)
    user: str | None = field(default=None, repr=False)
    roles: tuple[str, ...] = ()
    auth: str = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """What the application says of its own call, by `x-sidecar-*` headers: read, checked, never forwarded."""

    use_case: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    subject: str | None = field(default=None, repr=False)
    conversation: str | None = field(default=None, repr=False)


NOTHING_ASSERTED = Asserted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One call as it came in: the head, and the body byte for byte (still compressed if it was).

    `route` is the route table's template (`/v1/chat/completions`), `target` the path and query as sent.
    """

    id: str
    at: int
    method: str
    route: str
    target: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    caller: Caller
    asserted: Asserted = NOTHING_ASSERTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The parsed request: what is asked, of which model, and every text a provider would see.

    `params` holds content-free settings only (numbers, booleans, enumerations); `tools` the offered tool names.
    `prompt_name`/`prompt_version` come from the body's metadata, if it has them. `choices` is how many the reply will
    have: `n`, for each prompt.
    """

    operation: Operation
    model: str | None
    stream: bool = False
    parts: tuple[Part, ...] = field(default=(), repr=False)
    uninspectable: tuple[Uninspectable, ...] = ()
    params: Mapping[str, int | float | bool | str] = field(default_factory=_empty)
    max_tokens: int | None = None
    choices: int = 1
    tools: tuple[str, ...] = field(default=(), repr=False)
    json_output: bool = False
    prompt_name: str | None = None
    prompt_version: str | None = None
    params_unknown: tuple[str, ...] = ()


class Verdict(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


class Deny(NamedTuple):
    """One reason: a stable UPPER_SNAKE code of the catalogue, and its content-free parameters."""

    code: str
    params: Mapping[str, Any] = EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """What policy demands besides the verdict (docs/policies.md lists the types and their `params`)."""

    type: str
    id: str
    params: Mapping[str, Any] = field(default_factory=_empty)
    critical: bool = True


class ReleaseMode(StrEnum):
    PASS = "pass"  # noqa: S105  a release mode, not a password
    WINDOWED = "windowed"
    WHOLE = "whole"


class Release(NamedTuple):
    """How reply text may leave: at once, in judged windows of at least `hold` code points, or judged whole."""

    mode: ReleaseMode = ReleaseMode.PASS
    hold: int = 0


class RedactMode(StrEnum):
    """Strictness ascends: SURROGATE comes back to the caller, MASK and HASH do not, DROP removes the text."""

    SURROGATE = "surrogate"
    MASK = "mask"
    HASH = "hash"
    DROP = "drop"


STRICTNESS = {mode: rank for rank, mode in enumerate(RedactMode)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    queues: tuple[str, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """All obligations of one decision, merged: what the conductor must do. `redact["*"]` stands for every entity.

    `review`, `annotations` and `retain_days` are for people: they are done by standing in the record as obligations.
    """

    redact: Mapping[str, RedactMode] = field(default_factory=_empty)
    cap_tokens: int | None = None
    model: str | None = None
    review: Review | None = None
    notices: tuple[Mapping[str, Any], ...] = ()
    annotations: Mapping[str, Any] = field(default_factory=_empty)
    retain_days: int | None = None
    disable_tools: frozenset[str] = frozenset()
    release: Release = Release()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """Which policy answered: enough to find and run it again."""

    engine: str
    engine_version: str
    bundle_sha256: str
    revision: str
    entrypoint: str = "governor/decide/decision"
    degraded: bool = False
    signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What policy answered. `document` is the canonical policy input (content-free), kept as an erasable disclosure;
    of a reply's it holds what is not in the request's.
    """

    verdict: Verdict
    denies: tuple[Deny, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    duties: Duties = Duties()
    policy: PolicyVersion | None = None
    enforced: bool = True
    eval_us: int = 0
    document: bytes = field(default=b"", repr=False)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple([deny.code for deny in self.denies]) if self.denies else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """Exactly what is sent upstream; `body` is what the record's digest is taken of (guarantee 2)."""

    method: str
    target: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)


class Channel(NamedTuple):
    """One run of reply text: a field of a choice, or the arguments of one of its tool calls.

    `json_text` says that the text is itself JSON (tool arguments, declared JSON output), so that restored values
    are escaped for the depth at which they stand; `whole` that each event gives the text in full, where that of others
    goes on from event to event.
    """

    choice: int
    field: str
    item: int = 0
    json_text: bool = False
    whole: bool = False


class Delta(NamedTuple):
    """Text that one reply event carries for one channel; `slot` is the dialect's own note of where it stands."""

    channel: Channel
    text: str
    slot: Any

    def __repr__(self) -> str:
        return f"Delta({self.channel})"


class ReplyEvent(NamedTuple):
    """One unit of a reply: an SSE event with its blank line, or a whole unary body. `last` marks the terminator."""

    raw: bytes
    deltas: tuple[Delta, ...] = ()
    last: bool = False

    def __repr__(self) -> str:
        return f"ReplyEvent({len(self.raw)} bytes, last={self.last})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the reply states them; None where it does not."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFacts:
    """What a reply said of itself. Confidence exists only with a source (guarantee 9)."""

    model_served: str | None = None
    response_id: str | None = None
    fingerprint: str | None = None
    finish_reasons: tuple[str, ...] = ()
    usage: Usage = Usage()
    confidence_ppm: int | None = None
    confidence_source: str = "unavailable"
    upstream_error: bool = False
    complete: bool = False
    not_inspected: str | None = None
    """Why some of it cannot be read here, as a code; None where all is text."""
