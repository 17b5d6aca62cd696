"""What a request carries besides its body: the query and the headers, as parts, and their new texts put back.

A provider sees them as it sees the body, and logs them more often. Headers that a protocol or an SDK fills in, and
credentials for the model server, are left alone: they must arrive as they are. Pure functions; where nothing changes,
target and headers stay the very same (guarantee 5).

What the application says of its own call (`x-sidecar-*`) is never sent, and recorded: what may stand in a leaf in clear
is read for personal data here, too (guarantee 4). The subject and the conversation are disclosures anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote, unquote_plus

from sidecar.model import NOTHING_ASSERTED, Asserted, Edit, Part, Place, Role

Headers = Sequence[tuple[str, str]]

QUERY, HEADERS, SAID = 0, 1, 2
"""First steps of the places here. Those in a body begin with a field's name."""
_KINDS = ("query", "header", "header.x-sidecar")
_SAID = ("use-case", "prompt-name", "prompt-version")

_SILENT = """
    accept accept-charset accept-encoding accept-language authorization cache-control close connection
    content-encoding content-language content-length content-type date dnt expect host idempotency-key if-match
    if-modified-since if-none-match keep-alive origin pragma priority range request-id te traceparent tracestate
    trailer transfer-encoding upgrade-insecure-requests user-agent via x-amzn-trace-id x-b3-parentspanid x-b3-sampled
    x-b3-spanid x-b3-traceid x-client-request-id x-correlation-id x-forwarded-host x-forwarded-port x-forwarded-proto
    x-ms-client-request-id x-request-id
"""
SILENT = frozenset(_SILENT.split())
SILENT_BEGINNINGS = ("x-stainless-", "openai-", "sec-", "cf-", "anthropic-")
"""Organisations' and projects' ids, versions, what SDKs and browsers say of themselves."""
_CREDENTIAL = re.compile(
    r"(?:\A|[-_])(?:api-?key|auth|authorization|credential|key|password|secret|sig|signature|token)s?\Z"
)
"""Ends of names, of headers and of query parameters, whose values open the model server's door."""
_PLAIN = re.compile(r"(?![^0-9]*(?:[0-9]{1,4}[^0-9]+)*[0-9]{5})[a-z0-9._:/;,+=-]{1,64}")
_PERSONAL = re.compile(
    r"user|mail|name|person|people|customer|client|patient|employee|member|account|phone|subject|owner"
)
"""A plain word of small letters (`eu-west-1`, `gold`, `2024-10-21`) routes and switches; it is nobody, unless the name
of its header or parameter says so."""
_NAME = re.compile(r"(?!.*[0-9]{5})[A-Za-z][A-Za-z0-9_$\[\]-]{0,63}")
"""A parameter's name (`filter[user]`, `X-Amz-Date`); what has other characters or a long number is read as text."""
_READABLE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
"""A name that is shown in records; any other might be somebody's text."""


def carried_parts(target: str, headers: Headers, said: Asserted = NOTHING_ASSERTED) -> tuple[Part, ...]:
    """The texts of the query and of the headers. Parts have the position as their place and the name as their key."""
    parts = [_part(QUERY, at, name, text) for at, name, text in _query(target)] if "?" in target else []
    read = [(at, *header) for at, header in enumerate(headers) if not _is_silent(header[0])]
    parts += [_part(HEADERS, at, name, value) for at, name, value in read if value and _says_something(name, value)]
    told = enumerate((said.use_case, said.prompt_name, said.prompt_version))
    parts += [_part(SAID, at, _SAID[at], text) for at, text in told if text and not _PLAIN.fullmatch(text)]
    return tuple(parts)


def is_carried(edit: Edit) -> bool:
    """Whether an edit is one of these, and not the body's."""
    return type(edit.place.path[0]) is int


def target_with(target: str, edits: Iterable[Edit]) -> str:
    """The target with new texts in its query; every other byte stays."""
    new = _new(edits, QUERY)
    path, mark, query = target.partition("?")
    if not new:
        return target
    pairs = query.split("&")
    for at, text in new.items():
        name, _ = _split(pairs[at])
        pairs[at] = f"{name}={quote(text, safe='')}" if name else quote(text, safe="=")
    return f"{path}{mark}{'&'.join(pairs)}"


def headers_with(headers: Headers, edits: Iterable[Edit]) -> tuple[tuple[str, str], ...]:
    """The headers with new values, in order and spelling as they were."""
    new = _new(edits, HEADERS)
    return tuple((name, new.get(at, value)) for at, (name, value) in enumerate(headers))


def _new(edits: Iterable[Edit], where: int) -> Mapping[int, str]:
    return {int(edit.place.path[1]): edit.text for edit in edits if edit.place.path[0] == where and is_carried(edit)}


def _query(target: str) -> Iterator[tuple[int, str, str]]:
    """Position, name and text of each parameter."""
    _, _, query = target.partition("?")
    for at, pair in enumerate(query.split("&")):
        name, text = map(unquote_plus, _split(pair))
        if text and not _CREDENTIAL.search(name.lower()) and _says_something(name, text):
            yield at, name, text


def _split(pair: str) -> tuple[str, str]:
    """A parameter's name and its text, as spelled. One without a value is all text, and so is one whose name might be
    somebody's."""
    name, equals, text = pair.partition("=")
    is_plain = equals and _NAME.fullmatch(unquote_plus(name))
    return (name, text) if is_plain else ("", pair)


@lru_cache(maxsize=1024)
def _is_silent(name: str) -> bool:
    """Of a header; every call brings the same few names."""
    lower = name.lower()
    return lower in SILENT or lower.startswith(SILENT_BEGINNINGS) or _CREDENTIAL.search(lower) is not None


def _says_something(name: str, text: str) -> bool:
    return _PLAIN.fullmatch(text) is None or _PERSONAL.search(name.lower()) is not None


def _part(where: int, at: int, name: str, text: str) -> Part:
    kind, lower = _KINDS[where], name.lower()
    label = f"{kind}{'-' if where == SAID else '.'}{lower}" if _READABLE.fullmatch(lower) else kind
    return Part(place=Place(path=(where, at), label=label), role=Role.METADATA, text=text, key=name)
