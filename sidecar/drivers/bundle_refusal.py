"""Why a bundle is not taken: at start the sidecar stops, at a reload it keeps the old one."""

from __future__ import annotations


class BundleRefused(Exception):
    """What is wrong, and what to do. Holds names of the bundle's files and settings, never an input's values."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what} {advice}")
        self.what = what
        self.advice = advice
