"""Every way in which Weights & Biases fails is seen, and loses nothing."""

from collections.abc import Iterator

import pytest

from watersmeet.connectors.wandb.sandbox import Sandbox

from .failures import Laboratory
from .failures_suite import FailuresAreSeen
from .wandb_failures import FAILURES
from .wandb_house import KEY, WandbHouse


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with Sandbox(key=KEY) as sandbox, Laboratory(WandbHouse(sandbox), tmp_path_factory.mktemp("failures")) as opened:
        yield opened


class TestWandbFailures(FailuresAreSeen):
    failures = FAILURES
    at_least = 60
