"""What passes through a run or job, and what failed."""

import pytest

from watersmeet.federation.model import AssetKind, Direction, EdgeKind, Level, Role

from .graphs import Told

DATASET, RUN, JOB, MODEL_VERSION = AssetKind.DATASET, AssetKind.RUN, AssetKind.JOB, AssetKind.MODEL_VERSION
READ, WRITE, DERIVE = EdgeKind.READ, EdgeKind.WRITE, EdgeKind.DERIVE


@pytest.fixture
def told() -> Told:
    return Told()


def test_two_runs_of_one_script_keep_their_tables_apart_and_show_the_job_once(told: Told) -> None:
    told(MODEL_VERSION, "churn/1", "churn/2")
    told.ran("r1", ["orders"], ["churn/1"], job="train.py", at=10)
    told.ran("r2", ["clicks"], ["churn/2"], job="train.py", at=20)
    assert told.upstream("churn/1") == {"train.py", "orders"}
    assert told.upstream("churn/2") == {"train.py", "clicks"}
    walk = told.walk("train.py", Direction.BOTH)
    assert walk.order.count("train.py") == 1
    assert set(walk.depth) == {"train.py", "orders", "clicks", "churn/1", "churn/2"}


def test_equal_flows_of_many_runs_are_one_from_the_earliest_run_on(told: Told) -> None:
    for number, start in enumerate((30, 10, 20)):
        told.ran(f"r{number}", ["orders"], ["report"], job="daily", at=start)
    assert told.upstream("report", at=9) == set()
    assert told.upstream("report", at=10) == {"daily", "orders"}
    assert told.upstream("report") == {"daily", "orders"}


def test_a_run_whose_edges_began_at_different_times_is_cut_as_told(told: Told) -> None:
    told.edge("orders", READ, "r1", start=10)
    told.edge("r1", WRITE, "report", start=20)
    told.edge("orders", READ, "r2", start=18)
    told.edge("r2", WRITE, "report", start=12)
    told(RUN, "r1", "r2")
    told(JOB, "daily")
    for run in ("r1", "r2"):
        told.edge(run, EdgeKind.RUN_OF, "daily")
    assert "orders" not in told.upstream("report", at=15)
    assert "orders" in told.upstream("report", at=18)


def test_a_walk_that_enters_a_process_by_a_flow_leaves_by_it(told: Told) -> None:
    told(RUN, "r")
    told.edge("a", READ, "r", flow=1)
    told.edge("r", WRITE, "x", flow=1)
    told.edge("b", READ, "r", flow=2)
    told.edge("r", WRITE, "y", flow=2)
    for level in (Level.FINE, Level.ASSET, Level.COLUMN):
        assert told.upstream("x", level) == {"r", "a"}
        assert told.downstream("b", level) == {"r", "y"}


def test_records_of_one_run_meet_in_flow_0_only(told: Told) -> None:
    told(RUN, "r")
    told(RUN, "r elsewhere", same="r")
    told.edge("a", READ, "r")
    told.edge("r elsewhere", WRITE, "x")
    told.edge("b", READ, "r", flow=1)
    told.edge("r elsewhere", WRITE, "y", flow=1)
    assert told.upstream("x") == {"r", "a"}
    assert told.upstream("y") == {"r"}


def test_two_declarations_of_one_job_are_not_mixed(told: Told) -> None:
    told(JOB, "daily")
    told(JOB, "daily elsewhere", same="daily")
    told.edge("a", READ, "daily")
    told.edge("daily", WRITE, "x")
    told.edge("b", READ, "daily elsewhere")
    told.edge("daily elsewhere", WRITE, "y")
    assert told.upstream("x") == {"daily", "a"}
    assert told.upstream("y") == {"daily", "b"}


def test_an_evaluation_table_is_no_ancestor_of_the_model(told: Told) -> None:
    told(MODEL_VERSION, "churn/1")
    told(RUN, "r")
    told.edge("train", READ, "r", role=Role.TRAINING)
    told.edge("test", READ, "r", role=Role.EVALUATION)
    told.edge("r", WRITE, "churn/1")
    told.edge("r", WRITE, "errors")
    for level in (Level.FINE, Level.ASSET):
        assert told.upstream("churn/1", level) == {"r", "train"}
        assert told.downstream("test", level) == {"r", "errors"}
        assert told.upstream("errors", level) == {"r", "train", "test"}


def test_another_source_that_knows_no_roles_does_not_make_it_one(told: Told) -> None:
    told(MODEL_VERSION, "churn/1")
    told(RUN, "r")
    told(RUN, "r elsewhere", same="r")
    told.edge("test", READ, "r", role=Role.EVALUATION)
    told.edge("test", READ, "r elsewhere")
    told.edge("train", READ, "r elsewhere")
    told.edge("r", WRITE, "churn/1")
    assert told.upstream("churn/1") == {"r", "train"}


def test_a_table_used_for_both_is_an_ancestor(told: Told) -> None:
    told(MODEL_VERSION, "churn/1")
    told(RUN, "r")
    told.edge("table", READ, "r", role=Role.EVALUATION)
    told.edge("table", READ, "r", role=Role.TRAINING)
    told.edge("r", WRITE, "churn/1")
    assert told.upstream("churn/1") == {"r", "table"}


def test_a_plan_is_shown_as_told_and_nowhere_else(told: Told) -> None:
    told(RUN, "r")
    told.edge("orders", READ, "r")
    told.edge("r", WRITE, "report", planned=True)
    assert told.upstream("report", Level.FINE) == {"r", "orders"}
    assert told.upstream("report", Level.ASSET) == set()
    assert told.downstream("orders", Level.ASSET) == {"r"}


def test_a_derivation_through_a_run_says_no_more_than_its_flow(told: Told) -> None:
    told.ran("r", ["orders"], ["report"], job="daily")
    told.edge("orders", DERIVE, "report", via="r")
    told.edge("clicks", DERIVE, "report", via="r")
    assert told.walk("report", Direction.UPSTREAM).edges == {
        ("orders", "READ", "daily"),
        ("daily", "WRITE", "report"),
        ("clicks", "DERIVE", "report"),
    }


def test_a_derivation_older_than_the_flow_is_kept(told: Told) -> None:
    told.ran("r", ["orders"], ["report"], job="daily", at=20)
    told.edge("orders", DERIVE, "report", via="r", start=10)
    assert told.upstream("report", at=15) == {"orders"}


def test_an_edge_from_a_thing_to_itself_shows_as_told_and_adds_no_depth(told: Told) -> None:
    told.edge("orders", DERIVE, "orders")
    told.edge("orders", DERIVE, "report")
    fine = told.walk("report", Direction.UPSTREAM, Level.FINE)
    assert ("orders", "DERIVE", "orders") in fine.edges
    assert fine.depth == {"report": 0, "orders": 1}
    assert told.walk("report", Direction.UPSTREAM).edges == {("orders", "DERIVE", "report")}


def test_control_flow_is_never_data_flow(told: Told) -> None:
    told(JOB, "first", "second")
    told.edge("first", EdgeKind.ORDER, "second")
    assert told.downstream("first") == set()


def test_data_may_flow_from_job_to_job(told: Told) -> None:
    told(JOB, "first", "second")
    told.edge("orders", READ, "first")
    told.edge("first", DERIVE, "second")
    told.edge("second", WRITE, "report")
    assert told.upstream("report") == {"second", "first", "orders"}


def test_depth_counts_edges_and_a_run_is_a_step_of_its_own(told: Told) -> None:
    told.ran("r", ["orders"], ["report"], job="daily")
    told.edge("report", EdgeKind.DEPLOY, "page")
    assert told.walk("page", Direction.UPSTREAM).depth == {"page": 0, "report": 1, "daily": 2, "orders": 3}
    assert told.upstream("page", depth=2) == {"report", "daily"}


def test_both_is_the_union_of_the_two_one_way_walks(told: Told) -> None:
    told.ran("r1", ["orders"], ["report"], job="daily")
    told.ran("r2", ["orders", "clicks"], ["other"], job="else")
    walk = told.walk("report", Direction.BOTH)
    assert set(walk.depth) == {"report", "daily", "orders"}
