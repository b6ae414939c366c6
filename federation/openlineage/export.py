"""The graph as OpenLineage events: a stable stream for other tools, from which Watersmeet reads all of it back."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..model import AssetKind, Edge, EdgeKind, Json, Record, RunState
from . import export_facets as facets
from . import patch
from .datasets import PATCH
from .decode import encode
from .document import Pair
from .export_flows import Woven, woven
from .export_losses import Lost, of_subject
from .export_names import OURS, Book, exported_run_id
from .foreign import object_of
from .moments import EPOCH
from .project import project
from .redact import redact
from .subjects import ExportSource, Subject

_ENDS = {
    RunState.SUCCEEDED: "COMPLETE",
    RunState.FAILED: "FAIL",
    RunState.ABORTED: "ABORT",
    RunState.RUNNING: "RUNNING",
}
_DEPTH = 240
_DECLARED = uuid.UUID("0a7d5d6c-93a5-5f0e-8d0c-6f4f0b1e2d11")
"""Names the runs that stand for declarations where only runs are understood."""

Event = dict[str, Json]


class Profile(StrEnum):
    """Which events are written."""

    FULL = "full"
    """All three types, explicit lineage, and what OpenLineage has no words for."""
    LEGACY = "legacy"
    """Run events with inputs, outputs and column lineage, as every consumer understands them."""


def export(
    source: ExportSource,
    *,
    profile: Profile = Profile.FULL,
    limit: int | None = None,
    only: Callable[[Subject], bool] | None = None,
    lost: Lost = lambda loss: None,
) -> Iterator[Event]:
    """Datasets, then jobs, then runs by time, each START before its end; equal graphs give equal events.

    `limit`: so many bytes an event may have as JSON; a run with more is told in several events, by its outputs.
    `only`: which subjects are told; the others are known by name at the ends of edges. `lost` is told what the profile
    cannot say.
    """
    exporter = _Exporter(Book(source), profile, limit, lost)
    for make, subjects in (
        (exporter.dataset, source.datasets()),
        (exporter.job, source.jobs()),
        (exporter.run, source.runs()),
    ):
        for subject in filter(only, subjects) if only is not None else subjects:
            for event in make(subject):
                yield redact(event, depth=_DEPTH)[0]


@dataclass(frozen=True, slots=True)
class _Exporter:
    """Makes the events of one export."""

    book: Book
    profile: Profile
    limit: int | None
    lost: Lost

    @property
    def is_full(self) -> bool:
        """All three types of events are written."""
        return self.profile is Profile.FULL

    def dataset(self, subject: Subject) -> Iterator[Event]:
        """What is told like a dataset."""
        record, pair = subject.record, self.book.pair(subject.record.native_id)
        at = subject.tombstoned_at or record.updated_at or record.created_at
        told = facets.of_dataset(subject, pair, self.book)
        if not self.is_full:
            self._lose(subject, told)
            yield from self._made_of(subject, told, at)
            return
        event = _event("DatasetEvent", at, dataset={"namespace": pair[0], "name": pair[1], "facets": told})
        plain = project("dataset/", [encode(event)]).scopes[0]
        records = (record, *subject.columns)
        told[PATCH] = self._patch(
            patch.difference(record.native_id, plain, records, subject.edges, is_dated=at is not None)
        )
        yield event

    def job(self, subject: Subject) -> Iterator[Event]:
        """What is declared of a job."""
        record, pair = subject.record, self.book.pair(subject.record.native_id)
        at = subject.tombstoned_at or record.updated_at or record.created_at
        drawn = woven(record.native_id, subject.edges, self.book, with_plans=self.is_full)
        told = facets.of_job(record)
        if not self.is_full:
            self._lose(subject, told)
            if drawn.inputs or drawn.outputs:
                yield from self._declared_run(record.native_id, pair, drawn, at)
            return
        if drawn.entries:
            told["lineage"] = facets.job_lineage(drawn.entries)
        job = {"namespace": pair[0], "name": pair[1], "facets": told}
        event = _event("JobEvent", at, job=job, inputs=drawn.inputs, outputs=drawn.outputs)
        plain = project("job/", [encode(event)]).scopes[0]
        told[PATCH] = self._patch(
            patch.difference(record.native_id, plain, [record], subject.edges, is_dated=at is not None)
        )
        yield event

    def run(self, subject: Subject) -> Iterator[Event]:
        """One run: its start, and what it came to."""
        record = subject.record
        drawn = woven(record.native_id, subject.edges, self.book, with_plans=self.is_full)
        told = facets.of_run(record)
        parent = self._parent(subject)
        if parent is not None:
            told["parent"] = parent
        _with_io_facets(record, drawn)
        job = self._job_of(subject)
        if not self.is_full:
            self._lose(subject, (), with_parent=parent is not None)
            yield from self._legacy_run(record, job, told, drawn)
            return
        job_facets = {"lineage": facets.job_lineage(drawn.entries)} if drawn.must_be_explicit else {}
        events = list(_run_events(record, exported_run_id(record.native_id), job, told, drawn, job_facets))
        plain = project(f"run/{record.native_id}", [encode(event) for event in events]).scopes[0]
        dated = record.run is not None and bool(record.run.started_at or record.run.ended_at)
        difference = patch.difference(record.native_id, plain, [record], subject.edges, is_dated=dated)
        *first, last = events
        yield from first
        yield from self._within_limit(last, difference)

    # Parts of events

    def _patch(self, found: patch.Patch) -> Json:
        return patch.facet(found, facets.own("graph"))

    def _within_limit(self, event: Event, difference: patch.Patch) -> Iterator[Event]:
        """The event with its patch; where it is too long, its outputs go ahead in events of their own."""
        run = event["run"]["facets"]
        run[PATCH] = self._patch(difference)
        if self.limit is None or len(event["outputs"]) < 2 or len(encode(event)) <= self.limit:
            yield event
            return
        parts = _by_output(event, difference, self.book)
        for outputs, edges, without in parts:
            part = patch.Patch(difference.subject, edges=edges, without=without, is_dated=difference.is_dated)
            bare = {PATCH: self._patch(part)}
            yield {
                **event,
                "eventType": "RUNNING",
                "run": {**event["run"], "facets": bare},
                "outputs": outputs,
                "inputs": [],
                "job": {**event["job"], "facets": {}},
            }
        spoken = {edge for _, edges, without in parts for edge in (*edges, *without)}
        run[PATCH] = self._patch(
            patch.Patch(
                difference.subject,
                difference.same,
                difference.records,
                tuple(edge for edge in difference.edges if edge not in spoken),
                tuple(edge for edge in difference.without if edge not in spoken),
                difference.is_dated,
            )
        )
        names = [{"namespace": one["namespace"], "name": one["name"]} for one in event["outputs"]]
        yield {**event, "outputs": names}

    def _parent(self, subject: Subject) -> Json | None:
        above = [
            one.downstream
            for one in subject.edges
            if one.kind is EdgeKind.PART_OF and one.downstream.startswith("run:")
        ]
        if not above or "parent" in subject.record.facets:
            return subject.record.facets.get("parent")
        told = {"runId": exported_run_id(above[0])}
        return facets.facet("ParentRunFacet", "1-2-0", run=told, job={"namespace": OURS, "name": above[0]})

    def _job_of(self, subject: Subject) -> Pair:
        """The run's job; a run without one is told of what it belongs to, or of itself."""
        for kind in (EdgeKind.RUN_OF, EdgeKind.PART_OF):
            found = sorted(one.downstream for one in subject.edges if one.kind is kind)
            if found:
                return self.book.pair(found[0])
        return (OURS, subject.record.name)

    # The legacy profile

    def _lose(self, subject: Subject, told: Iterable[str], *, with_parent: bool = False) -> None:
        for loss in of_subject(subject, told, with_parent=with_parent):
            self.lost(loss)

    def _legacy_run(self, record: Record, job: Pair, told: Mapping[str, Json], drawn: Woven) -> Iterator[Event]:
        if drawn.is_simple:
            yield from _run_events(record, exported_run_id(record.native_id), job, told, drawn, {})
            return
        yield from _run_events(record, exported_run_id(record.native_id), job, told, Woven(), {})
        run = {"runId": exported_run_id(record.native_id)}
        parent = facets.facet("ParentRunFacet", "1-2-0", run=run, job={"namespace": job[0], "name": job[1]})
        for number, flow in enumerate(drawn.flows, 1):
            run_id = exported_run_id(f"{record.native_id}#flow{number}")
            of_flow = (job[0], f"{job[1]}#flow{number}")
            yield from _run_events(record, run_id, of_flow, {"parent": parent}, flow, {})

    def _made_of(self, subject: Subject, told: Mapping[str, Json], at: datetime | None) -> Iterator[Event]:
        """A dataset that is declared to come from others, as one run that made it."""
        inputs = [one for one in object_of(told, "lineage").get("inputs", ()) if one.get("type") == "DATASET"]
        named = {(one["namespace"], one["name"]): None for one in inputs}
        if not named or subject.record.kind is AssetKind.EVALUATION:
            return
        pair = self.book.pair(subject.record.native_id)
        drawn = Woven(
            inputs=[{"namespace": namespace, "name": name} for namespace, name in named],
            outputs=[{"namespace": pair[0], "name": pair[1]}],
        )
        yield from self._declared_run(subject.record.native_id, (OURS, f"derive:{subject.record.native_id}"), drawn, at)

    def _declared_run(self, native_id: str, job: Pair, drawn: Woven, at: datetime | None) -> Iterator[Event]:
        flows = [drawn] if drawn.is_simple else drawn.flows
        for number, flow in enumerate(flows, 1):
            name = job[1] if len(flows) == 1 else f"{job[1]}#flow{number}"
            yield _event(
                "RunEvent",
                at,
                eventType="COMPLETE",
                run={"runId": str(uuid.uuid5(_DECLARED, f"{native_id}#{number}")), "facets": {}},
                job={"namespace": job[0], "name": name, "facets": {}},
                inputs=flow.inputs,
                outputs=flow.outputs,
            )


def _run_events(
    record: Record, run_id: str, job: Pair, told: Mapping[str, Json], drawn: Woven, job_facets: Mapping[str, Json]
) -> Iterator[Event]:
    life = record.run
    named = {"namespace": job[0], "name": job[1]}
    started, ended = (life.started_at, life.ended_at) if life else (None, None)
    if started is not None:
        parent = {name: told[name] for name in ("parent",) if name in told}
        yield _event(
            "RunEvent",
            started,
            eventType="START",
            run={"runId": run_id, "facets": parent},
            job={**named, "facets": {}},
            inputs=[_bare(one) for one in drawn.inputs],
            outputs=[_bare(one) for one in drawn.outputs],
        )
    yield _event(
        "RunEvent",
        ended or started,
        eventType=_ENDS.get(life.state, "OTHER") if life else "OTHER",
        run={"runId": run_id, "facets": dict(told)},
        job={**named, "facets": dict(job_facets)},
        inputs=drawn.inputs,
        outputs=drawn.outputs,
    )


def _event(kind: str, at: datetime | None, **members: Json) -> Event:
    return {
        **members,
        "eventTime": (at or EPOCH).isoformat(),
        "producer": facets.PRODUCER,
        "schemaURL": facets.SPEC + kind,
    }


def _bare(one: Mapping[str, Json]) -> Json:
    return {"namespace": one["namespace"], "name": one["name"]}


def _with_io_facets(record: Record, drawn: Woven) -> None:
    """The input and output facets that the run keeps for its datasets."""
    for key, mentions in (("inputFacets", drawn.inputs), ("outputFacets", drawn.outputs)):
        kept = record.facets.get(key)
        for one in mentions:
            told = object_of(kept, drawn.native_of.get((one["namespace"], one["name"]), ""))
            if told:
                one[key] = told


def _by_output(
    event: Event, difference: patch.Patch, book: Book
) -> Sequence[tuple[Sequence[Json], tuple[Edge, ...], tuple[Edge, ...]]]:
    parts: list[tuple[Sequence[Json], tuple[Edge, ...], tuple[Edge, ...]]] = []
    for one in event["outputs"]:
        pair = (one["namespace"], one["name"])
        edges, without = (
            tuple(edge for edge in some if book.pair(book.dataset(edge.downstream)) == pair)
            for some in (difference.edges, difference.without)
        )
        parts.append(([one], edges, without))
    return parts


__all__ = ["Event", "Profile", "export"]


def lines(events: Iterable[Event]) -> Iterator[bytes]:
    """Events as lines of NDJSON; equal graphs give equal bytes."""
    return map(encode, events)
