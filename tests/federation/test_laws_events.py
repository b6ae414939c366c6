"""The order in which OpenLineage events arrive decides nothing: from the bytes to the graph, on both databases."""

import json
import random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watersmeet.federation.connector import Event
from watersmeet.federation.events import keep, project_events
from watersmeet.federation.naming import Registry

from .histories import SOURCES, Ground, law
from .laws import share
from .openlineage_events import facet, run_event, table

pytestmark = [pytest.mark.hard, pytest.mark.timeout(1200)]

RUNS = [f"0190a0e0-0000-7000-8000-{number:012}" for number in range(3)]
names = st.sampled_from(("db.s.a", "db.s.b", "db.s.x"))
minutes = st.integers(0, 9)


def _changed(name: str, what: str | None, version: str | None) -> dict[str, Any]:
    facets: dict[str, Any] = {"lifecycleStateChange": facet(lifecycleStateChange=what)} if what else {}
    if version is not None:
        facets["version"] = facet(datasetVersion=version)
    return table(name, facets)


tables = st.builds(
    _changed, names, st.sampled_from((None, None, "CREATE", "DROP")), st.sampled_from((None, None, "1", "2"))
)
runs = st.builds(
    run_event,
    st.sampled_from(("START", "RUNNING", "COMPLETE", "FAIL", "ABORT")),
    minute=minutes,
    inputs=st.lists(tables, max_size=2),
    outputs=st.lists(tables, max_size=2),
    run=st.sampled_from(RUNS),
)
declarations = st.one_of(
    runs.map(lambda event: {**event, "run": None, "eventType": None}),
    st.builds(
        lambda one, minute: {"dataset": one, "eventTime": run_event(minute=minute)["eventTime"]}, tables, minutes
    ),
)
events = st.lists(st.one_of(runs, runs, declarations), min_size=1, max_size=6)


def _heard(ground: Ground, arrivals: list[tuple[str, Any]], size: int) -> object:
    """Let events arrive, some at a time, each at one source."""
    ground.fresh()
    for start in range(0, len(arrivals), size):
        for source in SOURCES:
            some = [Event(json.dumps(event).encode()) for to, event in arrivals[start : start + size] if to == source]
            keep(ground.store, source, some)
            while project_events(ground.store, source, Registry.EMPTY, clock=ground.clock):
                pass
        ground.clock.move(minutes=7)
    return _story(ground)


def _story(ground: Ground) -> object:
    """All that can be asked, without numbers: things with their lives, edges with their intervals.

    Left out is what some events told and all together tell no more: a record without any word, which is never deleted.
    """
    columns = ground.store.reader.columns()
    name = ground.names(columns)
    rows = ground.store.reader.assets(columns.asset.tolist())
    things = {
        frozenset((name[row.id], row.kind, row.name, row.described, row.tombstoned_at, str(row.run)) for row in some)
        for some in rows.values()
        if any(row.described or row.spellings for row in some)
    }
    ends = [[name[int(one)] for one in some] for some in (columns.up, columns.down)]
    via = [name.get(int(one), "") for one in columns.via]
    some = (
        columns.edge_kind,
        columns.flow,
        columns.planned,
        columns.outcome,
        columns.evidence,
        columns.confidence,
        columns.valid_from,
        columns.valid_to,
    )
    return things, sorted(zip(*ends, via, *(one.tolist() for one in some), strict=True))


DROPPED = [
    run_event("FAIL", minute=0, run=RUNS[0]),
    run_event("COMPLETE", minute=0, outputs=[_changed("db.s.a", "DROP", None)], run=RUNS[0]),
]
UNSAID: list[Any] = [
    {"dataset": table("db.s.a"), "eventTime": "2026-03-01T10:00:00Z"},
    {"dataset": _changed("db.s.a", "DROP", None), "eventTime": "2026-03-01T10:00:00Z"},
    run_event(minute=1, outputs=[table("db.s.a")]) | {"run": None, "eventType": None},
    run_event(minute=2) | {"run": None, "eventType": None},
]
"""What a job no longer says revived a table; its death stands again."""
ALSO_DROPPED = run_event("COMPLETE", minute=0, outputs=[_changed("db.s.a", "DROP", None)], run=RUNS[1])


@law(share("order of events"))
@example(DROPPED, ["one"] * 6, 1, 1)
@example([*DROPPED, ALSO_DROPPED], ["one"] * 6, 1, 1)
@example([ALSO_DROPPED, *DROPPED[::-1]], ["one"] * 6, 3, 1)
@example(UNSAID, ["one"] * 6, 1, 1)
@example(UNSAID[::-1], ["one"] * 6, 1, 1)
@example([*UNSAID[2:3], *UNSAID[:2], *UNSAID[3:]], ["one"] * 6, 7, 1)
@given(events, st.lists(st.sampled_from(SOURCES), min_size=6, max_size=6), st.integers(0, 2**16), st.integers(1, 3))
def test_events_add_up_to_one_story_in_whatever_order_and_number_they_arrive(
    ground: Ground, told: list[Any], to: list[str], seed: int, size: int
) -> None:
    """OpenLineage, receive check 1."""
    arrivals = list(zip(to, told, strict=False))
    again = [*arrivals, *arrivals[: len(arrivals) // 2]]
    random.Random(seed).shuffle(again)
    assert _heard(ground, arrivals, len(arrivals)) == _heard(ground, again, size)
