"""What is governed, what passes, and that all the rest is denied."""

from __future__ import annotations

import pytest

from sidecar.dialects.routes import GOVERNED, PASSED, Action, advice, match

GOVERNED_PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"]


@pytest.mark.parametrize("kind", ["openai", "vllm"])
@pytest.mark.parametrize("path", GOVERNED_PATHS)
def test_governed(kind: str, path: str) -> None:
    route = match(kind, "POST", path)
    assert (route.action, route.template) == (Action.GOVERN, path)
    assert route.dialect is not None
    for method in ("GET", "PUT", "DELETE", "post", "PATCH", "HEAD"):
        other = match(kind, method, path)
        assert (other.action, other.dialect, other.allow) == (Action.DENY, None, ("POST",))


@pytest.mark.parametrize(
    ("kind", "path", "template"),
    [
        ("openai", "/v1/models", "/v1/models"),
        ("openai", "/v1/models/ft:gpt-4o:org::id", "/v1/models/{model}"),
        ("vllm", "/v1/models/meta-llama%2FLlama-3", "/v1/models/{model}"),
        *(("vllm", path, path) for path in ("/health", "/ping", "/load", "/version", "/metrics", "/v1/models")),
    ],
)
def test_passed(kind: str, path: str, template: str) -> None:
    for method in ("GET", "HEAD"):
        assert match(kind, method, path) == (Action.PASS, template, None, ())
    for method in ("POST", "DELETE"):
        assert match(kind, method, path) == (Action.DENY, template, None, ("GET", "HEAD"))


@pytest.mark.parametrize("kind", ["openai", "vllm", "unheard-of", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        "", "/", "*", "/v1", "/v1/", "/v1/chat/completions/", "//v1/chat/completions", "/V1/chat/completions",
        "/v1/chat/completions/batch", "/v1/chat/%63ompletions", "/v1/../v1/chat/completions", "/chat/completions",
        "/v1/chat/completions;x", "/v1/chat/completions\n", "/v1/models/", "/v1/models/..", "/v1/models/../files",
        "/v1/models/a/b", "/v1/models/..%2F..%2Fadmin", "/v1/models/a%2F..%2Fb",
        "/v1/responses", "/v1/messages", "/v1/files", "/v1/batches",
        "/v1/fine_tuning/jobs", "/v1/assistants", "/v1/threads", "/v1/audio/speech", "/v1/images/generations",
        "/v1/moderations", "/v1/realtime", "/tokenize", "/detokenize", "/invocations", "/v1/load_lora_adapter",
        "/v1/unload_lora_adapter", "/start_profile", "/sleep", "/wake_up", "/collective_rpc", "/update_weights",
        "/reset_prefix_cache", "/server_info", "/pause", "/scale_elastic_ep", "/inference/v1/generate", "/pooling",
        "/classify", "/score", "/rerank", "/v2/embed", "/docs", "/openapi.json", "/v1/chat/completions/render",
    ],
)  # fmt: skip
def test_all_the_rest_is_denied(kind: str, method: str, path: str) -> None:
    assert match(kind, method, path) == (Action.DENY, "unknown", None, ())


def test_hosted_apis_pass_no_operator_routes() -> None:
    for path in PASSED["vllm"] - PASSED["openai"]:
        assert match("openai", "GET", path).action is Action.DENY
    assert GOVERNED.keys() == PASSED.keys()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/responses", "client.chat.completions.create"),
        ("/v1/responses/resp_1/cancel", "client.chat.completions.create"),
        ("/responses", "client.chat.completions.create"),
        ("/openai/v1/responses", "client.chat.completions.create"),
        ("/openai/deployments/anna-schmidt/chat/completions", "openai.azure.com/openai/v1"),
        ("/api/chat", "ends in /v1"),
        ("/v1/messages", "ends in /v1"),
        ("/v1/messages/count_tokens", "ends in /v1"),
        ("/chat/completions", "End the client's base URL in /v1"),
        ("/v1/v1/chat/completions", "End the client's base URL in /v1"),
        ("/v1//embeddings", "End the client's base URL in /v1"),
        ("/v1/chat/completions/", "End the client's base URL in /v1"),
        ("/models", "End the client's base URL in /v1"),
        ("/v1/files", "This path is not governed"),
        ("/tokenize", "POST /v1/chat/completions, /v1/completions and /v1/embeddings are"),
        ("/", "This path is not governed"),
    ],
)
def test_who_comes_with_another_api_is_told_how_to_get_on(path: str, told: str) -> None:
    assert match("openai", "POST", path) == (Action.DENY, "unknown", None, ())
    assert told in advice(path)
    assert "anna" not in advice(path)
