"""What a DataHub server in miniature holds: entities, their aspects with every version, series of events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from .registry import is_series
from .sandbox_changelog import SERIES, VERSIONED, Changelog
from .sandbox_registry import Refusal, Row, defaults_of, judge, kind_of

NOBODY = "urn:li:corpuser:__datahub_system"
_NO_RUN = "no-run-id-provided"


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of one aspect."""

    value: Any
    system: Row

    @property
    def version(self) -> int:
        """Its number; 0 where it was never written in order."""
        return int(self.system.get("version") or 0)

    def shown(self, *, with_system: bool) -> Row:
        """As an answer holds it."""
        return {"value": self.value, **({"systemMetadata": self.system} if with_system else {})}


@dataclass(slots=True)
class Entity:
    """One entity: its latest aspects, what they were before, and its series."""

    aspects: dict[str, Stored] = field(default_factory=dict[str, Stored])
    history: dict[str, list[Stored]] = field(default_factory=dict[str, list[Stored]])
    """The first stands first: version 1."""
    series: dict[str, list[Stored]] = field(default_factory=dict[str, list[Stored]])

    @property
    def is_removed(self) -> bool:
        """Whether it is soft-deleted."""
        status = self.aspects.get("status")
        return status is not None and bool(status.value.get("removed"))

    def at(self, aspect: str, version: int) -> Stored | None:
        """One version of an aspect, 0 being the latest; of a series, the last event until that time."""
        if is_series(aspect):
            told = [one for one in self.series.get(aspect, []) if not version or _when(one) <= version]
            return max(told, key=_when, default=None)
        if not version:
            return self.aspects.get(aspect)
        return next((one for one in self.history.get(aspect, []) if one.version == version), None)


@dataclass(frozen=True, slots=True)
class Write:
    """One aspect on its way in."""

    urn: str
    aspect: str
    value: Any
    system: Row = field(default_factory=Row)
    if_version: str | None = None
    """Only if the latest version is this one; `-1`: only if there is none."""
    must_be_new: bool = False


class World:
    """All entities, under the rules of a DataHub server."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.entities: dict[str, Entity] = {}
        self.log = Changelog()

    @property
    def now(self) -> int:
        """The time in milliseconds."""
        return round(self._clock() * 1000)

    def get(self, urn: str) -> Entity | None:
        """One entity, or None."""
        return self.entities.get(urn)

    def urns(self, kinds: set[str] | None = None, *, with_removed: bool = True) -> Iterator[str]:
        """All names in their order."""
        for urn, one in sorted(list(self.entities.items())):
            if (kinds is None or urn.split(":", 3)[2] in kinds) and (with_removed or not one.is_removed):
                yield urn

    def write(self, *writes: Write, actor: str = NOBODY) -> None:
        """Take all of these aspects or none. The same value again makes no new version. Raises `Refusal`."""
        for one in writes:
            judge(one.urn, one.aspect, one.value)
            self._guard(one)
        for one in writes:
            self.entities.setdefault(one.urn, Entity())
            if is_series(one.aspect):
                self._append(one, actor)
            else:
                self._put(one, actor)
            self._complete(one.urn)

    def breaks(self, urn: str, aspect: str, value: Any) -> None:
        """Let something stand there that no server would have taken, as old versions and bugs leave it."""
        old = self.entities.setdefault(urn, Entity()).aspects.get(aspect)
        version = str((old.version if old else 0) + 1)
        self.entities[urn].aspects[aspect] = Stored(value, {"lastObserved": self.now, "version": version})

    def delete(self, urn: str) -> tuple[int, int]:
        """Forget an entity. Gives how many rows and how many events went."""
        entity = self.entities.pop(urn, None)
        if entity is None:
            return 0, 0
        key = kind_of(urn).key
        self._log(VERSIONED, "DELETE", urn, key, None, entity.aspects.get(key), NOBODY)
        rows = sum(len(one) for one in entity.history.values())
        return rows, sum(len(one) for one in entity.series.values())

    def delete_aspect(self, urn: str, aspect: str) -> None:
        """Forget an aspect; with its key the whole entity goes."""
        if aspect == kind_of(urn).key:
            self.delete(urn)
            return
        entity = self.entities.get(urn, Entity())
        old = entity.aspects.pop(aspect, None)
        entity.history.pop(aspect, None)
        entity.series.pop(aspect, None)
        if old is not None:
            self._log(VERSIONED, "DELETE", urn, aspect, None, old, NOBODY)

    def _complete(self, urn: str) -> None:
        for name, value in defaults_of(urn).items():
            if name not in self.entities[urn].aspects:
                self._put(Write(urn, name, value), NOBODY)

    def _guard(self, one: Write) -> None:
        entity = self.entities.get(one.urn)
        old = entity.aspects.get(one.aspect) if entity else None
        actual = str(old.version) if old else "-1"
        if one.if_version is not None and one.if_version != actual:
            message = f"Expected version {one.if_version}, actual version {actual}"
            raise Refusal(message, 412, "Precondition Error")
        if one.must_be_new and old is not None:
            raise Refusal(f"Cannot perform CREATE: {one.aspect} of {one.urn} exists")

    def _put(self, one: Write, actor: str) -> None:
        entity = self.entities[one.urn]
        old = entity.aspects.get(one.aspect)
        is_same = old is not None and _canonical(old.value) == _canonical(one.value)
        stamp = {"time": self.now, "actor": actor}
        system = {"lastObserved": self.now, "runId": _NO_RUN, "lastRunId": _NO_RUN, **_told(one.system)}
        if old is not None:
            system["lastRunId"] = old.system.get("runId", _NO_RUN)
        system["version"] = str((old.version if old else 0) + (0 if is_same else 1))
        system["aspectCreated"] = (old.system.get("aspectCreated") if old else None) or stamp
        system["aspectModified"] = (old.system.get("aspectModified") if old and is_same else None) or stamp
        stored = Stored(one.value, system)
        entity.aspects[one.aspect] = stored
        versions = entity.history.setdefault(one.aspect, [])
        if is_same and versions:
            versions[-1] = stored
        else:
            versions.append(stored)
            self._log(VERSIONED, "UPSERT", one.urn, one.aspect, stored, old, actor)

    def _append(self, one: Write, actor: str) -> None:
        stored = Stored(one.value, {"lastObserved": self.now, "runId": _NO_RUN, **_told(one.system)})
        events = self.entities[one.urn].series.setdefault(one.aspect, [])
        # An event is known by its time and its run: told again, it is replaced.
        events[:] = [old for old in events if _event(old) != _event(stored)]
        events.append(stored)
        self._log(SERIES, "UPSERT", one.urn, one.aspect, stored, None, actor)

    def _log(
        self, topic: str, change: str, urn: str, aspect: str, new: Stored | None, old: Stored | None, actor: str
    ) -> None:
        before, after = ((one.value, one.system) if one else None for one in (old, new))
        self.log.add(topic, change, urn, aspect, after, before, {"time": self.now, "actor": actor})


def _told(system: Row) -> Row:
    own = ("version", "aspectCreated", "aspectModified")
    return {key: value for key, value in system.items() if value is not None and key not in own}


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _when(one: Stored) -> int:
    return int(one.value.get("timestampMillis") or 0)


def _event(one: Stored) -> tuple[Any, ...]:
    return (_when(one), one.value.get("runId"), one.value.get("status"), _canonical(one.value.get("partitionSpec")))
