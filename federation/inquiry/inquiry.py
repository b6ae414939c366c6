"""Questions to the federation: lineage, paths, impact, and which asset somebody means."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..clock import Clock, utcnow
from ..columns import SINCE_BEFORE
from ..errors import BadInput, CursorExpired, NotFound
from ..graph import Cut, Graph, Snapshot, Walked
from ..graph.things import KINDS, NOWHERE
from ..model import AssetKind, Direction, Level
from ..naming import Registry
from .answers import Completeness, Impact, KindCount, Lineage, PageInfo, Path, PathList, Walk
from .completeness import Standing, completeness, standings
from .cursors import Cursors, Place
from .lookup import find
from .paging import among, page
from .ports import AnsweringStore, seconds
from .question import Question, Terms
from .view import Edges, View
from .ways import Way, ways

_Word = TypeVar("_Word")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question where it is answered: on which graph, from which thing, at which second, standing on which sources."""

    view: View
    sources: tuple[Standing, ...]
    now: int
    position: int
    mark: list[object]
    """The question as the signature of a cursor has it."""


class Inquiry:
    """Answers over one store. Safe to ask from many threads."""

    def __init__(
        self,
        store: AnsweringStore,
        graph: Graph,
        *,
        registry: Registry = Registry.EMPTY,
        clock: Clock = utcnow,
        budget: timedelta = timedelta(seconds=20),
    ) -> None:
        self._store = store
        self._graph = graph
        self._registry = registry
        self._clock = clock
        self._budget = budget.total_seconds()
        self._cursors = Cursors(store.secret(), store.identity())

    # Which asset

    def asset(
        self,
        id: int | None = None,
        key: str | None = None,
        source: str | None = None,
        as_of: datetime | None = None,
    ) -> int | None:
        """The present id of an asset, by an id of any time or by anything a person would paste; None: there is none.

        Raises `BadInput` unless exactly one of `id` and `key` is given, `Ambiguous` with the candidates.
        """
        if (id is None) == (key is None):
            raise BadInput("give exactly one of `id` and `key`")
        if id is not None:
            return self._store.reader.present_id(id)
        return find(self._store.reader, key or "", source, as_of, self._registry)

    def find(self, key: str, source: str | None = None, as_of: datetime | None = None) -> int:
        """The same for a key that must be there. Raises `NotFound`, `Ambiguous`."""
        found = self.asset(key=key, source=source, as_of=as_of)
        if found is None:
            where = f" in the source {source!r}" if source else ""
            raise NotFound(f"nothing is called {key!r}{where}: `search` finds a thing by the words of its name")
        return found

    # Walks

    def lineage(
        self,
        root: int,
        direction: Direction = Direction.BOTH,
        *,
        depth: int | None = 3,
        level: Level | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        walk: Walk | None = None,
        kinds: Sequence[AssetKind] | None = None,
        platforms: Sequence[str] | None = None,
        first: int = 500,
        after: str | None = None,
    ) -> Lineage:
        """One page of what is upstream and downstream of an asset.

        Raises `NotFound`, `BadInput`, `CursorExpired`.
        """
        question = Question(
            root, direction, depth, Terms(level, as_of, known_at, walk), _told(kinds), _told(platforms)
        ).checked()
        asked = self._ask("lineage", question, first, after)
        view = asked.view
        shown = view.nodes(question.kinds, self._marks(asked, question.platforms))
        edges = view.edges()
        visible, _ = among(view, shown, edges)
        part = page(view, shown, edges, first, asked.position)
        truncated = part.is_cut or view.walked.truncated
        return Lineage(
            root=self._id(view, view.walked.things[0]),
            nodes=view.shown_nodes(part.nodes),
            edges=view.shown_edges(part.edges),
            total=int(shown.size),
            total_edges=visible.size + view.loops(),
            truncated=truncated,
            page_info=self._page_info(asked, first, int(shown.size)),
            completeness=self._completeness(
                asked, edges, part.nodes if known_at is None else None, truncated=truncated
            ),
        )

    def impact(
        self,
        root: int,
        *,
        depth: int | None = None,
        level: Level | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        walk: Walk | None = None,
        kinds: Sequence[AssetKind] | None = None,
        first: int = 100,
        after: str | None = None,
    ) -> Impact:
        """What depends on an asset: exact counts of all, and one page of nodes; the root itself is not counted.

        Raises `NotFound`, `BadInput`, `CursorExpired`.
        """
        terms = Terms(level, as_of, known_at, walk)
        question = Question(root, Direction.DOWNSTREAM, depth, terms, _told(kinds)).checked()
        asked = self._ask("impact", question, first, after)
        view = asked.view
        shown = view.nodes(question.kinds, None)
        shown = shown[shown != 0]
        here = shown[asked.position : asked.position + first]
        return Impact(
            root=self._id(view, view.walked.things[0]),
            total=int(shown.size),
            counts=_counts(view, shown),
            nodes=view.shown_nodes(here),
            truncated=view.walked.truncated,
            page_info=self._page_info(asked, first, int(shown.size)),
            completeness=self._completeness(
                asked, view.edges(), here if known_at is None else None, truncated=view.walked.truncated
            ),
        )

    def paths(
        self,
        start: int,
        to: int,
        *,
        level: Level | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        walk: Walk | None = None,
        first: int = 10,
    ) -> PathList:
        """The shortest ways from an asset downstream to another, the shortest first. Raises `NotFound`, `BadInput`."""
        terms = Terms(level, as_of, known_at, walk)
        Question(start, Direction.DOWNSTREAM, None, terms).checked()
        _check_first(first)
        now = seconds(self._clock())
        snapshot = self._snapshot(terms)
        begin, end = self._thing(snapshot, start), self._thing(snapshot, to)
        fine = max(snapshot.level_for(begin, level), snapshot.level_for(end, level), key=_FINENESS.index)
        sources = standings(self._store.journal)
        cut = self._cut(terms, now, snapshot, sources)
        found = ways(snapshot, begin, end, fine, cut, first, time.monotonic() + self._budget)
        view = View(self._store.reader, snapshot, fine, cut, _walked(found.found, begin))
        asked = _Asked(view, sources, now, 0, [])
        return PathList(
            paths=tuple(_path(view, way) for way in found.found),
            total=found.total,
            truncated=found.total is None or found.total > len(found.found),
            completeness=self._completeness(asked, view.edges(), truncated=found.cut_short),
        )

    def completeness(self, assets: Sequence[int] = ()) -> Completeness:
        """What is to be said of an answer that shows these assets and no edges."""
        snapshot = self._graph.now()
        things = [place for place in map(snapshot.position_of, assets) if place != NOWHERE]
        used = snapshot.sources_of(np.array(things, np.int32))
        return completeness(standings(self._store.journal), used, now=self._clock())

    # Within

    def _ask(self, kind: str, question: Question, first: int, after: str | None) -> _Asked:
        _check_first(first)
        sources = standings(self._store.journal)
        mark: list[object] = [kind, *question.plain()]
        if question.terms.walk is not None and question.terms.walk.seen_since is not None:
            mark.append([_synced(source) for source in sources])
        place = None if after is None else self._cursors.read(mark, after)
        snapshot = self._snapshot(question.terms, place)
        now = seconds(self._clock()) if place is None else place.now
        thing = self._thing(snapshot, question.root)
        level = snapshot.level_for(thing, question.terms.level)
        cut = self._cut(question.terms, now, snapshot, sources)
        deadline = time.monotonic() + self._budget
        walked = snapshot.walk(thing, question.direction, level, cut, depth=question.depth, deadline=deadline)
        view = View(self._store.reader, snapshot, level, cut, walked)
        return _Asked(view, sources, now, 0 if place is None else place.position, mark)

    def _snapshot(self, terms: Terms, place: Place | None = None) -> Snapshot:
        if terms.known_at is None or terms.known_at >= self._clock():
            return self._graph.now() if place is None else self._graph.at(place.seq, place.epoch)
        snapshot = self._graph.known(terms.known_at)
        if place is not None and (snapshot.epoch, snapshot.seq) != (place.epoch, place.seq):
            raise CursorExpired("the graph that this page sequence began on is gone: ask again from the start")
        return snapshot

    def _thing(self, snapshot: Snapshot, asset: int) -> int:
        """Where an asset stands, by its present or a former id. Raises `NotFound`."""
        thing = snapshot.position_of(asset)
        if thing == NOWHERE:
            raise NotFound(f"no asset {asset}")
        return thing

    def _cut(self, terms: Terms, now: int, snapshot: Snapshot, sources: Sequence[Standing]) -> Cut:
        known = {source.row.id: _synced(source) for source in sources}
        synced = np.array([known.get(one, SINCE_BEFORE) for one in snapshot.sources], np.int64)
        return replace(terms.cut(now), synced=synced)

    def _marks(
        self, asked: _Asked, platforms: Sequence[str] | None
    ) -> np.ndarray[tuple[int], np.dtype[np.bool_]] | None:
        """Per source of the graph, whether it is of one of these platforms."""
        if platforms is None:
            return None
        wanted = {source.row.id for source in asked.sources if source.row.platform in platforms}
        return np.array([one in wanted for one in asked.view.snapshot.sources], np.bool_)

    def _id(self, view: View, thing: int) -> int:
        return int(view.snapshot.things.ids[thing])

    def _page_info(self, asked: _Asked, first: int, total: int) -> PageInfo:
        begin, end = min(asked.position, total), min(asked.position + first, total)

        def mark(position: int) -> str:
            return self._cursors.write(
                asked.mark, Place(asked.view.snapshot.seq, asked.now, position, asked.view.snapshot.epoch)
            )

        return PageInfo(
            has_next_page=end < total,
            has_previous_page=begin > 0,
            start_cursor=mark(begin) if end > begin else None,
            end_cursor=mark(end) if end > begin else None,
        )

    def _completeness(
        self, asked: _Asked, edges: Edges, page: NDArray[np.int64] | None = None, *, truncated: bool
    ) -> Completeness:
        """`page`: the places of the nodes that were read after the graph, so that they may be newer than it."""
        snapshot = asked.view.snapshot
        shown = () if page is None else snapshot.things.ids[asked.view.walked.things[page]].tolist()
        return completeness(
            asked.sources,
            snapshot.sources_of(asked.view.walked.things),
            now=self._clock(),
            undated=int(edges.is_undated.sum()),
            lowest_confidence=round(float(edges.confidence.min()), 6) if edges.size else None,
            truncated=truncated,
            changed=self._store.reader.changed_since(snapshot.seq, shown) if len(shown) else 0,
        )


_FINENESS = (Level.FINE, Level.ASSET, Level.COLUMN)
"""For a way between two assets: the level that either of its ends asks for."""


def _told(values: Sequence[_Word] | None) -> tuple[_Word, ...] | None:
    return None if values is None else tuple(values)


def _check_first(first: int) -> None:
    if first < 0:
        raise BadInput(f"first: {first} is no size of a page")


def _synced(source: Standing) -> int:
    complete = source.complete
    return SINCE_BEFORE if complete is None or complete.started_at is None else seconds(complete.started_at)


def _counts(view: View, shown: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[KindCount, ...]:
    kind = view.snapshot.things.kind[view.walked.things[shown]].astype(np.int64)
    depth = view.walked.depth[shown].astype(np.int64)
    pairs, counts = np.unique(np.column_stack([depth, kind]), axis=0, return_counts=True)
    return tuple(
        KindCount(KINDS[int(pair[1])], int(pair[0]), int(number)) for pair, number in zip(pairs, counts, strict=True)
    )


def _walked(found: Sequence[Way], begin: int) -> Walked:
    """All ways as one walk, so that their nodes and edges are shown like any."""
    depth = {begin: 0}
    for way in found:
        for place, thing in enumerate(way.things):
            depth[thing] = min(place, depth.get(thing, place))
    hops = [hop for way in found for hop in way.hops]
    return Walked(
        things=np.array(list(depth), np.int32),
        depth=np.array(list(depth.values()), np.int32),
        exact=np.ones(len(depth), np.bool_),
        up=np.array([hop.up for hop in hops], np.int32),
        down=np.array([hop.down for hop in hops], np.int32),
        claim=np.array([hop.claim for hop in hops], np.int32),
        inferred=np.array([hop.inferred for hop in hops], np.bool_),
    )


def _path(view: View, way: Way) -> Path:
    order = {thing: place for place, thing in enumerate(view.walked.things.tolist())}
    nodes = view.shown_nodes(np.array([order[thing] for thing in way.things], np.int64))
    nodes = tuple(
        replace(node, depth=depth, column_exact=is_exact)
        for depth, (node, is_exact) in enumerate(zip(nodes, way.exact, strict=True))
    )
    own = replace(view, walked=_walked([way], way.things[0]))
    edges = own.edges()
    rows = {(int(up), int(down)): row for row, (up, down) in enumerate(zip(edges.up, edges.down, strict=True))}
    places = np.array([rows[hop.up, hop.down] for hop in way.hops], np.int64)
    return Path(nodes, own.shown_edges(edges.taken(places)))
