"""What the events of one entity add up to: records and edges, the same whatever order the events came in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..model import Edge, EdgeKind, Evidence, Json, Nature, Record, RunState, Scope, Skipped, Tombstone
from . import datasets, lineage, patch, processes, quality
from .document import Document, Pair, canonical, read
from .foreign import object_of, text_of
from .merge import Facts, Side, Story, distinct, facts_of, story
from .names import Names, job_id, job_stub, run_id, run_stub
from .passage import DOUBTED, Fate, Passage, Process
from .redact import scrub
from .sheet import Sheet

_ENDLESS = frozenset({"STREAMING", "SERVICE"})
_SQL_READERS = frozenset({"AIRFLOW", "DBT", "SQL"})
"""Integrations that know columns from parsing SQL, and not from whoever ran it."""


@dataclass(frozen=True, slots=True)
class Projection:
    """What one entity's events say."""

    scopes: tuple[Scope, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def project(entity: str, events: Sequence[bytes]) -> Projection:
    """All that the set of an entity's events says; order and repetition change nothing."""
    documents, skipped = _read(entity, events)
    skipped += [_quarantined(entity, one) for one in distinct(documents) if one.quarantined]
    kind = entity.partition("/")[0]
    if kind == "run":
        told = [one for one in documents if one.run_id and one.job is not None]
        return _run(entity, told, skipped) if told else Projection(skipped=tuple(skipped))
    declared = _job if kind == "job" else _dataset
    scopes: list[Scope] = []
    tombstones: list[Tombstone] = []
    for one in distinct(documents):
        scope, gone = declared(entity, one)
        scopes.append(scope)
        tombstones += gone
    return Projection(tuple(scopes), tuple(tombstones), tuple(skipped))


def _read(entity: str, events: Sequence[bytes]) -> tuple[list[Document], list[Skipped]]:
    documents: list[Document] = []
    skipped: list[Skipped] = []
    for body in sorted(set(events)):
        try:
            documents.append(read(body))
        except ValueError as error:
            sample = scrub(body[:2000]).decode("utf-8", "replace")
            skipped.append(Skipped(entity, f"an event cannot be read: {error}", sample))
    return documents, skipped


def _quarantined(entity: str, event: Document) -> Skipped:
    places = ", ".join(sorted(event.quarantined))
    return Skipped(f"{entity} at {event.at}", f"facets that are not as they should be: {places}", lost=False)


# Runs


def _run(entity: str, documents: Sequence[Document], skipped: list[Skipped]) -> Projection:
    told = story(documents)
    sheet = Sheet()
    teller = _Teller(told, sheet)
    teller.tell()
    if told.has_conflict:
        skipped.append(Skipped(entity, f"conflict: several ends were told; it counts as {told.run.state}", lost=False))
    patches = [found for one in told.events if (found := patch.read(one.run_facets))]
    scope = patch.patched(sheet.scope(entity, Nature.HAPPENED, told.last.at), patches)
    return Projection((scope,), tuple(teller.tombstones()), tuple(skipped))


class _Teller:
    """Tells one run."""

    def __init__(self, told: Story, sheet: Sheet) -> None:
        self._told = told
        self._sheet = sheet
        self._type = object_of(told.job_facets, "jobType")
        self._integration = text_of(self._type, "integration").upper()
        self._is_batch = text_of(self._type, "processingType").upper() not in _ENDLESS
        self._run_id = told.last.run_id
        self._native_id = run_id(self._run_id)
        doubtful = [pair for pair, side in told.inputs.items() if self._is_doubtful(side)]
        self._names = Names(job_id(told.job), told.last.producer, told.inputs, told.outputs, doubtful)

    def tell(self) -> None:
        """Put all of it on the sheet."""
        told, sheet, since = self._told, self._sheet, self._told.run.started_at
        record = self._record()
        sheet.record(record)
        sheet.record(processes.job(told.job, told.job_facets, told.last.producer, told.last.at))
        processes.hierarchy(sheet, self._run_id, told.job, told.run_facets, since)
        processes.order(sheet, told.job, told.run_facets, since)
        drawn = Passage(self._process(), sheet).draw()
        code = processes.code(told.job_facets)
        if code is not None:
            numbers = {flow.number for flow in drawn if flow.writes} or {0}
            sheet.record(code)
            sheet.edge(*processes.ran(code, self._native_id, iter(sorted(numbers)), Evidence.OBSERVED, since))
        self._judge(record)

    def tombstones(self) -> Iterator[Tombstone]:
        """What the run dropped, if it came to that; what it seemed to have dropped by a part of its events lives on."""
        teller = f"run/{self._run_id}"
        for pair in sorted(self._told.outputs):
            facts = self._told.facts[pair]
            counts = self._told.run.state is RunState.SUCCEEDED and not self.fate(pair).planned
            if counts and datasets.change(facts) == "DROP":
                yield Tombstone(self._names.id_of(pair), facts.at, "dropped by a run", teller)
            elif self._told.outputs[pair].drops:
                yield Tombstone(self._names.id_of(pair), teller=teller, is_withdrawn=True)

    def fate(self, pair: Pair) -> Fate:
        """What became of a write: what a failed batch run says it wrote is a plan, unless something proves it."""
        told, side = self._told, self._told.outputs.get(pair)
        state = told.run.state
        failed = state if state in (RunState.FAILED, RunState.ABORTED) else None
        if self._integration == "DBT" and text_of(self._type, "jobType").upper() == "TEST":
            return Fate(planned=True, outcome=failed)  # where the failing rows would be stored, if they were
        if failed and self._is_batch and not (side and self._is_proven(side)):
            return Fate(planned=True, outcome=failed)
        if side is None or not self._is_start_only(side):
            return Fate(outcome=failed)
        if self._integration == "DBT":
            return Fate(planned=True, outcome=failed)  # a model that was skipped
        return Fate(outcome=failed, confidence=DOUBTED if told.later_names_any else 1.0)

    def _record(self) -> Record:
        told = self._told
        facets = dict(told.run_facets)
        for name, sides in (("inputFacets", told.inputs), ("outputFacets", told.outputs)):
            some = {self._names.id_of(pair): side.facets for pair, side in sides.items() if side.facets}
            if some:
                facets[name] = some
        quarantined = {path: raw for event in told.events for path, raw in event.quarantined.items()}
        if quarantined:
            facets["quarantined"] = quarantined
        return processes.run(self._run_id, told.job, told.run, facets, told.last.producer, told.last.at)

    def _process(self) -> Process:
        told = self._told
        return Process(
            native_id=self._native_id,
            job=told.job,
            run=self._run_id,
            evidence=Evidence.OBSERVED,
            since=told.run.started_at,
            inputs=told.inputs,
            outputs=told.outputs,
            windows=told.windows,
            facts=told.facts,
            job_facets=told.job_facets,
            names=self._names,
            is_parsed=self._integration in _SQL_READERS,
            fate=self.fate,
            doubt=self._doubt,
        )

    def _judge(self, run: Record) -> None:
        told, at = self._told, self._told.run.ended_at or self._told.run.started_at
        for pair, facts in sorted(told.facts.items()):
            sides = [side.facets for side in (told.inputs.get(pair), told.outputs.get(pair)) if side]
            _draw_checks(self._sheet, self._native_id, (pair, facts, self._names), sides, at, Evidence.OBSERVED)
        for evaluation, edge in quality.tested(run, told.run_facets, at):
            self._sheet.record(evaluation)
            self._sheet.edge(edge)

    def _doubt(self, pair: Pair) -> float:
        doubted = self._is_start_only(self._told.inputs[pair]) and self._told.later_names_any
        return DOUBTED if doubted else 1.0

    def _is_doubtful(self, side: Side) -> bool:
        """Known from SQL, which may call a function like a table. (dbt's inputs come from its manifest.)"""
        parsed = "sql" in self._told.job_facets and self._integration not in ("DBT", "SPARK")
        return parsed or self._is_start_only(side)

    def _is_start_only(self, side: Side) -> bool:
        return side.by_start_only and self._told.has_ended

    def _is_proven(self, side: Side) -> bool:
        """Rows or bytes were counted, or the write is told after it was done. (Spark repeats what it had planned.)"""
        counted = side.facets.get("outputStatistics")
        sizes = [object_of({"": counted}, "").get(name) for name in ("rowCount", "size")]
        if any(isinstance(size, int | float) and size > 0 for size in sizes):
            return True
        return side.changed_late and self._integration != "SPARK"


def _draw_checks(
    sheet: Sheet,
    sheet_id: str,
    about: tuple[Pair, Facts, Names],
    sides: Sequence[Mapping[str, Json]],
    at: datetime | None,
    evidence: Evidence,
) -> None:
    pair, facts, names = about
    dataset = datasets.described(names.id_of(pair), facts, written=False, suspect=names.is_suspect(pair))
    via = sheet_id if evidence is Evidence.OBSERVED else None
    for record, edge, column in quality.judged(
        sheet_id, dataset, [facts.facets, *sides], at, via=via, evidence=evidence
    ):
        sheet.record(record)
        sheet.edge(edge)
        if column and not sheet.knows(edge.upstream):
            stub = datasets.column_stub(dataset, pair, column, suspect=False)
            sheet.record(stub)
            sheet.edge(datasets.hangs(stub, dataset, EdgeKind.PART_OF, evidence, at))


# Declarations


def _job(entity: str, event: Document) -> tuple[Scope, list[Tombstone]]:
    """What a JobEvent declares: it replaces what the one before declared."""
    sheet = Sheet()
    assert event.job is not None  # the entity is its name
    mine = job_id(event.job)
    sheet.record(processes.job(event.job, event.job_facets, event.producer, None))
    inputs = {one.pair: Side() for one in event.inputs}
    outputs = {one.pair: Side() for one in event.outputs}
    facts = facts_of([event])
    process = Process(
        native_id=mine,
        job=event.job,
        run="",
        evidence=Evidence.DECLARED,
        since=None,
        inputs=inputs,
        outputs=outputs,
        windows=[(inputs, outputs)],
        facts=facts,
        job_facets=event.job_facets,
        names=Names(mine, event.producer, inputs, outputs),
        is_parsed=False,
    )
    drawn = Passage(process, sheet).draw()
    code = processes.code(event.job_facets)
    if code is not None:
        numbers = {flow.number for flow in drawn if flow.writes} or {0}
        sheet.record(code)
        sheet.edge(*processes.ran(code, mine, iter(sorted(numbers)), Evidence.DECLARED, None))
    return patch.patched(sheet.scope(entity, Nature.TIMED, event.at), _patches(event.job_facets)), []


def _patches(facets: Mapping[str, Json]) -> list[patch.Patch]:
    found = patch.read(facets)
    return [found] if found else []


def _dataset(entity: str, event: Document) -> tuple[Scope, list[Tombstone]]:
    """What a DatasetEvent says of a dataset, and what it was made of."""
    sheet = Sheet()
    assert event.dataset is not None  # the entity is its name
    pair = event.dataset.pair
    facts = facts_of([event])
    names = Names("", event.producer, facts, facts)
    record = datasets.described(names.id_of(pair), facts[pair], written=True, suspect=False)
    sheet.record(record)
    for column in datasets.columns(record, pair, facts[pair]):
        sheet.record(column)
        sheet.edge(datasets.hangs(column, record, EdgeKind.PART_OF, Evidence.DECLARED, None))
    version = datasets.version(record, facts[pair], {})
    if version is not None:
        sheet.record(version)
        sheet.edge(datasets.hangs(version, record, EdgeKind.VERSION_OF, Evidence.DECLARED, None))
    _Ancestry(sheet, record, pair, names).draw(facts[pair])
    _draw_checks(sheet, entity, (pair, facts[pair], names), (), event.at, Evidence.DECLARED)
    patches = _patches(facts[pair].facets)
    name = patches[0].subject if patches else record.native_id
    gone = [Tombstone(name, event.at, "dropped")] if datasets.change(facts[pair]) == "DROP" else []
    return patch.patched(sheet.scope(entity, Nature.TIMED, event.at), patches), gone


class _Ancestry:
    """What one dataset is declared to be made of, with no process between that we know."""

    def __init__(self, sheet: Sheet, record: Record, pair: Pair, names: Names) -> None:
        self._sheet = sheet
        self._record = record
        self._pair = pair
        self._names = names

    def draw(self, facts: Facts) -> None:
        """Explicit lineage goes before column lineage."""
        made = lineage.of_dataset(self._pair, facts.facets.get("lineage"))
        made = made or lineage.of_columns(self._pair, facts.facets.get("columnLineage"))
        if made is None:
            return
        for source in made.whole:
            self._from(source, self._record.native_id)
        for name, sources in made.columns:
            down = self._column(self._record, self._pair, name)
            for source in sources:
                self._from(source, down)

    def _from(self, source: lineage.Source, down: str) -> None:
        whole = self._record.native_id
        if source.is_job:
            if source.pair is not None:
                self._by(source, whole)
            return
        assert source.pair is not None  # a dataset always has a name
        pair = canonical(*source.pair)
        up = self._names.stub(pair, datasets.kind(pair, {}))
        if not self._sheet.knows(up.native_id):
            self._sheet.record(up)
        if source.field:
            self._derive(self._column(up, pair, source.field), down, source.how)
        if down != whole or source.field:
            self._derive(up.native_id, whole, None)
        else:
            self._derive(up.native_id, whole, source.how)

    def _by(self, source: lineage.Source, whole: str) -> None:
        assert source.pair is not None  # looked at before
        maker = self._sheet.record(job_stub(source.pair))
        if source.run:
            made_by = self._sheet.record(run_stub(source.run, source.pair))
            self._sheet.edge(Edge(made_by, maker, EdgeKind.RUN_OF))
            maker = made_by
        self._sheet.edge(Edge(maker, whole, EdgeKind.WRITE, transformation=source.how))

    def _column(self, dataset: Record, pair: Pair, path: str) -> str:
        stub = datasets.column_stub(dataset, pair, path, suspect=False)
        if not self._sheet.knows(stub.native_id):
            self._sheet.record(stub)
            self._sheet.edge(datasets.hangs(stub, dataset, EdgeKind.PART_OF, Evidence.DECLARED, None))
        return stub.native_id

    def _derive(self, up: str, down: str, how: str | None) -> None:
        if up != down:
            self._sheet.edge(Edge(up, down, EdgeKind.DERIVE, transformation=how))
