"""The story of `connectors.story` as a catalogue holds it: tables, jobs, a dashboard, a check, a model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from .. import story
from .sandbox_registry import Row

INSTANCE = "warehouse"
"""The platform instance of the warehouse: what a name without a host has instead of one."""
ADA = "urn:li:corpuser:ada"
_BOT = "urn:li:corpuser:datahub"
_POSTGRES = "urn:li:dataPlatform:postgres"
_MLFLOW = "urn:li:dataPlatform:mlflow"
_NAMES = UUID("0a7c61c5-7c2f-4e0e-9a5c-5f1a4f7f7a10")
_NUMBERS = frozenset({"id", "customer_id", "orders", "amount", "total_spent", "revenue"})

GROUP = f"urn:li:mlModelGroup:({_MLFLOW},churn,PROD)"
VERSION_SET = f"urn:li:versionSet:({uuid5(_NAMES, 'churn').hex},mlModel)"
EXPERIMENT = f"urn:li:container:{uuid5(_NAMES, 'experiment').hex}"
DEPLOYMENT = "urn:li:mlModelDeployment:(urn:li:dataPlatform:kserve,churn-api,PROD)"
CHART = "urn:li:chart:(superset,12)"
DASHBOARD = "urn:li:dashboard:(superset,3)"
ASSERTION = f"urn:li:assertion:{uuid5(_NAMES, 'assertion').hex}"
PII = "urn:li:tag:pii"
TERM = "urn:li:glossaryTerm:Finance.Revenue"
DOMAIN = "urn:li:domain:sales"


@dataclass(frozen=True, slots=True)
class Told:
    """One aspect of the story, and when it was told."""

    urn: str
    aspect: str
    value: Row
    at: str = "2025-01-05T06:00:00Z"

    @property
    def seconds(self) -> float:
        """When it was told."""
        return datetime.fromisoformat(self.at).timestamp()


def table(one: story.Table) -> str:
    """How the catalogue calls a table of the story: without its host, behind the instance that stands for it."""
    namespace, name = one
    if namespace == story.WAREHOUSE:
        return f"urn:li:dataset:({_POSTGRES},{INSTANCE}.{name},PROD)"
    return f"urn:li:dataset:(urn:li:dataPlatform:s3,{namespace.removeprefix('s3://')}/{name},PROD)"


def column(one: story.Table, name: str) -> str:
    """How it calls a column."""
    return f"urn:li:schemaField:({table(one)},{name})"


def model(version: int) -> str:
    """How it calls a version of the model."""
    return f"urn:li:mlModel:({_MLFLOW},churn_{version},PROD)"


def training(version: int) -> str:
    """How it calls the run that trained a version."""
    return f"urn:li:dataProcessInstance:{uuid5(_NAMES, f'training {version}').hex}"


def flow(job: story.Job) -> str:
    """How it calls the pipeline of a job."""
    return f"urn:li:dataFlow:({job.tool},{job.name.rpartition('.')[0]},prod)"


def task(job: story.Job) -> str:
    """How it calls a job."""
    return f"urn:li:dataJob:({flow(job)},{job.name.rpartition('.')[2]})"


def told(runs: Sequence[str] = ()) -> Iterator[Told]:
    """The whole story; `runs` are the ids that the tracker gave the two trainings."""
    yield from _words()
    for one in story.COLUMNS:
        yield from _table(one)
    for job in story.JOBS:
        yield from _job(job)
    yield from _dashboard()
    yield from _check()
    yield from _models(runs or [uuid5(_NAMES, f"run {version}").hex for version in (1, 2)])


def _words() -> Iterator[Told]:
    info: Row = {"active": True, "displayName": "Ada", "email": "ada@acme.example", "title": "Data scientist"}
    yield Told(ADA, "corpUserInfo", info)
    yield Told(PII, "tagProperties", {"name": "pii", "description": "Tells of a person"})
    term: Row = {"name": "Revenue", "definition": "What customers paid, without tax", "termSource": "INTERNAL"}
    yield Told(TERM, "glossaryTermInfo", term)
    yield Told(DOMAIN, "domainProperties", {"name": "Sales"})
    instance = f"urn:li:dataPlatformInstance:({_POSTGRES},{INSTANCE})"
    yield Told(instance, "dataPlatformInstanceProperties", {"name": INSTANCE, "customProperties": {}})


def _table(one: story.Table) -> Iterator[Told]:
    urn, (namespace, name) = table(one), one
    is_warehouse = namespace == story.WAREHOUSE
    properties: Row = {
        "name": name.rpartition("." if is_warehouse else "/")[2],
        "qualifiedName": name if is_warehouse else f"{namespace}/{name}",
        "customProperties": {"format": "table" if is_warehouse else "parquet"},
        "tags": [],
    }
    yield Told(urn, "datasetProperties", properties)
    yield Told(urn, "subTypes", {"typeNames": ["Table" if is_warehouse else "Folder"]})
    yield Told(urn, "schemaMetadata", _schema(one))
    yield Told(urn, "ownership", _owned("DATAOWNER"))
    yield Told(urn, "status", {"removed": False})
    if is_warehouse:
        instance: Row = {"platform": _POSTGRES, "instance": f"urn:li:dataPlatformInstance:({_POSTGRES},{INSTANCE})"}
        yield Told(urn, "dataPlatformInstance", instance)
    if one == story.REVENUE:
        yield Told(urn, "domains", {"domains": [DOMAIN]})
        yield Told(urn, "glossaryTerms", {"terms": [{"urn": TERM}], "auditStamp": _stamp("2025-01-05T06:00:00Z")})
    upstream = _lineage(one)
    if upstream["upstreams"]:
        yield Told(urn, "upstreamLineage", upstream)


def _schema(one: story.Table) -> Row:
    fields: list[Row] = [
        {
            "fieldPath": name,
            "nullable": name != "id",
            "type": {"type": {f"com.linkedin.schema.{'Number' if name in _NUMBERS else 'String'}Type": {}}},
            "nativeDataType": "numeric" if name in _NUMBERS else "text",
            "recursive": False,
            "isPartOfKey": name == "id",
            **({"globalTags": {"tags": [{"tag": PII}]}} if name == "country" else {}),
        }
        for name in story.COLUMNS[one]
    ]
    return {
        "schemaName": one[1],
        "platform": table(one).split(",")[0].rpartition("(")[2],
        "version": 0,
        "hash": "",
        "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
        "fields": fields,
    }


def _lineage(one: story.Table) -> Row:
    jobs = [job for job in story.JOBS if job.output == one]
    first = {upstream: job.started for job in reversed(jobs) for upstream in job.inputs}
    inputs = dict.fromkeys(upstream for job in jobs for upstream in job.inputs)
    return {
        "upstreams": [
            {
                "auditStamp": _stamp(jobs[-1].started),
                "created": _stamp(first[upstream]),
                "dataset": table(upstream),
                "type": "TRANSFORMED",
            }
            for upstream in inputs
        ],
        "fineGrainedLineages": [
            {
                "upstreamType": "FIELD_SET",
                "upstreams": [column(source, field) for source, field in sources],
                "downstreamType": "FIELD",
                "downstreams": [column(one, name)],
                "confidenceScore": 1.0,
            }
            for job in jobs
            for name, sources in job.columns.items()
        ],
    }


def _job(job: story.Job) -> Iterator[Told]:
    name = job.name.rpartition(".")[2]
    yield Told(flow(job), "dataFlowInfo", {"name": job.name.rpartition(".")[0], "customProperties": {}}, job.started)
    info: Row = {"name": name, "type": {"string": "COMMAND"}, "customProperties": {}}
    if job.path is not None:
        info["externalUrl"] = f"{story.REPOSITORY}/blob/{story.REVISION}/{job.path}"
    yield Told(task(job), "dataJobInfo", info, job.started)
    flows: Row = {
        "inputDatasets": [],
        "outputDatasets": [],
        "inputDatasetEdges": [_edge(table(one), _first(job, one), job.started) for one in job.inputs],
        "outputDatasetEdges": [_edge(table(job.output), _first(job), job.started)],
    }
    yield Told(task(job), "dataJobInputOutput", flows, job.started)
    yield Told(task(job), "ownership", _owned("TECHNICAL_OWNER"), job.started)


def _first(job: story.Job, read: story.Table | None = None) -> str:
    """When a job ran first, or first read a table."""
    return min(one.started for one in story.JOBS if one.name == job.name and (read is None or read in one.inputs))


def _dashboard() -> Iterator[Told]:
    changed = {name: _stamp("2025-01-06T10:00:00Z") for name in ("created", "lastModified")}
    chart: Row = {
        "title": "Revenue by country",
        "description": "",
        "lastModified": changed,
        "customProperties": {},
        "inputEdges": [_edge(table(story.REVENUE), "2025-01-06T10:00:00Z")],
        "type": "BAR",
    }
    yield Told(CHART, "chartInfo", chart, "2025-01-06T10:00:00Z")
    dashboard: Row = {
        "title": "Sales",
        "description": "How the shop is doing",
        "lastModified": changed,
        "customProperties": {},
        "charts": [],
        "datasets": [],
        "dashboards": [],
        "chartEdges": [_edge(CHART, "2025-01-06T10:00:00Z")],
    }
    yield Told(DASHBOARD, "dashboardInfo", dashboard, "2025-01-06T10:00:00Z")
    yield Told(DASHBOARD, "ownership", _owned("BUSINESS_OWNER"), "2025-01-06T10:00:00Z")


def _check() -> Iterator[Told]:
    judged = table(story.CUSTOMER_ORDERS)
    rule: Row = {
        "dataset": judged,
        "scope": "DATASET_COLUMN",
        "operator": "NOT_NULL",
        "fields": [column(story.CUSTOMER_ORDERS, "customer_id")],
        "nativeType": "not_null",
    }
    info: Row = {"type": "DATASET", "datasetAssertion": rule, "customProperties": {}}
    yield Told(ASSERTION, "assertionInfo", info)
    for day, result in (("2025-01-05", "SUCCESS"), ("2025-01-12", "FAILURE")):
        event: Row = {
            "timestampMillis": _millis(f"{day}T02:30:00Z"),
            "partitionSpec": {"partition": "FULL_TABLE_SNAPSHOT", "type": "FULL_TABLE"},
            "runId": f"dbt-{day}",
            "asserteeUrn": judged,
            "assertionUrn": ASSERTION,
            "status": "COMPLETE",
            "result": {"type": result, "nativeResults": {}},
        }
        yield Told(ASSERTION, "assertionRunEvent", event, f"{day}T02:30:00Z")


def _models(runs: Sequence[str]) -> Iterator[Told]:
    experiment: Row = {"name": "churn", "customProperties": {"artifacts_location": "mlflow-artifacts:/1"}}
    yield Told(EXPERIMENT, "containerProperties", experiment, "2025-01-06T08:00:00Z")
    yield Told(EXPERIMENT, "subTypes", {"typeNames": ["ML Experiment"]}, "2025-01-06T08:00:00Z")
    yield Told(GROUP, "mlModelGroupProperties", {"name": "churn", "customProperties": {}}, "2025-01-06T09:00:00Z")
    trainings = zip((("2025-01-06", 0.81), ("2025-01-13", 0.86)), runs, strict=True)
    for version, ((day, score), run) in enumerate(trainings, 1):
        yield from _training(version, day, score, run)
        yield from _version(version, day, score)
    served: Row = {"status": "IN_SERVICE", "createdAt": _millis("2025-01-14T06:00:00Z"), "customProperties": {}}
    yield Told(DEPLOYMENT, "mlModelDeploymentProperties", served, "2025-01-14T06:00:00Z")


def _training(version: int, day: str, score: float, run: str) -> Iterator[Told]:
    urn, began, ended = training(version), f"{day}T08:00:00Z", f"{day}T09:00:00Z"
    yield Told(
        urn, "dataProcessInstanceProperties", {"name": f"train-churn-{version}", "created": _stamp(began)}, began
    )
    yield Told(urn, "subTypes", {"typeNames": ["ML Training Run"]}, began)
    yield Told(urn, "dataPlatformInstance", {"platform": _MLFLOW}, began)
    yield Told(urn, "container", {"container": EXPERIMENT}, began)
    native: Row = {
        "id": run,
        "hyperParams": [{"name": "max_depth", "value": str(3 + version)}],
        "trainingMetrics": [{"name": "auc", "value": str(score)}],
    }
    yield Told(urn, "mlTrainingRunProperties", native, ended)
    inputs: Row = {"inputs": [], "inputEdges": [_edge(table(story.FEATURE_TABLE), began)]}
    yield Told(urn, "dataProcessInstanceInput", inputs, began)
    first: Row = {"timestampMillis": _millis(began), "status": "STARTED"}
    result: Row = {"type": "SUCCESS", "nativeResultType": "mlflow"}
    last: Row = {"timestampMillis": _millis(ended), "status": "COMPLETE", "result": result, "durationMillis": 3_600_000}
    yield Told(urn, "dataProcessInstanceRunEvent", first, began)
    yield Told(urn, "dataProcessInstanceRunEvent", last, ended)


def _version(version: int, day: str, score: float) -> Iterator[Told]:
    urn, at = model(version), f"{day}T09:00:00Z"
    properties: Row = {
        "name": "churn",
        "customProperties": {},
        "tags": [],
        "trainingJobs": [training(version)],
        "groups": [GROUP],
        "hyperParams": [{"name": "max_depth", "value": str(3 + version)}],
        "trainingMetrics": [{"name": "auc", "value": str(score)}],
        **({"deployments": [DEPLOYMENT]} if version == 2 else {}),
    }
    yield Told(urn, "mlModelProperties", properties, at)
    yield Told(urn, "mlModelTrainingData", {"trainingData": [{"dataset": table(story.FEATURE_TABLE)}]}, at)
    yield Told(urn, "mlModelEvaluationData", {"evaluationData": [{"dataset": table(story.HOLDOUT_TABLE)}]}, at)
    aliases = [{"versionTag": "champion"}] if version == 2 else []
    numbered: Row = {
        "versionSet": VERSION_SET,
        "version": {"versionTag": str(version)},
        "aliases": aliases,
        "sortId": f"{version:08}",
        "versioningScheme": "LEXICOGRAPHIC_STRING",
    }
    yield Told(urn, "versionProperties", numbered, at)
    newest: Row = {"latest": urn, "versioningScheme": "LEXICOGRAPHIC_STRING"}
    yield Told(VERSION_SET, "versionSetProperties", newest, at)


def _owned(role: str) -> Row:
    return {"owners": [{"owner": ADA, "type": role}], "lastModified": {"time": 0, "actor": "urn:li:corpuser:unknown"}}


def _edge(urn: str, at: str, last: str = "") -> dict[str, Any]:
    return {"destinationUrn": urn, "created": _stamp(at), "lastModified": _stamp(last or at)}


def _stamp(at: str) -> Row:
    return {"time": _millis(at), "actor": _BOT}


def _millis(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() * 1000)
