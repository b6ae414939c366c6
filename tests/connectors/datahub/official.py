"""DataHub's own client, which judges our miniature: its records and its ways to send and to read them."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

os.environ["DATAHUB_TELEMETRY_ENABLED"] = "false"
os.environ["DATAHUB_REST_EMITTER_DEFAULT_RETRY_MAX_TIMES"] = "1"

# The client reads its environment while it is imported.
from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.emitter.rest_emitter import DatahubRestEmitter
from datahub.emitter.serialization_helper import post_json_transform, pre_json_transform
from datahub.ingestion.graph.client import DatahubClientConfig, DataHubGraph
from datahub.ingestion.graph.openapi import LineageDirection as LineageDirection
from datahub.metadata import schema_classes as classes
from datahub.metadata.urns import Urn

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,db.raw.orders,PROD)"
TOTALS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,db.mart.totals,PROD)"
TASK = "urn:li:dataJob:(urn:li:dataFlow:(airflow,etl,prod),load)"
RUN = "urn:li:dataProcessInstance:abc123"
MODEL = "urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn_1,PROD)"
FAMILY = "urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn,PROD)"
ENDPOINT = "urn:li:mlModelDeployment:(urn:li:dataPlatform:sagemaker,churn-ep,PROD)"
FEATURE = "urn:li:mlFeature:(orders_fs,amount_7d)"


def field(of: str, name: str) -> str:
    """The URN of a field."""
    return f"urn:li:schemaField:({of},{name})"


def aspects() -> list[tuple[str, Any]]:
    """A little of everything, as the client's own classes."""
    edge = classes.EdgeClass
    lineage = classes.UpstreamLineageClass(
        upstreams=[
            classes.UpstreamClass(
                dataset=ORDERS, type="TRANSFORMED", auditStamp=classes.AuditStampClass(1, "urn:li:corpuser:u")
            )
        ],
        fineGrainedLineages=[
            classes.FineGrainedLineageClass(
                upstreamType="FIELD_SET",
                downstreamType="FIELD",
                upstreams=[field(ORDERS, "amount")],
                downstreams=[field(TOTALS, "total")],
                transformOperation="SUM",
                confidenceScore=0.9,
            )
        ],
    )
    return [
        (ORDERS, classes.DatasetPropertiesClass(name="orders, größer", customProperties={"a.b": "v, (x)"})),
        (ORDERS, _schema()),
        (TOTALS, lineage),
        (TOTALS, classes.GlobalTagsClass(tags=[classes.TagAssociationClass(tag="urn:li:tag:pii")])),
        (TASK, classes.DataJobInfoClass(name="load", type="COMMAND")),
        (TASK, classes.DataJobInputOutputClass([], [], [edge(ORDERS)], [edge(TOTALS)])),
        (FEATURE, classes.MLFeaturePropertiesClass(sources=[TOTALS])),
        (RUN, classes.DataProcessInstanceInputClass(inputs=[], inputEdges=[edge(TOTALS)])),
        (RUN, classes.MLTrainingRunPropertiesClass(id="run1")),
        (FAMILY, classes.MLModelGroupPropertiesClass(name="churn")),
        (MODEL, classes.MLModelPropertiesClass(trainingJobs=[RUN], deployments=[ENDPOINT], groups=[FAMILY])),
        (MODEL, classes.TrainingDataClass([classes.BaseDataClass(TOTALS)])),
        (ENDPOINT, classes.MLModelDeploymentPropertiesClass(status="IN_SERVICE")),
        ("urn:li:chart:(looker,1)", _chart()),
    ]


def event(at: int, status: str) -> Any:
    """One event of a run."""
    result = classes.DataProcessInstanceRunResultClass(type="SUCCESS", nativeResultType="mlflow")
    return classes.DataProcessInstanceRunEventClass(
        timestampMillis=at, status=status, result=result if status == "COMPLETE" else None
    )


def wire(aspect: Any) -> dict[str, Any]:
    """An aspect as it goes over the wire."""
    return pre_json_transform(aspect.to_obj())


def key(urn: str) -> dict[str, Any]:
    """The key aspect that the client makes of a URN."""
    made: Any = Urn.from_string(urn)
    return wire(made.to_key_aspect())


def is_sound(aspect: str, value: dict[str, Any]) -> bool:
    """Whether the client's own schema takes a value."""
    made = classes.ASPECT_NAME_MAP[aspect]
    return made.from_obj(post_json_transform(value)).validate()


def proposal(urn: str, aspect: Any, **more: Any) -> MetadataChangeProposalWrapper:
    """A proposal of the client."""
    return MetadataChangeProposalWrapper(entityUrn=urn, aspect=aspect, **more)


@contextmanager
def graph(url: str, **config: Any) -> Generator[DataHubGraph]:
    """The client's reading side, closed again."""
    client = DataHubGraph(DatahubClientConfig(server=url, **config))
    try:
        client.test_connection()
        yield client
    finally:
        client.close()


@contextmanager
def emitter(url: str, *, openapi: bool) -> Generator[DatahubRestEmitter]:
    """The client's writing side, closed again."""
    client = DatahubRestEmitter(url, openapi_ingestion=openapi)
    try:
        yield client
    finally:
        client.close()


def _schema() -> Any:
    return classes.SchemaMetadataClass(
        schemaName="orders",
        platform="urn:li:dataPlatform:snowflake",
        version=0,
        hash="",
        platformSchema=classes.OtherSchemaClass(rawSchema="create table"),
        fields=[
            classes.SchemaFieldClass(
                fieldPath="amount",
                nativeDataType="NUMBER",
                type=classes.SchemaFieldDataTypeClass(classes.NumberTypeClass()),
            )
        ],
    )


def _chart() -> Any:
    stamps = classes.ChangeAuditStampsClass()
    return classes.ChartInfoClass(title="t", description="d", lastModified=stamps, inputs=[TOTALS])
