"""The tables that the inspection room ships, derived from Presidio and libphonenumber.

Importing presidio_analyzer loads spaCy: 70 MB and over a second, for patterns that are 60 KB of text (docs/decisions/
0010). So they are written out once, here, and `tests/inspection/test_tables.py` derives them again from the installed
packages and compares: a new Presidio cannot change what is detected without a diff in this repository.

    python tests/training/presidio_tables.py sidecar/inspection
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import orjson

NOT_DERIVED = frozenset({"UrlRecognizer"})
"""25 KB of top-level domains that mark `self.x.is` in code as a URL; sidecar/inspection/urls.py is used instead."""

PHONE_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)


def derive_presidio() -> dict[str, Any]:
    """Every pattern recogniser that Presidio ships: entity, language, patterns, context words."""
    from presidio_analyzer import PatternRecognizer, predefined_recognizers

    found = {}
    for name in sorted(set(dir(predefined_recognizers)) - NOT_DERIVED):
        kind: Any = getattr(predefined_recognizers, name)
        if isinstance(kind, type) and issubclass(kind, PatternRecognizer) and kind is not PatternRecognizer:
            found[name] = _recogniser(cast(Callable[[], Any], kind)())
    return {"source": "presidio-analyzer", "version": version("presidio-analyzer"), "recognisers": found}


def _recogniser(recogniser: Any) -> dict[str, Any]:
    return {
        "entity": recogniser.supported_entities[0],
        "language": recogniser.supported_language,
        "patterns": [[pattern.name, pattern.score, pattern.regex] for pattern in recogniser.patterns],
        "context": list(recogniser.context or ()),
    }


def derive_phones() -> dict[str, Any]:
    """libphonenumber's numbering plans: per region the calling code, the trunk prefix, and what a number looks like."""
    import phonenumbers

    regions = {}
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        plan = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
        if plan is not None:
            regions[region] = _region(plan)
    return {"source": "phonenumbers", "version": version("phonenumbers"), "regions": regions}


def _region(plan: Any) -> list[Any]:
    kinds = [getattr(plan, kind) for kind in PHONE_KINDS]
    numbers = sorted({kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern})
    return [
        plan.country_code,
        plan.national_prefix_for_parsing or plan.national_prefix or "",
        plan.national_prefix_transform_rule or "",
        plan.leading_digits or "",
        plan.general_desc.national_number_pattern,
        numbers,
    ]


def main(folder: str) -> None:
    for name, table in (("presidio_patterns.json", derive_presidio()), ("phone_plans.json", derive_phones())):
        Path(folder, name).write_bytes(orjson.dumps(table, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
