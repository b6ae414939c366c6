"""What the kills share: a store on each database, the process that forks, and how long a pull takes."""

from collections.abc import Iterator

import pytest

from ..federation.conftest import postgres, store_url
from .forks import Forks
from .worlds import Lengths, World

__all__ = ["postgres", "store_url"]


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Commands in forks."""
    with Forks() as one:
        yield one


@pytest.fixture(scope="session")
def lengths(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Lengths:
    """Undisturbed pulls."""
    with World.opened(tmp_path_factory.mktemp("measured"), seed=0) as world:
        return world.lengths(forks)
