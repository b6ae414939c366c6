"""What the tests of the DataHub connector share: connectors that are closed again, and metadata files."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.datahub.read import DataHub
from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.federation.connector import Cursor

from ..conftest import NOW, Told
from .asking import Ask, Clock
from .names import column, dataset, proposal, written

__all__ = ["column", "dataset", "proposal", "written"]

Connect = Callable[..., DataHub]
Read = Callable[..., Told]


@pytest.fixture
def waited() -> list[float]:
    """How long each wait would have been."""
    return []


@pytest.fixture
def connect(waited: list[float]) -> Iterator[Connect]:
    """Makes connectors, and closes them."""
    made: list[DataHub] = []

    def connector(where: str | Path, *, now: datetime = NOW, transport: Any = None, **settings: Any) -> DataHub:
        place = {"path": str(where)} if isinstance(where, Path) else {"url": where}
        source = Source.model_validate({"name": "catalog", "platform": "datahub", **place, **settings})
        made.append(DataHub(source, transport=transport, clock=lambda: now, sleep=waited.append))
        return made[-1]

    yield connector
    for one in made:
        one.close()


@pytest.fixture
def read(connect: Connect) -> Read:
    """Reads once."""

    def reading(where: str | Path, since: Cursor | None = None, **settings: Any) -> Told:
        return Told.by(connect(where, **settings).read(since))

    return reading


@pytest.fixture
def clock() -> Clock:
    """The time of the miniature."""
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    """An empty miniature."""
    with Sandbox(empty=True, clock=clock) as running:
        yield running


@pytest.fixture
def ask(sandbox: Sandbox) -> Ask:
    """Sends requests to it."""

    def asking(method: str, path: str, **more: Any) -> httpx2.Response:
        return httpx2.request(method, sandbox.url + path, trust_env=False, timeout=20, **more)

    return asking
