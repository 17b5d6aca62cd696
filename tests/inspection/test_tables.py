"""The shipped tables are what the installed packages say: a new Presidio changes nothing without a diff here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sidecar.inspection
from sidecar.inspection.presidio_rules import STARTS, presidio_rules, table

ROOM = Path(sidecar.inspection.__file__).parent
DERIVE = """
import json, sys
from tests.training.presidio_tables import derive_phones, derive_presidio
json.dump({"presidio_patterns.json": derive_presidio(), "phone_plans.json": derive_phones()}, sys.stdout)
"""


@pytest.fixture(scope="module")
def derived() -> dict[str, object]:
    """In a process of its own: Presidio's packages warn at import, and load 70 MB."""
    command = [sys.executable, "-W", "ignore", "-c", DERIVE]
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, check=True, env=paths)
    tables: dict[str, object] = json.loads(done.stdout)
    return tables


@pytest.mark.parametrize("name", ["presidio_patterns.json", "phone_plans.json"])
def test_the_shipped_table_is_the_derived_one(name: str, derived: dict[str, object]) -> None:
    assert json.loads((ROOM / name).read_text("utf-8")) == derived[name]


def test_every_recogniser_used_exists_and_every_rule_compiles() -> None:
    assert set(STARTS) <= set(table()["recognisers"])
    countries = {start.country for starts in STARTS.values() for start in starts}
    assert all(rule.pattern and (rule.numeric or rule.mixed) for rule in presidio_rules(countries))


def test_the_secrets_table_keeps_its_notice_and_compiles() -> None:
    rules = json.loads((ROOM / "secrets_rules.json").read_text("utf-8"))
    assert "MIT License" in rules["notice"]
    for rule in rules["rules"]:
        re.compile(rule["regex"], re.ASCII)
        assert rule["keywords"] == [keyword.lower() for keyword in rule["keywords"]]
