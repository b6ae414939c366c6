"""How far each file has been read, so that a file that grew is read on and a rewritten one anew."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BufferedIOBase
from typing import Any, cast

import xxhash

from ...federation.connector import Cursor
from .files import File

_FORMAT = 1
_PROBE = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reading of one file stands."""

    size: int = 0
    changed_ns: int = 0
    offset: int = 0
    line: int = 0
    head: str = ""
    """A hash of its first bytes."""
    tail: str = ""
    """A hash of the last bytes before `offset`."""
    done: bool = False
    """Everything that was there was read."""

    def is_as_before(self, file: File) -> bool:
        """Whether nothing was written since it was read to its end."""
        return self.done and (self.size, self.changed_ns) == (file.size, file.changed_ns)

    def goes_on(self, file: File, stream: BufferedIOBase) -> bool:
        """Whether what was read of it still stands there."""
        if file.is_packed or not self.offset:
            return (self.size, self.changed_ns) == (file.size, file.changed_ns)
        return file.size >= self.offset and (self.head, self.tail) == probes(stream, self.offset)


def probes(stream: BufferedIOBase, offset: int) -> tuple[str, str]:
    """Hashes of the first bytes and of the last ones before a place."""
    stream.seek(0)
    head = stream.read(min(_PROBE, offset))
    stream.seek(max(offset - _PROBE, 0))
    tail = stream.read(offset - max(offset - _PROBE, 0))
    return xxhash.xxh3_64_hexdigest(head), xxhash.xxh3_64_hexdigest(tail)


class Places:
    """The places of all files, as the cursor keeps them."""

    def __init__(self, since: Cursor | None) -> None:
        self._files: dict[str, Place] = {}
        if since is not None and since.get("format") == _FORMAT:
            stored = cast(Mapping[str, Mapping[str, Any]], since.get("files") or {})
            self._files = {name: _place(one) for name, one in stored.items()}

    def of(self, name: str) -> Place:
        """Where a file stands."""
        return self._files.get(name, Place())

    def move(self, name: str, place: Place) -> None:
        """Write down progress."""
        self._files[name] = place

    def keep(self, names: set[str]) -> None:
        """Forget files that are gone."""
        self._files = {name: place for name, place in self._files.items() if name in names}

    def json(self) -> Cursor:
        """As it is stored."""
        return {"format": _FORMAT, "files": {name: asdict(place) for name, place in self._files.items()}}


def _place(stored: Mapping[str, Any]) -> Place:
    known = {name: stored[name] for name in Place.__slots__ if name in stored}
    return Place(**known)
