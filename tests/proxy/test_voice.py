"""Our errors as the openai SDK reads them: it raises its usual exceptions on them."""

from __future__ import annotations

import httpx
import openai
import orjson
import pytest

from sidecar.errors import OwnError, Refusal, SidecarError, UpstreamError
from sidecar.proxy.answer import OPENAI

REFUSED = Refusal("MODEL_NOT_ALLOWED", "Not allowed.")


def client(status: int, body: bytes, kind: str) -> openai.OpenAI:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers={"content-type": kind})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return openai.OpenAI(api_key="k", base_url="http://test/v1", http_client=http, max_retries=0)


def test_a_refusal_is_the_sdks_permission_error() -> None:
    body = OPENAI.body(REFUSED, "r-1")
    with client(403, body, "application/json") as sdk, pytest.raises(openai.PermissionDeniedError) as caught:
        sdk.chat.completions.create(model="m", messages=[])
    assert (caught.value.code, caught.value.type) == ("MODEL_NOT_ALLOWED", "invalid_request_error")
    assert "Not allowed." in caught.value.message
    assert caught.value.body == orjson.loads(body)["error"]
    assert orjson.loads(body)["error"]["record"] == "r-1"


def test_an_error_in_a_stream_is_the_sdks_api_error() -> None:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
             "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}  # fmt: skip
    body = b"data: " + orjson.dumps(chunk) + b"\n\n" + OPENAI.event(REFUSED, "r-1")
    said: list[str | None] = []
    with client(200, body, "text/event-stream") as sdk, pytest.raises(openai.APIError) as caught:
        events = sdk.chat.completions.create(model="m", messages=[], stream=True)
        said.extend(event.choices[0].delta.content for event in events)
    assert said == ["Hi"]
    assert caught.value.message == "Not allowed."
    assert caught.value.code == "MODEL_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("error", "kind"), [(UpstreamError("X", "Do."), "upstream_error"), (OwnError("X", "Do."), "server_error")]
)
def test_whose_fault_it_is(error: SidecarError, kind: str) -> None:
    told = orjson.loads(OPENAI.body(error, None))
    assert told == {"error": {"message": "Do.", "type": kind, "param": None, "code": "X"}}
