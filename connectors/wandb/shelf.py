"""The collections of one project with their names, versions and manifests: what is new, or all."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...federation.connector import Batch
from ...federation.errors import SourceError, SourceUnavailable
from ...federation.model import Json, Scope, Skipped
from ..http import TooMuch
from . import artifacts, manifest
from .api import Api
from .cursor import PENDING, Mark
from .documents import ALIASES, COLLECTIONS, MANIFEST, MEMBERSHIPS, USED_BY, VERSIONS
from .place import Place, Project, version_id
from .wire import field, later, moment, nodes, plausible, text

FIRST_VERSIONS = 20
"""As many versions of each collection come with its page."""
_MANY = 100
_ALIASES = 1000
Told = Callable[..., Batch]


class Shelf:
    """Reads the collections of one project once; `newest` and `pending` are for the next read."""

    def __init__(
        self, api: Api, project: Project, place: Place, mark: Mark, batch: Told, shared: set[int], *, is_full: bool
    ) -> None:
        self._api = api
        self._project = project
        self._place = place
        self._batch = batch
        self._is_full = is_full
        self._since = moment(mark.versions)
        self._shared = shared  # what this read has already asked for: a registry shows the versions of projects
        self._pending = dict.fromkeys(mark.pending)
        self._unread = dict.fromkeys(mark.unread)
        self.newest = self._since
        self._known_then = frozenset(mark.newest_versions)
        self._newest_ids = dict.fromkeys(mark.newest_versions)

    @property
    def pending(self) -> tuple[str, ...]:
        """The versions that had no manifest yet."""
        return tuple(self._pending)[-PENDING:]

    @property
    def newest_ids(self) -> tuple[str, ...]:
        """The versions of the newest second: another one may be made within it."""
        return tuple(self._newest_ids)[-PENDING:]

    @property
    def unread(self) -> tuple[str, ...]:
        """The versions whose manifest could not be had."""
        return tuple(self._unread)[-PENDING:]

    def read(self, page: Json) -> Iterator[Batch]:
        """All collections, beginning with those that stand in `page`, the answer of the project's first page."""
        yield from self._collections(nodes(page, "project", "artifactCollections"))
        info = field(page, "project", "artifactCollections", "pageInfo")
        if field(info, "hasNextPage") is True:
            names = ("project", "artifactCollections")
            variables = {"entity": self._project.entity, "project": self._project.name, "versions": FIRST_VERSIONS}
            pages = self._api.pages(COLLECTIONS, variables, _MANY, *names, after=text(info, "endCursor") or None)
            for reply in pages:
                if reply.problems:
                    yield self._batch((), reply.problems)
                yield from self._collections(nodes(reply.data, *names))

    def _collections(self, found: Sequence[Json]) -> Iterator[Batch]:
        wanted = [one for one in found if self._place.options.generated or not artifacts.is_generated_collection(one)]
        scopes: list[Scope] = []
        for one in wanted:
            scopes.append(artifacts.collection(one, self._project, self._place))
            scopes.append(artifacts.aliases(one, list(self._aliases(one)), self._project))
        yield self._batch(scopes)
        for one in wanted:
            yield from self._members(one) if _is_link(one) or self._is_full else self._new(one)

    def _aliases(self, raw: Json) -> Iterator[Json]:
        yield from nodes(raw, "aliases")
        info = field(raw, "aliases", "pageInfo")
        if field(info, "hasNextPage") is True:
            names = ("artifactCollection", "aliases")
            variables = {"collection": text(raw, "id")}
            for reply in self._api.pages(ALIASES, variables, _ALIASES, *names, after=text(info, "endCursor") or None):
                yield from nodes(reply.data, *names)

    def _new(self, raw: Json) -> Iterator[Batch]:
        """The newest versions first, until one is older than what was read before."""
        found = nodes(raw, "artifacts")
        yield from self._versions(found)
        info = field(raw, "artifacts", "pageInfo")
        if field(info, "hasNextPage") is not True or not self._goes_on(found):
            return
        names = ("artifactCollection", "artifacts")
        variables = {"collection": text(raw, "id")}
        for reply in self._api.pages(VERSIONS, variables, _MANY, *names, after=text(info, "endCursor") or None):
            found = nodes(reply.data, *names)
            yield from self._versions(found, reply.problems)
            if found and not self._goes_on(found):
                return

    def _goes_on(self, found: Sequence[Json]) -> bool:
        made = [at for one in found if (at := moment(field(one, "createdAt"))) is not None]
        return self._since is None or not made or min(made) > self._since

    def _members(self, raw: Json) -> Iterator[Batch]:
        """Every version of a collection, those that were deleted too; of a registry's entry, its links."""
        names = ("artifactCollection", "artifactMemberships")
        links: list[Json] = []
        if not self._is_full and field(raw, "artifactMemberships", "pageInfo", "hasNextPage") is False:
            yield self._batch([artifacts.links(raw, nodes(raw, "artifactMemberships"), self._project)])
            return
        for reply in self._api.pages(MEMBERSHIPS, {"collection": text(raw, "id")}, _MANY, *names):
            found = [one for one in nodes(reply.data, *names) if field(one, "artifact") is not None]
            if _is_link(raw):
                links += [{**one, "artifact": {"id": text(one, "artifact", "id")}} for one in found]
            yield from self._versions([field(one, "artifact") for one in found], reply.problems)
        if _is_link(raw):
            yield self._batch([artifacts.links(raw, links, self._project)])

    # Versions

    def _versions(self, found: Sequence[Json], problems: Sequence[str] = ()) -> Iterator[Batch]:
        told = [artifacts.version(one, self._project, self._place) for one in found]
        stones = tuple(stone for _, stone in told if stone is not None)
        scopes = [scope for scope, _ in told]
        deleted = [one for one in found if text(one, "state") == "DELETED"]
        scopes += [self._users(one) for one in deleted]
        if scopes or problems:
            yield self._batch(scopes, problems, tombstones=stones)
        if self._place.options.manifests:
            for one in found:
                if self._wants(one):
                    yield self._manifest(one)
        for one in found:
            made = plausible(moment(field(one, "createdAt")), self._place.now)
            if made is not None and (self.newest is None or made > self.newest):
                self._newest_ids.clear()
            self.newest = later(self.newest, made)
            if made is not None and made == self.newest:
                self._newest_ids[text(one, "id")] = None

    def _users(self, raw: Json) -> Scope:
        """Runs do not show what was deleted; the version itself still tells who wrote and used it."""
        names = ("artifact", "usedBy")
        by: Json = None
        used: list[Any] = []
        for reply in self._api.pages(USED_BY, {"id": text(raw, "id")}, _MANY, *names):
            by = field(reply.data, "artifact", "createdBy")
            used += nodes(reply.data, *names)
        told = {"createdBy": by, "usedBy": {"edges": [{"node": one} for one in used]}}
        return artifacts.users(told, version_id(text(raw, "id")), text(raw, "id"))

    # Manifests

    def _wants(self, raw: Json) -> bool:
        id_ = text(raw, "id")
        if hash(f"manifest/{id_}") in self._shared or text(raw, "state") == "DELETED":
            return False
        made = moment(field(raw, "createdAt"))
        # What could not be had may never be: it is tried again when everything is read.
        is_open = id_ in self._pending or (self._is_full and id_ in self._unread)
        if is_open or self._since is None or made is None or made > self._since:
            return True
        return made == self._since and id_ not in self._known_then

    def _manifest(self, raw: Json) -> Batch:
        id_ = text(raw, "id")
        self._shared.add(hash(f"manifest/{id_}"))
        if not manifest.has_one(raw):
            self._pending[id_] = None
            return self._batch(())
        try:
            found = self._read(id_)
        except (SourceError, manifest.Unreadable) as error:
            if _is_pressed(error):
                raise
            self._unread[id_] = None
            return self._batch((), skipped=(manifest.broken(raw, str(error)),))
        self._pending.pop(id_, None)
        self._unread.pop(id_, None)
        if found is None:
            reason = "there is no manifest any more: the version was deleted, or its time to live is over"
            return self._batch((), skipped=(manifest.broken(raw, reason, lost=False),))
        remarks: tuple[Skipped, ...] = tuple(manifest.remarks(raw, found))
        return self._batch([manifest.scope(raw, found, self._project)], skipped=remarks)

    def _read(self, id_: str) -> manifest.References | None:
        """The address is good for a short time only, so one that fails is asked for anew, once."""
        for attempt in (1, 2):
            reply = self._api.ask(MANIFEST, {"id": id_})
            url = text(reply.data, "artifact", "currentManifest", "file", "directUrl")
            if not url:
                return None
            try:
                return manifest.read(self._api.file(url), self._place.options.max_references)
            except (SourceError, manifest.Unreadable) as error:
                if attempt == 2 or _is_pressed(error):
                    raise
        return None


def _is_link(raw: Json) -> bool:
    return text(raw, "__typename") == "ArtifactPortfolio"


def _is_pressed(error: Exception) -> bool:
    """Whether the platform is in trouble: then the rest has to wait, too. A manifest that is too large is no such."""
    return isinstance(error, SourceUnavailable) and not isinstance(error, TooMuch)
