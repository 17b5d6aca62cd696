"""Held-out data and Presidio itself, for the tests that compare with them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.inspection import drawing


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder named by SIDECAR_TEST_DATA; the data sets stay out of the repository."""
    folder = os.getenv("SIDECAR_TEST_DATA")
    if not folder:
        pytest.skip("SIDECAR_TEST_DATA names no folder of labelled sets")
    return Path(folder)


@pytest.fixture(scope="session")
def presidio() -> Any:
    """presidio_analyzer, its e-mail recogniser kept from the network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import presidio_analyzer
        import presidio_analyzer.predefined_recognizers
        import tldextract

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.extract = tldextract.tldextract.TLD_EXTRACTOR
    return presidio_analyzer


@pytest.fixture(scope="session")
def matching() -> Callable[[str, int], list[str]]:
    """(regex, count) -> strings that match it whole, the same ones every time."""
    return drawing.matching
