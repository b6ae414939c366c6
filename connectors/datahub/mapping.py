"""Which aspect means what: the one place that knows all of them by name."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...federation.model import Json, Tombstone
from . import columns, facets, jobs, models, quality
from .saying import Aspect, Place, Saying, Told, entity
from .urn import Urn, plain
from .wire import field

RUN_EVENTS = "dataProcessInstanceRunEvent"
RESULTS = "assertionRunEvent"
SERIES = {"dataProcessInstance": RUN_EVENTS, "assertion": RESULTS}
"""The aspects that are series of events, of the types whose last events are read."""
TYPES = (
    "aiAgent", "agentSkill", "api", "application", "assertion", "businessAttribute", "chart", "container",
    "corpGroup", "corpuser", "dashboard", "dataContract", "dataFlow", "dataHubAction", "dataHubFile",
    "dataHubIngestionSource", "dataHubPersona", "dataHubRole", "dataJob", "dataPlatform", "dataPlatformInstance",
    "dataProcess", "dataProcessInstance", "dataProduct", "dataType", "dataset", "document", "domain", "entityType",
    "erModelRelationship", "form", "glossaryNode", "glossaryTerm", "incident", "metric", "mlFeature",
    "mlFeatureTable", "mlModel", "mlModelDeployment", "mlModelGroup", "mlPrimaryKey", "notebook", "ownershipType",
    "platformResource", "query", "repository", "role", "schemaField", "semanticModel", "service",
    "structuredProperty", "tag", "versionSet",
)  # fmt: skip
"""Types that are known by name; a server's registry, or a file, may bring more."""
_STATUS = "status"


def whole(one: Urn, aspects: Iterable[Aspect], place: Place) -> Told:
    """An entity with some or all of its aspects."""
    told = Told((entity(one, place),))
    for aspect in aspects:
        told += meaning(aspect, place)
    if any(not stone.is_withdrawn for stone in told.tombstones):
        # Whatever describes it stands before its end, or it would live on.
        latest = max((scope.stated_at for scope in told.scopes if scope.stated_at is not None), default=None)
        return replace(told, tombstones=tuple(replace(stone, at=latest) for stone in told.tombstones))
    return told


def series(aspect: Aspect, place: Place, events: Sequence[Json]) -> Told:
    """What the events of one series add up to; the aspect's value is the newest of them."""
    if aspect.name == RUN_EVENTS:
        return jobs.run_events(aspect, place, events)
    return quality.results(aspect, place, events)


def meaning(aspect: Aspect, place: Place) -> Told:
    """One aspect. What is not known by name is kept whole, as a facet of its entity."""
    if aspect.name.lower() == f"{aspect.urn.type}key".lower():
        return Told()  # the URN, told once more
    match aspect.name:
        case "status":
            return status(aspect, place)
        case "schemaMetadata":
            return columns.schema(aspect, place)
        case "editableSchemaMetadata":
            return columns.edited(aspect, place)
        case "upstreamLineage":
            return lineage(aspect, place)
        case "dataJobInputOutput":
            return jobs.job_lineage(aspect, place)
        case "dataProcessInstanceInput" | "dataProcessInstanceOutput" | "dataProcessInstanceRelationships":
            return jobs.run_lineage(aspect, place)
        case "dataProcessInstanceProperties":
            return jobs.run_properties(aspect, place)
        case "mlTrainingRunProperties":
            return jobs.training_run(aspect, place)
        case "dataProcessInstanceRunEvent" | "assertionRunEvent":
            return series(aspect, place, (aspect.value,))
        case "mlModelGroupProperties":
            return models.model(aspect, place)
        case "mlModelProperties":
            return models.version(aspect, place)
        case "versionProperties":
            return models.version_set(aspect, place)
        case "mlModelEvaluationData":
            return models.evaluation_data(aspect, place)
        case "assertionInfo":
            return quality.assertion(aspect, place)
        case "incidentInfo":
            return quality.incident(aspect, place)
        case name:
            return _attached(name, aspect, place)


def lineage(aspect: Aspect, place: Place) -> Told:
    """`upstreamLineage`: of datasets, and of their columns."""
    saying = Saying(aspect, place)
    saying.relate()
    columns.fine_grained(saying)
    return saying.told()


def status(aspect: Aspect, place: Place) -> Told:
    """`status`: a soft deletion, or its end. What was told of the entity stays, with its edges."""
    told = Saying(aspect, place).told()
    native_id = plain(aspect.urn)
    if field(aspect.value, "removed") is True:
        stone = Tombstone(native_id, aspect.stated_at, "soft-deleted in DataHub; its metadata is kept", _STATUS)
        return told + Told(tombstones=(stone,))
    if aspect.changed:
        return told + Told(tombstones=(Tombstone(native_id, teller=_STATUS, is_withdrawn=True),))
    return told


def _attached(name: str, aspect: Aspect, place: Place) -> Told:
    match name:
        case "ownership":
            return facets.ownership(aspect, place)
        case "globalTags":
            return facets.tags(aspect, place)
        case "glossaryTerms":
            return facets.terms(aspect, place)
        case "institutionalMemory":
            return facets.links(aspect, place)
        case "subTypes":
            return facets.subtypes(aspect, place)
        case "container":
            return facets.container(aspect, place)
        case "siblings":
            return facets.siblings(aspect, place)
        case _ if name.startswith("editable"):
            return facets.edited(aspect, place)
        case _ if name.endswith(("Properties", "Info", "Definition")):
            return facets.properties(aspect, place)
        case _:
            return facets.other(aspect, place)
