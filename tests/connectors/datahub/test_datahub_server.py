"""A server that is read and followed: groups, pages, the change log, deletions."""

from datetime import timedelta

import httpx2
import pytest

from watersmeet.federation.errors import SourceRefused
from watersmeet.federation.model import EdgeKind

from ..conftest import Told
from .catalog import URL, Catalog
from .conftest import Connect
from .following import DAY, A, B, C, Reader, three


@pytest.fixture
def catalog() -> Catalog:
    return three()


@pytest.fixture
def read(catalog: Catalog, connect: Connect) -> Reader:
    return Reader(catalog, connect)


def test_everything_is_read_in_groups_with_the_aspects_named(catalog: Catalog, connect: Connect) -> None:
    told = Told.by(connect(URL, transport=catalog.transport).read(None))
    assert {A, B, C} == set(told.records)
    assert told.pairs(EdgeKind.DERIVE) == {(B, A)}
    assert (told.complete, told.failures, told.skipped) == (True, [], [])
    assert {"dataset", "tag", "assertion"} <= told.listed
    assert all(batch.unsure for batch in told.batches if batch.listed)
    (query, body), *_ = catalog.scrolls()
    assert body["entities"] == ["dataset"]
    assert "upstreamLineage" in body["aspects"]
    assert "datasetProfile" not in body["aspects"]
    assert (query["includeSoftDelete"], query["systemMetadata"], query["count"]) == ("true", "true", "300")
    assert "/api/graphql" not in {path for path, _, _ in catalog.asked}


def test_the_change_log_is_asked_where_it_ends_before_anything_is_read(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 16: the offset is taken before the scan."""
    Told.by(connect(URL, transport=catalog.transport).read(None))
    paths = [path.rpartition("/")[2] for path, _, _ in catalog.asked]
    assert paths.index("poll") < paths.index("scroll")


def test_pages_are_read_one_by_one_and_an_empty_last_one_ends(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 8: an empty final page terminates."""
    told = connect(URL, transport=catalog.transport, options={"page_size": 1}).read(None)
    next(told)
    assert len(catalog.scrolls()) == 1
    assert {A, B, C} == set(Told.by(told).records) | {A}
    assert len([body for _, body in catalog.scrolls() if body["entities"] == ["dataset"]]) == 4


def test_after_a_full_reading_only_what_changed_is_read(catalog: Catalog, read: Reader) -> None:
    """DataHub, check 15: an unchanged server costs no scroll; one changed aspect is exactly that entity."""
    read()
    quiet = read()
    assert (quiet.scopes, quiet.complete, quiet.listed) == ([], True, set())
    catalog.put(C, "datasetProperties", {"name": "größer"}, at=1_700_000_001_000)
    changed = read()
    assert {scope.key.rpartition("/")[0] for scope in changed.scopes} == {f"dataset/{C}"}
    assert [one.name for scope in changed.scopes for one in scope.records if one.name] == ["db.c", "größer"]
    assert read(DAY).listed


def test_what_is_deleted_between_two_readings_is_told_by_the_log(catalog: Catalog, read: Reader) -> None:
    """DataHub, check 10: hard-deleted by a DELETE record."""
    read()
    catalog.drop(C)
    catalog.drop(A, "upstreamLineage")
    told = read()
    assert [one.native_id for one in told.tombstones] == [C]
    [ended] = [scope for scope in told.scopes if scope.key.endswith("upstreamLineage")]
    assert (ended.edges, ended.records) == ((), ())
    catalog.drop(B)
    catalog.put(B, "datasetProperties", {"name": "again"})
    assert read().tombstones == []


def test_a_changed_entity_that_may_not_be_read_is_named_and_the_others_are_read(
    catalog: Catalog, connect: Connect
) -> None:
    first = Told.by(connect(URL, transport=catalog.transport).read(None))
    catalog.put(A, "datasetProperties", {"name": "hidden"}, at=1_700_000_001_000)
    catalog.put(C, "datasetProperties", {"name": "new"}, at=1_700_000_001_000)

    def hides(request: httpx2.Request) -> httpx2.Response | None:
        is_meant = request.url.path.endswith("/batchGet") and A.encode() in request.content
        return httpx2.Response(403, json={"error": "unauthorized"}) if is_meant else None

    catalog.faults.append(hides)
    connector = connect(URL, transport=catalog.transport)
    told = Told.by(connector.read(first.cursor))
    assert [one.name for scope in told.scopes for one in scope.records if one.name] == ["db.c", "new"]
    assert connector.refused == (A,)
    catalog.put(A, "status", {"removed": False})
    catalog.faults.clear()
    catalog.fail("batchGet", 401)
    with pytest.raises(SourceRefused, match="401 on POST"):
        list(connector.read(told.cursor))


@pytest.mark.parametrize("status", [403, 404, 500])
def test_without_the_change_log_everything_is_read_and_that_is_said(
    catalog: Catalog, read: Reader, status: int
) -> None:
    """DataHub, check 16: offset expired, 403 or 500 lead to a full scan, reported."""
    read()
    catalog.fail("events/poll", status)
    told = read(http={"retries": 0})
    assert {A, B, C} == set(told.records)
    assert told.complete
    assert {one.what for one in told.skipped} == {"the change log"}
    assert all(not one.lost for one in told.skipped)
    grants = {grant for batch in told.batches for grant in batch.missing_grants}
    assert grants == ({"GET_METADATA_CHANGE_LOG_EVENTS"} if status == 403 else set())


def test_an_offset_that_is_older_than_the_log_leads_to_a_full_reading(catalog: Catalog, read: Reader) -> None:
    read(options={"full_hours": 1000})
    told = read(timedelta(days=6.5), options={"full_hours": 1000})
    assert {A, B, C} == set(told.records)


def test_a_log_that_answers_an_error_or_itself_again_is_not_followed(catalog: Catalog, read: Reader) -> None:
    read()
    catalog.fail("events/poll", 200, body={"errorMessage": "offset out of range"})
    told = read()
    assert "offset out of range" in told.skipped[0].reason
    assert {A, B, C} == set(told.records)


def test_a_change_that_is_no_change_is_put_aside(catalog: Catalog, read: Reader) -> None:
    read()
    catalog.log["MetadataChangeLog_Versioned_v1"] += ["{", '{"entityUrn": "nothing"}']
    told = read()
    assert [one.reason.partition(":")[0] for one in told.skipped] == [
        "the value of a change is no JSON",
        "it does not begin with urn",
    ]
    assert told.complete


def test_soft_deleted_entities_die_with_all_that_was_said_and_live_again(catalog: Catalog, read: Reader) -> None:
    """DataHub, check 10: the edges stay; restored is active."""
    catalog.put(A, "status", {"removed": False})
    assert read().tombstones == []
    catalog.put(A, "status", {"removed": True}, at=1_600_000_000_000)
    told = read()
    [stone] = told.tombstones
    assert (stone.native_id, stone.is_withdrawn) == (A, False)
    assert stone.at == max(scope.stated_at for scope in told.scopes if scope.stated_at)
    assert told.pairs(EdgeKind.DERIVE) == {(B, A)}
    catalog.put(A, "status", {"removed": False})
    assert [one.is_withdrawn for one in read().tombstones] == [True]
