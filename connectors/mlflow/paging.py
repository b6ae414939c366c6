"""How long listings are read: by the last value seen rather than by offset, in pages that shrink when they must."""

from collections.abc import Callable, Iterator, Mapping

from ...federation.errors import SourceChanged
from ...federation.model import Json
from ..http import TooMuch
from .wire import rows, text

Ask = Callable[[int, str | None], Json]
"""Asks for a page of so many rows after a token."""
_PAGES_TO_GROW = 8
Since = Callable[[int], Ask]
"""Gives the listing of what is at or after a value, ascending."""


class Pages:
    """The page size of one read: halved when an answer is too large or too slow, doubled again after good pages."""

    def __init__(self, size: int) -> None:
        self._most = size
        self._good = 0
        self.size = size

    def listing(self, ask: Ask, name: str) -> Iterator[list[dict[str, Json]]]:
        """All pages of a listing. An empty page is not the end while there is a token (design §6)."""
        token: str | None = None
        while True:
            page, after = self._page(ask, token, name)
            yield page
            if after is None:
                return
            token = _moved(token, after, name)

    def ascending(
        self, since: Since, name: str, start: int, value: Callable[[Json], int], identity: Callable[[Json], str]
    ) -> Iterator[list[dict[str, Json]]]:
        """All rows from `start` on, each once.

        MLflow's tokens are offsets, which a deletion shifts: so each page asks anew from the last value seen, and
        only where one value fills more than a page the token goes on.
        """
        after, token = start, None
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
            else:
                edge |= {identity(row) for row in page}
                token = _moved(token, following, name)

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
                return rows(answer, name), text(answer, "next_page_token") or None

    def _grow(self) -> None:
        self._good += 1
        if self._good == _PAGES_TO_GROW:
            self.size, self._good = min(self._most, self.size * 2), 0


def _moved(token: str | None, following: str, name: str) -> str:
    if token == following:
        raise SourceChanged(f"the listing of {name} answers with the token that it was asked with: it would never end")
    return following


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
