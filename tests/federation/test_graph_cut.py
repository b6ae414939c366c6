"""What a walk lets count: each filter narrows what the others let through, and says exactly where it ends."""

from dataclasses import replace

import numpy as np
import pytest

from watersmeet.federation.columns import SINCE_BEFORE
from watersmeet.federation.graph import Cut
from watersmeet.federation.model import AssetKind, Direction, EdgeKind, Evidence, Level, Role

from .graphs import Told

K = AssetKind
DERIVE, READ, PART_OF, VERSION_OF = EdgeKind.DERIVE, EdgeKind.READ, EdgeKind.PART_OF, EdgeKind.VERSION_OF
SYNCED = np.array([SINCE_BEFORE, 15], np.int64)
"""Sources `one`, never read to its end, and `two`."""
FILTERS = {
    "edges": Cut.at(20).narrowed(edges=[READ]),
    "roles": Cut.at(20).narrowed(roles=[Role.TRAINING]),
    "evidence": Cut.at(20).narrowed(evidence=[Evidence.OBSERVED]),
    "min_confidence": Cut.at(20).narrowed(min_confidence=0.5),
    "seen_since": replace(Cut.at(20), synced=SYNCED).narrowed(seen_since=10),
}


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def model(told: Told) -> Told:
    """A run that read good tables, tables that one filter minds each, and one that nobody knew at 20."""
    told(K.RUN, "fit")
    told.edge("good", READ, "fit", role=Role.TRAINING, start=12)
    told.edge("judged on", READ, "fit", role=Role.EVALUATION, start=12)
    told.edge("of no role", READ, "fit", start=12)
    told.edge("parsed", READ, "fit", role=Role.TRAINING, evidence=Evidence.PARSED, start=12)
    told.edge("unsure", READ, "fit", role=Role.TRAINING, confidence=0.4, start=12)
    told.edge("derived", DERIVE, "fit", start=12)
    told.edge("long ago", READ, "fit", role=Role.TRAINING, start=1)
    told.edge("later", READ, "fit", role=Role.TRAINING, start=30)
    return told


@pytest.mark.parametrize(
    ("name", "minded"),
    [
        ("edges", {"derived"}),
        ("roles", {"judged on", "of no role"}),
        ("evidence", {"parsed"}),
        ("min_confidence", {"unsure"}),
        ("seen_since", {"long ago"}),
    ],
)
def test_a_filter_takes_away_what_it_minds_and_brings_nothing_back(model: Told, name: str, minded: set[str]) -> None:
    known = {"good", "judged on", "of no role", "parsed", "unsure", "derived", "long ago"}
    assert model.upstream("fit", cut=FILTERS[name]) == known - minded


def test_all_filters_together_leave_what_each_leaves(model: Told) -> None:
    cut = replace(Cut.at(20), synced=SYNCED).narrowed(
        edges=[READ], roles=[Role.TRAINING], evidence=[Evidence.OBSERVED], min_confidence=0.5, seen_since=10
    )
    assert model.upstream("fit", cut=cut) == {"good"}


def test_a_confidence_that_is_just_enough_is_enough(told: Told) -> None:
    told.edge("raw", DERIVE, "orders", confidence=0.5)
    assert told.upstream("orders", cut=Cut().narrowed(min_confidence=0.5)) == {"raw"}


@pytest.mark.parametrize(("when", "held"), [(9, False), (10, True), (19, True), (20, False)])
def test_a_claim_holds_from_its_first_second_to_before_its_last(told: Told, when: int, held: bool) -> None:
    told.edge("raw", DERIVE, "orders", start=10, end=20)
    assert told.upstream("orders", at=when) == ({"raw"} if held else set())


@pytest.mark.parametrize(
    ("claim", "last"),
    [
        ({"source": "two", "start": 3}, 15),
        ({"source": "one", "start": 3}, 3),
        ({"source": "two", "start": 3, "end": 8}, 8),
    ],
    ids=["by a source that was read since", "by a source that never was", "until it ended"],
)
def test_a_declaration_is_seen_by_its_sources_last_sync_while_it_holds(told: Told, claim: dict[str, int], last: int):
    told(K.DATASET, "beside", source="two")
    told.edge("raw", DERIVE, "orders", evidence=Evidence.DECLARED, **claim)
    for since, seen in ((last, {"raw"}), (last + 1, set[str]())):
        assert told.upstream("orders", cut=Cut(synced=SYNCED).narrowed(seen_since=since)) == seen


def test_a_run_is_seen_when_it_was_whatever_was_synced_since(told: Told) -> None:
    told.ran("load", ["raw"], ["orders"], at=5, source="two")
    for since, seen in ((5, {"load", "raw"}), (6, set[str]())):
        assert told.upstream("orders", cut=Cut(synced=SYNCED).narrowed(seen_since=since)) == seen


def test_who_wants_no_inferences_crosses_no_versions_and_still_sees_the_parts_of_a_whole(told: Told) -> None:
    told(K.MODEL, "churn")
    told(K.MODEL_VERSION, "churn/1")
    told.edge("churn/1", VERSION_OF, "churn", evidence=Evidence.DECLARED)
    told.ran("fit", ["orders"], ["churn/1"], at=10, ended=11)
    told.ran("score", ["churn"], ["scores"], at=20, ended=30)
    told(K.EXPERIMENT, "study")
    told.edge("fit", PART_OF, "study", evidence=Evidence.DECLARED)
    observed = Cut().narrowed(evidence=[Evidence.OBSERVED])
    assert told.upstream("scores", cut=observed) == {"score", "churn"}
    assert told.upstream("scores", cut=Cut().narrowed(evidence=[Evidence.OBSERVED, Evidence.INFERRED])) == {
        "score",
        "churn",
        "churn/1",
        "fit",
        "orders",
    }
    assert "orders" in told.upstream("study", cut=observed)


def test_what_was_seen_since_is_judged_behind_a_version_too(told: Told) -> None:
    told(K.MODEL, "churn")
    told(K.MODEL_VERSION, "churn/1", "churn/2")
    for version in ("churn/1", "churn/2"):
        told.edge(version, VERSION_OF, "churn")
    told.ran("old", ["clicks"], ["churn/1"], at=1, ended=2)
    told.ran("new", ["orders"], ["churn/2"], at=10, ended=11)
    told.ran("score", ["churn"], ["scores"], at=20, ended=30)
    cut = Cut(synced=SYNCED).narrowed(seen_since=5)
    assert told.upstream("scores", cut=cut) == {"score", "churn", "churn/2", "new", "orders"}


@pytest.mark.parametrize("direction", [Direction.UPSTREAM, Direction.DOWNSTREAM])
def test_both_ways_are_as_exact_as_each_alone(told: Told, direction: Direction) -> None:
    told(K.COLUMN, "orders.id", "raw.id", "report.id")
    for column in ("orders.id", "raw.id", "report.id"):
        told.edge(column, PART_OF, column.partition(".")[0])
    told.edge("raw.id", DERIVE, "orders.id")
    told.edge("orders", DERIVE, "report")
    walk = told.walk("orders.id", Direction.BOTH, Level.COLUMN)
    assert walk.exact["raw.id"]
    assert not walk.exact["report"]
    one = told.walk("orders.id", direction, Level.COLUMN)
    assert set(one.depth) < set(walk.depth)
    assert {name: walk.exact[name] for name in one.exact} == one.exact
