"""Which files hold events, and which are better not opened."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ENDINGS = (".json", ".ndjson", ".jsonl", ".json.gz", ".ndjson.gz", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class File:
    """A regular file, as it is now."""

    path: Path
    name: str
    """Relative to the configured folder, with slashes."""
    size: int
    changed_ns: int

    @property
    def is_packed(self) -> bool:
        """Whether it must be unpacked."""
        return self.name.endswith(".gz")

    @property
    def is_lines(self) -> bool:
        """Whether its ending says that each line is an event."""
        return self.name.removesuffix(".gz").endswith((".ndjson", ".jsonl"))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is left alone, and why."""

    name: str
    reason: str


def files(root: Path, wanted: Callable[[str], bool]) -> Iterator[File | Unreadable]:
    """The files of a folder and those below it, by name; or the one file that is named. Raises `OSError`."""
    root.stat()
    if not root.is_dir():
        yield _judged(root, root.name, root.parent)
        return
    for name in sorted(_names(root)):
        if wanted(name):
            yield _judged(root / name, name, root)


def _names(root: Path) -> Iterator[str]:
    """Links to folders are not followed, so there are no circles."""
    for folder, _, names in os.walk(root, onerror=_raise):
        for name in names:
            if name.lower().endswith(ENDINGS) and not name.startswith("."):
                yield Path(folder, name).relative_to(root).as_posix()


def _raise(error: OSError) -> None:
    raise error


def _judged(path: Path, name: str, root: Path) -> File | Unreadable:
    try:
        told = path.stat()
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            return Unreadable(name, "it is a link that leads out of the folder")
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links, before Python 3.13
        return Unreadable(name, f"it cannot be looked at: {getattr(error, 'strerror', None) or error}")
    if not stat.S_ISREG(told.st_mode):
        return Unreadable(name, "it is no regular file")
    return File(path, name, told.st_size, told.st_mtime_ns)
