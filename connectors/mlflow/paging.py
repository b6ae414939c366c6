"""How long listings are read: by the last value seen rather than by offset, in pages that shrink when they must."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from ...federation.errors import SourceChanged
from ...federation.model import Json, Skipped
from ..http import TooMuch
from ..http.paging import Rows
from .wire import sample, text

Ask = Callable[[int, str | None], Json]
"""Asks for a page of so many rows after a token."""
_PAGES_TO_GROW = 8
_IDLE = 100
"""After so many pages in a row that bring nothing a listing is taken to have no end."""
Since = Callable[[int], Ask]
"""Gives the listing of what is at or after a value, ascending."""


class Pages:
    """The page size of one read: halved when an answer is too large or too slow, doubled again after good pages.

    `strange` grows by what stood in a page and is no row.
    """

    def __init__(self, size: int, strange: list[Skipped] | None = None) -> None:
        self._most = size
        self._good = 0
        self.size = size
        self.strange = [] if strange is None else strange

    def listing(self, ask: Ask, name: str) -> Iterator[list[dict[str, Json]]]:
        """All pages of a listing. An empty page is not the end while there is a token (design §6)."""
        token: str | None = None
        way = _Way(name)
        while True:
            page, after = self._page(ask, token, name)
            yield page
            if after is None:
                return
            token = way.on(after, is_idle=not page)

    def ascending(
        self, since: Since, name: str, start: int, value: Callable[[Json], int], identity: Callable[[Json], str]
    ) -> Iterator[list[dict[str, Json]]]:
        """All rows from `start` on, each once.

        MLflow's tokens are offsets, which a deletion shifts: so each page asks anew from the last value seen, and
        only where one value fills more than a page the token goes on.
        """
        after, token = start, None
        way = _Way(name)
        edge: set[str] = set()  # who stood at the last value seen, so that asking from it again repeats nobody
        while True:
            page, following = self._page(since(after), token, name)
            fresh = [row for row in page if identity(row) not in edge]
            yield fresh
            if following is None:
                return
            newest = max((value(row) for row in page), default=after)
            if newest > max(after, 0):  # before 1970 no filter reaches, so the token goes on there too
                edge = {identity(row) for row in page if value(row) == newest}
                after, token = newest, None
                way = _Way(name)
            else:
                edge |= {identity(row) for row in page}
                token = way.on(following, is_idle=not fresh)

    def _page(self, ask: Ask, token: str | None, name: str) -> tuple[list[dict[str, Json]], str | None]:
        while True:
            try:
                answer = ask(self.size, token)
            except TooMuch:
                if self.size == 1:
                    raise
                self.size, self._good = self.size // 2, 0
            else:
                self._grow()
                found = listed(answer, name)
                self.strange += found.strange
                return found, text(answer, "next_page_token") or None

    def _grow(self) -> None:
        self._good += 1
        if self._good == _PAGES_TO_GROW:
            self.size, self._good = min(self._most, self.size * 2), 0


class _Way:
    """The tokens that one listing has led through: it may neither come back nor go on for ever."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._former: set[int] = set()
        self._idle = 0

    def on(self, token: str, *, is_idle: bool) -> str:
        """The next token, if it leads on. Raises `SourceChanged`."""
        if hash(token) in self._former:
            raise SourceChanged(
                f"the listing of {self._name} answers with a token that it has given: it would never end"
            )
        self._former.add(hash(token))
        self._idle = self._idle + 1 if is_idle else 0
        if self._idle == _IDLE:
            raise SourceChanged(f"the listing of {self._name} brought nothing in {_IDLE} pages and says there is more")
        return token


def listed(answer: Json, name: str) -> Rows:
    """The rows of a listing. MLflow leaves an empty list out, so `{}` is nothing.

    Raises `SourceChanged` for anything else without the list, which would pass for nothing too.
    """
    told = cast(Mapping[str, Any], answer) if isinstance(answer, Mapping) else None
    is_listing = told is not None and isinstance(told.get(name, []), list)
    if not is_listing or (told and not {name, "next_page_token"} & told.keys()):
        raise SourceChanged(f"an answer without the list {name!r}", sample=sample(answer))
    return Rows(name, cast(list[Json], told.get(name, [])) if told else ())


def posting(post: Callable[[str, Mapping[str, Json]], Json], path: str, body: Mapping[str, Json]) -> Ask:
    """A listing that is asked for by POST."""
    return lambda size, token: post(path, {**body, "max_results": size, **({"page_token": token} if token else {})})


def getting(
    get: Callable[[str, Mapping[str, str | int]], Json], path: str, params: Mapping[str, str | int], most: int
) -> Ask:
    """A listing that is asked for by GET, of which the server gives at most `most` rows a page."""
    return lambda size, token: get(
        path, {**params, "max_results": min(size, most), **({"page_token": token} if token else {})}
    )
