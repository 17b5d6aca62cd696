"""Bundles at their edges: what cannot be read is refused with a reason, numbers of data stay as they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.drivers import bundle
from sidecar.drivers.bundle_refusal import BundleRefused
from sidecar.drivers.bundle_signature import check_hashes
from sidecar.drivers.clock import SystemClock
from sidecar.drivers.rego_engine import RegoEngine, default_bundle
from tests.drivers import opa_process


def test_rego_that_is_not_utf8_is_refused() -> None:
    files = {**default_bundle().files, "own.rego": b"package own\n# Pr\xe9nom"}
    with pytest.raises(BundleRefused, match=r"own\.rego .* is not UTF-8"):
        bundle.parse(bundle.pack(files))


def test_a_folder_with_a_name_that_fits_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / ("x" * 101)).write_text("")
    with pytest.raises(BundleRefused, match="too long a name"):
        bundle.read(tmp_path)


@pytest.mark.parametrize("content", [b'{"a":', b"\xff", b'{"a":' * 5000 + b"1" + b"}" * 5000, b'{"a":"\\ud800"}'])
def test_signed_data_that_were_made_unreadable_are_refused(content: bytes) -> None:
    """Whoever alters the file chooses what it holds, so it need not be JSON any more."""
    listed = [{"name": "data.json", "algorithm": "SHA-256", "hash": "0" * 64}]
    with pytest.raises(BundleRefused, match="not what was signed"):
        check_hashes({"data.json": content}, listed)


NUMBERS = """
package governor.decide

decision := {"contract": "1", "allow": allow, "denies": [], "obligations": []}

default allow := false

allow if {
	input.given < data.limit
	not input.given < data.limit - 1
	data.share > 0.1
}
"""


def test_numbers_of_data_are_not_rounded() -> None:
    """OPA computes with the digits as they stand; a double would make these two others."""
    files = bundle.unpack(opa_process.build(NUMBERS))
    files["data.json"] = b'{"limit": 18446744073709551617, "share": 0.1000000000000000000001}'
    engine = RegoEngine(bundle.parse(bundle.pack(files)), SystemClock())
    assert engine.decide_now({"given": 18446744073709551616}).result["allow"] is True
    assert engine.decide_now({"given": 18446744073709551617}).result["allow"] is False


TRUE = '{"contract":"1","allow":false,"denies":[{"code":"NO","params":{"n":true}}],"obligations":[]}'


def test_a_sample_tells_true_from_1() -> None:
    source = TRUE.replace("true", "1")
    files = bundle.unpack(opa_process.build(f"package governor.decide\n\ndecision := {source}\n"))
    files["samples/one.json"] = b'{"input":{},"answer":' + source.encode() + b"}"
    RegoEngine(bundle.parse(bundle.pack(files)), SystemClock())
    files["samples/one.json"] = b'{"input":{},"answer":' + TRUE.encode() + b"}"
    with pytest.raises(BundleRefused, match="not decided as OPA decided it"):
        RegoEngine(bundle.parse(bundle.pack(files)), SystemClock())
