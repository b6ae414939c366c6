"""Every way in which a DataHub server fails is seen, and loses nothing."""

from collections.abc import Iterator

import pytest

from .datahub_failures import FAILURES
from .datahub_house import DataHubHouse
from .failures import Laboratory
from .failures_suite import FailuresAreSeen


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with DataHubHouse.opened() as house, Laboratory(house, tmp_path_factory.mktemp("failures")) as opened:
        yield opened


class TestDataHubFailures(FailuresAreSeen):
    failures = FAILURES
    at_least = 60
