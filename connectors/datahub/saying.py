"""What one aspect of one entity becomes: a scope of its own, so that a re-read aspect replaces exactly what it said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ...federation.model import (
    AssetKind,
    Edge,
    EdgeKind,
    Evidence,
    Form,
    Json,
    Nature,
    Record,
    Run,
    RunState,
    Scope,
    Skipped,
    Spelling,
    Tombstone,
)
from .relations import Named, Says, named
from .urn import BadUrn, Urn, plain, read, urn
from .wire import field as field_of
from .wire import kept, sample, stamped, text

_KINDS = {
    "dataset": AssetKind.DATASET,
    "schemaField": AssetKind.COLUMN,
    "dataFlow": AssetKind.JOB,
    "dataJob": AssetKind.JOB,
    "dataProcess": AssetKind.JOB,
    "dataProcessInstance": AssetKind.RUN,
    "mlFeature": AssetKind.FEATURE,
    "mlPrimaryKey": AssetKind.FEATURE,
    "mlFeatureTable": AssetKind.FEATURE_TABLE,
    "mlModelGroup": AssetKind.MODEL,
    "mlModel": AssetKind.MODEL_VERSION,
    "mlModelDeployment": AssetKind.DEPLOYMENT,
    "chart": AssetKind.DASHBOARD,
    "dashboard": AssetKind.DASHBOARD,
    "notebook": AssetKind.DASHBOARD,
    "assertion": AssetKind.EVALUATION,
    "incident": AssetKind.EVALUATION,
    "aiAgent": AssetKind.AGENT,
    "repository": AssetKind.CODE,
}
"""Every other type is OTHER, with its own name as the subtype."""
_SAID_BY_KIND = frozenset(
    {"dataset", "schemaField", "dataProcessInstance", "mlFeature", "mlFeatureTable", "mlModelGroup", "mlModel"}
)
"""Types that need no subtype to be told from others of their kind."""
_PROCESSES = frozenset({AssetKind.JOB, AssetKind.RUN})
_STRUCTURE = {
    Says.PART: EdgeKind.PART_OF,
    Says.VERSION: EdgeKind.VERSION_OF,
    Says.ORDER: EdgeKind.ORDER,
    Says.CHECK: EdgeKind.CHECK,
    Says.RUN_OF: EdgeKind.RUN_OF,
}
SERIES = "series"
"""The family of the events of runs and assertions, which no complete listing names."""
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
"""When a URN was spelled: before everything else that was ever said of the thing, so any name that is told wins."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose entities these are, and what else is known of where they came from."""

    source: str
    """The id of the source."""
    trackers: Mapping[str, str] = field(default_factory=dict[str, str])
    """For a platform (`mlflow`) the id of the source that reads it, so that both know a run by one name."""


@dataclass(frozen=True, slots=True)
class Aspect:
    """One aspect of one entity, as it was read."""

    urn: Urn
    name: str
    value: Mapping[str, Any]
    stated_at: datetime | None = None
    changed: bool = True
    """False: the platform says that it is as it was when it was created."""
    outcome: RunState | None = None
    """How the run that it is of ended, where it failed or was cut off."""

    @property
    def what(self) -> str:
        """How messages call it."""
        return f"{self.urn.text} {self.name}"


@dataclass(frozen=True, slots=True)
class Told:
    """What some aspects add up to."""

    scopes: tuple[Scope, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unread: tuple[str, ...] = ()
    """The keys of scopes that could not be read: what was told before stands."""

    def __add__(self, other: "Told") -> "Told":
        return Told(
            self.scopes + other.scopes,
            self.tombstones + other.tombstones,
            self.skipped + other.skipped,
            self.unread + other.unread,
        )


def kind_of(one: Urn) -> AssetKind:
    """What a thing is, as far as its URN tells."""
    return _KINDS.get(one.type, AssetKind.OTHER)


def spelling(one: Urn, place: Place) -> tuple[Spelling, ...]:
    """How other platforms may know a dataset or a field: its URN, verbatim."""
    is_physical = one.type == "dataset" or (one.type == "schemaField" and one.parent.startswith("urn:li:dataset:"))
    return (Spelling(Form.URN, (one.text, place.source)),) if is_physical else ()


def entity(one: Urn, place: Place) -> Scope:
    """That a thing exists, with all that its URN tells. Told of every entity, whatever aspects it has."""
    above = _above(one, place)
    edges = tuple(Edge(plain(one), plain(parent), EdgeKind.PART_OF) for parent in _parents(one))
    return Scope(scope_key(one, f"{one.type}Key"), (_named(one, place), *above), edges, stated_at=_LONG_AGO)


def stub(one: Urn, place: Place) -> tuple[Record, ...]:
    """A thing that is only named, and what it is part of."""
    return (_named(one, place, described=False), *_above(one, place))


def flow(up: AssetKind, down: AssetKind) -> EdgeKind:
    """What it is called when data passes between things of these kinds."""
    if (up in _PROCESSES) != (down in _PROCESSES):
        return EdgeKind.WRITE if up in _PROCESSES else EdgeKind.READ
    match down:
        case AssetKind.DEPLOYMENT:
            return EdgeKind.DEPLOY
        case AssetKind.EVALUATION:
            return EdgeKind.CHECK
        case _:
            return EdgeKind.DERIVE


class Saying:
    """One aspect, being translated: its record grows field by field, its edges one by one."""

    def __init__(self, aspect: Aspect, place: Place) -> None:
        self.aspect = aspect
        self.place = place
        self.kind = kind_of(aspect.urn)
        self.name = self.subtype = self.description = self.url = None
        self.created_at: datetime | None = None
        self.updated_at: datetime | None = None
        self.run: Run | None = None
        self.spellings: list[Spelling] = []
        self.facets: dict[str, Json] = {}
        self.others: dict[str, Record] = {}
        self.edges: dict[tuple[str, str, EdgeKind, str | None], Edge] = {}
        self.skipped: list[Skipped] = []
        self.nature = Nature.STANDING
        self.is_series = False
        """Events come and go by themselves: they say how a thing fared, not that it is there."""
        self.evidence = Evidence.DECLARED
        self.is_corrupt = False
        """Where a list of things should stand is something else: what was told before stands, this says nothing."""
        self._left_out: frozenset[str] = frozenset()

    name: str | None
    subtype: str | None
    description: str | None
    url: str | None

    @property
    def native_id(self) -> str:
        """The entity's."""
        return plain(self.aspect.urn)

    def without(self, *names: str) -> None:
        """Fields that edges or columns hold: they are not kept a second time as they were written."""
        self._left_out |= frozenset(names)

    def relate(self) -> None:
        """All edges that the table of relations finds in the aspect."""
        for one in named(self.aspect.name, self.aspect.value):
            end = self.end(one.value, one.place)
            self.is_corrupt = self.is_corrupt or (end is None and one.is_short)
            if end is not None:
                self._relate(one, end)

    def end(self, value: Json, place: str) -> Urn | None:
        """What is named at some place, with a stub for it; what cannot be read is put aside."""
        try:
            found = read(value)
        except BadUrn as error:
            reason = f"it names no thing that DataHub could know: {error}"
            self.skipped.append(Skipped(f"{self.aspect.what}: {place}", reason, sample(value)))
            return None
        if plain(found) in self.others:
            return found
        self.others[plain(found)] = _named(found, self.place, described=False)
        for parent in _parents(found):
            if plain(parent) not in self.others:  # of a table with many columns it is there after the first
                for record in stub(parent, self.place):
                    self.others.setdefault(record.native_id, record)
            self.add(Edge(plain(found), plain(parent), EdgeKind.PART_OF))
        return found

    def add(self, edge: Edge) -> None:
        """One edge; of several between the same ends the first stands."""
        self.edges.setdefault((edge.upstream, edge.downstream, edge.kind, edge.alias), edge)

    def told(self) -> Told:
        """The scope, and what was put aside."""
        if self.is_corrupt:
            return Told(skipped=tuple(self.skipped), unread=(scope_key(self.aspect.urn, self.aspect.name),))
        aspect = self.aspect
        record = Record(
            self.native_id,
            self.kind,
            self.name or ("" if not self.is_series else aspect.urn.label),
            subtype=self.subtype,
            described=not self.is_series,
            description=self.description,
            url=self.url,
            created_at=self.created_at,
            updated_at=self.updated_at,
            run=self.run,
            spellings=tuple(self.spellings),
            facets={**self.facets, f"datahub.{aspect.name}": kept(aspect.value, self._left_out)},
        )
        self.others.pop(self.native_id, None)
        records = (record, *self.others.values())
        key = scope_key(aspect.urn, aspect.name)
        if self.is_series:
            key = f"{SERIES}/{key}"
        scope = Scope(key, records, tuple(self.edges.values()), self.nature, aspect.stated_at)
        return Told((scope,), skipped=tuple(self.skipped))

    def _relate(self, one: Named, end: Urn) -> None:
        own, other = self.aspect.urn, end
        up, down = (other, own) if one.relation.up else (own, other)
        kind = _STRUCTURE.get(one.relation.says) or flow(self._kind(up), self._kind(down))
        if one.relation.says is Says.RUN_OF and kind_of(end) is not AssetKind.JOB:
            kind = EdgeKind.PART_OF  # an instance of a dataset is no run of a job
        by_hand = text(field_of(one.edge, "properties"), "source") == "UI"
        parsed = self.evidence is Evidence.DECLARED and text(one.edge, "query") is not None
        self.add(
            Edge(
                plain(up),
                plain(down),
                kind,
                evidence=Evidence.STATED if by_hand else Evidence.PARSED if parsed else self.evidence,
                valid_from=stamped(one.edge, "created"),
                transformation=text(one.edge, "type") if kind is EdgeKind.DERIVE else None,
            )
        )

    def _kind(self, one: Urn) -> AssetKind:
        return self.kind if one is self.aspect.urn else kind_of(one)


def scope_key(one: Urn, aspect: str) -> str:
    """What names the scope of one aspect: its family are the entities of one type."""
    return f"{one.type}/{one.text}/{aspect}"


def _named(one: Urn, place: Place, *, described: bool = True) -> Record:
    subtype = None if one.type in _SAID_BY_KIND else one.type
    return Record(plain(one), kind_of(one), one.label, subtype, described, spellings=spelling(one, place))


def _parents(one: Urn) -> Iterable[Urn]:
    """What a URN is part of by its very name."""
    return (urn(one.parent),) if one.parent else ()


def _above(one: Urn, place: Place) -> tuple[Record, ...]:
    return tuple(record for parent in _parents(one) for record in stub(parent, place))
