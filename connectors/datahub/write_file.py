"""A metadata file as a target: a JSON list of proposals, one a line, that is whole after every call.

Beside it lies what was written by which call (`.NAME.calls`). A call that is made again, since it was cut off or its
answer was lost, takes back what it wrote and all that followed: nothing stands there twice, and no line is broken. Of
two lines about one aspect the later one counts, as for everybody who reads such files.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from ...config.errors import Misconfigured
from ...federation.connector import Health
from ...federation.errors import SourceRefused, SourceUnavailable
from ...federation.model import Json
from .records import RESTATES
from .registry import is_series
from .write_merge import merged
from .write_plan import Fate, Key, Proposal

_FULL = (28, 122)
"""No space left, quota exceeded."""
_START, _JOINT, _END = b"[\n", b",\n", b"\n]\n"


class FileTarget:
    """One file, which this alone writes."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._calls = path.with_name(f".{path.name}.calls")
        self._called = f"datahub {name!r}"
        self._places: dict[Key, int] | None = None
        self._lines = 0

    def check(self) -> Health:
        """Whether the file can be written. Raises `SourceRefused`, `Misconfigured`."""
        folder = self._path.parent
        if not folder.is_dir():
            raise Misconfigured(f"{self._called}: there is no folder {folder}: make it, or name another path")
        if not os.access(self._path if self._path.exists() else folder, os.W_OK):
            raise SourceRefused(f"{self._called}: {self._path} cannot be written: let the user of this process write")
        self._own()
        return Health(reachable=True, message=f"a metadata file, {self._path.name}")

    def put(self, call: str, proposals: Sequence[Proposal]) -> tuple[Mapping[Key, Fate], int]:
        """Write what is not there yet; what it cost are lines. Raises `SourceError`, `Misconfigured`."""
        self.check()
        try:
            return self._put(call, proposals)
        except OSError as error:
            self._places = None
            if error.errno in _FULL:
                raise SourceUnavailable(f"{self._called}: no room is left for {self._path}") from error
            raise SourceRefused(f"{self._called}: {self._path} cannot be written ({error.strerror})") from error

    def held(self, keys: Iterable[Key]) -> tuple[Mapping[Key, Json], Mapping[Key, Fate], int]:
        """What stands there; of what may not be seen nothing; what it cost. Raises `SourceError`."""
        calls = self._told()
        if not calls:
            return {}, {}, 0
        try:
            with self._path.open("rb") as file:
                places = self._known(file, _end_of(self._path) or calls[-1][1])
                return {key: _read(file, places.get(key)) for key in keys}, {}, 0
        except OSError as error:
            raise SourceRefused(f"{self._called}: {self._path} cannot be read ({error.strerror})") from error

    def close(self) -> None:
        """Nothing is open between two calls."""
        self._places = None

    def _put(self, call: str, proposals: Sequence[Proposal]) -> tuple[Mapping[Key, Fate], int]:
        start = self._begin(call)
        fates: dict[Key, Fate] = {}
        with self._path.open("r+b" if self._path.exists() else "w+b") as file:
            places = self._known(file, start)
            lines = list(self._new(file, places, proposals, fates))
            joint = b"" if start == len(_START) else _JOINT
            place = start + len(joint)
            for key, line in lines:
                places[key] = place
                place += len(line) + len(_JOINT)
            _append(file, start, joint, (line for _, line in lines))
        return fates, len(lines)

    def _begin(self, call: str) -> int:
        """Where this call writes: behind the last one, or where it wrote before."""
        known = self._told()
        at = next((number for number, one in enumerate(known) if one[0] == call), len(known))
        end = _end_of(self._path)
        if at == len(known) and end is None:
            at -= 1  # the last call was cut off, and is not made again
        if at < len(known):
            end, self._places = known[at][1], None
        start = end or len(_START)
        self._tell(known, [*known[:at], (call, start)])
        return start

    def _own(self) -> None:
        if self._path.exists() and self._path.stat().st_size and not self._calls.exists():
            raise Misconfigured(
                f"{self._called}: {self._path} exists, and was not written by this: move it away, or name another path"
            )

    def _told(self) -> list[tuple[str, int]]:
        """The calls so far, each with the place where it began."""
        if not self._calls.exists() or not self._path.exists():
            return []
        lines = self._calls.read_bytes().split(b"\n")
        rows = (cast(list[Any], orjson.loads(line)) for line in lines[:-1])
        return [(str(name), int(start)) for name, start in rows]

    def _tell(self, before: Sequence[tuple[str, int]], calls: Sequence[tuple[str, int]]) -> None:
        lines = [orjson.dumps(one) + b"\n" for one in calls]
        if before and calls[:-1] == before:
            with self._calls.open("ab") as file:
                file.write(lines[-1])
                _settle(file)
            return
        fresh = self._calls.with_name(f"{self._calls.name}.new")
        with fresh.open("wb") as file:
            file.write(b"".join(lines))
            _settle(file)
        fresh.replace(self._calls)

    def _known(self, file: BinaryIO, end: int) -> dict[Key, int]:
        """Where the last word on each aspect stands."""
        if self._places is None:
            self._places = {}
            file.seek(0)
            place = 0
            for line in file:
                if place >= end:
                    break
                if line.startswith(b"{"):
                    told = orjson.loads(line.rstrip(b",\n"))
                    self._places[told["entityUrn"], told["aspectName"]] = place
                place += len(line)
        return self._places

    def _new(
        self, file: BinaryIO, places: Mapping[Key, int], proposals: Iterable[Proposal], fates: dict[Key, Fate]
    ) -> Iterator[tuple[Key, bytes]]:
        here: dict[Key, dict[str, Any]] = {}
        written = set[bytes]()
        for one in proposals:
            # Events stand beside each other; what is told of anything else is told in the last line on it.
            old = None if is_series(one.aspect) else here.get(one.key) or _read(file, places.get(one.key))
            value, fate = merged(one, old)
            fates[one.key] = fates.get(one.key, Fate()).and_then(fate)
            line = _line(one.urn, one.aspect, value, restates=old is not None)
            if value != old and line not in written:
                written.add(line)
                here[one.key] = value
                yield one.key, line


def _line(urn: str, aspect: str, value: Mapping[str, Any], *, restates: bool) -> bytes:
    told = {"entityType": urn.split(":", 3)[2], "entityUrn": urn, "changeType": "UPSERT", "aspectName": aspect}
    further = {"systemMetadata": {"properties": {RESTATES: "true"}}} if restates else {}
    return orjson.dumps({**told, "aspect": {"json": value}, **further})


def _read(file: BinaryIO, place: int | None) -> dict[str, Any] | None:
    if place is None:
        return None
    file.seek(place)
    return cast(dict[str, Any], orjson.loads(file.readline().rstrip(b",\n"))["aspect"]["json"])


def _append(file: BinaryIO, start: int, joint: bytes, lines: Iterable[bytes]) -> None:
    """Put lines where the list ended, and end it anew."""
    # Cut first: what is left of a longer list must not look like the end of this one.
    file.truncate(start)
    file.seek(0)
    file.write(_START)
    file.seek(start)
    told = _JOINT.join(lines)
    file.write((joint if told else b"") + told + _END)
    _settle(file)


def _end_of(path: Path) -> int | None:
    """Where the list may go on: 0 in a new file, None in one that was cut off."""
    size = path.stat().st_size if path.exists() else 0
    if not size:
        return 0
    with path.open("rb") as file:
        file.seek(-len(_END), os.SEEK_END)
        return size - len(_END) if file.read() == _END else None


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
