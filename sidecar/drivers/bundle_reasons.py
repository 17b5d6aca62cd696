"""Reads the reason codes of a bundle out of the METADATA comments of its Rego.

A deny rule carries, in OPA's own annotation format (docs: policy-language/metadata), `title`, `description` and under
`custom` its `code`, `severity`, `control`, `advice` and optionally `status` and `retry`. The description is the text
that the caller sees; its `{name}` fields are filled from the deny's params.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

import yaml

from sidecar.drivers.bundle_refusal import BundleRefused
from sidecar.policy import Reason

SEVERITIES = ("low", "medium", "high", "critical")


def reasons_of(sources: Mapping[str, str]) -> dict[str, Reason]:
    """Code -> reason, of all annotations that name a code. Raises BundleRefused where one cannot be read."""
    found = [_reason(name, block) for name in sorted(sources) for block in blocks_of(name, sources[name])]
    return {reason.code: reason for reason in found if reason}


def blocks_of(name: str, source: str) -> Iterator[dict[str, Any]]:
    """The METADATA blocks of one file: comment lines, without their `#`, are YAML."""
    lines = [line.strip() for line in source.splitlines()]
    for row, line in enumerate(lines):
        if line == "# METADATA":
            block = takewhile(lambda item: item.startswith("#"), lines[row + 1 :])
            yield _yaml("\n".join(item[2:] for item in block), f"{name}:{row + 1}")


def _yaml(text: str, where: str) -> dict[str, Any]:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise BundleRefused(f"The METADATA at {where} is not YAML.", "Run `opa check`.") from fault
    return value if isinstance(value, dict) else {}


def _reason(name: str, block: Mapping[str, Any]) -> Reason | None:
    custom = block.get("custom")
    if not isinstance(custom, dict) or "code" not in custom:
        return None
    status, severity = custom.get("status", 403), custom.get("severity", "medium")
    if not isinstance(status, int) or not 400 <= status <= 599 or severity not in SEVERITIES:
        raise BundleRefused(f"{name}: {custom['code']} has no status 400 to 599 or severity.", "See docs/policies.md.")
    return Reason(
        code=str(custom["code"]),
        text=str(block.get("description") or block.get("title") or "Refused by policy.").strip(),
        advice=str(custom.get("advice", "Ask who owns the policy.")),
        status=status,
        severity=severity,
        retry=custom.get("retry", False) is True,
        control=str(custom.get("control", "")),
    )
