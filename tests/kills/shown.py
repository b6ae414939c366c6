"""What the public doors show of a store, in words that are the same in every store."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from watersmeet.api.examining import examined
from watersmeet.api.graphql.standing import standings
from watersmeet.config.settings import load
from watersmeet.federation.graph import Graph
from watersmeet.federation.inquiry import Inquiry
from watersmeet.federation.model import LetterState
from watersmeet.federation.store import Store

from ..connectors.contract.house import Picture
from ..connectors.contract.suite import assert_alike


@dataclass(frozen=True)
class Shown:
    """All that is asked of a store whose sources have told everything."""

    pictures: dict[str, Picture]
    together: frozenset[frozenset[tuple[str, str]]]
    """Which living records are one asset."""
    events: dict[str, Counter[bytes]]
    letters: Counter[tuple[str, str, str]]
    standings: dict[str, tuple[Any, ...]]
    answers: dict[str, Any]
    """What is up and down of the things that are asked for."""

    @classmethod
    def by(cls, url: str, roots: dict[str, str]) -> "Shown":
        """`roots`: for each source the native id of something to ask for."""
        with Store.open(url, create=False) as store:
            return cls(
                {row.id: Picture.of(store, row.id) for row in store.journal.sources()},
                _together(store),
                {row.id: Counter(body for _, body in _events(store, row.id)) for row in store.journal.sources()},
                Counter((one.source, one.reason, one.path) for one in _letters(store)),
                {
                    one.row.id: (one.status, one.lag, one.counts.edges, one.counts.letters, one.missing_grants)
                    for one in standings(store, "inlet", lambda _: None)
                },
                {root: _answer(store, root) for root in roots.values()},
            )


def assert_same(store: Shown, undisturbed: Shown) -> None:
    """Two stores show the same, but for what one of them has seen go."""
    for source, picture in undisturbed.pictures.items():
        mine = store.pictures[source]
        buried = mine.buried | picture.buried
        assert_alike(mine.without(buried), picture.without(buried))
    assert store.together == undisturbed.together
    assert store.events == undisturbed.events
    for source, events in store.events.items():
        assert [body for body, count in events.items() if count > 1] == [], source
    assert store.letters == undisturbed.letters
    assert store.standings == undisturbed.standings
    assert store.answers == undisturbed.answers


def assert_sound(config: Path) -> None:
    """The doctor finds nothing, no sync is open, and what the change log adds up to is what there is."""
    settings = load(config)
    found = [one for one in examined(settings, full=True) if one.code not in ("letters", "disk", "permissions")]
    assert found == []
    with Store.open(settings.store.url, create=False) as store:
        assert [row for row in store.journal.syncs(first=10_000) if row.ended_at is None] == []
        assert _told(store) == _living(store)


def _together(store: Store) -> frozenset[frozenset[tuple[str, str]]]:
    rows = store.reader.assets(store.reader.columns().asset.tolist())
    living = ([row for row in some if row.tombstoned_at is None] for some in rows.values())
    return frozenset(frozenset((row.source, row.native_id) for row in some) for some in living if some)


def _events(store: Store, source: str) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while rows := store.events.after(source, found[-1][0] if found else 0, 1000):
        found += rows
    return found


def _letters(store: Store) -> list[Any]:
    return store.letters.page(state=LetterState.WAITING, first=1000)


def _answer(store: Store, root: str) -> Any:
    [asset] = {match.asset for match in store.reader.find_native([root])}
    answer = Inquiry(store, Graph(store)).lineage(asset)
    names = {node.id: node.name for node in answer.nodes}
    completeness = answer.completeness
    edges = Counter((names[edge.upstream], names[edge.downstream], edge.kind) for edge in answer.edges)
    return Counter(names.values()), edges, completeness.exact


def _told(store: Store) -> tuple[dict[int, int], set[int]]:
    """The asset of every record and the dead, as a follower of the change log has it."""
    asset: dict[int, int] = {}
    dead: set[int] = set()
    seq = 0
    while rows := store.reader.changes(first=5000, after=seq)[0]:
        assert [row.seq for row in rows] == list(range(seq + 1, seq + 1 + len(rows)))
        seq = rows[-1].seq
        for row in rows:
            match row.what:
                case "created":
                    asset[row.record] = row.record
                case "joined" | "split":
                    after: Any = row.after
                    asset[row.record] = after["asset"]
                case "tombstoned":
                    dead.add(row.record)
                case "revived":
                    dead.discard(row.record)
                case _:
                    pass
    assert seq == store.reader.head()
    return asset, dead


def _living(store: Store) -> tuple[dict[int, int], set[int]]:
    columns = store.reader.columns()
    rows = [row for some in store.reader.assets(columns.asset.tolist()).values() for row in some]
    asset = dict(zip(columns.record.tolist(), columns.asset.tolist(), strict=True))
    return asset, {row.id for row in rows if row.tombstoned_at is not None}


def run_ids(store: Store, source: str) -> Counter[str]:
    """How often each run has an event in the store."""
    return Counter(orjson.loads(body)["run"]["runId"] for _, body in _events(store, source))


def said_of(url: str, source: str) -> str:
    """What the journal says of the last pull, where there was a place to write it."""
    with Store.open(url) as store:
        return store.journal.syncs(source, first=1)[0].message or ""
