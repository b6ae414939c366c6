"""A Marquez in miniature, and how its connector is connected and read."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.marquez.read import Marquez
from watersmeet.connectors.marquez.sandbox import Sandbox
from watersmeet.federation.connector import Cursor

from ..conftest import NOW, Told
from .telling import Read


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(empty=True) as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Callable[..., Marquez]]:
    made: list[Marquez] = []

    def connected(sandbox: Sandbox, now: datetime = NOW, name: str = "lab", **settings: Any) -> Marquez:
        source = Source.model_validate(
            {"name": name, "platform": "marquez", "url": sandbox.url, "http": {"retries": 2}, **settings}
        )
        made.append(Marquez(source, clock=lambda: now))
        return made[-1]

    yield connected
    for one in made:
        one.close()


@pytest.fixture
def read(connect: Callable[..., Marquez]) -> Read:
    def reading(sandbox: Sandbox, since: Cursor | None = None, **more: Any) -> Told:
        return Told.by(connect(sandbox, **more).read(since))

    return reading


@pytest.fixture
def seed(shared: Path) -> list[dict[str, Any]]:
    """Marquez' own example, with its times filled in."""
    text = (shared / "data/marquez/seed/metadata.template.json").read_text()
    text = text.replace("{{RUN_START_TIME}}", "2026-11-26T10:00:00Z")
    for minutes in range(5, 11):
        text = text.replace(f"{{{{RUN_END_TIME_AFTER_{minutes}_MINUTES}}}}", f"2026-11-26T10:{minutes:02}:00Z")
    return json.loads(text)
