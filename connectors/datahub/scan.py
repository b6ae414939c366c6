"""One scroll over some types from first to last, which can neither end too early nor go on for ever."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..http import TooMuch
from .options import MOST
from .rest import LostScroll, Page, Rest
from .wire import field

RESTARTS = 2
_EMPTY = 3
"""So many empty pages in a row that name a next one are no listing any more."""


class Unfinished(Exception):
    """A scroll that cannot be read to its end, with the reason."""


@dataclass(frozen=True, slots=True)
class Group:
    """Types that are read together, and what is asked of them."""

    types: tuple[str, ...]
    aspects: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the cursor calls it."""
        return self.types[0] if len(self.types) == 1 else f"{self.types[0]} and {len(self.types) - 1} more"


class Scan:
    """The scroll over one group. `scroll` is where a former one stood."""

    def __init__(self, rest: Rest, group: Group, size: int, scroll: str | None = None) -> None:
        self._rest = rest
        self._group = group
        self._size = min(size, MOST)
        self._scroll = scroll
        self._restarts = 0
        self.is_whole = scroll is None
        """Whether it was read from first to last, and not from where a former one stood."""
        self.received = 0
        self.total: int | None = None
        self.truncated: list[str] = []
        """Entities that are larger than what is taken at once: only their names were read."""
        self._told = 0

    def pages(self) -> Iterator[Page]:
        """All pages. A scroll that the server forgot begins again, twice at most. Raises `Unfinished`."""
        while True:
            try:
                yield from self._once()
                return
            except LostScroll as error:
                self._restarts += 1
                if self._restarts > RESTARTS:
                    raise Unfinished(
                        f"scroll_unstable: the server forgot {self._restarts} times where the listing stood"
                    ) from error
                self._scroll, self.received, self.is_whole = None, 0, True

    def lately_truncated(self) -> list[str]:
        """Those of them that were found since this was asked last."""
        lately = self.truncated[self._told :]
        self._told = len(self.truncated)
        return lately

    @property
    def disagrees(self) -> str | None:
        """What is wrong if the server counted another number of entities than it gave."""
        if self.total is None or not self.is_whole or abs(self.total - self.received) <= self.total * 0.005:
            return None
        return f"the server counts {self.total} and gave {self.received}: its index lags, or hides some"

    def _once(self) -> Iterator[Page]:
        scroll, former, last, empty = self._scroll, set[int](), list[str](), 0
        while True:
            page = self._page(scroll)
            names = [str(field(one, "urn")) for one in page.entities]
            if names and names == last:
                raise Unfinished("the server gives the same page again and again")
            self.received += len(names) + page.strange
            self.total = page.total if page.total is not None else self.total
            yield page
            empty = 0 if names or page.strange else empty + 1
            scroll, last = page.scroll, names
            if scroll is None:
                return
            if hash(scroll) in former or empty >= _EMPTY:
                raise Unfinished("the server names a page again that it has given: the listing would never end")
            former.add(hash(scroll))

    def _page(self, scroll: str | None) -> Page:
        """One page, however small it must be to be taken; at last the name of its one entity alone."""
        while True:
            try:
                return self._rest.page(self._group.types, self._group.aspects, self._size, scroll)
            except TooMuch:
                if self._size == 1:
                    return self._name_alone(scroll)
                self._size = max(self._size // 2, 1)

    def _name_alone(self, scroll: str | None) -> Page:
        page = self._rest.page(self._group.types, None, 1, scroll)
        self.truncated += [str(field(one, "urn")) for one in page.entities]
        return page


def groups(types: Sequence[str], aspects: dict[str, tuple[str, ...]]) -> list[Group]:
    """Which types are read together: those with large aspects alone, the small ones in one pass."""
    found: list[Group] = []
    rest = list(types)
    for together in (*_TOGETHER, tuple(rest)):
        here = tuple(one for one in together if one in rest)
        rest = [one for one in rest if one not in here]
        if here:
            found.append(_group(here, aspects))
    return found


def alone(group: Group, aspects: dict[str, tuple[str, ...]]) -> list[Group]:
    """Each type of a group by itself."""
    return [_group((one,), aspects) for one in group.types]


_TOGETHER = (
    ("dataset",),
    ("schemaField",),
    ("dataFlow", "dataJob", "dataProcess"),
    ("dataProcessInstance",),
    ("mlFeature", "mlFeatureTable", "mlModel", "mlModelDeployment", "mlModelGroup", "mlPrimaryKey", "versionSet"),
    ("chart", "dashboard", "notebook"),
    ("assertion", "incident"),
    ("query",),
)


def _group(types: tuple[str, ...], aspects: dict[str, tuple[str, ...]]) -> Group:
    return Group(types, tuple(sorted({aspect for one in types for aspect in aspects.get(one, ())})))
