"""What the tests of the DataHub connector share: connectors that are closed again, and metadata files."""

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.datahub.read import DataHub
from watersmeet.federation.connector import Cursor

from ..conftest import NOW, Told

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


def dataset(name: str, platform: str = "hive") -> str:
    """The URN of a dataset."""
    return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)"


def column(of: str, path: str) -> str:
    """The URN of a field."""
    return f"urn:li:schemaField:({of},{path})"


def proposal(urn: str, aspect: str, value: Any, change: str = "UPSERT") -> dict[str, Any]:
    """An MCP as files hold it."""
    entity = urn.split(":")[2]
    return {
        "entityType": entity,
        "entityUrn": urn,
        "changeType": change,
        "aspectName": aspect,
        "aspect": {"json": value},
    }


def written(path: Path, *records: Any) -> Path:
    """A metadata file."""
    body = json.dumps(list(records)).encode()
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return path
