"""What the writer says of artifacts once all stand: names, collections, registries, and what they were derived from."""

import re
from contextlib import nullcontext

from ...federation.dossier import Dossier, edge_fact
from ...federation.model import AssetKind, Edge, EdgeKind, Record
from .api import Api, Unwritten
from .calling import TYPES, VERSIONS, home_of, is_collection, is_reference, is_registered, own, slug
from .mutations import ADD_ALIASES
from .registries import Collection, describe
from .target import Known, Target
from .verdicts import Said
from .version_words import KEPT, say, tags
from .written import Held

_INDEX = re.compile(r"v\d+")
_BARE = "a collection has a name, a description and tags there; more is said of its versions"
_NO_ORG = "the target's entity has no organization, which registries belong to"
_COLUMNS = "Weights & Biases knows no columns: lineage stands between versions"


class Linking:
    """One artifact, collection or registry, being said."""

    def __init__(self, target: Target, api: Api, dossier: Dossier, known: Known, said: Said) -> None:
        self._target = target
        self._api = api
        self._dossier = dossier
        self._record = dossier.record
        self._known = known
        self._said = said

    def all(self) -> None:
        """A version with its names and links, a collection, or a file that versions refer to."""
        record = self._record
        if is_reference(record, self._dossier.platform):
            self._reference()
        elif is_collection(record):
            self._collection()
        elif record.kind not in VERSIONS and (place := self._shelf()) is not None:
            self._thing(*place)
        else:
            self._version()

    def place(self) -> None:
        """A registry; all else has no place there."""
        registries = self._target.registries
        if self._record.subtype == "registry" and own(self._record) and registries.org:
            registries.make(self._record.name)
            where = f"{registries.org}/{self._record.name}"
            self._said.held("name", where)
            self._said.held("subtype", where)
            self._said.held("facets/wandb", where)
        elif self._record.kind is AssetKind.EVALUATION:
            for edge in self._dossier.edges:
                self._said.lost(edge_fact(edge), "judgements there are metrics of the runs that made them")

    def _shelf(self) -> tuple[str, str] | None:
        """The collection of a thing whose versions stand there, and none that stands for all of it."""
        ledger, native_id = self._target.ledger, self._record.native_id
        return ledger.place(native_id) if native_id not in ledger.versions else None

    def _reference(self) -> None:
        for fact in ("name", "subtype", *(f"facets/{name}" for name in self._record.facets)):
            self._said.held(fact)

    def _version(self) -> None:
        self._version_of(self._target.version(self._record, self._known))

    def _version_of(self, held: Held) -> None:
        where = f"{self._target.entity}/{held.project}/{held.name}"
        say(self._dossier, held, where, self._said)
        # A version has names in a registry only once it is linked there.
        for edge in sorted(self._dossier.edges, key=lambda one: one.kind is EdgeKind.ALIAS_OF):
            fact = edge_fact(edge)
            try:
                self._edge(edge, held, fact)
            except Unwritten as error:
                self._said.refused(fact, f"Weights & Biases refused it: {error}", of=self._teller(edge))

    def _teller(self, edge: Edge) -> str:
        columns = {one.native_id for one in self._dossier.parts}
        return next((one for one in (edge.upstream, edge.downstream) if one in columns), "")

    def _edge(self, edge: Edge, held: Held, fact: str) -> None:
        up = self._dossier.ends.get(edge.upstream)
        down = self._dossier.ends.get(edge.downstream)
        if column := self._teller(edge):
            if edge.kind is EdgeKind.PART_OF:
                self._said.changed(fact, "the column is " + KEPT, held.name, of=column)
            else:
                self._said.lost(fact, _COLUMNS, of=column)
            return
        match edge.kind:
            case EdgeKind.DERIVE if up is not None:
                self._derived(up, held, fact)
            case EdgeKind.VERSION_OF if down is not None:
                self._belongs(edge, down, held, fact)
            case EdgeKind.ALIAS_OF if down is not None:
                self._alias(edge, down, held, fact)
            case EdgeKind.PART_OF if down is not None:
                self._part(down, held, fact)
            case _:
                pass

    def _derived(self, up: Record, held: Held, fact: str) -> None:
        if is_reference(up, self._dossier.platform) or up.native_id in held.upstream:
            self._said.held(fact, held.name)
        elif up.kind is AssetKind.COLUMN:
            self._said.lost(fact, _COLUMNS)
        elif up.kind in TYPES:
            held.upstream.add(up.native_id)
            self._target.tell(held, self._record, self._dossier)
            self._said.changed(fact, "its content was there before: named in the metadata under _watersmeet", held.name)
        else:
            self._said.lost(fact, f"artifacts there derive from files and artifacts; a {up.kind.value.lower()} is none")

    def _part(self, whole: Record, held: Held, fact: str) -> None:
        is_home = whole.kind is AssetKind.EXPERIMENT and slug(whole.name) == held.project
        if is_home:
            self._said.held(fact, held.project)
        else:
            self._said.lost(fact, "it stands in a project, and nothing else holds it there")

    def _belongs(self, edge: Edge, whole: Record, held: Held, fact: str) -> None:
        entry = self._target.registries.entry(whole)
        if entry is not None:
            self._target.registries.link(entry, whole, held)
        if self._is_home(whole) and not is_registered(whole):
            self._shelved(whole, entry, held, fact)
        elif entry is not None:
            self._said.exactly(fact, whole.name == entry.name, "is called otherwise in the registry", str(entry))
        elif self._target.registries.takes(whole):
            self._said.lost(fact, _NO_ORG)
        else:
            self._said.lost(fact, "a version there belongs to one collection")

    def _is_home(self, whole: Record) -> bool:
        home = home_of(self._record, self._dossier)
        return home is not None and whole.native_id == home.native_id

    def _shelved(self, whole: Record, entry: Collection | None, held: Held, fact: str) -> None:
        """It stands in the collection that was made for it; a model also in a registry, if there is one."""
        if entry is not None:
            self._said.exactly(fact, whole.name == entry.name, "is called otherwise in the registry", str(entry))
        elif self._target.registries.takes(whole):
            self._said.changed(fact, f"{_NO_ORG}: held of its collection alone", held.name)
        else:
            self._said.exactly(
                fact, whole.name == held.collection, "its collection is called otherwise there", held.name
            )

    def _alias(self, edge: Edge, whole: Record, held: Held, fact: str) -> None:
        alias, entry = edge.alias or "", self._target.registries.entry(whole)
        if _INDEX.fullmatch(alias):
            index = self._target.registries.number(entry, held) if entry is not None else held.index
            self._said.exactly(
                fact, alias == f"v{index}", "has another number there: numbers are given by the service", f"v{index}"
            )
            return
        name, where = slug(alias), entry or Collection(self._target.entity, held.project, held.collection)
        told = {"entityName": where.entity, "projectName": where.project, "artifactCollectionName": where.name}
        with self._target.registries.right_to(where.project) if entry is not None else nullcontext():
            self._api.change(ADD_ALIASES, {"input": {"artifactID": held.id, "aliases": [told | {"alias": name}]}})
        is_there = entry is not None or self._is_home(whole)
        reason = "is written otherwise there" if is_there else "stands in the version's only collection there"
        self._said.exactly(fact, is_there and name == alias, reason, f"{where.name}:{name}")

    # Collections

    def _collection(self) -> None:
        """A collection of Weights & Biases comes back with its versions; what is said of it is said again."""
        record = self._record
        entity = self._target.registries.org if is_registered(record) else self._target.entity
        project = str(own(record)["project"]).rpartition("/")[2]
        self._told_of(Collection(entity, project, record.name))

    def _thing(self, project: str, name: str) -> None:
        """A thing that has versions: their collection."""
        self._told_of(Collection(self._target.entity, project, name))

    def _told_of(self, at: Collection) -> None:
        there = self._target.ledger.there(at.entity, at.project, at.name)
        if there is None:
            for fact in ("name", "subtype", "description", *(f"facets/{one}" for one in self._record.facets)):
                self._said.lost(fact, "none of its versions is there, and there is no collection without one")
            return
        where, name = str(at), at.name
        for fact in ("url", "created_at", "updated_at", *(f"facets/{one}" for one in self._record.facets)):
            self._said.lost(fact, _BARE)
        for part in self._dossier.parts:
            for fact in ("name", "subtype", "description", *(f"facets/{one}" for one in part.facets)):
                self._said.lost(fact, _BARE, of=part.native_id)
        describe(self._api, self._record, at, there)
        self._said.held("description", where)
        self._said.exactly("facets/tags", tags(self._record)[1], "a tag there is words without a value: joined", where)
        self._said.exactly("name", self._record.name == name, "is called otherwise there", where)
        is_own = bool(own(self._record))
        if is_own:
            self._said.held("subtype", where)
            self._said.held("facets/wandb", where)
        for edge in self._dossier.edges:
            if edge.kind is EdgeKind.PART_OF and edge.upstream == self._record.native_id:
                if is_own:
                    self._said.held(edge_fact(edge), where)
                else:
                    self._said.lost(edge_fact(edge), "it stands in a project")
