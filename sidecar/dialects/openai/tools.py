"""What a call declares: tools, legacy functions, the form of the output (API reference: `tools`, `response_format`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sidecar.dialects.collect import At, Collector, Handler, known
from sidecar.dialects.openai.messages import ephemeral, wrong
from sidecar.dialects.schema import closed, schema

CHOICES = frozenset({"none", "auto", "required"})
FORMS = frozenset({"text", "json_object", "json_schema"})
_TYPES = frozenset({"function", "custom", "allowed_tools"})


def tool_name(tool: Any) -> str | None:
    """The name policy knows a tool by; a hosted tool (`web_search`) goes by its type."""
    if type(tool) is not dict:
        return None
    for holder in (tool.get("function"), tool.get("custom"), tool):
        if type(holder) is dict and type(holder.get("name")) is str:
            return str(holder["name"])
    kind = tool.get("type")
    return kind if type(kind) is str and kind not in _TYPES else None


def offered(body: Mapping[str, Any]) -> Iterator[str]:
    """Names of `tools` and `functions`, in order."""
    for field in ("tools", "functions"):
        for tool in body.get(field) or ():
            name = tool_name(tool)
            if name is not None:
                yield name


def tools(collector: Collector, at: At, value: Any) -> None:
    """Raises CallerError (BODY_INVALID) unless it is a list of objects."""
    if type(value) is not list:
        raise wrong(at, "a list")
    collector.count(len(value))
    for index, tool in enumerate(value):
        if type(tool) is not dict:
            raise wrong(at.item(index), "an object")
        collector.fields(at.item(index), tool, _TOOL)


def choice(collector: Collector, at: At, value: Any) -> None:
    """`tool_choice` or `function_call`: a mode, or the tool to use."""
    if type(value) is str and value in CHOICES:
        collector.params[str(at.path[-1])] = value
    elif type(value) is dict:
        collector.fields(at, value, _TOOL)
    else:
        collector.anything(at, value)


def output_form(collector: Collector, at: At, value: Any) -> None:
    """`response_format`. Raises CallerError (BODY_INVALID) unless it is an object."""
    if type(value) is not dict:
        raise wrong(at, "an object")
    kind = value.get("type")
    if type(kind) is str and kind in FORMS:
        collector.params["response_format"] = kind
    collector.fields(at, value, {"type": closed(FORMS), "json_schema": _declared})


def grammar(collector: Collector, at: At, value: Any) -> None:
    """vLLM's `structured_outputs` and `guided_*`: a schema, choices, a pattern or a grammar."""
    if type(value) is dict and at.path[-1] == "structured_outputs":
        collector.fields(at, value, {"json": schema})
    else:
        schema(collector, at, value)


def declares_json(body: Mapping[str, Any]) -> bool:
    """Whether the reply's text is declared to be JSON."""
    form, structured = body.get("response_format"), body.get("structured_outputs")
    if type(form) is dict and form.get("type") in ("json_object", "json_schema"):
        return True
    if type(structured) is dict and (structured.get("json") or structured.get("json_object")):
        return True
    return bool(body.get("guided_json") or body.get("json_schema"))  # vLLM, and SGLang's and llama.cpp's completions


def _allowed(collector: Collector, at: At, value: Any) -> None:
    if type(value) is list:
        tools(collector, at, value)
    else:
        collector.anything(at, value)


_DECLARATION: Mapping[str, Handler] = {
    "name": Collector.declared,
    "description": Collector.prose,
    "parameters": schema,
    "input_schema": schema,
    "schema": schema,
    "strict": Collector.anything,
    "mode": closed(CHOICES),
    "tools": _allowed,
}
_declared = known(_DECLARATION)
_grammar = known({"definition": Collector.prose, "syntax": closed(frozenset({"lark", "regex"}))})
_format = known({"type": closed(frozenset({"text", "grammar"})), "grammar": _grammar})

_TOOL: Mapping[str, Handler] = {
    **_DECLARATION,
    "type": closed(_TYPES),
    "function": _declared,
    "custom": known({**_DECLARATION, "format": _format}),
    "allowed_tools": _declared,
    "cache_control": ephemeral,
}
