"""Facts of made-up exchanges, small stores, and in-memory ports, for the ledger's and the console's tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sidecar.drivers.clock import SystemClock, SystemEntropy
from sidecar.drivers.store import Ledger
from sidecar.ledger.facts import Intent, Outcome, State
from sidecar.ledger.merkle import TILE_WIDTH, Nodes, fold
from sidecar.model import (
    Asserted,
    Caller,
    Decision,
    Deny,
    Detector,
    Obligation,
    PolicyVersion,
    ReplyFacts,
    Uninspectable,
    Usage,
    Verdict,
)

BUNDLE = b"a policy bundle"
DIGEST = hashlib.sha256(BUNDLE).hexdigest()
POLICY = PolicyVersion(engine="embedded", engine_version="1.9.0", bundle_sha256=DIGEST, revision="2026-11-01")
START = 1_790_000_000_000_000

ALLOW = Decision(
    verdict=Verdict.ALLOW,
    obligations=(Obligation(type="redact", id="pii.all", params={"entities": ["*"], "mode": "surrogate"}),),
    policy=POLICY,
    eval_us=71,
    document=b'{"contract":"1","phase":"request","findings":{"EMAIL_ADDRESS":{"count":1}},"model":{"id":"gpt-4o"}}',
)
DENY = replace(ALLOW, verdict=Verdict.DENY, denies=(Deny("MODEL_NOT_ALLOWED", {"model": "gpt-9"}),), obligations=())


def exchange_id(number: int) -> str:
    return f"0199{number:028x}"


def make_intent(number: int = 0, **facts: Any) -> Intent:
    digest = hashlib.sha256(str(number).encode()).digest()
    default: dict[str, Any] = {
        "id": exchange_id(number),
        "at": START + number * 1000,
        "side": "egress",
        "mode": "enforce",
        "operation": "chat",
        "route": "/v1/chat/completions",
        "provider": "openai",
        "recipient": "api.openai.com",
        "streaming": False,
        "model_requested": "gpt-4o-2024-08-06",
        "caller": Caller(tenant="acme", app="claims-desk", user="u-4711", roles=("agent",), auth="api_key"),
        "asserted": Asserted(use_case="claims", subject="subject-17", conversation="conv-3"),
        "prompt_name": "claims-triage",
        "prompt_version": "3.2.0",
        "prompt_source": "header",
        "params": {"temperature": 0.7, "max_tokens": 512, "stream": False},
        "uninspectable": (Uninspectable("messages[1].content[0].image_url", "image"),),
        "findings": {"EMAIL_ADDRESS": 1, "PERSON": 2},
        "findings_by_role": {"user": {"EMAIL_ADDRESS": 1, "PERSON": 2}},
        "detector_scores": {"patterns": {"EMAIL_ADDRESS": (1, 1_000_000)}, "ner": {"PERSON": (2, 870_000)}},
        "redactions": {"EMAIL_ADDRESS": 1, "PERSON": 2},
        "detectors": (Detector("patterns", "2.2.366"), Detector("ner", "1")),
        "not_looked_for": ("DATE_TIME",),
        "decision": ALLOW,
        "request_bytes": 1400,
        "request_sha256": digest,
        "outbound_bytes": 1390,
        "outbound_sha256": hashlib.sha256(digest).digest(),
        "prompt_sha256": hashlib.sha256(b"prompt").digest(),
        "timings_us": {"parse": 40, "inspect": 310, "decide": 75},
    }
    return Intent(**{**default, **facts})


def make_outcome(number: int = 0, **facts: Any) -> Outcome:
    digest = hashlib.sha256(b"reply" + str(number).encode()).digest()
    default: dict[str, Any] = {
        "id": exchange_id(number),
        "at": START + number * 1000 + 500,
        "state": State.ANSWERED,
        "status": 200,
        "reply": ReplyFacts(
            model_served="gpt-4o-2024-08-06",
            response_id=f"chatcmpl-{number}",
            fingerprint="fp_44709d6fcb",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=310, output_tokens=85),
            confidence_ppm=912_000,
            confidence_source="logprobs-mean-v1",
            complete=True,
        ),
        "released": "whole",
        "restored": {"PERSON": 2},
        "withheld": {"EMAIL_ADDRESS": 1},
        "surrogates_ambiguous": 3,
        "rationale": "The claim mentions <PERSON_1>, so the desk is asked.",
        "reply_bytes": 900,
        "reply_sha256": digest,
        "answer_bytes": 910,
        "answer_sha256": hashlib.sha256(digest).digest(),
        "timings_us": {"first_byte": 220_000, "total": 1_400_000},
    }
    return Outcome(**{**default, **facts})


async def start(folder: Path, **options: Any) -> Ledger:
    """A log and, as wiring would do, the bundle of POLICY beside it."""
    options = {"clock": SystemClock(), "entropy": SystemEntropy(), "domain": "ledger.example", **options}
    ledger = await Ledger.start(folder, **options)
    (folder / "bundles").mkdir(exist_ok=True)
    (folder / "bundles" / f"{DIGEST}.tar.gz").write_bytes(BUNDLE)
    return ledger


async def fill(folder: Path, exchanges: int, *, start_at: int = 0) -> None:
    """A store with this many whole exchanges, written and closed; its last third is refused."""
    async with await start(folder) as ledger:
        await ledger.policy_loaded(POLICY, "start")
        for number in range(start_at, start_at + exchanges):
            refused = number % 3 == 2
            await ledger.open(make_intent(number, decision=DENY if refused else ALLOW))
            facts: dict[str, Any] = {"state": State.REFUSED, "status": 403, "reply": ReplyFacts()} if refused else {}
            await ledger.close(make_outcome(number, **facts))


def nodes_of(leaves: Sequence[bytes]) -> Nodes:
    """A node source over leaf hashes held in memory."""
    levels: list[list[bytes]] = [list(leaves)]
    while len(levels[-1]) >= TILE_WIDTH:
        below = levels[-1]
        full = len(below) // TILE_WIDTH
        levels.append([fold(below[n * TILE_WIDTH : (n + 1) * TILE_WIDTH]) for n in range(full)])
    return lambda level, start, end: levels[level][start:end] if level < len(levels) else []
