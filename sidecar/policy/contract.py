"""The contract with policy, as types: the input document that goes in and the answer that comes out.

`schemas/policy-input.schema.json` and `schemas/decision.schema.json` are generated from these classes and a test holds
them equal. The input is total: every key is always present, what is unknown is null, lists are never null. A Rego rule
that touches a missing field is undefined and silently does not fire; totality removes that class of bypass. It is
content-free: names, counts, scores and numbers, never a text of the call. docs/policies.md has it for writers of rules.

`*_ppm` are parts per million. Fields marked "reserved" are null in this version; they are listed so that a policy
written today keeps type-checking when they are filled.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

CONTRACT = "1"
UNREADABLE = "[unreadable]"
"""Stands for a name taken from the body that could be something else than a name (see names.py)."""

Phase = Literal["request", "response", "response_window"]
Scalar = str | int | float | bool | None


class Time(TypedDict):
    """When the call arrived, UTC. `weekday` is the English name, as Rego's `time.weekday` has it."""

    ns: int
    weekday: str
    hour_utc: int


class Principal(TypedDict):
    """Who calls, by names that configuration gave. `subject` and `claims` are reserved: a person is never an input."""

    tenant: str
    app: str
    subject: None
    roles: list[str]
    auth: str
    claims: dict[str, str]


class UseCase(TypedDict):
    """What the application says the call is for; `risk`, `user_facing` and `owner` are reserved."""

    id: str | None
    risk: str | None
    user_facing: bool | None
    owner: str | None


class Model(TypedDict):
    """`requested` is the body's, `provider` the setting `upstream.kind`. The rest is reserved."""

    requested: str | None
    resolved: str | None
    provider: str
    region: str | None
    digest: str | None
    tier: str | None


class Usage(TypedDict):
    """Reserved: budgets are not kept in this version."""

    tokens_today: int | None
    cost_today: int | None
    rpm: int | None


class Prompt(TypedDict):
    name: str | None
    version: str | None


class Parts(TypedDict):
    """How many texts the call holds, by who speaks in them."""

    system: int
    user: int
    assistant: int
    tool: int
    definition: int
    metadata: int


class Request(TypedDict):
    """What is asked. `tools_offered` is sorted and without repeats; `prompt_tokens` is reserved."""

    operation: str
    endpoint: str
    method: str
    stream: bool
    max_tokens: int | None
    prompt_tokens: int | None
    temperature: int | float | None
    top_p: int | float | None
    choices: int | None
    json_output: bool
    prompt: Prompt
    parts: Parts
    tools_offered: list[str]
    params_unknown: list[str]


class Entity(TypedDict):
    """Findings of one type in one role; `score_ppm` is the highest of their scores."""

    type: str
    role: str
    count: int
    score_ppm: int


class Detector(TypedDict):
    name: str
    version: str


class Uninspectable(TypedDict):
    """Content that no detector here can read, by kind; `label` is where the first of them stands."""

    kind: str
    count: int
    label: str


class Content(TypedDict):
    """What detection says of the request's texts, and what it does not look for (guarantee 9)."""

    chars: int
    entities: list[Entity]
    detectors: list[Detector]
    uninspectable: list[Uninspectable]
    not_looked_for: list[str]


class Tokens(TypedDict):
    input: int | None
    output: int | None
    reasoning: int | None
    cached: int | None


class Response(TypedDict):
    """What the reply says of itself. A confidence is a number only with a source; test it with `is_number`."""

    complete: bool
    upstream_error: bool
    finish_reasons: list[str]
    model_served: str | None
    tokens: Tokens
    confidence_ppm: int | None
    confidence_source: str
    entities: list[Entity]
    detectors: list[Detector]
    not_looked_for: list[str]


class Document(TypedDict):
    """The whole policy input. `response` is null in phase `request`."""

    contract: Literal["1"]
    phase: Phase
    time: Time
    request_id: str
    session_id: None
    side: Literal["egress", "inbound"]
    mode: str
    env: str
    route: str
    principal: Principal
    use_case: UseCase
    model: Model
    usage: Usage
    request: Request
    content: Content
    response: Response | None


class DenyAnswer(TypedDict):
    """One reason. `code` is UPPER_SNAKE and described by the METADATA of the rule that gives it."""

    code: str
    params: NotRequired[dict[str, Scalar | list[Scalar]]]


class ObligationAnswer(TypedDict):
    """One demand. `critical: false` says that the call may go on where the demand cannot be fulfilled."""

    type: str
    id: NotRequired[str]
    params: NotRequired[dict[str, Any]]
    critical: NotRequired[bool]


class DecisionAnswer(TypedDict):
    """What `governor/decide/decision` evaluates to."""

    contract: Literal["1"]
    allow: bool
    denies: list[DenyAnswer]
    obligations: list[ObligationAnswer]
