"""One stub and one sidecar for the tests that only read; tests that stop or damage things start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import processes


@pytest.fixture(scope="session")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[processes.Stub]:
    with processes.stub(tmp_path_factory.mktemp("stub")) as server:
        yield server


@pytest.fixture(scope="session")
def sidecar(stub: processes.Stub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[processes.Sidecar]:
    with processes.sidecar(tmp_path_factory.mktemp("sidecar"), stub.url) as process:
        yield process
