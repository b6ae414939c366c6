"""The records of a metadata file one by one, however large the file: a JSON list, one record, or one a line.

Records are only told apart here, and parsed by who takes them, so that one that is no JSON takes no other along.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNK = 1 << 18
_BETWEEN = re.compile(rb"[\s,:]*+")
_WORD = re.compile(rb'[^\s{}\[\],:"]*+')
_TEXT = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_INSIDE = re.compile(rb'(?:[^{}\[\]"]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
"""All up to the next bracket, or to a text that goes on behind the chunk: within a record nothing else counts."""
_OPENS = frozenset(b"{[")
_QUOTE, _ESCAPE = b'"\\'


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
        self._number = 0
        self._lists = 0
        self._is_open = False
        """A record has begun. Then it is in a text, or in brackets, or else a word."""
        self._in_text = False
        self._is_escaped = False
        self._depth = 0
        self._held = bytearray()
        self._is_cut = False

    def elements(self) -> Iterator[Element]:
        """Read on and on."""
        while chunk := self._stream.read(CHUNK):
            yield from self._scan(chunk)
        if self._is_open and not self._in_text and not self._depth:
            yield self._element(b"")
        if self._is_open or self._lists:
            raise Broken("it ends in the middle of a record")

    def _scan(self, chunk: bytes) -> Iterator[Element]:
        at = start = 0
        if self._is_escaped:
            at, self._is_escaped = 1, False
        while at < len(chunk):
            if not self._is_open:
                start = self._between(chunk, at)
                at = start + self._begin(chunk[start : start + 1])
            at, is_done = self._within(chunk, at) if self._is_open else (at, False)
            if is_done:
                yield self._element(chunk[start:at])
        if self._is_open:
            self._hold(chunk[start:])

    def _between(self, chunk: bytes, at: int) -> int:
        """Where the next record begins."""
        while (at := _end(_BETWEEN, chunk, at)) < len(chunk):
            mark = chunk[at : at + 1]
            if mark == b"[":
                self._lists += 1
            elif mark == b"]" and self._lists:
                self._lists -= 1
            else:
                break
            at += 1
        return at

    def _begin(self, mark: bytes) -> int:
        self._is_open = bool(mark)
        self._in_text = mark == b'"'
        self._depth = 1 if mark == b"{" else 0
        return len(mark)

    def _within(self, chunk: bytes, at: int) -> tuple[int, bool]:
        """Up to the end of the record, or of the chunk; whether it was that of the record."""
        if self._depth:
            return self._within_brackets(chunk, at)
        if self._in_text:
            at = self._through_text(chunk, at)
            return at, not self._in_text
        at = _end(_WORD, chunk, at)
        return at, at < len(chunk)

    def _within_brackets(self, chunk: bytes, at: int) -> tuple[int, bool]:
        depth = self._depth
        while depth and at < len(chunk):
            if self._in_text:
                at = self._through_text(chunk, at)
                continue
            at = _end(_INSIDE, chunk, at)
            mark = chunk[at] if at < len(chunk) else None
            if mark is not None:
                at += 1
                self._in_text = mark == _QUOTE
                depth += 0 if self._in_text else 1 if mark in _OPENS else -1
        self._depth = depth
        return at, not depth

    def _through_text(self, chunk: bytes, at: int) -> int:
        at = _end(_TEXT, chunk, at)
        if at < len(chunk):
            self._in_text = chunk[at] == _ESCAPE  # the last of the chunk, and what it escapes is in the next
            self._is_escaped = self._in_text
            at += 1
        return at

    def _hold(self, more: bytes) -> None:
        if self._is_cut or len(self._held) + len(more) > self._longest:
            self._is_cut = True
            self._held.clear()
        else:
            self._held += more

    def _element(self, last: bytes) -> Element:
        self._number += 1
        self._hold(last)
        text = None if self._is_cut else bytes(self._held)
        self._held.clear()
        self._is_open = self._is_cut = False
        return Element(self._number, text)


def _end(pattern: re.Pattern[bytes], chunk: bytes, at: int) -> int:
    """How far a pattern goes that also matches nothing."""
    found = pattern.match(chunk, at)
    return found.end() if found else at
