"""The acceptance checks of a Marquez connector, by their numbers: what is read, and what trouble does to it."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from watersmeet.connectors.marquez.read import Marquez
from watersmeet.connectors.marquez.sandbox import Asked, Sandbox
from watersmeet.federation.connector import Batch
from watersmeet.federation.errors import SourceUnavailable
from watersmeet.federation.model import EdgeKind, Form, Spelling

from ..conftest import NOW, Told
from .telling import Read, event, jobs, parent


def test_an_empty_server_is_read_to_its_end(sandbox: Sandbox, read: Read):
    """Marquez, check 1."""
    told = read(sandbox)
    assert told.events == []
    assert told.scopes == []
    assert told.complete
    assert told.cursor["snapshot_at"] is not None


def test_the_example_is_read_whole(seed: list[dict[str, Any]], sandbox: Sandbox, read: Read):
    """Marquez, check 2: 26 events with 13 runs, 13 jobs and 13 datasets, each edge as an independent count has it."""
    sandbox.seed(seed)
    told = read(sandbox)
    assert len(told.events) == 26
    assert len({body["run"]["runId"] for body in told.bodies}) == 13
    assert len({name for name in told.records if name.startswith("job:")}) == 13
    assert len({key for scope in told.scopes if (key := scope.key).startswith("listed-dataset/")}) == 13
    for side in ("inputs", "outputs"):
        mine = {(body["run"]["runId"], one["name"]) for body in told.bodies for one in body[side] or ()}
        theirs = {(one["run"]["runId"], dataset["name"]) for one in seed for dataset in one.get(side, [])}
        assert mine == theirs


def test_nothing_secret_of_a_source_is_asked_for(seed: list[dict[str, Any]], sandbox: Sandbox, read: Read):
    """The example's sources hold passwords, which the lists would show in clear text."""
    sandbox.seed(seed)
    told = read(sandbox)
    assert not any("sources" in call.path for call in sandbox.calls)
    assert all("food_delivery:" not in repr(scope) for scope in told.scopes)


def test_a_second_read_finds_nothing_and_asks_little(seed: list[dict[str, Any]], sandbox: Sandbox, read: Read):
    """Marquez, check 3."""
    sandbox.seed(seed)
    cursor = read(sandbox).cursor
    sandbox.calls.clear()
    told = read(sandbox, cursor)
    assert told.events == []
    assert told.scopes == []
    assert told.complete
    assert len(sandbox.calls) == 2  # what is new, and what lies ahead of our clock
    assert told.cursor == cursor


def test_only_what_is_new_is_told(seed: list[dict[str, Any]], sandbox: Sandbox, read: Read):
    """Marquez, check 4."""
    sandbox.seed(seed)
    cursor = read(sandbox).cursor
    sandbox.seed([event("fresh", "2026-11-26T11:00:00Z")])
    assert jobs(read(sandbox, cursor)) == ["fresh"]


def test_a_late_event_is_found_by_the_overlap_and_an_older_one_by_the_next_full_pass(sandbox: Sandbox, read: Read):
    """Marquez, check 5."""
    sandbox.seed([event("first", "2026-11-26T11:00:00Z")])
    cursor = read(sandbox).cursor
    sandbox.seed([event("late", "2026-11-26T05:00:00Z"), event("very-late", "2026-11-20T05:00:00Z")])
    second = read(sandbox, cursor)
    assert jobs(second) == ["late"]
    third = read(sandbox, second.cursor, now=NOW + timedelta(hours=25))
    assert jobs(third) == ["very-late"]


@pytest.mark.parametrize("is_unstable", [False, True])
@pytest.mark.parametrize("page_size", [500, 100, 7])
def test_a_thousand_events_of_one_time_come_once_each(is_unstable: bool, page_size: int, read: Read):
    """Marquez, check 6: also where the server shuffles them between two pages."""
    with Sandbox(empty=True, is_unstable=is_unstable) as sandbox:
        before = [event(f"a{number}", "2026-11-26T07:59:59Z") for number in range(3)]
        same = [event(f"j{number}") for number in range(1001)]
        after = [event(f"z{number}", "2026-11-26T08:00:01Z") for number in range(3)]
        sandbox.seed([*before, *same, *after])
        told = read(sandbox, options={"page_size": page_size})
        assert sorted(jobs(told)) == sorted(one["job"]["name"] for one in (*before, *same, *after))
        assert read(sandbox, told.cursor, options={"page_size": page_size}).events == []


def test_the_total_is_not_believed_and_a_declared_job_comes_from_the_lists(sandbox: Sandbox, read: Read):
    """Marquez, check 7: the number counts Job- and DatasetEvents, which the feed never shows."""
    declared = event("declared", inputs=[("s3://lake", "in")], outputs=[("s3://lake", "out")])
    del declared["run"], declared["eventType"]
    declared["schemaURL"] = declared["schemaURL"].replace("RunEvent", "JobEvent")
    dataset = {
        "namespace": "s3://lake",
        "name": "static",
        "facets": {"schema": {"fields": [{"name": "x", "type": "int"}]}},
    }
    told_dataset = {**declared, "dataset": dataset, "schemaURL": "https://x#/$defs/DatasetEvent"}
    sandbox.seed([event("seen"), declared, told_dataset])
    assert sandbox.call("GET", "events", "lineage")["totalCount"] == 3
    told = read(sandbox)
    assert jobs(told) == ["seen"]
    assert told.records["job:shop/declared"].described
    assert told.pairs(EdgeKind.READ) == {("s3://lake/in", "job:shop/declared")}
    assert told.pairs(EdgeKind.WRITE) == {("job:shop/declared", "s3://lake/out")}
    assert told.records["s3://lake/static"].described
    assert told.records["s3://lake/static#x"].subtype == "int"


def test_no_job_is_lost_while_the_list_moves(sandbox: Sandbox, read: Read):
    """Marquez, check 8: whenever a page was given, a job from the end jumps to the front."""
    sandbox.seed([event(f"j{number:03}", f"2026-11-26T08:{number % 60:02}:00Z", run=number) for number in range(40)])
    moves = iter(["j000", "j005", "j011", "j017"])

    def move(asked: Asked) -> None:
        if "/jobs?" in asked.path and "offset=0" not in asked.path and (name := next(moves, None)):
            sandbox.seed([event(name, "2026-11-26T09:00:00Z", "START", run=f"again/{name}")])

    sandbox.between.append(move)
    told = read(sandbox, options={"jobs_page": 10})
    names = {name for name in told.records if name.startswith("job:")}
    assert names == {f"job:shop/j{number:03}" for number in range(40)}
    assert told.failures == []


@pytest.mark.parametrize("kind", ["status", "reset", "truncated"])
def test_trouble_on_a_page_is_waited_out(kind: str, sandbox: Sandbox, read: Read):
    """Marquez, check 9, where it passes."""
    sandbox.seed([event(f"j{number}", f"2026-11-26T08:{number:02}:00Z") for number in range(20)])
    sandbox.fail("/events/lineage", kind=kind, skip=2, times=1)
    assert len(read(sandbox, options={"page_size": 5}).events) == 20


def read_until_it_breaks(batches: Iterable[Batch]) -> tuple[Told, SourceUnavailable]:
    """What was told, and then stored, before the trouble came."""
    told = Told()
    try:
        for batch in batches:
            told.batches.append(batch)
    except SourceUnavailable as error:
        return told, error
    raise AssertionError("it did not break")


def test_trouble_that_stays_leaves_the_cursor_behind_the_last_good_page(
    sandbox: Sandbox, connect: Callable[..., Marquez]
):
    """Marquez, check 9, where it does not: the next read goes on there, and nothing is lost."""
    sandbox.seed([event(f"j{number}", f"2026-11-26T08:{number:02}:00Z") for number in range(20)])
    fault = sandbox.fail("/events/lineage", status=500, skip=2, times=99)
    before, error = read_until_it_breaks(connect(sandbox, options={"page_size": 5}).read(None))
    assert "500 on GET /api/v1/events/lineage" in str(error)
    assert 0 < len(before.events) < 20
    fault.times = 0
    after = Told.by(connect(sandbox, options={"page_size": 5}).read(before.cursor))
    assert sorted(jobs(before) + jobs(after)) == sorted(f"j{number}" for number in range(20))
    assert Told.by(connect(sandbox).read(after.cursor)).complete


NAMESPACES = ["s3://lake", "a/b", "k=v;x", "me@host+1", "hive://metastore:9083", "arn:aws:glue:eu-west-1:123456789012"]


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_any_namespace_can_be_asked_for(namespace: str, sandbox: Sandbox, read: Read):
    """Marquez, check 10."""
    name = "table/db/t %2F;v=1" if not namespace.startswith("arn") else "table/db/t"
    sandbox.seed([event("j", outputs=[(namespace, name)], namespace="shop")])
    sandbox.call("POST", "namespaces", namespace, "datasets", name, "tags", "PII")
    told = read(sandbox)
    [tagged] = [record for record in told.records.values() if record.facets.get("tags") == [{"key": "PII"}]]
    assert tagged.spellings[0] == Spelling(Form.OPENLINEAGE, (namespace, name))
    assert not told.failures


@pytest.mark.parametrize("name", ["extract", "nightly.extract"])
def test_a_task_has_one_name_in_the_feed_and_in_the_list(name: str, sandbox: Sandbox, read: Read):
    """Marquez, check 11: also where the event's name holds the parent's already, as Airflow writes it."""
    sandbox.seed([event("nightly", run=1), event(name, parent=parent("nightly"))])
    sandbox.call("POST", "namespaces", "shop", "jobs", "nightly.extract", "tags", "gold")
    told = read(sandbox)
    record = told.records[f"job:shop/{name}"]
    assert record.facets["tags"] == [{"key": "gold"}]
    assert {one.parts for one in record.spellings} == {("shop", name), ("shop", "nightly.extract")}
    assert {one for one in told.records if one.startswith("job:")} == {"job:shop/nightly", f"job:shop/{name}"}


def test_a_parent_that_never_spoke_is_no_second_job_in_its_childs_namespace(sandbox: Sandbox, read: Read):
    """Marquez, check 11, the ghost that Marquez makes of it."""
    sandbox.seed([event("extract", parent=parent("nightly", "airflow", run=9))])
    assert ("shop", "nightly") in sandbox.world.jobs
    told = read(sandbox)
    assert {one for one in told.records if one.startswith("job:")} == {"job:shop/extract"}


def test_a_rewritten_namespace_is_a_spelling_of_the_job(sandbox: Sandbox, read: Read):
    """Marquez, check 10, for jobs: the list knows another namespace than the event."""
    sandbox.seed([event("crm", namespace="Customer Relationship")])
    told = read(sandbox)
    record = told.records["job:Customer Relationship/crm"]
    assert {one.parts for one in record.spellings} == {
        ("Customer Relationship", "crm"),
        ("Customer_Relationship", "crm"),
    }


def test_a_start_that_erases_edges_erases_nothing_here(sandbox: Sandbox, read: Read):
    """Marquez, check 12: the feed keeps what `/lineage` and the job forget."""
    sandbox.seed([event("j", "2026-11-25T08:00:00Z", inputs=[("s3://lake", "in")], outputs=[("s3://lake", "out")])])
    cursor = read(sandbox).cursor
    sandbox.seed([event("j", kind="START"), event("j", kind="COMPLETE")])
    assert sandbox.call("GET", "namespaces", "shop", "jobs", "j")["inputs"] == []
    second = read(sandbox, cursor)
    assert [body["inputs"] for body in second.bodies] == [[], []]
    assert second.tombstones == []
    whole = read(sandbox)
    assert [one["name"] for body in whole.bodies for one in body["inputs"]] == ["in"]


def test_lists_that_are_broken_for_good_leave_the_feed(sandbox: Sandbox, read: Read):
    """Marquez, check 12: the rest is told; this sync and the following are partial until the lists are read again."""
    bad = event("poison", outputs=[("sym", "p")])
    bad["outputs"][0]["facets"]["symlinks"] = {
        "identifiers": [{"namespace": "My Catalog", "name": "p", "type": "TABLE"}]
    }
    sandbox.seed([event("good"), bad])
    told = read(sandbox)
    assert sorted(jobs(told)) == ["good", "poison"]
    assert not told.complete
    assert told.listed == set()
    assert "namespaces cannot be listed" in told.failures[0]
    assert "500 on GET /api/v1/namespaces" in told.failures[0]
    again = read(sandbox, told.cursor)
    assert again.failures == told.failures
    assert not again.complete


def test_one_namespace_that_cannot_be_listed_leaves_the_others(sandbox: Sandbox, read: Read):
    """Marquez, check 12, `/jobs` of one namespace."""
    sandbox.seed([event("a", namespace="one"), event("b", namespace="two")])
    sandbox.world.poisoned.add("jobs/one")
    told = read(sandbox)
    assert len(told.failures) == 1
    assert "jobs of namespace 'one'" in told.failures[0]
    assert "job:two/b" in told.records
    assert told.listed == set()
