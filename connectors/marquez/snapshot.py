"""One reading of all lists: what they add to the feed, and what has gone from them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ...federation.connector import Batch
from ...federation.errors import BadInput, SourceChanged, SourceRefused, SourceUnavailable
from ...federation.model import Edge, Scope, Tombstone
from . import mapping
from .cursor import LISTED, name_hash
from .heard import Heard
from .lists import Lists
from .names import Pair, dataset_id, job_id, stored

_QUESTIONS = 500
"""About so many things are asked for one by one in a snapshot; the rest waits for the next one."""
_IN_A_ROW = 3
"""After so many namespaces that cannot be listed the server is taken to be in trouble."""


@dataclass(slots=True)
class Snapshot:
    """Reads once. Afterwards `listed` holds what is there, `failures` what could not be told."""

    lists: Lists
    heard: Heard
    wants: Callable[[str], bool]
    before: set[bytes]
    """What the former snapshot listed."""
    failures: list[str] = field(default_factory=list[str])
    grants: list[str] = field(default_factory=list[str])
    listed: set[str] = field(default_factory=set[str])
    gone: set[str] = field(default_factory=set[str])
    namespaces: dict[str, bool] = field(default_factory=dict[str, bool])
    _listed_jobs: set[Pair] = field(default_factory=set[Pair])
    _questions: int = _QUESTIONS

    def read(self) -> Iterator[Batch]:
        """What the lists say. A list that cannot be read is a failure, the others go on."""
        try:
            self.namespaces = self.lists.namespaces()
        except (SourceUnavailable, SourceChanged, SourceRefused) as error:
            self._failed("namespaces", error)
            return
        yield from self._strange()
        trouble = 0
        for namespace in (name for name, shown in self.namespaces.items() if shown and self.wants(name)):
            before = len(self.failures)
            yield from self._listing(namespace, "datasets", self._datasets)
            yield from self._listing(namespace, "jobs", self._jobs)
            trouble = trouble + 1 if len(self.failures) == before + 2 else 0
            if trouble == _IN_A_ROW:
                self.failures.append("the remaining namespaces were left out: nothing could be listed any more")
                return
        if not self.failures:
            yield from self._missing()

    @property
    def hashes(self) -> set[bytes]:
        """What is remembered for the next one: what was listed, and what is missing without proof of its end."""
        kept = {name_hash(one) for one in self.listed} | self.before
        kept -= {name_hash(one) for one in self.gone}
        return kept if len(kept) <= LISTED else set(sorted(kept)[:LISTED])

    def _listing(
        self, namespace: str, what: str, read: Callable[[str], Iterator[tuple[Scope, ...]]]
    ) -> Iterator[Batch]:
        try:
            for scopes in read(namespace):
                if scopes:
                    yield Batch(scopes=scopes)
        except (SourceUnavailable, SourceChanged, SourceRefused) as error:
            self._failed(f"{what} of namespace {namespace!r}", error)
        yield from self._strange()

    def _strange(self) -> Iterator[Batch]:
        if strange := self.lists.strange():
            yield Batch(skipped=strange)

    def _failed(self, what: str, error: Exception) -> None:
        self.failures.append(f"{what} cannot be listed: {error}")
        if isinstance(error, SourceRefused):
            self.grants.extend(error.grants or (f"read {what}",))

    # Datasets

    def _datasets(self, namespace: str) -> Iterator[tuple[Scope, ...]]:
        for page in self.lists.datasets(namespace):
            yield tuple(scope for one in page for scope in self._dataset(one, namespace, one["name"]))

    def _dataset(self, raw: dict[str, Any], namespace: str, name: str) -> Iterator[Scope]:
        native_id = dataset_id(namespace, name)
        self.listed.add(native_id)
        if not self.heard.is_suspect(namespace, name):
            yield mapping.dataset(raw, namespace, name, is_heard=self.heard.has_dataset(native_id))

    # Jobs

    def _jobs(self, namespace: str) -> Iterator[tuple[Scope, ...]]:
        for page in self.lists.jobs(namespace):
            yield tuple(scope for one in page for scope in self._job(one))

    def _job(self, raw: dict[str, Any]) -> Iterator[Scope]:
        namespace, name = raw["namespace"], raw["name"]
        simple, parent = raw.get("simpleName") or name, raw.get("parentJobName")
        if self.heard.is_ghost(namespace, name):
            return
        # Events call it by its simple name, or, as Airflow does, by its full one, of which Marquez strips the parent.
        told = self.heard.job(namespace, *((simple, name) if parent else (name,)))
        own = told or (namespace, simple if parent else name)
        self.listed.add(job_id(*own))
        self._listed_jobs.add(own)
        if told is not None or self.heard.is_parent(namespace, name):
            yield mapping.job(raw, own)
            return
        yield mapping.job(raw, own, self._declared(raw, own, parent))
        runs: list[dict[str, Any]] = raw.get("latestRuns") or []
        yield from (mapping.run(run, own) for run in runs if run.get("id"))

    def _declared(self, raw: dict[str, Any], own: Pair, parent: str | None) -> Iterator[Edge]:
        """The lineage of a job that has no run in the feed: a JobEvent's, or of runs that the server has forgotten."""
        read, wrote = mapping.pairs(raw.get("inputs")), mapping.pairs(raw.get("outputs"))
        if not read and not wrote and raw.get("latestRun") is None and self._may_ask():
            read, wrote = self.lists.drawn(raw["namespace"], raw["name"])
        yield from mapping.declared(read, wrote, own)
        if parent:
            boss = self.heard.job(raw["namespace"], parent) or (raw["namespace"], parent)
            yield mapping.part_of(own, boss)

    # What is missing

    def _missing(self) -> Iterator[Batch]:
        """Things of the feed that no list held: deleted (404, once listed), renamed (301), or never taken up."""
        for (namespace, name), native_id in sorted(self.heard.datasets.items()):
            if native_id not in self.listed and name_hash(native_id) in self.before and self._may_ask():
                yield from self._asked_for_dataset(namespace, name, native_id)
        for own in sorted(self.heard.jobs):
            if own not in self._listed_jobs and self.wants(own[0]) and self._may_ask():
                yield from self._asked_for_job(own)

    def _asked_for_dataset(self, namespace: str, name: str, native_id: str) -> Iterator[Batch]:
        if namespace not in self.namespaces:
            return
        try:
            found = self.lists.dataset(namespace, name)
        except (SourceUnavailable, SourceChanged, BadInput):
            return  # no proof of anything
        if found is None:
            self.gone.add(native_id)
            yield Batch(tombstones=(Tombstone(native_id, reason="deleted in Marquez"),))

    def _asked_for_job(self, own: Pair) -> Iterator[Batch]:
        namespace = stored(own[0])
        try:
            moved, found = self.lists.job(namespace, own[1])
        except (SourceUnavailable, SourceChanged, SourceRefused, BadInput):
            return
        if found is None:
            if name_hash(job_id(*own)) in self.before and namespace in self.namespaces:
                self.gone.add(job_id(*own))
                yield Batch(tombstones=(Tombstone(job_id(*own), reason="deleted in Marquez"),))
            return
        self.listed.add(job_id(*own))
        if not moved:
            yield Batch(scopes=tuple(self._job(found)))
            return
        target = self._own_name(found)
        yield Batch(scopes=(mapping.alias(own, target),))

    def _own_name(self, raw: dict[str, Any]) -> Pair:
        simple, parent = raw.get("simpleName") or raw["name"], raw.get("parentJobName")
        names: Iterable[str] = (simple, raw["name"]) if parent else (raw["name"],)
        return self.heard.job(raw["namespace"], *names) or (raw["namespace"], simple if parent else raw["name"])

    def _may_ask(self) -> bool:
        self._questions -= 1
        return self._questions >= 0
