"""A store that may only be read: every command answers, or says in one line what it lacks; nothing ends in a trace."""

import sys
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa

from watersmeet.api.cli.exits import Code

from ..api.fire_events import original
from ..scale import scale
from .forks import Ended, Forks
from .serving import SYNC, serving
from .worlds import World

pytestmark = [
    pytest.mark.hard,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform == "win32", reason="rights are those of POSIX"),
]
ROOT = "s3://lake/features/customer_features"
WRITING = [("sync",), ("pull", "1"), ("rebuild",), ("token", "create", "ada", "--role", "viewer"), ("sync", "inlet")]
READING = [("sources",), ("ask", ROOT), ("search", "churn"), ("letters",), ("doctor",), ("token", "list")]


def assert_clear(ended: Ended, *arguments: str) -> None:
    """One line says what is not allowed."""
    assert ended.code == Code.STORE, (arguments, ended)
    assert "Traceback" not in ended.err, (arguments, ended.err)
    lines = [line for line in ended.err.splitlines() if line.startswith("watersmeet: ")]
    assert len(lines) == 1, (arguments, ended.err)
    assert "the store " in lines[0]
    assert "Give this user the right to write to it" in lines[0], (arguments, lines)


def assert_answered(ended: Ended, *arguments: str) -> None:
    """It answers."""
    assert ended.code in (Code.OK, Code.INCOMPLETE), (arguments, ended)
    assert "Traceback" not in ended.err, (arguments, ended.err)


def assert_served(world: World, url: str) -> None:
    """A server answers what is asked, and says of what is to be written that it cannot be."""
    with serving(world, url) as service:
        found = service.ask("query($key: String!) { asset(key: $key) { name } sources { id } }", key=ROOT)
        assert found["asset"]["name"]
        assert {one["id"] for one in found["sources"]} > world.houses.keys()
        asked = {"query": SYNC, "variables": {"source": found["sources"][0]["id"]}}
        synced = httpx2.post(f"{service.url}/graphql", json=asked, timeout=30, trust_env=False)
        posted = httpx2.post(f"{service.url}/api/v1/lineage", json=original(1), timeout=30, trust_env=False)
        assert synced.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE", synced.text
        assert "Give this user the right to write to it" in service.log()
        assert posted.status_code == 503, posted.text
        assert service.ask("{ sources { id } }")["sources"] == found["sources"]
        assert "Traceback" not in service.log(), service.log()


@pytest.mark.skipif(scale() == "quick", reason="takes its time: `make test-hard` runs it")
@pytest.mark.parametrize("folder_too", [True, False])
def test_a_file_that_may_only_be_read(tmp_path: Path, forks: Forks, folder_too: bool) -> None:
    with World.opened(tmp_path, seed=41) as world:
        place = tmp_path / "store"
        place.mkdir()
        config = world.config(f"sqlite:///{place}/store.db")
        world.follow(forks, config)
        for one in place.rglob("*"):
            one.chmod(0o555 if one.is_dir() else 0o444)
        place.chmod(0o555 if folder_too else 0o777)
        for arguments in WRITING:
            assert_clear(forks.run(config, *arguments, humble=True), *arguments)
        for arguments in READING:
            ended = forks.run(config, *arguments, humble=True)
            if folder_too and arguments != ("doctor",):  # SQLite writes beside a file even to read it
                assert_clear(ended, *arguments)
            else:
                assert_answered(ended, *arguments)
        for one in (place, *place.rglob("*")):
            one.chmod(0o755 if one.is_dir() else 0o644)
        for house in world.houses.values():
            house.grow(1)
        world.follow(forks, config)
        world.check(forks, config, f"sqlite:///{place}/store.db")


def test_a_role_of_postgresql_that_may_only_read(postgres: str, tmp_path: Path, forks: Forks) -> None:
    server = sa.make_url(postgres).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE readonly"))
    url = server.set(database="readonly", drivername="postgresql").render_as_string(hide_password=False)
    try:
        with World.opened(tmp_path, seed=42) as world:
            config = world.config(url)
            world.follow(forks, config)
            with engine.connect() as connection:
                connection.execute(sa.text("ALTER DATABASE readonly SET default_transaction_read_only = on"))
            for arguments in WRITING:
                assert_clear(forks.run(config, *arguments), *arguments)
            for arguments in READING:
                assert_answered(forks.run(config, *arguments), *arguments)
            assert_served(world, url)
            with engine.connect() as connection:
                connection.execute(sa.text("ALTER DATABASE readonly RESET default_transaction_read_only"))
            for house in world.houses.values():
                house.grow(1)
            world.follow(forks, config)
            world.check(forks, config, url)
    finally:
        with engine.connect() as connection:
            connection.execute(sa.text("DROP DATABASE readonly WITH (FORCE)"))
        engine.dispose()
