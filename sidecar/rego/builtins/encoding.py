"""JSON, base64, hex, URLs, digests, tokens: topdown/encoding.go, crypto.go, tokens.go (decoding only).

Go's strings may hold any bytes; ours hold text. Where decoding would give bytes that are not UTF-8 there
is no answer, not a wrong one.
"""

# ruff: noqa: ARG001, ARG005 (every builtin is given the run; those whose work grows charge it)
from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote_plus, unquote_plus

from sidecar.rego.document import DATA_DEPTH
from sidecar.rego.errors import BuiltinError
from sidecar.rego.leaving import json_text
from sidecar.rego.numbers import parse
from sidecar.rego.runtime import Run
from sidecar.rego.values import UNDEFINED, RegoSet, Value, ordered

from .operands import obj, string, wrong_type

Builtin = Callable[..., Value]


def json_marshal(run: Run, a: Value) -> Value:
    return json_text(a)


def json_marshal_with_options(run: Run, a: Value, options: Value) -> Value:
    given = obj(options, 2)
    if set(given) - {"prefix", "indent", "pretty"}:
        raise BuiltinError("operand 2 object contained unknown key")
    indent, prefix = string(given.get("indent", "\t"), 2), string(given.get("prefix", ""), 2)
    pretty = given.get("pretty", "indent" in given or "prefix" in given)
    if type(pretty) is not bool:
        raise BuiltinError("operand 2 key pretty failed cast to bool")
    return prefix + json_text(a, indent, prefix) if pretty else json_text(a)


def json_unmarshal(run: Run, a: Value) -> Value:
    """As Go: of duplicate keys the last counts. For half a UTF-16 pair it has another character; here is no answer."""
    value = _loaded(run, string(a, 1))
    if "\\u" in a:
        _whole(value)
    return value


def _whole(value: Value) -> None:
    if type(value) is str:
        octets(value)
    elif type(value) is dict or type(value) is list:
        for item in (*value, *value.values()) if type(value) is dict else value:
            _whole(item)


def _loaded(run: Run, text: str) -> Value:
    run.spend(len(text) // 8)
    try:
        value = json.loads(text, parse_float=parse, parse_int=parse, parse_constant=_no_constant)
    except json.JSONDecodeError:
        raise NotJson("invalid JSON") from None
    except (ValueError, RecursionError):
        raise BuiltinError("JSON not available here: a number out of range, or nested too deeply") from None
    _bounded(value, DATA_DEPTH)
    return value


def _bounded(value: Value, depth: int) -> None:
    if depth <= 0:
        raise BuiltinError("JSON nested too deeply")
    if type(value) is dict or type(value) is list:
        for item in value.values() if type(value) is dict else value:
            _bounded(item, depth - 1)


def _no_constant(name: str) -> Any:
    raise json.JSONDecodeError("not JSON", name, 0)


class NotJson(BuiltinError):
    """What Go's reader would not take either."""


def json_is_valid(run: Run, a: Value) -> Value:
    try:
        return type(a) is str and _loaded(run, a) is not UNDEFINED
    except NotJson:
        return False


def octets(value: Value, position: int = 1) -> bytes:
    try:
        return string(value, position).encode("utf-8")
    except UnicodeEncodeError:
        raise BuiltinError("operand is not valid Unicode") from None


def text_of_bytes(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BuiltinError("decoded bytes are not UTF-8") from None


_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_BASE64_URL: Final = re.compile(r"[A-Za-z0-9_-]*={0,2}", re.ASCII)


def from_base64(text: str) -> bytes:
    """RFC 4648 section 4; line breaks are skipped, as Go does."""
    packed = text.replace("\r", "").replace("\n", "")
    if not _BASE64.fullmatch(packed) or len(packed) % 4:
        raise BuiltinError("illegal base64 data")
    try:
        return base64.b64decode(packed, validate=True)
    except binascii.Error:
        raise BuiltinError("illegal base64 data") from None


def from_base64_url(text: str) -> bytes:
    """RFC 4648 section 5, padding restored where it was left out (RFC 7515 appendix C)."""
    padded = text if text.endswith("=") else text + "=" * (-len(text) % 4)
    if not _BASE64_URL.fullmatch(padded) or len(text.rstrip("=")) % 4 == 1:
        raise BuiltinError("illegal base64url data")
    return from_base64(padded.replace("-", "+").replace("_", "/"))


def base64_is_valid(run: Run, a: Value) -> Value:
    try:
        from_base64(string(a, 1))
    except BuiltinError:
        return False
    return True


def hex_decode(run: Run, a: Value) -> Value:
    text = string(a, 1)
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", text):
        raise BuiltinError("illegal hex data")
    return text_of_bytes(bytes.fromhex(text))


def _digest(name: str) -> Builtin:
    return lambda run, a: hashlib.new(name, octets(a), usedforsecurity=False).hexdigest()


def _hmac(name: str) -> Builtin:
    return lambda run, a, key: hmac.new(octets(key, 2), octets(a), name).hexdigest()


def hmac_equal(run: Run, a: Value, b: Value) -> Value:
    return hmac.compare_digest(octets(a), octets(b, 2))


# --- URLs -------------------------------------------------------------------------------------------


def query_escape(text: str) -> str:
    return quote_plus(text, safe="~")


def query_unescape(text: str) -> str:
    if re.search(r"%(?![0-9a-fA-F]{2})", text):
        raise BuiltinError("invalid URL escape")
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        raise BuiltinError("decoded bytes are not UTF-8") from None


def url_encode_object(run: Run, a: Value) -> Value:
    pairs = []
    for key, item in sorted(obj(a, 1).items()):
        values = item if type(item) is list else ordered(item) if type(item) is RegoSet else [item]
        if any(type(value) is not str for value in values):
            raise BuiltinError("operand 1 values must be string, array[string], or set[string]")
        pairs += [f"{query_escape(key)}={query_escape(value)}" for value in values]
    return "&".join(pairs)


def url_decode_object(run: Run, a: Value) -> Value:
    result: dict[Any, list[Value]] = {}
    for pair in string(a, 1).split("&"):
        if ";" in pair:
            raise BuiltinError("invalid semicolon separator in query")
        if pair:
            key, _, value = pair.partition("=")
            result.setdefault(query_unescape(key), []).append(query_unescape(value))
    return result


# --- tokens -----------------------------------------------------------------------------------------


def jwt_decode(run: Run, token: Value) -> Value:
    """[header, payload, signature] of a JWS, unverified: verifying is the proxy's work."""
    parts = string(token, 1).split(".")
    if len(parts) != 3:
        raise BuiltinError("encoded JWT must have 3 sections")
    header = _json_object(run, parts[0])
    if "enc" in header:
        raise BuiltinError("JWT is a JWE object, which is not supported")
    body = text_of_bytes(from_base64_url(parts[1]))
    if "cty" in header:
        if type(header["cty"]) is not str:
            raise BuiltinError("bad JWT header")
        if header["cty"] == "JWT":
            run.spend(1)
            return jwt_decode(run, body.strip("\"'"))
    payload = json_unmarshal(run, body)
    return [header, obj(payload, 1), from_base64_url(parts[2]).hex()]


def _json_object(run: Run, part: str) -> dict[Any, Value]:
    header = json_unmarshal(run, text_of_bytes(from_base64_url(part)))
    if type(header) is not dict:
        raise wrong_type(1, header, "object")
    return header


TABLE: dict[str, Builtin] = {
    "base64.decode": lambda run, a: text_of_bytes(from_base64(string(a, 1))),
    "base64.encode": lambda run, a: base64.b64encode(octets(a)).decode(),
    "base64.is_valid": base64_is_valid,
    "base64url.decode": lambda run, a: text_of_bytes(from_base64_url(string(a, 1))),
    "base64url.encode": lambda run, a: base64.urlsafe_b64encode(octets(a)).decode(),
    "base64url.encode_no_pad": lambda run, a: base64.urlsafe_b64encode(octets(a)).decode().rstrip("="),
    "crypto.hmac.equal": hmac_equal,
    "crypto.hmac.md5": _hmac("md5"),
    "crypto.hmac.sha1": _hmac("sha1"),
    "crypto.hmac.sha256": _hmac("sha256"),
    "crypto.hmac.sha512": _hmac("sha512"),
    "crypto.md5": _digest("md5"),
    "crypto.sha1": _digest("sha1"),
    "crypto.sha256": _digest("sha256"),
    "hex.decode": hex_decode,
    "hex.encode": lambda run, a: octets(a).hex(),
    "io.jwt.decode": jwt_decode,
    "json.is_valid": json_is_valid,
    "json.marshal": json_marshal,
    "json.marshal_with_options": json_marshal_with_options,
    "json.unmarshal": json_unmarshal,
    "urlquery.decode": lambda run, a: query_unescape(string(a, 1)),
    "urlquery.decode_object": url_decode_object,
    "urlquery.encode": lambda run, a: query_escape(string(a, 1)),
    "urlquery.encode_object": url_encode_object,
}
