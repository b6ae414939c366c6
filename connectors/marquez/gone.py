"""Whether things that the lists lacked are really gone."""

from collections.abc import Iterable, Iterator, Mapping, Set

from ...federation.errors import BadInput, SourceChanged, SourceRefused, SourceUnavailable
from ...federation.naming import openlineage_canonical
from .lists import Lists
from .names import stored


class Gone:
    """Asks for each thing by name. What was not certainly looked for in its place is not gone."""

    def __init__(self, lists: Lists, namespaces: Mapping[str, bool], listed: Set[str]) -> None:
        self._lists = lists
        self._listed = listed
        self._known = set(namespaces)
        self._canonical: dict[str, list[str]] = {}
        for name in namespaces:
            self._canonical.setdefault(openlineage_canonical(name, "x")[0], []).append(name)

    def of(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Those of which Marquez itself says that they do not exist."""
        asked: dict[str, bool] = {}
        for native_id in native_ids:
            owner, _, column = native_id.partition("#")
            if owner not in asked:
                asked[owner] = self._is_gone(owner)
            if asked[owner] or (column and owner in self._listed):
                yield native_id  # a dataset that was listed without a column has it no more

    def _is_gone(self, native_id: str) -> bool:
        if native_id in self._listed or native_id.startswith("run:"):
            return False  # what happened does not go away: runs are forgotten by retention alone
        if native_id.startswith("job:"):
            return self._lacks(list(self._jobs(native_id.removeprefix("job:"))), is_job=True)
        return self._lacks(list(self._datasets(native_id)), is_job=False)

    def _lacks(self, places: list[tuple[str, str]], *, is_job: bool) -> bool:
        try:
            for namespace, name in places:
                found = self._lists.job(namespace, name)[1] if is_job else self._lists.dataset(namespace, name)
                if found is not None:
                    return False
        except (SourceUnavailable, SourceChanged, SourceRefused, BadInput):
            return False  # no proof of anything
        return bool(places)

    def _jobs(self, text: str) -> Iterator[tuple[str, str]]:
        yield from ((stored(left), right) for left, right in _cuts(text) if stored(left) in self._known)

    def _datasets(self, text: str) -> Iterator[tuple[str, str]]:
        for left, right in _cuts(text):
            yield from ((namespace, right) for namespace in self._canonical.get(left, ()))


def _cuts(text: str) -> Iterator[tuple[str, str]]:
    """Every way to read `namespace/name`: both may hold slashes."""
    for place, sign in enumerate(text):
        if sign == "/" and 0 < place < len(text) - 1:
            yield text[:place], text[place + 1 :]
