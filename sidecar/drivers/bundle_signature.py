"""Verifies a bundle's `.signatures.json` as OPA does (v1/bundle/verify.go and hash.go of OPA 1.19).

The file holds one JWT whose payload lists every file of the bundle with its hash. The algorithm is the operator's,
never the token's word for it; every file must be listed and every listed file must be there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from sidecar.drivers.bundle_refusal import BundleRefused

SIGNATURES = ".signatures.json"
STRUCTURED = {"data.json", ".manifest"}
"""Files whose hash is of their parsed content, so that it does not depend on white space (IsStructuredDoc)."""

HASHES: Mapping[str, Callable[[bytes], Any]] = {
    "SHA-256": hashlib.sha256,
    "SHA-384": hashlib.sha384,
    "SHA-512": hashlib.sha512,
}


@dataclass(frozen=True, slots=True)
class Verifier:
    """Which key has to have signed: a public key in PEM, RSA for RS256, P-256 for ES256."""

    key: bytes

    def check(self, files: Mapping[str, bytes]) -> None:
        """Return if every file is signed for. Raises BundleRefused."""
        payload = self._token(files.get(SIGNATURES))
        if payload.get("scope") not in (None, ""):  # ours is none, and OPA takes no bundle of another
            _refuse("is signed for a scope: sign it without one")
        check_hashes({name: content for name, content in files.items() if name != SIGNATURES}, payload.get("files"))

    def _token(self, content: bytes | None) -> dict[str, Any]:
        if content is None:
            _refuse("is not signed")
        try:
            (token,) = json.loads(content)["signatures"]
            head, body, signature = token.split(".")
            payload = dict[str, Any](json.loads(_decode(body)))
            algorithm = json.loads(_decode(head)).get("alg")
            verify_token(public_key(self.key), algorithm, f"{head}.{body}".encode(), _decode(signature))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
            _refuse("has a signature that does not verify")
        return payload


def verify_token(key: Any, claimed: object, signed: bytes, signature: bytes) -> None:
    """Return if the key's own algorithm signed this. Raises InvalidSignature or BundleRefused."""
    algorithm = "RS256" if isinstance(key, rsa.RSAPublicKey) else "ES256"
    if claimed != algorithm:
        _refuse(f"is not signed with {algorithm}, which the configured key is for")
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1) and len(signature) == 64:
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    else:
        raise InvalidSignature


def public_key(pem: bytes) -> Any:
    """The key of a PEM. Raises BundleRefused, since a key that cannot be read verifies nothing."""
    try:
        return serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        _refuse("cannot be verified: the configured key is not a PEM public key")


def check_hashes(files: Mapping[str, bytes], listed: Any) -> None:
    """Return if `listed` (the token's `files`) names exactly these files with their hashes. Raises BundleRefused."""
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        _refuse("has a signature that lists no files")
    entries = {str(entry.get("name")).lstrip("/"): entry for entry in listed}
    if odd := sorted(set(entries) ^ set(files)):
        _refuse(f"and its signature differ in files: {', '.join(odd[:3])}")
    for name, content in files.items():
        hasher = HASHES.get(str(entries[name].get("algorithm")))
        if hasher is None or not hmac.compare_digest(_hash(hasher, name, content), str(entries[name].get("hash"))):
            _refuse(f"holds {name}, which is not what was signed")


def _hash(hasher: Callable[[bytes], Any], name: str, content: bytes) -> str:
    """Of what should be JSON and is not, "": no file is signed for by that."""
    try:
        hashed = canonical(content) if PurePosixPath(name).name in STRUCTURED else content
    except (ValueError, RecursionError):
        return ""
    digest: str = hasher(hashed).hexdigest()
    return digest


def canonical(content: bytes) -> bytes:
    """Go's spelling of a JSON document with sorted keys and numbers as they stood: what OPA hashes."""
    return _go(json.loads(content, parse_int=_Number, parse_float=_Number)).encode()


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def _go(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_go(key)}:{_go(value[key])}" for key in sorted(value, key=str.encode)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_go, value)) + "]"
    if isinstance(value, _Number):
        return str(value)
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as fault:
        raise ValueError from fault


def _refuse(why: str) -> NoReturn:
    raise BundleRefused(f"The policy bundle {why}.", "Sign it with `opa sign`, or check policy.key.") from None
