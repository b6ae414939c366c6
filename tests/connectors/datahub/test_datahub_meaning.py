"""What each aspect means: kinds, edges and their direction, facets and times; and none is too broken to be read."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watersmeet.connectors.datahub.jobs import life
from watersmeet.connectors.datahub.mapping import TYPES, whole
from watersmeet.connectors.datahub.relations import RELATIONS
from watersmeet.connectors.datahub.saying import Aspect, Place, Told, kind_of
from watersmeet.connectors.datahub.urn import urn
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Evidence, Nature, Record, RunState

from .conftest import column, dataset

A, B = dataset("db.a"), dataset("db.b")
JOB = "urn:li:dataJob:(urn:li:dataFlow:(airflow,dag,prod),task)"
BEFORE = "urn:li:dataJob:(urn:li:dataFlow:(airflow,dag,prod),before)"
FLOW = "urn:li:dataFlow:(airflow,dag,prod)"
RUN = "urn:li:dataProcessInstance:r"
MODEL = "urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn_3,PROD)"
GROUP = "urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn,PROD)"
FEATURE = "urn:li:mlFeature:(customers,age)"
CHART = "urn:li:chart:(looker,c)"
BOARD = "urn:li:dashboard:(looker,d)"
PLACE = Place("catalog")


def told(name: str, aspect: str, value: Any, place: Place = PLACE) -> Told:
    one = urn(name)
    return whole(one, [Aspect(one, aspect, value)], place)


def record(name: str, aspect: str, value: Any) -> Record:
    """What the aspect says of its own entity."""
    return told(name, aspect, value).scopes[-1].records[0]


def edges(name: str, aspect: str, value: Any) -> set[tuple[str, str, str]]:
    """Kind and ends of what the aspect says, without what parts are part of."""
    found = told(name, aspect, value).scopes[-1].edges
    return {(one.kind.value, one.upstream, one.downstream) for one in found if one.kind is not EdgeKind.PART_OF}


def to(*urns: str) -> list[dict[str, str]]:
    return [{"destinationUrn": one} for one in urns]


@pytest.mark.parametrize(
    ("name", "aspect", "value", "expected"),
    [
        (JOB, "dataJobInputOutput", {"inputDatasetEdges": to(A), "inputDatasets": [A]}, {("READ", A, JOB)}),
        (JOB, "dataJobInputOutput", {"outputDatasetEdges": to(B), "outputDatasets": [B]}, {("WRITE", JOB, B)}),
        (JOB, "dataJobInputOutput", {"inputDatajobs": [BEFORE]}, {("ORDER", BEFORE, JOB)}),
        (
            JOB,
            "dataJobInputOutput",
            {"inputDatasetFields": [column(A, "x")], "outputDatasetFields": [column(B, "y")]},
            {("READ", column(A, "x"), JOB), ("WRITE", JOB, column(B, "y"))},
        ),
        (
            "urn:li:dataProcess:(p,x,PROD)",
            "dataProcessInfo",
            {"inputs": [A], "outputs": [B]},
            {("READ", A, "urn:li:dataProcess:(p,x,PROD)"), ("WRITE", "urn:li:dataProcess:(p,x,PROD)", B)},
        ),
        (
            RUN,
            "dataProcessInstanceInput",
            {"inputs": [A], "inputEdges": to(A, MODEL)},
            {("READ", A, RUN), ("READ", MODEL, RUN)},
        ),
        (
            RUN,
            "dataProcessInstanceOutput",
            {"outputs": [B], "outputEdges": to(MODEL)},
            {("WRITE", RUN, B), ("WRITE", RUN, MODEL)},
        ),
        (RUN, "dataProcessInstanceInput", {"inputEdges": to(f"{RUN}2")}, {("DERIVE", f"{RUN}2", RUN)}),
        (
            RUN,
            "dataProcessInstanceRelationships",
            {"parentTemplate": JOB, "parentInstance": f"{RUN}0", "upstreamInstances": [f"{RUN}1"]},
            {("RUN_OF", RUN, JOB), ("ORDER", f"{RUN}1", RUN)},
        ),
        (RUN, "dataProcessInstanceRelationships", {"parentTemplate": A}, set()),
        (
            MODEL,
            "mlModelProperties",
            {
                "trainingJobs": [RUN],
                "downstreamJobs": [JOB],
                "mlFeatures": [FEATURE],
                "groups": [GROUP],
                "deployments": ["urn:li:mlModelDeployment:(urn:li:dataPlatform:sagemaker,e,PROD)"],
            },
            {
                ("WRITE", RUN, MODEL),
                ("READ", MODEL, JOB),
                ("DERIVE", FEATURE, MODEL),
                ("VERSION_OF", MODEL, GROUP),
                ("DEPLOY", MODEL, "urn:li:mlModelDeployment:(urn:li:dataPlatform:sagemaker,e,PROD)"),
            },
        ),
        (GROUP, "mlModelGroupProperties", {"trainingJobs": [RUN]}, {("WRITE", RUN, GROUP)}),
        (MODEL, "mlModelTrainingData", {"trainingData": [{"dataset": A}]}, {("DERIVE", A, MODEL)}),
        (
            MODEL,
            "mlModelEvaluationData",
            {"evaluationData": [{"dataset": A}]},
            {("CHECK", A, f"{MODEL}#evaluation"), ("CHECK", MODEL, f"{MODEL}#evaluation")},
        ),
        (
            MODEL,
            "versionProperties",
            {
                "versionSet": "urn:li:versionSet:(g,mlModel)",
                "version": {"versionTag": "3"},
                "aliases": [{"versionTag": "prod"}],
            },
            {
                ("VERSION_OF", MODEL, "urn:li:versionSet:(g,mlModel)"),
                ("ALIAS_OF", MODEL, "urn:li:versionSet:(g,mlModel)"),
            },
        ),
        (FEATURE, "mlFeatureProperties", {"sources": [A]}, {("DERIVE", A, FEATURE)}),
        (CHART, "chartInfo", {"inputs": [{"string": A}], "inputEdges": to(A)}, {("DERIVE", A, CHART)}),
        (CHART, "inputFields", {"fields": [{"schemaFieldUrn": column(A, "x")}]}, {("DERIVE", column(A, "x"), CHART)}),
        (
            BOARD,
            "dashboardInfo",
            {"charts": [CHART], "chartEdges": to(CHART), "datasetEdges": to(A), "dashboards": to(f"{BOARD[:-1]}2)")},
            {("DERIVE", CHART, BOARD), ("DERIVE", A, BOARD), ("DERIVE", f"{BOARD[:-1]}2)", BOARD)},
        ),
        (
            "urn:li:assertion:x",
            "assertionInfo",
            {"volumeAssertion": {"entity": A}},
            {("CHECK", A, "urn:li:assertion:x")},
        ),
        (
            "urn:li:incident:i",
            "incidentInfo",
            {"entities": [A, MODEL]},
            {("CHECK", A, "urn:li:incident:i"), ("CHECK", MODEL, "urn:li:incident:i")},
        ),
        (
            "urn:li:service:s",
            "serviceProperties",
            {"apis": ["urn:li:api:a"]},
            {("DERIVE", "urn:li:service:s", "urn:li:api:a")},
        ),
        ("urn:li:aiAgent:g", "aiAgentDependencies", {"models": [MODEL]}, {("DERIVE", MODEL, "urn:li:aiAgent:g")}),
        ("urn:li:query:q", "querySubjects", {"subjects": [{"entity": A}]}, set()),
        (A, "schemaMetadata", {"fields": [], "foreignKeys": [{"foreignDataset": B}]}, set()),
        (A, "container", {"container": "urn:li:container:db"}, set()),
    ],
)
def test_an_aspect_says_who_came_from_whom(
    name: str, aspect: str, value: Any, expected: set[tuple[str, str, str]]
) -> None:
    assert edges(name, aspect, value) == expected
    assert told(name, aspect, value).skipped == ()


def test_parts_belong_to_what_they_are_part_of() -> None:
    def parts(name: str, aspect: str, value: Any) -> set[tuple[str, str]]:
        found = [edge for scope in told(name, aspect, value).scopes for edge in scope.edges]
        return {(edge.upstream, edge.downstream) for edge in found if edge.kind is EdgeKind.PART_OF}

    assert parts(JOB, "status", {}) == {(JOB, FLOW)}
    assert parts(A, "schemaMetadata", {"fields": [{"fieldPath": "x"}]}) == {(column(A, "x"), A)}
    assert parts(RUN, "container", {"container": "urn:li:container:e"}) == {(RUN, "urn:li:container:e")}
    assert parts(RUN, "dataProcessInstanceRelationships", {"parentInstance": f"{RUN}0"}) == {(RUN, f"{RUN}0")}
    table = "urn:li:mlFeatureTable:(urn:li:dataPlatform:feast,customers)"
    assert parts(table, "mlFeatureTableProperties", {"mlFeatures": [FEATURE]}) == {(FEATURE, table)}


def test_columns_come_from_columns_with_how_and_how_sure() -> None:
    entry = {
        "upstreams": [column(B, "x"), column(B, "y")],
        "downstreams": [column(A, "z")],
        "transformOperation": "CONCAT",
        "confidenceScore": 0.9,
        "query": "urn:li:query:q",
    }
    saying = told(A, "upstreamLineage", {"fineGrainedLineages": [entry]}).scopes[-1]
    pairs = [one for one in saying.edges if one.kind is EdgeKind.DERIVE]
    assert {(one.upstream, one.downstream) for one in pairs} == {
        (column(B, "x"), column(A, "z")),
        (column(B, "y"), column(A, "z")),
    }
    assert {(one.transformation, one.confidence, one.evidence) for one in pairs} == {("CONCAT", 0.9, Evidence.PARSED)}
    assert saying.records[0].facets["datahub.fineGrainedLineages"][0]["query"] == "urn:li:query:q"


def test_an_entry_without_a_downstream_means_the_whole_dataset_and_one_of_a_job_goes_through_it() -> None:
    whole_dataset = told(A, "upstreamLineage", {"fineGrainedLineages": [{"upstreams": [column(B, "x")]}]}).scopes[-1]
    assert (column(B, "x"), A) in {(one.upstream, one.downstream) for one in whole_dataset.edges}
    entry = {"upstreams": [column(A, "x")], "downstreams": [column(B, "y")]}
    [pair] = [
        one
        for one in told(JOB, "dataJobInputOutput", {"fineGrainedLineages": [entry]}).scopes[-1].edges
        if one.kind is EdgeKind.DERIVE
    ]
    assert pair.via == JOB
    alone = told(JOB, "dataJobInputOutput", {"fineGrainedLineages": [{"upstreams": [column(A, "x")]}]}).scopes[-1]
    assert alone.records[0].facets["datahub.fineGrainedLineages"] == [{"upstreams": [column(A, "x")]}]


def test_lineage_that_a_person_drew_is_stated_and_that_of_a_query_is_parsed() -> None:
    def evidence(**more: Any) -> Evidence:
        upstreams = [{"dataset": B, "type": "TRANSFORMED", **more}]
        [edge] = told(A, "upstreamLineage", {"upstreams": upstreams}).scopes[-1].edges
        return edge.evidence

    assert evidence() is Evidence.DECLARED
    assert evidence(query="urn:li:query:q") is Evidence.PARSED
    assert evidence(properties={"source": "UI"}) is Evidence.STATED


@pytest.mark.parametrize(
    ("aspect", "value"),
    [
        ("upstreamLineage", {"upstreams": 5}),
        ("upstreamLineage", {"upstreams": [], "fineGrainedLineages": "x"}),
        ("upstreamLineage", {"upstreams": [{"dataset": B}], "fineGrainedLineages": {"upstreams": []}}),
    ],
)
def test_lineage_that_is_no_list_says_nothing_so_that_what_was_told_before_stands(aspect: str, value: Any) -> None:
    result = told(A, aspect, value)
    assert [one.key.rpartition("/")[2] for one in result.scopes] == ["datasetKey"]
    assert result.skipped


def test_one_name_that_cannot_be_read_leaves_the_others_of_its_list() -> None:
    result = told(A, "upstreamLineage", {"upstreams": [{"dataset": 5}, {"dataset": B}]})
    assert [edge.upstream for edge in result.scopes[-1].edges] == [B]
    assert result.skipped


def test_what_a_run_read_and_wrote_happened() -> None:
    scope = told(RUN, "dataProcessInstanceOutput", {"outputs": [B]}).scopes[-1]
    assert scope.nature is Nature.HAPPENED
    [edge] = scope.edges
    assert edge.evidence is Evidence.OBSERVED


@pytest.mark.parametrize(
    ("events", "state", "seconds"),
    [
        ([], RunState.UNKNOWN, None),
        ([{"timestampMillis": 1000, "status": "STARTED"}], RunState.RUNNING, None),
        (
            [
                {"timestampMillis": 61000, "status": "COMPLETE", "result": {"type": "SUCCESS"}},
                {"timestampMillis": 1000, "status": "STARTED"},
            ],
            RunState.SUCCEEDED,
            60,
        ),
        (
            [{"timestampMillis": 61000, "status": "COMPLETE", "durationMillis": 5000, "result": {"type": "SKIPPED"}}],
            RunState.ABORTED,
            5,
        ),
        (
            [{"timestampMillis": 61000, "status": "COMPLETE", "result": {"type": "FAILURE", "nativeResultType": "x"}}],
            RunState.FAILED,
            None,
        ),
        (
            [{"timestampMillis": 61000, "status": "COMPLETE", "result": {"type": "UP_FOR_RETRY"}}],
            RunState.RUNNING,
            None,
        ),
        ([{"timestampMillis": 61000, "status": "COMPLETE", "result": {"type": "NEW"}}], RunState.UNKNOWN, None),
    ],
)
def test_the_events_of_a_run_say_how_it_went(events: list[Any], state: RunState, seconds: int | None) -> None:
    run = life(events)
    assert run.state is state
    lasted = run.ended_at - run.started_at if run.ended_at and run.started_at else None
    assert (lasted.seconds if lasted else None) == seconds


def test_a_schema_gives_columns_with_types_tags_and_the_key_kept_apart() -> None:
    fields = [
        {
            "fieldPath": "[version=2.0].[key=True].[type=string].id",
            "type": {"type": {"com.linkedin.schema.StringType": {}}},
        },
        {
            "fieldPath": "[version=2.0].[type=string].id",
            "nativeDataType": "varchar",
            "description": "the id",
            "globalTags": {"tags": [{"tag": "urn:li:tag:pii"}]},
            "glossaryTerms": {"terms": [{"urn": "urn:li:glossaryTerm:Id"}]},
        },
        {"fieldPath": "[version=2.0].[type=int].id", "nativeDataType": "int"},
        {"description": "no path"},
        7,
    ]
    result = told(A, "schemaMetadata", {"fields": fields, "hash": "h"})
    own, key, value = result.scopes[-1].records
    assert own.facets["schema"] == [
        {"name": "[key=True].id", "type": "StringType"},
        {"name": "id", "type": "varchar", "description": "the id"},
    ]
    assert "fields" not in own.facets["datahub.schemaMetadata"]
    assert (key.kind, value.native_id) == (AssetKind.COLUMN, column(A, "id"))
    assert (value.facets["tags"], value.facets["terms"]) == ([{"key": "pii"}], [{"name": "Id"}])
    assert [one["nativeDataType"] for one in value.facets["datahub.variants"]] == ["int"]
    assert value.spellings[0].parts[0] == column(A, "[version=2.0].[type=string].id")
    assert sorted(one.reason for one in result.skipped) == ["1 entries are no objects", "a field without a path"]
    assert told(A, "schemaMetadata", {"fields": "x"}).skipped[0].reason == "it is no list"
    assert (
        told(A, "editableSchemaMetadata", {"editableSchemaFieldInfo": [{}]}).skipped[0].reason
        == "a field without a path"
    )


def test_what_people_attach_is_a_facet() -> None:
    owners = [
        {"owner": "urn:li:corpuser:ann", "type": "DATAOWNER"},
        {"owner": "urn:li:corpGroup:team", "typeUrn": "urn:li:ownershipType:steward"},
        {"owner": "jdoe"},
        {"type": "DATAOWNER"},
    ]
    assert record(A, "ownership", {"owners": owners}).facets["owners"] == [
        {"name": "ann", "role": "DATAOWNER"},
        {"name": "team", "role": "steward"},
        {"name": "jdoe"},
    ]
    assert record(A, "globalTags", {"tags": [{"tag": "urn:li:tag:pii"}] * 2}).facets["tags"] == [{"key": "pii"}]
    assert record(A, "glossaryTerms", {"terms": [{"urn": "urn:li:glossaryTerm:Id"}]}).facets["terms"] == [
        {"name": "Id"}
    ]
    pages = {"elements": [{"url": "https://u:p@wiki/x", "description": "doc"}, {"description": "none"}]}
    [page] = record(A, "institutionalMemory", pages).facets["links"]
    assert page["name"] == "doc"
    assert "u:p" not in page["url"]
    assert record(A, "editableDatasetProperties", {"description": "mine"}).description == "mine"
    assert record(A, "subTypes", {"typeNames": ["View"]}).subtype == "View"
    assert record("urn:li:container:e", "subTypes", {"typeNames": ["ML Experiment"]}).kind is AssetKind.EXPERIMENT
    assert record("urn:li:container:e", "subTypes", {"typeNames": []}).kind is AssetKind.OTHER


def test_names_descriptions_pages_and_times_are_found_under_each_of_their_names() -> None:
    at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    stamp = {"time": 1_700_000_000_000}
    term = record("urn:li:glossaryTerm:t", "glossaryTermInfo", {"name": "T", "definition": "what"})
    assert (term.name, term.description) == ("T", "what")
    chart = record(
        CHART,
        "chartInfo",
        {"title": "C", "chartUrl": "https://l/c", "lastModified": {"created": stamp, "lastModified": stamp}},
    )
    assert (chart.name, chart.url, chart.created_at, chart.updated_at) == ("C", "https://l/c", at, at)
    deployment = "urn:li:mlModelDeployment:(urn:li:dataPlatform:sagemaker,e,PROD)"
    assert record(deployment, "mlModelDeploymentProperties", {"createdAt": 1_700_000_000_000}).created_at == at
    incident = record(
        "urn:li:incident:i", "incidentInfo", {"title": "late", "created": stamp, "status": {"state": "ACTIVE"}}
    )
    assert (incident.name, incident.created_at, incident.facets["result"]) == ("late", at, {"state": "ACTIVE"})
    assert record(A, "datasetProperties", {"name": " ", "created": {"time": 10**20}}).created_at is None
    assert record(A, "datasetProperties", {"created": {"time": True}}).created_at is None


def test_parameters_and_metrics_are_read_as_lists_and_as_maps() -> None:
    listed = {
        "hyperParams": [{"name": "p", "value": "1"}, {"name": "api_key", "value": "s3cr3t"}, {"value": "x"}],
        "trainingMetrics": [{"name": "m", "value": "0.8"}],
    }
    one = record(MODEL, "mlModelProperties", listed)
    assert one.facets["metrics"] == {"m": "0.8"}
    assert one.facets["parameters"]["p"] == "1"
    assert "s3cr3t" not in str(one.facets)
    older = record(MODEL, "mlModelProperties", {"hyperParameters": {"p": 2}})
    assert older.facets["parameters"] == {"p": 2}


def test_a_training_run_and_a_version_are_spelled_as_their_tracker_spells_them() -> None:
    place = Place("catalog", {"mlflow": "tracking/team"})
    run = (
        told(RUN, "mlTrainingRunProperties", {"id": "0" * 32, "outputUrls": ["s3://b/x"]}, place).scopes[-1].records[0]
    )
    assert ("tracking", "team", "run", "0" * 32) in {one.parts for one in run.spellings}
    assert run.facets["links"] == [{"name": "output", "url": "s3://b/x"}]
    elsewhere = record(RUN, "mlTrainingRunProperties", {"id": "job-7"})
    assert [(one.form.value, one.weak) for one in elsewhere.spellings] == [("name", True)]
    assert record(RUN, "mlTrainingRunProperties", {}).spellings == ()
    odd = told(MODEL, "mlModelProperties", {"groups": ["no urn", GROUP.replace("churn", "other")]}, place)
    assert odd.scopes[-1].records[0].spellings == ()
    assert len(odd.skipped) == 1


def test_secrets_rows_of_users_and_stamps_that_move_are_not_kept() -> None:
    value = {
        "customProperties": {"password": "hunter2", "uri": "postgres://u:hunter2@h/db"},
        "sampleValues": ["Ann"],
        "auditStamp": {"time": 1},
        "list": [{"key": "api_key", "value": "hunter2"}],
    }
    kept = str(record(A, "anything", value).facets)
    assert "hunter2" not in kept
    assert "Ann" not in kept
    assert "auditStamp" not in kept


def test_the_kind_of_every_type_is_known() -> None:
    kinds = {one: kind_of(urn(f"urn:li:{one}:x")) for one in ("tag", "container", "assertion", "aiAgent", "repository")}
    assert kinds == {
        "tag": AssetKind.OTHER,
        "container": AssetKind.OTHER,
        "assertion": AssetKind.EVALUATION,
        "aiAgent": AssetKind.AGENT,
        "repository": AssetKind.CODE,
    }
    [other] = whole(urn("urn:li:domain:d"), [], PLACE).scopes[0].records
    assert (other.kind, other.subtype, other.name) == (AssetKind.OTHER, "domain", "d")


ASPECTS = sorted(
    {one.aspect for one in RELATIONS}
    | {
        "status", "schemaMetadata", "editableSchemaMetadata", "ownership", "globalTags", "glossaryTerms",
        "institutionalMemory", "subTypes", "container", "siblings", "editableDatasetProperties", "datasetProperties",
        "mlModelEvaluationData", "mlTrainingRunProperties", "dataProcessInstanceRunEvent", "assertionRunEvent", "x",
    }
)  # fmt: skip
FIELDS = sorted({step for one in RELATIONS for step in one.path.split("/")} | {
    "fields", "fieldPath", "owners", "owner", "tags", "tag", "terms", "elements", "typeNames", "siblings", "removed",
    "fineGrainedLineages", "upstreams", "downstreams", "confidenceScore", "hyperParams", "trainingMetrics", "name",
    "created", "lastModified", "time", "timestampMillis", "result", "status", "groups", "aliases", "versionTag",
    "evaluationData", "editableSchemaFieldInfo", "globalTags", "value", "type",
})  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([A, MODEL, JOB, RUN])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(
        [A, JOB, RUN, MODEL, GROUP, CHART, BOARD, column(A, "x"), "urn:li:container:c", "urn:li:assertion:a"]
    ),
    st.sampled_from(ASPECTS),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5),
)
def test_no_aspect_is_too_broken(name: str, aspect: str, value: dict[str, Any]) -> None:
    result = told(name, aspect, value)
    known: set[Edge] = {edge for scope in result.scopes for edge in scope.edges}
    assert all(edge.upstream and edge.downstream for edge in known)
    assert all(scope.family in (*TYPES, "series") for scope in result.scopes)
    assert all(one.what and one.reason for one in result.skipped)
