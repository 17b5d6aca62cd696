"""The auditor: a second engine decides a sample of live decisions again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from policies.build import cases
from sidecar.drivers.opa_server import OpaServer
from sidecar.drivers.policy_auditor import Auditor, Difference
from sidecar.drivers.rego_engine import RegoEngine, default_bundle
from sidecar.errors import OwnError
from sidecar.ports import EngineAnswer
from tests.drivers.engines_kit import CLOCK, Scripted, Start, answer_of, replying

ALLOW = {"contract": "1", "allow": True, "denies": [], "obligations": []}
DENY = {**ALLOW, "allow": False, "denies": [{"code": "NO"}]}
REDACT = {**ALLOW, "obligations": [{"type": "redact", "params": {"entities": ["*"]}}]}


async def test_what_another_bundle_decided_is_skipped(scripted: Start) -> None:
    """The server that audits knows which bundle is expected, and says so itself."""
    body = b'{"result": {}, "provenance": {"bundles": {"b": {"revision": "newer"}}}}'
    async with OpaServer(await scripted(replying(body)), CLOCK, digests={"r": "0" * 64}, timeout=5) as judge:
        auditor = Auditor(engine=Scripted(answer_of(ALLOW)), judge=judge, report=pytest.fail, every=1)
        async with auditor:
            await auditor.decide({})
            await auditor.settled()
    assert (auditor.counts.skipped, auditor.counts.failed) == (1, 0)


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (ALLOW, DENY, "verdict"),
        (DENY, {**DENY, "denies": [{"code": "OTHER"}]}, "codes"),
        (ALLOW, REDACT, "obligations"),
        (DENY, {**DENY, "denies": [{"code": "NO", "params": {"n": 1}}]}, "result"),
        ({**ALLOW, "allow": 1}, ALLOW, "verdict"),
    ],
)
async def test_a_difference_is_reported(ours: Any, theirs: Any, kind: str) -> None:
    found: list[Difference] = []
    auditor = Auditor(engine=Scripted(answer_of(ours)), judge=Scripted(answer_of(theirs)), report=found.append, every=1)
    async with auditor:
        await auditor.decide({"request_id": "id-1"})
        await auditor.settled()
    assert [(item.kind, item.request_id) for item in found] == [(kind, "id-1")]
    assert auditor.counts.different == 1


async def test_a_sample_is_decided_again_and_the_rest_is_not() -> None:
    judge = Scripted(answer_of(ALLOW), OwnError("PDP_UNAVAILABLE", ""), answer_of(DENY, "other"))
    auditor = Auditor(engine=Scripted(answer_of(ALLOW)), judge=judge, report=pytest.fail, every=10)
    async with auditor:
        for number in range(35):
            await auditor.decide({"n": number})
        await auditor.settled()
    assert [document["n"] for document in judge.documents] == [9, 19, 29]
    counts = auditor.counts
    assert (counts.offered, counts.same, counts.failed, counts.skipped) == (3, 1, 1, 1)


async def test_the_auditor_outlives_whatever_fails() -> None:
    """An error that nobody foresaw would end its one task: from then on everything would be dropped, in silence."""

    def refuse(_: Difference) -> None:
        raise OSError

    judge = Scripted(ValueError("unforeseen"), answer_of(DENY), answer_of(ALLOW))
    auditor = Auditor(engine=Scripted(answer_of(ALLOW)), judge=judge, report=refuse, every=1)
    async with asyncio.timeout(5), auditor:
        for _ in range(3):
            await auditor.decide({})
        await auditor.settled()
    counts = auditor.counts
    assert (counts.offered, counts.dropped, counts.failed, counts.different, counts.same) == (3, 0, 2, 1, 1)


async def test_the_auditor_waits_for_nobody_and_ends_with_its_owner() -> None:
    class Never:
        async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
            await asyncio.sleep(3600)
            raise AssertionError(document)

    auditor = Auditor(engine=Scripted(answer_of(ALLOW)), judge=Never(), report=pytest.fail, every=1, waiting=3)
    async with asyncio.timeout(5):
        async with auditor:
            for _ in range(10):
                await auditor.decide({})
                await asyncio.sleep(0)
    assert auditor.counts.dropped == 6


async def test_a_live_audit(default_url: str) -> None:
    engine = RegoEngine(default_bundle(), CLOCK)
    async with (
        OpaServer(default_url, CLOCK, timeout=5.0) as server,
        Auditor(engine=engine, judge=server, report=pytest.fail, every=1) as auditor,
    ):
        for case in cases():
            await auditor.decide(case.input)
        await auditor.settled()
    assert auditor.counts.same == len(list(cases()))
