"""Types and aspects that a platform has and the DataHub that we know has not: they are kept, and each is named once."""

from collections.abc import Iterable, Iterator

from ...federation.model import Skipped
from .registry import KNOWN
from .urn import Urn

_REASON = "it is not known here: kept whole, and what it refers to is not followed. A newer Watersmeet may know it"


class Unheard:
    """What was named so far, while one source is read once."""

    def __init__(self) -> None:
        self._named: set[str] = set()

    def of(self, one: Urn, aspects: Iterable[str]) -> tuple[Skipped, ...]:
        """What is new of an entity's type and of its aspects, as warnings."""
        fresh = [what for what in _strange(one, aspects) if what not in self._named]
        self._named.update(fresh)
        return tuple(Skipped(what, _REASON, lost=False) for what in dict.fromkeys(fresh))


def _strange(one: Urn, aspects: Iterable[str]) -> Iterator[str]:
    known = KNOWN.get(one.type)
    if known is None:
        yield f"the type {one.type}"
    else:
        yield from (f"the aspect {name} of {one.type}" for name in aspects if name not in (known.key, *known.aspects))
