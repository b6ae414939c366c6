"""What met what inside one process, and what became of what a run says it wrote."""

from datetime import datetime
from typing import Any

import pytest

from watersmeet.federation.model import (
    EdgeKind,
    Evidence,
    RunState,
)

from .openlineage_events import (
    PG,
    RUN,
    column_lineage,
    edges,
    facet,
    job_type,
    met,
    records,
    run_event,
    scope_of,
    short,
    table,
)

RUN_ID = f"run:{RUN}"
JOB_ID = "job:prod/marts"
OTHER_RUN = "0190a0e0-0000-7000-8000-000000000002"


def at(minute: int) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T10:{minute:02}:00+00:00")


# Flows


def test_without_lineage_every_input_meets_every_output() -> None:
    scope = scope_of(run_event(inputs=[table("a"), table("b")], outputs=[table("x"), table("y")]))
    assert {edge.flow for edge in (*edges(scope, EdgeKind.READ), *edges(scope, EdgeKind.WRITE))} == {0}
    assert len(met(scope)) == 4


def test_inputs_and_outputs_add_up_over_the_events_of_a_run() -> None:
    scope = scope_of(
        run_event("START", minute=1, inputs=[table("db.s.a")]),
        run_event("RUNNING", minute=2, inputs=[table("db.s.b")]),
        run_event("COMPLETE", minute=3, inputs=[table("db.s.a")], outputs=[table("db.s.x")]),
    )
    assert met(scope) == {("a", "x"), ("b", "x")}
    read = edges(scope, EdgeKind.READ)[0]
    assert (read.evidence, read.valid_from, read.confidence) == (Evidence.OBSERVED, at(1), 1.0)


def test_column_lineage_says_which_inputs_an_output_has() -> None:
    """OpenLineage, receive check 12."""
    event = run_event(
        inputs=[table("db.s.a"), table("db.s.b"), table("db.s.c")],
        outputs=[
            table("db.s.x", column_lineage(k=[("db.s.a", "k")])),
            table("db.s.y", column_lineage(k=[("db.s.b", "k")])),
        ],
    )
    scope = scope_of(event)
    # Nobody's column lineage names c: it may have gone into both.
    assert met(scope) == {(up, down) for up, down in [("a", "x"), ("c", "x"), ("b", "y"), ("c", "y")]}
    assert {edge.flow for edge in edges(scope, EdgeKind.WRITE)} == {1, 2}


def test_an_output_without_column_lineage_beside_one_that_has_some_meets_everything() -> None:
    event = run_event(
        inputs=[table("db.s.a"), table("db.s.b")],
        outputs=[table("db.s.x", column_lineage(k=[("db.s.a", "k")])), table("db.s.y")],
    )
    assert met(scope_of(event)) == {("a", "x"), ("b", "x"), ("a", "y"), ("b", "y")}


def test_column_lineage_that_names_a_dataset_which_is_no_input_creates_it() -> None:
    """OpenLineage, receive check 13: dbt's seeds."""
    facets = column_lineage(amt=[("shop.main.raw", "amount")])
    event = run_event(outputs=[table("shop.main.stg", facets)], job_facets=job_type("DBT", "MODEL"))
    scope = scope_of(event)
    assert met(scope) == {("raw", "stg")}
    [read], [derive] = edges(scope, EdgeKind.READ), edges(scope, EdgeKind.DERIVE)
    assert (read.evidence, derive.evidence) == (Evidence.PARSED, Evidence.PARSED)
    assert not records(scope)[read.upstream].described


def lineage_facet(*entries: Any) -> dict[str, Any]:
    return {"lineage": facet(entries=list(entries))}


def made(name: str | None, *inputs: Any, **more: Any) -> dict[str, Any]:
    told = {} if inputs == (None,) else {"inputs": list(inputs)}
    return {"type": "DATASET", "namespace": PG, "name": name, **told, **more}


def source(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "DATASET", "namespace": PG, "name": name, **more}


def test_the_lineage_facet_beats_column_lineage_and_all_times_all() -> None:
    """OpenLineage, receive check 12."""
    event = run_event(
        inputs=[table("db.s.a"), table("db.s.b"), table("db.s.idle")],
        outputs=[table("db.s.x", column_lineage(k=[("db.s.b", "k")])), table("db.s.y"), table("db.s.made")],
        job_facets=lineage_facet(made("db.s.x", source("db.s.a")), made("db.s.y")),
    )
    scope = scope_of(event)
    assert met(scope) == {("a", "x")}
    # Beside the facet the lists mean only that the process touched them.
    assert {short(edge.upstream) for edge in edges(scope, EdgeKind.READ)} == {"a", "b", "idle"}
    assert edges(scope, EdgeKind.DERIVE) == []
    assert {short(edge.downstream) for edge in edges(scope, EdgeKind.WRITE)} == {"x", "y", "made"}
    assert 0 not in {edge.flow for edge in edges(scope, EdgeKind.READ)}


def test_explicit_lineage_adds_up_over_the_events_of_a_run() -> None:
    scope = scope_of(
        run_event("RUNNING", minute=1, job_facets=lineage_facet(made("db.s.x", source("db.s.a")))),
        run_event("COMPLETE", minute=2, job_facets=lineage_facet(made("db.s.y", source("db.s.b")))),
    )
    assert met(scope) == {("a", "x"), ("b", "y")}


def test_an_input_that_is_the_own_job_is_the_process_itself() -> None:
    """OpenLineage, receive check 12."""
    own = ({"type": "JOB"}, {"type": "JOB", "namespace": "prod", "name": "marts"}, {"type": "job", "runId": RUN})
    for job in own:
        event = run_event(job_facets=lineage_facet(made("db.s.x", source("db.s.a"), job)))
        scope = scope_of(event)
        assert met(scope) == {("a", "x")}
        assert {edge.upstream for edge in edges(scope, EdgeKind.WRITE)} == {RUN_ID}


def test_an_input_that_is_another_job_wrote_the_dataset() -> None:
    other = {"type": "JOB", "namespace": "prod", "name": "extract", "runId": OTHER_RUN}
    event = run_event(job_facets=lineage_facet(made("db.s.x", other)), outputs=[table("db.s.x")])
    scope = scope_of(event)
    [write] = edges(scope, EdgeKind.WRITE)
    assert (write.upstream, write.via) == (f"run:{OTHER_RUN}", RUN_ID)
    assert (f"run:{OTHER_RUN}", "job:prod/extract") in {
        (edge.upstream, edge.downstream) for edge in edges(scope, EdgeKind.RUN_OF)
    }


def test_jobs_that_feed_jobs_and_datasets_that_only_go_in() -> None:
    entries = (
        {"type": "JOB", "inputs": [{"type": "JOB", "namespace": "prod", "name": "prepare"}, source("db.s.checked")]},
        {"type": "JOB", "namespace": "prod", "name": "load", "inputs": [source("db.s.staged")]},
    )
    scope = scope_of(run_event(job_facets=lineage_facet(*entries)))
    [derive] = edges(scope, EdgeKind.DERIVE)
    assert (derive.upstream, derive.downstream) == ("job:prod/prepare", JOB_ID)
    assert {(short(edge.upstream), edge.downstream) for edge in edges(scope, EdgeKind.READ)} == {
        ("checked", RUN_ID),
        ("staged", "job:prod/load"),
    }


def test_columns_of_a_lineage_facet_may_be_all_that_is_told() -> None:
    fields = {"c": {"inputs": [source("db.s.a", field="k", transformations=[{"type": "DIRECT", "subtype": "SUM"}])]}}
    event = run_event(job_facets=lineage_facet(made("db.s.x", None, fields=fields)), outputs=[table("db.s.x")])
    scope = scope_of(event)
    assert met(scope) == {("a", "x")}
    [derive] = edges(scope, EdgeKind.DERIVE)
    assert (short(derive.upstream), short(derive.downstream), derive.transformation) == ("a#k", "x#c", "DIRECT/SUM")


def test_a_generator_has_no_upstream() -> None:
    fields = {"c": {"inputs": [{"type": "JOB"}]}}
    event = run_event(job_facets=lineage_facet(made("db.s.x", fields=fields)), inputs=[table("db.s.a")])
    scope = scope_of(event)
    assert met(scope) == set()
    assert [short(edge.downstream) for edge in edges(scope, EdgeKind.WRITE)] == ["x"]


def test_names_that_a_parser_cut_short_are_those_of_the_inputs() -> None:
    """OL#1665: column lineage says `s.a` where the input is `db.s.a`."""
    facets = column_lineage(k=[("s.a", "k")])
    scope = scope_of(run_event(inputs=[table("db.s.a"), table("db.s.b")], outputs=[table("db.s.x", facets)]))
    assert f"{PG}/db.s.a#k" in records(scope)
    assert {edge.upstream for edge in edges(scope, EdgeKind.READ)} == {f"{PG}/db.s.a", f"{PG}/db.s.b"}


def test_a_short_name_that_several_inputs_could_mean_is_none_of_them() -> None:
    facets = column_lineage(k=[("s.a", "k")])
    scope = scope_of(run_event(inputs=[table("db.s.a"), table("xy.s.a")], outputs=[table("db.s.x", facets)]))
    assert records(scope)[f"suspect:{JOB_ID}!{PG}/s.a"].suspect


def streamed(duration: float | None, *tables: tuple[str | None, str | None]) -> set[tuple[str, str]]:
    """What met what in a stream that told these inputs and outputs, one pair a minute, as snapshots of windows."""
    pattern = {"eventTrigger": "PERIODIC", "eventContentMode": "COMPLETE_SNAPSHOT"}
    told = pattern if duration is None else pattern | {"windowDuration": duration}
    stream = job_type("FLINK", "JOB", "STREAMING", emissionPattern=told)
    events = [
        run_event(
            "RUNNING",
            minute=minute,
            inputs=[table(f"db.s.{read}")] if read else [],
            outputs=[table(f"db.s.{write}")] if write else [],
            job_facets=stream,
        )
        for minute, (read, write) in enumerate(tables, start=1)
    ]
    return met(scope_of(*events))


@pytest.mark.parametrize("duration", [60, 60.0, None, 0, -60])
def test_a_snapshot_of_a_window_stands_for_itself(duration: float | None) -> None:
    assert streamed(duration, ("a", "x"), ("b", "y")) == {("a", "x"), ("b", "y")}


def test_of_one_window_the_newest_snapshot_counts() -> None:
    assert streamed(300, ("a", "x"), ("b", "y")) == {("b", "y")}


def test_windows_are_told_apart_by_the_clock_and_not_by_the_distance_of_their_snapshots() -> None:
    assert streamed(120, ("a", "x"), ("b", "y"), ("c", "z")) == {("a", "x"), ("c", "z")}


def test_a_window_that_only_read_or_only_wrote_joins_nothing() -> None:
    assert streamed(60, ("a", None), (None, "x"), ("b", "y")) == {("b", "y")}


# Failures and doubt


def writes(*events: Any) -> dict[str, Any]:
    return {short(edge.downstream): edge for edge in edges(scope_of(*events), EdgeKind.WRITE)}


@pytest.mark.parametrize(("end", "state"), [("FAIL", RunState.FAILED), ("ABORT", RunState.ABORTED)])
def test_what_a_failed_batch_run_says_it_wrote_is_a_plan_and_what_it_read_counts(end: str, state: RunState) -> None:
    event = run_event(end, inputs=[table("db.s.a")], outputs=[table("db.s.x", column_lineage(k=[("db.s.a", "k")]))])
    write = writes(event)["x"]
    assert (write.planned, write.outcome) == (True, state)
    assert [edge.planned for edge in edges(scope_of(event), EdgeKind.READ)] == [False]
    assert [edge.planned for edge in edges(scope_of(event), EdgeKind.DERIVE)] == [True]


def test_a_write_that_is_proven_stands_whatever_the_end() -> None:
    counted = table("db.s.x", outputFacets={"outputStatistics": facet(rowCount=3)})
    empty = table("db.s.y", outputFacets={"outputStatistics": facet(rowCount=0, size=0)})
    told = writes(run_event("FAIL", outputs=[counted, empty]))
    assert (told["x"].planned, told["x"].outcome) == (False, RunState.FAILED)
    assert told["y"].planned
    changed = table("db.s.z", {"lifecycleStateChange": facet(lifecycleStateChange="CREATE")})
    assert not writes(run_event("FAIL", outputs=[changed]))["z"].planned
    # Spark repeats its plan in every event.
    assert writes(run_event("FAIL", outputs=[changed], job_facets=job_type("SPARK")))["z"].planned


@pytest.mark.parametrize("processing", ["STREAMING", "SERVICE"])
def test_a_stream_wrote_what_it_wrote_though_it_broke(processing: str) -> None:
    event = run_event("FAIL", outputs=[table("db.s.x")], job_facets=job_type("FLINK", "JOB", processing))
    assert not writes(event)["x"].planned


def test_what_only_the_start_of_an_ended_run_named_is_in_doubt() -> None:
    start = run_event("START", minute=1, inputs=[table("db.s.a")], outputs=[table("db.s.x")])
    end = run_event("COMPLETE", minute=2, inputs=[table("db.s.b")], outputs=[table("db.s.y")])
    told = {short(edge.upstream): edge.confidence for edge in edges(scope_of(start, end), EdgeKind.READ)}
    assert told == {"a": 0.5, "b": 1.0}
    assert writes(start, end)["x"].confidence == 0.5
    # Some producers name their datasets in the START only; and a run without an end may still name them.
    assert writes(start, run_event("COMPLETE", minute=2))["x"].confidence == 1.0
    assert writes(start)["x"].confidence == 1.0


def test_a_function_that_a_parser_took_for_a_table_is_suspect() -> None:
    airflow = job_type("AIRFLOW") | {"sql": facet(query="insert into x select * from generate_series(1, 9)")}
    scope = scope_of(
        run_event("START", minute=1, inputs=[table("generate_series")], job_facets=airflow),
        run_event("COMPLETE", minute=2, outputs=[table("db.s.x")], job_facets=airflow),
    )
    suspect = records(scope)[f"suspect:{JOB_ID}!{PG}/generate_series"]
    assert (suspect.suspect, suspect.described) == (True, False)
    assert f"{PG}/generate_series" not in records(scope)
    assert [edge.confidence for edge in edges(scope, EdgeKind.READ)] == [0.25]


def test_short_names_of_who_knows_his_datasets_are_not_suspect() -> None:
    scope = scope_of(run_event(inputs=[table("apples", namespace="kitchen"), table("apple.pie", namespace="kitchen")]))
    assert not [record for record in scope.records if record.suspect]


def test_the_tests_of_dbt_write_nothing() -> None:
    event = run_event(outputs=[table("shop.audit.t")], job_facets=job_type("DBT", "TEST"))
    assert (writes(event)["t"].planned, writes(event)["t"].outcome) == (True, None)


def test_a_model_that_dbt_skipped_was_not_written() -> None:
    dbt = job_type("DBT", "MODEL")
    start = run_event("START", minute=1, outputs=[table("shop.main.x")], job_facets=dbt)
    assert writes(start, run_event("COMPLETE", minute=2, job_facets=dbt))["x"].planned
    assert not writes(start)["x"].planned
