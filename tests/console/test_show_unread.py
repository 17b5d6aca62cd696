"""What `audit show` says of a call that nobody looked at: that, and not that nothing was found (guarantee 9)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sidecar import policy
from sidecar.console.show import show_text
from sidecar.drivers.store_reader import Reader
from sidecar.ledger.facts import State
from sidecar.ledger.fields import MAX_PLACES
from sidecar.model import Decision, Deny, ReplyFacts, Uninspectable, Verdict
from tests.ledger.factory import ALLOW, exchange_id, make_intent, make_outcome, start

UNREAD: dict[str, Any] = {
    "model_requested": None,
    "uninspectable": (),
    "findings": {},
    "findings_by_role": {},
    "detector_scores": {},
    "redactions": {},
    "detectors": (),
    "not_looked_for": (),
    "outbound_bytes": 0,
    "outbound_sha256": None,
}
NO_REPLY: dict[str, Any] = {
    "reply": ReplyFacts(),
    "released": "none",
    "restored": {},
    "withheld": {},
    "rationale": None,
    "reply_bytes": 0,
    "reply_sha256": None,
}


async def shown(folder: Path, intent: dict[str, Any], outcome: dict[str, Any]) -> str:
    async with await start(folder) as ledger:
        await ledger.open(make_intent(**intent))
        await ledger.close(make_outcome(**outcome))
    with Reader.open(folder) as reader:
        return re.sub(" +", " ", show_text(reader, exchange_id(0)))


@pytest.mark.parametrize("code", ["ROUTE_UNKNOWN", "BODY_UNPARSABLE", "CALLER_UNKNOWN", "BODY_TOO_LARGE"])
async def test_a_call_refused_before_it_was_read(tmp_path: Path, code: str) -> None:
    text = await shown(
        tmp_path / "state",
        {**UNREAD, "decision": policy.fault(code)},
        {**NO_REPLY, "state": State.REFUSED, "status": 400, "error": code},
    )
    assert " in the request not inspected\n" in text
    assert " places everything: no detector ran\n types not looked for all\n" in text
    assert " in the reply -\n" in text
    assert " rules that fired none: policy was not asked\n" in text
    assert " signed, degraded -\n" in text


@pytest.mark.parametrize("code", ["PDP_ERROR", "PDP_TIMEOUT", "INPUT_INVALID"])
async def test_policy_that_failed_was_asked(tmp_path: Path, code: str) -> None:
    failed = {"state": State.REFUSED, "status": 503, "error": code}
    text = await shown(tmp_path / "state", {"decision": policy.fault(code)}, {**NO_REPLY, **failed})
    assert "policy was not asked" not in text
    assert " rules that fired (unavailable)\n" in text


async def test_a_reply_that_nobody_looked_at(tmp_path: Path) -> None:
    text = await shown(tmp_path / "state", {}, {"decision": None, "reply_findings": {}})
    assert " in the reply not inspected\n" in text


async def test_nothing_is_said_of_what_was_looked_at(tmp_path: Path) -> None:
    nothing = {"findings": {}, "findings_by_role": {}, "detector_scores": {}, "redactions": {}, "uninspectable": ()}
    judged = Decision(verdict=Verdict.ALLOW, policy=ALLOW.policy, enforced=False)
    text = await shown(tmp_path / "state", nothing, {"decision": judged, "reply_findings": {}})
    assert " in the request nothing\n" in text and " replaced nothing\n" in text
    assert " in the reply nothing\n" in text
    assert " places none\n types not looked for DATE_TIME\n" in text


async def test_more_places_than_an_entry_holds_are_counted(tmp_path: Path) -> None:
    places = [Uninspectable(f"messages[{number}]", "image") for number in range(MAX_PLACES + 2)]
    text = await shown(tmp_path / "state", {"uninspectable": (*places, Uninspectable("messages[0]", "audio"))}, {})
    assert f' and 3 more: {{"audio":1,"image":{MAX_PLACES + 2}}}\n' in text


async def test_how_sure_the_detectors_were(tmp_path: Path) -> None:
    text = await shown(tmp_path / "state", {}, {})
    assert " by detector ner: PERSON 2, lowest score 0.87\n patterns: EMAIL_ADDRESS 1, lowest score 1.00\n" in text


async def test_a_denied_call_still_shows_its_reasons(tmp_path: Path) -> None:
    denied = Decision(verdict=Verdict.DENY, denies=(Deny("MODEL_NOT_ALLOWED", {"model": "o9"}),), policy=ALLOW.policy)
    text = await shown(tmp_path / "state", {"decision": denied}, {**NO_REPLY, "state": State.REFUSED, "status": 403})
    assert 'reasons MODEL_NOT_ALLOWED {"model":"o9"}\n' in text
    assert " rules that fired (unavailable)\n" in text
