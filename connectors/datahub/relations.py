"""Which fields of which aspects name other things, and what that says: the table behind every edge."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from ...federation.model import Json


class Says(Enum):
    """What it means that one thing names another."""

    FLOW = "data passes: the kinds of both ends tell whether it is READ, WRITE, DERIVE or DEPLOY"
    PART = "one is part of the other"
    VERSION = "one is a version of the other"
    RUN_OF = "a run of a job"
    ORDER = "one comes after the other, without data"
    CHECK = "one was judged by the other"


@dataclass(frozen=True, slots=True)
class Relation:
    """One field. `up`: what is named stands upstream of the thing that names it, in the sense of our edges."""

    aspect: str
    path: str
    """Steps through the aspect; `*` is each item of a list, `string` a union's text."""
    name: str
    """As the schemas call it; empty where they declare none."""
    says: Says
    up: bool = True


_F = Says.FLOW
RELATIONS = (
    Relation("upstreamLineage", "upstreams/*/dataset", "DownstreamOf", _F),
    Relation("dataJobInputOutput", "inputDatasetEdges/*/destinationUrn", "Consumes", _F),
    Relation("dataJobInputOutput", "inputDatasets/*", "Consumes", _F),
    Relation("dataJobInputOutput", "outputDatasetEdges/*/destinationUrn", "Produces", _F, up=False),
    Relation("dataJobInputOutput", "outputDatasets/*", "Produces", _F, up=False),
    Relation("dataJobInputOutput", "inputDatajobEdges/*/destinationUrn", "DownstreamOf", Says.ORDER),
    Relation("dataJobInputOutput", "inputDatajobs/*", "DownstreamOf", Says.ORDER),
    Relation("dataJobInputOutput", "inputDatasetFields/*", "Consumes", _F),
    # The schema leaves the direction of the next one open, and open means "up" only where it says lineage.
    Relation("dataJobInputOutput", "outputDatasetFields/*", "Produces", _F, up=False),
    Relation("dataProcessInfo", "inputs/*", "Consumes", _F),
    # Declared as Consumes, though it is what the process wrote.
    Relation("dataProcessInfo", "outputs/*", "Consumes", _F, up=False),
    Relation("dataProcessInstanceInput", "inputEdges/*/destinationUrn", "DataProcessInstanceConsumes", _F),
    Relation("dataProcessInstanceInput", "inputs/*", "Consumes", _F),
    Relation("dataProcessInstanceOutput", "outputEdges/*/destinationUrn", "DataProcessInstanceProduces", _F, up=False),
    Relation("dataProcessInstanceOutput", "outputs/*", "Produces", _F, up=False),
    Relation("dataProcessInstanceRelationships", "parentTemplate", "InstanceOf", Says.RUN_OF, up=False),
    Relation("dataProcessInstanceRelationships", "parentInstance", "ChildOf", Says.PART, up=False),
    # Reads backwards: it points to the run before.
    Relation("dataProcessInstanceRelationships", "upstreamInstances/*", "UpstreamOf", Says.ORDER),
    Relation("mlModelProperties", "trainingJobs/*", "TrainedBy", _F),
    Relation("mlModelProperties", "downstreamJobs/*", "UsedBy", _F, up=False),
    Relation("mlModelProperties", "mlFeatures/*", "Consumes", _F),
    Relation("mlModelProperties", "groups/*", "MemberOf", Says.VERSION, up=False),
    Relation("mlModelProperties", "deployments/*", "DeployedTo", _F, up=False),
    Relation("mlModelGroupProperties", "trainingJobs/*", "TrainedBy", _F),
    Relation("mlModelGroupProperties", "downstreamJobs/*", "UsedBy", _F, up=False),
    Relation("mlModelTrainingData", "trainingData/*/dataset", "", _F),
    Relation("versionProperties", "versionSet", "VersionOf", Says.VERSION, up=False),
    Relation("mlFeatureProperties", "sources/*", "DerivedFrom", _F),
    Relation("mlPrimaryKeyProperties", "sources/*", "DerivedFrom", _F),
    Relation("mlFeatureTableProperties", "mlFeatures/*", "Contains", Says.PART),
    Relation("mlFeatureTableProperties", "mlPrimaryKeys/*", "KeyedBy", Says.PART),
    Relation("chartInfo", "inputEdges/*/destinationUrn", "Consumes", _F),
    Relation("chartInfo", "inputs/*/string", "Consumes", _F),
    Relation("inputFields", "fields/*/schemaFieldUrn", "consumesField", _F),
    Relation("dashboardInfo", "chartEdges/*/destinationUrn", "Contains", _F),
    Relation("dashboardInfo", "charts/*", "Contains", _F),
    Relation("dashboardInfo", "datasetEdges/*/destinationUrn", "Consumes", _F),
    Relation("dashboardInfo", "datasets/*", "Consumes", _F),
    Relation("dashboardInfo", "dashboards/*/destinationUrn", "DashboardContainsDashboard", _F),
    Relation("metricUpstreams", "datasetUpstreams/*/destinationUrn", "Consumes", _F),
    Relation("metricUpstreams", "fieldUpstreams/*/destinationUrn", "Consumes", _F),
    Relation("metricRelationships", "derivedFrom/*/destinationUrn", "DerivedFrom", _F),
    Relation("metricRelationships", "parentMetric", "IsPartOf", Says.PART, up=False),
    Relation("metricInfo", "semanticModel", "ModeledBy", _F),
    Relation("semanticModelProperties", "semanticModel", "IsPartOf", Says.PART, up=False),
    Relation("upstreamMetrics", "metrics/*/destinationUrn", "ConsumesMetric", _F),
    Relation("apiSignature", "inputDatasetEdges/*/destinationUrn", "Consumes", _F),
    Relation("apiSignature", "outputDatasetEdges/*/destinationUrn", "Produces", _F, up=False),
    Relation("apiProperties", "sourceRepository", "SourcedFrom", _F),
    Relation("applicationLineage", "inputEdges/*/destinationUrn", "Consumes", _F),
    Relation("applicationLineage", "outputEdges/*/destinationUrn", "Produces", _F, up=False),
    Relation("serviceProperties", "apis/*", "ServiceComposesApi", _F, up=False),
    Relation("serviceProperties", "sourceRepository", "SourcedFrom", _F),
    Relation("repositoryLineage", "forkOf", "RepositoryForkOf", _F),
    Relation("aiAgentDependencies", "tools/*", "AgentUsesTool", _F),
    Relation("aiAgentDependencies", "skills/*", "AgentHasSkill", _F),
    Relation("aiAgentDependencies", "models/*", "AgentUsesModel", _F),
    Relation("aiAgentInfo", "source/clonedFrom", "ClonedFromAgent", _F),
    Relation("agentSkillInfo", "requiredTools/*", "SkillRequiresTool", _F),
    *(
        Relation("assertionInfo", f"{kind}/{field}", "Asserts", Says.CHECK)
        for kind, fields in {
            "datasetAssertion": ("dataset", "fields/*"),
            "freshnessAssertion": ("entity",),
            "volumeAssertion": ("entity",),
            "sqlAssertion": ("entity",),
            "fieldAssertion": ("entity",),
            "schemaAssertion": ("entity",),
            "customAssertion": ("entity", "field", "fields/*"),
        }.items()
        for field in fields
    ),
    Relation("incidentInfo", "entities/*", "IncidentOn", Says.CHECK),
)
"""Where one pair may be named twice (`inputDatasets` and `inputDatasetEdges`), the richer field stands first."""

_BY_ASPECT: dict[str, tuple[Relation, ...]] = {
    aspect: tuple(one for one in RELATIONS if one.aspect == aspect) for aspect in {one.aspect for one in RELATIONS}
}


@dataclass(frozen=True, slots=True)
class Named:
    """One thing that an aspect names."""

    relation: Relation
    value: Json
    """What stands where a URN should."""
    place: str
    """Where in the aspect: `upstreams/3/dataset`."""
    edge: Mapping[str, Any]
    """The object that the name stands in (an `Edge`, an `Upstream`), with what it says of this one relation."""
    is_short: bool = False
    """It stands where a list or an object of names should: which names are meant cannot be told."""


def named(aspect: str, value: Json) -> Iterator[Named]:
    """All things that an aspect names by lineage or structure, in the order of the table."""
    for relation in _BY_ASPECT.get(aspect, ()):
        for found, place, edge, is_short in _walk(value, tuple(relation.path.split("/")), "", {}):
            yield Named(relation, found, place, edge, is_short)


def _walk(
    value: Json, steps: tuple[str, ...], place: str, around: Mapping[str, Any], *, is_item: bool = False
) -> Iterator[tuple[Json, str, Mapping[str, Any], bool]]:
    """`is_item`: it stands in a list, where nothing is a mistake; elsewhere it was only not told."""
    if not steps or not isinstance(value, list | dict):
        if value is not None or is_item:
            yield value, place.lstrip("/"), around, bool(steps) and not is_item
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, list):
        for number, one in enumerate(cast(list[Any], value)):
            yield from _walk(one, rest if step == "*" else steps, f"{place}/{number}", {}, is_item=True)
        return
    here = cast(dict[str, Any], value)
    if step not in here and len(here) == 1 and "." in next(iter(here)):
        yield from _walk(next(iter(here.values())), steps, place, around, is_item=is_item)  # a union names its class
    else:
        yield from _walk(here.get(step), rest, f"{place}/{step}", here, is_item=is_item)
