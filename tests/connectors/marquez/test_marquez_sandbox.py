"""The miniature of Marquez, held against what a real server answered, and against the client that people use."""

import itertools
import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from watersmeet.connectors.marquez.sandbox import Sandbox

NOT_MADE = {
    "047_stats_events.json": "statistics are nothing that a reader asks for",
    "048_stats_jobs.json": "statistics",
    "049_stats_no_period.json": "statistics",
    "050_graphql_get.json": "GraphQL's lists are unpaged and not used",
    "128_runlineage_of_chain.json": "run lineage answers 500 for every real source and is not used",
}
SAME_SHAPE = {
    "038_lineage_depth0.json": "which jobs depth 0 shows of a dataset",
    "044_search_jobs.json": "the order of a search by time",
    "070_post_unparsable_500.json": "the parser's own words",
    "096_lineage_after_delete.json": "which run a graph calls the present one after a replay",
    "117_301_job_list.json": "runs of a job that a hand-made symlink leads to",
    "138_post_array_500.json": "the parser's own words",
    "143_post_bad_time_500.json": "the parser's own words",
}
"""Where status and shape are the real ones, but not each value: what differs."""
_NUMBERED = ("version", "currentVersion", "parentJobUuid", "datasetVersion", "currentSchemaVersion")
ZIPPED: dict[str, Any] = {
    "eventType": "COMPLETE",
    "eventTime": "2026-03-08T04:00:00Z",
    "run": {"runId": "cf9aa6df-a90c-53f6-8061-f374bc6983b4", "facets": {}},
    "job": {"namespace": "two", "name": "zipped", "facets": {}},
    "inputs": [],
    "outputs": [],
    "producer": "https://example.org/p",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/definitions/RunEvent",
}
"""What the recording sent packed, and could not write down."""


def comparable(value: Any, key: str = "") -> Any:
    """Without what no two servers share: random numbers, their clock, the order of sets."""
    if isinstance(value, dict):
        return {name: comparable(one, name) for name, one in sorted(cast(dict[str, Any], value).items())}
    if isinstance(value, list):
        rows = [comparable(one, key) for one in cast(list[Any], value)]
        return rows if key == "events" else sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
    if isinstance(value, str):
        if key in _NUMBERED and re.fullmatch(r"[0-9a-f-]{36}", value):
            return "<number>"
        if value.startswith("2026-11-24T14"):
            return "<server's clock>"
        return re.sub(r"ID [0-9a-f]{16}", "ID <number>", value)
    return value


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(one) for name, one in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [shape(one) for one in cast(list[Any], value)[:1]]
    return type(value).__name__


@pytest.fixture
def ticking() -> Iterator[Sandbox]:
    ticks = itertools.count()
    start = datetime(2026, 11, 24, 14, 36, 17, 415769, tzinfo=UTC)
    with Sandbox(empty=True, clock=lambda: start + timedelta(milliseconds=next(ticks))) as running:
        yield running


def replayed(sandbox: Sandbox, folder: Path) -> Iterator[tuple[str, dict[str, Any], httpx2.Response]]:
    """Every recorded call, sent again in order; what was done to the real server between them is done here too."""
    sent = json.loads((folder / "sent_events.json").read_text())
    with httpx2.Client(base_url=sandbox.url) as client:
        for entry in json.loads((folder / "index.json").read_text()):
            match int(entry["file"][:3]):
                case 6:
                    sandbox.seed(sent[:17])
                case 8:
                    sandbox.seed(sent[17:])
                case 115:
                    sandbox.symlink_job("shop", "report", "legacyid")
                case 137:
                    sandbox.seed([ZIPPED])
                case _:
                    pass
            recorded = json.loads((folder / entry["file"]).read_text())
            request = recorded.get("request", {})
            content = request.get("raw_body")
            if content is None and "body" in request:
                content = json.dumps(request["body"])
            headers = request.get("headers", {})
            yield (
                entry["file"],
                recorded,
                client.request(recorded["method"], recorded["path"], content=content, headers=headers),
            )


def test_it_answers_as_a_real_server_did(shared: Path, ticking: Sandbox):
    different: list[str] = []
    count = 0
    for name, real, answer in replayed(ticking, shared / "data" / "marquez-real"):
        if name in NOT_MADE:
            continue
        count += 1
        content_type = (real["headers"].get("content-type") or "").partition(";")[0]
        told = (answer.status_code, answer.headers.get("content-type", "").partition(";")[0])
        if told != (real["status"], content_type):
            different.append(f"{name}: {told} instead of {(real['status'], content_type)}")
        elif answer.status_code == 301:
            assert answer.headers["location"].removeprefix(ticking.url) == real["headers"]["location"].removeprefix(
                "http://127.0.0.1:5000"
            )
        elif content_type == "application/json":
            mine, theirs = comparable(answer.json()), comparable(real["body"])
            if shape(mine) != shape(theirs) if name in SAME_SHAPE else mine != theirs:
                different.append(name)
    assert different == []
    assert count == 172 - len(NOT_MADE)


def test_the_client_that_emitters_use_is_understood():
    client_module = pytest.importorskip("openlineage.client", reason="needs openlineage-python")
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
    from openlineage.client.facet_v2 import schema_dataset
    from openlineage.client.transport.http import HttpCompression, HttpConfig, HttpTransport

    fields = [schema_dataset.SchemaDatasetFacetFields(name="id", type="bigint")]
    with Sandbox(empty=True) as sandbox:
        transport = HttpTransport(HttpConfig(url=sandbox.url, compression=HttpCompression.GZIP, retry={"total": 0}))
        client = client_module.OpenLineageClient(transport=transport)
        run = Run(runId=str(uuid.UUID(int=7)))
        for state in (RunState.START, RunState.COMPLETE):
            client.emit(
                RunEvent(
                    eventType=state,
                    eventTime=f"2026-01-01T00:0{'01'[state is RunState.COMPLETE]}:00Z",
                    run=run,
                    job=Job(namespace="shop", name="extract"),
                    producer="https://example.org/p",
                    inputs=[InputDataset("postgres://db:5432", "shop.public.orders")],
                    outputs=[
                        OutputDataset(
                            "s3://lake", "orders", facets={"schema": schema_dataset.SchemaDatasetFacet(fields)}
                        )
                    ],
                )
            )
        client.close()
        told = sandbox.call("GET", "jobs", "runs", str(uuid.UUID(int=7)))
        assert told["state"] == "COMPLETED"
        assert sandbox.call("GET", "namespaces", "s3://lake", "datasets", "orders")["fields"][0]["name"] == "id"
        assert {call.path for call in sandbox.calls} == {"/api/v1/lineage"}


def test_faults_strike_the_calls_they_are_meant_for():
    with Sandbox() as sandbox, httpx2.Client(base_url=sandbox.url) as client:
        sandbox.fail("/jobs", skip=1, times=1, status=429, headers={"Retry-After": "3"})
        assert client.get("/api/v1/jobs").status_code == 200
        assert client.get("/api/v1/namespaces").status_code == 200
        answer = client.get("/api/v1/jobs")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
        assert client.get("/api/v1/jobs").status_code == 200


def test_it_tells_the_story_unless_it_is_to_be_empty():
    assert Sandbox().call("GET", "events", "lineage")["totalCount"] == 12
    assert Sandbox(empty=True).call("GET", "events", "lineage") == {"totalCount": 0, "events": []}
