"""PostgreSQL is killed under syncs and under a server: both say so, and go on when it is back."""

import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from watersmeet.api.cli.exits import Code
from watersmeet.config.schedule import parse_schedule
from watersmeet.federation.errors import AlreadyRunning
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.schedule import LOCK, Scheduler
from watersmeet.federation.store import Store

from ..e2e.service import wait_for
from ..scale import scale
from .clusters import Cluster
from .forks import Forks
from .shares import rounds
from .shown import said_of
from .worlds import Lengths, World

pytestmark = [
    pytest.mark.hard,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]


@pytest.fixture(scope="module")
def one_cluster() -> Iterator[Cluster]:
    with Cluster.opened() as one:
        yield one


@pytest.fixture
def cluster(one_cluster: Cluster) -> Iterator[Cluster]:
    """It runs, whatever a test has done to it."""
    yield one_cluster
    one_cluster.start()


def meanwhile(seconds: float, act: Callable[[], object]) -> threading.Timer:
    """Do something in so many seconds."""
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


def test_syncs_whose_postmaster_is_killed_say_so_and_go_on(
    cluster: Cluster, tmp_path: Path, forks: Forks, lengths: Lengths
) -> None:
    url = cluster.database()
    met = 0
    with World.opened(tmp_path, seed=11) as world:
        config = world.config(url)
        wanted = rounds("postmaster")
        for number in range(10 * wanted):
            if number >= wanted and met:
                break
            source = world.change()
            length = (lengths.first if number < 3 else lengths.again)[source].seconds
            killing = meanwhile(world.chance.uniform(0, length), cluster.kill)
            ended = forks.pull(config, source, full=number % 3 == 0)
            killing.join()
            assert ended.code in (Code.OK, Code.INCOMPLETE, Code.STORE), ended
            met += ended.code == Code.STORE
            if ended.code == Code.STORE:
                assert_said(ended.err)
            said = forks.run(config, "sources")
            assert said.code == Code.STORE
            assert_said(said.err)
            cluster.start()
        assert met > 0
        world.follow(forks, config)
        world.check(forks, config, url)


@pytest.mark.skipif(scale() == "quick", reason="takes its time: `make test-hard` runs it")
def test_syncs_whose_backend_is_killed_say_so_and_go_on(
    cluster: Cluster, tmp_path: Path, forks: Forks, lengths: Lengths
) -> None:
    url = cluster.database()
    with World.opened(tmp_path, seed=12) as world:
        config = world.config(url)
        for number in range(rounds("backend")):
            source = world.change()
            length = (lengths.first if number < 3 else lengths.again)[source].seconds
            chosen = world.chance.random()
            killing = meanwhile(world.chance.uniform(0, length), lambda chosen=chosen: cluster.kill_backend(chosen))
            ended = forks.pull(config, source, full=number % 3 == 0)
            killing.join()
            assert ended.code in (Code.OK, Code.INCOMPLETE, Code.STORE), ended
            cluster.wait()
            if ended.code == Code.STORE:
                assert_said(ended.err or f"watersmeet: {said_of(url, source)}")
        world.follow(forks, config)
        world.check(forks, config, url)


def test_a_scheduler_whose_lock_went_with_its_connection_takes_it_again(cluster: Cluster) -> None:
    """Nobody else schedules beside it meanwhile."""
    pulled, again = threading.Event(), threading.Event()
    with Store.open(cluster.database()) as store:
        store.journal.declare([SourceRow("shop", "shop", "marquez", None, 0)])

        def pull(_source: str) -> None:
            (again if pulled.is_set() else pulled).set()

        hourly = {"shop": parse_schedule("every 1h")}
        scheduler = Scheduler(store, hourly, pull, jitter=timedelta(), retry=timedelta(seconds=1))
        scheduler.start()
        try:
            assert pulled.wait(30)
            assert scheduler.holds
            cluster.kill()
            wait_for(lambda: not scheduler.holds, "the news that the lock is lost", 30)
            cluster.start()
            assert again.wait(30)
            assert scheduler.holds
            with pytest.raises(AlreadyRunning), store.lock(LOCK):
                pass
        finally:
            scheduler.stop()


def assert_said(err: str) -> None:
    """One line that says what to do, and no trace."""
    assert "Traceback" not in err
    [line] = [one for one in err.splitlines() if one.startswith("watersmeet: ")]
    assert "the store postgresql" in line
    assert "Check that the server runs" in line
