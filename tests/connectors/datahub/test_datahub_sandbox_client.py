"""How true the miniature is to DataHub's own client: what that sends and reads, in all its modes."""

from collections.abc import Iterator
from typing import Any

import pytest

from watersmeet.connectors.datahub import schemas
from watersmeet.connectors.datahub.registry import CLASS_OF, KNOWN
from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.connectors.datahub.sandbox_registry import key_of

from . import official
from .official import ORDERS, RUN, TOTALS, classes


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(empty=True) as running:
        yield running


def filled(sandbox: Sandbox) -> Sandbox:
    for urn, aspect in official.aspects():
        sandbox.put(urn, aspect.ASPECT_NAME, official.wire(aspect))
    return sandbox


def scrolled(graph: Any, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    page = graph.scroll_entities(**asked)
    found.update(page.entities)
    while page.scroll_id:
        page = graph.scroll_entities(scroll_id=page.scroll_id, **asked)
        found.update(page.entities)
    return found


@pytest.mark.parametrize("openapi", [True, False], ids=["openapi", "restli"])
def test_what_the_client_sends_one_by_one_reads_back_as_it_was(sandbox: Sandbox, openapi: bool) -> None:
    with official.emitter(sandbox.url, openapi=openapi) as client:
        for urn, aspect in official.aspects():
            client.emit(official.proposal(urn, aspect))
    wanted = "/openapi/v3/entity/" if openapi else "/aspects?action=ingestProposal"
    assert {one.path.startswith(wanted) for one in sandbox.calls if one.method == "POST"} == {True}
    for urn, aspect in official.aspects():
        assert sandbox.value(urn, aspect.ASPECT_NAME) == official.wire(aspect)
    with official.graph(sandbox.url) as graph:
        read = scrolled(graph, count=4, aspects=[], with_system_metadata=True)
    for urn, aspect in official.aspects():
        assert read[urn][aspect.ASPECT_NAME][0].to_obj() == aspect.to_obj()


@pytest.mark.parametrize("openapi", [True, False], ids=["openapi", "restli"])
def test_what_the_client_sends_as_a_batch_reads_back_as_it_was(sandbox: Sandbox, openapi: bool) -> None:
    with official.emitter(sandbox.url, openapi=openapi) as client:
        client.emit_mcps([official.proposal(urn, aspect) for urn, aspect in official.aspects()])
    for urn, aspect in official.aspects():
        assert sandbox.value(urn, aspect.ASPECT_NAME) == official.wire(aspect)


def test_a_snapshot_of_a_whole_entity_is_taken_aspect_by_aspect(sandbox: Sandbox) -> None:
    mine = [aspect for urn, aspect in official.aspects() if urn == official.MODEL]
    snapshot = classes.MLModelSnapshotClass(urn=official.MODEL, aspects=mine)
    with official.emitter(sandbox.url, openapi=False) as client:
        client.emit_mce(classes.MetadataChangeEventClass(proposedSnapshot=snapshot))
    for aspect in mine:
        assert sandbox.value(official.MODEL, aspect.ASPECT_NAME) == official.wire(aspect)


def test_sending_the_same_again_makes_no_new_version(sandbox: Sandbox) -> None:
    with official.emitter(sandbox.url, openapi=True) as client:
        for _ in range(2):
            client.emit_mcps([official.proposal(urn, aspect) for urn, aspect in official.aspects()])
    with official.graph(sandbox.url) as graph:
        read = scrolled(graph, count=100, aspects=[], with_system_metadata=True)
    assert {system.version for one in read.values() for _, system in one.values()} == {"1"}


def test_the_client_finds_out_what_exists(sandbox: Sandbox) -> None:
    ghost = ORDERS.replace("orders", "nothing")
    with official.graph(filled(sandbox).url) as graph:
        assert (graph.exists(ORDERS), graph.exists(ghost)) == (True, False)
        assert list(graph.get_entity_semityped(ghost)) == ["datasetKey"], "a ghost is answered with its key"
        assert "datasetProperties" in graph.get_entity_semityped(ORDERS, ["datasetProperties"])
        told = graph.get_aspect(ORDERS, classes.DatasetPropertiesClass)
        assert told is not None
        assert told.name == "orders, größer"


def test_a_batch_leaves_out_what_is_not_there(sandbox: Sandbox) -> None:
    ghost = ORDERS.replace("orders", "nothing")
    with official.graph(filled(sandbox).url) as graph:
        found = graph.get_entities("dataset", [ORDERS, TOTALS, ghost], ["upstreamLineage", "datasetProperties"])
    assert {urn: sorted(aspects) for urn, aspects in found.items()} == {
        ORDERS: ["datasetProperties"],
        TOTALS: ["upstreamLineage"],
    }


def test_what_is_softly_deleted_is_found_only_when_asked_for(sandbox: Sandbox) -> None:
    with official.graph(filled(sandbox).url) as graph:
        graph.soft_delete_entity(ORDERS)
        assert ORDERS not in scrolled(graph, count=3, aspects=[])
        assert ORDERS in scrolled(graph, count=3, include_soft_delete=True)
        edges = graph.scroll_relationships(count=50, relationship_types=["DownstreamOf"]).relationships
        assert (TOTALS, ORDERS) in [(one.source_urn, one.destination_urn) for one in edges], "the edge to it stays"


def test_what_is_deleted_for_good_leaves_nothing(sandbox: Sandbox) -> None:
    with official.graph(filled(sandbox).url) as graph:
        sandbox.put(RUN, "dataProcessInstanceRunEvent", official.wire(official.event(1, "STARTED")))
        rows, events = graph.hard_delete_entity(RUN)
        assert (rows > 2, events) == (True, 1)
        assert RUN not in scrolled(graph, count=100, include_soft_delete=True)
        assert graph.hard_delete_entity(RUN) == (0, 0)


def test_a_series_is_read_newest_first(sandbox: Sandbox) -> None:
    with official.emitter(sandbox.url, openapi=True) as client:
        for at, status in ((1_700_000_000_000, "STARTED"), (1_700_000_060_000, "COMPLETE")):
            client.emit(official.proposal(RUN, official.event(at, status)))
    kind = classes.DataProcessInstanceRunEventClass
    with official.graph(sandbox.url) as graph:
        assert [one.status for one in graph.get_timeseries_values(RUN, kind, {}, 10)] == ["COMPLETE", "STARTED"]
        only = {"or": [{"and": [{"field": "status", "condition": "EQUAL", "value": "STARTED"}]}]}
        assert [one.status for one in graph.get_timeseries_values(RUN, kind, only, 10)] == ["STARTED"]
        assert [one.status for one in graph.get_timeseries_values(RUN, kind, {}, 1)] == ["COMPLETE"]


def test_relationships_are_read_page_by_page(sandbox: Sandbox) -> None:
    with official.graph(filled(sandbox).url) as graph:
        page, edges = graph.scroll_relationships(count=3), []
        edges += page.relationships
        while page.scroll_id:
            page = graph.scroll_relationships(count=3, scroll_id=page.scroll_id)
            edges += page.relationships
    told = {(one.source_urn, one.relationship_type, one.destination_urn) for one in edges}
    assert len(told) == len(edges)
    assert {
        (TOTALS, "DownstreamOf", ORDERS),
        (official.TASK, "Produces", TOTALS),
        (official.MODEL, "DeployedTo", official.ENDPOINT),
        ("urn:li:chart:(looker,1)", "Consumes", TOTALS),
    } <= told


@pytest.mark.parametrize("openapi", [True, False], ids=["openapi", "restli"])
def test_lineage_of_a_model_is_refused(sandbox: Sandbox, openapi: bool) -> None:
    wrong = official.proposal(official.MODEL, classes.UpstreamLineageClass(upstreams=[]))
    with official.emitter(sandbox.url, openapi=openapi) as client, pytest.raises(Exception, match="Unknown aspect"):
        client.emit(wrong)


def test_a_scroll_of_slices_ends_with_the_server_and_a_plain_one_goes_on(sandbox: Sandbox) -> None:
    with official.graph(filled(sandbox).url) as graph:
        plain = graph.scroll_entities(count=3)
        sliced = graph.scroll_entities(count=2, slice_id=0, slice_max=2)
        sandbox.restart()
        assert len(graph.scroll_entities(count=3, scroll_id=plain.scroll_id).entities) == 3
        with pytest.raises(Exception, match="500"):
            graph.scroll_entities(count=2, slice_id=0, slice_max=2, scroll_id=sliced.scroll_id)


def test_the_types_and_aspects_are_those_of_the_installed_client() -> None:
    assert set(KNOWN) == set(classes.KEY_ASPECTS)
    for name, key in classes.KEY_ASPECTS.items():
        held = set(key.ASPECT_INFO.get("entityAspects") or []) if key.ASPECT_INFO else set()
        assert (KNOWN[name].key, set(KNOWN[name].aspects)) == (key.ASPECT_NAME, held)
        assert KNOWN[name].parts == tuple(one.name for one in key.RECORD_SCHEMA.fields)
    for aspect, full in CLASS_OF.items():
        assert full == classes.ASPECT_NAME_MAP[aspect].RECORD_SCHEMA.fullname.replace(".pegasus2avro", "")
    series = {name for name, one in classes.ASPECT_NAME_MAP.items() if one.ASPECT_TYPE == "timeseries"}
    assert series == schemas.SERIES


def test_the_client_makes_the_same_keys() -> None:
    for urn, _ in official.aspects():
        assert key_of(urn) == official.key(urn)


def test_the_client_takes_every_aspect_of_the_story() -> None:
    told = Sandbox().world.entities
    assert len(told) > 25
    for entity in told.values():
        for name, stored in entity.aspects.items():
            assert official.is_sound(name, stored.value), name
        for name, events in entity.series.items():
            assert all(official.is_sound(name, one.value) for one in events)
