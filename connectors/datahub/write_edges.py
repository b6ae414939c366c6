"""The edges of another platform, in the aspects that name other things in DataHub."""

from collections.abc import Iterator, Sequence

from ...federation.dossier import belongs_to, edge_fact
from ...federation.model import AssetKind, Edge, EdgeKind, Json, Record
from .registry import KNOWN
from .write_draft import Draft
from .write_merge import item
from .write_names import Names
from .write_plan import Key
from .write_things import NOBODY, millis

_FLOWING = frozenset({"dataset", "mlModel", "dataProcessInstance"})
"""What DataHub's process instances may read and write."""
_PROPERTIES = "its role or way stands among the edge's properties"
_AS_DATASET = "told of the dataset, since DataHub has no column there"
_VIA = "the run or job that it went through is not named"
_BETWEEN = "DataHub knows no edge between these: a process instance of our own stands between them"
_IN_SET = "stands as a version in a set of versions"
_COPY = "stands as a version in a set of versions, and as a copy of the dataset"
_DEPLOYED = "stands as a deployment of the models that the run read"
_TRAINED = frozenset({("dataJob", "mlModel"), ("dataJob", "mlModelGroup"), ("dataProcessInstance", "mlModelGroup")})
"""Who made which of these is told by what was made."""
_IO = "dataJobInputOutput"
_RELATIONS = "dataProcessInstanceRelationships"
_IN, _OUT = (
    ("dataProcessInstanceInput", "inputs", "inputEdges"),
    ("dataProcessInstanceOutput", "outputs", "outputEdges"),
)


class Edges:
    """The edges of one dossier."""

    def __init__(self, draft: Draft, names: Names) -> None:
        self._draft = draft
        self._names = names

    def things(self) -> None:
        """All that the thing's own aspects hold."""
        for edge in dict.fromkeys(self._names.dossier.edges):
            if not self._is_beyond(edge):
                self._tell(edge)

    def beyond(self) -> None:
        """All that stands in the aspects of the other end."""
        for edge in dict.fromkeys(self._names.dossier.edges):
            if self._is_beyond(edge):
                self._tell_beyond(edge)

    # In the aspects of the other end

    def _is_beyond(self, edge: Edge) -> bool:
        up, down = self._types(edge)
        match edge.kind:
            case EdgeKind.DEPLOY:
                return up == "mlModel" and down == "mlModelDeployment"
            case EdgeKind.WRITE if down == "mlModelDeployment":
                return up == "dataProcessInstance" and bool(self._models_read())
            case EdgeKind.WRITE:
                return (up, down) in _TRAINED
            case EdgeKind.PART_OF:
                return up == "mlFeature" and down == "mlFeatureTable"
            case _:
                return False

    def _tell_beyond(self, edge: Edge) -> None:
        up, down = self._ends(edge)
        match edge.kind:
            case EdgeKind.WRITE if self._names.type_of(down) == "mlModelDeployment":
                self._deployed(edge, down)
                return
            case EdgeKind.DEPLOY:
                told = (self._names.of(up), "mlModelProperties", "deployments", self._names.of(down))
                reason = "" if edge.weight is None and edge.transformation is None else "its weight or role is lost"
            case EdgeKind.WRITE:
                aspect = f"{self._names.type_of(down)}Properties"
                told, reason = (self._names.of(down), aspect, "trainingJobs", self._names.of(up)), ""
            case _:
                told, reason = (self._names.of(down), "mlFeatureTableProperties", "mlFeatures", self._names.of(up)), ""
        self._draft.add(*told, fills=True)
        self._draft.carry(_fact(edge), told[0], told[1], reason)

    def _models_read(self) -> list[Record]:
        ends = [self._ends(edge) for edge in self._names.dossier.edges if edge.kind is EdgeKind.READ]
        return [up for up, _ in ends if self._names.type_of(up) == "mlModel"]

    def _deployed(self, edge: Edge, deployment: Record) -> None:
        """A run that read a model and made an endpoint has deployed the model: DataHub knows that alone."""
        first, *others = [(self._names.of(model), "mlModelProperties") for model in self._models_read()]
        for key in (first, *others):
            self._draft.add(*key, "deployments", self._names.of(deployment), fills=True)
        self._draft.carry(_fact(edge), *first, _DEPLOYED, also=others)

    # In its own

    def _tell(self, edge: Edge) -> None:
        match edge.kind:
            case EdgeKind.READ | EdgeKind.CHECK:
                up, down = self._ends(edge)
                self._passed(edge, up, down, is_read=True)
            case EdgeKind.WRITE:
                up, down = self._ends(edge)
                self._passed(edge, down, up, is_read=False)
            case EdgeKind.DERIVE:
                self._derived(edge)
            case EdgeKind.PART_OF:
                self._part(edge)
            case EdgeKind.VERSION_OF | EdgeKind.ALIAS_OF:
                self._version(edge)
            case EdgeKind.RUN_OF | EdgeKind.ORDER:
                self._follows(edge)
            case EdgeKind.DEPLOY:
                self._refuse(edge)

    def _passed(self, edge: Edge, data: Record, process: Record, *, is_read: bool) -> None:
        """What a run or a job read or wrote."""
        asset, reason = self._asset(data)
        here, urn = self._names.type_of(process), self._names.of(process)
        type_ = self._names.type_of(asset)
        if here == "dataProcessInstance" and type_ in _FLOWING:
            aspect, old, listed = _IN if is_read else _OUT
            self._draft.aspect(urn, aspect).setdefault(old, [])
        elif here == "dataJob" and type_ == "dataset":
            aspect, listed = _IO, "inputDatasetEdges" if is_read else "outputDatasetEdges"
            self._io(urn)
        else:
            self._refuse(edge)
            return
        told = _properties(edge)
        self._draft.link(urn, aspect, listed, _edge(self._names.of(asset), edge, told))
        self._draft.carry(_fact(edge), urn, aspect, reason or (_PROPERTIES if told else ""), self._names.of(asset))

    def _derived(self, edge: Edge) -> None:
        up, down = self._ends(edge)
        types = self._names.type_of(up), self._names.type_of(down)
        match types:
            case ("schemaField" | "dataset", "schemaField") | ("schemaField", "dataset"):
                self._by_column(edge, up, down)
            case "dataset", "dataset":
                self._upstream(edge, up, down, "TRANSFORMED", _PROPERTIES if _properties(edge) else "")
            case "mlFeature", "mlModel":
                self._named(edge, down, "mlModelProperties", "mlFeatures", up)
            case (("dataset" | "schemaField"), "mlFeature"):
                asset, reason = self._asset(up)
                self._named(edge, down, "mlFeatureProperties", "sources", asset, reason)
            case "dataset", "dashboard":
                self._linked(edge, down, "dashboardInfo", "datasetEdges", up)
            case "dashboard", "dashboard":
                self._linked(edge, down, "dashboardInfo", "dashboards", up)
            case ("dataJob", "dataJob") | ("dataProcessInstance", "dataProcessInstance"):
                self._follows(edge)
            case _:
                self._between(edge, up, down)

    def _by_column(self, edge: Edge, up: Record, down: Record) -> None:
        whole, _ = self._asset(down)
        urn = self._names.of(whole)
        if self._names.type_of(whole) != "dataset":
            self._refuse(edge)
            return
        is_field = self._names.type_of(up) == "schemaField"
        entry: dict[str, Json] = {"upstreamType": "FIELD_SET" if is_field else "DATASET"}
        entry["upstreams"] = [self._names.of(up)]
        if down is whole:
            entry |= {"downstreamType": "FIELD_SET"}
        else:
            entry |= {"downstreamType": "FIELD", "downstreams": [self._names.of(down)]}
        entry |= {"transformOperation": edge.transformation} if edge.transformation is not None else {}
        entry |= {"confidenceScore": edge.confidence} if edge.confidence != 1.0 else {}
        self._draft.aspect(urn, "upstreamLineage", fills=True).setdefault("upstreams", [])
        self._draft.add(urn, "upstreamLineage", "fineGrainedLineages", entry, fills=True)
        reason = _VIA if edge.via else ""
        self._draft.carry(_fact(edge), urn, "upstreamLineage", reason, item("fineGrainedLineages", entry))

    def _upstream(
        self, edge: Edge, up: Record, down: Record, type_: str, reason: str, also: Sequence[Key] = ()
    ) -> None:
        urn = self._names.of(down)
        told = {"dataset": self._names.of(up), "type": type_, "auditStamp": {"time": 0, "actor": NOBODY}}
        properties = _properties(edge)
        self._draft.link(
            urn, "upstreamLineage", "upstreams", told | ({"properties": properties} if properties else {}), fills=True
        )
        self._draft.carry(_fact(edge), urn, "upstreamLineage", reason, self._names.of(up), also)

    def _between(self, edge: Edge, up: Record, down: Record) -> None:
        """Where DataHub has no edge between two types, a process instance reads the one and writes the other."""
        source, goal = self._asset(up)[0], self._asset(down)[0]
        if not {self._names.type_of(source), self._names.type_of(goal)} <= _FLOWING:
            self._refuse(edge)
            return
        urn = f"urn:li:dataProcessInstance:{self._names.hashed(edge_fact(edge))}"
        word = edge.transformation or "derived"
        told = self._draft.aspect(urn, "dataProcessInstanceProperties")
        told |= {"name": word, "created": {"time": 0, "actor": NOBODY}}
        told["customProperties"] = {"between": edge_fact(edge)} | ({"via": edge.via} if edge.via else {})
        for (aspect, old, listed), end in ((_IN, source), (_OUT, goal)):
            self._draft.aspect(urn, aspect).setdefault(old, [])
            self._draft.link(urn, aspect, listed, {"destinationUrn": self._names.of(end)})
        also = ((urn, _IN[0]), (urn, "dataProcessInstanceProperties"))
        self._draft.carry(_fact(edge), urn, _OUT[0], _BETWEEN, also=also)

    def _part(self, edge: Edge) -> None:
        up, down = self._ends(edge)
        types = self._names.type_of(up), self._names.type_of(down)
        urn = self._names.of(up)
        match types:
            case "schemaField", "dataset" if down is self._names.dossier.record:
                self._draft.carry(_fact(edge), self._names.of(down), "schemaMetadata")
            case type_, "container" if "container" in KNOWN[type_].aspects and self._is_free(urn):
                self._draft.aspect(urn, "container")["container"] = self._names.of(down)
                self._draft.carry(_fact(edge), urn, "container")
            case "dataProcessInstance", "dataProcessInstance":
                self._draft.aspect(urn, _RELATIONS).setdefault("upstreamInstances", [])
                self._draft.aspect(urn, _RELATIONS)["parentInstance"] = self._names.of(down)
                self._draft.carry(_fact(edge), urn, _RELATIONS)
            case _:
                self._refuse(edge)

    def _is_free(self, urn: str) -> bool:
        """A thing lies in one container."""
        return not self._draft.aspect(urn, "container")

    def _version(self, edge: Edge) -> None:
        up, down = self._ends(edge)
        type_, urn = self._names.type_of(up), self._names.of(up)
        if edge.kind is EdgeKind.VERSION_OF and (type_, self._names.type_of(down)) == ("mlModel", "mlModelGroup"):
            self._named(edge, up, "mlModelProperties", "groups", down)
            return
        if "versionProperties" not in KNOWN[type_].aspects:
            self._refuse(edge)
            return
        told = self._draft.aspect(urn, "versionProperties")
        told.setdefault("versionSet", f"urn:li:versionSet:({self._names.hashed(down.native_id)},{type_})")
        told.setdefault("version", {"versionTag": up.name or up.native_id})
        told.setdefault("sortId", up.name or up.native_id)
        reason = _IN_SET
        if edge.kind is EdgeKind.ALIAS_OF:
            self._draft.add(urn, "versionProperties", "aliases", {"versionTag": edge.alias or ""})
        elif (type_, self._names.type_of(down)) == ("dataset", "dataset"):
            self._upstream(edge, down, up, "COPY", _COPY, also=((urn, "versionProperties"),))
            return
        self._draft.carry(_fact(edge), urn, "versionProperties", reason)

    def _follows(self, edge: Edge) -> None:
        up, down = self._ends(edge)
        match edge.kind, self._names.type_of(up), self._names.type_of(down):
            case EdgeKind.RUN_OF, "dataProcessInstance", "dataJob":
                urn = self._names.of(up)
                self._draft.aspect(urn, _RELATIONS).setdefault("upstreamInstances", [])
                self._draft.aspect(urn, _RELATIONS)["parentTemplate"] = self._names.of(down)
                self._draft.carry(_fact(edge), urn, _RELATIONS)
            case EdgeKind.ORDER | EdgeKind.DERIVE, "dataJob", "dataJob":
                urn = self._names.of(down)
                self._io(urn)
                self._draft.link(urn, _IO, "inputDatajobEdges", {"destinationUrn": self._names.of(up)})
                reason = "" if edge.kind is EdgeKind.ORDER else "that data passes is lost: it is told as an order"
                self._draft.carry(_fact(edge), urn, _IO, reason)
            case EdgeKind.ORDER | EdgeKind.DERIVE, "dataProcessInstance", "dataProcessInstance":
                urn = self._names.of(down)
                self._draft.add(urn, _RELATIONS, "upstreamInstances", self._names.of(up))
                reason = "" if edge.kind is EdgeKind.ORDER else "that data passes is lost: it is told as an order"
                self._draft.carry(_fact(edge), urn, _RELATIONS, reason)
            case _:
                self._refuse(edge)

    # What they have in common

    def _named(self, edge: Edge, at: Record, aspect: str, name: str, end: Record, reason: str = "") -> None:
        urn = self._names.of(at)
        self._draft.add(urn, aspect, name, self._names.of(end))
        self._draft.carry(_fact(edge), urn, aspect, reason or ("" if not _properties(edge) else "its way is lost"))

    def _linked(self, edge: Edge, at: Record, aspect: str, name: str, end: Record) -> None:
        urn, told = self._names.of(at), _properties(edge)
        self._draft.link(urn, aspect, name, _edge(self._names.of(end), edge, told))
        self._draft.carry(_fact(edge), urn, aspect, _PROPERTIES if told else "", self._names.of(end))

    def _io(self, urn: str) -> None:
        told = self._draft.aspect(urn, _IO)
        told.setdefault("inputDatasets", [])
        told.setdefault("outputDatasets", [])

    def _asset(self, record: Record) -> tuple[Record, str]:
        """A column's dataset, where only datasets may stand; everything else as it is."""
        if record.kind is not AssetKind.COLUMN:
            return record, ""
        whole = self._names.known(self._names.dossier.wholes.get(record.native_id, ""))
        return (whole, _AS_DATASET) if whole is not None else (record, "")

    def _ends(self, edge: Edge) -> tuple[Record, Record]:
        up, down = self._names.known(edge.upstream), self._names.known(edge.downstream)
        assert up is not None, "a dossier holds all ends of its edges"
        assert down is not None, "a dossier holds all ends of its edges"
        return up, down

    def _types(self, edge: Edge) -> tuple[str, str]:
        up, down = self._ends(edge)
        return self._names.type_of(up), self._names.type_of(down)

    def _refuse(self, edge: Edge) -> None:
        up, down = self._types(edge)
        self._draft.refuse(_fact(edge), f"DataHub has no {edge.kind} from a {up} to a {down}")


def _fact(edge: Edge) -> tuple[str, str]:
    return belongs_to(edge), edge_fact(edge)


def _edge(destination: str, edge: Edge, properties: dict[str, str]) -> dict[str, Json]:
    told: dict[str, Json] = {"destinationUrn": destination}
    if edge.valid_from is not None:
        told["created"] = {"time": millis(edge.valid_from), "actor": NOBODY}
    return told | ({"properties": properties} if properties else {})


def _properties(edge: Edge) -> dict[str, str]:
    return dict(_further(edge))


def _further(edge: Edge) -> Iterator[tuple[str, str]]:
    """What DataHub has no field for."""
    if edge.role is not None:
        yield "role", edge.role.value
    if edge.flow:
        yield "flow", str(edge.flow)
    if edge.confidence != 1.0:
        yield "confidence", str(edge.confidence)
    if edge.planned:
        yield "planned", "true"
    if edge.outcome is not None:
        yield "outcome", edge.outcome.value
    if edge.transformation is not None:
        yield "transformation", edge.transformation
    if edge.via is not None:
        yield "via", edge.via
