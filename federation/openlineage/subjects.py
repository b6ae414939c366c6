"""The graph as the exporter wants it: every asset once, with the edges that are told with it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ..model import AssetKind, Edge, EdgeKind, Record

_PROCESSES = (AssetKind.JOB, AssetKind.RUN)
_BY_UPSTREAM = (EdgeKind.WRITE, EdgeKind.PART_OF, EdgeKind.VERSION_OF, EdgeKind.ALIAS_OF, EdgeKind.RUN_OF)


@dataclass(frozen=True, slots=True)
class Subject:
    """One asset, and what is told with it."""

    record: Record
    """All that is known of it; the native id is unique among what is exported."""
    edges: tuple[Edge, ...] = ()
    """The edges that it owns (`owner`)."""
    columns: tuple[Record, ...] = ()
    tombstoned_at: datetime | None = None


class ExportSource(Protocol):
    """A graph that can be exported. Each call goes through all of it, in an order that content decides."""

    def datasets(self) -> Iterable[Subject]:
        """Everything but jobs, runs and the columns of datasets. Called twice."""
        ...

    def jobs(self) -> Iterable[Subject]:
        """Jobs. Called twice."""
        ...

    def runs(self) -> Iterable[Subject]:
        """Runs, by their start. Called once, and never held all at a time."""
        ...


def owner(edge: Edge, kinds: Mapping[str, AssetKind], dataset_of: Mapping[str, str]) -> str:
    """The native id of the asset with which an edge is told; `dataset_of`: the dataset of each column."""
    if edge.kind is EdgeKind.READ:
        mine = edge.downstream
    elif edge.kind in _BY_UPSTREAM:
        mine = edge.upstream
    elif edge.via is not None and kinds.get(edge.via) in _PROCESSES:
        mine = edge.via
    else:
        mine = edge.downstream
    return dataset_of.get(mine, mine)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A graph that fits into memory."""

    _datasets: Sequence[Subject] = field(default=())
    _jobs: Sequence[Subject] = field(default=())
    _runs: Sequence[Subject] = field(default=())

    @classmethod
    def of(
        cls, records: Iterable[Record], edges: Iterable[Edge], tombstones: Mapping[str, datetime] | None = None
    ) -> "Gathered":
        """Sort records and edges; an end that nobody describes is left to whoever imports."""
        known = {record.native_id: record for record in records}
        told = sorted(set(edges), key=repr)
        kinds = {name: record.kind for name, record in known.items()}
        dataset_of = _datasets_of(known, told)
        owned: dict[str, list[Edge]] = defaultdict(list)
        for edge in told:
            owned[owner(edge, kinds, dataset_of)].append(edge)
        columns: dict[str, list[Record]] = defaultdict(list)
        for column, dataset in sorted(dataset_of.items()):
            columns[dataset].append(known[column])
        subjects = [
            Subject(record, tuple(owned[name]), tuple(columns[name]), (tombstones or {}).get(name))
            for name, record in sorted(known.items())
            if name not in dataset_of
        ]
        by_kind: dict[AssetKind, list[Subject]] = {AssetKind.JOB: [], AssetKind.RUN: []}
        others: list[Subject] = []
        for subject in subjects:
            by_kind.get(subject.record.kind, others).append(subject)
        runs = sorted(by_kind[AssetKind.RUN], key=_by_start)
        return cls(others, by_kind[AssetKind.JOB], runs)

    def datasets(self) -> Iterator[Subject]:
        """Everything but jobs, runs and columns."""
        return iter(self._datasets)

    def jobs(self) -> Iterator[Subject]:
        """Jobs."""
        return iter(self._jobs)

    def runs(self) -> Iterator[Subject]:
        """Runs, by their start."""
        return iter(self._runs)


def _datasets_of(known: Mapping[str, Record], edges: Iterable[Edge]) -> dict[str, str]:
    """The dataset of each column that has one."""
    found: dict[str, str] = {}
    for edge in edges:
        column, dataset = known.get(edge.upstream), known.get(edge.downstream)
        if edge.kind is not EdgeKind.PART_OF or column is None or dataset is None:
            continue
        if column.kind is AssetKind.COLUMN and dataset.kind not in (AssetKind.COLUMN, *_PROCESSES):
            found.setdefault(column.native_id, dataset.native_id)
    return found


def _by_start(subject: Subject) -> tuple[str, str]:
    run = subject.record.run
    return (run.started_at.isoformat() if run and run.started_at else "", subject.record.native_id)
