"""How metadata files are read: as DataHub's own connectors write them, and as `datahub` exports and imports them."""

import gzip
import zlib
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, cast

from ...config.settings import Source
from ...federation.connector import Batch, Cursor, Health
from ...federation.errors import SourceRefused, SourceUnavailable
from ...federation.model import Json, Scope, Skipped, Tombstone
from ..http.answer import CutOff, NotJson, parsed
from ..openlineage.files import File, Unreadable, files
from .elements import Broken, Element, elements
from .jobs import Ends
from .mapping import SERIES, TYPES, meaning, series
from .patch import BadPatch, patched
from .records import RESTATES, BadRecord, Change, changes
from .saying import Aspect, Place, Told, entity, scope_key
from .selection import selects
from .unheard import Unheard
from .urn import Urn, plain
from .wire import members, sample

RECORDS = 500
RECORD_BYTES = 4 * 2**20
"""So many records, or so much text, make a batch."""
_KNOWN = 50_000
"""So many entities and series are remembered while files are read."""
_FORMAT = 2
_AGAIN = (b'"PATCH"', f'"{RESTATES}"'.encode())
_FAILED = (b"FAILURE", b"SKIPPED")
_LONGEST_SIGN = max(map(len, _AGAIN))
_NESTING = 500
_BROKEN = (OSError, EOFError, gzip.BadGzipFile, zlib.error)
_Key = tuple[str, str]


class Files:
    """A file, or a folder of them."""

    def __init__(self, source: Source, place: Place, ignored: Collection[str] = ()) -> None:
        self._source = source
        self._place = place
        self._ignored = ignored

    def check(self) -> Health:
        """Whether there is something to read."""
        found = [one for one in self._files() if isinstance(one, File)]
        return Health(reachable=True, message=f"{len(found)} files")

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        """Everything, unless all files are as they were. One export is one statement: what it lacks is gone."""
        found = list(self._files())
        present = [one for one in found if isinstance(one, File)]
        mark = {one.name: [one.size, one.changed_ns] for one in present}
        if since is not None and since.get("format") == _FORMAT and since.get("files") == mark:
            yield Batch(resume=since, complete=True)
            return
        aside = tuple(Skipped(f"file {one.name}", one.reason) for one in found if isinstance(one, Unreadable))
        reading = _Reading(self._source, self._place, self._ignored)
        yield from reading.batches(present)
        failures = (*(f"{one.what}: {one.reason}" for one in aside), *reading.failures)
        if not reading.entities and not failures:
            failures = ("no entity stands in the files: that is taken for a mistake, and nothing for deleted",)
        yield Batch(
            skipped=aside,
            failures=failures,
            resume=None if failures else {"format": _FORMAT, "files": mark},
            listed=() if failures or reading.is_torn else tuple(sorted({*TYPES, *reading.types})),
            complete=not failures,
            done=reading.done,
        )

    def _files(self) -> Iterator[File | Unreadable]:
        assert self._source.path is not None
        try:
            yield from files(self._source.path, lambda name: True)
        except FileNotFoundError as error:
            raise SourceUnavailable(
                f"datahub {self._source.name!r}: there is no {self._source.path}: look at `path`"
            ) from error
        except OSError as error:
            raise SourceRefused(
                f"datahub {self._source.name!r}: {self._source.path} cannot be read ({error.strerror}): let the user "
                "of this process read it"
            ) from error


class _Reading:
    """One reading of all files, in the order of their names: the later word on an aspect counts."""

    def __init__(self, source: Source, place: Place, ignored: Collection[str]) -> None:
        self._source = source
        self._place = place
        self._ignored = ignored
        self._longest = source.http.page_bytes
        self._at = datetime.now(UTC)
        self._ends_at = datetime(1970, 1, 1, tzinfo=UTC)
        self._patched: dict[_Key, dict[str, Any]] = {}
        self._patched_urns: dict[_Key, Urn] = {}
        self._removed: dict[str, Tombstone] = {}
        self._known: OrderedDict[str, None] = OrderedDict()
        self._events: OrderedDict[str, list[Json]] = OrderedDict()
        self._ends = Ends(_KNOWN)
        self._unheard = Unheard()
        self._told = Told()
        self.failures: list[str] = []
        self.is_torn = False
        """A record is no JSON: nobody knows whose it was, so that what is not there may be there."""
        self.types: set[str] = set()
        self.entities = 0
        self.done = 0

    def batches(self, present: list[File]) -> Iterator[Batch]:
        """All that the files say; last what patches made of their aspects, and what was removed."""
        self._look_ahead(present)
        size = 0
        for file in present:
            for element in self._elements(file):
                self._at = datetime.fromtimestamp(file.changed_ns / 1e9, UTC) + timedelta(microseconds=element.number)
                self._ends_at = max(self._ends_at, self._at)
                self._take(file, element)
                self.done += 1
                size += len(element.text or b"")
                if len(self._told.scopes) >= RECORDS or size >= RECORD_BYTES:
                    yield self._batch()
                    size = 0
        for key, value in self._patched.items():
            self._tell(self._patched_urns[key], key[1], value)
        # A removal counts from the end of the files on: whatever describes the thing stands before it.
        at = self._ends_at + timedelta(milliseconds=1)
        stones = tuple(Tombstone(one.native_id, at, one.reason, one.teller) for one in self._removed.values())
        self._told += Told(tombstones=stones)
        yield self._batch()

    def _batch(self) -> Batch:
        told, self._told = self._told, Told()
        return Batch(told.scopes, told.tombstones, skipped=told.skipped, unread=told.unread, done=self.done)

    def _look_ahead(self, present: list[File]) -> None:
        """Which aspects are patched or stated again: they are held back until all that is told of them is known. And
        how runs ended, where some failed: what one wrote may be told before that."""
        has_failed = any(_mentions(file, _FAILED) for file in present)
        for file in present:
            if not has_failed and not _mentions(file, _AGAIN):
                continue
            for element in self._elements(file, is_first_look=True):
                for change in changes(_value(element.text)):
                    if isinstance(change, Change):
                        self._glance(change)

    def _glance(self, change: Change) -> None:
        key = (change.urn.text, change.aspect)
        if change.kind == "PATCH" or change.restates:
            self._patched[key], self._patched_urns[key] = {}, change.urn
        if change.urn.type == "dataProcessInstance" and change.kind == "UPSERT":
            self._ends.note(*key, change.value)

    def _elements(self, file: File, *, is_first_look: bool = False) -> Iterator[Element]:
        try:
            with _opened(file) as stream:
                yield from elements(stream, self._longest)
        except (*_BROKEN, Broken) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            if not is_first_look:
                self._aside(f"file {file.name}", f"it cannot be read to its end: {reason}")
                self.failures.append(f"file {file.name} cannot be read to its end: {reason}")

    def _take(self, file: File, element: Element) -> None:
        place = f"{file.name}#{element.number}"
        if element.text is None:
            self._aside(place, f"truncated: a record of more than {self._longest:,} bytes; raise http.page_bytes")
            self.failures.append(f"{place} is larger than http.page_bytes")
            return
        try:
            record = parsed(element.text, _NESTING)
        except (CutOff, NotJson) as error:
            self.is_torn = True
            self._aside(place, f"it is no JSON: {error}", element.text.decode("utf-8", "replace"))
            return
        for change in changes(record):
            if isinstance(change, BadRecord):
                self._aside(place, str(change), element.text.decode("utf-8", "replace"))
            elif selects(self._source, change.urn, self._ignored):
                self._change(change, place)

    def _change(self, change: Change, place: str) -> None:
        one, key = change.urn, (change.urn.text, change.aspect)
        value = members(change.value)
        self.types.add(one.type)
        if change.kind == "DELETE":
            self._delete(change)
        elif change.kind == "PATCH":
            self._patch(change, place)
        elif value is None:
            self._aside(f"{place}: {one.text} {change.aspect}", "the aspect is no object", change.value)
            self._told += Told(unread=(scope_key(one, change.aspect),))
        elif key in self._patched:
            self._patched[key] = value
        else:
            self._tell(one, change.aspect, value)

    def _patch(self, change: Change, place: str) -> None:
        key = (change.urn.text, change.aspect)
        try:
            self._patched[key] = patched(self._patched[key], change.value)
        except BadPatch as error:
            self._aside(f"{place}: {change.urn.text} {change.aspect}", f"a patch: {error}", change.value)

    def _delete(self, change: Change) -> None:
        one = change.urn
        if change.aspect:
            self._told += Told((Scope(scope_key(one, change.aspect), stated_at=self._at),))
        else:
            self._removed[one.text] = Tombstone(plain(one), reason="deleted in DataHub", teller="deletion")

    def _tell(self, one: Urn, name: str, value: Mapping[str, Any]) -> None:
        if _remember(self._known, one.text):
            self.entities += 1
            self._told += Told((entity(one, self._place),))
        self._told += Told(skipped=self._unheard.of(one, (name,)))
        aspect = Aspect(one, name, value, self._at, outcome=self._ends.of(one.text))
        if name in SERIES.values():
            told = series(aspect, self._place, self._series(one.text, value))
        else:
            told = meaning(aspect, self._place)
        for stone in told.tombstones:
            if stone.is_withdrawn:
                self._removed.pop(one.text, None)
            else:
                self._removed[one.text] = stone
        withdrawn = tuple(stone for stone in told.tombstones if stone.is_withdrawn)
        self._told += Told(told.scopes, withdrawn, told.skipped, told.unread)

    def _series(self, name: str, event: Json) -> list[Json]:
        listed = self._events.setdefault(name, [])
        listed.append(event)
        self._events.move_to_end(name)
        if len(self._events) > _KNOWN:
            self._events.popitem(last=False)
        return listed

    def _aside(self, what: str, reason: str, value: Json = "") -> None:
        self._told += Told(skipped=(Skipped(what, reason, sample(value) if value else ""),))


def _remember(known: OrderedDict[str, None], name: str) -> bool:
    """Whether a name is new. What was forgotten is told again, which changes nothing."""
    if name in known:
        return False
    known[name] = None
    if len(known) > _KNOWN:
        known.popitem(last=False)
    return True


def _mentions(file: File, signs: Iterable[bytes]) -> bool:
    tail = b""
    try:
        with _opened(file) as stream:
            while more := stream.read(1 << 20):
                if any(sign in tail + more for sign in signs):
                    return True
                tail = more[-_LONGEST_SIGN:]
    except _BROKEN:
        return False  # told when it is read
    return False


def _value(text: bytes | None) -> Json:
    try:
        return parsed(text or b"", _NESTING)
    except (CutOff, NotJson):
        return None


def _opened(file: File) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file.path, "rb") if file.is_packed else file.path.open("rb"))
