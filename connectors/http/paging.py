"""Listings in pages that can neither end too early nor go on for ever."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from ...federation.errors import SourceChanged
from ...federation.model import Json, Skipped
from .redaction import scrubbed

_SAMPLE = 500

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


class Rows(list[dict[str, Any]]):
    """The objects of one page; what else stood among them is told in `strange`, and counts in its `size`."""

    def __init__(self, name: str = "", found: Iterable[Json] = ()) -> None:
        """`name`: how the platform calls the list."""
        super().__init__()
        self.strange: list[Skipped] = []
        for place, row in enumerate(found, 1):
            if isinstance(row, dict):
                self.append(cast(dict[str, Any], row))
            else:
                sample = scrubbed(repr(row)[:_SAMPLE])
                self.strange.append(Skipped(f"{name}: row {place} of a page", "it is no object", sample))

    @property
    def size(self) -> int:
        """How many rows the page had."""
        return len(self) + len(self.strange)


def by_offset(ask: Ask, rows: str, size: int, source: str, *, start: int = 0) -> Iterator[Rows]:
    """Pages by number of rows (`limit`, `offset`). A short page is the last; a full one may not repeat itself."""
    offset, former = start, -1
    while True:
        page = listed(ask({"limit": size, "offset": offset}), rows, source)
        yield page
        if page.size < size:
            return
        mark = hash(repr((page, page.strange)))
        if mark == former:
            raise SourceChanged(f"{source}: the listing of {rows} answers every offset with the same page")
        former, offset = mark, offset + page.size


def listed(answer: Json, rows: str, source: str) -> Rows:
    """The rows of a listing. Raises `SourceChanged` where there is none."""
    found: Json = cast(Mapping[str, Any], answer).get(rows) if isinstance(answer, Mapping) else None
    if not isinstance(found, list):
        raise SourceChanged(f"{source}: an answer without the list {rows!r}", sample=str(cast(object, answer))[:500])
    return Rows(rows, cast(list[Json], found))
