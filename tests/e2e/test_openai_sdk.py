"""The `openai` SDK through the sidecar gets what it gets from the model server itself, for every kind of call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.e2e.processes import Sidecar, Stub

TEXT = "Please write to anna.schmidt@example.org, card 4111 1111 1111 1111, about order 7."
MESSAGES: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": TEXT}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "send_mail",
        "description": "Send a mail.",
        "parameters": {"type": "object", "properties": {"to": {"type": "string"}, "text": {"type": "string"}}},
    },
}
SCHEMA: Any = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {"text": {"type": "string"}}}},
}


@pytest.fixture(params=["direct", "sidecar"])
def base(request: pytest.FixtureRequest, stub: Stub, sidecar: Sidecar) -> str:
    return f"{stub.url}/v1" if request.param == "direct" else sidecar.base


def client(base: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=base, api_key="test", max_retries=0, timeout=30)


@pytest.fixture
def both(stub: Stub, sidecar: Sidecar) -> Iterator[tuple[openai.OpenAI, openai.OpenAI]]:
    with client(f"{stub.url}/v1") as direct, client(sidecar.base) as through:
        yield direct, through


CALLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "several choices": {"n": 3},
    "tools": {"tools": [TOOL], "tool_choice": "required"},
    "multi-part": {
        "messages": [{"role": "user", "content": [{"type": "text", "text": TEXT}, {"type": "text", "text": "!"}]}]
    },
    "json object": {"response_format": {"type": "json_object"}},
    "json schema": {"response_format": SCHEMA},
    "logprobs": {"logprobs": True},
}


def steady(dump: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from call to call, and without token counts and logprobs, which count surrogates."""
    for key in ("id", "created", "usage"):
        dump.pop(key, None)
    for choice in dump.get("choices", []):
        choice.pop("logprobs", None)
        for call in (choice.get("message") or {}).get("tool_calls") or []:
            call.pop("id", None)
    return dump


@pytest.mark.parametrize("name", CALLS)
def test_chat(both: tuple[openai.OpenAI, openai.OpenAI], name: str) -> None:
    kwargs = {"model": "stub-model", "messages": MESSAGES, **CALLS[name]}
    direct, through = (steady(c.chat.completions.create(**kwargs).model_dump()) for c in both)
    assert direct == through
    assert "anna.schmidt@example.org" in str(through)


def streamed(sdk: openai.OpenAI, **kwargs: Any) -> dict[tuple[int, str], str]:
    """All text of a stream by choice and field."""
    texts: dict[tuple[int, str], str] = {}
    for chunk in sdk.chat.completions.create(stream=True, **kwargs):
        for choice in chunk.choices:
            pieces = {"content": choice.delta.content, "finish": choice.finish_reason}
            for call in choice.delta.tool_calls or []:
                pieces[f"tool {call.index}"] = call.function.arguments if call.function else None
                pieces[f"name {call.index}"] = call.function.name if call.function else None
            for field, piece in pieces.items():
                if piece:
                    texts[choice.index, field] = texts.get((choice.index, field), "") + piece
    return texts


@pytest.mark.parametrize("name", CALLS)
def test_chat_stream(both: tuple[openai.OpenAI, openai.OpenAI], name: str) -> None:
    kwargs = {"model": "stub-model", "messages": MESSAGES, **CALLS[name]}
    direct, through = (streamed(c, **kwargs) for c in both)
    assert direct == through
    assert "anna.schmidt@example.org" in str(through)


@pytest.mark.parametrize("prompt", [TEXT, [TEXT, "and bob@corp.internal"]])
@pytest.mark.parametrize("echo", [False, True])
def test_completions(both: tuple[openai.OpenAI, openai.OpenAI], prompt: Any, echo: bool) -> None:
    direct, through = (
        steady(c.completions.create(model="stub-model", prompt=prompt, echo=echo).model_dump()) for c in both
    )
    assert direct == through
    assert "anna.schmidt@example.org" in str(through)


def test_completions_stream(both: tuple[openai.OpenAI, openai.OpenAI]) -> None:
    direct, through = (
        "".join(
            chunk.choices[0].text
            for chunk in c.completions.create(model="stub-model", prompt=TEXT, stream=True)
            if chunk.choices
        )
        for c in both
    )
    assert direct == through
    assert "anna.schmidt@example.org" in through


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_of_text_without_personal_data_are_the_same(
    both: tuple[openai.OpenAI, openai.OpenAI], encoding: Any
) -> None:
    direct, through = (
        c.embeddings.create(model="m", input=["one", "two"], encoding_format=encoding).model_dump(warnings=False)
        for c in both
    )
    assert direct == through


def test_models(both: tuple[openai.OpenAI, openai.OpenAI]) -> None:
    direct, through = ([model.model_dump() for model in c.models.list()] for c in both)
    assert direct == through


def test_a_refusal_is_raised_once_as_a_permission_error(sidecar: Sidecar) -> None:
    part = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    image: Any = [{"role": "user", "content": [part]}]
    with (
        openai.OpenAI(base_url=sidecar.base, api_key="k") as sdk,
        pytest.raises(openai.PermissionDeniedError) as caught,
    ):
        sdk.chat.completions.create(model="stub-model", messages=image)
    assert caught.value.code == "UNINSPECTABLE_CONTENT"
    assert caught.value.response.headers["x-should-retry"] == "false"
    record = caught.value.response.headers["x-sidecar-record"]
    assert [row["state"] for row in sidecar.rows() if row["id"] == record] == ["refused"]


def test_the_responses_api_is_refused_once_and_says_what_to_use(sidecar: Sidecar) -> None:
    with openai.OpenAI(base_url=sidecar.base, api_key="k") as sdk, pytest.raises(openai.NotFoundError) as caught:
        sdk.responses.create(model="stub-model", input=TEXT)
    assert caught.value.code == "ROUTE_UNKNOWN"
    assert "client.chat.completions.create" in caught.value.message
    record = caught.value.response.headers["x-sidecar-record"]
    assert [row["state"] for row in sidecar.rows() if row["id"] == record] == ["refused"]


def test_what_operations_shows_of_a_refusal(sidecar: Sidecar, capsys: pytest.CaptureFixture[str]) -> None:
    """The snippet of docs/operations.md, run as it stands."""
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    [snippet] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    image: Any = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]}]
    with openai.OpenAI(base_url=sidecar.base, api_key="k") as sdk:
        exec(snippet, {"openai": openai, "client": sdk, "messages": image})
    code, *_, record = capsys.readouterr().out.split()
    assert code == "UNINSPECTABLE_CONTENT"
    assert [row["state"] for row in sidecar.rows() if row["id"] == record] == ["refused"]
