"""Every way in which a Marquez server fails is seen, and loses nothing."""

from collections.abc import Iterator

import pytest

from watersmeet.connectors.marquez.sandbox import Sandbox

from .failures import Laboratory
from .failures_suite import FailuresAreSeen
from .marquez_failures import FAILURES
from .marquez_house import MarquezHouse


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with Sandbox() as sandbox, Laboratory(MarquezHouse(sandbox), tmp_path_factory.mktemp("failures")) as opened:
        yield opened


class TestMarquezFailures(FailuresAreSeen):
    failures = FAILURES
    at_least = 60
