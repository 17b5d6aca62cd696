"""The operator's own lists reach the policy input of a running sidecar: what they name can be asked for."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from tests.e2e import processes

LISTED = "anthropic/claude-3"


async def test_a_listed_model_may_be_written_about(tmp_path: Path) -> None:
    """What a names model takes for a person, here by the customer's own word."""
    config = {
        "detection": {"names": False, "deny": {"PERSON": ["anthropic", "kowalski"]}},
        "policy": {"data": {"models": {"allow": {"*": [LISTED, "acme/*"]}}}},
    }
    with (
        processes.stub(tmp_path / "stub") as stub,
        processes.sidecar(tmp_path / "run", stub.url, config=config) as sidecar,
    ):

        async def status(model: str) -> int:
            words = "write a letter to anthropic and kowalski please"
            body = {"model": model, "messages": [{"role": "user", "content": words}]}
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{sidecar.base}/chat/completions", json=body) as r,
            ):
                return r.status

        assert await status("acme/kowalski") == 403
        assert await status("acme/stub") != 403
        assert await status(LISTED) != 403
