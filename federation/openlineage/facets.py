"""Which facet stands where, and what it must hold at least to be understood."""

from enum import StrEnum
from typing import Any

from .foreign import is_object


class Slot(StrEnum):
    """What a facet is of. The same key means another thing in another slot."""

    RUN = "run"
    JOB = "job"
    DATASET = "dataset"
    INPUT = "input"
    OUTPUT = "output"


_SHAPES: dict[tuple[Slot, str], dict[str, type | tuple[type, ...]]] = {
    (Slot.DATASET, "schema"): {"fields": list},
    (Slot.DATASET, "columnLineage"): {"fields": dict, "dataset": list},
    (Slot.DATASET, "lineage"): {"inputs": list, "fields": dict},
    (Slot.DATASET, "dataSource"): {"name": str, "uri": str},
    (Slot.DATASET, "symlinks"): {"identifiers": list},
    (Slot.DATASET, "ownership"): {"owners": list},
    (Slot.DATASET, "tags"): {"tags": list},
    (Slot.DATASET, "documentation"): {"description": str},
    (Slot.DATASET, "lifecycleStateChange"): {"lifecycleStateChange": str, "previousIdentifier": dict},
    (Slot.DATASET, "version"): {"datasetVersion": (str, int, float)},
    (Slot.DATASET, "datasetType"): {"datasetType": str},
    (Slot.DATASET, "dataQualityAssertions"): {"assertions": list},
    (Slot.INPUT, "dataQualityAssertions"): {"assertions": list},
    (Slot.INPUT, "dataQualityMetrics"): {"columnMetrics": dict},
    (Slot.JOB, "sql"): {"query": str},
    (Slot.JOB, "sourceCodeLocation"): {"type": str, "url": str, "repoUrl": str, "version": str},
    (Slot.JOB, "jobType"): {"processingType": str, "integration": str, "emissionPattern": dict},
    (Slot.JOB, "documentation"): {"description": str},
    (Slot.JOB, "ownership"): {"owners": list},
    (Slot.JOB, "tags"): {"tags": list},
    (Slot.JOB, "lineage"): {"entries": list},
    (Slot.RUN, "parent"): {"run": dict, "job": dict, "root": dict},
    (Slot.RUN, "nominalTime"): {"nominalStartTime": str},
    (Slot.RUN, "errorMessage"): {"message": str},
    (Slot.RUN, "environmentVariables"): {"environmentVariables": list},
    (Slot.RUN, "executionParameters"): {"parameters": list},
    (Slot.RUN, "jobDependencies"): {"upstream": list, "downstream": list},
    (Slot.RUN, "test"): {"tests": list},
    (Slot.RUN, "tags"): {"tags": list},
}
"""The members that are read, and what they are where they are told."""

_REQUIRED: dict[tuple[Slot, str], tuple[str, ...]] = {
    (Slot.DATASET, "columnLineage"): ("fields",),
    (Slot.DATASET, "documentation"): ("description",),
    (Slot.DATASET, "version"): ("datasetVersion",),
    (Slot.DATASET, "datasetType"): ("datasetType",),
    (Slot.DATASET, "lifecycleStateChange"): ("lifecycleStateChange",),
    (Slot.INPUT, "dataQualityAssertions"): ("assertions",),
    (Slot.JOB, "sql"): ("query",),
    (Slot.JOB, "sourceCodeLocation"): ("type", "url"),
    (Slot.JOB, "jobType"): ("processingType", "integration"),
    (Slot.JOB, "lineage"): ("entries",),
    (Slot.RUN, "parent"): ("run", "job"),
    (Slot.RUN, "nominalTime"): ("nominalStartTime",),
    (Slot.RUN, "errorMessage"): ("message",),
    (Slot.RUN, "test"): ("tests",),
}
"""What a schema asks for; looked at in strict mode only."""

_BASE = ("_producer", "_schemaURL")


def faults(slot: Slot, key: str, facet: Any, *, strict: bool) -> str | None:
    """Why a facet cannot be understood; None if it can, and for `null`, which says that there is none."""
    if facet is None:
        return None
    if not is_object(facet):
        return "a facet is an object"
    members: dict[str, Any] = facet
    if members.get("_deleted") is True:
        return None
    for member, kind in _SHAPES.get((slot, key), {}).items():
        told = members.get(member)
        if told is not None and not isinstance(told, kind):
            return f"`{member}` is not what the facet `{key}` holds"
    if strict:
        for member in (*_BASE, *_REQUIRED.get((slot, key), ())):
            if members.get(member) is None:
                return f"the facet `{key}` lacks `{member}`"
    return None
