"""Where real servers must be there (WATERSMEET_REQUIRE_REAL=1, as in CI), a test that skips itself has failed."""

import os
from collections.abc import Generator

import pytest

MAY_SKIP = ("no recorded payloads", "writes to your server")
"""What only developers have beside their checkout, and what only the owner of a server may allow."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure that tells its reason."""
    report = yield
    if report.skipped and os.environ.get("WATERSMEET_REQUIRE_REAL") == "1":
        reason = str(call.excinfo.value) if call.excinfo is not None else "expected to fail"
        if not any(allowed in reason for allowed in MAY_SKIP):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped where nothing may be: {reason}"
    return report
