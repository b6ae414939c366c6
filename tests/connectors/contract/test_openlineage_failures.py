"""Every way in which a folder of events is broken is seen, and loses nothing."""

from collections.abc import Iterator

import pytest

from .failures import Laboratory
from .failures_suite import FailuresAreSeen
from .openlineage_failures import FAILURES
from .openlineage_house import OpenLineageHouse


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    folder = tmp_path_factory.mktemp("failures")
    with OpenLineageHouse.opened() as house, Laboratory(house, folder) as opened:
        yield opened


class TestOpenLineageFailures(FailuresAreSeen):
    failures = FAILURES
    at_least = 20
