"""Marquez' lists over HTTP, read so that neither a moving order nor one bad row loses more than it must."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from ...federation.errors import SourceChanged
from ...federation.model import Json, Skipped
from ..http import Absent, Answer, Ask, Failing, Http, by_offset, path
from ..http.paging import Rows, listed
from ..http.redaction import scrubbed
from .names import Pair, pair_of

ROOT = ("api", "v1")
_PASSES = 4
_SAMPLE = 500


class Lists:
    """What there is, by namespace."""

    def __init__(self, http: Http, source: str, page_size: int, jobs_page: int) -> None:
        self._http = http
        self._source = source
        self._page_size = page_size
        self._jobs_page = jobs_page
        self._strange: dict[Skipped, None] = {}

    def strange(self) -> tuple[Skipped, ...]:
        """What stood in lists and could be read as nothing, since the last time that this was asked."""
        found, self._strange = tuple(self._strange), {}
        return found

    def namespaces(self) -> dict[str, bool]:
        """All namespaces, and whether each is shown; deleted ones are listed too, as hidden."""
        # One row that cannot be shown breaks the list for good, so nobody asks five times.
        found: dict[str, bool] = {}
        for page in by_offset(self._ask(path(*ROOT, "namespaces")), "namespaces", self._page_size, self._source):
            found |= {str(one["name"]): not one.get("isHidden") for one in self._named(page, "namespaces")}
        return found

    def datasets(self, namespace: str) -> Iterator[list[dict[str, Any]]]:
        """The datasets of a namespace, in order of their names."""
        where = path(*ROOT, "namespaces", namespace, "datasets")
        for page in by_offset(self._ask(where), "datasets", self._page_size, self._source):
            yield self._named(page, f"datasets of {namespace}")

    def jobs(self, namespace: str) -> Iterator[list[dict[str, Any]]]:
        """The jobs of a namespace, each once.

        The list is ordered by what moved last: a job that moves while it is read jumps over the reader. So it is
        read again until nothing new turns up, if it moved (a job twice, or fewer than there are).
        """
        seen = set[Pair]()
        for _ in range(_PASSES):
            before, moved, total = len(seen), False, 0
            for answer in self._job_pages(namespace):
                page = self._named(listed(answer, "jobs", self._source), f"jobs of {namespace}")
                total = max(total, _total(answer))
                fresh = [one for one in page if (pair := pair_of(one)) is not None and pair not in seen]
                moved = moved or (before == 0 and len(fresh) < len(page))
                seen.update(pair for one in fresh if (pair := pair_of(one)) is not None)
                yield fresh
            if before == len(seen) or not (moved or len(seen) < total):
                return
        raise SourceChanged(f"{self._source}: the jobs of {namespace!r} move faster than they can be listed")

    def _job_pages(self, namespace: str) -> Iterator[Json]:
        ask, offset = self._ask(path(*ROOT, "namespaces", namespace, "jobs")), 0
        while True:
            answer = ask({"limit": self._jobs_page, "offset": offset})
            yield answer
            size = listed(answer, "jobs", self._source).size
            if size < self._jobs_page:
                return
            offset += size

    def dataset(self, namespace: str, name: str) -> dict[str, Any] | None:
        """One dataset; None where Marquez itself says that there is none."""
        return self._one(path(*ROOT, "namespaces", namespace, "datasets", name))[1]

    def job(self, namespace: str, name: str) -> tuple[bool, dict[str, Any] | None]:
        """One job, and whether its name led to another (301); None where Marquez itself says that there is none."""
        answer, found = self._one(path(*ROOT, "namespaces", namespace, "jobs", name))
        return answer is not None and answer.moved, found

    def drawn(self, namespace: str, name: str) -> tuple[list[Pair], list[Pair]]:
        """What `/lineage` draws around one job, at the smallest depth: where a JobEvent's datasets are to be seen."""
        node = f"job:{namespace}:{name}"
        try:
            answer = self._http.get_json(path(*ROOT, "lineage"), {"nodeId": node, "depth": 0}, retries=0)
        except (Absent, Failing):
            return [], []  # node ids are not escaped: many names cannot be asked for
        nodes = listed(answer, "graph", self._source)
        datasets = {one["id"]: pair_of(one.get("data")) for one in nodes if one.get("type") == "DATASET"}
        own = [one for one in nodes if one.get("type") == "JOB" and pair_of(one.get("data")) == (namespace, name)]
        read = [datasets.get(edge.get("origin")) for one in own for edge in one.get("inEdges") or ()]
        wrote = [datasets.get(edge.get("destination")) for one in own for edge in one.get("outEdges") or ()]
        return [one for one in read if one is not None], [one for one in wrote if one is not None]

    def _named(self, page: Rows, of: str) -> list[dict[str, Any]]:
        """The rows that can be read; the others are noted."""
        self._strange |= dict.fromkeys(replace(one, what=f"{of}, {one.what}") for one in page.strange)
        for one in page:
            if not one.get("name"):
                self._strange[Skipped(f"{of}: a row without a name", "it has no name", sample(one))] = None
        return [one for one in page if one.get("name")]

    def _one(self, where: str) -> tuple[Answer | None, dict[str, Any] | None]:
        try:
            answer, found = self._http.get(where, retries=1)
        except Absent as error:
            # "Dataset 'x' not found." is Marquez' word; "HTTP 404 Not Found" means that the path cannot be asked for.
            if b"' not found" not in error.answer.body:
                raise
            return None, None
        return answer, cast(dict[str, Any], found) if isinstance(found, dict) else None

    def _ask(self, where: str) -> Ask:
        return lambda params: self._http.get_json(where, params, retries=1)


def sample(row: dict[str, Any]) -> str:
    """A short cut of a row that was not understood, scrubbed."""
    return scrubbed(repr(row)[:_SAMPLE])


def _total(answer: Json) -> int:
    total = cast(dict[str, Any], answer).get("totalCount") if isinstance(answer, dict) else None
    return total if isinstance(total, int) else 0
