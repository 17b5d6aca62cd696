"""The policy bundles that entries name, against their digests: what explains a decision, besides its record.

A bundle lies beside the log. That it is gone, or is another, alters no entry and proves no tampering with them; but a
verification that said nothing of it would promise explanations that nobody can give.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from sidecar.ledger.report import BundleFault, Report

FOLDER = "bundles"

Fetch = Callable[[str], bytes | None]
"""The bundle kept under a digest (64 hex digits), None when there is none; may raise OSError."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def bundle_path(sha256: str) -> str:
    """Where a bundle lies in a state folder or an export."""
    return f"{FOLDER}/{sha256}.tar.gz"


def named_bundle(holder: Any) -> str | None:
    """The digest of the bundle in the `policy` of a policy.load or a decision, None where it names none."""
    policy = holder.get("policy") if isinstance(holder, dict) else None
    digest = policy.get("bundle_sha256") if isinstance(policy, dict) else None
    # Only a digest becomes part of a path. A policy server may run a revision whose bundle nobody here has: "".
    return digest if isinstance(digest, str) and _SHA256.fullmatch(digest) else None


def check_bundles(named: Mapping[str, int], fetch: Fetch, report: Report) -> None:
    """`named` maps digests to the first entry that names them."""
    for sha256, number in named.items():
        reason = _reason(sha256, fetch)
        if reason is not None:
            report.bundles.append(BundleFault(number, sha256, reason))


def _reason(sha256: str, fetch: Fetch) -> str | None:
    try:
        raw = fetch(sha256)
    except OSError:
        return "bundle-unreadable"
    if raw is None:
        return "bundle-missing"
    return None if hashlib.sha256(raw).hexdigest() == sha256 else "bundle-altered"
