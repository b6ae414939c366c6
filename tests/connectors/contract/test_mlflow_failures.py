"""Every way in which an MLflow server fails is seen, and loses nothing."""

from collections.abc import Iterator

import pytest

from watersmeet.connectors.mlflow.sandbox import Sandbox

from .failures import Laboratory
from .failures_suite import FailuresAreSeen
from .mlflow_failures import FAILURES
from .mlflow_house import MLflowHouse


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with Sandbox() as sandbox, Laboratory(MLflowHouse(sandbox), tmp_path_factory.mktemp("failures")) as opened:
        yield opened


class TestMLflowFailures(FailuresAreSeen):
    failures = FAILURES
    at_least = 60
