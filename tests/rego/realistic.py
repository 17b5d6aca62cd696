"""A policy, data and input of realistic size: 5 packs, 20 rules, 50 tenants, 1.5 KB of input."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from sidecar.rego import load

FOLDER = Path(__file__).parent / "corpus" / "realistic"
ENTRYPOINT = "governor/decide/decision"


def modules() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.rego"))}


def data() -> dict[str, Any]:
    models = [f"model-{number}" for number in range(12)]
    return {
        "governor": {"packs": ["models", "pii", "budget", "tools", "risk"],
                     "routes": {"request": ["models", "pii", "budget", "tools", "risk"]}},
        "tenants": {f"tenant-{number}": tenant(number, models) for number in range(50)},
        "pii": {"forbidden": ["IBAN", "CREDIT_CARD", "SSN"], "harmless": ["DATE", "NRP"], "max_total": 40,
                "languages": ["en", "de", "fr"]},
        "tools": {"dangerous": ["shell", "fs_write"], "max": 16, "roles": {"deploy": "operator"}},
    }  # fmt: skip


def tenant(number: int, models: list[str]) -> dict[str, Any]:
    return {
        "models": models[: 4 + number % 8], "regions": ["eu-west", "eu-central"], "max_tier": 2,
        "budget": {"tokens": 1_000_000, "cost": 25.5, "reply": 2048, "rpm": 60 + number},
    }  # fmt: skip


def document(entities: int = 6) -> dict[str, Any]:
    return {
        "contract": "1", "phase": "request",
        "time": {"ns": 1_760_000_000_000_000_000, "weekday": "Tuesday", "hour_utc": 14},
        "request_id": "01J9Z3", "session_id": None,
        "principal": {"tenant": "tenant-7", "subject": "s-1", "roles": ["analyst", "reader"], "auth": "oidc",
                      "claims": {"department": "claims", "country": "DE"}},
        "use_case": {"id": "uc-17", "risk": "high", "user_facing": True, "owner": "claims-team"},
        "model": {"requested": "model-3", "resolved": "model-3", "provider": "vllm", "region": "eu-west",
                  "digest": None, "tier": 2},
        "usage": {"tokens_today": 120_000, "cost_today": 3.25, "rpm": 12},
        "route": "/v1/chat/completions", "env": "prod",
        "request": {"endpoint": "chat", "stream": True, "max_tokens": 4096, "prompt_tokens": 812, "temperature": 0.2,
                    "messages": [{"role": "system", "chars": 312}, {"role": "user", "chars": 1210}],
                    "tools_offered": [{"name": "search"}, {"name": "shell_exec"}, {"name": "calendar"}],
                    "attachments": [], "params_unknown": []},
        "content": {"language": "en", "chars": 1522, "truncated": False,
                    "entities": [{"type": kind(number), "score": 0.85, "count": 1 + number % 3, "role": "user"}
                                 for number in range(entities)],
                    "detectors": [{"name": "prompt-guard", "version": "2", "score": 0.03, "label": "injection"}]},
    }  # fmt: skip


def kind(number: int) -> str:
    kinds = ["PERSON", "EMAIL", "PHONE", "DATE", "LOCATION", "ORG"]
    return kinds[number] if number < len(kinds) else f"CUSTOM_{number}"


def plan() -> bytes:
    return (FOLDER / "plan.json").read_bytes()


def percentiles(work: Any, times: int) -> tuple[float, float]:
    """p50 and p99 of `work()` in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    taken.sort()
    return taken[len(taken) // 2] * 1000, taken[len(taken) * 99 // 100] * 1000


def main() -> None:
    """`python tests/rego/realistic.py`: decisions of this policy, by mode and size of input."""
    start = time.perf_counter()
    engine = load(plan(), data())
    print(f"load {1000 * (time.perf_counter() - start):.1f} ms; input {len(json.dumps(document()))} bytes")
    for entities in (6, 200):
        given = document(entities)
        for name, optimise in (("optimised", True), ("unoptimised", False)):
            engine = load(plan(), data(), optimise=optimise)
            engine.evaluate(ENTRYPOINT, given)
            p50, p99 = percentiles(lambda: engine.evaluate(ENTRYPOINT, given), 3000 if entities < 100 else 200)  # noqa: B023
            print(f"{entities:>4} entities  {name:<12} p50 {p50:.4f} ms  p99 {p99:.4f} ms")


if __name__ == "__main__":
    main()
