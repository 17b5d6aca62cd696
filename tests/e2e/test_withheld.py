"""A reply that policy withholds, whole and midway: what an officer and an operator find of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from tests.e2e import processes
from tests.e2e.processes import Stub

CONFIG = {"side": "inbound", "policy": {"data": {"pii": {"reply": {"forbidden": ["US_SSN"]}}}}}
WORDS = "plain words without any data in them " * 60


def asking(text: str, *, stream: bool) -> dict[str, Any]:
    return {"model": "stub-echo", "messages": [{"role": "user", "content": text}], "stream": stream}


@pytest.mark.parametrize(
    ("text", "stream", "released"), [("ssn 536-90-4399", False, "none"), (WORDS + "ssn 536-90-4399", True, "part")]
)
async def test_a_withheld_reply_is_found_explained_and_counted(
    stub: Stub, tmp_path: Path, text: str, stream: bool, released: str
) -> None:
    with processes.sidecar(tmp_path, stub.url, config=CONFIG) as process:
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{process.base}/chat/completions", json=asking(text, stream=stream)) as reply:
                answer = await reply.text()
            async with session.get(f"{process.admin}/metrics") as reply:
                page = await reply.text()
        assert "PII_IN_REPLY" in answer and "536-90" not in answer
        assert 'sidecar_refusals_total{code="PII_IN_REPLY"} 1.0' in page
        (line,) = process.audit("query", "--verdict", "deny", "--json").stdout.splitlines()
        row = orjson.loads(line)
        record = orjson.loads(process.audit("show", row["id"], "--json").stdout)
    told = record["reply_policy"]
    assert (told["result"], told["codes"], record["outcome"]["released"]) == ("deny", ["PII_IN_REPLY"], released)
    assert any("fired" in rule and "pii_egress.deny" in rule for rule in told["rules_fired"])
    assert (record["rationale"]["codes"], record["rationale"]["source"]) == (["PII_IN_REPLY"], "policy")
