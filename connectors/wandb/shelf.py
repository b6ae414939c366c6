"""The collections of one project with their names, versions and manifests: what is new, or all."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...federation.connector import Batch
from ...federation.errors import SourceChanged, SourceRefused
from ...federation.model import Json, Scope, Skipped
from . import artifacts, manifest
from .api import Api, Reply
from .cursor import PENDING, Mark
from .documents import ALIASES, COLLECTIONS, MEMBERSHIPS, USED_BY, VERSIONS, versions
from .manifests import MANIFESTS, Manifests, Open, Unread
from .place import Place, Project, version_id
from .wire import field, later, moment, nodes, plausible, text

FIRST_VERSIONS = 20
"""As many versions of each collection come with its page."""
_MANY = 100
_ALIASES = 1000
Told = Callable[..., Batch]


class Shelf:
    """Reads the collections of one project once; a full reading goes on where a killed one stood.

    `move` writes down how far it is: `shelved` behind the last collection, `collections`, `collection` and `members`
    before that, and what the next read has to know of this one.
    """

    def __init__(
        self,
        api: Api,
        project: Project,
        place: Place,
        mark: Mark,
        batch: Told,
        shared: set[int],
        store: Manifests,
        move: Callable[..., object],
        *,
        is_full: bool,
    ) -> None:
        self._api = api
        self._project = project
        self._place = place
        self._mark = mark
        self._batch = batch
        self._move = move
        self._is_full = is_full
        self._since = moment(mark.versions)
        self._shared = shared  # what this read has already asked for: a registry shows the versions of projects
        self._store = store
        self._open = Open(mark)
        self.newest = self._since
        self._known_then = frozenset(mark.newest_versions)
        self._newest_ids = dict.fromkeys(mark.newest_versions)

    @property
    def newest_ids(self) -> tuple[str, ...]:
        """The versions of the newest second: another one may be made within it."""
        return tuple(self._newest_ids)[-PENDING:]

    @property
    def open(self) -> Open:
        """The versions whose manifest is still to be had."""
        return self._open

    def read(self, page: Json) -> Iterator[Batch]:
        """All collections, beginning with those that stand in `page`, the answer of the project's first page."""
        former, names = self._mark if self._is_full else Mark(), ("project", "artifactCollections")
        if former.shelved:
            return
        after = former.collections
        if not after:
            yield from self._collections(nodes(page, *names), former.collection)
            info = field(page, *names, "pageInfo")
            after = text(info, "endCursor") if field(info, "hasNextPage") is True else ""
        if after:
            variables = {"entity": self._project.entity, "project": self._project.name, "versions": FIRST_VERSIONS}
            place = after
            for reply in self._api.pages(COLLECTIONS, variables, _MANY, *names, after=after):
                self._progress(collections=place, collection="", members="")
                if reply.problems:
                    yield self._batch((), reply.problems)
                yield from self._collections(nodes(reply.data, *names), former.collection)
                place = text(reply.data, *names, "pageInfo", "endCursor")
        if self._place.options.manifests:
            yield from self._put_off_before()
        self._progress(shelved=True)

    def _progress(self, **where: Any) -> None:
        """What was put off is written down with the place: whoever goes on from there does not come by it again."""
        if self._is_full:
            self._move(**where, **self._open.marks())

    def _collections(self, found: Sequence[Json], former: str = "") -> Iterator[Batch]:
        """`former`: the collection that a killed reading stood in; those before it on the page were read."""
        wanted = [one for one in found if self._place.options.generated or not artifacts.is_generated_collection(one)]
        scopes: list[Scope] = []
        for one in wanted:
            scopes.append(artifacts.collection(one, self._project, self._place))
            scopes.append(artifacts.aliases(one, list(self._aliases(one)), self._project))
        yield self._batch(scopes)
        there = [text(one, "id") for one in wanted]
        for one in wanted[there.index(former) :] if former in there else wanted:
            if _is_link(one) or self._is_full:
                yield from self._members(one, self._mark.members if former and text(one, "id") == former else "")
            else:
                yield from self._new(one)

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

    def _members(self, raw: Json, after: str) -> Iterator[Batch]:
        """Every version of a collection, those that were deleted too; of a registry's entry, its links."""
        names = ("artifactCollection", "artifactMemberships")
        links: list[Json] = []
        if not self._is_full and field(raw, "artifactMemberships", "pageInfo", "hasNextPage") is False:
            yield self._batch([artifacts.links(raw, nodes(raw, "artifactMemberships"), self._project)])
            return
        place = "" if _is_link(raw) else after  # links are told together
        for reply in self._api.pages(MEMBERSHIPS, {"collection": text(raw, "id")}, _MANY, *names, after=place or None):
            self._progress(collection=text(raw, "id"), members=place)
            found = [one for one in nodes(reply.data, *names) if field(one, "artifact") is not None]
            if _is_link(raw):
                links += [{**one, "artifact": {"id": text(one, "artifact", "id")}} for one in found]
            yield from self._versions([field(one, "artifact") for one in found], reply.problems)
            place = text(reply.data, *names, "pageInfo", "endCursor")
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
            yield from self._manifests([one for one in found if self._wants(one)])
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
        if text(raw, "state") == "DELETED":
            self._open.close(id_)
            return False
        if hash(f"manifest/{id_}") in self._shared:
            return False
        made = moment(field(raw, "createdAt"))
        # What could not be had may never be: it is tried again when everything is read.
        is_open = id_ in self._open.pending or (self._is_full and id_ in self._open.unread)
        if is_open or self._since is None or made is None or made > self._since:
            return True
        return made == self._since and id_ not in self._known_then

    def _manifests(self, wanted: Sequence[Json]) -> Iterator[Batch]:
        """Some together: each by itself would be a question and a commit for every version there is."""
        for start in range(0, len(wanted), MANIFESTS):
            some = wanted[start : start + MANIFESTS]
            scopes, aside, unread = list[Scope](), list[Skipped](), list[str]()
            ready = [one for one in some if manifest.has_one(one)]
            addresses = self._store.addresses([text(one, "id") for one in ready])
            for one in some:
                id_ = text(one, "id")
                self._shared.add(hash(f"manifest/{id_}"))
                if not manifest.has_one(one):
                    self._open.wait(one)
                elif self._store.is_down:
                    self._open.put_off(one)
                else:
                    told, remarks = self._manifest(one, addresses.get(id_, ""))
                    scopes += told
                    aside += remarks
                    if id_ in self._open.unread:
                        unread.append(manifest.scope_key(one, self._project))
            yield self._batch(scopes, skipped=tuple(aside), unread=tuple(unread))

    def _manifest(self, raw: Json, url: str) -> tuple[list[Scope], list[Skipped]]:
        try:
            found = self._store.manifest(text(raw, "id"), url)
        except Unread as error:
            self._open.note_unread(raw, is_passing=error.is_passing)
            return [], [manifest.broken(raw, str(error))]
        was_unread = self._open.close(text(raw, "id"))
        if found is None:
            reason = "there is no manifest any more: the version was deleted, or its time to live is over"
            return [], [manifest.broken(raw, reason, lost=False)]
        remarks = list(manifest.remarks(raw, found))
        if was_unread and not remarks:
            remarks = [manifest.mended(raw)]
        return [manifest.scope(raw, found, self._project)], remarks

    def _put_off_before(self) -> Iterator[Batch]:
        """What was to be asked for again and was not come by: it stands behind newer versions."""
        left = [id_ for id_ in self._mark.pending if hash(f"manifest/{id_}") not in self._shared]
        for start in range(0, 0 if self._is_full else len(left), MANIFESTS):
            yield from self._by_id(left[start : start + MANIFESTS])

    def _by_id(self, ids: Sequence[str]) -> Iterator[Batch]:
        try:
            reply = self._api.ask(versions(len(ids)), {f"id{at}": id_ for at, id_ in enumerate(ids)})
        except (SourceRefused, SourceChanged) as error:
            reply = Reply(None, (str(error),))
            if len(ids) > 1:
                for one in ids:
                    yield from self._by_id([one])
                return
        aside, found = list[Skipped](), list[Json]()
        for at, id_ in enumerate(ids):
            one = field(reply.data, f"artifact{at}")
            if one is not None:
                found.append(one)
            elif reply.problems:
                self._open.note_unread({"id": id_}, is_passing=False)
                aside.append(manifest.broken({"id": id_}, reply.problems[0]))
            else:
                self._open.close(id_)
        yield self._batch((), skipped=tuple(aside))
        yield from self._versions(found)


def _is_link(raw: Json) -> bool:
    return text(raw, "__typename") == "ArtifactPortfolio"
