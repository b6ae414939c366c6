"""Listings in pages that can neither end too early nor go on for ever."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from ...federation.errors import SourceChanged
from ...federation.model import Json

Params = Mapping[str, str | int]
Ask = Callable[[Params], Json]
"""Asks for one page; what is given is added to the parameters."""


def by_token(ask: Ask, following: Callable[[Json], str | None], into: str, source: str) -> Iterator[Json]:
    """Pages that name the next one. An empty page is not the end while it does; a name that returns is an error."""
    token: str | None = None
    former: set[int] = set()
    while True:
        page = ask({} if token is None else {into: token})
        yield page
        token = following(page) or None
        if token is None:
            return
        if hash(token) in former:
            raise SourceChanged(f"{source}: a listing names a page again that it has given: it would never end")
        former.add(hash(token))


def by_offset(ask: Ask, rows: str, size: int, source: str, *, start: int = 0) -> Iterator[list[dict[str, Any]]]:
    """Pages by number of rows (`limit`, `offset`). A short page is the last; a full one may not repeat itself."""
    offset, former = start, -1
    while True:
        page = listed(ask({"limit": size, "offset": offset}), rows, source)
        yield page
        if len(page) < size:
            return
        mark = hash(repr(page))
        if mark == former:
            raise SourceChanged(f"{source}: the listing of {rows} answers every offset with the same page")
        former, offset = mark, offset + len(page)


def listed(answer: Json, rows: str, source: str) -> list[dict[str, Any]]:
    """The objects of a listing. Raises `SourceChanged` where there is none."""
    found: Json = cast(Mapping[str, Any], answer).get(rows) if isinstance(answer, Mapping) else None
    if not isinstance(found, list):
        raise SourceChanged(f"{source}: an answer without the list {rows!r}", sample=str(cast(object, answer))[:500])
    return [cast(dict[str, Any], row) for row in cast(list[Any], found) if isinstance(row, dict)]
