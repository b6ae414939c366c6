"""A right that is missing in the middle of a migration: named with its remedy, and the rest goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.connectors.datahub.write import open_writer
from watersmeet.federation.dossier import Dossier, Outcome, Verdict, edge_fact
from watersmeet.federation.errors import SourceRefused
from watersmeet.federation.handover import HandedOver, hand_over
from watersmeet.federation.store import Store

from ..handed import among, filled
from .names import column, dataset
from .rounds import EVERYTHING, graph, read_back, written

MODEL = "urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn_2,PROD)"
DEPLOYMENT = "urn:li:mlModelDeployment:(urn:li:dataPlatform:kserve,churn-api,PROD)"
TABLE = dataset("written")
RUN = "urn:li:dataProcessInstance:wrote"
FEATURES = "urn:li:mlFeatureTable:(urn:li:dataPlatform:feast,orders)"
MORE: list[tuple[str, str, dict[str, Any]]] = [
    (RUN, "dataProcessInstanceOutput", {"outputs": [], "outputEdges": [{"destinationUrn": TABLE}]}),
    (RUN, "dataProcessInstanceRelationships", {"upstreamInstances": ["urn:li:dataProcessInstance:before"]}),
    (FEATURES, "mlFeatureTableProperties", {"mlFeatures": ["urn:li:mlFeature:(orders,amount_7d)"]}),
    ("urn:li:mlFeature:(orders,amount_7d)", "mlFeatureProperties", {"sources": [TABLE]}),
    (TABLE, "datasetProperties", {"name": "written"}),
]
SCHEMA = {
    "schemaName": "x",
    "platform": "urn:li:dataPlatform:hive",
    "version": 0,
    "hash": "",
    "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
    "fields": [
        {"fieldPath": "id", "nativeDataType": "int", "type": {"type": {"com.linkedin.schema.NumberType": {}}}},
    ],
}
TELLING = {
    *("upstreamLineage", "dataJobInputOutput", "dataProcessInstanceOutput", "dataProcessInstanceRelationships"),
    *("mlModelProperties", "mlFeatureTableProperties", "versionProperties", "assertionInfo", "container"),
    "mlModelEvaluationData",
}
"""Aspects that hold edges, some of them those of others."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """What our miniature tells and a little more, in a store."""
    with Sandbox() as told:
        for urn, aspect, value in MORE:
            told.put(urn, aspect, value)
        with filled(tmp_path_factory.mktemp("story"), "datahub", told.url, options=EVERYTHING) as store:
            yield store


@pytest.fixture
def dossiers(store: Store) -> list[Dossier]:
    """The same, as it is handed over."""
    return [one for _, one in store.dossiers.of("origin")]


@pytest.fixture
def target() -> Iterator[Sandbox]:
    """An empty server."""
    with Sandbox(empty=True) as sandbox:
        yield sandbox


def migrated(store: Store, target: Sandbox) -> tuple[HandedOver, list[Outcome]]:
    """All of it, from the store into the target."""
    outcomes = list[Outcome]()
    writer = open_writer({"name": "target", "url": target.url})
    try:
        return hand_over(store, "origin", writer, target.url, report=outcomes.append), outcomes
    finally:
        writer.close()


@pytest.mark.parametrize("fixed", [MODEL, "mlModelProperties", "dataset"])
def test_what_may_not_be_edited_is_named_and_is_there_once_it_may(
    tmp_path: Path, store: Store, dossiers: list[Dossier], target: Sandbox, fixed: str
) -> None:
    """An entity, an aspect, a type: each is refused with the batch it comes in."""
    target.fixed.add(fixed)
    state, outcomes = migrated(store, target)
    failed = [one for one in outcomes if one.verdict is Verdict.FAILED]
    refused = [one for one in failed if one.reason.startswith("403: ")]
    assert refused
    for one in refused:
        type_ = one.target.split(":", 3)[2]
        assert f"unauthorized to CREATE entities. Grant EDIT_ENTITY on this {type_} to the token's" in one.reason
    assert all("that tells it does not hold it there" in one.reason for one in failed if one not in refused)
    assert any(fixed in (one.target, one.target.split(":", 3)[2], "mlModelProperties") for one in refused)
    assert state.unaccounted == 0
    held = {(urn, name) for urn, entity in target.world.entities.items() for name in entity.aspects}
    assert not any(fixed in (urn, name, urn.split(":", 3)[2]) for urn, name in held)
    assert {Verdict.MIGRATED, Verdict.FAILED} == {one.verdict for one in outcomes}, "the rest went on"
    target.fixed.clear()
    again, outcomes = migrated(store, target)
    assert ({one.verdict for one in outcomes}, again.is_resumed) == ({Verdict.MIGRATED}, False)
    served = graph(read_back(tmp_path / "served", target.url), is_served=True)
    assert served == graph(dossiers, is_served=True)


def test_what_may_not_be_seen_is_not_overwritten_unseen(
    tmp_path: Path, store: Store, dossiers: list[Dossier], target: Sandbox
) -> None:
    target.put(MODEL, "editableMlModelProperties", {"description": "what Ada wrote"})
    target.hide("mlModel")
    _, outcomes = migrated(store, target)
    assert set(target.world.entities[MODEL].aspects) == {"mlModelKey", *_ADDED, "editableMlModelProperties"}
    failed = [one for one in outcomes if one.verdict is Verdict.FAILED]
    assert (MODEL, "name") in {(one.native_id, one.fact) for one in failed}
    assert {one.target.split(":", 3)[2] for one in failed} == {"mlModel"}
    assert any(
        one.reason.endswith("Grant GET_ENTITY on this mlModel to the token's owner, then migrate again")
        for one in failed
    )
    target.show("mlModel")
    _, outcomes = migrated(store, target)
    assert {one.verdict for one in outcomes} == {Verdict.MIGRATED}


_ADDED = ["browsePathsV2", "dataPlatformInstance"]


def test_no_edge_is_called_held_whose_aspect_is_not(tmp_path: Path, dossiers: list[Dossier], target: Sandbox) -> None:
    """Also where the aspect of another thing tells it, which another call writes."""
    target.fixed.update(TELLING)
    outcomes = written({"url": target.url}, dossiers, at_once=1)
    back = read_back(tmp_path / "served", target.url)
    there = {edge_fact(edge) for one in back for edge in one.edges}
    edges = [one for one in outcomes if one.fact.startswith("edges/")]
    held = {one.fact for one in edges if one.verdict is Verdict.MIGRATED}
    assert held - there == set()
    reasons = [one.reason for one in edges if one.verdict is Verdict.FAILED]
    assert {one.fact for one in edges if one.verdict is Verdict.FAILED}.isdisjoint(there)
    assert any(reason.startswith("403") for reason in reasons)
    told = {aspect for aspect in TELLING for reason in reasons if reason.startswith(f"the {aspect} that tells it")}
    assert told >= {"mlModelProperties", "mlFeatureTableProperties"}


def test_a_deployment_whose_model_was_refused_is_not_deployed(dossiers: list[Dossier], target: Sandbox) -> None:
    """The edge is the deployment's to tell, and DataHub holds it in the model."""
    target.fixed.add("mlModelProperties")
    outcomes = written({"url": target.url}, dossiers, at_once=1)
    [deployed] = [one for one in outcomes if one.fact == f"edges/DEPLOY: {MODEL} -> {DEPLOYMENT}"]
    assert (deployed.native_id, deployed.verdict, deployed.target) == (DEPLOYMENT, Verdict.FAILED, MODEL)
    assert deployed.reason == (
        "the mlModelProperties that tells it does not hold it there: look there for the reason, then migrate again"
    )


def test_a_column_fares_as_the_schema_that_holds_it(tmp_path: Path, target: Sandbox) -> None:
    """And a table of which nothing was taken is not there either, though others name it."""
    with Sandbox(empty=True) as told:
        told.put(TABLE, "schemaMetadata", SCHEMA)
        with filled(tmp_path, "datahub", told.url) as store:
            dossiers = [one for _, one in store.dossiers.of("origin")]
    target.fixed.add(TABLE)
    failed = {
        (one.native_id, one.fact): one.reason
        for one in written({"url": target.url}, dossiers)
        if one.verdict is Verdict.FAILED
    }
    assert {(TABLE, "name"), (column(TABLE, "id"), "name"), (column(TABLE, "id"), "facets/datahub.field")} <= set(
        failed
    )
    assert all(reason.count("is unauthorized") == 1 for reason in failed.values()), "its words are told once"
    target.fixed.clear()
    assert {one.verdict for one in written({"url": target.url}, dossiers)} == {Verdict.MIGRATED}


def test_a_key_that_nobody_knows_is_an_error_and_no_verdict(dossiers: list[Dossier]) -> None:
    with Sandbox(empty=True, token="another") as sandbox:
        writer = open_writer({"name": "target", "url": sandbox.url})
        with pytest.raises(SourceRefused, match="401"):
            writer.write("things", dossiers, among(dossiers))
        writer.close()
