"""Pages of lists as Relay has them, with cursors that only this store could have written."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

import orjson
import strawberry

from ...federation.errors import BadInput, CursorExpired

Thing = TypeVar("Thing")
_SEAL = 10


@strawberry.type(description="Where a page begins and ends, and whether more follows.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[Thing]):
    node: Thing
    cursor: str


@strawberry.type
class Connection(Generic[Thing]):
    edges: list[Edge[Thing]]
    page_info: PageInfo
    total: int


class Cursors:
    """Writes and reads the places of pages. A cursor belongs to one store and one question."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"watersmeet page cursor 2", sha256)

    def write(self, question: object, position: int | tuple[int, ...]) -> str:
        """The cursor of a position in the answer to a question: one number, or several."""
        body = ".".join(map(str, position if isinstance(position, tuple) else (position,))).encode()
        return base64.urlsafe_b64encode(self._seal(question, body) + body).decode().rstrip("=")

    def read(self, question: object, cursor: str | None) -> int | None:
        """The position in a cursor; None for no cursor. Raises `BadInput`."""
        numbers = self.read_all(question, cursor)
        return None if numbers is None else numbers[0]

    def read_all(self, question: object, cursor: str | None) -> tuple[int, ...] | None:
        """The same for a position of several numbers. Raises `BadInput`."""
        if cursor is None:
            return None
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        seal, body = raw[:_SEAL], raw[_SEAL:]
        if not body or not hmac.compare_digest(seal, self._seal(question, body)):
            raise BadInput("`after` is no cursor of this question: take it from an answer to the very same arguments")
        return tuple(map(int, body.split(b".")))

    def _seal(self, question: object, body: bytes) -> bytes:
        return hmac.digest(self._key, orjson.dumps(question) + b"\0" + body, sha256)[:_SEAL]


@dataclass(frozen=True, slots=True)
class Numbered:
    """Places in a list whose numbers mean something in one epoch of the store only: a copy that was brought back gives
    out the same ones again, for other things."""

    cursors: Cursors
    question: object
    epoch: str

    def read(self, cursor: str | None) -> int | None:
        """The number behind which a page begins. Raises `BadInput`, `CursorExpired`."""
        found = self.cursors.read_all(self.question, cursor)
        if found is None:
            return None
        if found[1:] != (self._mark,):
            raise CursorExpired("the store was rebuilt or brought back since the last page: ask again from the start")
        return found[0]

    def write(self, number: int) -> str:
        """The cursor of a number."""
        return self.cursors.write(self.question, (number, self._mark))

    @property
    def _mark(self) -> int:
        return int.from_bytes(sha256(self.epoch.encode()).digest()[:6])


@dataclass(frozen=True, slots=True)
class Counted:
    """Where a page of a list begins that is counted from its start, and the id that stands just before it."""

    start: int = 0
    last: int | None = None

    @classmethod
    def of(cls, cursors: Cursors, question: object, cursor: str | None) -> "Counted":
        """What a cursor says. Raises `BadInput`."""
        found = cursors.read_all(question, cursor)
        return cls() if found is None else cls(found[0], found[1])

    @property
    def again(self) -> int:
        """How many things are read once more, to see that the list still is what it was: one, if any came before."""
        return 0 if self.last is None else 1

    def checked(self, ids: Sequence[int]) -> Sequence[int]:
        """The ids without the one that was read again. Raises `CursorExpired` if another stands in its place."""
        if self.last is not None and (not ids or ids[0] != self.last):
            raise CursorExpired("the list has changed since its last page: ask again from the start")
        return ids[self.again :]

    def connected(
        self, cursors: Cursors, question: object, ids: Sequence[int], nodes: Sequence[Thing], total: int
    ) -> Connection[Thing]:
        """The page of these things."""
        marks = [cursors.write(question, (self.start + place, one)) for place, one in enumerate(ids, 1)]
        return connection(nodes, marks, total, more=self.start + len(ids) < total, before=self.start > 0)


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list a page shows: its ids, and whether something comes before and after."""

    ids: Sequence[int]
    more: bool
    before: bool


def part_of(every: Sequence[int], first: int, behind: int | None) -> Part:
    """The part behind an id, which must still be there. Raises `CursorExpired`."""
    if behind is not None and behind not in every:
        raise CursorExpired("what the last page ended with is not in the list any more: ask again from the start")
    start = 0 if behind is None else every.index(behind) + 1
    ids = every[start : start + first]
    return Part(ids, start + len(ids) < len(every), start > 0)


def connection(
    nodes: Sequence[Thing], marks: Sequence[str], total: int, *, more: bool, before: bool
) -> Connection[Thing]:
    """One page; `more` follows it, `before` says that something came before."""
    info = PageInfo(
        has_next_page=more,
        has_previous_page=before,
        start_cursor=marks[0] if marks else None,
        end_cursor=marks[-1] if marks else None,
    )
    return Connection(
        edges=[Edge(node=node, cursor=mark) for node, mark in zip(nodes, marks, strict=True)],
        page_info=info,
        total=total,
    )
