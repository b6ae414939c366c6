"""What stands in a writer's way: a person's word, a target that refuses, a kill between two calls."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.errors import Misconfigured
from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.connectors.datahub.write import DataHubWriter, open_writer
from watersmeet.federation.connector import Writer
from watersmeet.federation.dossier import Dossier, Verdict
from watersmeet.federation.errors import SourceRefused, SourceUnavailable
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record

from ..handed import among, handed
from .names import column, dataset, proposal
from .rounds import EVERYTHING, graph, read_back, versions, written

RAW, MARTS, OTHER = dataset("raw.orders"), dataset("marts.totals"), dataset("raw.other")
JOB = "urn:li:dataJob:(urn:li:dataFlow:(airflow,etl,prod),load)"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.secret-of-the-tests"


def upstream(urn: str, **more: Any) -> dict[str, Any]:
    return {"dataset": urn, "type": "TRANSFORMED", **more}


def field(path: str) -> dict[str, Any]:
    type_ = {"type": {"com.linkedin.schema.NumberType": {}}}
    return {"fieldPath": path, "nativeDataType": "NUMBER", "type": type_, "nullable": True}


def schema(*paths: str) -> dict[str, Any]:
    head = {"schemaName": "x", "platform": "urn:li:dataPlatform:snowflake", "version": 0, "hash": ""}
    platform_schema = {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}}
    return {**head, "platformSchema": platform_schema, "fields": [field(path) for path in paths]}


def pair(up: str, down: str, **more: Any) -> dict[str, Any]:
    told = {"upstreamType": "FIELD_SET", "upstreams": [up], "downstreamType": "FIELD", "downstreams": [down]}
    return {**told, **more}


ALL_OF_IT = [
    proposal(RAW, "schemaMetadata", schema("[version=2.0].[type=struct].[type=int].id", "amount")),
    proposal(MARTS, "schemaMetadata", schema("total", "country", "alone")),
    proposal(MARTS, "datasetProperties", {"name": "totals", "customProperties": {"a.b": "c"}}),
    proposal(MARTS, "editableDatasetProperties", {"description": "what Ada wrote"}),
    proposal(
        MARTS, "editableSchemaMetadata", {"editableSchemaFieldInfo": [{"fieldPath": "total", "description": "sum"}]}
    ),
    proposal(MARTS, "glossaryTerms", {"terms": [{"urn": "urn:li:glossaryTerm:Money"}], "auditStamp": {"time": 5}}),
    proposal(MARTS, "someAspectOfTomorrow", {"it": {"says": [1, None, "größer"]}}),
    proposal(
        MARTS,
        "upstreamLineage",
        {
            "upstreams": [upstream(RAW), upstream(OTHER, properties={"source": "UI"})],
            "fineGrainedLineages": [
                pair(column(RAW, "amount"), column(MARTS, "total"), transformOperation="SUM", confidenceScore=0.5),
                pair(column(RAW, "amount"), column(MARTS, "alone"), query="urn:li:query:q1"),
            ],
        },
    ),
    proposal(
        JOB,
        "dataJobInputOutput",
        {
            "inputDatasets": [],
            "outputDatasets": [],
            "inputDatasetEdges": [{"destinationUrn": RAW}],
            "outputDatasetEdges": [{"destinationUrn": MARTS}],
            "fineGrainedLineages": [
                pair(column(RAW, "id"), column(MARTS, "country"), transformOperation="LOOKUP"),
                pair(column(RAW, "id"), column(MARTS, "alone"), query="urn:li:query:q2"),
            ],
        },
    ),
    proposal(JOB, "dataJobInfo", {"name": "load", "type": {"string": "COMMAND"}}),
    proposal(
        "urn:li:dataProcessInstance:r1", "dataProcessInstanceRunEvent", {"timestampMillis": 1000, "status": "STARTED"}
    ),
    proposal(
        "urn:li:dataProcessInstance:r1",
        "dataProcessInstanceRunEvent",
        {"timestampMillis": 9000, "status": "COMPLETE", "result": {"type": "SUCCESS", "nativeResultType": "x"}},
    ),
    proposal("urn:li:tag:bare", "tagKey", {"name": "bare"}),
]


@pytest.fixture
def origin(tmp_path: Path) -> list[Dossier]:
    """What a file of ours tells: a little of everything that is hard to give back."""
    (tmp_path / "origin").mkdir()
    (tmp_path / "told.json").write_text(json.dumps(ALL_OF_IT), "utf-8")
    return handed(tmp_path / "origin", "datahub", tmp_path / "told.json", options=EVERYTHING)


@pytest.fixture
def target() -> Iterator[Sandbox]:
    """An empty server."""
    with Sandbox(empty=True) as sandbox:
        yield sandbox


def by_verdict(outcomes: Any, verdict: Verdict) -> dict[str, str]:
    return {f"{one.native_id} {one.fact}": one.reason for one in outcomes if one.verdict is verdict}


def test_all_that_is_hard_to_give_back_goes_round(tmp_path: Path, origin: list[Dossier], target: Sandbox) -> None:
    """DataHub, check 24: columns through jobs, queries, unknown aspects, series, a person's words."""
    outcomes = written({"path": str(tmp_path / "out.json")}, origin, at_once=1)
    assert {one.verdict for one in outcomes} == {Verdict.MIGRATED}
    assert graph(read_back(tmp_path / "filed", tmp_path / "out.json")) == graph(origin)
    failed = by_verdict(written({"url": target.url}, origin, at_once=1), Verdict.FAILED)
    unknown = "400: Validation Error Unknown aspect someAspectOfTomorrow"
    assert failed == {f"{MARTS} facets/datahub.someAspectOfTomorrow": unknown}
    before = versions(target)
    written({"url": target.url}, origin, at_once=1)
    assert versions(target) == before
    served = graph(read_back(tmp_path / "served", target.url), is_served=True)
    told = graph(origin, is_served=True)
    for whole in (served, told):
        whole[MARTS][-1].pop("datahub.someAspectOfTomorrow", None)
    assert served == told


def test_what_a_person_wrote_or_drew_there_stands(origin: list[Dossier], target: Sandbox) -> None:
    """DataHub, check 24: a person's edge is not overwritten, nor an editable aspect."""
    drawn = upstream(RAW, properties={"source": "UI"}, type="COPY")
    also = upstream(dataset("drawn.by.hand"), properties={"source": "UI"})
    target.put(MARTS, "upstreamLineage", {"upstreams": [drawn, also]})
    target.put(MARTS, "editableDatasetProperties", {"description": "what Bob wrote"})
    outcomes = written({"url": target.url}, origin)
    told = target.value(MARTS, "upstreamLineage")["upstreams"]
    assert told[:2] == [drawn, also]
    assert [one["dataset"] for one in told] == [RAW, dataset("drawn.by.hand"), OTHER]
    assert target.value(MARTS, "editableDatasetProperties") == {"description": "what Bob wrote"}
    kept = by_verdict(outcomes, Verdict.KEPT)
    assert f"{MARTS} facets/datahub.editableDatasetProperties" in kept
    assert f"{MARTS} edges/DERIVE: {RAW} -> {MARTS}" in kept
    assert all("person" in reason for reason in kept.values())


def test_what_others_told_there_is_not_taken_out(origin: list[Dossier], target: Sandbox) -> None:
    target.put(MARTS, "datasetProperties", {"name": "old", "customProperties": {"theirs": "1"}, "qualifiedName": "q"})
    target.put(MARTS, "upstreamLineage", {"upstreams": [upstream(dataset("theirs"))]})
    written({"url": target.url}, origin)
    told = target.value(MARTS, "datasetProperties")
    assert told == {"name": "totals", "customProperties": {"theirs": "1", "a.b": "c"}, "qualifiedName": "q"}
    assert dataset("theirs") in [one["dataset"] for one in target.value(MARTS, "upstreamLineage")["upstreams"]]


def test_what_changes_between_reading_and_writing_is_read_again(origin: list[Dossier], target: Sandbox) -> None:
    target.put(MARTS, "datasetProperties", {"name": "old"})
    moved = list[str]()

    def meddle(asked: Any) -> None:
        if asked.method == "POST" and asked.path.startswith("/openapi/v3/entity/dataset?") and not moved:
            moved.append(asked.path)
            target.put(MARTS, "datasetProperties", {"name": "old", "qualifiedName": "meanwhile"})

    target.between.append(meddle)
    outcomes = written({"url": target.url}, origin)
    assert moved
    assert target.value(MARTS, "datasetProperties")["qualifiedName"] == "meanwhile"
    assert target.value(MARTS, "datasetProperties")["name"] == "totals"
    assert list(by_verdict(outcomes, Verdict.FAILED)) == [f"{MARTS} facets/datahub.someAspectOfTomorrow"]


def test_who_writes_at_the_same_time_for_ever_is_given_way(origin: list[Dossier], target: Sandbox) -> None:
    target.put(MARTS, "datasetProperties", {"name": "old"})
    turn = iter(range(100))

    def meddle(asked: Any) -> None:
        if asked.method == "POST" and asked.path.startswith("/openapi/v3/entity/dataset?"):
            target.put(MARTS, "datasetProperties", {"name": f"old {next(turn)}"})

    target.between.append(meddle)
    failed = by_verdict(written({"url": target.url}, origin), Verdict.FAILED)
    assert failed[f"{MARTS} facets/datahub.datasetProperties"] == "it was changed there each time it was to be written"


def test_what_is_refused_takes_nothing_else_along(tmp_path: Path, target: Sandbox) -> None:
    records = [
        Record(dataset("good"), AssetKind.DATASET, "good", facets={"datahub.datasetProperties": {"name": "good"}}),
        Record(
            "urn:li:dataset:(urn:li:dataPlatform:hive,x,PRODX)",
            AssetKind.DATASET,
            "x",
            facets={"datahub.datasetProperties": {"name": "x"}},
        ),
        Record(
            "urn:li:mlModel:(urn:li:dataPlatform:mlflow,m,PROD)",
            AssetKind.MODEL_VERSION,
            "m",
            facets={"datahub.upstreamLineage": {"upstreams": []}},
        ),
        Record("urn:li:foo:bar", AssetKind.OTHER, "bar", facets={"datahub.fooInfo": {"name": "bar"}}),
    ]
    outcomes = written({"url": target.url, "token": TOKEN}, [Dossier(one, "a", "datahub") for one in records])
    failed = by_verdict(outcomes, Verdict.FAILED)
    assert {name.split(" ")[0] for name in failed} == {one.native_id for one in records[1:]}
    assert all(reason.startswith("400: ") for reason in failed.values())
    assert target.value(dataset("good"), "datasetProperties") == {"name": "good"}


def test_a_secret_that_was_cut_out_is_told_as_such(tmp_path: Path) -> None:
    facets = {
        "datahub.datasetProperties": {"name": "x", "customProperties": {"pwd": "[redacted: a secret by its name]"}}
    }
    dossier = Dossier(Record(RAW, AssetKind.DATASET, "x", facets=facets), "a", "datahub")
    outcomes = written({"path": str(tmp_path / "out.json")}, [dossier])
    assert list(by_verdict(outcomes, Verdict.TRANSFORMED)) == [f"{RAW} facets/datahub.datasetProperties"]


def test_what_no_aspect_tells_is_named_as_lost(tmp_path: Path) -> None:
    record = Record(RAW, AssetKind.DATASET, "orders", url="http://elsewhere", facets={"strange": 1})
    edge = Edge(OTHER, RAW, EdgeKind.READ)
    dossier = Dossier(record, "a", "datahub", edges=(edge,), ends={OTHER: Record(OTHER, AssetKind.DATASET, "o")})
    lost = by_verdict(written({"path": str(tmp_path / "out.json")}, [dossier]), Verdict.UNSUPPORTED)
    assert set(lost) == {f"{RAW} {fact}" for fact in ("url", "facets/strange", f"edges/READ: {OTHER} -> {RAW}", "name")}


# Errors


def test_who_is_not_let_in_is_told_so_and_the_token_is_not(origin: list[Dossier], caplog: Any) -> None:
    with Sandbox(empty=True, token="another") as sandbox:
        writer = open_writer({"name": "target", "url": sandbox.url, "token": TOKEN})
        with pytest.raises(SourceRefused) as refused:
            writer.check()
        with pytest.raises(SourceRefused) as refused_too:
            writer.write("things", origin, among(origin))
        writer.close()
    told = f"{refused.value} {refused_too.value} {caplog.text} {writer!r}"
    assert "401" in told
    assert TOKEN not in told


def test_a_server_that_is_away_is_an_error_and_no_verdict(origin: list[Dossier]) -> None:
    with Sandbox(empty=True) as sandbox:
        url = sandbox.url
    writer = open_writer({"name": "target", "url": url, "http": {"retries": 0}})
    with pytest.raises(SourceUnavailable):
        writer.write("things", origin, among(origin))
    writer.close()


def test_a_target_tells_its_version(target: Sandbox, tmp_path: Path) -> None:
    writer = open_writer({"name": "target", "url": target.url})
    assert isinstance(writer, Writer)
    assert isinstance(writer, DataHubWriter)
    assert (writer.check().reachable, writer.check().version) == (True, "v1.7.0")
    writer.close()
    file = open_writer({"name": "target", "path": str(tmp_path / "out.json")})
    assert file.check().message == "a metadata file, out.json"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"env": "PRODX"}, "none of DataHub's"),
        ({"platform_instance": []}, "names an instance"),
        ({"x": 1}, "known are"),
    ],
)
def test_options_that_cannot_be_are_named(tmp_path: Path, options: dict[str, Any], word: str) -> None:
    with pytest.raises(Misconfigured, match=word):
        open_writer({"name": "target", "path": str(tmp_path / "out.json"), "options": options})


# Files


def lines(path: Path) -> list[Any]:
    return json.loads(path.read_bytes())


def test_whichever_call_is_cut_off_the_file_is_the_same_in_the_end(tmp_path: Path, origin: list[Dossier]) -> None:
    whole = tmp_path / "whole.json"
    written({"path": str(whole)}, origin, at_once=2)
    calls = [(stage, at) for stage in DataHubWriter.stages for at in range(0, len(origin), 2)]
    cut_off = tmp_path / "cut.json"
    for stage, at in calls:
        before = cut_off.read_bytes() if cut_off.exists() else b""
        for keep in (11, 0, None):
            writer = open_writer({"name": "target", "path": str(cut_off)})
            writer.write(stage, origin[at : at + 2], among(origin))
            writer.close()
            assert lines(cut_off), "it is whole after each call"
            if keep is not None and cut_off.read_bytes() != before:
                with cut_off.open("r+b") as file:
                    file.truncate(len(before) + keep if len(before) + keep < cut_off.stat().st_size else len(before))
    assert cut_off.read_bytes() == whole.read_bytes()


def test_handing_everything_over_anew_leaves_the_file_as_it_is(tmp_path: Path, origin: list[Dossier]) -> None:
    path = tmp_path / "out.json"
    written({"path": str(path)}, origin)
    before = path.read_bytes()
    written({"path": str(path)}, origin)
    assert path.read_bytes() == before


def test_a_call_that_was_cut_off_and_never_made_again_leaves_nothing_broken(
    tmp_path: Path, origin: list[Dossier]
) -> None:
    path = tmp_path / "out.json"
    written({"path": str(path)}, origin[:2], at_once=1)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 9)
    written({"path": str(path)}, origin[3:4])
    assert {one["entityUrn"] for one in lines(path)} >= {origin[3].record.native_id}


def test_a_file_that_somebody_else_wrote_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "theirs.json").write_text("[]", "utf-8")
    with pytest.raises(Misconfigured, match="was not written by this"):
        open_writer({"name": "target", "path": str(tmp_path / "theirs.json")}).check()
    with pytest.raises(Misconfigured, match="no folder"):
        open_writer({"name": "target", "path": str(tmp_path / "no" / "out.json")}).check()


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path, origin: list[Dossier]) -> None:
    (tmp_path / "out.json").mkdir()
    with pytest.raises((SourceRefused, Misconfigured)):
        open_writer({"name": "target", "path": str(tmp_path / "out.json")}).write("things", origin, among(origin))
