"""`sidecar audit ...`: flags for the auditor's side, nothing of the proxy."""

from __future__ import annotations

import argparse


def add_parsers(group: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    pass
