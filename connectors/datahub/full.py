"""One reading of everything from first to last, group by group, or what is left of one that was killed."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from ...federation.clock import Clock
from ...federation.connector import Batch
from ...federation.model import Skipped
from ..http import Denied, Rejected
from .changes import ChangeLog, NoLog
from .cursor import Marks, written
from .entities import Entities
from .rest import Page, Rest
from .saying import Told
from .scan import Group, Scan, Unfinished, alone, groups

READ = "GET_ENTITY on the entities that are to be read"
_LATE = timedelta(days=7)
"""A run that is older than this when everything is read again has had its last event."""
_SHRUNK = 0.5
"""Where a listing is shorter than this share of the former one, an index that is built anew is likelier."""
_MANY = 20
"""Of fewer entities than these half may well be deleted."""
_NOTHING = (
    "authenticated, but no entity is visible: DataHub hides what a credential may not see. Grant it to view entities"
)
_Aspects = dict[str, tuple[str, ...]]


class Full:
    """Reads everything once."""

    def __init__(self, rest: Rest, log: ChangeLog | None, entities: Entities, size: int, clock: Clock) -> None:
        self._rest = rest
        self._log = log
        self._entities = entities
        self._size = size
        self._clock = clock
        self._listed: list[str] = []
        self._failures: list[str] = []
        self._grants: list[str] = []
        self._is_to_repeat = False
        self._done = self._total = self._seen = 0

    def batches(self, marks: Marks, types: Sequence[str], aspects: _Aspects) -> Iterator[Batch]:
        """Page by page; the last batch says what was read from first to last."""
        waiting = groups(types, aspects)
        is_resumed = any(one.name == marks.group for one in waiting)
        if is_resumed:
            while waiting[0].name != marks.group:
                waiting.pop(0)
        else:
            marks, lack = self._begun(marks)
            yield from lack
        while waiting:
            group = waiting.pop(0)
            scan = Scan(self._rest, group, self._size, marks.scroll if group.name == marks.group else None)
            try:
                for page in self._pages(group, scan, marks.totals.get(group.name, 0)):
                    following = group.name if page.scroll is not None else waiting[0].name if waiting else ""
                    marks = marks.moved(group=following, scroll=page.scroll)
                    yield self._batch(page, scan, marks)
                marks = marks.moved(totals={**marks.totals, group.name: scan.received})
            except (Denied, Rejected) as error:
                if error.answer.status == 401:
                    raise
                # One entity that may not be read refuses the whole page, and one unknown type the whole group.
                waiting = [*alone(group, aspects), *waiting] if len(group.types) > 1 else waiting
                self._refused(group, error)
        yield self._end(marks, is_resumed=is_resumed)

    def _begun(self, marks: Marks) -> tuple[Marks, tuple[Batch, ...]]:
        """The change log is asked where it ends before anything is read: what changes meanwhile is in it then."""
        now = written(self._clock())
        marks = marks.moved(began=now, polled=now, offsets={}, scroll=None, group="")
        if self._log is None:
            return marks, ()
        try:
            return marks.moved(offsets=self._log.begin()), ()
        except NoLog as error:
            return marks, (without_log(error),)

    def _pages(self, group: Group, scan: Scan, former: int) -> Iterator[Page]:
        try:
            yield from scan.pages()
        except Unfinished as error:
            self._failed(group, str(error))
            return
        self._seen += scan.received
        if scan.truncated:
            self._failed(group, f"{len(scan.truncated)} entities are larger than http.page_bytes")
        elif scan.disagrees:
            self._failed(group, scan.disagrees)
        elif scan.is_whole and former >= _MANY and scan.received < former * _SHRUNK:
            self._failed(group, f"{scan.received} entities where there were {former}: nothing is taken for deleted yet")
        else:
            self._listed += group.types

    def _batch(self, page: Page, scan: Scan, marks: Marks) -> Batch:
        since = marks.since_full()
        told = self._entities.told(page.entities, since - _LATE if since is not None else None)
        lately = scan.lately_truncated()
        aside = [Skipped(one, "truncated: it is larger than http.page_bytes; raise it") for one in lately]
        if page.strange:
            aside.append(Skipped("a page of entities", f"{page.strange} rows are no objects"))
        self._done += len(page.entities)
        return batch(told + Told(skipped=tuple(aside)), marks, self._done, scan.total)

    def _refused(self, group: Group, error: Denied | Rejected) -> None:
        if len(group.types) > 1:
            return
        if isinstance(error, Denied):
            self._grants.append(f"GET_ENTITY on {group.name}")
            self._failures.append(f"{group.name}: forbidden: {error}")
        else:
            self._failed(group, str(error))

    def _failed(self, group: Group, reason: str) -> None:
        """A group that was not read from first to last: nothing of it is taken for deleted, and it is read again."""
        self._is_to_repeat = True
        self._listed = [one for one in self._listed if one not in group.types]
        self._failures.append(f"{group.name}: {reason}")

    def _end(self, marks: Marks, *, is_resumed: bool) -> Batch:
        if not self._seen and not is_resumed and not self._failures:
            self._failures.append(_NOTHING)
            self._grants.append(READ)
            self._listed.clear()
        failures = (*self._failures, *self._entities.failures)
        is_done = not is_resumed and not self._is_to_repeat and bool(self._seen)
        marks = marks.moved(group="", scroll=None, full=marks.began if is_done else "")
        # A missing permission may look like an empty listing, so one listing alone proves nothing.
        return Batch(
            missing_grants=tuple(self._grants),
            failures=failures,
            resume=marks.json(),
            listed=() if is_resumed else tuple(sorted(set(self._listed))),
            unsure=True,
            complete=not failures,
            done=self._done,
        )


def batch(told: Told, marks: Marks, done: int, total: int | None = None) -> Batch:
    """What some entities say, and where to go on."""
    return Batch(
        told.scopes,
        told.tombstones,
        skipped=told.skipped,
        unread=told.unread,
        resume=marks.json(),
        done=done,
        total=total,
    )


def without_log(error: NoLog) -> Batch:
    """That the change log cannot be followed is told; everything is read instead."""
    aside = Skipped("the change log", f"everything is read instead: {error}", lost=False)
    return Batch(skipped=(aside,), missing_grants=error.grants)
