"""The registries of a target's organization: under which names models are found there, whoever made their versions."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from ...federation.model import AssetKind, Record
from .api import Api, Forbidden, Unwritten
from .calling import collection_name, is_registered, own, short
from .mutations import (
    LINK_ARTIFACT,
    MEMBERSHIPS_OF,
    ONE_PROJECT,
    TAG_COLLECTION,
    UPDATE_PORTFOLIO,
    UPDATE_SEQUENCE,
    UPSERT_PROJECT,
)
from .version_words import tags
from .wire import field, nodes, number, text
from .written import Held, Ledger, Shelf

_OTHERWISE = "Models of other platforms can go to another registry, or to none: options.write_registry"


@dataclass(frozen=True, slots=True)
class Collection:
    """Where a collection stands."""

    entity: str
    project: str
    name: str

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}/{self.name}"


def describe(api: Api, record: Record, at: Collection, there: Shelf) -> None:
    """Say of a collection what was told of a thing: description and tags."""
    if record.description is not None:
        document, key = (
            (UPDATE_PORTFOLIO, "artifactPortfolioID") if there.is_link else (UPDATE_SEQUENCE, "artifactSequenceID")
        )
        api.change(document, {"input": {key: there.id, "description": record.description}})
    if words := tags(record)[0]:
        told = {"entityName": at.entity, "projectName": at.project, "artifactCollectionName": at.name}
        api.change(TAG_COLLECTION, {"input": told | {"tags": [{"tagName": one} for one in words]}})


class Registries:
    """What is linked there. `default`: the registry of models that come from other platforms; empty: none."""

    def __init__(self, api: Api, org: str, default: str, ledger: Ledger, source_id: str) -> None:
        self._api = api
        self.org = org
        """The organization's entity; empty: the target has none, and so no registries."""
        self._default = default
        self._ledger = ledger
        self._source_id = source_id
        self._made: set[str] = set()
        self._names: dict[str, str] = {}
        """By native id of a model, the collection that is its entry."""
        self._described: set[Collection] = set()
        self._closed: dict[str, str] = {}
        """By name, the registries that a right is missing for, with what was said of it."""

    @contextmanager
    def right_to(self, registry: str) -> Generator[None]:
        """Once a right was missing for a registry, nothing more is asked of it: the rest of the entity goes on. Raises
        `Unwritten`."""
        if registry in self._closed:
            raise Unwritten(self._closed[registry])
        try:
            yield
        except Forbidden as error:
            self._closed[registry] = f"{error}. {_OTHERWISE}"
            raise Unwritten(self._closed[registry]) from error

    def make(self, name: str) -> None:
        """See to it that a registry is there. Raises `Unwritten`, as all that asks of a registry does."""
        if name in self._made:
            return
        with self.right_to(name):
            there = self._api.ask_beside(ONE_PROJECT, {"entity": self.org, "project": name}).data
            if field(there, "project") is None:
                self._api.change(UPSERT_PROJECT, {"input": {"entityName": self.org, "name": name}})
        self._made.add(name)

    def takes(self, whole: Record) -> bool:
        """Whether the versions of a thing belong into a registry."""
        return is_registered(whole) or (whole.kind is AssetKind.MODEL and not own(whole) and bool(self._default))

    def entry(self, whole: Record) -> Collection | None:
        """The collection of a registry that holds a model's versions; None: there is no such one."""
        if not self.org or not self.takes(whole):
            return None
        if is_registered(whole):
            return Collection(self.org, str(own(whole)["project"]).rpartition("/")[2], whole.name)
        registry = f"wandb-registry-{self._default}"
        if whole.native_id not in self._names:
            with self.right_to(registry):
                self._names[whole.native_id] = self._free(registry, whole)
        return Collection(self.org, registry, self._names[whole.native_id])

    def _free(self, registry: str, whole: Record) -> str:
        """An entry of somebody else's, or of another model, is left alone."""
        name = collection_name(whole, None)
        former = self._ledger.there(self.org, registry, name)
        is_ours = former is None or former.is_empty or whole.native_id in former.wholes
        return name if is_ours else f"{name[:110]}-{short(self._source_id, whole.native_id)}"

    def link(self, entry: Collection, whole: Record, held: Held) -> None:
        """Put a version there, once; what is told of its model is said there too."""
        self.make(entry.project)
        with self.right_to(entry.project):
            if self.number(entry, held) is None:
                told = {"entityName": entry.entity, "projectName": entry.project, "artifactID": held.id}
                self._api.change(LINK_ARTIFACT, {"input": told | {"artifactPortfolioName": entry.name}})
            if not is_registered(whole) and entry not in self._described:
                self._describe(entry, whole)

    def _describe(self, entry: Collection, whole: Record) -> None:
        there = self._ledger.there(entry.entity, entry.project, entry.name)
        if there is not None:
            describe(self._api, whole, entry, there)
            self._described.add(entry)

    def number(self, entry: Collection, held: Held) -> int | None:
        """The number that a version bears there; None: it is not there."""
        told = self._api.ask_beside(MEMBERSHIPS_OF, {"artifact": held.id}).data
        for one in nodes(told, "artifact", "artifactMemberships"):
            place = field(one, "artifactCollection")
            if (text(place, "name"), text(place, "project", "name")) == (entry.name, entry.project):
                return number(one, "versionIndex")
        return None
