"""Whom the feed spoke of: what the lists add is laid beside it under the same names."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from ...federation.naming import is_suspect
from .names import Pair, dataset_id, pair_of, stored


class Heard:
    """The jobs and datasets of all events of one pass over the feed."""

    def __init__(self) -> None:
        self.datasets: dict[Pair, str] = {}
        """Each with its native id."""
        self._native_ids: set[str] = set()
        self._sound: set[Pair] = set()
        self._jobs: dict[Pair, Pair] = {}
        self._ghosts: set[Pair] = set()
        self._parents: set[Pair] = set()

    def note(self, event: dict[str, Any]) -> None:
        """Remember the names of an event."""
        job = pair_of(event.get("job"))
        if job is None:
            return
        self._jobs[(stored(job[0]), job[1])] = job
        self._note_datasets([*_pairs(event.get("inputs")), *_pairs(event.get("outputs"))])
        parent = _parent(event)
        if parent is not None:
            self._parents.add((stored(parent[0]), parent[1]))
            # A parent whose run Marquez does not know is made up in the namespace of its child.
            self._ghosts.add((stored(job[0]), parent[1]))

    def _note_datasets(self, pairs: list[Pair]) -> None:
        for pair in pairs:
            if pair not in self.datasets:
                self.datasets[pair] = dataset_id(*pair)
                self._native_ids.add(self.datasets[pair])
            if pair not in self._sound:
                beside = [name for namespace, name in pairs if namespace == pair[0]]
                if not is_suspect(pair[1], beside, pair[0]):
                    self._sound.add(pair)

    def has_dataset(self, native_id: str) -> bool:
        """Whether an event named the dataset, by whatever spelling."""
        return native_id in self._native_ids

    def is_suspect(self, namespace: str, name: str) -> bool:
        """Whether events named it only so that it may be no dataset: the feed keeps it apart for each job."""
        return (namespace, name) in self.datasets and (namespace, name) not in self._sound

    @property
    def jobs(self) -> Iterable[Pair]:
        """Jobs under their own names."""
        return self._jobs.values()

    def job(self, namespace: str, *names: str) -> Pair | None:
        """The job of an event that a listed one is: under the first of these names that an event used."""
        return next((self._jobs[(namespace, name)] for name in names if (namespace, name) in self._jobs), None)

    def is_ghost(self, namespace: str, name: str) -> bool:
        """Whether a job is known as somebody's parent only, and in a namespace that nobody gave it."""
        here = (namespace, name)
        return here in self._ghosts and here not in self._parents and here not in self._jobs

    def is_parent(self, namespace: str, name: str) -> bool:
        """Whether events named it as a parent: its runs are theirs."""
        return (namespace, name) in self._parents


def _pairs(datasets: Any) -> Iterator[Pair]:
    if isinstance(datasets, list):
        yield from (pair for one in cast(list[Any], datasets) if (pair := pair_of(one)) is not None)


def _parent(event: dict[str, Any]) -> Pair | None:
    told: Any = event
    for name in ("run", "facets", "parent", "job"):
        told = cast(dict[str, Any], told).get(name) if isinstance(told, dict) else None
    return pair_of(told)
