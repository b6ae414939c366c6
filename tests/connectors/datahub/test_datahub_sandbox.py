"""What the miniature of DataHub answers on the wire, to good questions and to bad ones."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from watersmeet.connectors.datahub import sandbox_story as story
from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.connectors.datahub.sandbox_changelog import SERIES, VERSIONED
from watersmeet.connectors.datahub.sandbox_registry import MAX_ASPECT, Refusal
from watersmeet.connectors.story import CUSTOMER_ORDERS, REVENUE

from .conftest import column, dataset

SCROLL = "/openapi/v3/entity/scroll"
POLL = "/openapi/v1/events/poll"
Ask = Callable[..., httpx2.Response]


class Clock:
    """A time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(empty=True, clock=clock) as running:
        yield running


@pytest.fixture
def ask(sandbox: Sandbox) -> Ask:
    def asking(method: str, path: str, **more: Any) -> httpx2.Response:
        return httpx2.request(method, sandbox.url + path, trust_env=False, timeout=20, **more)

    return asking


def properties(sandbox: Sandbox, *names: str, **more: Any) -> list[str]:
    """Datasets of these names."""
    urns = [dataset(name, **more) for name in names]
    for urn, name in zip(urns, names, strict=True):
        sandbox.put(urn, "datasetProperties", {"name": name})
    return urns


def scrolled(ask: Ask, body: Any = None, **params: Any) -> list[str]:
    """The names on all pages."""
    found: list[str] = []
    while True:
        page = ask("POST", SCROLL, params=params, json=body or {}).json()
        found += [one["urn"] for one in page["entities"]]
        if "scrollId" not in page:
            return found
        params["scrollId"] = page["scrollId"]


def criterion(field: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"field": field, "values": values, "condition": "EQUAL", "negated": False, **more}


def grouped(*groups: list[dict[str, Any]]) -> dict[str, Any]:
    return {"filter": {"and": [{"criteria": group} for group in groups]}}


# Scrolling


def test_a_full_last_page_carries_a_cursor_and_the_next_is_empty(sandbox: Sandbox, ask: Ask) -> None:
    properties(sandbox, "a", "b")
    page = ask("POST", SCROLL, params={"count": 2}, json={}).json()
    assert (len(page["entities"]), page["totalCount"]) == (2, 2)
    last = ask("POST", SCROLL, params={"count": 2, "scrollId": page["scrollId"]}, json={}).json()
    assert last == {"entities": [], "totalCount": 2}


def test_without_aspects_only_names_are_told_and_with_an_empty_list_all(sandbox: Sandbox, ask: Ask) -> None:
    (urn,) = properties(sandbox, "a")
    assert ask("POST", SCROLL, json={}).json()["entities"] == [{"urn": urn}]
    some = ask("POST", SCROLL, json={"aspects": ["datasetProperties"]}).json()["entities"]
    assert some == [{"urn": urn, "datasetProperties": {"value": {"name": "a"}}}]
    every = ask("POST", SCROLL, params={"systemMetadata": "true"}, json={"aspects": []}).json()["entities"][0]
    assert set(every) == {"urn", "datasetKey", "datasetProperties", "browsePathsV2", "dataPlatformInstance"}
    assert every["datasetKey"]["value"] == {"platform": "urn:li:dataPlatform:hive", "name": "a", "origin": "PROD"}
    assert every["datasetProperties"]["systemMetadata"]["version"] == "1"


def test_ten_thousand_and_one_becomes_five_thousand(sandbox: Sandbox, ask: Ask) -> None:
    properties(sandbox, *(f"t{number:05}" for number in range(5_010)))
    assert len(ask("POST", SCROLL, params={"count": 10_001}, json={}).json()["entities"]) == 5_000
    assert len(ask("POST", SCROLL, params={"count": 10_000}, json={}).json()["entities"]) == 5_010


def test_slices_hold_everything_once(sandbox: Sandbox, ask: Ask) -> None:
    urns = properties(sandbox, *(f"t{number}" for number in range(20)))
    slices = [scrolled(ask, count=3, sliceId=one, sliceMax=3) for one in range(3)]
    assert sorted(urn for one in slices for urn in one) == sorted(urns)
    assert all(slices)


def test_a_slice_does_not_see_what_comes_while_it_is_read_and_a_plain_scroll_does(sandbox: Sandbox, ask: Ask) -> None:
    properties(sandbox, "a", "b")
    frozen = ask("POST", SCROLL, params={"count": 1, "sliceId": 0, "sliceMax": 1}, json={}).json()["scrollId"]
    plain = ask("POST", SCROLL, params={"count": 1}, json={}).json()["scrollId"]
    properties(sandbox, "c")
    assert len(scrolled(ask, count=5, sliceId=0, sliceMax=1, scrollId=frozen)) == 1
    assert len(scrolled(ask, count=5, scrollId=plain)) == 2


def test_a_point_in_time_ends_after_its_time(sandbox: Sandbox, ask: Ask, clock: Clock) -> None:
    properties(sandbox, "a", "b")
    params = {"count": 1, "sliceId": 0, "sliceMax": 1, "pitKeepAlive": "1s"}
    page = ask("POST", SCROLL, params=params, json={}).json()
    clock.now += 2
    late = ask("POST", SCROLL, params={**params, "scrollId": page["scrollId"]}, json={})
    assert late.status_code == 500
    assert "search context missing" in late.json()["message"]


def test_a_restart_ends_the_scroll_of_a_slice_only(sandbox: Sandbox, ask: Ask) -> None:
    properties(sandbox, "a", "b")
    frozen = ask("POST", SCROLL, params={"count": 1, "sliceId": 0, "sliceMax": 1}, json={}).json()["scrollId"]
    plain = ask("POST", SCROLL, params={"count": 1}, json={}).json()["scrollId"]
    sandbox.restart()
    sliced = {"count": 1, "sliceId": 0, "sliceMax": 1, "scrollId": frozen}
    assert ask("POST", SCROLL, params=sliced, json={}).status_code == 500
    assert len(scrolled(ask, count=1, scrollId=plain)) == 1


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"count": "many"}, 400),
        ({"count": "0"}, 400),
        ({"pitKeepAlive": "soon"}, 400),
        ({"scrollId": "garbage"}, 500),
        ({"query": "x" * 501}, 400),
    ],
)
def test_a_bad_question_is_refused(sandbox: Sandbox, ask: Ask, params: dict[str, str], status: int) -> None:
    properties(sandbox, "a")
    assert ask("POST", SCROLL, params=params, json={}).status_code == status


def test_an_unknown_type_is_refused_by_name(ask: Ask) -> None:
    answer = ask("POST", SCROLL, json={"entities": ["dataset", "spaceship"]})
    assert (answer.status_code, "spaceship" in answer.json()["message"]) == (400, True)


def test_one_entity_that_may_not_be_read_refuses_the_whole_page(sandbox: Sandbox, ask: Ask) -> None:
    properties(sandbox, "a")
    sandbox.put("urn:li:tag:pii", "tagProperties", {"name": "pii"})
    sandbox.hide("tag")
    refused = ask("POST", SCROLL, json={})
    assert (refused.status_code, "unauthorized to READ" in refused.json()["error"]) == (403, True)
    assert ask("POST", SCROLL, json={"entities": ["dataset"]}).status_code == 200
    assert ask("GET", "/openapi/v3/entity/tag/urn%3Ali%3Atag%3Apii").status_code == 403
    assert ask("POST", "/openapi/v3/entity/tag/batchGet", json=[{"urn": "urn:li:tag:pii"}]).status_code == 403
    sandbox.show("tag")
    assert len(scrolled(ask)) == 2


def test_each_entity_can_bear_a_cursor_of_its_own(sandbox: Sandbox, ask: Ask) -> None:
    first, second = properties(sandbox, "a", "b")
    page = ask("POST", SCROLL, params={"scrollIdPerEntity": "true"}, json={}).json()
    assert [one["urn"] for one in page["entities"]] == [first, second]
    assert scrolled(ask, scrollId=page["entities"][0]["scrollId"]) == [second]


def test_an_old_server_has_no_scroll() -> None:
    with Sandbox(has_scroll=False, version="v0.13.0") as old:
        answer = httpx2.post(old.url + SCROLL, json={}, trust_env=False)
        assert answer.status_code == 404
        config = httpx2.get(f"{old.url}/config", trust_env=False).json()
        assert config["versions"]["acryldata/datahub"]["version"] == "v0.13.0"


# Filters


def test_groups_of_a_filter_are_alternatives_and_their_criteria_all_count(sandbox: Sandbox, ask: Ask) -> None:
    """DataHub, check 22: what the list called `and` means."""
    hive, other = properties(sandbox, "a", "b")
    (kafka,) = properties(sandbox, "c", platform="kafka")
    on_hive = criterion("platform", "urn:li:dataPlatform:hive")
    either = grouped([on_hive], [criterion("platform.keyword", "urn:li:dataPlatform:kafka")])
    both = grouped([on_hive, criterion("urn", hive)])
    assert scrolled(ask, either) == [hive, other, kafka]
    assert scrolled(ask, both) == [hive]
    assert scrolled(ask, grouped([criterion("platform", "urn:li:dataPlatform:hive", negated=True)])) == [kafka]


def test_conditions_say_what_they_say(sandbox: Sandbox, ask: Ask, clock: Clock) -> None:
    (old,) = properties(sandbox, "old")
    clock.now += 100
    (new,) = properties(sandbox, "new")
    sandbox.put(new, "subTypes", {"typeNames": ["View"]})
    sandbox.soft_delete(old)
    clock.now -= 100
    middle = str(round(clock.now * 1000) + 50_000)
    wanted = {
        "IN": (criterion("origin", "PROD", "DEV", condition="IN"), [new, old]),
        "EXISTS": (criterion("typeNames", condition="EXISTS"), [new]),
        "CONTAIN": (criterion("name", "ne", condition="CONTAIN"), [new]),
        "removed": (criterion("removed", "true"), [old]),
        "LESS_THAN": (criterion("lastObserved", middle, condition="LESS_THAN"), []),
        "GREATER_THAN": (criterion("lastObserved", middle, condition="GREATER_THAN"), [new, old]),
        "instance": (criterion("platformInstance", condition="EXISTS"), []),
    }
    for what, (one, found) in wanted.items():
        assert scrolled(ask, grouped([one]), includeSoftDelete="true") == found, what


@pytest.mark.parametrize("condition", ["STARTS_WITH", "ENDS_WITH"])
def test_two_conditions_of_the_api_have_no_name_in_the_engine(sandbox: Sandbox, ask: Ask, condition: str) -> None:
    properties(sandbox, "a")
    assert ask("POST", SCROLL, json=grouped([criterion("urn", "x", condition=condition)])).status_code == 400
    comparing = grouped([criterion("name", "1", condition="LESS_THAN")])
    assert ask("POST", SCROLL, json=comparing).status_code == 400, "and a name is no number"


def test_a_search_text_looks_into_names_and_aspects(sandbox: Sandbox, ask: Ask) -> None:
    first, _ = properties(sandbox, "invoices", "b")
    assert scrolled(ask, query="Invoice") == [first]


# One type, one entity, many


def test_a_type_is_listed_with_facets_in_either_order(sandbox: Sandbox, ask: Ask) -> None:
    first, second = properties(sandbox, "a", "b")
    page = ask("GET", "/openapi/v3/entity/DATASET", params={"aspects": "datasetproperties", "count": 1}).json()
    assert page["entities"] == [{"urn": first, "datasetProperties": {"value": {"name": "a"}}}]
    assert page["facets"] == []
    down = ask("GET", "/openapi/v3/entity/dataset", params={"sortOrder": "DESCENDING", "count": 1}).json()
    assert down["entities"][0]["urn"] == second
    rest = {"sortOrder": "DESCENDING", "count": 1, "scrollId": down["scrollId"]}
    assert ask("GET", "/openapi/v3/entity/dataset", params=rest).json()["entities"][0]["urn"] == first


def test_one_entity_one_aspect_and_its_versions(sandbox: Sandbox, ask: Ask) -> None:
    (urn,) = properties(sandbox, "a/b")
    sandbox.put(urn, "datasetProperties", {"name": "renamed"})
    path = f"/openapi/v3/entity/dataset/{quote(urn, safe='')}"
    assert ask("GET", path, params={"aspects": "status"}).json() == {"urn": urn}
    assert ask("GET", f"{path}/datasetproperties").json() == {"value": {"name": "renamed"}}
    versions = [ask("GET", f"{path}/datasetProperties", params={"version": one}) for one in (1, 2, 3)]
    assert [one.json()["value"]["name"] if one.status_code == 200 else 404 for one in versions] == [
        "a/b",
        "renamed",
        404,
    ]
    assert ask("GET", f"{path}/status").status_code == 404
    unencoded = ask("GET", f"/openapi/v3/entity/dataset/{urn}/datasetProperties")
    assert unencoded.json() == {"value": {"name": "renamed"}}, "a client that does not encode is understood"


def test_existence_is_asked_by_head(sandbox: Sandbox, ask: Ask) -> None:
    (urn,) = properties(sandbox, "a")
    path = f"/openapi/v3/entity/dataset/{quote(urn, safe='')}"
    assert ask("HEAD", path).status_code == 204
    assert ask("HEAD", f"{path}/status").status_code == 404
    assert ask("HEAD", path.replace("a%2CPROD", "b%2CPROD")).status_code == 404
    assert ask("GET", path.replace("a%2CPROD", "b%2CPROD")).status_code == 404
    sandbox.soft_delete(urn)
    assert ask("HEAD", path).status_code == 404
    assert ask("HEAD", path, params={"includeSoftDelete": "true"}).status_code == 204


def test_a_batch_of_several_types_is_answered_by_type(sandbox: Sandbox, ask: Ask) -> None:
    (urn,) = properties(sandbox, "a")
    body = {"dataset": [{"urn": urn, "datasetProperties": {}}], "tag": [{"urn": "urn:li:tag:none"}]}
    assert ask("POST", "/openapi/v3/entity/generic/batchGet", json=body).json() == {
        "dataset": [{"urn": urn, "datasetProperties": {"value": {"name": "a"}}}],
        "tag": [],
    }


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


def test_relationships_are_chosen_by_type_end_and_direction(sandbox: Sandbox, ask: Ask) -> None:
    below, above = properties(sandbox, "b", "a")
    sandbox.put(below, "upstreamLineage", {"upstreams": [{"dataset": above, "type": "COPY"}]})
    sandbox.break_aspect(above, "upstreamLineage", {"upstreams": [{"dataset": 5}]})

    def found(body: Any = None, **params: Any) -> int:
        answer = ask("POST", "/openapi/v3/relationship/scroll", params=params, json=body or {})
        return len(answer.json()["results"])

    only = {"sourceFilter": {"and": [{"criteria": [criterion("urn", above)]}]}}
    assert found() == 1
    assert found(relationshipTypes="Consumes") == 0
    assert found(sourceTypes="dataset", destinationTypes="dataset") == 1
    assert found(sourceTypes="tag") == 0
    assert (found(only), found(only, direction="INCOMING")) == (0, 1)
    assert found({"edgeFilter": {"and": [{"criteria": [criterion("relationshipType", "DownstreamOf")]}]}}) == 1
    assert found({"destinationFilter": {"and": [{"criteria": [criterion("origin", "PROD")]}]}}) == 0
    sandbox.soft_delete(below)
    assert (found(), found(includeSoftDelete="true")) == (0, 1)


# The server as such


def test_the_registry_tells_types_page_by_page(ask: Ask) -> None:
    path = "/openapi/v1/registry/models/entity/specifications"
    page = ask("GET", path, params={"start": 70, "count": 50}).json()
    assert (page["start"], page["count"], page["total"]) == (70, 2, 72)
    assert {"name", "keyAspectName", "keyAspectSpec", "aspectSpecs"} == set(page["elements"][0])


def test_a_token_that_is_not_the_one_is_refused() -> None:
    with Sandbox(empty=True, token="right") as server:
        for given, status in (("right", 200), ("wrong", 401)):
            headers = {"Authorization": f"Bearer {given}"}
            assert httpx2.get(f"{server.url}/config", headers=headers, trust_env=False).status_code == status


def test_the_world_can_move_between_two_calls(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.between.append(lambda asked: sandbox.soft_delete(dataset("a")) if asked.path == "/config" else None)
    ask("GET", "/config")
    assert dataset("a") in sandbox.world.entities
    assert [one.path for one in sandbox.calls] == ["/config"]


def test_what_is_broken_stands_beside_what_is_whole(sandbox: Sandbox, ask: Ask) -> None:
    (urn,) = properties(sandbox, "a")
    sandbox.break_aspect(urn, "upstreamLineage", {"upstreams": 5})
    sandbox.break_aspect(urn, "spaceships", {"fleet": 3})
    told = ask("POST", SCROLL, json={"aspects": []}).json()["entities"][0]
    assert told["upstreamLineage"]["value"] == {"upstreams": 5}
    assert told["spaceships"]["value"] == {"fleet": 3}
    with pytest.raises(Refusal):
        sandbox.put(urn, "spaceships", {"fleet": 3})


# The story


def test_the_story_is_told_as_a_catalogue_holds_it() -> None:
    told = Sandbox(runs=("run-1", "run-2")).world.entities
    lineage = told[story.table(CUSTOMER_ORDERS)].aspects["upstreamLineage"].value
    spent = story.column(CUSTOMER_ORDERS, "total_spent")
    (pair,) = [one for one in lineage["fineGrainedLineages"] if one["downstreams"] == [spent]]
    orders = "urn:li:dataset:(urn:li:dataPlatform:postgres,warehouse.shop.raw.orders,PROD)"
    assert pair["upstreams"] == [column(orders, "amount")]
    chart = told[story.CHART].aspects["chartInfo"].value
    assert chart["inputEdges"][0]["destinationUrn"] == story.table(REVENUE)
    assert told[story.training(2)].aspects["mlTrainingRunProperties"].value["id"] == "run-2"
    assert told[story.model(2)].aspects["mlModelProperties"].value["deployments"] == [story.DEPLOYMENT]
    results = [one.value["result"]["type"] for one in told[story.ASSERTION].series["assertionRunEvent"]]
    assert results == ["SUCCESS", "FAILURE"]
    first = told[story.model(1)].aspects["mlModelProperties"].system["aspectModified"]["time"]
    assert first == 1736154000000, "it was told when it happened"
