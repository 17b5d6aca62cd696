"""What all tests share: slow ones wait for CI, and in CI nothing may be skipped."""

from __future__ import annotations

import os
import signal

import hypothesis
import pytest

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of what is tested
hypothesis.settings.load_profile("untimed")

ALL = bool(os.environ.get("SIDECAR_TEST_ALL"))  # noqa: TID251  the test runner's own switch


def pytest_configure() -> None:
    """A shell that runs us in the background has us ignore Ctrl-C, and so would every process that a test starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if ALL:
        return
    later = pytest.mark.skip(reason="takes minutes; SIDECAR_TEST_ALL=1 runs it, as CI does")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(later)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ALL and (skipped := terminalreporter.stats.get("skipped")):
        terminalreporter.write_line(f"CI skips nothing, yet {len(skipped)} tests were skipped.", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if ALL and exitstatus == 0 and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
