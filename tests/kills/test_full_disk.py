"""A disk that is full: nothing is acknowledged that is not kept, it is said what to do, and room is all it takes."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from watersmeet.api.cli.exits import Code

from ..e2e.service import wait_for
from ..scale import how_many, scale
from .emitters import Emitters
from .forks import Forks
from .shown import said_of
from .test_killed_servers import assert_kept, serving
from .worlds import World

pytestmark = [
    pytest.mark.hard,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="a small disk is a mount of Linux"),
]
SIZE = 4 * 2**20
ROOM = "Make room on its disk"


@contextmanager
def small_disk(folder: Path) -> Generator[Path]:
    """A disk of a few megabytes; where none may be mounted the test cannot be done."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        reason = f"a small disk cannot be mounted here: {mounted.stderr.strip()} (it takes root)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


class Ballast:
    """A file that takes what is free."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"

    def fill(self, *, but: int = 0) -> None:
        """Leave so many bytes free."""
        with self._file.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(b"\0" * 4096):
                pass
        os.truncate(self._file, max(0, self._file.stat().st_size - but))

    def drop(self) -> None:
        """Make room."""
        self._file.unlink(missing_ok=True)


@pytest.mark.parametrize("free", [50_000, 0, 200_000][: how_many(quick=1, ci=3, long=3)])
def test_a_sync_on_a_full_disk_says_so_and_goes_on_when_there_is_room(tmp_path: Path, forks: Forks, free: int) -> None:
    with World.opened(tmp_path, seed=31) as world, small_disk(tmp_path / "disk") as disk:
        url = f"sqlite:///{disk}/store.db"
        config = world.config(url)
        ballast = Ballast(disk)
        for turn in range(how_many(quick=1, ci=2, long=10)):
            ballast.fill(but=free)
            ended = {source: forks.pull(config, source, full=turn == 1) for source in world.houses}
            ballast.drop()
            failed = {source: one for source, one in ended.items() if one.code not in (Code.OK, Code.INCOMPLETE)}
            assert failed, "it all fitted"
            for source, one in failed.items():
                assert one.code == Code.STORE, one
                assert "Traceback" not in one.err
                assert ROOM in (one.err or said_of(url, source))
            for house in world.houses.values():
                house.grow(2)
            forks.pull(config, world.change())
        world.follow(forks, config)
        world.check(forks, config, url)


@pytest.mark.skipif(scale() == "quick", reason="starts a server: `make test-hard` runs it")
def test_the_inlet_acknowledges_nothing_that_does_not_fit(tmp_path: Path, forks: Forks) -> None:
    with World.opened(tmp_path, seed=32) as world, small_disk(tmp_path / "disk") as disk:
        url = f"sqlite:///{disk}/store.db"
        ballast = Ballast(disk)
        with serving(world, url) as service:
            with Emitters(service.url) as emitters:
                wait_for(lambda: emitters.acknowledged, "an event that is acknowledged", 30)
                ballast.fill()
                wait_for(lambda: emitters.later, "an event that is turned away", 60)
                asked = {"query": "{ sources { name status } }"}
                answer = httpx2.post(f"{service.url}/graphql", json=asked, trust_env=False, timeout=30)
                assert answer.json()["data"]["sources"], answer.text
                ballast.drop()
                heard = len(emitters.acknowledged)
                wait_for(lambda: len(emitters.acknowledged) > heard, "an event that is acknowledged again", 60)
            assert_kept(world, service, url, emitters, forks, is_disturbed=True)
            assert ROOM in service.log()
