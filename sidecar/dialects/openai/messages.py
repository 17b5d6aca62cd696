"""A conversation's messages (API reference, Create chat completion, `messages`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidecar.dialects.collect import At, Collector, Handler, known
from sidecar.dialects.schema import closed
from sidecar.errors import CallerError
from sidecar.model import Role

_ROLES: Mapping[str, Role] = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}

_PART_TYPES = frozenset(
    {
        "text", "input_text", "output_text", "refusal", "thinking", "image_url", "input_image", "video_url",
        "audio_url", "input_audio", "file", "input_file", "image_embeds", "audio_embeds", "prompt_embeds",
    }
)  # fmt: skip

_MEDIA_FORMATS = frozenset(
    {"wav", "mp3", "flac", "opus", "pcm16", "aac", "auto", "low", "high", "original", "png", "jpeg", "webp"}
)

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=\r\n"
"""Line breaks are its own (RFC 2045), blanks are not: with them any sentence would be base64."""
_LONG = 256
"""Code points from which base64 may stand without saying that it is."""
_TYPES = {"image": ("image/",), "audio": ("audio/",), "video": ("video/",)}


def wrong(at: At, expected: str) -> CallerError:
    return CallerError("BODY_INVALID", f"`{at.label}` must be {expected}.")


def messages(collector: Collector, at: At, value: Any) -> None:
    """Raises CallerError (BODY_INVALID) unless it is a list of objects."""
    if type(value) is not list:
        raise wrong(at, "a list of messages")
    collector.count(len(value))
    for index, message in enumerate(value):
        if type(message) is not dict:
            raise wrong(at.item(index), "an object")
        role = message.get("role")
        if type(role) is not str:
            raise wrong(at.item(index).key("role"), "a string")
        here = At((*at.path, index), f"{at.label}[{index}]", _ROLES.get(role, Role.USER))
        collector.fields(here, message, _MESSAGE)


def content(collector: Collector, at: At, value: Any) -> None:
    """A string, or a list of parts. Raises CallerError (BODY_INVALID) for anything else."""
    if type(value) is str:
        _words(collector, at, value)
        return
    if type(value) is not list:
        raise wrong(at, "a string or a list of parts")
    collector.count(len(value))
    for index, part in enumerate(value):
        content_part(collector, at.item(index), part)


def content_part(collector: Collector, at: At, part: Any) -> None:
    if type(part) is str:  # vLLM takes bare strings
        _words(collector, at, part)
        return
    if type(part) is not dict:
        raise wrong(at, "a string or an object")
    if type(part.get("type", "text")) is not str or part.get("type", "text") not in _PART_TYPES:
        collector.opaque(at, "unknown")
    collector.fields(at, part, _PART)


def _words(collector: Collector, at: At, value: Any) -> None:
    """A tool answers programs, the others speak to people."""
    (collector.data if at.role is Role.TOOL else collector.prose)(at, value)


def _media(kind: str) -> Handler:
    """An image, audio, video or file: given as data, as a URL, or by reference to something stored."""

    def source(collector: Collector, at: At, value: Any) -> None:
        if type(value) is not str:
            collector.anything(at, value)
            return
        collector.opaque(at, "reference" if "://" in value[:32] else _kind_of(kind, value))
        if not encoded(value):
            collector.add(at, value)

    members: Mapping[str, Handler] = {
        **dict.fromkeys(("url", "data", "file_data"), source),
        **dict.fromkeys(("detail", "format"), closed(_MEDIA_FORMATS)),
        "file_id": reference,
        "filename": Collector.prose,
    }

    def handle(collector: Collector, at: At, value: Any) -> None:
        if type(value) is dict:
            collector.fields(at, value, members)
            if not value.keys() & _SOURCES:
                collector.opaque(at, kind)
        else:
            source(collector, at, value)

    return handle


_SOURCES = frozenset({"url", "data", "file_data", "file_id"})


def _kind_of(kind: str, value: str) -> str:
    """`kind`, or `unknown` where a data URL says that it is something else."""
    wanted = _TYPES.get(kind)
    is_other = wanted and value[:5].lower() == "data:" and not value[5:32].lower().startswith(wanted)
    return "unknown" if is_other else kind


def encoded(value: str) -> bool:
    """Base64: pointless to search for text."""
    if value[:5].lower() == "data:":
        head, comma, rest = value.partition(",")
        return len(head) < _LONG and (head + comma).endswith(";base64,") and _is_base64(rest)
    return len(value) >= _LONG and _is_base64(value)


def _is_base64(value: str) -> bool:
    return value.isascii() and not value.encode().translate(None, _BASE64)


def reference(collector: Collector, at: At, value: Any) -> None:
    """The name of something the provider keeps: no detector has seen what it stands for."""
    collector.opaque(at, "reference")
    collector.identifier(at, value)


def sealed(kind: str) -> Handler:
    """Content without text: tensors. Its strings are base64."""

    def handle(collector: Collector, at: At, value: Any) -> None:
        collector.opaque(at, kind)
        for item in value if type(value) is list else (value,):
            if type(item) is not str or not encoded(item):
                collector.anything(at, value)
                return

    return handle


def _tool_calls(collector: Collector, at: At, value: Any) -> None:
    if type(value) is not list:
        raise wrong(at, "a list")
    collector.count(len(value))
    for index, call in enumerate(value):
        _tool_call(collector, at.item(index), call)


def _object_of(handlers: Mapping[str, Handler]) -> Handler:
    def handle(collector: Collector, at: At, value: Any) -> None:
        if type(value) is not dict:
            raise wrong(at, "an object")
        collector.fields(at, value, handlers)

    return handle


_THOUGHT = known(dict.fromkeys(("thought_signature", "thought"), Collector.anything))
_EXTRA = known({"google": _THOUGHT})
"""Gemini's, of a message or a tool call: a thought's signature, which has to come back to it as it was."""

_NAMED_CALL = _object_of(
    {"name": Collector.declared, "arguments": Collector.arguments, "input": Collector.data}
)

_tool_call = _object_of(
    {
        "id": Collector.identifier,
        "type": closed(frozenset({"function", "custom"})),
        "index": Collector.anything,
        "function": _NAMED_CALL,
        "custom": _NAMED_CALL,
        "extra_content": _EXTRA,
    }
)


def _name(collector: Collector, at: At, value: Any) -> None:
    """Who speaks: somebody, or the tool that answers."""
    (collector.declared if at.role is Role.TOOL else collector.identifier)(at, value)


_AUDIO = _object_of({"id": reference})

_MESSAGE: Mapping[str, Handler] = {
    "role": closed(frozenset(_ROLES)),
    "content": content,
    "name": _name,
    "refusal": Collector.prose,
    "tool_calls": _tool_calls,
    "tool_call_id": Collector.identifier,
    "function_call": _NAMED_CALL,
    "audio": _AUDIO,
    "extra_content": _EXTRA,
    "reasoning": Collector.prose,  # vLLM
    "reasoning_content": Collector.prose,  # SGLang, DeepSeek, llama.cpp
}

caching = known({"mode": closed(frozenset({"implicit", "explicit"})), "ttl": closed(frozenset({"30m", "12h"}))})
ephemeral = known({"type": closed(frozenset({"ephemeral"})), "ttl": closed(frozenset({"5m", "1h"}))})
"""How long what stands before it is to be cached, as OpenAI and as Anthropic say it (OpenRouter, LiteLLM)."""

_PART: Mapping[str, Handler] = {
    "type": closed(_PART_TYPES),
    "text": _words,
    "refusal": Collector.prose,
    "thinking": Collector.prose,
    **dict.fromkeys(("image_url", "input_image"), _media("image")),
    "video_url": _media("video"),
    **dict.fromkeys(("input_audio", "audio_url"), _media("audio")),
    "file": _media("file"),
    "file_id": reference,
    **dict.fromkeys(("image_embeds", "audio_embeds", "prompt_embeds"), sealed("embeddings")),
    "uuid": reference,  # vLLM's cache of media it has seen before
    "prompt_cache_breakpoint": caching,
    "cache_control": ephemeral,
}
