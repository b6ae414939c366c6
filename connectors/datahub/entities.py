"""What an entity of the API becomes: each aspect by itself, so that a broken one takes nothing with it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from ...federation.errors import SourceError
from ...federation.model import Json, RunState, Skipped
from .jobs import RUN_LINEAGE, Ends, order_of
from .mapping import RUN_EVENTS, SERIES, series, whole
from .rest import Rest
from .saying import Aspect, Place, Told, scope_key
from .unheard import Unheard
from .urn import BadUrn, Urn, read
from .wire import field, members, moment, sample, stamped

_TAKEN = 500
_Row = Mapping[str, Any]


class Entities:
    """Translates entities, and asks for the last events of those that have some."""

    def __init__(self, rest: Rest, place: Place, selects: Callable[[Urn], bool], run_events: int) -> None:
        self._rest = rest
        self._place = place
        self._selects = selects
        self._run_events = run_events
        self.failures: list[str] = []
        self._unheard = Unheard()

    def begin(self) -> None:
        """A new reading: what was said once may be said again."""
        self.failures.clear()
        self._unheard = Unheard()

    def told(self, rows: Iterable[_Row], since: datetime | None = None) -> Told:
        """All that some entities say. Runs that were made before `since` have had their last event."""
        told = Told()
        for row in rows:
            told += self._one(row, since)
        return told

    def _one(self, row: _Row, since: datetime | None) -> Told:
        try:
            one = read(row.get("urn"))
        except BadUrn as error:
            what = f"entity {sample(row.get('urn'))[:_TAKEN]}"
            return Told(skipped=(Skipped(what, f"its URN names nothing: {error}", sample(dict(row))),))
        if not self._selects(one):
            return Told()
        aspects, aside, unread = list[Aspect](), list[Skipped](), list[str]()
        for name, envelope in row.items():
            if name == "urn":
                continue
            value = members(field(envelope, "value"))
            if value is None:
                aside.append(Skipped(f"{one.text} {name}", "the aspect is no object", sample(envelope)))
                unread.append(scope_key(one, name))
            else:
                aspects.append(_aspect(one, name, value, field(envelope, "systemMetadata")))
        aside += self._unheard.of(one, (aspect.name for aspect in aspects))
        told = Told(skipped=tuple(aside), unread=tuple(unread))
        if one.type in SERIES and self._run_events and not self.failures:
            if since is not None and _is_settled(one, aspects, since):
                known = [aspect for aspect in aspects if aspect.name in RUN_LINEAGE]
                aspects = [aspect for aspect in aspects if aspect.name not in RUN_LINEAGE]
                told += Told(unread=tuple(scope_key(one, aspect.name) for aspect in known))
            else:
                events, further = self._events(one)
                told += further
                outcome = _outcome(one, aspects, events)
                aspects = [replace(aspect, outcome=outcome) for aspect in aspects]
        return whole(one, aspects, self._place) + told

    def _events(self, one: Urn) -> tuple[Sequence[Json], Told]:
        """The newest events of one run or assertion. Where they cannot be had, that is said once."""
        name = SERIES[one.type]
        try:
            written = self._rest.series(one, name, self._run_events)
        except SourceError as error:
            self.failures.append(f"the events of runs and assertions cannot be read: {error}")
            return (), Told()
        events, aside = list[Json](), list[Skipped]()
        for text in written:
            event = _parsed(text)
            if event is None:
                aside.append(Skipped(f"{one.text} {name}", "an event is no object", sample(text)))
            else:
                events.append(event)
        if not events:
            return (), Told(skipped=tuple(aside))
        newest = max(events, key=order_of)
        aspect = Aspect(one, name, newest, moment(field(newest, "timestampMillis")))
        told = series(aspect, self._place, events)
        return events, replace(told, skipped=told.skipped + tuple(aside))


def _is_settled(one: Urn, aspects: Iterable[Aspect], since: datetime) -> bool:
    """Whether a run has had its last event, and what it read and wrote was told with how it ended."""
    made = next((stamped(aspect.value, "created") for aspect in aspects if "created" in aspect.value), None)
    told = (aspect.stated_at for aspect in aspects if aspect.name in RUN_LINEAGE)
    is_old = one.type == "dataProcessInstance" and made is not None and made < since
    return is_old and all(at is not None and at < since for at in told)


def _outcome(one: Urn, aspects: Iterable[Aspect], events: Sequence[Json]) -> RunState | None:
    ends = Ends(most=1)
    for aspect in aspects:
        ends.note(one.text, aspect.name, aspect.value)
    for event in events:
        ends.note(one.text, RUN_EVENTS, event)
    return ends.of(one.text)


def _aspect(one: Urn, name: str, value: Mapping[str, Any], stamps: Json) -> Aspect:
    """`lastObserved` moves each time the same is told again: it only stands in where nothing else is told."""
    stated = stamped(stamps, "aspectModified") or stamped(stamps, "aspectCreated")
    changed = field(stamps, "version") != "1"
    return Aspect(one, name, value, stated or moment(field(stamps, "lastObserved")), changed)


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return members(orjson.loads(text))
    except orjson.JSONDecodeError:
        return None
