"""Names that a caller chose freely are no place where a person stands in clear for ever (guarantee 4)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from sidecar.config import DetectionSettings
from sidecar.drivers.clock import SystemClock, SystemEntropy
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_verify import verify_path
from sidecar.ledger.fields import is_identifier
from sidecar.testing import ScriptedReply
from sidecar.wiring.detection import inspector_of
from tests.exchange.kit import HOUSE, Stage, completion
from tests.ledger.factory import start

NINO, BSN, ADDRESS = "AB123456C", "123456782", "192.168.4.77"
SAYS = f"his national insurance number {NINO}"


def reply(model: str) -> bytes:
    return completion("ok").replace(b'"m-1"', orjson.dumps(model))


async def record(folder: Path, body: dict[str, Any], echo: str = "m-1", **house: Any) -> dict[str, Any]:
    """One call with the real detectors and a real ledger: the view of its record, as an officer sees it."""
    stage = Stage(reply=lambda _: ScriptedReply(chunks=[reply(echo)]))
    inspector = inspector_of(DetectionSettings(names=False), SystemClock(), SystemEntropy())
    async with await start(folder) as ledger:
        stage.ports = replace(stage.ports, inspect=inspector, record=ledger)
        exchange = await stage.run(orjson.dumps(body), replace(HOUSE, **house))
        found = set(folder.glob("ledger.sqlite*"))
        assert exchange.intent is not None and found
        stored = b"".join(path.read_bytes() for path in found)
    await inspector.close()
    with Reader.open(folder) as reader:
        seen = reader.record(exchange.intent.id)
    assert not verify_path(folder).failures
    return {"stored": stored, "intent": seen.intent, "outcome": seen.outcome, **seen.disclosed, **seen.reply_disclosed}


def question(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        (question("hello", metadata={"prompt_name": f"bsn-{BSN}"}), "prompt_name", BSN),
        (question("hello", metadata={"prompt_name": f"host/{ADDRESS}"}), "prompt_name", ADDRESS),
        (question(SAYS, metadata={"prompt_version": NINO}), "prompt_version", NINO),
        (question(SAYS, model=f"ft:acme:{NINO}"), "model_requested", NINO),
    ],
)
async def test_what_was_found_is_in_no_leaf_as_a_name(
    tmp_path: Path, body: dict[str, Any], field: str, value: str
) -> None:
    seen = await record(tmp_path, body, echo=body["model"])
    assert value.encode() not in seen["stored"]
    assert seen["intent"][field] is None and field in seen["intent"]["withheld"]
    assert value in seen[field]  # disclosed beside the leaf, where it can be erased


async def test_a_personal_model_that_the_server_says_again_is_in_no_leaf_either(tmp_path: Path) -> None:
    model = f"ft:acme:{NINO}"
    seen = await record(tmp_path, question(SAYS, model=model), echo=model)
    assert seen["outcome"]["model_served"] is None and seen["model_served"] == model


async def test_other_names_stand_in_their_columns_whatever_was_found(tmp_path: Path) -> None:
    body = question(SAYS, metadata={"prompt_name": "team/claims/triage", "prompt_version": "3.2.0"})
    seen = await record(tmp_path, body, echo="gpt-4o-2024-08-06")
    assert "withheld" not in seen["intent"] and "withheld" not in seen["outcome"]
    assert seen["intent"]["prompt_name"] == "team/claims/triage"


async def test_words_of_the_operators_own_lists_are_no_secret(tmp_path: Path) -> None:
    model = f"ft:acme:{NINO}"
    seen = await record(tmp_path, question(SAYS, model=model), echo=model, listed=frozenset({model}))
    assert seen["intent"]["model_requested"] == model


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("gpt-4o-2024-08-06", True),
        ("claude-opus-4-1-20250805", True),
        ("gpt-4.1-2025-04-14", True),
        ("letter-0612345678", False),
        ("0612345678", False),
        ("DE89-3704-0044-0532", False),
    ],
)
def test_nine_digits_in_a_row_are_no_version(name: str, plain: bool) -> None:
    assert is_identifier(name) is plain
