"""The request's top-level fields: a body -> a Call.

One table serves chat, completions and embeddings, so that a field of one endpoint is no way round inspection at
another (vLLM, for one, takes `messages` at /v1/embeddings). A setting of the wrong type is refused, since servers
coerce `"true"` and `"100"` where policy would read nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sidecar.dialects.collect import At, Collector, Handler, known
from sidecar.dialects.jsontext import load
from sidecar.dialects.openai.messages import caching, content, content_part, messages, reference, sealed, wrong
from sidecar.dialects.openai.tools import choice, declares_json, grammar, offered, output_form, tools
from sidecar.dialects.schema import closed, silent
from sidecar.errors import CallerError
from sidecar.model import Call, Operation, Role

MODEL = re.compile(r"@?(?=[0-9._/~:-]*[A-Za-z])[A-Za-z0-9._/~][A-Za-z0-9._/~:+=-]{0,255}(?:@[A-Za-z0-9-]{1,40})?")
"""Ids, fine-tunes (`ft:base:org::id`), repository names, local paths, `@cf/...`, `name@20240620`; not `bob@x.com`."""

CAPS = ("max_completion_tokens", "max_tokens")

_UNKNOWN = re.compile(r"[a-z_]{1,40}")
_UNSHOWN = "[unreadable]"
_PROMPT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}")

_BOOLS = (
    "stream", "parallel_tool_calls", "echo", "add_generation_prompt", "continue_final_message", "use_beam_search",
    "ignore_eos", "skip_special_tokens", "spaces_between_special_tokens", "include_stop_str_in_output",
    "add_special_tokens", "include_reasoning", "return_token_ids", "return_tokens_as_token_ids", "enable_thinking",
    "separate_reasoning", "stream_reasoning", "no_stop_trim", "return_prompt_text", "return_hidden_states", "normalize",
)  # fmt: skip
_INTEGERS = (
    "n", "seed", "max_tokens", "max_completion_tokens", "top_logprobs", "best_of", "min_tokens", "dimensions",
    "truncate_prompt_tokens", "prompt_logprobs", "priority", "top_k", "thinking_token_budget",
)  # fmt: skip
_NUMBERS = (
    "temperature", "top_p", "presence_penalty", "frequency_penalty", "min_p", "repetition_penalty", "length_penalty",
)  # fmt: skip
_ENUMERATIONS: Mapping[str, frozenset[str]] = {
    "service_tier": frozenset({"auto", "default", "flex", "scale", "priority", "fast"}),
    "reasoning_effort": frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"}),
    "verbosity": frozenset({"low", "medium", "high"}),
    "encoding_format": frozenset({"float", "base64", "bytes", "bytes_only"}),
    "prompt_cache_retention": frozenset({"in_memory", "in-memory", "24h"}),
    "chat_template_content_format": frozenset({"auto", "string", "openai"}),
    "embed_dtype": frozenset({"float32", "float16", "bfloat16", "fp8_e4m3", "fp8_e5m2"}),
    "endianness": frozenset({"native", "big", "little"}),
}
_VOICES = frozenset(
    {"alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"}
)
_AUDIO_FORMATS = frozenset({"wav", "aac", "mp3", "flac", "opus", "pcm16"})


def parse(body: bytes, operation: Operation) -> Call:
    """Raises CallerError; see `load` for the codes of JSON itself."""
    tree = load(body)
    if type(tree) is not dict:
        raise CallerError("BODY_INVALID", "Send a JSON object.")
    collector = Collector()
    for field in [*[field for field in _FIRST if field in tree], *[field for field in tree if field not in _FIRST]]:
        _field(collector, field, tree[field])
    collector.settle(body, tree)
    if operation is Operation.CHAT and type(tree.get("messages")) is not list:
        raise wrong(At((), "messages", Role.USER), "a list of messages")
    return _call(operation, tree, collector)


_FIRST = ("tools", "functions", "response_format", "messages")
"""Declarations, then the conversation, then the rest as it stands: a grown conversation keeps its prefix."""


def _field(collector: Collector, field: str, value: Any) -> None:
    found = _FIELDS.get(field)
    if found is None:
        _unknown(collector, field, value)
    elif value is not None:
        role, handler = found
        handler(collector, At((field,), field, role), value)


def _unknown(collector: Collector, field: str, value: Any) -> None:
    """Its strings are parts like any other. The name itself is shown only if it looks like a schema's; that there is
    one is always told, or a policy that refuses unknown fields would be got round with a capital letter."""
    collector.unknown.append(field if _UNKNOWN.fullmatch(field) else _UNSHOWN)
    if field in _EXTENSIONS:
        _EXTENSIONS[field](collector, At((field,), "unknown", Role.METADATA), value)
    else:
        collector.member(At((), "unknown", Role.METADATA), field, value)


def _call(operation: Operation, tree: dict[str, Any], collector: Collector) -> Call:
    metadata = tree.get("metadata")
    return Call(
        operation=operation,
        model=_model(tree.get("model")),
        stream=tree.get("stream") is True,
        parts=tuple(collector.parts),
        uninspectable=tuple(collector.uninspectable),
        params=collector.params,
        max_tokens=_max_tokens([int(tree[field]) for field in CAPS if tree.get(field) is not None]),
        choices=max(1, int(collector.params.get("n", 1))) * _prompts(operation, tree.get("prompt")),
        tools=tuple(offered(tree)) if "tools" in tree or "functions" in tree else (),
        json_output=declares_json(tree),
        prompt_name=_prompt_id(metadata, "prompt_name"),
        prompt_version=_prompt_id(metadata, "prompt_version"),
        params_unknown=tuple(collector.unknown),
    )


def _max_tokens(caps: list[int]) -> int | None:
    """The caller's limit; a negative one is none (llama.cpp, Ollama), whatever stands beside it."""
    return None if any(cap < 0 for cap in caps) else max(caps, default=None)


def _prompts(operation: Operation, prompt: Any) -> int:
    """Each prompt of a list has choices of its own; a list of token ids is one prompt."""
    if operation is not Operation.COMPLETION or type(prompt) is not list or _are_ids(prompt):
        return 1
    return max(1, len(prompt))


def _model(value: Any) -> str | None:
    """Raises CallerError (BODY_INVALID): the name is recorded as it is, so it may not be just any text."""
    if value is None:
        return None
    if type(value) is not str or not MODEL.fullmatch(value):
        advice = "Send `model` as the id of a model: letters (one at least), digits and ._/:~+=-@, no blanks."
        raise CallerError("BODY_INVALID", advice)
    return value


def _prompt_id(metadata: Any, key: str) -> str | None:
    value = metadata.get(key) if type(metadata) is dict else None
    return value if type(value) is str and _PROMPT_ID.fullmatch(value) else None


def _setting(expected: str, fits: Callable[[Any], bool]) -> Handler:
    def handle(collector: Collector, at: At, value: Any) -> None:
        if not fits(value):
            raise wrong(at, expected)
        collector.params[at.label] = value

    return handle


_flag = _setting("true or false", lambda value: type(value) is bool)


def _integer(collector: Collector, at: At, value: Any) -> None:
    """JSON does not tell `5.0` from `5`, and some clients write it so. Beyond 2**53 a float is not one integer."""
    whole = int(value) if type(value) is float and value.is_integer() and abs(value) < 2**53 else value
    if type(whole) is not int:
        raise wrong(at, "an integer")
    collector.params[at.label] = whole


_number = _setting("a number", lambda value: type(value) in (int, float))
_logprobs = _setting("true, false or an integer", lambda value: type(value) in (bool, int))


def _one_of(values: frozenset[str]) -> Handler:
    def handle(collector: Collector, at: At, value: Any) -> None:
        if type(value) is str and value in values:
            collector.params[at.label] = value
        else:
            collector.anything(at, value)

    return handle


def _store(collector: Collector, at: At, value: Any) -> None:
    _flag(collector, at, value)
    if value:
        collector.opaque(at, "state")


def _state(collector: Collector, at: At, value: Any) -> None:
    """State kept elsewhere that becomes part of the prompt; its own strings are parts as well."""
    collector.opaque(at, "state")
    collector.params[at.label] = True
    collector.anything(at, value)


def _text_input(collector: Collector, at: At, value: Any) -> None:
    """`prompt` or `input`: a text, texts, or token ids, which nobody here can read."""
    if type(value) is str:
        collector.prose(at, value)
    elif type(value) is dict:  # a stored prompt, or vLLM's multi-modal input
        _stored_or_part(collector, at, value)
    elif type(value) is list:
        _inputs(collector, at, value)
    else:
        raise wrong(at, "a string or a list")


def _inputs(collector: Collector, at: At, value: list[Any]) -> None:
    collector.count(len(value))
    if _are_ids(value):
        collector.opaque(at, "token_ids")
        return
    for index, item in enumerate(value):
        if type(item) in (str, dict):
            _text_input(collector, at.item(index), item)
        elif type(item) is list and _are_ids(item):
            collector.opaque(at.item(index), "token_ids")
        else:
            raise wrong(at.item(index), "a string or a list of token ids")


def _are_ids(value: list[Any]) -> bool:
    return set(map(type, value)) == {int}


def _stored_or_part(collector: Collector, at: At, value: dict[str, Any]) -> None:
    if "content" in value:  # a message in all but its role
        collector.fields(at, value, {"content": content})
    elif "text" in value or "type" in value:
        content_part(collector, at, value)
    else:
        collector.opaque(at, "reference")
        collector.anything(at, value)


def _token_ids(collector: Collector, at: At, value: Any) -> None:
    """Ids that shape the output (`stop_token_ids`): settings, if they are ids at all."""
    if type(value) is not list or not _are_ids(value):
        collector.anything(at, value)


def _token_input(collector: Collector, at: At, value: Any) -> None:
    collector.opaque(at, "token_ids")
    _token_ids(collector, at, value)


def _logit_bias(collector: Collector, at: At, value: Any) -> None:
    """Keys are token ids; whatever else they are is text."""
    if type(value) is dict and all(
        key.isascii() and key.isdigit() and len(key) < 8 and type(bias) in (int, float) for key, bias in value.items()
    ):
        collector.params[at.label] = len(value)
    else:
        collector.anything(at, value)


def _stream_options(collector: Collector, at: At, value: Any) -> None:
    if type(value) is not dict:
        raise wrong(at, "an object")
    flags = ("include_usage", "include_obfuscation", "continuous_usage_stats")
    collector.fields(at, value, dict.fromkeys(flags, _flag))


def _metadata(collector: Collector, at: At, value: Any) -> None:
    """Keys and values are the application's."""
    if type(value) is not dict:
        collector.anything(at, value)
        return
    collector.count(len(value))
    for index, (key, item) in enumerate(value.items()):
        collector.member(At(at.path, f"{at.label}[{index}]", at.role), key, item)


_approximate = known(dict.fromkeys(("city", "country", "region", "timezone"), Collector.prose))
_user_location = known({"type": closed(frozenset({"approximate"})), "approximate": _approximate})
_web_options = known({"search_context_size": closed(_ENUMERATIONS["verbosity"]), "user_location": _user_location})
_prediction = known({"type": closed(frozenset({"content"})), "content": content})
_moderating = known({"mode": closed(frozenset({"score", "block"}))})
_moderation = known({"model": Collector.prose, "policy": known(dict.fromkeys(("input", "output"), _moderating))})
_audio = known({"voice": closed(_VOICES), "format": closed(_AUDIO_FORMATS)})


def _web_search(collector: Collector, at: At, value: Any) -> None:
    """The provider searches with words of the prompt, whatever the options are."""
    collector.params[at.label] = True
    _web_options(collector, at, value)


def _is_provider(name: str) -> bool:
    """Of OpenRouter's, by slug (`google-vertex/europe`) or as shown (`Google Vertex`)."""
    slug, _, variant = name.partition("/")
    return slug.lower().replace(" ", "-") in _PROVIDERS and variant in _VARIANTS


_VARIANTS = frozenset({"", "base", "bf16", "europe", "fast", "fp4", "fp8", "global", "int4", "int8", "turbo", "us"})
_COMPANIES = """
    ai21 alibaba amazon-bedrock anthropic arcee-ai atlascloud atoma avian azure baseten black-forest-labs cerebras
    chutes clarifai cloudflare cohere crofai crusoe deepinfra deepseek enfer featherless fireworks friendli gmicloud
    google-ai-studio google-vertex groq hyperbolic inception inference-net infermatic inflection io-net kluster lambda
    liquid mancer meta minimax mistral modelrun modular moonshot-ai moonshotai morph nano-gpt ncompass nebius
    nebius-ai-studio nextbit nineteen novita nvidia openai openinference parasail perplexity phala relace sambanova
    siliconflow stealth switchpoint targon together venice wandb xai z-ai
"""
_PROVIDERS = frozenset(_COMPANIES.split())
"""Companies, which a detector takes for somebody's names: `ignore` would then ignore nobody."""

_google = known({"thinking_config": Collector.anything, "cached_content": reference})
_EXTENSIONS: Mapping[str, Handler] = {
    "provider": known(
        {
            **dict.fromkeys(("order", "only", "ignore"), silent(_is_provider)),
            **dict.fromkeys(("max_price", "preferred_max_latency", "preferred_min_throughput"), Collector.anything),
        }
    ),
    "google": _google,
    "extra_body": known({"google": _google}),
    "guided_decoding_backend": closed(frozenset({"auto", "guidance", "lm-format-enforcer", "outlines", "xgrammar"})),
}
"""Of OpenRouter, Gemini and vLLM: unknown all the same, but their names, and values that are closed, are nobody's."""


def _all(role: Role, handler: Handler, *fields: str) -> dict[str, tuple[Role, Handler]]:
    return dict.fromkeys(fields, (role, handler))


_FIELDS: Mapping[str, tuple[Role, Handler]] = {
    **_all(Role.DEFINITION, tools, "tools", "functions"),
    **_all(Role.DEFINITION, output_form, "response_format"),
    **_all(Role.DEFINITION, choice, "tool_choice", "function_call"),
    **_all(Role.DEFINITION, grammar, "structured_outputs", "guided_json", "guided_regex", "guided_choice"),
    **_all(Role.DEFINITION, grammar, "guided_grammar", "json_schema", "regex", "ebnf"),
    **_all(Role.DEFINITION, Collector.prose, "chat_template"),
    **_all(Role.USER, messages, "messages"),
    **_all(Role.USER, _text_input, "prompt", "input"),
    **_all(Role.USER, Collector.prose, "suffix"),
    **_all(Role.USER, Collector.anything, "documents"),
    **_all(Role.USER, _token_input, "prompt_token_ids", "input_ids"),
    **_all(Role.USER, sealed("embeddings"), "prompt_embeds", "input_embeds"),
    **_all(Role.ASSISTANT, _prediction, "prediction"),
    **_all(Role.METADATA, _metadata, "metadata"),
    **_all(Role.METADATA, Collector.anything, "model_options", "stop", "user", "safety_identifier", "prompt_cache_key"),
    **_all(Role.METADATA, Collector.anything, "bad_words", "cache_salt", "request_id", "chat_template_kwargs"),
    **_all(Role.METADATA, caching, "prompt_cache_options"),
    **_all(Role.METADATA, _moderation, "moderation"),
    **_all(Role.METADATA, _web_search, "web_search_options"),
    **_all(Role.METADATA, _audio, "audio"),
    **_all(Role.METADATA, closed(frozenset({"text", "audio"})), "modalities"),
    **_all(Role.METADATA, _stream_options, "stream_options"),
    **_all(Role.METADATA, _logit_bias, "logit_bias"),
    **_all(Role.METADATA, _token_ids, "stop_token_ids", "allowed_token_ids"),
    **_all(Role.METADATA, _store, "store"),
    **_all(Role.METADATA, reference, "previous_response_id", "cached_content"),
    **_all(Role.METADATA, _state, "conversation", "kv_transfer_params"),
    **_all(Role.METADATA, _logprobs, "logprobs"),
    **_all(Role.METADATA, _flag, *_BOOLS),
    **_all(Role.METADATA, _integer, *_INTEGERS),
    **_all(Role.METADATA, _number, *_NUMBERS),
    **{field: (Role.METADATA, _one_of(values)) for field, values in _ENUMERATIONS.items()},
    "model": (Role.METADATA, lambda *_: None),  # checked by _model
}
