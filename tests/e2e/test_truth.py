"""What real Spark, dbt, Airflow and Python clients sent goes through the inlet; what comes out is held against what
their pipeline really does (`truth.json`, written by its author): nothing told is lost, nothing is invented.
"""

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
import pytest

from .service import Service, wait_for

FILES = (
    "spark_shop_lake",
    "dbt_shop",
    "dbt_shop_structured_logs",
    "airflow_shop_daily",
    "airflow_spark_dbt_pipeline",
    "python_client",
)
"""All but `airflow_shop_daily_dags_test`, which is wrong on purpose: see the last test."""

NODES = "nodes { id name kind depth columnExact } edges { upstream downstream kind }"
UPSTREAM = f"""query($root: ID!, $level: Level, $depth: Int!) {{
  lineage(root: $root, direction: UPSTREAM, depth: $depth, level: $level, first: 500) {{ {NODES} total }} }}"""
FIND = "query($key: String!) { asset(key: $key) { id kind } }"
ALL = """query($after: String) { search(text: "", kinds: [DATASET, MODEL_VERSION], first: 100, after: $after) {
  edges { node { id name } } pageInfo { hasNextPage endCursor } total } }"""


class World:
    """The service after it has heard everything, and the truth."""

    def __init__(self, service: Service, truth: dict[str, Any]) -> None:
        self.service = service
        self.truth = truth
        self.ids = {
            thing["id"]: {found for name in thing["names"] if (found := self.find(name["namespace"], name["name"]))}
            for thing in truth["physical"]
        }
        self.thing = {number: thing for thing, numbers in self.ids.items() for number in numbers}

    def find(self, namespace: str, name: str) -> str | None:
        found = self.service.ask(FIND, key=f"dataset:{namespace}:{name}")["asset"]
        return found and found["id"]

    def upstream(self, root: str, level: str, depth: int) -> Any:
        return self.service.ask(UPSTREAM, root=root, level=level, depth=depth)["lineage"]

    def datasets(self) -> Iterator[dict[str, str]]:
        after = None
        while True:
            page = self.service.ask(ALL, after=after)["search"]
            yield from (edge["node"] for edge in page["edges"])
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    @cached_property
    def table_edges(self) -> set[tuple[str, str]]:
        """Every (upstream, downstream) of two datasets with a job, or nothing, between them, by the truth's ids."""
        pairs: set[tuple[str, str]] = set()
        for dataset in self.datasets():
            answer = self.upstream(dataset["id"], "ASSET", 2)
            kinds = {node["id"]: node["kind"] for node in answer["nodes"]}
            direct = {e["upstream"] for e in answer["edges"] if e["downstream"] == dataset["id"]}
            through = {
                e["upstream"]
                for e in answer["edges"]
                if e["downstream"] in direct and kinds[e["downstream"]] in ("JOB", "RUN")
            }
            down = self.thing.get(dataset["id"], dataset["name"])
            for up in direct | through:
                if kinds[up] in ("DATASET", "MODEL_VERSION", "OTHER"):
                    name = next(node["name"] for node in answer["nodes"] if node["id"] == up)
                    pairs.add((self.thing.get(up, name), down))
        return pairs

    @cached_property
    def column_edges(self) -> set[tuple[str, str, str, str]]:
        """Every (upstream table, column, downstream table, column) as told; "*" stands for the whole table."""
        found: set[tuple[str, str, str, str]] = set()
        for thing in self.truth["physical"]:
            for name in thing["names"]:
                for column in (*thing["columns"], "*"):
                    key = f"datasetField:{name['namespace']}:{name['name']}:{column}"
                    whole = f"dataset:{name['namespace']}:{name['name']}"
                    asset = self.service.ask(FIND, key=whole if column == "*" else key)["asset"]
                    if asset is None:
                        continue
                    answer = self.upstream(asset["id"], "FINE", 1)
                    names = {node["id"]: node for node in answer["nodes"]}
                    for edge in answer["edges"]:
                        up = names[edge["upstream"]]
                        if edge["kind"] == "DERIVE" and up["kind"] == "COLUMN":
                            found.add((*self.owner(up["id"]), thing["id"], column))
        return found

    def owner(self, column: str) -> tuple[str, str]:
        query = "query($id: ID!) { asset(id: $id) { name records { nativeId } } }"
        asset = self.service.ask(query, id=column)["asset"]
        native, _, field = asset["records"][0]["nativeId"].rpartition("#")
        for thing in self.truth["physical"]:
            if any(native == f"{name['namespace']}/{name['name']}" for name in thing["names"]):
                return thing["id"], field
        return native, field


@pytest.fixture(scope="module")
def world(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    events = shared / "data" / "emitters"
    with Service(tmp_path_factory.mktemp("truth")) as service:
        for name in FILES:
            send(service, events / f"{name}.ndjson")
        wait_until_understood(service)
        yield World(service, json.loads((events / "truth.json").read_text()))


def send(service: Service, file: Path) -> None:
    with httpx2.Client(base_url=service.url) as client:
        for line in file.read_text().splitlines():
            answer = client.post("/api/v1/lineage", json=json.loads(line)["body"])
            assert answer.is_success, answer.text


def wait_until_understood(service: Service) -> None:
    """The inlet has answered; what it keeps becomes part of the graph a moment later."""

    def quiet() -> bool:
        lines = httpx2.get(f"{service.url}/metrics").text.splitlines()
        lags = [float(line.rpartition(" ")[2]) for line in lines if line.startswith("watersmeet_inlet_lag")]
        return bool(lags) and not any(lags)

    wait_for(quiet, "an inlet without lag")


def test_every_table_edge_that_was_told_is_found(world: World) -> None:
    told = {(edge["up"], edge["down"]) for edge in world.truth["table_edges"] if edge["told"] in ("yes", "partly")}
    assert told - world.table_edges == set()
    assert len(told) == 36


def test_no_table_edge_is_invented(world: World) -> None:
    true = {(edge["up"], edge["down"]) for edge in world.truth["table_edges"]}
    suspect = {"read_parquet", "/srv/lake/raw"}  # names that emitters made up; they stay apart and are marked
    invented = {(up, down) for up, down in world.table_edges - true if up not in suspect}
    assert invented == set()


def test_one_table_of_several_emitters_is_one_asset(world: World) -> None:
    told_under_another_name = {"bronze.orders", "bronze.customers"}  # only dbt's configuration knows, no event tells
    several = {thing for thing, numbers in world.ids.items() if len(numbers) > 1}
    assert several <= told_under_another_name
    assert {thing for thing, numbers in world.ids.items() if not numbers} == set()


def test_look_alikes_stay_apart(world: World) -> None:
    for one, other, why in world.truth["look_alikes"]:
        assert not world.ids[one] & world.ids[other], why


def test_every_column_edge_that_was_told_is_found(world: World) -> None:
    told = {(*edge["up"], *edge["down"]) for edge in world.truth["column_edges"] if edge["told"] == "yes"}
    assert told - world.column_edges == set()
    assert len(told) == 27


def test_no_column_edge_is_invented(world: World) -> None:
    true = {(*edge["up"], *edge["down"]) for edge in world.truth["column_edges"]}
    known = {thing["id"] for thing in world.truth["physical"]}
    invented = {edge for edge in world.column_edges - true if edge[0] in known}
    assert invented == set()


def test_a_dag_run_without_a_scheduler_is_kept_though_it_tells_what_did_not_happen(
    shared: Path, tmp_path: Path
) -> None:
    with Service(tmp_path) as service:
        send(service, shared / "data" / "emitters" / "airflow_shop_daily_dags_test.ndjson")
        wait_until_understood(service)
        assert service.ask("{ letters { total } }")["letters"]["total"] == 0
