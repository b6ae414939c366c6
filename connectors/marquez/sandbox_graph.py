"""The graphs that Marquez draws: the present version of one component, without a direction."""

import re
from collections.abc import Iterable

from .sandbox_shapes import Shapes
from .sandbox_things import Dataset, Job, Pair, Row
from .sandbox_world import World

_CUT = re.compile(r":(?!//|\d+)")


class NoNode(Exception):
    """The node id cannot be read, or leads to nothing (`message` says to what)."""

    def __init__(self, message: str | None = None, *, broken: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.broken = broken


def parse(node_id: str) -> tuple[str, Pair, str | None]:
    """Kind, pair and field of a node id, wrong wherever Marquez is wrong. Raises `NoNode`."""
    kind, _, rest = node_id.partition(":")
    wanted = {"dataset": 2, "job": 2, "datasetField": 3}.get(kind)
    if wanted is None:
        raise NoNode
    parts = rest.split(":")
    if len(parts) != wanted:
        parts = _CUT.split(rest, maxsplit=wanted - 1)
    if len(parts) < wanted:
        raise NoNode(broken=True)
    return kind, (parts[0], parts[1]), parts[2] if wanted == 3 else None


class Graph:
    """Draws."""

    def __init__(self, world: World, shapes: Shapes) -> None:
        self._world = world
        self._shapes = shapes

    def lineage(self, node_id: str, depth: int) -> Row:
        """The jobs around a node that are `depth` jobs away, with their datasets. Raises `NoNode`."""
        kind, pair, _ = parse(node_id)
        jobs = self._first(kind, pair)
        for _ in range(depth):
            around = {one for job in jobs.values() for one in self._datasets(job)}
            more = {key: job for key, job in self._world.jobs.items() if around & self._datasets(job)}
            if more.keys() <= jobs.keys():
                break
            jobs |= more
        datasets = {one: self._world.datasets[one] for job in jobs.values() for one in self._datasets(job)}
        nodes = [self._dataset(pair, one, jobs.values()) for pair, one in datasets.items() if not one.hidden]
        return {"graph": sorted([*nodes, *map(self._job, jobs.values())], key=lambda node: node["id"])}

    def _first(self, kind: str, pair: Pair) -> dict[Pair, Job]:
        if kind == "job":
            if pair not in self._world.jobs:
                raise NoNode(f"Job '{pair[1]}' not found.")
            return {pair: self._world.jobs[pair]}
        dataset = self._world.datasets.get(pair)
        if dataset is None or dataset.hidden:
            raise NoNode(f"Dataset '{pair[1]}' not found.")
        here = (dataset.namespace, dataset.name)
        return {key: job for key, job in self._world.jobs.items() if here in self._datasets(job)}

    def _datasets(self, job: Job) -> set[Pair]:
        return {one for one in (*job.drawn[0], *job.drawn[1]) if not self._world.datasets[one].hidden}

    def _dataset(self, pair: Pair, one: Dataset, jobs: Iterable[Job]) -> Row:
        node_id = _dataset_id(pair)
        writers = [_job_id(job) for job in jobs if pair in job.drawn[1]]
        readers = [_job_id(job) for job in jobs if pair in job.drawn[0]]
        return {
            "id": node_id,
            "type": "DATASET",
            "data": self._shapes.short_dataset(one),
            "inEdges": [{"origin": other, "destination": node_id} for other in sorted(writers)],
            "outEdges": [{"origin": node_id, "destination": other} for other in sorted(readers)],
        }

    def _job(self, job: Job) -> Row:
        node_id = _job_id(job)
        seen = self._datasets(job)
        read, written = ([_dataset_id(pair) for pair in pairs if pair in seen] for pairs in job.drawn)
        return {
            "id": node_id,
            "type": "JOB",
            "data": self._shapes.short_job(job),
            "inEdges": [{"origin": other, "destination": node_id} for other in sorted(read)],
            "outEdges": [{"origin": node_id, "destination": other} for other in sorted(written)],
        }

    def columns(self, node_id: str) -> Row:
        """What the columns of a dataset came from; the edges in are drawn backwards. Raises `NoNode`."""
        _, pair, column = parse(node_id)
        dataset = self._world.datasets.get(pair)
        if dataset is None or not dataset.fields:
            raise NoNode("Could not find node")
        told = [one for one in dataset.columns if column is None or one["name"] == column]
        nodes: dict[str, Row] = {}
        for one in told:
            own = self._column(dataset, one["name"], one["inputFields"], one)
            for source in one["inputFields"]:
                other = self._column(
                    self._world.datasets[(source["namespace"], source["dataset"])], source["field"], [], {}
                )
                other = nodes.setdefault(other["id"], other)
                own["inEdges"].append({"origin": own["id"], "destination": other["id"]})
                other["outEdges"].append({"origin": other["id"], "destination": own["id"]})
            nodes[own["id"]] = own
        return {"graph": sorted(nodes.values(), key=lambda node: node["id"])}

    def _column(self, one: Dataset, name: str, sources: list[Row], told: Row) -> Row:
        types = {row["name"]: row["type"] for row in one.fields}
        data = {
            "namespace": one.namespace,
            "dataset": one.name,
            "datasetVersion": one.versions[-1].id,
            "field": name,
            "fieldType": types.get(name, "") if sources else "",
            "transformationDescription": told.get("transformationDescription"),
            "transformationType": told.get("transformationType"),
            "inputFields": [self._versioned(source) for source in sources],
        }
        node_id = f"datasetField:{one.namespace}:{one.name}:{name}"
        return {"id": node_id, "type": "DATASET_FIELD", "data": data, "inEdges": list[Row](), "outEdges": list[Row]()}

    def _versioned(self, source: Row) -> Row:
        return {
            **source,
            "datasetVersion": self._world.datasets[(source["namespace"], source["dataset"])].versions[-1].id,
        }


def _dataset_id(pair: Pair) -> str:
    return f"dataset:{pair[0]}:{pair[1]}"


def _job_id(job: Job) -> str:
    return f"job:{job.namespace}:{job.name}"
