"""Which edges DataHub in miniature calls lineage, and how a scroll over them answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .relations import Relation, Says
from .relations import named as names_in
from .sandbox_registry import Row
from .sandbox_world import World

_NOT_FLAGGED = frozenset(
    {
        ("dataJobInputOutput", "inputDatasetFields/*"),
        ("dataJobInputOutput", "outputDatasetFields/*"),
        ("dataProcessInstanceInput", "inputs/*"),
        ("dataProcessInstanceOutput", "outputs/*"),
        ("mlModelProperties", "deployments/*"),
        ("inputFields", "fields/*/schemaFieldUrn"),
        ("metricUpstreams", "fieldUpstreams/*/destinationUrn"),
        ("metricInfo", "semanticModel"),
        ("aiAgentDependencies", "skills/*"),
        ("aiAgentInfo", "source/clonedFrom"),
        ("agentSkillInfo", "requiredTools/*"),
    }
)
"""Where data passes, and the schemas do not call it lineage."""
_FLAGGED = frozenset({"inputDatajobEdges/*/destinationUrn", "inputDatajobs/*", "groups/*"})
"""Where no data passes, and they do."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One edge as it is stored, and which of its ends is upstream."""

    source: str
    name: str
    destination: str
    is_up: bool

    @property
    def upstream(self) -> str:
        """Where data comes from."""
        return self.destination if self.is_up else self.source

    @property
    def downstream(self) -> str:
        """Where it goes to."""
        return self.source if self.is_up else self.destination

    @property
    def row(self) -> str:
        """By what it is known in a scroll."""
        return f"{self.source}|{self.name}|{self.destination}|{self.is_up}"

    @property
    def shown(self) -> Row:
        """As an answer holds it."""
        ends = {"source": _end(self.source), "destination": _end(self.destination)}
        return {"relationshipType": self.name, **ends, "upstream": self.upstream, "downstream": self.downstream}


def passing(world: World, lists: Mapping[str, Sequence[str]], anchors: Sequence[str]) -> Iterator[Passed]:
    """All edges that are flagged as lineage, of some names, and only those at an anchor where there are anchors."""
    with_removed = lists.get("includeSoftDelete") == ["true"]
    wanted, direction = lists.get("relationshipTypes"), [*lists.get("direction", []), ""][0]
    for one in _all(world, with_removed):
        at = {"UPSTREAM": (one.downstream,), "DOWNSTREAM": (one.upstream,)}.get(
            direction, (one.source, one.destination)
        )
        if (not wanted or one.name in wanted) and (not anchors or any(end in anchors for end in at)):
            yield one


def _all(world: World, with_removed: bool) -> Iterator[Passed]:
    for urn in world.urns(with_removed=with_removed):
        for aspect, stored in list(world.entities[urn].aspects.items()):
            for one in names_in(aspect, stored.value):
                if one.relation.name and isinstance(one.value, str) and _is_lineage(one.relation):
                    yield Passed(urn, one.relation.name, one.value, _reads_up(one.relation))


def _is_lineage(relation: Relation) -> bool:
    if relation.says is Says.FLOW:
        return (relation.aspect, relation.path) not in _NOT_FLAGGED
    return relation.path in _FLAGGED


def _reads_up(relation: Relation) -> bool:
    # The schemas call a process's outputs consumed, and so upstream.
    return relation.up or (relation.aspect, relation.path) == ("dataProcessInfo", "outputs/*")


def _end(urn: str) -> Row:
    return {"urn": urn, "entityType": urn.split(":", 3)[2] if urn.count(":") > 2 else ""}
