"""What the tests of the writer start from: what a source tells of the story, and what comes of it undisturbed."""

from collections.abc import Iterator
from typing import Any

import pytest

from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.federation.dossier import Dossier

from .targets import standing, told_by, written


@pytest.fixture(scope="module")
def dossiers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Dossier]]:
    with told_by("wandb", tmp_path_factory.mktemp("story")) as told:
        yield told


@pytest.fixture(scope="module")
def whole(dossiers: list[Dossier]) -> dict[str, Any]:
    """What stands there when nothing went wrong."""
    with Sandbox(empty=True) as target:
        written(target, dossiers)
        return standing(target)
