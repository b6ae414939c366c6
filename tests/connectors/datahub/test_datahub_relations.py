"""The table of relations, held against the schemas that DataHub's own client brings."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from watersmeet.connectors.datahub.relations import RELATIONS, Says, named

GOVERNANCE = {
    "access", "actors", "applicationProperties", "applications", "assetSettings", "businessAttributeInfo",
    "businessAttributes", "container", "corpGroupInfo", "corpUserEditableInfo", "corpUserInfo", "corpUserSettings",
    "dataContractProperties", "dataHubExecutionRequestInput", "dataHubFileInfo", "dataHubPageTemplateProperties",
    "dataHubPolicyInfo", "dataProductProperties", "documentInfo", "domainProperties", "domains",
    "editableSchemaMetadata", "erModelRelationshipProperties", "formInfo", "globalSettingsInfo", "globalTags",
    "glossaryNodeInfo", "glossaryRelatedTerms", "glossaryTermInfo", "glossaryTerms", "groupMembership",
    "incidentsSummary", "logicalParent", "mlFeatureTableKey", "nativeGroupMembership", "ownership", "postInfo",
    "propertyDefinition", "roleMembership", "schemaMetadata", "searchTemplateProperties", "siblings", "slackUserInfo",
    "testResults",
}  # fmt: skip
"""Aspects that name other things without saying that data passes: kept as facets, each with all that it says."""
BY_NAME = {"dataJobKey"}
"""What the URN itself tells."""
REFERENCES = {
    *("RelatedTo", "TaggedWith", "TermedWith", "SchemaFieldTaggedWith", "SchemaFieldWithGlossaryTerm"),
    *("ForeignKeyTo", "ForeignKeyToDataset"),
}
FINE_GRAINED = ("upstreamLineage", "fineGrainedLineages/*/upstreams/*")
"""Read as pairs of columns, with the downstream side, which is not annotated."""
UNDECLARED = {("mlModelTrainingData", "trainingData/*/dataset", "")}
OTHER_WAY = {
    ("dataJobInputOutput", "outputDatasetFields/*"),
    ("dataProcessInfo", "outputs/*"),
    ("dataProcessInstanceOutput", "outputs/*"),
}
"""What was written, though the schema says that it was read, or nothing."""


class Declared(NamedTuple):
    aspect: str
    path: str
    name: str
    is_lineage: bool
    is_up: bool


def schemas() -> Iterator[tuple[str, Any]]:
    """Every aspect with its schema. Nothing of the client is imported: the files are enough."""
    found = importlib.util.find_spec("datahub")
    assert found is not None, "`make install` brings the client"
    assert found.origin is not None
    for file in sorted(Path(found.origin).parent.joinpath("metadata", "schemas").glob("*.avsc")):
        schema = json.loads(file.read_text())
        if isinstance(schema, dict) and "Aspect" in schema:
            yield schema["Aspect"]["name"], schema


def declared() -> set[Declared]:
    return {one for aspect, schema in schemas() for one in annotated(aspect, schema, (), {}, ())}


def annotated(
    aspect: str, schema: Any, path: tuple[str, ...], known: dict[str, Any], around: tuple[str, ...]
) -> Iterator[Declared]:
    """All annotations below one place of a schema; a name that is used again means the record it named."""
    if isinstance(schema, str):
        name = schema.rpartition(".")[2]
        if name in known and name not in around:
            yield from annotated(aspect, known[name], path, known, around)
    elif isinstance(schema, list):
        for one in schema:
            yield from annotated(aspect, one, path, known, around)
    elif schema["type"] == "record":
        known[schema["name"]] = schema
        for field in schema["fields"]:
            here = (*path, field["name"])
            yield from of_field(aspect, field, here)
            yield from annotated(aspect, field["type"], here, known, (*around, schema["name"]))
    elif schema["type"] in ("array", "map"):
        inner = schema["items"] if schema["type"] == "array" else schema["values"]
        yield from annotated(aspect, inner, (*path, "*"), known, around)
    elif not isinstance(schema["type"], str):
        yield from annotated(aspect, schema["type"], path, known, around)


def of_field(aspect: str, field: Any, path: tuple[str, ...]) -> Iterator[Declared]:
    told = field.get("Relationship") or {}
    for below, one in [("", told)] if "name" in told else told.items():
        steps = (*path, *(step for step in below.split("/") if step))
        is_up = one.get("isUpstream", True) is not False
        yield Declared(aspect, "/".join(steps), one["name"], bool(one.get("isLineage")), is_up)


def test_every_relation_that_the_schemas_declare_is_in_the_table_or_known_to_be_none() -> None:
    """When this fails with a newer client, DataHub can say something that we do not read yet."""
    ours = {(one.aspect, one.path, one.name) for one in RELATIONS}
    theirs = {
        (one.aspect, one.path, one.name)
        for one in declared()
        if one.aspect not in GOVERNANCE | BY_NAME and one.name not in REFERENCES and (one[0], one[1]) != FINE_GRAINED
    }
    assert sorted(theirs - ours) == [], "declared, and not in the table"
    assert sorted(ours - theirs - UNDECLARED) == [], "in the table, and declared no more"


def test_no_lineage_is_taken_for_governance() -> None:
    taken = sorted({one.aspect for one in declared() if one.is_lineage and one.aspect in GOVERNANCE})
    assert taken == []


def test_lineage_points_where_the_schemas_say_but_where_they_are_known_to_be_wrong() -> None:
    ways = {(one.aspect, one.path): one.up for one in RELATIONS if one.says is Says.FLOW}
    differing = {
        (one.aspect, one.path)
        for one in declared()
        if (one.aspect, one.path) in ways and one.is_up != ways[one.aspect, one.path]
    }
    unflagged = {("mlModelProperties", "deployments/*")}
    assert differing == OTHER_WAY | unflagged


def test_a_thing_that_stands_in_a_union_or_in_none_is_found() -> None:
    wrapped = {"inputs": [{"string": "urn:li:x:1"}, "urn:li:x:2"]}
    assert [(one.value, one.place) for one in named("chartInfo", wrapped)] == [
        ("urn:li:x:1", "inputs/0/string"),
        ("urn:li:x:2", "inputs/1"),
    ]
    inner = {"source": {"com.linkedin.ai.Source": {"clonedFrom": "urn:li:aiAgent:a"}}}
    assert [one.value for one in named("aiAgentInfo", inner)] == ["urn:li:aiAgent:a"]


def test_what_is_not_told_is_passed_over_and_what_is_missing_in_a_list_is_not() -> None:
    assert list(named("dataProcessInstanceRelationships", {"upstreamInstances": []})) == []
    assert [(one.value, one.place) for one in named("upstreamLineage", {"upstreams": [{"type": "COPY"}, None]})] == [
        (None, "upstreams/0/dataset"),
        (None, "upstreams/1"),
    ]
