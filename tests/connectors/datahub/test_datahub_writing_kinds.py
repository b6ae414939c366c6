"""Each kind of thing, with each kind of edge to each other kind, has a place in DataHub or a reason."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.federation.dossier import Dossier, Verdict, belongs_to
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record, Role, Run, RunState

from .official import is_sound
from .rounds import versions, written

AT = datetime(2026, 1, 1, tzinfo=UTC)
FACETS = {
    "owners": [{"name": "ada", "role": "owner"}],
    "tags": [{"key": "gold"}, {"key": "tier", "value": "1"}],
    "terms": [{"name": "Revenue"}],
    "links": [{"name": "page", "url": "http://wiki"}],
    "parameters": {"depth": "3"},
    "metrics": {"auc": 0.5},
    "strange": {"it": [1, 2]},
    "long": "x" * 5000,
}


def record(kind: AssetKind, which: str) -> Record:
    """One thing of which everything is told."""
    return Record(
        f"{which}/{kind.lower()},(1)",
        kind,
        f"{which} {kind.lower()}",
        subtype="word",
        description="what it is",
        url="http://page",
        created_at=AT,
        updated_at=AT,
        run=Run(RunState.ABORTED, AT, AT, "cut off"),
        facets=FACETS,
    )


OTHERS = {kind: record(kind, "far") for kind in AssetKind}


def columns() -> tuple[Record, ...]:
    told = record(AssetKind.COLUMN, "near")
    types = ("bool", "timestamp", "struct<a>", "varchar", "")
    others = [
        Record(f"near#{number}", AssetKind.COLUMN, f"c{number}", facets={"type": one, "ordinal": number})
        for number, one in enumerate(types)
    ]
    return (told, *others)


def edges(near: Record) -> Iterator[Edge]:
    for kind in EdgeKind:
        for far in OTHERS.values():
            for up, down in ((near, far), (far, near)):
                edge = Edge(
                    up.native_id,
                    down.native_id,
                    kind,
                    role=Role.TRAINING if kind is EdgeKind.READ else None,
                    flow=1,
                    confidence=0.5,
                    planned=True,
                    outcome=RunState.FAILED,
                    valid_from=AT,
                    transformation="sum" if kind is EdgeKind.DERIVE else None,
                    alias="champion" if kind is EdgeKind.ALIAS_OF else None,
                )
                if belongs_to(edge) == near.native_id:
                    yield edge


def dossier(kind: AssetKind) -> Dossier:
    near = record(kind, "near")
    has_columns = kind in (AssetKind.DATASET, AssetKind.DATASET_VERSION, AssetKind.FEATURE_TABLE)
    parts = columns() if has_columns else ()
    own = [edge for one in (near, *parts[:1]) for edge in edges(one)]
    own += [Edge(one.native_id, near.native_id, EdgeKind.PART_OF) for one in parts]
    wholes = {one.native_id: near.native_id for one in parts}
    wholes[OTHERS[AssetKind.COLUMN].native_id] = OTHERS[AssetKind.DATASET].native_id
    ends = {one.native_id: one for one in OTHERS.values()}
    return Dossier(near, "lab", "mlflow", parts, tuple(own), ends, wholes)


@pytest.mark.parametrize("kind", AssetKind)
def test_each_kind_with_all_its_edges_has_a_place_or_a_reason(kind: AssetKind) -> None:
    told = [dossier(kind)]
    with Sandbox(empty=True) as sandbox:
        outcomes = written({"url": sandbox.url}, told)
        assert [one for one in outcomes if one.verdict is Verdict.FAILED] == []
        assert all(one.reason for one in outcomes if one.verdict is not Verdict.MIGRATED)
        before = versions(sandbox)
        again = written({"url": sandbox.url}, told)
        assert (versions(sandbox), again) == (before, outcomes)
        for urn, entity in sandbox.world.entities.items():
            for name, stored in entity.aspects.items():
                assert is_sound(name, stored.value), (urn, name, stored.value)
