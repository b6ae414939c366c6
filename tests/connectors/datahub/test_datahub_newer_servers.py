"""Servers that know more than we do: what is not known is kept, named once, and spoils nothing."""

from pathlib import Path
from typing import Any

import pytest

from watersmeet.federation.model import AssetKind, EdgeKind, RunState

from ..conftest import Told
from .catalog import URL, Catalog
from .conftest import Connect, proposal, written
from .following import RUN, A, B, C, Reader, three

SHIP = "urn:li:spaceship:one"
MODEL = "urn:li:mlModel:(urn:li:dataPlatform:mlflow,m,PROD)"


@pytest.fixture
def catalog() -> Catalog:
    return three()


@pytest.fixture
def read(catalog: Catalog, connect: Connect) -> Reader:
    return Reader(catalog, connect)


def warned(told: Told) -> list[tuple[str, bool]]:
    """What was named, and whether it is lost."""
    return [(one.what, one.lost) for one in told.skipped]


def facets(told: Told, native_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for scope in told.scopes:
        for one in scope.records:
            found |= one.facets if one.native_id == native_id else {}
    return found


def test_what_is_unknown_is_kept_verbatim_and_warned_of_once(catalog: Catalog, read: Reader) -> None:
    """DataHub, check 3: on each of many entities, in a full reading and in one that follows the log."""
    assert catalog.types is not None
    catalog.types["spaceship"] = ("spaceshipInfo", "warpDrive")
    catalog.types["dataset"] = (*catalog.types["dataset"], "warpDrive")
    raw = {"speed": 9, "at": {"it.is": [None, 0.5, "größer"]}}
    for one in (SHIP, f"{SHIP}2", A, B, C):
        catalog.put(one, "warpDrive", raw)
    told = read()
    once = [("the aspect warpDrive of dataset", False), ("the type spaceship", False)]
    assert warned(told) == once
    assert told.complete
    for one in (SHIP, f"{SHIP}2", A, B, C):
        assert facets(told, one)["datahub.warpDrive"] == raw
    assert told.records[SHIP].kind is AssetKind.OTHER
    catalog.put(B, "warpDrive", {"speed": 10})
    catalog.put(C, "warpDrive", {"speed": 10})
    followed = read()
    assert warned(followed) == once[:1], "each reading says it anew"
    assert facets(followed, B)["datahub.warpDrive"] == {"speed": 10}


def test_a_file_warns_of_what_is_unknown_too(tmp_path: Path, connect: Connect) -> None:
    """DataHub, check 3: in file mode."""
    records = [proposal(one, aspect, {"x": 1}) for one in (A, B, SHIP) for aspect in ("warpDrive", "shield")]
    told = Told.by(connect(written(tmp_path / "x.json", *records)).read(None))
    assert warned(told) == [
        ("the aspect warpDrive of dataset", False),
        ("the aspect shield of dataset", False),
        ("the type spaceship", False),
    ]
    assert (facets(told, B)["datahub.shield"], told.complete) == ({"x": 1}, True)


def test_unknown_words_and_fields_of_a_newer_server_are_tolerated(catalog: Catalog, connect: Connect) -> None:
    """DataHub, check 14: enums and fields that are new, in what is known."""
    assert catalog.types is not None
    catalog.types["dataProcessInstance"] = (*catalog.types["dataProcessInstance"], "dataProcessInstanceOutput")
    far = "urn:li:dataset:(urn:li:dataPlatform:hive,db.far,ORBIT)"
    catalog.put(far, "datasetProperties", {"name": "far", "warp": {"factor": 9}})
    pair = {"upstreamType": "SWARM", "downstreamType": "HIVE_MIND", "upstreams": [f"urn:li:schemaField:({A},x)"]}
    lineage = {
        "upstreams": [{"dataset": A, "type": "TELEPORTED", "certainty": {"p": 1}}],
        "fineGrainedLineages": [{**pair, "downstreams": [f"urn:li:schemaField:({far},x)"], "transformOperation": "?"}],
        "quantumLineages": [{"a": 1}],
    }
    catalog.put(far, "upstreamLineage", lineage)
    type_ = {"type": {"com.linkedin.schema.TensorType": {"rank": 3}}}
    fields = [{"fieldPath": "x", "nativeDataType": "tensor", "type": type_, "phase": 1}]
    catalog.put(far, "schemaMetadata", {"fields": fields, "epoch": 7})
    catalog.put(RUN, "dataProcessInstanceProperties", {"name": "run", "type": "QUANTUM"})
    catalog.put(RUN, "dataProcessInstanceOutput", {"outputEdges": [{"destinationUrn": far, "spin": "up"}]})
    catalog.series[RUN] = ['{"timestampMillis": 1700000000000, "status": "PAUSED", "result": {"type": "MAYBE"}}']
    catalog.put("urn:li:assertion:c", "assertionInfo", {"type": "ORACLE", "oracleAssertion": {"entity": A}})
    told = Told.by(connect(URL, transport=catalog.transport).read(None))
    assert (told.complete, told.failures, told.skipped) == (True, [], [])
    assert (A, far) in told.pairs(EdgeKind.DERIVE)
    assert (f"urn:li:schemaField:({A},x)", f"urn:li:schemaField:({far},x)") in told.pairs(EdgeKind.DERIVE)
    assert (RUN, far) in told.pairs(EdgeKind.WRITE)
    assert facets(told, far)["datahub.datasetProperties"]["warp"] == {"factor": 9}
    assert facets(told, far)["datahub.upstreamLineage"]["quantumLineages"] == [{"a": 1}]
    assert facets(told, far)["datahub.schemaMetadata"]["epoch"] == 7
    [run] = [one.run for scope in told.scopes for one in scope.records if one.run is not None]
    assert run.state is RunState.RUNNING
    assert told.records["urn:li:assertion:c"].kind is AssetKind.EVALUATION


@pytest.mark.parametrize("flavour", ["core", "cloud"])
def test_what_only_cloud_has_is_kept_like_everything_else(catalog: Catalog, connect: Connect, flavour: str) -> None:
    """DataHub, check 14: open-source and Cloud aspects."""
    assert catalog.types is not None
    catalog.config["datahub"] = {"serverType": "prod", "serverEnv": flavour}
    monitor = f"urn:li:monitor:({A},freshness)"
    if flavour == "cloud":
        catalog.types["monitor"] = ("monitorInfo",)
        catalog.types["dataset"] = (*catalog.types["dataset"], "usageFeatures", "proposals", "anomaliesSummary")
        catalog.put(A, "proposals", {"proposals": [{"type": "TAG"}]})
        catalog.put(A, "anomaliesSummary", {"activeAnomalies": 2})
        catalog.put(A, "usageFeatures", {"queryCountLast30Days": 7})
        catalog.put(monitor, "monitorInfo", {"type": "ASSERTION", "status": {"mode": "ACTIVE"}})
    connector = connect(URL, transport=catalog.transport)
    assert connector.check().message.startswith(f"{flavour}, ")
    told = Told.by(connector.read(None))
    assert (told.complete, told.failures, told.pairs(EdgeKind.DERIVE)) == (True, [], {(B, A)})
    if flavour == "core":
        assert warned(told) == []
        return
    assert facets(told, A)["datahub.proposals"] == {"proposals": [{"type": "TAG"}]}
    assert facets(told, A)["datahub.usageFeatures"] == {"queryCountLast30Days": 7}
    assert told.records[monitor].kind is AssetKind.OTHER
    assert {what for what, _ in warned(told)} == {
        "the aspect proposals of dataset",
        "the aspect anomaliesSummary of dataset",
        "the type monitor",
    }
