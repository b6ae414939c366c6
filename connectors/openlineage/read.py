"""How files of OpenLineage events are read: each from where it was left, line by line."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from gzip import BadGzipFile
from io import BufferedIOBase
from typing import Any, ClassVar

from ...config.settings import Misconfigured, Source
from ...federation.clock import Clock, utcnow
from ...federation.connector import Batch, Cursor, Event, Health
from ...federation.errors import SourceRefused, SourceUnavailable
from ...federation.model import Json, Skipped
from ..envelope import events, is_bare, written
from ..http.answer import CutOff, NotJson, parsed
from .files import File, Unreadable, files
from .lines import Line, lines, opened
from .place import Place, Places, probes

BATCH = 500
BATCH_BYTES = 8 * 2**20
QUIET = timedelta(minutes=1)
"""A last line that is no JSON and has no end is still being written, unless the file has been quiet for so long."""
_NESTING = 500
_BOM = b"\xef\xbb\xbf"
_BROKEN = (OSError, EOFError, BadGzipFile, zlib.error)
_Read = tuple[tuple[Event, ...], tuple[Skipped, ...], Place]


class OpenLineage:
    """A file, or a folder of them: JSON, NDJSON, or lines of a recorder, packed or not."""

    platform: ClassVar[str] = "openlineage"

    def __init__(self, source: Source, *, transport: Any = None, clock: Clock = utcnow) -> None:
        if source.path is None:
            reason = "platform openlineage reads a path; events that come over HTTP are posted to the inlet"
            raise Misconfigured(f"source {source.name!r}: {reason}, e.g. path: ./events")
        self._root = source.path
        self._source = source
        self._longest = source.http.page_bytes
        self._clock = clock

    def check(self) -> Health:
        """Whether there is something to read. Raises `SourceError`."""
        found = list(self._found())
        usable = sum(isinstance(one, File) for one in found)
        refused = [f"{one.name}: {one.reason}" for one in found if isinstance(one, Unreadable)]
        return Health(reachable=True, message="; ".join([f"{usable} files", *refused[:5]]))

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        """The events that were written since then. Broken lines come along: who takes the events judges them."""
        places, names, done = Places(since), set[str](), 0
        for one in self._found():
            names.add(one.name)
            if isinstance(one, Unreadable):
                yield Batch(skipped=(Skipped(f"file {one.name}", one.reason),), done=done)
            elif not places.of(one.name).is_as_before(one):
                for told, skipped, place in self._file(one, places.of(one.name)):
                    places.move(one.name, place)
                    done += len(told)
                    yield Batch(events=told, skipped=skipped, resume=places.json(), done=done)
        places.keep(names)
        yield Batch(resume=places.json(), complete=True, done=done)

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Nothing: an event that is no longer in a file has happened all the same."""
        yield from ()

    def close(self) -> None:
        """Nothing is held open between two reads."""

    def _found(self) -> Iterator[File | Unreadable]:
        where = f"openlineage {self._source.name!r}"
        try:
            yield from files(self._root, self._source.selects)
        except FileNotFoundError as error:
            raise SourceUnavailable(
                f"{where}: {self._root} does not exist. Check path, and that it is mounted"
            ) from error
        except PermissionError as error:
            reason = f"{where}: {error.filename} may not be read. Let the user of this process read it"
            raise SourceRefused(reason, grants=(f"read {error.filename}",)) from error

    def _file(self, file: File, place: Place) -> Iterator[_Read]:
        try:
            with opened(file) as stream:
                start = place if place.goes_on(file, stream) else Place()
                yield from (
                    self._document(file, stream, start)
                    if self._is_document(file, stream)
                    else self._lines(file, stream, start)
                )
        except _BROKEN as error:
            yield (), (_unreadable(file, error),), place

    def _is_document(self, file: File, stream: BufferedIOBase) -> bool:
        """Whether the file as a whole is one JSON value, and not a line an event."""
        if file.is_lines:
            return False
        stream.seek(0)
        first = next((line for line in lines(stream, self._longest) if line.text is None or line.text.strip()), None)
        if first is None or first.text is None:
            return False
        try:
            value = parsed(first.text.removeprefix(_BOM), _NESTING)
        except (CutOff, NotJson):
            return True
        return isinstance(value, list)

    def _document(self, file: File, stream: BufferedIOBase, start: Place) -> Iterator[_Read]:
        stream.seek(0)
        whole = stream.read(self._longest + 1)
        end = replace(start, size=file.size, changed_ns=file.changed_ns, offset=0, done=True)
        if len(whole) > self._longest:
            reason = f"it is one JSON value of more than {self._longest:,} bytes: write one event a line"
            yield (), (Skipped(f"file {file.name}", reason),), end
            return
        try:
            value = parsed(whole.removeprefix(_BOM), _NESTING)
        except (CutOff, NotJson):
            if not self._is_quiet(file):
                return  # still being written; the next read finds more
            yield (Event(whole, file.name),), (), end
            return
        told = [Event(written(one), f"{file.name}#{number}") for number, one in enumerate(events(value), 1)]
        at = start.line if start.offset == 0 and not start.done else 0
        for begin in range(at, len(told), BATCH):
            some = tuple(told[begin : begin + BATCH])
            is_last = begin + BATCH >= len(told)
            yield some, (), replace(end, line=0 if is_last else begin + BATCH, done=is_last)
        if not told:
            yield (), (), end

    def _lines(self, file: File, stream: BufferedIOBase, start: Place) -> Iterator[_Read]:
        told, skipped, size = list[Event](), list[Skipped](), 0
        place, is_whole = replace(start, size=file.size, changed_ns=file.changed_ns, done=False), True
        try:
            for line in lines(stream, self._longest, start=start.offset, number=start.line):
                if not line.is_ended and self._is_growing(file, line):
                    is_whole = False
                    break
                place = replace(place, offset=line.end, line=line.number)
                if line.text is None:
                    skipped.append(Skipped(f"{file.name}:{line.number}", f"longer than {self._longest:,} bytes"))
                told += self._of_line(file, line)
                size += len(line.text or b"")
                if len(told) >= BATCH or size >= BATCH_BYTES:
                    yield tuple(told), tuple(skipped), self._marked(file, place)
                    told, skipped, size = [], [], 0
        except _BROKEN as error:  # what came before is good
            skipped.append(_unreadable(file, error))
            is_whole = False
        yield tuple(told), tuple(skipped), replace(self._marked(file, place), done=is_whole)

    def _of_line(self, file: File, line: Line) -> Iterator[Event]:
        text = (line.text or b"").strip().removeprefix(_BOM)
        if not text:
            return
        place = f"{file.name}:{line.number}"
        value = _value(text)
        if value is None or is_bare(value):
            yield Event(text, place)
        else:
            yield from (Event(written(one), place) for one in events(value))

    def _is_growing(self, file: File, line: Line) -> bool:
        """Whether a last line without an end is only half there."""
        return line.text is not None and _value(line.text) is None and not self._is_quiet(file)

    def _is_quiet(self, file: File) -> bool:
        changed = datetime.fromtimestamp(file.changed_ns / 1e9, UTC)
        return self._clock() - changed > QUIET

    def _marked(self, file: File, place: Place) -> Place:
        if file.is_packed or not place.offset:
            return place
        with opened(file) as stream:
            head, tail = probes(stream, place.offset)
        return replace(place, head=head, tail=tail)


def _unreadable(file: File, error: Exception) -> Skipped:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Skipped(f"file {file.name}", f"it cannot be read: {reason}")


def _value(text: bytes) -> Json:
    try:
        return parsed(text.strip().removeprefix(_BOM), _NESTING)
    except (CutOff, NotJson):
        return None
