"""A sync that is killed at any moment leaves nothing to repair: the next one goes on, and all is as if nothing was."""

import sys
from pathlib import Path

import pytest

from watersmeet.api.cli.exits import Code

from ..scale import how_many
from .forks import KILLED, Forks, moment
from .shares import DATABASES, rounds
from .worlds import Lengths, World

pytestmark = [
    pytest.mark.hard,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]
LIVES = how_many(quick=1, ci=2, long=5)
"""Stores that begin empty, on each database; the first rounds of each kill its making."""
FIRST = 3


@pytest.mark.parametrize("life", range(LIVES))
def test_killed_syncs_leave_the_store_of_undisturbed_ones(
    store_url: str, tmp_path: Path, forks: Forks, lengths: Lengths, life: int
) -> None:
    wanted = rounds("sync", parts=DATABASES * LIVES)
    killed = number = 0
    with World.opened(tmp_path, seed=life) as world:
        config = world.config(store_url)
        while killed < wanted:
            source = world.change()
            number += 1
            length = lengths.first[source] if number <= FIRST else lengths.again[source]
            full = number <= FIRST or world.chance.random() < 0.3
            ended = forks.pull(config, source, full=full, **moment(world.chance, length))
            assert ended.code in (0, KILLED, Code.INCOMPLETE), ended.err
            killed += ended.code == KILLED
            assert number < 10 * wanted, "hardly one of them was hit"
        world.follow(forks, config)
        world.check(forks, config, store_url)
