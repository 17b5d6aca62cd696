"""The policy bundles beside a log: one that is gone or another is named, and is no tampering with the log."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.drivers.store_verify import verify_path
from sidecar.ledger.report import VERIFIED, VERIFIED_EXCEPT, BundleFault, Report
from sidecar.ledger.verify_bundles import check_bundles, named_bundle
from tests.ledger.factory import DIGEST


def kept(folder: Path) -> Path:
    return folder / "bundles" / f"{DIGEST}.tar.gz"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: shutil.rmtree(folder / "bundles"), "bundle-missing"),
        (lambda folder: kept(folder).unlink(), "bundle-missing"),
        (lambda folder: kept(folder).write_bytes(b"junk"), "bundle-altered"),
        (lambda folder: (kept(folder).unlink(), kept(folder).mkdir()), "bundle-unreadable"),
    ],
)
def test_a_bundle_that_cannot_explain_is_named(state: Path, change: Callable[[Path], object], reason: str) -> None:
    assert verify_path(state).exit_code == VERIFIED
    assert re.search(r"\n  last   20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC\n", verify_path(state).as_text())
    change(state)
    report = verify_path(state)
    assert report.exit_code == VERIFIED_EXCEPT and not report.failures
    assert report.bundles == [BundleFault(2, DIGEST, reason)]  # entry 2 is policy.load
    assert report.as_text().startswith("VERIFIED EXCEPT POLICY BUNDLES: ")
    assert f"  {reason}: {DIGEST}, first named by entry 2" in report.as_text()


def test_only_a_digest_becomes_part_of_a_path() -> None:
    for name in ("../../etc/passwd", "", "AB" * 32, None, 7):
        assert named_bundle({"policy": {"bundle_sha256": name}}) is None
    assert named_bundle(None) is named_bundle({"policy": None}) is named_bundle([]) is None
    assert named_bundle({"policy": {"bundle_sha256": DIGEST}}) == DIGEST


def test_a_bundle_that_may_not_be_read_is_not_called_missing() -> None:
    def fetch(_: str) -> bytes:
        raise PermissionError

    report = Report()
    check_bundles({DIGEST: 4}, fetch, report)
    assert report.bundles == [BundleFault(4, DIGEST, "bundle-unreadable")]
