"""What the events of a run, a job or a dataset add up to."""

from datetime import datetime
from typing import Any

import pytest

from watersmeet.federation.model import (
    AssetKind,
    EdgeKind,
    Evidence,
    Form,
    Nature,
    Role,
    RunState,
    Spelling,
)
from watersmeet.federation.openlineage import project

from .openlineage_events import (
    PG,
    RUN,
    column_lineage,
    edges,
    facet,
    met,
    projected,
    records,
    run_event,
    scope_of,
    short,
    table,
    taken,
)

RUN_ID = f"run:{RUN}"
JOB_ID = "job:prod/marts"
OTHER_RUN = "0190a0e0-0000-7000-8000-000000000002"


def at(minute: int) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T10:{minute:02}:00+00:00")


def run_of(*events: Any) -> Any:
    return records(scope_of(*events))[RUN_ID].run


# The life of a run


def test_an_end_before_its_start_gives_the_right_times_and_a_late_start_reopens_nothing() -> None:
    """OpenLineage, receive check 3."""
    told = run_of(run_event("COMPLETE", minute=5), run_event("START", minute=1), run_event("START", minute=9))
    assert (told.state, told.started_at, told.ended_at) == (RunState.SUCCEEDED, at(1), at(5))


@pytest.mark.parametrize("minutes", [(5, 6), (6, 5), (5, 5)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_failure_wins_over_every_other_end(minutes: tuple[int, int], turned: bool) -> None:
    """OpenLineage, receive check 4: what Spark sends of a failed write."""
    both = [run_event("FAIL", minute=minutes[0]), run_event("COMPLETE", minute=minutes[1])]
    projection = projected(*(reversed(both) if turned else both))
    told = records(projection.scopes[0])[RUN_ID].run
    assert told is not None
    assert (told.state, told.ended_at) == (RunState.FAILED, at(minutes[0]))
    [warning] = projection.skipped
    assert "conflict" in warning.reason
    assert not warning.lost


def test_a_run_without_an_end_is_running() -> None:
    assert run_of(run_event("START")).state is RunState.RUNNING
    assert run_of(run_event("OTHER")).state is RunState.RUNNING
    assert run_of(run_event(None)).state is RunState.UNKNOWN
    assert run_of(run_event("START"), run_event("ABORT")).state is RunState.ABORTED


def test_a_run_begins_with_its_first_start_whatever_was_told_before() -> None:
    told = run_of(run_event("OTHER", minute=1), run_event("START", minute=3), run_event("START", minute=4))
    assert (told.state, told.started_at, told.ended_at) == (RunState.RUNNING, at(3), None)


def test_a_run_whose_start_was_lost_begins_with_the_first_that_was_heard() -> None:
    assert run_of(run_event("RUNNING", minute=4), run_event("OTHER", minute=2)).started_at == at(2)
    assert run_of(run_event("RUNNING", minute=4), run_event("COMPLETE", minute=7)).started_at == at(4)


def test_a_run_that_goes_on_may_have_an_error_and_no_conflict() -> None:
    projection = projected(run_event("RUNNING", minute=2, run_facets={"errorMessage": facet(message="one task died")}))
    told = records(projection.scopes[0])[RUN_ID].run
    assert told is not None
    assert (told.state, told.started_at, told.error) == (RunState.RUNNING, at(2), "one task died")
    assert projection.skipped == ()


def test_a_run_says_why_it_failed() -> None:
    assert run_of(run_event("FAIL", run_facets={"errorMessage": facet(message="no room")})).error == "no room"
    spark = {"spark.exception": facet(stackTrace="java.lang.Oops: no\n\tat x\n\tat y")}
    assert run_of(run_event("FAIL", run_facets=spark)).error == "java.lang.Oops: no"


def test_a_scope_of_a_run_happened_and_is_as_new_as_its_newest_event() -> None:
    scope = scope_of(run_event("START", minute=1), run_event("COMPLETE", minute=7))
    assert (scope.key, scope.nature, scope.stated_at) == (f"run/{RUN}", Nature.HAPPENED, at(7))


# Facets


def test_a_later_facet_replaces_the_earlier_one_and_a_deleted_one_goes() -> None:
    first = run_event("START", minute=1, run_facets={"a": facet(x=1, y=2)}, job_facets={"sql": facet(query="1")})
    last = run_event("COMPLETE", minute=2, run_facets={"a": facet(x=3)}, job_facets={"sql": facet(_deleted=True)})
    found = records(scope_of(last, first))
    assert found[RUN_ID].facets["a"] == facet(x=3)
    assert "sql" not in found[JOB_ID].facets


def test_facets_come_in_the_common_form_and_as_they_were() -> None:
    schema = facet(fields=[{"name": "a", "type": "int"}, {"name": "s", "fields": [{"name": "b", "description": "B"}]}])
    tags = facet(tags=[{"key": "tier", "value": "gold"}, {"key": "pii", "value": "true", "field": "s.b"}])
    facets = {
        "schema": schema,
        "tags": tags,
        "ownership": facet(owners=[{"name": "team:x", "type": "MAINTAINER"}]),
        "documentation": facet(description="All orders."),
        "datasetType": facet(datasetType="VIEW"),
    }
    found = records(scope_of(run_event(outputs=[table("db.s.t", facets)])))
    record = found[f"{PG}/db.s.t"]
    assert record.description == "All orders."
    assert (record.kind, record.subtype) == (AssetKind.DATASET, "view")
    assert record.facets["owners"] == [{"name": "team:x", "role": "MAINTAINER"}]
    assert record.facets["tags"] == [{"key": "tier", "value": "gold"}]
    assert record.facets["schema"] == [
        {"name": "a", "type": "int"},
        {"name": "s"},
        {"name": "s.b", "description": "B"},
    ]
    assert (record.facets["openlineage:schema"], record.facets["openlineage:tags"]) == (schema, tags)
    column = found[f"{PG}/db.s.t#s.b"]
    assert (column.kind, column.description) == (AssetKind.COLUMN, "B")
    assert column.facets["tags"] == [{"key": "pii", "value": "true"}]


def test_what_was_counted_of_a_dataset_stays_with_the_run() -> None:
    rows = facet(rowCount=5)
    event = run_event(
        inputs=[table("db.s.a", inputFacets={"inputStatistics": rows})],
        outputs=[table("db.s.b", outputFacets={"outputStatistics": rows})],
        run_facets={"executionParameters": facet(parameters=[{"key": "depth", "value": 6}])},
    )
    told = records(scope_of(event))[RUN_ID].facets
    assert told["inputFacets"] == {f"{PG}/db.s.a": {"inputStatistics": rows}}
    assert told["outputFacets"] == {f"{PG}/db.s.b": {"outputStatistics": rows}}
    assert told["parameters"] == {"depth": "6"}


def test_the_teller_is_the_producer_without_its_version() -> None:
    def teller(producer: str) -> str | None:
        return records(scope_of(run_event(producer=producer)))[JOB_ID].teller

    ol = "https://github.com/OpenLineage/OpenLineage/tree"
    assert teller(f"{ol}/1.54.0/integration/dbt") == f"{ol}/integration/dbt"
    assert teller("https://github.com/apache/airflow/tree/providers-openlineage/2.20.3").endswith("openlineage")  # type: ignore[union-attr]  # it has one
    assert teller(f"{ol}/1.54.0/integration/dbt") != teller(f"{ol}/1.54.0/integration/spark")
    assert teller("") is None


def test_spellings_come_verbatim_and_other_names_as_symlinks() -> None:
    facets = {
        "symlinks": facet(identifiers=[{"namespace": "hive://m:9083", "name": "d.t", "type": "TABLE"}]),
        "dataSource": facet(name="db", uri="postgresql://db:5432/shop"),
        "lifecycleStateChange": facet(
            lifecycleStateChange="RENAME", previousIdentifier={"namespace": PG, "name": "db.s.old"}
        ),
    }
    event = run_event(outputs=[table("db.s.t", facets, "postgresql://DB")])
    assert set(records(scope_of(event))[f"{PG}/db.s.t"].spellings) == {
        Spelling(Form.OPENLINEAGE, ("postgresql://DB", "db.s.t")),
        Spelling(Form.SYMLINK, ("hive://m:9083", "d.t", "TABLE")),
        Spelling(Form.SYMLINK, (PG, "db.s.old", "RENAMED")),
        Spelling(Form.URI, ("postgresql://db:5432/shop",), weak=True),
    }


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("a b", "c d"),
        ("größe", "注文"),
        ("ns#1", "a#b"),
        ("a:b:c", "d:e"),
        ("n" * 4096, "m" * 4096),
        ("k=v;x", "a/b"),
    ],
)
def test_names_come_back_unchanged(namespace: str, name: str) -> None:
    """OpenLineage, receive check 11."""
    event = run_event(outputs=[table(name, namespace=namespace)], job={"namespace": namespace, "name": name})
    found = records(scope_of(event))
    assert found[f"{namespace}/{name}"].name == name
    assert found[f"{namespace}/{name}"].spellings == (Spelling(Form.OPENLINEAGE, (namespace, name)),)
    assert found[f"job:{namespace}/{name}"].spellings == (Spelling(Form.OPENLINEAGE_JOB, (namespace, name)),)


@pytest.mark.parametrize(
    ("namespace", "name", "type_", "kind"),
    [
        ("mlflow://h", "models/churn", None, AssetKind.MODEL),
        ("mlflow://h", "models/churn/3", None, AssetKind.MODEL_VERSION),
        ("mlflow://h", "models/churn/3", "MODEL", AssetKind.MODEL_VERSION),
        ("mlflow://h", "prompts/qa/1", None, AssetKind.PROMPT_VERSION),
        ("kserve://prod", "api", "ENDPOINT", AssetKind.DEPLOYMENT),
        ("feast", "view", "FEATURE_VIEW", AssetKind.FEATURE_TABLE),
        (PG, "db.s.t", "TABLE", AssetKind.DATASET),
        (PG, "db.s.t", "RUN", AssetKind.DATASET),
    ],
)
def test_kinds_are_told_by_the_type_and_by_the_names_of_mlflow(
    namespace: str, name: str, type_: str | None, kind: AssetKind
) -> None:
    facets = {"datasetType": facet(datasetType=type_)} if type_ else {}
    assert records(scope_of(run_event(outputs=[table(name, facets, namespace)])))[f"{namespace}/{name}"].kind is kind


def test_a_version_that_is_told_is_what_was_read_or_written() -> None:
    read = table("db.s.a", inputFacets={"icebergScanReport": facet(snapshotId=7)})
    written = table("db.s.b", {"version": facet(datasetVersion="v2")})
    scope = scope_of(run_event(inputs=[read], outputs=[written]))
    [one], [other] = edges(scope, EdgeKind.READ), edges(scope, EdgeKind.WRITE)
    assert (one.upstream, other.downstream) == (f"version:{PG}/db.s.a@7", f"version:{PG}/db.s.b@v2")
    assert {(edge.upstream, edge.downstream) for edge in edges(scope, EdgeKind.VERSION_OF)} == {
        (f"version:{PG}/db.s.{name}", f"{PG}/db.s.{name[0]}") for name in ("a@7", "b@v2")
    }
    assert records(scope)[one.upstream].kind is AssetKind.DATASET_VERSION


# Around the run


def test_parent_and_root_are_known_by_name() -> None:
    parent = facet(
        run={"runId": OTHER_RUN},
        job={"namespace": "prod", "name": "task"},
        root={"run": {"runId": "root"}, "job": {"namespace": "prod", "name": "dag"}},
    )
    scope = scope_of(run_event(run_facets={"parent": parent}))
    part_of = {(edge.upstream, edge.downstream) for edge in edges(scope, EdgeKind.PART_OF)}
    root = next(name for name in records(scope) if name.startswith("run:") and name not in (RUN_ID, f"run:{OTHER_RUN}"))
    assert part_of == {
        (RUN_ID, f"run:{OTHER_RUN}"),
        (JOB_ID, "job:prod/task"),
        (f"run:{OTHER_RUN}", root),
        ("job:prod/task", "job:prod/dag"),
    }
    assert not records(scope)[f"run:{OTHER_RUN}"].described
    assert (RUN_ID, JOB_ID) in {(edge.upstream, edge.downstream) for edge in edges(scope, EdgeKind.RUN_OF)}


def test_control_flow_is_no_data_flow() -> None:
    def job(name: str) -> dict[str, Any]:
        return {"job": {"namespace": "prod", "name": name}}

    facets = {"jobDependencies": facet(upstream=[job("before")], downstream=[job("after")])}
    scope = scope_of(run_event(run_facets=facets))
    assert {(edge.upstream, edge.downstream) for edge in edges(scope, EdgeKind.ORDER)} == {
        ("job:prod/before", JOB_ID),
        (JOB_ID, "job:prod/after"),
    }


def test_the_code_that_ran_is_read_where_its_revision_is_told() -> None:
    where = {"type": "git", "url": "https://g/x/blob/abc/a.py", "repoUrl": "https://g/x.git"}
    told = run_event(outputs=[table("db.s.x")], job_facets={"sourceCodeLocation": facet(**where, version="abc")})
    [read] = edges(scope_of(told), EdgeKind.READ)
    assert (read.upstream, read.role) == ("code:https://g/x.git@abc", Role.CODE)
    assert records(scope_of(told))[read.upstream].spellings == (Spelling(Form.GIT, ("https://g/x.git", "abc")),)
    vague = run_event(job_facets={"sourceCodeLocation": facet(**where)})
    assert edges(scope_of(vague), EdgeKind.READ) == []
    assert records(scope_of(vague))[JOB_ID].url == where["url"]


def test_an_assertion_is_one_evaluation_in_whichever_slots_it_is_told() -> None:
    told = {"dataQualityAssertions": facet(assertions=[{"assertion": "not_null", "column": "k", "success": False}])}
    scope = scope_of(run_event(inputs=[table("db.s.a", told, inputFacets=told)]))
    [check] = edges(scope, EdgeKind.CHECK)
    assert (check.upstream, check.via) == (f"{PG}/db.s.a#k", RUN_ID)
    evaluation = records(scope)[check.downstream]
    assert (evaluation.kind, evaluation.subtype) == (AssetKind.EVALUATION, "not_null")
    assert evaluation.facets["result"]["success"] is False


def test_a_test_of_nothing_in_particular_is_part_of_its_run() -> None:
    scope = scope_of(run_event(run_facets={"test": facet(tests=[{"name": "auc", "status": "pass"}])}))
    [part] = edges(scope, EdgeKind.PART_OF)
    assert part.downstream == RUN_ID
    assert records(scope)[part.upstream].facets["result"]["success"] is True


def test_a_table_that_a_run_dropped_is_gone_when_it_is_done() -> None:
    drop = {"lifecycleStateChange": facet(lifecycleStateChange="DROP")}
    start, end = (
        run_event(kind, minute=n, outputs=[table("db.s.x", drop)]) for kind, n in (("START", 1), ("COMPLETE", 2))
    )
    assert [one.is_withdrawn for one in projected(start).tombstones] == [True]
    [stone] = projected(start, end).tombstones
    assert (stone.native_id, stone.at) == (f"{PG}/db.s.x", at(2))
    failed = projected(start, end, run_event("FAIL", minute=3)).tombstones
    assert [(one.native_id, one.is_withdrawn) for one in failed] == [(f"{PG}/db.s.x", True)]
    assert failed[0].teller == stone.teller


def test_a_column_that_a_parser_numbered_is_suspect_where_the_schema_lacks_it() -> None:
    schema = {"schema": facet(fields=[{"name": "total"}])}
    event = run_event(
        inputs=[table("db.s.a")], outputs=[table("db.s.x", column_lineage(_0=[("db.s.a", "k")]) | schema)]
    )
    assert records(scope_of(event))[f"{PG}/db.s.x#_0"].suspect
    assert not records(scope_of(event))[f"{PG}/db.s.a#k"].suspect


def test_indirect_columns_act_on_the_whole_dataset() -> None:
    facets = column_lineage([("db.s.a", "f")], k=[("db.s.a", "k")])
    scope = scope_of(run_event(inputs=[table("db.s.a")], outputs=[table("db.s.x", facets)]))
    assert {(short(edge.upstream), short(edge.downstream)) for edge in edges(scope, EdgeKind.DERIVE)} == {
        ("a#f", "x"),
        ("a#k", "x#k"),
    }


# Declarations


def source(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "DATASET", "namespace": PG, "name": name, **more}


def job_event(minute: int = 5, **more: Any) -> dict[str, Any]:
    return {**run_event(None, minute=minute, **more), "run": None, "schemaURL": "…#/$defs/JobEvent"}


def test_a_job_event_declares_and_replaces() -> None:
    first = job_event(1, inputs=[table("db.s.a")], outputs=[table("db.s.x")])
    second = job_event(2, inputs=[table("db.s.b")], outputs=[table("db.s.x")])
    scopes = projected(second, first).scopes
    assert [(scope.key, scope.nature, scope.stated_at) for scope in scopes] == [
        ("job/prod/marts", Nature.TIMED, at(1)),
        ("job/prod/marts", Nature.TIMED, at(2)),
    ]
    assert [met(scope) for scope in scopes] == [{("a", "x")}, {("b", "x")}]
    [read] = edges(scopes[0], EdgeKind.READ)
    assert (read.downstream, read.evidence, read.valid_from) == (JOB_ID, Evidence.DECLARED, None)


def test_a_dataset_event_describes_and_may_say_what_the_dataset_was_made_of() -> None:
    lineage = facet(
        inputs=[source("db.s.a"), {"type": "JOB", "namespace": "prod", "name": "load"}],
        fields={"k": {"inputs": [source("db.s.b", field="k")]}},
    )
    event = {"dataset": table("db.s.x", {"lineage": lineage}), "eventTime": "2026-03-01T10:00:00Z"}
    scope = scope_of(event)
    assert (scope.key, scope.nature) == (f"dataset/{PG}/db.s.x", Nature.TIMED)
    assert {(short(edge.upstream), short(edge.downstream)) for edge in edges(scope, EdgeKind.DERIVE)} == {
        ("a", "x"),
        ("b", "x"),
        ("b#k", "x#k"),
    }
    [write] = edges(scope, EdgeKind.WRITE)
    assert (write.upstream, write.evidence) == ("job:prod/load", Evidence.DECLARED)


def test_a_dataset_event_can_say_that_the_dataset_is_gone() -> None:
    drop = {"lifecycleStateChange": facet(lifecycleStateChange="DROP")}
    projection = projected({"dataset": table("db.s.x", drop), "eventTime": "2026-03-01T10:00:00Z"})
    [stone] = projection.tombstones
    assert (stone.native_id, stone.at) == (f"{PG}/db.s.x", at(0))


def test_what_cannot_be_read_any_more_is_kept_aside_and_the_rest_goes_on() -> None:
    admitted = taken(run_event())
    projection = project(admitted.entity, [b"{torn", admitted.body, b"[]"])
    assert len(projection.scopes) == 1
    assert [skipped.lost for skipped in projection.skipped] == [True, True]
    assert project(admitted.entity, [b"{torn"]).scopes == ()
    assert project(admitted.entity, []).scopes == ()
