"""How fine a walk is, and what a root stands for."""

import pytest

from watersmeet.federation.model import AssetKind, Direction, EdgeKind, Level

from .graphs import Told

K = AssetKind
READ, WRITE, DERIVE, DEPLOY = EdgeKind.READ, EdgeKind.WRITE, EdgeKind.DERIVE, EdgeKind.DEPLOY
PART_OF, VERSION_OF = EdgeKind.PART_OF, EdgeKind.VERSION_OF


@pytest.fixture
def told() -> Told:
    return Told()


def test_versions_of_a_dataset_are_shown_as_the_dataset(told: Told) -> None:
    told(K.DATASET_VERSION, "orders@1", "orders@2")
    for version in ("orders@1", "orders@2"):
        told.edge(version, VERSION_OF, "orders")
    told.ran("w", ["raw"], ["orders@1"], job="load")
    told.ran("r", ["orders@2"], ["report"], job="daily")
    assert told.upstream("report") == {"daily", "orders", "load", "raw"}
    assert told.upstream("report", Level.FINE) == {"r", "orders@2"}


def test_model_versions_deployments_and_runs_without_a_job_stay(told: Told) -> None:
    told(K.MODEL, "churn")
    told(K.MODEL_VERSION, "churn/1")
    told(K.DEPLOYMENT, "api")
    told.edge("churn/1", VERSION_OF, "churn")
    told.ran("r", ["orders"], ["churn/1"])
    told.edge("churn/1", DEPLOY, "api")
    assert told.walk("api", Direction.UPSTREAM).depth == {"api": 0, "churn/1": 1, "r": 2, "orders": 3}


def test_a_run_as_root_means_that_run(told: Told) -> None:
    told.ran("r1", ["orders"], ["report"], job="daily")
    told.ran("r2", ["clicks"], ["other"], job="daily")
    told.ran("r0", ["raw"], ["orders"], job="load")
    assert told.walk("r1", Direction.BOTH).edges == {
        ("orders", "READ", "r1"),
        ("r1", "WRITE", "report"),
        ("load", "WRITE", "orders"),
        ("raw", "READ", "load"),
    }


def test_a_version_of_a_dataset_as_root_means_that_version(told: Told) -> None:
    told(K.DATASET_VERSION, "orders@1", "orders@2")
    for version in ("orders@1", "orders@2"):
        told.edge(version, VERSION_OF, "orders")
    told.ran("w1", ["raw"], ["orders@1"], job="load")
    told.ran("w2", ["new"], ["orders@2"], job="load")
    assert told.upstream("orders@1") == {"load", "raw"}


def test_what_is_told_of_the_unversioned_thing_counts_for_each_version_as_inferred(told: Told) -> None:
    told(K.DATASET_VERSION, "orders@1")
    told.edge("orders@1", VERSION_OF, "orders")
    told.ran("w", ["raw"], ["orders"], job="load")
    for level in (Level.FINE, Level.ASSET):
        process = "w" if level is Level.FINE else "load"
        walk = told.walk("orders@1", Direction.UPSTREAM, level)
        assert (process, "WRITE", "orders@1") in walk.edges
        assert walk.inferred == {(process, "orders@1")}


def test_a_model_as_root_stands_for_its_versions_alive_then(told: Told) -> None:
    told(K.MODEL, "churn")
    told(K.MODEL_VERSION, "churn/1")
    told(K.MODEL_VERSION, "churn/2", tombstoned=50)
    told.edge("churn/1", VERSION_OF, "churn", start=10)
    told.edge("churn/2", VERSION_OF, "churn", start=20)
    told.ran("r1", ["orders"], ["churn/1"], at=10)
    told.ran("r2", ["clicks"], ["churn/2"], at=20)
    assert told.upstream("churn", at=15) == {"churn/1", "r1", "orders"}
    assert told.upstream("churn", at=30) == {"churn/1", "r1", "orders", "churn/2", "r2", "clicks"}
    assert told.upstream("churn", at=60) == {"churn/1", "r1", "orders"}


def test_a_model_as_root_reaches_what_serves_its_versions(told: Told) -> None:
    told(K.MODEL, "churn")
    told(K.MODEL_VERSION, "churn/1")
    told(K.DEPLOYMENT, "api")
    told.edge("churn/1", VERSION_OF, "churn")
    told.edge("churn/1", DEPLOY, "api")
    walk = told.walk("churn", Direction.DOWNSTREAM)
    assert walk.depth == {"churn": 0, "churn/1": 1, "api": 2}
    assert walk.edges == {("churn/1", "VERSION_OF", "churn"), ("churn/1", "DEPLOY", "api")}


@pytest.mark.parametrize(
    ("whole", "link"),
    [
        (K.PROMPT, VERSION_OF),
        (K.FEATURE_TABLE, PART_OF),
        (K.EXPERIMENT, PART_OF),
        (K.RUN, PART_OF),
    ],
)
def test_a_whole_as_root_stands_for_its_parts(told: Told, whole: AssetKind, link: EdgeKind) -> None:
    part = {K.PROMPT: K.PROMPT_VERSION, K.FEATURE_TABLE: K.FEATURE}.get(whole, K.RUN)
    told(whole, "whole")
    told(part, "part")
    told.edge("part", link, "whole")
    if part is K.RUN:
        told.ran("part", ["orders"], [])
    else:
        told.ran("r", ["orders"], ["part"])
    assert "orders" in told.upstream("whole")
    assert "orders" in told.upstream("whole", Level.FINE)


def test_parts_within_parts_belong_to_the_whole(told: Told) -> None:
    told(K.EXPERIMENT, "study")
    told(K.RUN, "sweep")
    told.edge("sweep", PART_OF, "study")
    told.ran("trial", ["orders"], ["report"], job="tune.py")
    told.edge("trial", PART_OF, "sweep")
    walk = told.walk("study", Direction.UPSTREAM)
    assert walk.depth == {"study": 0, "sweep": 1, "tune.py": 2, "orders": 3}


def test_a_job_as_root_stands_for_its_runs_where_only_they_are_told(told: Told) -> None:
    told.ran("r", ["orders"], ["report"], job="daily")
    assert told.upstream("daily", Level.FINE) == {"r", "orders"}
    assert told.upstream("daily") == {"orders"}


def test_a_read_without_a_version_reaches_the_writers_that_began_before_it_ended(told: Told) -> None:
    told(K.MODEL, "churn")
    told(K.MODEL_VERSION, "churn/1", "churn/2")
    told.edge("churn/1", VERSION_OF, "churn")
    told.edge("churn/2", VERSION_OF, "churn")
    told.ran("w1", ["orders"], ["churn/1"], at=10, ended=11)
    told.ran("w2", ["clicks"], ["churn/2"], at=50, ended=51)
    told.ran("score", ["churn"], ["scores"], at=20, ended=30)
    walk = told.walk("scores", Direction.UPSTREAM)
    assert set(walk.depth) == {"scores", "score", "churn", "churn/1", "w1", "orders"}
    assert walk.inferred == {("churn/1", "churn")}


def test_a_later_reader_opens_what_an_earlier_one_could_not_know(told: Told) -> None:
    told(K.MODEL, "churn")
    told(K.MODEL_VERSION, "churn/1", "churn/2")
    told.edge("churn/1", VERSION_OF, "churn")
    told.edge("churn/2", VERSION_OF, "churn")
    told.ran("w1", ["orders"], ["churn/1"], at=10, ended=11)
    told.ran("w2", ["clicks"], ["churn/2"], at=50, ended=51)
    told.ran("early", ["churn"], ["scores"], at=20, ended=30)
    told.ran("late", ["churn"], ["more"], at=60, ended=70)
    told.ran("sum", ["more"], ["scores"], at=80, ended=90)
    assert {"w1", "w2", "clicks"} <= told.upstream("scores")


def test_a_write_reaches_readers_without_a_version_that_ended_after_it_began(told: Told) -> None:
    told(K.MODEL, "churn")
    told(K.MODEL_VERSION, "churn/2")
    told.edge("churn/2", VERSION_OF, "churn")
    told.ran("w2", ["clicks"], ["churn/2"], at=50, ended=51)
    told.ran("before", ["churn"], ["scores"], at=20, ended=30)
    told.ran("after", ["churn"], ["more"], at=60, ended=70)
    assert told.downstream("clicks") == {"w2", "churn/2", "churn", "after", "more"}


def test_versions_are_not_crossed_where_both_sides_name_one(told: Told) -> None:
    told(K.MODEL, "churn")
    told(K.MODEL_VERSION, "churn/1", "churn/2")
    told.edge("churn/1", VERSION_OF, "churn")
    told.edge("churn/2", VERSION_OF, "churn")
    told.ran("w1", ["orders"], ["churn/1"])
    told.ran("w2", ["clicks"], ["churn/2"])
    told.ran("score", ["churn/2"], ["scores"])
    assert told.upstream("scores") == {"score", "churn/2", "w2", "clicks"}
    assert told.downstream("orders") == {"w1", "churn/1"}


def test_runs_of_datasets_meet_through_the_unversioned_table_as_told(told: Told) -> None:
    told(K.DATASET_VERSION, "orders@1")
    told.edge("orders@1", VERSION_OF, "orders")
    told.ran("w", ["raw"], ["orders@1"], at=10, ended=20)
    told.ran("r", ["orders"], ["report"], at=30, ended=40)
    assert told.upstream("report", Level.FINE) == {"r", "orders", "orders@1", "w", "raw"}


@pytest.fixture
def columns(told: Told) -> Told:
    """orders.amount → report.total through `daily`; report.region is told of the table only, by another job."""
    told(K.COLUMN, "orders.amount", "orders.id", "report.total", "report.region", "raw.amount")
    for column in ("orders.amount", "orders.id"):
        told.edge(column, PART_OF, "orders")
    for column in ("report.total", "report.region"):
        told.edge(column, PART_OF, "report")
    told.edge("raw.amount", PART_OF, "raw")
    told.ran("r", ["orders"], ["report"], job="daily")
    told.edge("orders.amount", DERIVE, "report.total", via="r")
    told.ran("l", ["raw"], ["orders"], job="load")
    return told


def test_a_column_as_root_implies_the_level_column(columns: Told) -> None:
    walk = columns.walk("report.total", Direction.UPSTREAM, Level.ASSET)
    assert "orders.amount" in walk.depth
    assert walk.exact["orders.amount"]


def test_where_only_the_table_is_told_the_walk_goes_on_at_the_table(columns: Told) -> None:
    walk = columns.walk("report.total", Direction.UPSTREAM)
    assert walk.depth == {"report.total": 0, "orders.amount": 1, "orders": 2, "load": 3, "raw": 4}
    assert walk.exact == {"report.total": True, "orders.amount": True, "orders": False, "load": False, "raw": False}
    assert ("orders.amount", "PART_OF", "orders") in walk.edges


def test_column_lineage_replaces_what_it_says_more_closely(columns: Told) -> None:
    assert columns.upstream("report.region") == set()
    assert columns.downstream("orders.id") == set()
    assert columns.downstream("orders.amount") == {"report.total"}


def test_an_input_that_no_column_names_goes_on_at_the_table(columns: Told) -> None:
    columns.edge("lookup", READ, "r")
    walk = columns.walk("report.total", Direction.UPSTREAM)
    assert {"orders.amount", "report", "daily", "lookup"} <= set(walk.depth)
    assert not walk.exact["lookup"]
    assert ("orders", "READ", "daily") not in walk.edges


def test_what_has_no_columns_stays_exact(told: Told) -> None:
    told(K.COLUMN, "orders.amount")
    told.edge("orders.amount", PART_OF, "orders")
    told(K.MODEL_VERSION, "churn/1")
    told(K.DEPLOYMENT, "api")
    told.edge("orders.amount", DERIVE, "churn/1")
    told.edge("churn/1", DEPLOY, "api")
    walk = told.walk("orders.amount", Direction.DOWNSTREAM)
    assert walk.depth == {"orders.amount": 0, "churn/1": 1, "api": 2}
    assert all(walk.exact.values())


def test_a_table_at_the_level_column_stands_for_its_columns(columns: Told) -> None:
    walk = columns.walk("report", Direction.UPSTREAM, Level.COLUMN)
    assert {"report.total", "report.region", "orders.amount"} <= set(walk.depth)
    assert walk.exact["report"]
    assert walk.exact["report.total"]


def test_columns_are_shown_as_their_tables_at_the_level_asset(columns: Told) -> None:
    assert columns.upstream("report", Level.ASSET) == {"daily", "orders", "load", "raw"}
    columns.edge("clicks.url", PART_OF, "clicks")
    columns(K.COLUMN, "clicks.url")
    columns.edge("clicks.url", DERIVE, "report.region")
    assert ("clicks", "DERIVE", "report") in columns.walk("report", Direction.UPSTREAM).edges
