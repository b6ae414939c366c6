"""DataHub in miniature as those meet it who write to it and follow it: writes, deletions, series, the change log."""

import base64
import json
import threading
from typing import Any
from urllib.parse import quote

import pytest

from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.connectors.datahub.sandbox_changelog import SERIES, VERSIONED
from watersmeet.connectors.datahub.sandbox_registry import MAX_ASPECT

from .asking import POLL, SCROLL, Ask, Clock, properties
from .conftest import dataset


@pytest.mark.parametrize(
    "urn",
    [
        "urn:li:dataset:(urn:li:dataPlatform:hive,db.t)",
        "urn:li:dataset:(hive,db.t,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:hive,,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:hive,a,b,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:hive,a,PRODX)",
        "URN:LI:dataset:x",
        "urn:li:spaceship:x",
        "nothing",
    ],
)
def test_a_name_that_does_not_hold_is_refused(ask: Ask, urn: str) -> None:
    body = [{"urn": urn, "status": {"value": {"removed": False}}}]
    written = ask("POST", "/openapi/v3/entity/dataset", json=body)
    assert (written.status_code, written.json()["error"]) == (400, f"Invalid urn!: {urn}")
    assert ask("GET", f"/openapi/v3/entity/dataset/{quote(urn, safe='')}").status_code == 400


def test_a_name_of_another_type_is_refused(ask: Ask) -> None:
    assert ask("GET", "/openapi/v3/entity/dataset/urn%3Ali%3Atag%3Apii").status_code == 400
    body = [{"urn": "urn:li:tag:pii", "status": {"value": {"removed": False}}}]
    assert ask("POST", "/openapi/v3/entity/dataset", json=body).status_code == 400


# Writing


@pytest.mark.parametrize(
    ("aspect", "value"),
    [
        ("spaceships", {"value": {}}),
        ("mlModelProperties", {"value": {}}),
        ("upstreamLineage", {"value": {}}),
        ("status", {"value": 5}),
        ("status", {}),
        ("status", 5),
        ("datasetProperties", {"value": {"description": "x" * MAX_ASPECT}}),
    ],
)
def test_an_aspect_that_no_schema_takes_is_refused(ask: Ask, aspect: str, value: Any) -> None:
    answer = ask("POST", "/openapi/v3/entity/dataset", json=[{"urn": dataset("a"), aspect: value}])
    assert (answer.status_code, answer.json()["error"]) == (400, "Validation Error")


def test_a_batch_is_taken_as_a_whole_or_not_at_all(sandbox: Sandbox, ask: Ask) -> None:
    good = {"urn": dataset("a"), "status": {"value": {"removed": False}}}
    bad = {"urn": dataset("b"), "upstreamLineage": {"value": {}}}
    assert ask("POST", "/openapi/v3/entity/dataset", json=[good, bad]).status_code == 400
    assert sandbox.world.entities == {}
    assert ask("POST", "/openapi/v3/entity/dataset", json={"urn": dataset("a")}).status_code == 400


def test_what_was_written_comes_back(ask: Ask) -> None:
    body = {"urn": dataset("a"), "status": {"value": {"removed": False}}}
    assert ask("POST", "/openapi/v3/entity/dataset", json=[body]).json() == [body]
    one = ask("POST", f"/openapi/v3/entity/dataset/{quote(dataset('a'), safe='')}/status", json=body["status"])
    assert one.json() == body


def test_a_version_that_moved_on_is_not_overwritten(sandbox: Sandbox, ask: Ask) -> None:
    (urn,) = properties(sandbox, "a")

    def write(name: str, version: str, aspect: str = "datasetProperties") -> int:
        told = {"value": {"name": name}, "headers": {"If-Version-Match": version}}
        return ask("POST", "/openapi/v3/entity/dataset", json=[{"urn": urn, aspect: told}]).status_code

    assert write("b", "1") == 200
    assert write("c", "1") == 412
    assert write("c", "-1", "editableDatasetProperties") == 200, "-1 is: only if there is none"
    assert write("d", "-1", "editableDatasetProperties") == 412
    assert sandbox.value(urn, "datasetProperties") == {"name": "b"}


def test_the_same_value_moves_only_when_it_was_seen(sandbox: Sandbox, clock: Clock) -> None:
    (urn,) = properties(sandbox, "a")
    before = dict(sandbox.world.entities[urn].aspects["datasetProperties"].system)
    clock.now += 60
    properties(sandbox, "a")
    after = sandbox.world.entities[urn].aspects["datasetProperties"].system
    assert after["lastObserved"] == before["lastObserved"] + 60_000
    assert {**after, "lastObserved": 0} == {**before, "lastObserved": 0}


def test_aspects_and_entities_are_deleted_over_the_wire(sandbox: Sandbox, ask: Ask) -> None:
    (urn,) = properties(sandbox, "a")
    path = f"/openapi/v3/entity/dataset/{quote(urn, safe='')}"
    ask("DELETE", f"{path}/datasetProperties")
    assert "datasetProperties" not in sandbox.world.entities[urn].aspects
    ask("DELETE", f"{path}/datasetProperties")
    ask("DELETE", path)
    assert sandbox.world.entities == {}


def restli(urn: str, aspect: str, value: str, **more: Any) -> dict[str, Any]:
    told = {"value": value, "contentType": "application/json"}
    return {
        "proposal": {
            "entityType": "dataset",
            "entityUrn": urn,
            "changeType": "UPSERT",
            "aspectName": aspect,
            "aspect": told,
            **more,
        }
    }


def test_rest_li_refuses_with_422_and_a_class(ask: Ask) -> None:
    ingest = "/aspects?action=ingestProposal"
    status = json.dumps({"removed": False})
    assert ask("POST", ingest, json=restli(dataset("a"), "status", status)).json() == {"value": dataset("a")}
    for body in (
        restli(dataset("a"), "status", "{"),
        restli("urn:li:dataset:(oops", "status", status),
        restli(dataset("a"), "status", status, changeType="CREATE"),
        restli(dataset("a"), "status", status, changeType="RESTATE"),
    ):
        answer = ask("POST", ingest, json=body)
        assert (answer.status_code, answer.json()["status"]) == (422, 422)
        assert "exceptionClass" in answer.json()
    stale = restli(dataset("a"), "status", json.dumps({"removed": True}), headers={"If-Version-Match": "7"})
    assert ask("POST", ingest, json=stale).status_code == 412
    snapshot = {"entity": {"value": {"x": {"urn": dataset("a"), "aspects": [{"com.acme.Nothing": {}}]}}}}
    assert ask("POST", "/entities?action=ingest", json=snapshot).status_code == 422
    series = {"urn": dataset("a"), "entity": "dataset", "aspect": "status"}
    assert ask("POST", "/aspects?action=getTimeseriesAspectValues", json=series).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("POST", "/api/graphql"),
        ("POST", "/aspects?action=fly"),
        ("PATCH", "/openapi/v3/entity/dataset"),
        ("PATCH", f"/openapi/v3/entity/dataset/{quote(dataset('a'), safe='')}"),
    ],
)
def test_what_is_not_there_is_said_in_json(ask: Ask, method: str, path: str) -> None:
    answer = ask(method, path, json={})
    assert (answer.status_code, answer.json()["error"]) == (404, "Not Found")


def test_a_body_that_is_no_json_is_refused(ask: Ask) -> None:
    assert ask("POST", SCROLL, content=b"{").status_code == 400


# Series


def test_the_last_event_until_a_time_is_the_version_of_a_series(sandbox: Sandbox, ask: Ask) -> None:
    run = "urn:li:dataProcessInstance:r"
    for at, status in ((1000, "STARTED"), (2000, "COMPLETE"), (2000, "COMPLETE")):
        sandbox.put(run, "dataProcessInstanceRunEvent", {"timestampMillis": at, "status": status})
    path = f"/openapi/v3/entity/dataprocessinstance/{quote(run, safe='')}/dataProcessInstanceRunEvent"
    assert ask("GET", path).json()["value"]["status"] == "COMPLETE"
    assert ask("GET", path, params={"version": 1500}).json()["value"]["status"] == "STARTED"
    question = {"urn": run, "entity": "dataProcessInstance", "aspect": "dataProcessInstanceRunEvent"}
    asked = ask("POST", "/aspects?action=getTimeseriesAspectValues", json={**question, "endTimeMillis": 1500})
    values = asked.json()["value"]["values"]
    assert [json.loads(one["aspect"]["value"])["status"] for one in values] == ["STARTED"]
    every = ask("POST", "/aspects?action=getTimeseriesAspectValues", json=question).json()["value"]["values"]
    assert len(every) == 2, "an event that is told again is the same event"


# The change log


def polled(ask: Ask, topic: str = VERSIONED, **params: Any) -> dict[str, Any]:
    return ask("GET", POLL, params={"topic": topic, "pollTimeoutSeconds": 0, **params}).json()


def test_a_first_poll_stands_at_the_end(sandbox: Sandbox, ask: Ask) -> None:
    properties(sandbox, "a")
    first = polled(ask)
    assert (first["count"], first["events"]) == (0, [])
    properties(sandbox, "b")
    news = polled(ask, offsetId=first["offsetId"])
    assert news["count"] > 0
    assert polled(ask, offsetId=news["offsetId"])["count"] == 0
    assert polled(ask, lookbackWindowDays=1)["count"] > news["count"]


def test_a_record_writes_bytes_as_latin_1(sandbox: Sandbox, ask: Ask) -> None:
    offset = polled(ask)["offsetId"]
    sandbox.put(dataset("t"), "datasetProperties", {"name": "größer"})
    record = json.loads(polled(ask, offsetId=offset)["events"][0]["value"])
    aspect = record["aspect"]["com.linkedin.pegasus2avro.mxe.GenericAspect"]
    assert "größer" not in aspect["value"]
    assert json.loads(aspect["value"].encode("latin-1").decode()) == {"name": "größer"}
    assert (record["entityType"], record["entityUrn"]) == ("dataset", {"string": dataset("t")})
    assert (record["changeType"], record["aspectName"]) == ("UPSERT", {"string": "datasetProperties"})
    assert record["previousAspectValue"] is None
    system = record["systemMetadata"]["com.linkedin.pegasus2avro.mxe.SystemMetadata"]
    assert system["version"] == {"string": "1"}


def test_a_deletion_is_a_record_of_the_key(sandbox: Sandbox, ask: Ask) -> None:
    properties(sandbox, "a")
    offset = polled(ask)["offsetId"]
    sandbox.hard_delete(dataset("a"))
    (event,) = polled(ask, offsetId=offset)["events"]
    record = json.loads(event["value"])
    assert (record["changeType"], record["aspectName"], record["aspect"]) == ("DELETE", {"string": "datasetKey"}, None)
    assert record["previousAspectValue"] is not None


def test_the_same_value_again_is_no_change(sandbox: Sandbox, ask: Ask) -> None:
    properties(sandbox, "a")
    offset = polled(ask)["offsetId"]
    properties(sandbox, "a")
    assert polled(ask, offsetId=offset)["count"] == 0


def test_events_of_series_have_their_own_topic(sandbox: Sandbox, ask: Ask) -> None:
    offset = polled(ask, SERIES)["offsetId"]
    event = {"timestampMillis": 1, "status": "STARTED"}
    sandbox.put("urn:li:dataProcessInstance:r", "dataProcessInstanceRunEvent", event)
    assert polled(ask, SERIES, offsetId=offset)["count"] == 1


def test_an_offset_that_is_gone_skips_in_silence(sandbox: Sandbox, ask: Ask) -> None:
    offset = polled(ask)["offsetId"]
    properties(sandbox, "a")
    sandbox.forget_log()
    properties(sandbox, "b")
    assert polled(ask, offsetId=offset)["count"] == 0


def test_a_page_of_the_log_is_as_long_as_asked(sandbox: Sandbox, ask: Ask) -> None:
    offset = polled(ask)["offsetId"]
    properties(sandbox, "a", "b")
    first = polled(ask, offsetId=offset, limit=3)
    rest = polled(ask, offsetId=first["offsetId"])
    assert first["count"] == 3
    assert rest["count"] == 5
    assert json.loads(base64.b64decode(rest["offsetId"])) == {f"{VERSIONED}-0": 8}


def test_a_poll_waits_for_a_full_page(sandbox: Sandbox, ask: Ask) -> None:
    offset = polled(ask)["offsetId"]
    later = threading.Timer(0.2, properties, (sandbox, "a"))
    later.start()
    try:
        assert polled(ask, offsetId=offset, limit=1, pollTimeoutSeconds=5)["count"] == 1
    finally:
        later.join()


@pytest.mark.parametrize(("topic", "offset"), [("Nothing_v1", None), (VERSIONED, "garbage"), (VERSIONED, "e30=")])
def test_a_poll_that_makes_no_sense_is_an_error_of_the_server(ask: Ask, topic: str, offset: str | None) -> None:
    params = {"topic": topic, "pollTimeoutSeconds": 0, **({"offsetId": offset} if offset else {})}
    assert ask("GET", POLL, params=params).status_code == 500


def test_a_sixth_poll_at_a_time_is_too_many_and_a_stranger_sees_nothing(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.world.log.polling = 5
    refused = ask("GET", POLL, params={"topic": VERSIONED})
    assert (refused.status_code, "Too many simultaneous" in refused.json()["error"]) == (429, True)
    sandbox.may_follow = False
    forbidden = ask("GET", POLL, params={"topic": VERSIONED})
    assert (forbidden.status_code, forbidden.content) == (403, b"")


# Relationships
