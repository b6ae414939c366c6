"""The feed of run events, in order of the producers' time, each event once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from ...federation.errors import SourceChanged
from ...federation.model import Json, Skipped
from ..envelope import written
from ..http import Http, TooMuch
from ..http.paging import listed
from .cursor import event_hash
from .names import moment, spell

PATH = "/api/v1/events/lineage"
START = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_MORE = 8
_QUIET = 2


@dataclass(frozen=True, slots=True)
class Fed:
    """One event of the feed."""

    event: dict[str, Any]
    body: bytes
    at: datetime
    hash: bytes


@dataclass(frozen=True, slots=True)
class _Page:
    """One answer: its events, and how many rows it had."""

    events: list[Fed]
    size: int


class Feed:
    """Reads the feed between two times. Pages shrink where an answer is too large."""

    def __init__(self, http: Http, size: int, source: str) -> None:
        self._http = http
        self._size = size
        self._source = source
        self._strange: list[Skipped] = []

    def strange(self) -> tuple[Skipped, ...]:
        """What stood in the feed and is no event, since the last time that this was asked."""
        found, self._strange = tuple(dict.fromkeys(self._strange)), []
        return found

    def waiting(self, after: datetime, most: int) -> list[Fed]:
        """The first events beyond a time that `pages` does not reach."""
        return self._asked(after, _NEVER, most, 0).events

    def pages(self, after: datetime, before: datetime) -> Iterator[list[Fed]]:
        """Pages, oldest first. The end is a page that is not full: `totalCount` counts what is never listed.

        Each page asks anew from the last time seen, as an offset would slip when late events come in; the order
        within one time is undefined, so whatever bears it is recognised by its hash.
        """
        edge = set[bytes]()
        while True:
            size = self._size
            page = self._page(after, before, size, 0)
            yield [one for one in page.events if one.hash not in edge]
            if page.size < min(size, self._size):
                return
            if not page.events:
                raise SourceChanged(f"{self._source}: a page of the feed holds {page.size} rows and no event")
            last = page.events[-1].at
            if last > after:
                edge = {one.hash for one in page.events if one.at >= last}
                after = last
            else:
                edge |= {one.hash for one in page.events}
                yield from self._of_one_time(after, min(after + 2 * _TICK, before), edge)
                after += _TICK

    def _of_one_time(self, at: datetime, until: datetime, seen: set[bytes]) -> Iterator[list[Fed]]:
        """More events of one time than a page holds: all in one answer, as the order may differ in the next one.

        Marquez has no largest `limit`. What is too much for one answer is read by offset until nothing new turns up.
        """
        limit = self._size
        try:
            while True:
                limit *= _MORE
                page = self._asked(at, until, limit, 0)
                yield _fresh(page.events, seen)
                if page.size < limit:
                    return
        except TooMuch:
            yield from self._again_and_again(at, until, seen)

    def _again_and_again(self, at: datetime, until: datetime, seen: set[bytes]) -> Iterator[list[Fed]]:
        quiet = 0
        while quiet < _QUIET:
            before = len(seen)
            yield from (_fresh(page, seen) for page in self._by_offset(at, until))
            quiet = quiet + 1 if len(seen) == before else 0

    def _by_offset(self, at: datetime, until: datetime) -> Iterator[list[Fed]]:
        offset = 0
        while (page := self._page(at, until, self._size, offset)).size:
            yield page.events
            offset += page.size

    def _page(self, after: datetime, before: datetime, size: int, offset: int) -> _Page:
        while True:
            try:
                return self._asked(after, before, size, offset)
            except TooMuch:
                if size == 1:
                    raise
                size = self._size = size // 2

    def _asked(self, after: datetime, before: datetime, size: int, offset: int) -> _Page:
        params = {"after": spell(after), "before": spell(before), "sortDirection": "asc", "limit": size}
        answer = self._http.get_json(PATH, {**params, **({"offset": offset} if offset else {})})
        rows = listed(answer, "events", self._source)
        where = f"the feed from {spell(after)}"
        self._strange += [replace(one, what=f"{where}, {one.what}") for one in rows.strange]
        return _Page([_fed(one, after) for one in rows], rows.size)


def _fresh(page: list[Fed], seen: set[bytes]) -> list[Fed]:
    fresh = {one.hash: one for one in page if one.hash not in seen}
    seen.update(fresh)
    return list(fresh.values())


def _fed(event: dict[str, Any], after: datetime) -> Fed:
    return Fed(event, written(event), moment(event.get("eventTime")) or after, event_hash(_ordered(event)))


def _ordered(event: Json) -> bytes:
    """The order of members is not promised."""
    try:
        return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        return written(event)
