"""The store's whole graph as the exporter wants it, read by the page: numbers and names are held, nothing else."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..federation.columns import GraphColumns
from ..federation.identity import kind_of
from ..federation.model import AssetKind, EdgeKind, Form
from ..federation.openlineage import Subject
from ..federation.rows import RecordRow
from ..federation.store import Store
from .united import died_at, edge_of, united

PAGE = 100
"""Assets whose records and edges are in memory at a time."""
_SPOKEN = (Form.OPENLINEAGE, Form.OPENLINEAGE_JOB, Form.OPENLINEAGE_RUN)
"""Who bears such a name is called as OpenLineage calls it, so that an import finds it again."""
_KINDS, _EDGE_KINDS = list(AssetKind), list(EdgeKind)
_PROCESSES = (AssetKind.JOB, AssetKind.RUN)
_BY_UPSTREAM = (EdgeKind.WRITE, EdgeKind.PART_OF, EdgeKind.VERSION_OF, EdgeKind.ALIAS_OF, EdgeKind.RUN_OF)

Takes = Callable[[Sequence[RecordRow]], bool]


class Whole:
    """Everything that the store knew when this was made; each asset once, however many sources know it."""

    def __init__(self, store: Store, takes: Takes) -> None:
        """`takes`: whether an asset, given its records, is exported."""
        self._store = store
        self._graph = _Numbers(store.reader.columns())
        self._names: dict[int, str] = {}
        self._inside: set[str] = set()
        self._jobs: list[tuple[str, str, int]] = []
        self._runs: list[tuple[str, str, int]] = []
        self._others: list[tuple[str, str, int]] = []
        taken: set[str] = set()
        for rows in self._assets(self._graph.assets.tolist()):
            self._enter(rows, taken, takes)
        for run, job in self._graph.job_of.items():  # a run goes with its job
            if self._names.get(job) not in self._inside:
                self._inside.discard(self._names.get(run, ""))
        for waiting in (self._jobs, self._runs, self._others):
            waiting.sort()

    def is_inside(self, subject: Subject) -> bool:
        """Whether a subject is exported, not only named at the end of an edge."""
        return subject.record.native_id in self._inside

    def datasets(self) -> Iterator[Subject]:
        """Everything but jobs, runs and the columns of datasets, by name."""
        return self._subjects(self._others)

    def jobs(self) -> Iterator[Subject]:
        """Jobs, by name."""
        return self._subjects(self._jobs)

    def runs(self) -> Iterator[Subject]:
        """Runs, by their start."""
        return self._subjects(self._runs)

    def _enter(self, rows: Sequence[RecordRow], taken: set[str], takes: Takes) -> None:
        asset, name = rows[0].asset, _name(rows, taken)
        taken.add(name)
        self._names[asset] = name
        if takes(rows):
            self._inside.add(name)
        if asset not in self._graph.dataset_of:
            kind = kind_of(row.kind for row in rows)
            kept = {AssetKind.JOB: self._jobs, AssetKind.RUN: self._runs}.get(kind, self._others)
            kept.append((_started(rows) if kind is AssetKind.RUN else "", name, asset))

    def _assets(self, numbers: Iterable[int]) -> Iterator[list[RecordRow]]:
        for some in _pages(numbers):
            found = self._store.reader.assets(some)
            yield from (found[asset] for asset in some if asset in found)

    def _subjects(self, wanted: Sequence[tuple[str, str, int]]) -> Iterator[Subject]:
        for some in _pages(asset for _, _, asset in wanted):
            columns = [column for asset in some for column in self._graph.columns_of.get(asset, ())]
            rows = {one[0].asset: one for one in self._assets([*some, *columns])}
            claims = {asset: self._graph.owned(asset) for asset in some}
            edges = self._store.reader.edges(claim for numbers in claims.values() for claim in numbers)
            for asset in some:
                mine = {edge_of(edges[claim], self._called) for claim in claims[asset] if claim in edges}
                parts = (united(rows[one], self._names[one]) for one in self._graph.columns_of.get(asset, ()))
                yield Subject(
                    united(rows[asset], self._names[asset]),
                    tuple(sorted(mine, key=repr)),
                    tuple(sorted(parts, key=lambda part: part.native_id)),
                    died_at(rows[asset]),
                )

    def _called(self, record: int) -> str:
        return self._names[self._graph.asset_of(record)]


class _Numbers:
    """The graph's columns, sorted by the asset with which a claim is told (`subjects.owner` says which)."""

    def __init__(self, columns: GraphColumns) -> None:
        self._record, self._asset = columns.record, columns.asset
        self.assets = np.unique(columns.asset)
        kinds: dict[int, list[int]] = defaultdict(list)
        for asset, kind in zip(columns.asset.tolist(), columns.kind.tolist(), strict=True):
            kinds[asset].append(kind)
        kind_at = {asset: kind_of(_KINDS[kind] for kind in told) for asset, told in kinds.items()}
        up, down, via = (self._assets_of(ends) for ends in (columns.up, columns.down, columns.via))
        self.dataset_of = _datasets(columns, kind_at, up, down)
        runs = np.flatnonzero(columns.edge_kind == _EDGE_KINDS.index(EdgeKind.RUN_OF))
        self.job_of: dict[int, int] = dict(zip(up[runs].tolist(), down[runs].tolist(), strict=True))
        self.columns_of: dict[int, list[int]] = defaultdict(list)
        for column, dataset in self.dataset_of.items():
            self.columns_of[dataset].append(column)
        owner = _owners(columns, kind_at, up, down, via)
        owner = np.array([self.dataset_of.get(one, one) for one in owner.tolist()], np.int64)
        order = np.argsort(owner, kind="stable")
        self._owner, self._claim = owner[order], columns.claim[order]

    def owned(self, asset: int) -> list[int]:
        """The claims that are told with an asset."""
        first, last = np.searchsorted(self._owner, [asset, asset + 1])
        return self._claim[first:last].tolist()

    def asset_of(self, record: int) -> int:
        """The asset of a record."""
        return int(self._asset[np.searchsorted(self._record, record)])

    def _assets_of(self, records: NDArray[np.int64]) -> NDArray[np.int64]:
        if not self._record.size:
            return records
        places = np.minimum(np.searchsorted(self._record, records), self._record.size - 1)
        return np.where(self._record[places] == records, self._asset[places], 0)


def _datasets(
    columns: GraphColumns, kinds: Mapping[int, AssetKind], up: NDArray[np.int64], down: NDArray[np.int64]
) -> dict[int, int]:
    """The dataset of each column that has one."""
    found: dict[int, int] = {}
    parts = np.flatnonzero(columns.edge_kind == _EDGE_KINDS.index(EdgeKind.PART_OF))
    for column, dataset in zip(up[parts].tolist(), down[parts].tolist(), strict=True):
        is_column = kinds.get(column) is AssetKind.COLUMN
        if is_column and kinds.get(dataset, AssetKind.COLUMN) not in (AssetKind.COLUMN, *_PROCESSES):
            found.setdefault(column, dataset)
    return found


def _owners(
    columns: GraphColumns,
    kinds: Mapping[int, AssetKind],
    up: NDArray[np.int64],
    down: NDArray[np.int64],
    via: NDArray[np.int64],
) -> NDArray[np.int64]:
    by_upstream = np.isin(columns.edge_kind, [_EDGE_KINDS.index(kind) for kind in _BY_UPSTREAM])
    is_read = columns.edge_kind == _EDGE_KINDS.index(EdgeKind.READ)
    processes = np.array([asset for asset, kind in kinds.items() if kind in _PROCESSES], np.int64)
    through = ~by_upstream & ~is_read & np.isin(via, processes)
    return np.where(by_upstream, up, np.where(through, via, down))


def _name(rows: Sequence[RecordRow], taken: set[str]) -> str:
    spoken = [row for row in rows if any(spelling.form in _SPOKEN and not spelling.weak for spelling in row.spellings)]
    best = (spoken or rows)[0]
    return best.native_id if best.native_id not in taken else f"{best.source}:{best.native_id}"


def _started(rows: Sequence[RecordRow]) -> str:
    return min((row.run.started_at.isoformat() for row in rows if row.run and row.run.started_at), default="")


def _pages(numbers: Iterable[int]) -> Iterator[list[int]]:
    waiting = iter(numbers)
    while some := list(islice(waiting, PAGE)):
        yield some
