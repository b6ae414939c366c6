"""DataHub in miniature as its readers meet it: scrolls, filters, batches, relationships."""

from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from watersmeet.connectors.datahub import sandbox_story as story
from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.connectors.datahub.sandbox_registry import Refusal
from watersmeet.connectors.story import CUSTOMER_ORDERS, REVENUE

from .asking import SCROLL, Ask, Clock, criterion, grouped, properties, scrolled
from .conftest import column, dataset

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
