"""Why a bundle is not taken: the sidecar does not start, the build ends."""

from __future__ import annotations


class BundleRefused(Exception):
    """What is wrong, and what to do. Holds names of the bundle's files and settings, never an input's values."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what} {advice}")
        self.what = what
        self.advice = advice
