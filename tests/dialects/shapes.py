"""What the installed `openai` SDK's types allow: bodies and replies with one text planted at each place in turn.

Walked by type hints, so that a field of a new version of the SDK is tested without anybody writing it down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import orjson
import typing_extensions
from openai.types import CreateEmbeddingResponse, completion_create_params, embedding_create_params
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.completion import Completion
from pydantic import BaseModel

from sidecar.dialects import Dialect
from tests.dialects.samples import CHAT, COMPLETION, EMBEDDING

_PLAIN: Mapping[Any, Any] = {str: "x", int: 0, float: 0.5, bool: False, NoneType: None, object: "x", Any: "x"}


Leaf = Callable[[Any], Iterator[tuple[str, Any]]]
"""What to put in place of a scalar, given its type, and a name for each."""


class Shape(NamedTuple):
    """A body of an operation with a text at one place; `name` says which, and by which alternatives of its types."""

    name: str
    dialect: Dialect
    tree: Any


def requests(text: str) -> Iterator[Shape]:
    """A call for each place that may hold a scalar. The types' closed words and numbers count too: who sends a call
    may write anything anywhere."""
    yield from _shapes(REQUESTS, anywhere(text))
    for name, more in EXTRA_REQUESTS.items():
        yield Shape(name, CHAT, {"model": "m", "messages": [{"role": "user", "content": "x"}], **more(text)})


def replies(text: str) -> Iterator[Shape]:
    """A reply for each text that a model or a server writes: the types' closed words and numbers are theirs."""
    yield from _shapes(REPLIES, said(text))
    for name, more in EXTRA_REPLIES.items():
        choice = {"index": 0, "message": {"role": "assistant", **more(text)}, "finish_reason": "stop"}
        yield Shape(f"message of {name}", CHAT, {"choices": [choice]})
    for name, more in EXTRA_TOP.items():
        yield Shape(f"reply of {name}", CHAT, {"choices": [], **more(text)})


def chunks(text: str) -> Iterator[Shape]:
    """The same for a chunk of a stream, which goes on."""
    for shape in _shapes(CHUNKS, said(text)):
        for choice in shape.tree["choices"]:
            choice["finish_reason"] = None
        yield shape
    for name, more in EXTRA_REPLIES.items():
        yield Shape(f"delta of {name}", CHAT, {"choices": [{"index": 0, "delta": more(text), "finish_reason": None}]})
    for name, more in EXTRA_TOP.items():
        yield Shape(f"chunk of {name}", CHAT, {"choices": [], **more(text)})


REQUESTS = {
    CHAT: CompletionCreateParamsNonStreaming,
    COMPLETION: completion_create_params.CompletionCreateParamsNonStreaming,
    EMBEDDING: embedding_create_params.EmbeddingCreateParams,
}
REPLIES = {CHAT: ChatCompletion, COMPLETION: Completion, EMBEDDING: CreateEmbeddingResponse}
CHUNKS = {CHAT: ChatCompletionChunk, COMPLETION: Completion}


def settings() -> Iterator[Shape]:
    """A call for each closed word of the types, in which nobody says more than `x`."""
    yield from _shapes(REQUESTS, words)


def _shapes(hints: Mapping[Any, Any], leaf: Leaf) -> Iterator[Shape]:
    for dialect, hint in hints.items():
        for name, tree in dict(planted(hint, leaf)).items():
            yield Shape(f"{dialect.operation}{name}", dialect, tree)


def planted(hint: Any, leaf: Leaf) -> Iterator[tuple[str, Any]]:
    """For each scalar of a type, the least values of that type that have in its place what `leaf` gives for it."""
    origin, args = get_origin(hint), get_args(hint)
    if members := _members(hint):
        least = minimal(hint)
        for key, of in members.items():
            yield from ((f".{key}{name}", {**least, key: value}) for name, value in planted(of, leaf))
    elif origin is Annotated:
        yield from planted(args[0], leaf)
    elif origin in (Union, UnionType):
        for of in args:
            if of is not NoneType:
                yield from ((_kind(of) + name, value) for name, value in planted(of, leaf))
    elif _is_map(hint):
        yield from (("{key}", {key: minimal(args[1])}) for _, key in leaf(str))
        yield from (("{}" + name, {"k": value}) for name, value in planted(args[1], leaf))
    elif _is_list(hint):
        yield from (("[]" + name, [value]) for name, value in planted(args[0], leaf))
    elif origin is Literal or hint in _PLAIN:
        yield from leaf(hint)
    else:
        raise TypeError(f"{hint} is nothing that this walk knows")


def said(text: str) -> Leaf:
    """A text where the type has texts, or anything at all."""

    def leaf(hint: Any) -> Iterator[tuple[str, Any]]:
        if hint in (object, Any):
            yield from {":text": text, ":list": [{"k": text}], ":key": {text: 1}}.items()
        elif hint is str:
            yield "", text

    return leaf


def anywhere(text: str) -> Leaf:
    """A text in place of closed words and numbers, too."""
    texts = said(text)
    return lambda hint: texts(hint if hint in (object, Any) else str)


def words(hint: Any) -> Iterator[tuple[str, Any]]:
    """Each word of a closed set."""
    return ((f"={word}", word) for word in get_args(hint))


def minimal(hint: Any) -> Any:
    """The least value of a type: what is required, and the first of each alternative."""
    args = get_args(hint)
    if members := _members(hint):
        return {key: minimal(of) for key, of in members.items() if key in _required(hint)}
    if get_origin(hint) is Annotated:
        return minimal(args[0])
    if get_origin(hint) in (Union, UnionType):
        return None if NoneType in args else minimal(args[0])
    if get_origin(hint) is Literal:
        return args[0]
    if _is_map(hint):
        return {}
    return [minimal(args[0])] if _is_list(hint) else _PLAIN[hint]


def _members(hint: Any) -> Mapping[str, Any]:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return {field.alias or name: field.annotation for name, field in hint.model_fields.items()}
    return typing_extensions.get_type_hints(hint) if typing_extensions.is_typeddict(hint) else {}


def _required(hint: Any) -> frozenset[str]:
    if issubclass(hint, BaseModel):
        return frozenset(field.alias or name for name, field in hint.model_fields.items() if field.is_required())
    hints = typing_extensions.get_type_hints(hint, include_extras=True)
    return frozenset(key for key, of in hints.items() if get_origin(of) is typing_extensions.Required)


def _is_map(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_list(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and (issubclass(origin, Sequence) or issubclass(list, origin))


def _kind(hint: Any) -> str:
    """Which alternative it is, where several have members of the same name."""
    return f"<{hint.__name__}>" if _members(hint) else ""


def _said(**message: Any) -> dict[str, Any]:
    return {"messages": [{"role": "assistant", "content": "x", **message}]}


def _parts(*parts: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def _typed(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, **members}


EXTRA_REQUESTS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "vLLM guided_json": lambda v: {"guided_json": {"properties": {"a": {"description": v}}}},
    "vLLM guided_regex": lambda v: {"guided_regex": v},
    "vLLM guided_choice": lambda v: {"guided_choice": ["x", v]},
    "vLLM guided_grammar": lambda v: {"guided_grammar": v},
    "vLLM guided_decoding_backend": lambda v: {"guided_decoding_backend": v},
    "vLLM guided_whitespace_pattern": lambda v: {"guided_whitespace_pattern": v},
    "vLLM structured json": lambda v: {"structured_outputs": {"json": {"title": v}}},
    "vLLM structured regex": lambda v: {"structured_outputs": {"regex": v}},
    "vLLM structured choice": lambda v: {"structured_outputs": {"choice": [v]}},
    "vLLM structural tag": lambda v: {"response_format": _typed("structural_tag", structures=[{"begin": v}])},
    "vLLM documents": lambda v: {"documents": [{"title": "x", "text": v}]},
    "vLLM chat_template": lambda v: {"chat_template": v},
    "vLLM chat_template_kwargs": lambda v: {"chat_template_kwargs": {"who": v}},
    "vLLM mm_processor_kwargs": lambda v: {"mm_processor_kwargs": {"a": [v]}},
    "vLLM media_io_kwargs": lambda v: {"media_io_kwargs": {"video": {"a": v}}},
    "vLLM kv_transfer_params": lambda v: {"kv_transfer_params": {"remote_host": v}},
    "vLLM vllm_xargs": lambda v: {"vllm_xargs": {"a": v}},
    "vLLM logits_processors": lambda v: {"logits_processors": [{"qualname": "a", "args": [v]}]},
    "vLLM bad_words": lambda v: {"bad_words": [v]},
    "vLLM cache_salt": lambda v: {"cache_salt": v},
    "vLLM request_id": lambda v: {"request_id": v},
    "vLLM stop_token_ids": lambda v: {"stop_token_ids": [v]},
    "vLLM reasoning": lambda v: _said(reasoning=v),
    "vLLM bare string": lambda v: _parts(v),
    "vLLM part without type": lambda v: _parts({"text": v}),
    "vLLM bare image": lambda v: _parts(_typed("image_url", image_url=v)),
    "vLLM video": lambda v: _parts(_typed("video_url", video_url={"url": f"https://x.example/?q={v}"})),
    "vLLM audio": lambda v: _parts(_typed("audio_url", audio_url={"url": v})),
    "vLLM image_embeds": lambda v: _parts(_typed("image_embeds", image_embeds=v)),
    "vLLM image's uuid": lambda v: _parts(_typed("image_url", image_url=None, uuid=v)),
    "SGLang regex": lambda v: {"regex": v},
    "SGLang ebnf": lambda v: {"ebnf": v},
    "SGLang json_schema": lambda v: {"json_schema": orjson.dumps({"title": v}).decode()},
    "SGLang stop_regex": lambda v: {"stop_regex": [v]},
    "SGLang rid": lambda v: {"rid": v},
    "SGLang session": lambda v: {"session_params": {"id": v}},
    "SGLang lora_path": lambda v: {"lora_path": v},
    "SGLang logit processor": lambda v: {"custom_logit_processor": v, "custom_params": {"a": 1}},
    "SGLang custom_params": lambda v: {"custom_params": {"a": {v: 1}}},
    "SGLang extra_key": lambda v: {"extra_key": v},
    "SGLang bootstrap_host": lambda v: {"bootstrap_host": v},
    "SGLang reasoning_content": lambda v: _said(reasoning_content=v),
    "OpenRouter models": lambda v: {"models": ["a/b", v]},
    "OpenRouter route": lambda v: {"route": v},
    "OpenRouter preset": lambda v: {"preset": v},
    "OpenRouter transforms": lambda v: {"transforms": [v]},
    "OpenRouter plugins": lambda v: {"plugins": [{"id": "web", "search_prompt": v}]},
    "OpenRouter provider's order": lambda v: {"provider": {"order": ["openai", v]}},
    "OpenRouter provider's sort": lambda v: {"provider": {"sort": v}},
    "OpenRouter reasoning": lambda v: {"reasoning": {"effort": v}},
    "OpenRouter session": lambda v: {"session_id": v, "trace": {"user": "x"}},
    "OpenRouter trace": lambda v: {"trace": {"user": v}},
    "OpenRouter reasoning_details": lambda v: _said(reasoning_details=[_typed("reasoning.text", text=v, index=0)]),
    "OpenRouter annotations": lambda v: _said(annotations=[_typed("file", file={"content": [{"text": v}]})]),
    "OpenRouter cache_control": lambda v: _parts(_typed("text", text="x", cache_control={"type": v})),
    "Mistral document": lambda v: _parts(_typed("document_url", document_url="https://x.example", document_name=v)),
    "Mistral reference": lambda v: _parts(_typed("reference", reference_ids=[v])),
    "Mistral thinking": lambda v: _said(content=[_typed("thinking", thinking=[_typed("text", text=v)])]),
    "Mistral guardrails": lambda v: {"guardrails": [{"moderation": {"custom": v}}]},
    "Mistral prompt_mode": lambda v: {"prompt_mode": v},
    "xAI search": lambda v: {"search_parameters": {"sources": [_typed("x", included_x_handles=[v])]}},
    "xAI encrypted_content": lambda v: _said(encrypted_content=v),
    "xAI hosted tool": lambda v: {"tools": [_typed("mcp", server_label=v, headers={"a": "b"})]},
    "xAI hosted tool's headers": lambda v: {"tools": [_typed("mcp", headers={v: "b"})]},
    "DeepSeek thinking": lambda v: {"thinking": {"type": v}},
    "DeepSeek prefix": lambda v: _said(prefix=True, reasoning_content=v),
    "Gemini extra_content": lambda v: _said(extra_content={"google": {"note": v}}),
    "Gemini cached_content": lambda v: {"extra_body": {"google": {"cached_content": v}}},
    "Perplexity domains": lambda v: {"search_domain_filter": [v]},
    "Qwen terms": lambda v: {"translation_options": {"terms": [{"source": v, "target": "x"}]}},
    "legacy functions": lambda v: {"functions": [{"name": "f", "parameters": {"properties": {v: {}}}}]},
    "a field of anybody": lambda v: {"brand_new": {"a": [{"b": v}]}},
    "a field's name": lambda v: {v: None},
    "a message's field": lambda v: _said(notes={"a": [v]}),
    "a tool call's field": lambda v: _said(tool_calls=[_typed("function", id="c", note=v)]),
    "arguments as an object": lambda v: _said(tool_calls=[_typed("function", function={"arguments": {"to": v}})]),
    "an unexpected role": lambda v: {"messages": [{"role": v, "content": "x"}]},
    "an unknown part": lambda v: _parts(_typed("poem", verse=v)),
    "an unknown part's key": lambda v: _parts({"type": "poem", v: 1}),
}
"""What other servers take beside OpenAI's own fields, and what nobody takes."""

EXTRA_REPLIES: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "vLLM": lambda v: {"reasoning": v},
    "SGLang, DeepSeek, xAI": lambda v: {"reasoning_content": v},
    "OpenRouter": lambda v: {"reasoning_details": [_typed("reasoning.text", text=v, index=0)]},
    "OpenRouter, summary": lambda v: {"reasoning_details": [_typed("reasoning.summary", summary=v, index=0)]},
    "OpenRouter, annotation": lambda v: {"annotations": [_typed("url_citation", url_citation={"content": v})]},
    "Mistral": lambda v: {"content": [_typed("text", text=v)]},
    "Mistral, thinking": lambda v: {"content": [_typed("thinking", thinking=[_typed("text", text=v)])]},
    "LiteLLM": lambda v: {"thinking_blocks": [_typed("thinking", thinking=v)]},
    "LiteLLM, fields": lambda v: {"provider_specific_fields": {"citations": [[{"cited_text": v}]]}},
    "Groq": lambda v: {"executed_tools": [_typed("search", arguments=v, index=0)]},
    "Cohere": lambda v: {"tool_plan": v},
    "Ollama": lambda v: {"thinking": v},
    "Azure": lambda v: {"context": {"intent": v, "citations": [{"content": v, "url": None, "chunk_id": "0"}]}},
    "Parsed": lambda v: {"parsed": {"id": v}},
    "Parsed, a key": lambda v: {"parsed": {v: "x", "of": [{v: {v: 1}}]}},
    "Parsed, a key of every size": lambda v: {"parsed": {v: {str(10**size): v for size in range(20)}}},
    "Workers AI": lambda v: {"tool_calls": [{"name": "f", "arguments": {"to": {"id": v}}}]},
    "Workers AI, a key": lambda v: {"tool_calls": [{"name": "f", "arguments": {v: [1]}}]},
}
EXTRA_TOP: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "Perplexity": lambda v: {"citations": [v]},
    "Perplexity, results": lambda v: {"search_results": [{"title": v, "url": "https://x.example"}]},
    "Azure": lambda v: {"prompt_filter_results": [{"content_filter_results": {"custom": {"text": v}}}]},
    "vLLM": lambda v: {"prompt_text": v},
    "xAI": lambda v: {"debug_output": {"request": v}},
    "Groq": lambda v: {"x_groq": {"id": "req_1", "error": v}},
    "OpenAI, metadata's key": lambda v: {"metadata": {v: "x"}},
    "a gateway that wraps what it got": lambda v: {"data": {"choices": [{"message": {"content": v}}]}},
    "a gateway that says little": lambda v: {"code": 0, "data": v},
    "anybody": lambda v: {"warning": {"message": v}},
}
"""What other servers answer beside OpenAI's own fields, in a message and beside the choices."""
