"""What raw events become: kept, made part of the graph, or a letter where one breaks us."""

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from .clock import Clock, utcnow
from .connector import Batch, Event
from .errors import Unfit, WatersmeetError
from .naming import Registry
from .openlineage import Admitted, Limits, Projection, Refused, admit, project, scrub
from .rows import Written
from .store import Store

EVENTS = "events"
"""The name of the cursor that says how far a source's raw events have become scopes: `{"after": number}`."""
INTERNAL = "internal"
"""The reason of a letter that is no fault of its event."""
LONGEST_LETTER = 2**18
"""So many bytes of a refused body are kept."""
_UNCLEAN = b"[not kept: it could not be freed of secrets]"
_log = structlog.get_logger(__name__)


class Broken(Refused):
    """An event on which we broke: an error of Watersmeet, which its letter waits for to be mended."""

    remedy = "update Watersmeet, then replay the letter; the trace is in the log"

    def __init__(self, error: Exception) -> None:
        super().__init__(INTERNAL, "$", 422)
        self.error = error


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done with a batch of raw events."""

    entities: tuple[str, ...]
    """Of whom there is something new."""
    last: int | None
    """The number of the last of them."""
    refused: int


def lock_of(source_id: str) -> str:
    """The name of the lock that whoever writes for a source holds."""
    return f"sync/{source_id}"


# How an event is judged, and kept or buried


def judged(body: bytes, *, key: bytes, limits: Limits | None = None) -> Admitted:
    """As `admit`, for bodies from anywhere. Raises `Refused`, and `Broken` where that breaks."""
    try:
        return admit(body, key=key, limits=limits or Limits())
    except Refused:
        raise
    except Exception as error:
        raise Broken(error) from error


def bury(store: Store, source_id: str, place: str, error: Refused, body: bytes) -> bool:
    """Keep a refused body without its secrets; returns whether it is kept whole. Raises `StoreUnavailable`.

    What broke us is kept whole, to be replayed; its trace is logged when it does so for the first time.
    """
    broke = isinstance(error, Broken)
    clean = _scrubbed(body)
    kept = clean if broke else clean[:LONGEST_LETTER]
    letter_id = store.letters.bury(source_id, place, error.reason, error.path, kept)
    if letter_id is not None and broke:
        _log.error("an event broke us", source=source_id, letter=letter_id, place=place, trace=trace(error.error))
    return kept is clean and clean != _UNCLEAN


def trace(error: BaseException) -> str:
    """Where an error came from, without its message, which may hold a piece of an event."""
    return "".join((*traceback.format_tb(error.__traceback__), type(error).__name__))


def keep(store: Store, source_id: str, events: Sequence[Event]) -> Kept:
    """Append pulled events to the log; what can never be right becomes a letter. Raises `StoreUnavailable`."""
    admitted: list[Admitted] = []
    for event in events:
        try:
            admitted.append(judged(event.body, key=store.secret()))
        except Refused as error:
            bury(store, source_id, event.place, error, event.body)
    appended = store.events.append(source_id, admitted)
    return Kept(appended.entities, appended.last, len(events) - len(admitted))


def _scrubbed(body: bytes) -> bytes:
    try:
        return scrub(body)
    except Exception:  # what cannot be judged may not be kept
        return _UNCLEAN


# How events become scopes


def project_events(store: Store, source_id: str, registry: Registry, *, limit: int = 500, clock: Clock = utcnow) -> int:
    """Make scopes of the next raw events; returns of how many entities, 0 when done. Raises `AlreadyRunning`."""
    with store.lock(lock_of(source_id)):
        count, _ = project_next(store, source_id, registry, limit, clock())
        return count


def lag(store: Store, source_id: str) -> int:
    """How many of a source's raw events have not become scopes yet."""
    return store.events.lag(source_id, _projected(store, source_id))


def project_next(store: Store, source_id: str, registry: Registry, limit: int, now: datetime) -> tuple[int, Written]:
    """The same for who holds the source's lock: of how many entities, and what was written."""
    before = _projected(store, source_id)
    entities, last = store.events.entities_after(source_id, before, limit)
    if last == before:
        return 0, Written()
    written = tell(store, source_id, entities, now, resume=last)
    store.resolve(registry)
    return len(entities), written


def tell(store: Store, source_id: str, entities: Sequence[str], now: datetime, *, resume: int | None = None) -> Written:
    """Write what all events of these entities add up to, and how far that is; an event that breaks us is buried."""
    projections = [_projection(store, source_id, entity) for entity in entities]
    batch = _together([projection for projection, _ in projections], resume)
    lost = Written(skipped=sum(buried for _, buried in projections))
    write = partial(store.ledger.write, source_id, read_started_at=now, cursor_name=EVENTS)
    try:
        return lost + write(batch)
    except Exception as error:
        if not _is_of_an_event(error):
            raise
    for entity, (projection, _) in zip(entities, projections, strict=True):
        try:
            lost += write(_together([projection], None))
        except Exception as error:
            if not _is_of_an_event(error):
                raise
            lost += Written(skipped=_bury_all(store, source_id, entity, store.events.of(source_id, entity), error))
    return lost + write(_together([], resume))


def _is_of_an_event(error: Exception) -> bool:
    """Whether the next event may fare better."""
    return isinstance(error, Unfit) or not isinstance(error, WatersmeetError)


def _together(projections: Sequence[Projection], resume: int | None) -> Batch:
    return Batch(
        scopes=tuple(one for each in projections for one in each.scopes),
        tombstones=tuple(one for each in projections for one in each.tombstones),
        skipped=tuple(one for each in projections for one in each.skipped),
        resume=None if resume is None else {"after": resume},
    )


def _projection(store: Store, source_id: str, entity: str) -> tuple[Projection, int]:
    """What an entity's events add up to without those that break the sum, and how many those are."""
    events = store.events.of(source_id, entity)
    try:
        return project(entity, events), 0
    except Exception:
        sound = list(_sound(store, source_id, entity, [], events))
    return project(entity, sound), len(events) - len(sound)


def _sound(store: Store, source_id: str, entity: str, before: list[bytes], events: Sequence[bytes]) -> Iterator[bytes]:
    """Those of some events that go together with the sound ones before; found by halves, in order of arrival."""
    try:
        project(entity, [*before, *events])
    except Exception as error:
        if len(events) == 1:
            _bury_all(store, source_id, entity, events, error)
            return
    else:
        yield from events
        return
    half = len(events) // 2
    first = list(_sound(store, source_id, entity, before, events[:half]))
    yield from first
    yield from _sound(store, source_id, entity, [*before, *first], events[half:])


def _bury_all(store: Store, source_id: str, entity: str, events: Sequence[bytes], error: Exception) -> int:
    for body in events:
        bury(store, source_id, f"event of {entity[:200]}", Broken(error), body)
    return len(events)


def _projected(store: Store, source_id: str) -> int:
    cursor = store.journal.cursor(source_id, EVENTS)
    return int(cursor["after"]) if cursor else 0
