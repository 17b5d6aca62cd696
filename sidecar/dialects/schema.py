"""JSON Schemas as a provider sees them: keywords are silent, everything the application wrote is text.

Keywords: JSON Schema 2020-12 core and validation vocabularies, plus `definitions` and `nullable` of older drafts.
A property's name is a definition the model reads, so it is a KEY; names that only refer to it (`required`) are text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sidecar.dialects.collect import At, Collector, Handler
from sidecar.dialects.jsontext import MAX_DEPTH, too_deep

TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})

FORMATS = frozenset(
    {
        "date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6",
        "uri", "uri-reference", "iri", "iri-reference", "uuid", "uri-template", "json-pointer",
        "relative-json-pointer", "regex", "int32", "int64", "float", "double", "byte", "binary", "password",
    }
)  # fmt: skip

DIALECTS = frozenset(
    {
        "https://json-schema.org/draft/2020-12/schema",
        "https://json-schema.org/draft/2019-09/schema",
        "http://json-schema.org/draft-07/schema#",
    }
)


def silent(fits: Callable[[str], bool]) -> Handler:
    """Words that say nothing of anybody, alone or in a list; anything else is text."""

    def handle(collector: Collector, at: At, value: Any) -> None:
        if type(value) is str and fits(value):
            return
        for step, item in enumerate(value) if type(value) is list else ((None, value),):
            if type(item) is not str or not fits(item):
                collector.anything(at if step is None else at.into(step), item)

    return handle


def closed(values: frozenset[str]) -> Handler:
    """A closed enumeration."""
    return silent(values.__contains__)


def schema(collector: Collector, at: At, value: Any) -> None:
    """A schema, or whatever stands in its place. Raises CallerError (BODY_TOO_DEEP)."""
    if type(value) is not dict:
        collector.anything(at, value)
        return
    if len(at.path) > MAX_DEPTH:
        raise too_deep()
    collector.count(len(value))
    for key, item in value.items():
        handler = KEYWORDS.get(key)
        if handler is None:
            collector.member(at, key, item)
        else:
            handler(collector, at.into(key), item)


def _named(collector: Collector, at: At, value: Any) -> None:
    """A map of names to schemas."""
    if type(value) is not dict:
        collector.anything(at, value)
        return
    collector.count(len(value))
    for name, item in value.items():
        below = at.into(name)
        collector.key(below, name)
        schema(collector, below, item)


def _several(collector: Collector, at: At, value: Any) -> None:
    """A list of schemas, or one."""
    if type(value) is not list:
        schema(collector, at, value)
        return
    collector.count(len(value))
    for index, item in enumerate(value):
        schema(collector, at.into(index), item)


def _anything(collector: Collector, at: At, value: Any) -> None:
    collector.anything(at, value)


KEYWORDS: Mapping[str, Handler] = {
    "type": closed(TYPES),
    "format": closed(FORMATS),
    "$schema": closed(DIALECTS),
    **dict.fromkeys(("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"), _named),
    **dict.fromkeys(("items", "prefixItems", "anyOf", "oneOf", "allOf"), _several),
    **dict.fromkeys(("additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems"), schema),
    **dict.fromkeys(("not", "if", "then", "else", "contains", "propertyNames", "contentSchema"), schema),
    **dict.fromkeys(
        (
            "description", "title", "enum", "const", "default", "example", "examples", "required", "pattern", "$ref",
            "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$comment", "dependentRequired", "minimum", "maximum",
            "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems",
            "minProperties", "maxProperties", "minContains", "maxContains", "uniqueItems", "nullable", "deprecated",
            "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "strict",
        ),
        _anything,
    ),
}  # fmt: skip
