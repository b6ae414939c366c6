"""The graph goes out as OpenLineage and comes in elsewhere; the numbers are those of the guides' acceptance checks."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from watersmeet.api.exporting import Chosen, exported
from watersmeet.config.settings import Source
from watersmeet.connectors import story
from watersmeet.connectors.openlineage.read import OpenLineage
from watersmeet.federation.connector import Batch
from watersmeet.federation.model import (
    AssetKind,
    Edge,
    EdgeKind,
    Evidence,
    Form,
    Nature,
    Record,
    Run,
    RunState,
    Scope,
    Spelling,
)
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

from ..measured import measured, watersmeet
from ..scale import how_many

Pairs = set[tuple[str, str]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The store that is exported."""
    with opened(tmp_path / "first.db") as made:
        yield made


def opened(file: Path) -> Store:
    store = Store.open(f"sqlite:///{file}")
    store.journal.declare([SourceRow("here", "here", "openlineage", None, 0)])
    return store


def tell(store: Store, events: list[dict[str, Any]], folder: Path) -> None:
    """Let a store read events from a file, as a person would."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "events.ndjson").write_text("".join(json.dumps(event) + "\n" for event in events))
    source = Source.model_validate({"name": "here", "platform": "openlineage", "path": str(folder)})
    row = pull(store, "here", OpenLineage(source), registry=Registry.EMPTY, full=True)
    assert row.error is None, row.message


def flows(store: Store) -> tuple[Pairs, dict[str, RunState]]:
    """Pairs of a dataset and the one made of it in one flow of one run, and how the runs ended."""
    columns = store.reader.columns()
    rows = {row.id: row for rows in store.reader.assets(columns.asset.tolist()).values() for row in rows}
    read: dict[tuple[int, int], set[str]] = {}
    written: dict[tuple[int, int], set[str]] = {}
    for edge in store.reader.edges(columns.claim.tolist()).values():
        if rows[edge.upstream].kind in (AssetKind.JOB, AssetKind.CODE) or edge.planned:
            continue
        if edge.kind is EdgeKind.READ:
            read.setdefault((edge.downstream, edge.flow), set()).add(rows[edge.upstream].name)
        elif edge.kind is EdgeKind.WRITE:
            written.setdefault((edge.upstream, edge.flow), set()).add(rows[edge.downstream].name)
    pairs = {(up, down) for key, downs in written.items() for down in downs for up in read.get(key, ())}
    states = {row.native_id: row.run.state for row in rows.values() if row.run}
    return pairs, states


def export(store: Store, profile: str, **chosen: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(store, profile, Chosen(**chosen))]


def test_a_part_that_goes_out_marks_its_boundary(store: Store, tmp_path: Path) -> None:
    """OpenLineage, export check 12: by namespace and by time; what lies outside comes in as a stub."""
    tell(store, list(story.events("tracking:5000")), tmp_path / "events")
    part = export(store, "full", namespaces=("airflow", "s3://lake"), since=datetime(2025, 1, 12, tzinfo=UTC))
    with opened(tmp_path / "second.db") as second:
        tell(second, part, tmp_path / "part")
        rows = [row for rows in second.reader.assets(second.reader.columns().asset.tolist()).values() for row in rows]
        described = {row.name for row in rows if row.described and row.kind is AssetKind.DATASET}
        stubs = {row.native_id for row in rows if not row.described}
        runs = [row for row in rows if row.kind is AssetKind.RUN and row.described]
    assert "features/customer_features" in described
    assert "postgres://warehouse:5432/shop.marts.customer_orders" in stubs
    assert [row.run.started_at for row in runs if row.run] == [datetime(2025, 1, 12, 4, tzinfo=UTC)]


def test_a_platform_alone_can_go_out(store: Store, tmp_path: Path) -> None:
    tell(store, list(story.events("tracking:5000")), tmp_path / "events")
    assert export(store, "full", platforms=("mlflow",)) == []
    assert export(store, "full", platforms=("openlineage",)) == export(store, "full")


def run_of(number: int, count: int) -> Scope:
    """One run with so many parameters, of a hundred bytes each."""
    native = f"run:{number:08x}-0000-7000-8000-000000000000"
    at = datetime(2026, 1, 1, tzinfo=UTC)
    job = Record("job:etl/load", AssetKind.JOB, "load", spellings=(Spelling(Form.OPENLINEAGE_JOB, ("etl", "load")),))
    parameters = [{"key": f"p{place}", "value": f"{number} {place}" + "x" * 90} for place in range(count)]
    run = Record(native, AssetKind.RUN, native, run=Run(RunState.SUCCEEDED, at, at), facets={"parameters": parameters})
    table = Record("s3://lake/t", AssetKind.DATASET, "t", spellings=(Spelling(Form.OPENLINEAGE, ("s3://lake", "t")),))
    edges = (
        Edge(native, job.native_id, EdgeKind.RUN_OF, evidence=Evidence.OBSERVED, valid_from=at),
        Edge(native, table.native_id, EdgeKind.WRITE, evidence=Evidence.OBSERVED, valid_from=at),
    )
    return Scope(f"run/{number}", (run, job, table), edges, nature=Nature.HAPPENED)


def cost_of_exporting(folder: Path, runs: int, parameters: int) -> tuple[int, int]:
    """The bytes that `watersmeet export` writes of so many runs, and those that it holds at most meanwhile."""
    folder.mkdir()
    with opened(folder / "store.db") as store:
        for first in range(0, runs, 250):
            batch = Batch(tuple(run_of(first + number, parameters) for number in range(250)))
            store.ledger.write("here", batch, read_started_at=datetime.now(UTC))
    config = folder / "watersmeet.yaml"
    config.write_text(json.dumps({"store": {"url": f"sqlite:///{folder / 'store.db'}"}}))
    command = watersmeet("--config", str(config), "export", "openlineage", "--output", str(folder / "out.ndjson"))
    done = measured(command)
    assert done.code == 0, done.err
    with (folder / "out.ndjson").open("rb") as written:
        assert sum(b'"COMPLETE"' in line for line in written) == runs
    return (folder / "out.ndjson").stat().st_size, round(done.megabytes * 2**20)


@pytest.mark.hard
@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell the memory of a process in other units")
def test_runs_stream_and_only_a_name_of_each_is_held(tmp_path: Path) -> None:
    """OpenLineage, export check 14: ten times as many runs take as much memory, but for about 1 kB each."""
    runs = how_many(quick=2500, ci=20_000, long=100_000)
    parameters = how_many(quick=40, ci=5, long=5)
    _, few = cost_of_exporting(tmp_path / "few", runs // 10, parameters)
    size, many = cost_of_exporting(tmp_path / "many", runs, parameters)
    print(f"{runs:,} runs: {size / 1e6:.0f} MB of events, {many / 1e6:.0f} MB of memory, {few / 1e6:.0f} for a tenth")
    assert size > runs * parameters * 100
    assert many - few < 25_000_000 + runs * 1000
