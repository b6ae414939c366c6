"""What passed through one process: its READ and WRITE edges with their flows, and the edges between columns."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..model import AssetKind, Edge, EdgeKind, Evidence, Json, Record, RunState
from . import datasets, flows, lineage
from .document import Pair, canonical
from .flows import Ends, Flow
from .lineage import Made, Source
from .merge import Facts, Side
from .names import Names, column_id, job_id, job_stub, run_id, run_stub
from .sheet import Sheet

DOUBTED = 0.5
"""The confidence in what only the START of an ended run named."""
SUSPECT = 0.25
"""The confidence in a name that may be no dataset."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one write."""

    planned: bool = False
    outcome: RunState | None = None
    confidence: float = 1.0


@dataclass(slots=True)
class Process:
    """One run, or one declaration of a job."""

    native_id: str
    job: Pair
    run: str
    """The run's id as it is told; empty for a declaration."""
    evidence: Evidence
    since: datetime | None
    inputs: Mapping[Pair, Side]
    outputs: Mapping[Pair, Side]
    windows: Sequence[tuple[Collection[Pair], Collection[Pair]]]
    facts: Mapping[Pair, Facts]
    job_facets: Mapping[str, Json]
    names: Names
    is_parsed: bool
    """Its column lineage comes from reading SQL."""
    fate: Callable[[Pair], Fate] = field(default=lambda _pair: Fate())
    doubt: Callable[[Pair], float] = field(default=lambda _pair: 1.0)
    """The confidence in an input."""


class Passage:
    """Draws one process on a sheet."""

    def __init__(self, process: Process, sheet: Sheet) -> None:
        self._process = process
        self._sheet = sheet
        self._records: dict[str, Record] = {}
        self._pairs: dict[str, Pair] = {}
        self._entries = list(self._explicit())

    def draw(self) -> Sequence[Flow]:
        """Put datasets, columns and all edges on the sheet; returns the flows."""
        process = self._process
        for pair in dict.fromkeys((*process.inputs, *process.outputs)):
            self._dataset(pair)
        made = self._made()
        drawn = self._through_explicit(made) if self._entries else self._through_told(made)
        self._read_and_write(drawn)
        for pair, one in made.items():
            self._columns(pair, one)
        return drawn

    # Who is meant

    def _dataset(self, pair: Pair) -> Record:
        process = self._process
        native_id = process.names.id_of(pair)
        if native_id not in self._records:
            facts, suspect = process.facts.get(pair), process.names.is_suspect(pair)
            if facts is None or (pair not in process.inputs and pair not in process.outputs):
                record = process.names.stub(pair, datasets.kind(pair, {}))
            else:
                written = pair in process.outputs and not process.fate(pair).planned
                record = datasets.described(native_id, facts, written=written, suspect=suspect)
            self._keep(record, pair)
            if facts is not None and record.described:
                for column in datasets.columns(record, pair, facts):
                    self._column_of(record, column)
        return self._records[native_id]

    def _keep(self, record: Record, pair: Pair) -> None:
        self._records[record.native_id] = record
        self._pairs[record.native_id] = pair
        self._sheet.record(record)

    def _column_of(self, dataset: Record, column: Record) -> str:
        if not self._sheet.knows(column.native_id):
            self._sheet.record(column)
            process = self._process
            self._sheet.edge(datasets.hangs(column, dataset, EdgeKind.PART_OF, process.evidence, process.since))
        return column.native_id

    def _field(self, pair: Pair, path: str) -> str:
        """A column that lineage names, whether or not a schema lists it."""
        dataset = self._dataset(pair)
        native_id = column_id(dataset.native_id, path)
        if self._sheet.knows(native_id):
            return native_id
        return self._column_of(dataset, datasets.column_stub(dataset, pair, path, suspect=self._is_unnamed(pair, path)))

    def _is_unnamed(self, pair: Pair, path: str) -> bool:
        """A parser's word for an expression without a name: `_0`, which the table's schema does not have."""
        facts = self._process.facts.get(pair)
        return path[:1] == "_" and path[1:].isdigit() and facts is not None and "schema" in facts.facets

    def _source(self, source: Source) -> Pair:
        assert source.pair is not None  # a dataset always has a name
        return self._process.names.aligned(canonical(*source.pair))

    # What met what

    def _explicit(self) -> Iterable[Made]:
        process = self._process
        yield from lineage.of_job(process.job_facets.get("lineage"))
        for pair in process.outputs:
            one = lineage.of_dataset(pair, process.facts[pair].facets.get("lineage"))
            if one is not None:
                yield one

    def _made(self) -> Mapping[Pair, Made]:
        """What is told of each target; explicit lineage goes before column lineage."""
        process = self._process
        found = dict(lineage.united(self._entries))
        for pair in process.outputs:
            one = lineage.of_columns(pair, process.facts[pair].facets.get("columnLineage"))
            before = found.get(pair)
            if one is not None and (before is None or not before.columns):
                found[pair] = one if before is None else self._detailed(before, one)
        return found

    def _detailed(self, explicit: Made, columns: Made) -> Made:
        """Column lineage where the explicit one tells no columns: as far as it does not contradict."""
        allowed = self._named(explicit)

        def agreed(sources: Iterable[Source]) -> tuple[Source, ...]:
            return tuple(one for one in sources if self._dataset(self._source(one)).native_id in allowed)

        named = tuple((name, agreed(sources)) for name, sources in columns.columns)
        whole = (*explicit.whole, *agreed(columns.whole))
        return Made(explicit.target, whole=whole, columns=tuple(one for one in named if one[1]))

    def _named(self, made: Made) -> Ends:
        """The datasets that went into it."""
        return frozenset(self._dataset(self._source(one)).native_id for one in made.sources if not one.is_job)

    def _ids(self, pairs: Iterable[Pair]) -> Ends:
        return frozenset(self._dataset(pair).native_id for pair in pairs)

    def _through_told(self, made: Mapping[Pair, Made]) -> Sequence[Flow]:
        named = {self._dataset(pair).native_id: self._named(one) for pair, one in made.items()}
        windows = [(self._ids(inputs), self._ids(outputs)) for inputs, outputs in self._process.windows]
        return flows.told(windows, named)

    def _through_explicit(self, made: Mapping[Pair, Made]) -> Sequence[Flow]:
        targets: dict[str, Ends] = {}
        elsewhere: set[str] = set()
        explicit = lineage.united(self._entries)
        for pair, one in explicit.items():
            target = self._dataset(pair).native_id
            reads = self._named(one)
            others = [source for source in one.sources if source.is_job and not self._is_own(source.pair, source.run)]
            for source in others:
                self._made_by(source, target)
            if reads or not others or any(source.is_job and source not in others for source in one.sources):
                targets[target] = reads
            else:
                elsewhere.add(target)
        process = self._process
        idle = self._ids(process.inputs) | self._into_jobs()
        return flows.explicit(targets, idle, self._ids(process.outputs), frozenset(elsewhere))

    def _into_jobs(self) -> Ends:
        """What went into jobs: into this one without coming out again, or into others."""
        own: set[str] = set()
        for one in self._entries:
            if not one.is_job:
                continue
            is_own = self._is_own(one.target, one.run)
            down = self._process.native_id if is_own else self._other(one.target, one.run)
            for source in one.sources:
                if not source.is_job:
                    upstream = self._dataset(self._source(source)).native_id
                    own.add(upstream) if is_own else self._stated(upstream, down, EdgeKind.READ, source.how)
                else:
                    self._between_jobs(source, one)
        return frozenset(own)

    def _is_own(self, job: Pair | None, run: str) -> bool:
        if run and self._process.run:
            return run_id(run) == run_id(self._process.run)
        return job is None or job == self._process.job

    def _other(self, job: Pair | None, run: str) -> str:
        """Another job, or the run of it that is named."""
        if job is not None:
            self._sheet.record(job_stub(job))
        if not run:
            return job_id(job) if job is not None else self._process.native_id
        other = self._sheet.record(run_stub(run, job))
        if job is not None:
            self._sheet.edge(Edge(other, job_id(job), EdgeKind.RUN_OF, evidence=self._process.evidence))
        return other

    def _made_by(self, source: Source, target: str) -> None:
        self._stated(self._other(source.pair, source.run), target, EdgeKind.WRITE, source.how)

    def _between_jobs(self, source: Source, made: Made) -> None:
        """Data that went from job to job with nothing between them that we know."""
        ends = [pair or self._process.job for pair in (source.pair, made.target)]
        if ends[0] != ends[1]:
            up, down = (self._sheet.record(job_stub(pair)) for pair in ends)
            self._stated(up, down, EdgeKind.DERIVE, source.how)

    def _stated(self, up: str, down: str, kind: EdgeKind, how: str | None) -> None:
        process = self._process
        self._sheet.edge(
            Edge(
                up,
                down,
                kind,
                evidence=process.evidence,
                via=process.native_id,
                valid_from=process.since,
                transformation=how,
            )
        )

    # Edges

    def _read_and_write(self, drawn: Iterable[Flow]) -> None:
        for flow in drawn:
            for native_id in flow.reads:
                self._read(native_id, flow.number)
            for native_id in flow.writes:
                self._write(native_id, flow.number)

    def _read(self, native_id: str, flow: int) -> None:
        process, pair = self._process, self._pairs[native_id]
        told = pair in process.inputs
        confidence = SUSPECT if self._records[native_id].suspect else process.doubt(pair) if told else 1.0
        parsed = not told and process.is_parsed
        self._sheet.edge(
            Edge(
                self._version(native_id, process.inputs),
                process.native_id,
                EdgeKind.READ,
                flow=flow,
                evidence=Evidence.PARSED if parsed else process.evidence,
                confidence=confidence,
                valid_from=process.since,
            )
        )

    def _write(self, native_id: str, flow: int) -> None:
        process, pair = self._process, self._pairs[native_id]
        fate = process.fate(pair)
        suspect = self._records[native_id].suspect
        self._sheet.edge(
            Edge(
                process.native_id,
                self._version(native_id, process.outputs),
                EdgeKind.WRITE,
                flow=flow,
                evidence=process.evidence,
                confidence=SUSPECT if suspect else fate.confidence,
                planned=fate.planned,
                outcome=fate.outcome,
                valid_from=process.since,
            )
        )

    def _version(self, native_id: str, side: Mapping[Pair, Side]) -> str:
        """The version that was read or written, or the dataset itself where none is told."""
        process, pair, dataset = self._process, self._pairs[native_id], self._records[native_id]
        if pair not in side:
            return native_id
        version = datasets.version(dataset, process.facts[pair], side[pair].facets)
        if version is None:
            return native_id
        self._sheet.record(version)
        self._sheet.edge(datasets.hangs(version, dataset, EdgeKind.VERSION_OF, process.evidence, process.since))
        return version.native_id

    def _columns(self, pair: Pair, made: Made) -> None:
        process, target = self._process, self._dataset(pair)
        fate = process.fate(pair) if pair in process.outputs else Fate()
        for name, sources in made.columns:
            down = self._field(pair, name)
            for source in sources:
                if source.is_job and not self._is_own(source.pair, source.run):
                    self._made_by(source, target.native_id)
                elif not source.is_job:
                    self._derive(source, down, fate)
        for source in made.whole:
            if source.field and not source.is_job:
                self._derive(source, target.native_id, fate)

    def _derive(self, source: Source, down: str, fate: Fate) -> None:
        process, pair = self._process, self._source(source)
        up = self._field(pair, source.field) if source.field else self._dataset(pair).native_id
        parsed = process.is_parsed and process.evidence is Evidence.OBSERVED
        self._sheet.edge(
            Edge(
                up,
                down,
                EdgeKind.DERIVE,
                evidence=Evidence.PARSED if parsed else process.evidence,
                confidence=SUSPECT if process.names.is_suspect(pair) else 1.0,
                via=process.native_id,
                planned=fate.planned,
                outcome=fate.outcome,
                valid_from=process.since,
                transformation=source.how,
            )
        )


__all__ = ["DOUBTED", "SUSPECT", "AssetKind", "Fate", "Passage", "Process"]
