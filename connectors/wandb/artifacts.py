"""What collections, versions and links of the registry become."""

from collections.abc import Iterator, Sequence

from ...federation.model import AssetKind, Edge, EdgeKind, Evidence, Json, Nature, Record, Scope, Tombstone
from .place import Place, Project, collection_id, kinds_of, run_id, version_id
from .wire import field, kept, loads, moment, nodes, number, objects, prose, text

_GENERATED = frozenset({"wandb-history", "job", "code", "run_table"})


def is_generated(raw: Json) -> bool:
    """Whether the client made an artifact by itself: nothing that people call data."""
    type_ = text(raw, "artifactType", "name")
    name = text(raw, "artifactSequence", "name")
    return type_ in _GENERATED or name.startswith("source-") or (name.startswith("run-") and type_.startswith("run"))


def is_generated_collection(raw: Json) -> bool:
    """The same of a whole collection."""
    named = {"name": text(raw, "name")}
    return is_generated({"artifactType": field(raw, "defaultArtifactType"), "artifactSequence": named})


def collection(raw: Json, home: Project, place: Place) -> Scope:
    """A collection: a dataset or a model, or the name that a registry gives to one."""
    kind, _, word = kinds_of(text(raw, "defaultArtifactType", "name"))
    id_, name = text(raw, "id"), text(raw, "name")
    is_link = text(raw, "__typename") == "ArtifactPortfolio"
    type_ = text(raw, "defaultArtifactType", "name")
    record = Record(
        collection_id(id_),
        kind,
        prose(name) or id_,
        subtype="registered" if is_link else (type_ if kind is AssetKind.DATASET and type_ != "dataset" else None),
        description=prose(raw, "description"),
        url=place.page(home.entity, home.name, "artifacts", type_, name),
        created_at=moment(field(raw, "createdAt")),
        updated_at=moment(field(raw, "updatedAt")),
        spellings=place.spellings(word, id_, f"{home.path}/{name}"),
        facets=_tags(nodes(raw, "tags")) | {"wandb": {"type": type_, "project": home.path}},
    )
    edge = Edge(collection_id(id_), home.native_id, EdgeKind.PART_OF)
    return Scope(f"{home.family('collection')}/{id_}", (record,), (edge,))


def aliases(raw: Json, told: Sequence[Json], home: Project, of: str = "") -> Scope:
    """The names that versions bear in a collection now: what is left out later has ended. `of`: the collection, where
    it is not `raw` that is asked."""
    here = collection_id(of or text(raw, "id"))
    found = {
        (text(one, "artifact", "id"), text(one, "alias")): None
        for one in told
        if text(one, "artifact", "id") and text(one, "alias")
    }
    edges = tuple(Edge(version_id(id_), here, EdgeKind.ALIAS_OF, alias=alias) for id_, alias in found)
    return Scope(f"{home.family('alias')}/{text(raw, 'id')}", (), edges)


def links(raw: Json, memberships: Sequence[Json], home: Project) -> Scope:
    """The versions that a registry's entry links: the same version, under a further name."""
    here = collection_id(text(raw, "id"))
    edges: list[Edge] = []
    for one in memberships:
        version = version_id(text(one, "artifact", "id"))
        since = moment(field(one, "createdAt"))
        edges.append(Edge(version, here, EdgeKind.VERSION_OF, valid_from=since))
        if field(one, "versionIndex") is not None:
            name = f"v{number(one, 'versionIndex')}"
            edges.append(Edge(version, here, EdgeKind.ALIAS_OF, alias=name, valid_from=since))
    return Scope(f"{home.family('link')}/{text(raw, 'id')}", (), tuple(edges))


def version(raw: Json, home: Project, place: Place) -> tuple[Scope, Tombstone | None]:
    """A version, in the project that keeps it: its run may have moved elsewhere."""
    _, kind, word = kinds_of(text(raw, "artifactType", "name"))
    sequence = field(raw, "artifactSequence")
    where = keeper(raw, home)
    # What was not sent yet has no number.
    index = f"v{number(raw, 'versionIndex')}" if field(raw, "versionIndex") is not None else text(raw, "digest")[:12]
    id_, name = text(raw, "id"), f"{text(sequence, 'name')}:{index}"
    native_id = version_id(id_)
    record = Record(
        native_id,
        kind,
        prose(name) or id_,
        description=prose(raw, "description"),
        url=place.page(
            where.entity,
            where.name,
            "artifacts",
            text(raw, "artifactType", "name"),
            text(sequence, "name"),
            index,
        ),
        created_at=moment(field(raw, "createdAt")),
        updated_at=moment(field(raw, "updatedAt")),
        spellings=place.spellings(f"{word}-version", id_, f"{where.path}/{name}"),
        facets=_facets(raw),
    )
    edges = (Edge(native_id, collection_id(text(sequence, "id")), EdgeKind.VERSION_OF),) if sequence else ()
    stone = None
    if text(raw, "state") == "DELETED":
        stone = Tombstone(native_id, reason="deleted in Weights & Biases, or its time to live is over")
    return Scope(f"{where.family('version')}/{id_}", (record,), edges), stone


def keeper(raw: Json, home: Project) -> Project:
    """The project that keeps a version, which the one that shows it may only link."""
    told = field(raw, "artifactSequence", "project")
    return Project.of(told) if told else home


def users(raw: Json, native_id: str, id_: str) -> Scope:
    """Who wrote and who used a version, by its own word: for versions that runs show no more."""
    edges = [*_written(field(raw, "createdBy"), native_id)]
    for one in nodes(raw, "usedBy"):
        since = moment(field(one, "createdAt"))
        edges.append(
            Edge(native_id, run_id(text(one, "id")), EdgeKind.READ, evidence=Evidence.OBSERVED, valid_from=since)
        )
    return Scope(f"use/{id_}", (), tuple(edges), Nature.HAPPENED)


def _written(by: Json, native_id: str) -> Iterator[Edge]:
    if text(by, "__typename") == "Run":
        since = moment(field(by, "createdAt"))
        yield Edge(run_id(text(by, "id")), native_id, EdgeKind.WRITE, evidence=Evidence.OBSERVED, valid_from=since)


def _facets(raw: Json) -> dict[str, Json]:
    metadata, wrong = loads(field(raw, "metadata"))
    own: dict[str, Json] = {
        "state": text(raw, "state"),
        "digest": text(raw, "digest"),
        "digest_algorithm": text(raw, "digestAlgorithm") or "not told",
        "commit_hash": text(raw, "commitHash"),
        "size": number(raw, "size"),
        "files": number(raw, "fileCount"),
        "type": text(raw, "artifactType", "name"),
        "project": text(raw, "artifactSequence", "project", "entityName")
        + "/"
        + text(raw, "artifactSequence", "project", "name"),
    }
    if wrong:
        own["metadata_text"] = prose(raw, "metadata")
    elif metadata:
        own["metadata"] = kept(metadata)
    if number(raw, "ttlDurationSeconds") > 0:
        own["ttl_seconds"] = number(raw, "ttlDurationSeconds")
    return _tags(objects(field(raw, "tags"))) | {"wandb": own}


def _tags(told: Sequence[Json]) -> dict[str, Json]:
    found = [{"key": name} for one in told if (name := prose(one, "name"))]
    return {"tags": found} if found else {}
