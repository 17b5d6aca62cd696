"""`--key` that is neither a file nor a key: most often a path that was mistyped, and the message must not hide that."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar import cli
from tests.ledger.factory import fill


@pytest.mark.parametrize("key", ["nofile.vkey", "ledger.example/audit/1+00000000+AQ==", ""])
async def test_a_key_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str) -> None:
    await fill(tmp_path / "state", 1)
    assert cli.main(["audit", "verify", "--state", str(tmp_path / "state"), "--key", key]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("sidecar: --key: neither a file nor a verifier key such as log.vkey holds (")
