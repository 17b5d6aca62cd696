"""Our errors in the caller's dialect: openai-python raises its usual exceptions on them."""

from __future__ import annotations

import httpx
import openai
import orjson
import pytest

from tests.dialects.samples import CHAT

ERROR = {"message": "Not allowed.", "type": "policy", "code": "MODEL_NOT_ALLOWED", "param": "model", "record": "r-1"}


def client(status: int, body: bytes, kind: str) -> openai.OpenAI:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers={"content-type": kind})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return openai.OpenAI(api_key="k", base_url="http://test/v1", http_client=http, max_retries=0)


def test_a_refusal_is_the_sdks_permission_error() -> None:
    body = CHAT.error_body(**ERROR)
    assert orjson.loads(body)["error"] == ERROR
    with client(403, body, "application/json") as sdk, pytest.raises(openai.PermissionDeniedError) as caught:
        sdk.chat.completions.create(model="m", messages=[])
    assert (caught.value.code, caught.value.type, caught.value.param) == ("MODEL_NOT_ALLOWED", "policy", "model")
    assert "Not allowed." in caught.value.message


def test_an_error_in_a_stream_is_the_sdks_api_error() -> None:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
             "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}  # fmt: skip
    body = b"data: " + orjson.dumps(chunk) + b"\n\n" + CHAT.error_event(**ERROR)
    said: list[str | None] = []
    with client(200, body, "text/event-stream") as sdk, pytest.raises(openai.APIError) as caught:
        events = sdk.chat.completions.create(model="m", messages=[], stream=True)
        said.extend(event.choices[0].delta.content for event in events)
    assert said == ["Hi"]
    assert caught.value.message == "Not allowed."
    assert caught.value.code == "MODEL_NOT_ALLOWED"


def test_optional_members() -> None:
    told = orjson.loads(CHAT.error_body(message="m", type="t", code="c"))
    assert told == {"error": {"message": "m", "type": "t", "param": None, "code": "c"}}
