"""What all events of one run add up to, whatever order they came in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..model import Json, Run, RunState
from .document import EPOCH, Document, Facets, Mention, Order, Pair
from .foreign import object_of, objects_of, text_of

_ENDS = {"FAIL": RunState.FAILED, "ABORT": RunState.ABORTED, "COMPLETE": RunState.SUCCEEDED}
_RANK = {"FAIL": 3, "ABORT": 2, "COMPLETE": 1}
"""Spark says FAIL and then COMPLETE of one failed run, so a failure wins at any time."""


@dataclass(slots=True)
class Facts:
    """What was told of one dataset."""

    pair: Pair
    spelled: set[Pair] = field(default_factory=set[Pair])
    facets: dict[str, Json] = field(default_factory=dict[str, Json])
    order: Order = (-1, b"")
    at: datetime | None = None
    producer: str = ""

    def hear(self, mention: Mention, event: Document) -> None:
        """Take in a later mention."""
        self.spelled.add(mention.spelled)
        overlay(self.facets, mention.facets)
        self.order, self.at, self.producer = event.order, event.at, event.producer


@dataclass(slots=True)
class Side:
    """One dataset as an input or as an output of one run."""

    facets: dict[str, Json] = field(default_factory=dict[str, Json])
    """Its input or output facets."""
    by_start_only: bool = True
    changed_late: bool = False
    """An event after the START says what became of it."""
    drops: bool = False
    """Some event says that it is gone, whatever others say."""


@dataclass(slots=True)
class Story:
    """One run, as all its events tell it."""

    events: Sequence[Document]
    """Each once, oldest first."""
    run: Run
    has_conflict: bool
    job: Pair
    job_facets: dict[str, Json]
    run_facets: dict[str, Json]
    facts: dict[Pair, Facts]
    inputs: dict[Pair, Side]
    outputs: dict[Pair, Side]
    windows: Sequence[tuple[frozenset[Pair], frozenset[Pair]]]
    """Inputs and outputs that may have met; one pair but for streams that tell each window by itself."""
    later_names_any: bool
    """Some event after the START names a dataset, so that what only the START named is in doubt."""

    @property
    def has_ended(self) -> bool:
        """Whether an end was told."""
        return self.run.state in _ENDS.values()

    @property
    def last(self) -> Document:
        """The newest event."""
        return self.events[-1]


def story(documents: Iterable[Document]) -> Story:
    """The run that these events tell of; there is at least one."""
    events = sorted({one.order: one for one in documents}.values(), key=lambda one: one.order)
    job_facets, run_facets = _accumulated(one.job_facets for one in events), latest(one.run_facets for one in events)
    run, has_conflict = _life(events, run_facets)
    inputs, outputs = _side(events, "inputs"), _side(events, "outputs")
    return Story(
        events=events,
        run=run,
        has_conflict=has_conflict,
        job=next(one.job for one in reversed(events) if one.job is not None),
        job_facets=job_facets,
        run_facets=run_facets,
        facts=facts_of(events),
        inputs=inputs,
        outputs=outputs,
        windows=_windows(events, object_of(job_facets, "jobType"), inputs, outputs),
        later_names_any=any(one.type != "START" and (one.inputs or one.outputs) for one in events),
    )


def overlay(before: dict[str, Json], said: Facets) -> None:
    """A facet that is sent again replaces the former whole; `_deleted` takes it away."""
    for name, facet in said.items():
        if facet.get("_deleted") is True:
            before.pop(name, None)
        else:
            before[name] = facet


def latest(sayings: Iterable[Facets]) -> dict[str, Json]:
    """Facets as the last saying of each leaves them."""
    found: dict[str, Json] = {}
    for said in sayings:
        overlay(found, said)
    return found


def facts_of(events: Iterable[Document]) -> dict[Pair, Facts]:
    """What the events tell of each dataset; they come oldest first."""
    found: dict[Pair, Facts] = {}
    for event in events:
        for mention in event.mentions:
            found.setdefault(mention.pair, Facts(mention.pair)).hear(mention, event)
    return found


def _accumulated(sayings: Iterable[Facets]) -> dict[str, Json]:
    """The same, but that explicit lineage adds up over the events of a run."""
    told = list(sayings)
    found = latest(told)
    entries = [entry for said in told for entry in objects_of(said.get("lineage"), "entries")]
    if "lineage" in found and entries:
        found["lineage"] = {**found["lineage"], "entries": entries}
    return found


def _life(events: Sequence[Document], run_facets: Mapping[str, Json]) -> tuple[Run, bool]:
    ends = [one for one in events if one.type in _RANK]
    times = [one.at for one in events if one.at is not None]
    starts = [one.at for one in events if one.at is not None and one.type == "START"]
    started = min(starts or times, default=None)
    if not ends:
        known = any(one.type for one in events)
        return Run(RunState.RUNNING if known else RunState.UNKNOWN, started, None, _error(run_facets)), False
    chosen = max(ends, key=lambda one: (_RANK[one.type], one.order))
    run = Run(_ENDS[chosen.type], started, chosen.at, _error(run_facets))
    return run, len({one.type for one in ends}) > 1


def _error(run_facets: Mapping[str, Json]) -> str | None:
    said = text_of(run_facets.get("errorMessage"), "message")
    if said:
        return said
    trace = text_of(run_facets.get("spark.exception"), "stackTrace")
    return trace.strip().partition("\n")[0] or None


def _side(events: Iterable[Document], name: str) -> dict[Pair, Side]:
    found: dict[Pair, Side] = {}
    for event in events:
        mentions: tuple[Mention, ...] = getattr(event, name)
        for mention in mentions:
            side = found.setdefault(mention.pair, Side())
            overlay(side.facets, mention.of_io)
            change = text_of(mention.facets.get("lifecycleStateChange"), "lifecycleStateChange")
            side.drops = side.drops or change.upper() == "DROP"
            if event.type != "START":
                side.by_start_only = False
                side.changed_late = side.changed_late or "lifecycleStateChange" in mention.facets
    return found


def _windows(
    events: Sequence[Document], job_type: Mapping[str, Any], inputs: Mapping[Pair, Side], outputs: Mapping[Pair, Side]
) -> Sequence[tuple[frozenset[Pair], frozenset[Pair]]]:
    pattern = object_of(job_type, "emissionPattern")
    if text_of(pattern, "eventContentMode").upper() != "COMPLETE_SNAPSHOT":
        return [(frozenset(inputs), frozenset(outputs))]
    newest: dict[object, Document] = {}
    for event in events:
        if event.inputs or event.outputs:
            newest[_window(event, pattern)] = event
    told = {(frozenset(m.pair for m in e.inputs), frozenset(m.pair for m in e.outputs)) for e in newest.values()}
    return sorted(told, key=lambda pair: (sorted(pair[0]), sorted(pair[1])))


def _window(event: Document, pattern: Mapping[str, Any]) -> object:
    """Which window an event is a snapshot of; without a duration it is one of its own."""
    seconds = pattern.get("windowDuration")
    if event.at is None or not isinstance(seconds, int | float) or seconds <= 0:
        return event.order
    return (event.at - EPOCH) // timedelta(seconds=seconds)


def distinct(documents: Iterable[Document]) -> Iterator[Document]:
    """Each event once, oldest first."""
    yield from sorted({one.order: one for one in documents}.values(), key=lambda one: one.order)
