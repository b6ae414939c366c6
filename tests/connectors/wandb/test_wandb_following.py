"""How the reader follows a miniature over real HTTP: kills, pages that slip, much of everything, and what changes."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watersmeet.connectors.wandb.read import Wandb
from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.connectors.wandb.sandbox_world import entry
from watersmeet.federation.connector import Cursor
from watersmeet.federation.model import EdgeKind, RunState, SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

from .miniature import RUNS, To, configured, edges, named, read, records, source

_SYNC = """
import sys
from watersmeet.config.settings import Source
from watersmeet.connectors.wandb.read import Wandb
from watersmeet.federation.naming import Registry
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

store = Store.open(sys.argv[1])
pull(store, "lab", Wandb(Source.model_validate_json(sys.argv[2])), registry=Registry.EMPTY)
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(empty=True) as running:
        yield running


def runs(sandbox: Sandbox, number: int) -> list[str]:
    """So many runs, each a second younger than the one before; returns their paths."""
    made = [sandbox.world.log_run("acme/fraud", f"run{one:02}") for one in range(number)]
    for at, one in enumerate(made):
        one.created_at = f"2026-01-01T00:00:{at:02}Z"
    return [f"acme/fraud/{one.name}" for one in made]


def pages(sandbox: Sandbox) -> int:
    """How many pages of runs were asked for."""
    return sum(one.operation == RUNS for one in sandbox.calls)


def lab(url: str, *names: str) -> Store:
    """A store with sources of these names."""
    store = Store.open(url)
    store.journal.declare([SourceRow(name, name, "wandb", None, at) for at, name in enumerate(names)])
    return store


def living(store: Store) -> dict[str, set[str]]:
    """The native ids of what is described, with the sources that tell of the same thing."""
    columns = store.reader.columns()
    rows = store.reader.assets(columns.asset.tolist()).values()
    told = [[row for row in some if row.described and row.tombstoned_at is None] for some in rows]
    return {some[0].native_id: {row.source for row in some} for some in told if some}


def test_a_process_that_is_killed_in_the_middle_goes_on_without_gaps(sandbox: Sandbox, tmp_path: Path) -> None:
    """Wandb, check 6: kill -9 behind the third page of runs."""
    made, url = runs(sandbox, 12), f"sqlite:///{tmp_path}/store.db"
    lab(url, "lab").close()
    settings = source(sandbox, options={"page_size": 2})
    hanging = sandbox.fail(RUNS, kind="slow", seconds=20.0, skip=3)
    process = subprocess.Popen(
        [sys.executable, "-c", _SYNC, url, json.dumps(configured(sandbox, options={"page_size": 2}))]
    )
    try:
        until(lambda: pages(sandbox) == 4)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    sandbox.faults.remove(hanging)
    before = pages(sandbox)
    store = lab(url, "lab")
    reader = Wandb(settings, sleep=lambda seconds: None)
    assert pull(store, "lab", reader, registry=Registry.EMPTY).state is SyncState.SUCCEEDED
    assert pages(sandbox) - before == 3, "it went on behind the pages that were stored"
    found = {name for name in living(store) if name.startswith("run/")}
    project = sandbox.world.project("acme/fraud")
    assert found == {f"run/{one.id}" for one in project.all_runs}
    assert len(found) == project.run_count() == len(made)
    reader.close()
    store.close()


class TestPagesThatSlip:
    """Pages are counted by offset, so what comes or goes meanwhile moves the others."""

    def between(self, sandbox: Sandbox, page: int, change: Callable[[], object]) -> None:
        """Let something happen once behind a page of runs."""

        def bend(answer: Any) -> Any:
            change()
            return answer

        sandbox.fail(RUNS, kind="bent", bend=bend, skip=page - 1)

    def test_a_run_that_is_inserted_is_read_and_none_twice(self, sandbox: Sandbox) -> None:
        """Wandb, check 7: one that sorts before the next page pushes a run that was shown onto it."""
        made = runs(sandbox, 6)

        def insert() -> None:
            sandbox.world.log_run("acme/fraud", "late", created_at="2026-01-01T00:00:00Z")
            sandbox.world.project("acme/fraud").all_runs.insert(0, sandbox.world.project("acme/fraud").all_runs.pop())

        self.between(sandbox, 1, insert)
        told = read(sandbox, options={"page_size": 2})
        assert named(told, "run/") == sorted([*made, "acme/fraud/late"])
        keys = [scope.key for batch in told for scope in batch.scopes if scope.family.startswith("run:")]
        assert len(keys) == len(set(keys)) == 7
        assert told[-1].complete

    def test_a_run_that_slips_because_another_vanished_is_found_by_the_count(self, sandbox: Sandbox) -> None:
        """Wandb, check 7: the tail is read again, because fewer came than are counted."""
        made = runs(sandbox, 6)
        first = sandbox.world.project("acme/fraud").all_runs[0]
        self.between(sandbox, 1, lambda: sandbox.world.delete_run(first))
        told = read(sandbox, options={"page_size": 2})
        assert named(told, "run/") == made
        assert told[-1].complete


class TestMuch:
    """Wandb, check 11: nothing ends at the first page."""

    def test_a_run_with_a_hundred_and_twenty_inputs_has_them_all(self, sandbox: Sandbox) -> None:
        world = sandbox.world
        maker, user = (world.log_run("acme/fraud", name) for name in ("maker", "user"))
        for number in range(120):
            world.use(user, world.log_artifact(maker, f"set-{number}", "dataset", {"a": entry(b"%d" % number)}))
        told = read(sandbox, options={"manifests": False})
        assert len(edges(told, EdgeKind.WRITE)) == len(edges(told, EdgeKind.READ)) == 120
        assert len([one for one in records(told) if one.startswith("collection/")]) == 120

    def test_a_deleted_version_with_a_hundred_and_twenty_users_keeps_them_all(self, sandbox: Sandbox) -> None:
        world = sandbox.world
        version = world.log_artifact(world.log_run("acme/fraud", "maker"), "set", "dataset", {"a": entry(b"a")})
        for number in range(120):
            world.use(world.log_run("acme/fraud", f"user{number}"), version)
        world.delete_artifact(version)
        told = read(sandbox, options={"page_size": 100})
        used = [one for one in edges(told, EdgeKind.READ) if one.upstream == f"version/{version.id}"]
        assert len({one.downstream for one in used}) == 120
        assert [stone.native_id for batch in told for stone in batch.tombstones] == [f"version/{version.id}"]


class TestWhatChanges:
    """Wandb, check 12: each change is seen within one cycle."""

    @pytest.fixture
    def known(self, sandbox: Sandbox) -> Cursor:
        """How far a reader is that has read everything, and tried what can be asked for."""
        world = sandbox.world
        done = world.log_run("acme/fraud", "done")
        going = world.log_run("acme/fraud", "going", state="running")
        for number in range(2):
            world.log_artifact(done, "words", "dataset", {"a": entry(b"%d" % number)})
        world.use(going, done.outputs[0])
        first = read(sandbox)[-1].resume
        assert first is not None
        second = read(sandbox, first)[-1].resume
        assert second is not None
        sandbox.calls.clear()
        return second

    def test_an_idle_cycle_costs_a_request_for_each_project_and_three_more(
        self, sandbox: Sandbox, known: Cursor
    ) -> None:
        told = read(sandbox, known)
        assert len(sandbox.calls) <= 1 + 3
        assert all('Z"' in one.variables["filters"] for one in sandbox.calls if one.operation == RUNS)
        assert told[-1].complete

    def test_an_edit_of_tags(self, sandbox: Sandbox, known: Cursor) -> None:
        done = sandbox.world.project("acme/fraud").all_runs[0]
        sandbox.world.change(done, tags=["best"])
        assert records(read(sandbox, known))[f"run/{done.id}"].facets["tags"] == [{"key": "best"}]

    def test_a_run_that_ends(self, sandbox: Sandbox, known: Cursor) -> None:
        going = sandbox.world.project("acme/fraud").all_runs[1]
        sandbox.world.change(going, state="finished")
        run = records(read(sandbox, known))[f"run/{going.id}"].run
        assert run is not None
        assert run.state is RunState.SUCCEEDED

    def test_an_alias_that_moves(self, sandbox: Sandbox, known: Cursor) -> None:
        words = sandbox.world.project("acme/fraud").collections[0]
        words.move("latest", words.members[0])
        told = [(one.upstream, one.alias) for one in edges(read(sandbox, known), EdgeKind.ALIAS_OF)]
        assert (f"version/{words.members[0].artifact.id}", "latest") in told

    def test_a_new_version_with_its_manifest(self, sandbox: Sandbox, known: Cursor) -> None:
        run = sandbox.world.project("acme/fraud").all_runs[0]
        new = sandbox.world.log_artifact(run, "words", "dataset", {"a": entry(b"new")})
        told = [one for batch in read(sandbox, known) for scope in batch.scopes for one in scope.records]
        assert {"manifest" in one.facets for one in told if one.native_id == f"version/{new.id}"} == {True, False}


def test_one_tenant_under_two_names_is_told_once(tmp_path: Path) -> None:
    """Wandb, check 14: Forge and api.wandb.ai in one store."""
    with Sandbox() as sandbox:
        store, way = lab(f"sqlite:///{tmp_path}/store.db", "forge", "saas"), To(sandbox)
        for name, url in (("forge", "https://api.forge.coreweave.com"), ("saas", "https://api.wandb.ai")):
            told = source(sandbox, name=name, url=url, also=[], options={"manifests": False})
            reader = Wandb(told, transport=way)
            assert pull(store, name, reader, registry=Registry.EMPTY).state is SyncState.SUCCEEDED
            reader.close()
        found = living(store)
        urls = [row.url for rows in store.reader.assets(store.reader.columns().asset.tolist()).values() for row in rows]
    assert way.hosts == {"api.forge.coreweave.com", "api.wandb.ai"}
    assert {name: sources for name, sources in found.items() if sources != {"forge", "saas"}} == {}
    assert len(found) == len(set(found)) > 15
    assert {url.partition("/acme")[0] for url in urls if url} == {"https://forge.coreweave.com/wandb"}
    store.close()


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that comes soon."""
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)
