"""The lines of a file from a place on, each with where it ends; too long ones are passed over."""

import gzip
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase

from .files import File

_STEP = 256 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end. `text` is None where it was longer than what is taken."""

    number: int
    text: bytes | None
    end: int
    """Where the next one starts, in the unpacked file."""
    is_ended: bool
    """False: the file stops here without an end of line, so there may be more of it later."""


@contextmanager
def opened(file: File) -> Generator[BufferedIOBase]:
    """The file for reading, unpacked. Raises `OSError`, also where it became something else than a file meanwhile."""
    descriptor = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as raw:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{file.name} is no regular file any more")
        yield gzip.GzipFile(fileobj=raw, mode="rb") if file.is_packed else raw


def lines(stream: BufferedIOBase, longest: int, *, start: int = 0, number: int = 0) -> Iterator[Line]:
    """The lines from `start` on, the next of which is number `number` + 1. Raises `OSError`, `EOFError`."""
    stream.seek(start)
    place, held, dropped = start, bytearray(), 0
    while step := stream.read1(_STEP):  # not read: what is good before a broken end counts
        pieces = step.split(b"\n")
        for piece in pieces[:-1]:
            number += 1
            size = dropped + len(held) + len(piece)
            place += size + 1
            text = None if size > longest else bytes(held) + piece
            yield Line(number, text, place, True)
            held.clear()
            dropped = 0
        held += pieces[-1]
        if dropped + len(held) > longest:
            dropped += len(held)
            held.clear()
    if held or dropped:
        size = dropped + len(held)
        yield Line(number + 1, None if size > longest else bytes(held), place + size, False)
