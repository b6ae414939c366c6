"""How true the miniature is: to MLflow's own client, and to what the real server was recorded to answer."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from watersmeet.connectors.mlflow.options import Options
from watersmeet.connectors.mlflow.place import Place
from watersmeet.connectors.mlflow.sandbox import Sandbox
from watersmeet.connectors.mlflow.traces import traces
from watersmeet.federation.model import EdgeKind, Json, Role

V2 = "/api/2.0/mlflow"


def shape(value: Any) -> Any:
    """Names and types of an answer, without its values."""
    match value:
        case dict():
            return {key: shape(one) for key, one in sorted(cast(dict[str, Any], value).items())}
        case list():
            return [shape(value[0])] if value else []
        case _:
            return type(value).__name__


def asked(sandbox: Sandbox, method: str, path: str, **more: Any) -> httpx2.Response:
    return httpx2.request(method, sandbox.url + path, trust_env=False, **more)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "runs/search", {"experiment_ids": ["0"], "max_results": 50_001}),
        ("POST", "runs/search", {"experiment_ids": ["0"], "page_token": "garbage"}),
        ("POST", "runs/search", {"experiment_ids": ["0"], "filter": "attributes.status = 'A' OR params.a = 'b'"}),
        ("POST", "runs/search", {"experiment_ids": ["0"], "filter": "attributes.status IN ('RUNNING')"}),
        ("POST", "runs/search", {"experiment_ids": ["0"], "filter": "attributes.last_update_time > 1"}),
        ("GET", "registered-models/search?max_results=1001", None),
    ],
)
def test_what_the_server_refuses_is_refused(sandbox: Sandbox, method: str, path: str, body: Json) -> None:
    answer = asked(sandbox, method, f"{V2}/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"


def test_nothing_is_an_empty_object(sandbox: Sandbox) -> None:
    assert asked(sandbox, "POST", f"{V2}/runs/search", json={"max_results": 10}).json() == {}


def test_what_is_missing_is_said_in_json_and_an_unknown_route_with_a_page(sandbox: Sandbox) -> None:
    missing = asked(sandbox, "GET", f"{V2}/runs/get?run_id={'0' * 32}")
    unknown = asked(sandbox, "GET", f"{V2}/nowhere")
    assert (missing.status_code, missing.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_its_answers_have_the_shape_of_the_recorded_ones(shared: Path) -> None:
    with Sandbox() as sandbox:
        run = asked(sandbox, "POST", f"{V2}/runs/search", json={"experiment_ids": ["1"]}).json()["runs"][0]
        models = asked(sandbox, "GET", f"{V2}/registered-models/search").json()["registered_models"]
        versions = asked(sandbox, "GET", f"{V2}/model-versions/search").json()["model_versions"]
        experiments = asked(sandbox, "POST", f"{V2}/experiments/search", json={"max_results": 9}).json()["experiments"]

    def recorded(name: str) -> Any:
        return json.loads((shared / "data" / "mlflow" / f"{name}.json").read_bytes())["response"]

    real_run = recorded("run_get_child1")["run"]
    assert shape(run["info"]) == shape(real_run["info"])
    assert run.keys() == real_run.keys()
    assert (
        shape(run["inputs"]["dataset_inputs"][0]["dataset"]).keys()
        <= shape(real_run["inputs"]["dataset_inputs"][0]["dataset"]).keys()
    )
    assert shape(experiments[0]) == shape(recorded("experiments_search")["experiments"][2])
    real_version = recorded("model_versions_search")["model_versions"][0]
    assert shape(versions[0]) == shape(real_version)
    assert shape(models[0]).keys() <= {*recorded("registered_models_search")["registered_models"][0]}


def test_mlflows_own_client_finds_what_it_wrote(sandbox: Sandbox, client: Any) -> None:
    experiment = client.create_experiment("churn", tags={"team": "risk"})
    runs = [client.create_run(experiment, start_time=1000 + number).info.run_id for number in range(5)]
    client.log_batch(runs[0], tags=[])
    client.set_tag(runs[0], "kind", "first")
    client.log_metric(runs[1], "auc", 0.8)
    client.set_terminated(runs[2], "FINISHED", end_time=5000)
    first = client.search_runs([experiment], order_by=["attributes.start_time ASC"], max_results=3)
    second = client.search_runs(
        [experiment], order_by=["attributes.start_time ASC"], max_results=3, page_token=first.token
    )
    assert [run.info.run_id for run in [*first, *second]] == runs
    assert [run.info.run_id for run in client.search_runs([experiment], "tags.kind = 'first'")] == [runs[0]]
    assert [run.info.run_id for run in client.search_runs([experiment], "metrics.auc > 0.5")] == [runs[1]]
    assert [run.info.run_id for run in client.search_runs([experiment], "attributes.end_time > 0")] == [runs[2]]
    assert client.get_experiment_by_name("churn").tags == {"team": "risk"}


def test_mlflows_own_client_registers_and_aliases(sandbox: Sandbox, client: Any) -> None:
    model = client.create_logged_model("0", name="churn")
    client.finalize_logged_model(model.model_id, "READY")
    client.create_registered_model("churn", description="who leaves")
    version = client.create_model_version("churn", f"models:/{model.model_id}")
    client.set_registered_model_alias("churn", "champion", version.version)
    assert client.get_model_version_by_alias("churn", "champion").source == f"models:/{model.model_id}"
    assert client.get_registered_model("churn").aliases == {"champion": "1"}
    assert [one.model_id for one in client.search_logged_models(["0"])] == [model.model_id]
    client.delete_logged_model(model.model_id)
    assert not client.search_logged_models(["0"])


class Recorded:
    """Answers each search of traces with one recorded page."""

    def __init__(self, answer: Json) -> None:
        self._answer = answer

    def post(self, path: str, body: Mapping[str, Json]) -> Json:
        assert path == "/api/3.0/mlflow/traces/search"
        return self._answer

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Json:
        raise AssertionError(path)

    def text(self, path: str, params: Mapping[str, str | int] | None = None) -> str:
        raise AssertionError(path)

    def close(self) -> None: ...


def test_traces_are_counted_and_not_read(shared: Path) -> None:
    answer = json.loads((shared / "data" / "mlflow" / "traces_search_v3.json").read_bytes())["response"]
    place = Place("tracking", "default", Options(traces=True))
    scopes = [scope for some in traces(Recorded(answer), ["3"], 0, place) for scope in some]
    assert sum(scope.records[0].facets["traces"]["count"] for scope in scopes) == len(answer["traces"])
    roles = {edge.role for scope in scopes for edge in scope.edges if edge.kind is EdgeKind.READ}
    assert roles == {Role.INFERENCE, Role.PROMPT}
    assert "refund" not in repr(scopes)
