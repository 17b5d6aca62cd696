"""Bytes -> tree, strictly, and one string -> its literal.

orjson keeps the last of two equal keys and says nothing; a provider's parser may keep the first, and would see what
nobody inspected. So a body with duplicate keys is refused: every string of the text costs two quotes plus those within
it, and orjson's own spelling of the tree has exactly as many unless a member was dropped.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from sidecar.errors import CallerError

MAX_DEPTH = 64
"""Steps of the longest path in a body. orjson itself stops at 1024."""

MAX_PARTS = 100_000
MAX_NODES = 2_000_000

MAX_WEIGHT, MAX_REPLY_WEIGHT = 4_000_000, 8_000_000
"""What a tree may cost in memory, counted before it is made: a comma is 1, a bracket 4, and 1 is 85 bytes at most.

64 MiB of `{"":0},` are a tree of 2.3 GB. Log probabilities of 30,000 tokens, twenty rivals each, weigh 7 million.
"""

NOT_JSON = object()
"""What `load_inside` answers instead of a tree."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_SPELLED_QUOTE = re.compile(rb"(?<!\\)(?:\\\\)*\\u0022")
_TOO_DEEP_FOR_ORJSON = "depth limit"
_LONE_SURROGATE = "surrogate in string"
_INFINITE = "infinity"


def load(body: bytes) -> Any:
    """The tree of a request body. Raises CallerError; its codes are BODY_* , DUPLICATE_KEY and LONE_SURROGATE."""
    if too_heavy(body, MAX_WEIGHT):
        raise too_many()
    fault: CallerError | None = None
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        fault = _fault(error)
    if fault is not None:  # outside the handler: the decoder's error holds the whole body
        raise fault
    if duplicated(body, tree):
        raise CallerError("DUPLICATE_KEY", "Send each key of a JSON object once.")
    return tree


def load_inside(text: str) -> Any:
    """The tree of a JSON text found in a string, or NOT_JSON: then it is read as plain text, where nothing is lost.

    Raises CallerError (BODY_TOO_DEEP) beyond orjson's own limits, and BODY_TOO_LARGE.
    """
    if len(text) > MAX_WEIGHT // 4 and too_heavy(text.encode(), MAX_WEIGHT):
        raise too_many()
    try:
        tree = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        deep = _TOO_DEEP_FOR_ORJSON in error.msg
    else:
        return NOT_JSON if duplicated(text.encode(), tree) else tree
    if deep:
        raise too_deep()
    return NOT_JSON


def load_reply(data: bytes) -> Any:
    """The tree of a reply. Raises ValueError. A lone surrogate, which orjson refuses, is read by the stdlib."""
    if too_heavy(data, MAX_REPLY_WEIGHT):
        raise ValueError("too many values")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data)
    except (ValueError, RecursionError):  # their text is the reply's: leave them behind
        pass
    raise ValueError("not JSON")


def too_heavy(data: bytes, most: int) -> bool:
    """Whether the tree would weigh more than `most`. What stands within strings counts only where that tells quickly:
    a table pasted as text has millions of commas, and few strings.
    """
    if 4 * len(data) <= most or _weight(data) <= most:
        return False
    return data.count(b'"') > most // 8 or _weight(_STRING.sub(b"", data)) > most


def _weight(data: bytes) -> int:
    return 4 * (data.count(b"[") + data.count(b"{")) + data.count(b",")


def duplicated(body: bytes, tree: Any) -> bool:
    """True when `tree` lacks a member that `body` spells out. Raises CallerError beyond orjson's depth (254)."""
    quotes = body.count(b'"')
    if b"\\" in body and b"\\u0022" in body:  # the one character is found thirty times faster
        quotes += len(_SPELLED_QUOTE.findall(body))
    return quotes != _spell_tree(tree).count(b'"')


def spell(value: Any) -> bytes:
    """JSON as orjson writes it. Lone surrogates, which a reply may hold, are escaped."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def too_deep() -> CallerError:
    return CallerError("BODY_TOO_DEEP", f"Nest JSON no deeper than {MAX_DEPTH} levels.")


def too_many() -> CallerError:
    advice = f"Send fewer than {MAX_PARTS} texts and {MAX_NODES} values in one call."
    return CallerError("BODY_TOO_LARGE", advice, status=413)


def _spell_tree(tree: Any) -> bytes:
    try:
        return orjson.dumps(tree)
    except TypeError:
        pass
    raise too_deep()


def _fault(error: orjson.JSONDecodeError) -> CallerError:
    if _TOO_DEEP_FOR_ORJSON in error.msg:
        return too_deep()
    if _LONE_SURROGATE in error.msg:
        return CallerError("LONE_SURROGATE", "Send whole characters: an escape \\ud800 to \\udfff lacks its pair.")
    if _INFINITE in error.msg or error.doc[error.pos : error.pos + 3] in ("NaN", "Inf"):
        return CallerError("BODY_INVALID", "JSON has no NaN or Infinity; send finite numbers.")
    return CallerError("BODY_UNPARSABLE", "Send one JSON value in UTF-8, without a byte order mark.")
