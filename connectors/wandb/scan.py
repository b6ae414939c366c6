"""Which runs of a project are read, page by page, and whether those were all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson

from ...federation.errors import SourceChanged
from ...federation.model import Json
from ..http import TooMuch
from .api import Api, Reply
from .cursor import Mark
from .documents import PROJECT_PAGE, UPDATED_FILTER
from .place import Project
from .runs import heard
from .shelf import FIRST_VERSIONS
from .wire import field as field_of
from .wire import later, moment, nodes, number, plausible, stamp, text

_RESCANS = 2
_NEVER = datetime(2999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Seen:
    """What a scan has come across."""

    newest: datetime | None
    ids: set[int] = field(default_factory=set[int])
    """Hashes of ids: runs come twice where others were inserted or removed meanwhile."""

    def fresh(self, runs: list[Json], now: datetime) -> list[Json]:
        """Of these, those that did not come up before."""
        new = {hash(text(one, "id")): one for one in runs if hash(text(one, "id")) not in self.ids}
        self.ids.update(new)
        for one in new.values():
            self.newest = later(self.newest, plausible(heard(one), now))
        return list(new.values())


@dataclass(frozen=True, slots=True)
class Page:
    """One page of new runs, and where a killed sync goes on."""

    reply: Reply
    runs: list[Json]
    after: str
    shown: int
    counted: int
    is_first: bool


class Scan:
    """Reads the runs of one project in the order of their creation."""

    def __init__(self, api: Api, project: Project, size: int, seen: Seen, now: datetime) -> None:
        self._api = api
        self._project = project
        self._size = size
        self._seen = seen
        self._now = now
        self._came: set[int] = set()
        self.shown = self.counted = 0
        """How many runs the last pass showed, and how many the platform counted when it ended."""
        self._fell = False

    def pages(self, filters: Mapping[str, Json], after: str = "", shown: int = 0, counted: int = 0) -> Iterator[Page]:
        """Every page. They are counted by offset, so rows slip where others vanish: the platform's own count is held
        against what came, and where it differs, or fell meanwhile, everything is read again."""
        self.counted = counted
        yield from self._once(filters, after, shown, is_first=True)
        for _ in range(_RESCANS):
            if self.shown == self.counted and not self._fell:
                return
            yield from self._once(filters, "", 0, is_first=False)

    @property
    def is_whole(self) -> bool:
        """Whether the platform showed as many runs as it counts; it may hide some from this key."""
        return self.shown >= self.counted

    def _once(self, filters: Mapping[str, Json], after: str, shown: int, *, is_first: bool) -> Iterator[Page]:
        variables = {
            "entity": self._project.entity,
            "project": self._project.name,
            "filters": orjson.dumps(filters).decode() if filters else None,
            "versions": FIRST_VERSIONS,
            "parts": is_first,
        }
        self._came, self.shown, self._fell = set(), shown, False
        while True:
            try:
                reply = self._api.ask(PROJECT_PAGE, {**variables, "first": self._size, "after": after or None})
            except TooMuch:
                if self._size == 1:
                    raise
                self._size = max(self._size // 2, 1)  # a few summaries of megabytes are enough
                continue
            found = nodes(reply.data, "project", "runs")
            came = {hash(text(one, "id")) for one in found}
            self.shown += len(came - self._came)
            self._came |= came
            counted = number(reply.data, "project", "runCount")
            self._fell = self._fell or counted < self.counted
            self.counted = counted
            after = self._following(reply.data, after)
            fresh = self._seen.fresh(found, self._now)
            yield Page(reply, fresh, after, self.shown, counted, variables["parts"] is True)
            variables["parts"] = False
            if not after:
                return

    def _following(self, data: Json, after: str) -> str:
        """The next page's cursor; empty at the end. A page without runs is not the end while there are more."""
        info = field_of(data, "project", "runs", "pageInfo")
        if field_of(info, "hasNextPage") is not True:
            return ""
        following = text(info, "endCursor")
        if not following or following == after:
            raise SourceChanged(
                f"{self._api.name}: the runs of {self._project.path} go on, it says, and it does not say where"
            )
        return following


def knows_updates(api: Api, project: Project) -> bool | None:
    """Whether runs can be asked for by their last update: a date to come must match none. None: no run to tell by."""
    filters = orjson.dumps({"updatedAt": {"$gt": stamp(_NEVER)}}).decode()
    try:
        reply = api.ask(UPDATED_FILTER, {"entity": project.entity, "project": project.name, "filters": filters})
    except SourceChanged:
        return False
    if reply.problems:
        return False
    return number(reply.data, "project", "future") == 0 if number(reply.data, "project", "all") else None


def changed_since(mark: Mark, overlap: timedelta, *, updated: bool) -> dict[str, Json]:
    """The filter for what is new: heard of since, made since, still open, and where the platform can tell, edited."""
    newest = moment(mark.newest)
    if newest is None:
        return {}
    since: Json = {"$gt": stamp(newest - overlap)}
    ways: list[Json] = [{"heartbeatAt": since}, {"createdAt": since}, {"state": "running"}]
    return {"$or": [*ways, {"updatedAt": since}] if updated else ways}
