"""A server that gives trouble: what is refused, forgotten, broken or too large is told, and the rest is read."""

from typing import Any

import httpx2
import pytest

from watersmeet.federation.errors import SourceChanged, SourceRefused, SourceUnavailable
from watersmeet.federation.model import EdgeKind, RunState

from ..conftest import Told
from .catalog import URL, Catalog
from .conftest import Connect, dataset, proposal, written
from .following import DAY, RUN, A, B, C, Reader, three


@pytest.fixture
def catalog() -> Catalog:
    return three()


@pytest.fixture
def read(catalog: Catalog, connect: Connect) -> Reader:
    return Reader(catalog, connect)


def test_a_bad_credential_ends_the_sync_at_once(catalog: Catalog, connect: Connect, waited: list[float]) -> None:
    """DataHub, check 4: 401 fails at once, nothing is deleted, no secret is shown."""
    catalog.fail("scroll", 401)
    told: list[Any] = []
    with pytest.raises(SourceRefused, match="401 on POST /openapi/v3/entity/scroll") as refused:
        told += connect(URL, transport=catalog.transport, token="s3cr3t-t0ken").read(None)
    assert "s3cr3t" not in str(refused.value)
    assert not any(batch.listed for batch in told)
    assert waited == []


def test_a_type_that_may_not_be_read_is_named_and_the_others_are_read(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 4: 403 on one type is a partial sync without tombstones for it."""
    catalog.put("urn:li:tag:t", "tagProperties", {"name": "t"})

    def forbidden(request: httpx2.Request) -> httpx2.Response | None:
        is_meant = request.url.path.endswith("/scroll") and b'"corpuser"' in request.content
        return httpx2.Response(403, json={"error": "x is unauthorized to READ entities."}) if is_meant else None

    catalog.faults.append(forbidden)
    told = Told.by(connect(URL, transport=catalog.transport).read(None))
    assert "urn:li:tag:t" in told.records
    assert "corpuser" not in told.listed
    assert {"dataset", "tag"} <= told.listed
    assert [one.partition(":")[0] for one in told.failures] == ["corpuser"]
    assert [batch.missing_grants for batch in told.batches if batch.missing_grants] == [("GET_ENTITY on corpuser",)]
    assert not told.complete


@pytest.mark.parametrize("body", ["search context missing", {"message": "no such point in time"}])
def test_a_scroll_that_the_server_forgot_begins_again_without_waiting(
    catalog: Catalog, connect: Connect, waited: list[float], body: Any
) -> None:
    """DataHub, check 6: recognised without the retry ladder, no duplicates, no loss."""
    lost = [2]

    def forgets(request: httpx2.Request) -> httpx2.Response | None:
        if lost[0] and "scrollId" in str(request.url):
            lost[0] -= 1
            return httpx2.Response(500, json=body)
        return None

    catalog.faults.append(forgets)
    told = Told.by(connect(URL, transport=catalog.transport, options={"page_size": 2}).read(None))
    assert {A, B, C} == set(told.records)
    assert (told.failures, waited) == ([], [])
    assert "dataset" in told.listed


def test_a_scroll_that_is_forgotten_for_the_third_time_is_unstable(catalog: Catalog, connect: Connect) -> None:
    """It may also be gone by 404."""

    def forgets(request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(404) if "scrollId" in str(request.url) else None

    catalog.faults.append(forgets)
    told = Told.by(connect(URL, transport=catalog.transport, options={"page_size": 2}).read(None))
    assert [one for one in told.failures if "scroll_unstable" in one]
    assert "dataset" not in told.listed
    assert "tag" in told.listed


@pytest.mark.parametrize("rows", [[], [{"urn": A}]])
@pytest.mark.parametrize("moves", [True, False])
def test_a_listing_without_end_is_cut(catalog: Catalog, connect: Connect, rows: list[Any], moves: bool) -> None:
    """DataHub, check 8: a server that repeats the same scrollId or the same page for ever is cut."""
    number = [0]

    def endless(request: httpx2.Request) -> httpx2.Response | None:
        if not request.url.path.endswith("/scroll") or b'"dataset"' not in request.content:
            return None
        number[0] += 1
        return httpx2.Response(200, json={"entities": rows, "scrollId": f"s{number[0] if moves else 0}"})

    catalog.faults.append(endless)
    told = Told.by(connect(URL, transport=catalog.transport).read(None))
    assert number[0] < 6
    assert [one.partition(":")[0] for one in told.failures] == ["dataset"]
    assert "dataset" not in told.listed


def test_at_most_5000_are_asked_at_once_and_what_is_counted_must_come(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 9."""

    def miscounts(request: httpx2.Request) -> httpx2.Response | None:
        if not request.url.path.endswith("/scroll") or b'"dataset"' not in request.content:
            return None
        return httpx2.Response(200, json={"entities": [{"urn": A}], "totalCount": 2})

    catalog.faults.append(miscounts)
    told = Told.by(connect(URL, transport=catalog.transport, options={"page_size": 20000}).read(None))
    assert {query["count"] for query, _ in catalog.scrolls()} == {"5000"}
    assert told.failures == ["dataset: the server counts 2 and gave 1: its index lags, or hides some"]
    assert "dataset" not in told.listed


def test_a_listing_that_shrank_by_half_is_believed_the_second_time(catalog: Catalog, read: Reader) -> None:
    some = [dataset(f"db.more{number}") for number in range(40)]
    for one in some:
        catalog.put(one, "datasetProperties", {})
    read()
    for one in some:
        del catalog.entities[one]
    shrunk = read(DAY)
    assert [one.partition(":")[0] for one in shrunk.failures] == ["dataset"]
    assert "dataset" not in shrunk.listed
    assert "dataset" in read().listed


def test_a_server_that_shows_nothing_is_no_empty_one(connect: Connect) -> None:
    told = Told.by(connect(URL, transport=Catalog().transport).read(None))
    assert "no entity is visible" in told.failures[0]
    assert (told.listed, told.complete) == (set(), False)


def test_broken_urns_and_aspects_are_put_aside_and_the_page_goes_on(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 12: as an entity and inside an edge; one corrupt aspect is quarantined alone."""
    two_parts = "urn:li:dataset:(urn:li:dataPlatform:hive,db.t)"
    catalog.entities[two_parts] = {"status": {"value": {"removed": False}}}
    catalog.put(B, "upstreamLineage", {"upstreams": [{"dataset": two_parts}, {"dataset": A}, {"type": "VIEW"}]})
    catalog.entities[C]["ownership"] = {"value": "corrupt"}
    told = Told.by(connect(URL, transport=catalog.transport).read(None))
    assert sorted(one.reason.partition(":")[0] for one in told.skipped) == [
        "it names no thing that DataHub could know",
        "it names no thing that DataHub could know",
        "its URN names nothing",
        "the aspect is no object",
    ]
    assert (A, B) in told.pairs(EdgeKind.DERIVE)
    assert {A, B, C} == set(told.records)
    assert told.complete


def test_an_entity_that_is_too_large_is_named_and_the_rest_is_read(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 13: over the byte cap the entity is recorded as truncated, never silently cut."""
    catalog.put(B, "datasetProperties", {"name": "b", "description": "x" * 5000})
    settings: dict[str, Any] = {"http": {"page_bytes": 4000}, "options": {"page_size": 1}}
    told = Told.by(connect(URL, transport=catalog.transport, **settings).read(None))
    assert {A, B, C} == set(told.records)
    assert [(one.what, one.reason.partition(":")[0]) for one in told.skipped] == [(B, "truncated")]
    assert "dataset" not in told.listed


def test_an_unknown_type_and_an_unknown_aspect_are_kept(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 3: OTHER with the raw aspect; types can be ignored."""
    assert catalog.types is not None
    catalog.types["spaceship"] = ("spaceshipInfo", "warpDrive")
    catalog.put("urn:li:spaceship:one", "warpDrive", {"speed": 9})
    told = Told.by(connect(URL, transport=catalog.transport).read(None))
    ship = [one for scope in told.scopes for one in scope.records if one.native_id == "urn:li:spaceship:one"]
    assert {(one.kind.value, one.subtype) for one in ship} == {("OTHER", "spaceship"), ("OTHER", None)}
    assert ship[-1].facets == {"datahub.warpDrive": {"speed": 9}}
    catalog.types["dataHubSecret"] = ("dataHubSecretValue",)
    catalog.put("urn:li:dataHubSecret:s", "dataHubSecretValue", {"value": "x"})
    assert "urn:li:dataHubSecret:s" not in Told.by(connect(URL, transport=catalog.transport).read(None)).records
    ignoring = connect(URL, transport=catalog.transport, options={"ignore": ["spaceship"]})
    assert "urn:li:spaceship:one" not in Told.by(ignoring.read(None)).records


def test_the_last_events_say_how_a_run_and_a_check_went(catalog: Catalog, connect: Connect) -> None:
    catalog.put(RUN, "dataProcessInstanceProperties", {"name": "run", "created": {"time": 1_700_000_000_000}})
    catalog.series[RUN] = [
        '{"timestampMillis": 1700000060000, "status": "COMPLETE", '
        '"result": {"type": "FAILURE", "nativeResultType": "x"}}',
        '{"timestampMillis": 1700000000000, "status": "STARTED"}',
        "no event",
    ]
    check = "urn:li:assertion:c"
    catalog.put(check, "assertionInfo", {"type": "DATASET", "datasetAssertion": {"dataset": A}})
    catalog.series[check] = ['{"timestampMillis": 1700000060000, "status": "COMPLETE", "result": {"type": "SUCCESS"}}']
    told = Told.by(connect(URL, transport=catalog.transport).read(None))
    [run] = [one.run for scope in told.scopes for one in scope.records if one.run is not None]
    assert (run.state, run.error) == (RunState.FAILED, "x")
    [result] = [one.facets["result"] for scope in told.scopes for one in scope.records if "result" in one.facets]
    assert result["state"] == "SUCCESS"
    assert (A, check) in told.pairs(EdgeKind.CHECK)
    assert "series" not in told.listed
    assert [one.reason for one in told.skipped] == ["an event is no object"]


def test_events_that_cannot_be_read_are_said_once(catalog: Catalog, connect: Connect) -> None:
    for number in range(3):
        catalog.put(f"{RUN}{number}", "status", {"removed": False})
    catalog.fail("aspects", 403)
    told = Told.by(connect(URL, transport=catalog.transport).read(None))
    [failure] = told.failures
    assert "the events of runs and assertions cannot be read" in failure
    none = connect(URL, transport=catalog.transport, options={"run_events": 0})
    assert Told.by(none.read(None)).complete


def test_runs_of_long_ago_are_not_asked_for_their_events_again(catalog: Catalog, read: Reader) -> None:
    old = {"created": {"time": 1_600_000_000_000}}
    catalog.put(RUN, "dataProcessInstanceProperties", old)
    catalog.series[RUN] = ['{"timestampMillis": 1600000060000, "status": "COMPLETE", "result": {"type": "SUCCESS"}}']
    assert [scope.key for scope in read().scopes if scope.family == "series"]
    assert [scope.key for scope in read(DAY).scopes if scope.family == "series"] == []


def test_a_page_instead_of_the_api_is_the_wrong_address(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 17."""
    catalog.fail("config", 200, body="<!DOCTYPE html><html>DataHub</html>", headers={"content-type": "text/html"})
    with pytest.raises(SourceRefused, match="wrong_url_or_proxy: a web page"):
        connect(URL, transport=catalog.transport).check()
    catalog.faults.clear()
    catalog.config = {"something": "else"}
    with pytest.raises(SourceRefused, match="wrong_url_or_proxy: something that is no configuration"):
        list(connect(URL, transport=catalog.transport).read(None))
    catalog.fail("config", 403)
    with pytest.raises(SourceRefused, match="403 on GET /config"):
        connect(URL, transport=catalog.transport).check()


def test_a_redirect_to_another_host_is_refused(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 18."""
    catalog.fail("config", 302, headers={"location": "https://elsewhere.test/config"})
    with pytest.raises(SourceRefused, match=r"leads to https://elsewhere\.test/config, where no request is sent"):
        connect(URL, transport=catalog.transport, token="s3cr3t-t0ken").check()


def test_everything_works_where_graphql_is_off(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 19."""
    catalog.fail("graphql", 404)
    assert Told.by(connect(URL, transport=catalog.transport).read(None)).complete
    assert not any("graphql" in path for path, _, _ in catalog.asked)


def test_a_server_without_the_api_says_which_version_is_needed(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 14: an old server; without a registry all aspects are asked."""
    catalog.types = None
    told = Told.by(connect(URL, transport=catalog.transport).read(None))
    assert {A, B, C} == set(told.records)
    assert all(body["aspects"] == [] for _, body in catalog.scrolls())
    catalog.fail("scroll", 404)
    with pytest.raises(SourceChanged, match=r"too old to be read\. DataHub 1\.0 and later"):
        list(connect(URL, transport=catalog.transport).read(None))


def test_a_page_that_is_none_is_told(catalog: Catalog, connect: Connect) -> None:
    catalog.fail("scroll", 200, body={"elements": []})
    with pytest.raises(SourceChanged, match="a page without `entities`"):
        list(connect(URL, transport=catalog.transport).read(None))


def test_a_killed_reading_goes_on_where_it_was_and_is_not_taken_for_a_whole_one(
    catalog: Catalog, connect: Connect
) -> None:
    catalog.put("urn:li:tag:t", "tagProperties", {"name": "t"})
    options = {"page_size": 2}
    first = next(iter(connect(URL, transport=catalog.transport, options=options).read(None)))
    assert first.resume is not None
    assert first.resume["group"] == "dataset"
    rest = Told.by(connect(URL, transport=catalog.transport, options=options).read(first.resume))
    assert set(rest.records) == {C, "urn:li:tag:t"}
    assert rest.listed == set()
    again = Told.by(connect(URL, transport=catalog.transport, options=options).read(rest.cursor))
    assert {A, B, C} <= set(again.records)
    assert "dataset" in again.listed


def test_a_cursor_of_another_format_is_as_none(catalog: Catalog, connect: Connect) -> None:
    told = Told.by(connect(URL, transport=catalog.transport).read({"format": 0, "full": "x"}))
    assert "dataset" in told.listed


def test_a_server_that_asks_for_too_much_patience_is_named(catalog: Catalog, connect: Connect) -> None:
    catalog.fail("scroll", 429, headers={"retry-after": "3600"})
    with pytest.raises(SourceUnavailable, match="it asks us to come back at 2026-11-26T13:00:00Z"):
        list(connect(URL, transport=catalog.transport).read(None))


def test_only_a_404_says_that_a_thing_is_gone(catalog: Catalog, connect: Connect) -> None:
    field = f"urn:li:schemaField:({A},x)"
    gone = dataset("db.gone")

    def hidden(request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(403) if "hidden" in request.url.path else None

    catalog.faults.append(hidden)
    catalog.put("urn:li:mlModel:(urn:li:dataPlatform:mlflow,m,PROD)", "mlModelEvaluationData", {})
    judged = "urn:li:mlModel:(urn:li:dataPlatform:mlflow,m,PROD)#evaluation"
    connector = connect(URL, transport=catalog.transport)
    asked = [A, field, field, gone, dataset("db.hidden"), "no urn", judged, "urn:li:tag:a#b"]
    assert list(connector.gone(asked)) == [field, field, gone, "urn:li:tag:a#b"]
    assert connector.refused == (dataset("db.hidden"),)


def test_check_tells_version_and_what_is_missing(catalog: Catalog, connect: Connect) -> None:
    health = connect(URL, transport=catalog.transport).check()
    assert (health.version, health.message, health.missing_grants) == ("1.2.0", "core, 5 types of entities", ())
    assert health.capabilities == {"registry": True, "change_log": True, "patch": False}
    catalog.fail("scroll", 403)
    catalog.fail("poll", 403)
    catalog.types = None
    health = connect(URL, transport=catalog.transport).check()
    assert health.missing_grants == (
        "GET_ENTITY on the entities that are to be read",
        "GET_METADATA_CHANGE_LOG_EVENTS",
    )
    quiet = connect(URL, transport=catalog.transport, options={"events": False}).check()
    assert quiet.capabilities["change_log"] is False
    catalog.faults.clear()
    catalog.fail("scroll", 401)
    with pytest.raises(SourceRefused, match="401"):
        connect(URL, transport=catalog.transport).check()
    catalog.faults.clear()
    catalog.fail("poll", 401)
    with pytest.raises(SourceRefused, match="401"):
        connect(URL, transport=catalog.transport).check()


def test_a_file_and_a_server_say_the_same(catalog: Catalog, connect: Connect, tmp_path: Any) -> None:
    """DataHub, check 1: the same graph in file mode and through the API."""
    records = [
        proposal(urn, aspect, one["value"]) for urn, told in catalog.entities.items() for aspect, one in told.items()
    ]
    by_file = Told.by(connect(written(tmp_path / "x.json", *records)).read(None))
    by_rest = Told.by(connect(URL, transport=catalog.transport).read(None))
    assert {one.key: (one.records, one.edges) for one in by_file.scopes} == {
        one.key: (one.records, one.edges) for one in by_rest.scopes
    }


def test_a_log_that_gives_one_page_for_ever_is_not_followed(catalog: Catalog, read: Reader) -> None:
    read()
    end = str(len(catalog.log["MetadataChangeLog_Versioned_v1"]))
    catalog.fail("events/poll", 200, body={"offsetId": end, "events": [{"value": "{}"}] * 1000})
    told = read()
    assert "the same page again and again" in told.skipped[0].reason
    assert {A, B, C} == set(told.records)
