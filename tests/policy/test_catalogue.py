"""The reason codes: complete, of one shape, and safely rendered."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from policies import generate
from sidecar.drivers.rego_engine import default_bundle
from sidecar.errors import OwnError, Refusal, SidecarError
from sidecar.model import Decision, Deny, Verdict
from sidecar.plan import refusal_of
from sidecar.policy import FAULTS, Reason, find, render

PACKAGE = Path(generate.ROOT) / "sidecar"
RAISING = {"CallerError", "UpstreamError", "OwnError", "Refusal"}


def raised_codes() -> set[str]:
    """Every literal code given to an error of sidecar/errors.py anywhere in the package."""
    codes = set[str]()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISING
            if named and node.args and isinstance(node.args[0], ast.Constant):
                codes.add(str(node.args[0].value))
    return codes


def test_every_code_that_is_raised_is_listed() -> None:
    assert raised_codes() - set(FAULTS) == set()


@pytest.mark.parametrize("reason", [*FAULTS.values(), *default_bundle().reasons.values()], ids=lambda r: r.code)
def test_shape(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9_]+", reason.code)
    assert 400 <= reason.status <= 504
    assert reason.severity in ("low", "medium", "high", "critical")
    assert reason.text.endswith(".")
    assert reason.advice.endswith(".")
    assert not reason.retry or reason.status >= 502


def test_policy_codes_come_from_the_bundle() -> None:
    reason = find("UNINSPECTABLE_CONTENT", default_bundle().reasons)
    assert reason.status == 403
    assert render(reason, {"kind": "image", "label": "messages[0].content[1]"}) == (
        "The call holds image content at messages[0].content[1], which cannot be inspected."
    )


def test_a_code_that_nobody_described() -> None:
    assert find("SOMETHING_NEW").text == "Refused by policy."


def test_rendering_evaluates_nothing() -> None:
    reason = Reason("X", "{a} {a.__class__} {missing} {b}", "")
    assert render(reason, {"a": "{b}", "b": [1, "x"]}) == "{b} {a.__class__} {missing} 1, x"


@pytest.mark.parametrize(("status", "kind"), [(429, Refusal), (403, Refusal), (500, OwnError), (503, OwnError)])
def test_a_refusal_has_the_status_that_its_bundle_says(status: int, kind: type[SidecarError]) -> None:
    reasons = {"SLOW_DOWN": Reason("SLOW_DOWN", "Too many.", "Wait.", status)}
    error = refusal_of(Decision(verdict=Verdict.DENY, denies=(Deny("SLOW_DOWN"),)), reasons)
    assert (type(error), error.code, error.status, error.advice) == (kind, "SLOW_DOWN", status, "Too many. Wait.")
