"""Key files: made once, private, refused when they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.drivers.clock import SystemEntropy
from sidecar.drivers.keys import create_keys, load_keyring, load_signer, load_vkey
from sidecar.errors import OwnError

ORIGIN = "log.example/audit/0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_keys(tmp_path, ORIGIN, SystemEntropy())
    return tmp_path


def test_keys_are_private_and_made_once(folder: Path) -> None:
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {
        "signing.key": "0o600",
        "data.key": "0o600",
        "log.vkey": "0o644",
    }
    before = {path: path.read_bytes() for path in folder.iterdir()}
    create_keys(folder, ORIGIN, SystemEntropy())
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert load_signer(folder, ORIGIN).verifier == load_vkey(folder / "log.vkey")


@pytest.mark.parametrize("name", ["signing.key", "data.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_keys_that_others_may_read_are_refused(folder: Path, name: str, mode: int) -> None:
    (folder / name).chmod(mode)
    load = load_signer if name == "signing.key" else load_keyring
    with pytest.raises(OwnError, match="LEDGER_KEY") as fault:
        load(folder, ORIGIN)
    assert "chmod 600" in fault.value.advice


@pytest.mark.parametrize(
    "content", [b"", b"\x00qqqq", b"zz" * 32, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_keys_that_are_none(folder: Path, content: bytes) -> None:
    for name, load in (("signing.key", load_signer), ("data.key", load_keyring)):
        (folder / name).write_bytes(content)
        with pytest.raises(OwnError, match="LEDGER_KEY") as fault:
            load(folder, ORIGIN)
        assert content[:10].decode() not in fault.value.advice or not content
    (folder / "log.vkey").write_bytes(content)
    with pytest.raises(OwnError, match="LEDGER_KEY"):
        load_vkey(folder / "log.vkey")


def test_a_keyring_shows_no_key(folder: Path) -> None:
    secret = (folder / "data.key").read_text().strip()
    ring = load_keyring(folder, ORIGIN)
    assert secret not in repr(ring) and ring.id != load_keyring(folder, "other/audit/0").id
    assert ring.ref("user", "u") != ring.ref("subject", "u")
