"""What the contract needs of both databases."""

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ...federation.conftest import postgres
from ...federation.databases import a_database
from ...scale import scale

__all__ = ["databases", "postgres"]

Databases = Callable[[], AbstractContextManager[str]]
"""Makes one empty database after the other; each is there as long as its context."""


@pytest.fixture(params=["sqlite"] if scale() == "quick" else ["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Databases:
    """Empty databases of each kind in turn; of PostgreSQL only where there is time, since five platforms are many."""
    numbers = itertools.count()
    return lambda: a_database(request, tmp_path / f"store-{next(numbers)}.db", relaxed=True)
