"""The tables that are shipped beside this file, derived from the packages they are named by (docs/decisions/0010)."""

from __future__ import annotations

import json
import pkgutil
from functools import cache
from typing import Any

FILES = {"presidio": "presidio_patterns.json", "phonenumbers": "phone_plans.json", "gitleaks": "secrets_rules.json"}


@cache
def shipped(name: str) -> dict[str, Any]:
    """The table derived from one of these packages, and the `version` of that. Read once: nobody may change it."""
    data = pkgutil.get_data(__package__, FILES[name])
    assert data is not None
    table: dict[str, Any] = json.loads(data)
    return table
