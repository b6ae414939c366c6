"""The records of a metadata file one by one, however large the file: a JSON list, one record, or one a line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNK = 1 << 18
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_INSIDE = re.compile(rb'(?:[^{}\[\]"]++|"(?:[^"\\]++|\\.)*+")*+[{}\[\]]', re.DOTALL)
"""All up to the next bracket: within a record nothing else counts."""
_SPACE = re.compile(rb"\s*")


@dataclass(frozen=True, slots=True)
class Element:
    """One outermost object, or what stands where one should."""

    number: int
    """The how-manieth it is, from 1."""
    text: bytes | None
    """None: it is longer than what is taken."""


class Broken(Exception):
    """The text ends in the middle of a record."""


def elements(stream: BinaryIO, longest: int) -> Iterator[Element]:
    """All records of a file, holding no more than one of them in memory. Raises `Broken` at the end of half a file."""
    return _Scanner(stream, longest).elements()


class _Scanner:
    """Where the scanning of one file stands. Outermost lists are opened, objects in them are the records."""

    def __init__(self, stream: BinaryIO, longest: int) -> None:
        self._stream = stream
        self._longest = longest
        self._buffer = b""
        self._at = 0
        self._depth = 0
        self._lists = 0
        self._start: int | None = None
        self._cut = False
        self._number = 0

    def elements(self) -> Iterator[Element]:
        """Read on and on."""
        is_last = False
        while not is_last:
            pending = len(self._buffer) - self._at
            if pending > self._longest + CHUNK:
                raise Broken(f"it holds a text of more than {self._longest:,} bytes")
            more = self._stream.read(max(CHUNK, pending))  # twice as much, for a text that is scanned anew
            is_last = not more
            self._drop()
            self._buffer += more
            yield from self._scan(is_last)
        if self._depth or self._lists or _SPACE.fullmatch(self._buffer, self._at) is None:
            raise Broken("it ends in the middle of a record")

    def _drop(self) -> None:
        """Forget what was read: all before the record that is open, and what of it is too long to be taken."""
        keep = self._at if self._start is None else self._start
        if self._start is not None and self._at - self._start > self._longest:
            self._cut, keep, self._start = True, self._at, self._at
        self._buffer = self._buffer[keep:]
        self._at -= keep
        self._start = None if self._start is None else self._start - keep

    def _scan(self, is_last: bool) -> Iterator[Element]:
        while found := self._next():
            token = found[0]
            is_whole = len(token) == 1 and token in b"{}[],:"
            if found.end() == len(self._buffer) and not is_whole and not token.endswith(b'"') and not is_last:
                return  # a number or a word that may go on
            if _SPACE.fullmatch(self._buffer, self._at, found.start()) is None:
                return  # a text whose end is not there yet
            self._at = found.end()
            yield from self._took(token, found.start())

    def _next(self) -> re.Match[bytes] | None:
        if self._depth > 0 and (inside := _INSIDE.match(self._buffer, self._at)):
            self._at = inside.end() - 1
        return _TOKEN.search(self._buffer, self._at)

    def _took(self, token: bytes, at: int) -> Iterator[Element]:
        if self._depth == 0 and token in (b"[", b"]"):
            self._lists += 1 if token == b"[" else -1
        elif token in (b"{", b"["):
            self._start = at if self._depth == 0 else self._start
            self._depth += 1
        elif token in (b"}", b"]"):
            self._depth -= 1
            if self._depth == 0:
                yield self._element()
        elif self._depth == 0 and token not in (b",", b":"):
            self._start = at
            yield self._element()

    def _element(self) -> Element:
        self._number += 1
        text = self._buffer[self._start : self._at]
        is_cut = self._cut or len(text) > self._longest
        self._start, self._cut = None, False
        return Element(self._number, None if is_cut else text)
