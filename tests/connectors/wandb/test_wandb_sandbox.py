"""How true the miniature is: to the rules of the service, as a plain HTTP client meets them."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from watersmeet.connectors.wandb.sandbox import KEY, Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def asked(sandbox: Sandbox, query: str, key: str = KEY, **variables: Any) -> httpx2.Response:
    body = {"query": query, "variables": variables}
    return httpx2.post(f"{sandbox.url}/graphql", json=body, auth=("api", key), trust_env=False)


def data(sandbox: Sandbox, query: str, **variables: Any) -> Any:
    answer = asked(sandbox, query, **variables).json()
    assert "errors" not in answer
    return answer["data"]


RUNS = """query Runs($filters: JSONString, $order: String, $first: Int, $after: String) {
  project(entityName: "acme", name: "churn") {
    runCount(filters: $filters)
    runs(filters: $filters, order: $order, first: $first, after: $after) {
      edges { node { name } } pageInfo { endCursor hasNextPage }
    }
  }
}"""


def names(sandbox: Sandbox, **how: Any) -> list[str]:
    """The runs that a question finds."""
    return [edge["node"]["name"] for edge in data(sandbox, RUNS, **how)["project"]["runs"]["edges"]]


def test_a_field_that_the_schema_lacks_is_a_bad_request(sandbox: Sandbox) -> None:
    answer = asked(sandbox, "query Who { viewer { shoeSize } }")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == 'Cannot query field "shoeSize" on type "User".'
    assert sandbox.calls[-1].complaints == ('Cannot query field "shoeSize" on type "User".',)


def test_what_is_no_graphql_is_a_bad_request(sandbox: Sandbox) -> None:
    assert asked(sandbox, "query {").status_code == 400
    assert httpx2.post(f"{sandbox.url}/graphql", content=b"no", trust_env=False).status_code == 400
    assert httpx2.get(f"{sandbox.url}/graphql", trust_env=False).status_code == 404


def test_a_server_of_another_age_lacks_fields(sandbox: Sandbox) -> None:
    query = (
        'query A { project(entityName: "acme", name: "churn") { artifact(name: "churn-model") { digestAlgorithm } } }'
    )
    assert asked(sandbox, query).status_code == 200
    sandbox.lack("Artifact.digestAlgorithm")
    assert asked(sandbox, query).status_code == 400


def test_a_bad_key_sees_nothing(sandbox: Sandbox) -> None:
    query = 'query A { viewer { username } project(entityName: "acme", name: "churn") { name } }'
    answer = asked(sandbox, query, key="wrong")
    assert (answer.status_code, answer.json()) == (200, {"data": {"viewer": None, "project": None}})
    sandbox.refuses_keys = True
    assert asked(sandbox, query, key="wrong").status_code == 401
    assert asked(sandbox, query).json()["data"]["viewer"] == {"username": "ada"}


def test_pages_follow_offsets(sandbox: Sandbox) -> None:
    first = data(sandbox, RUNS, first=3)["project"]["runs"]
    assert first["pageInfo"] == {"endCursor": "YXJyYXljb25uZWN0aW9uOjI=", "hasNextPage": True}
    assert names(sandbox, first=3, after=first["pageInfo"]["endCursor"]) == ["eval0001"]
    assert asked(sandbox, RUNS, after="garbage").json()["errors"][0]["message"] == "invalid cursor: garbage"


def test_hidden_rows_leave_an_empty_page_that_is_not_the_last(sandbox: Sandbox) -> None:
    for name in ("train001", "train002"):
        run = sandbox.world.project("acme/churn").run(name)
        assert run is not None
        run.is_hidden = True
    second = data(sandbox, RUNS, first=1, after="YXJyYXljb25uZWN0aW9uOjA=")["project"]["runs"]
    assert (second["edges"], second["pageInfo"]["hasNextPage"]) == ([], True)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"jobType": "train"}, ["train001", "train002"]),
        ({"config.max_depth": {"$gt": 4}}, ["train002"]),
        ({"config.max_depth.value": 4}, ["train001"]),
        ({"summary_metrics.auc": {"$lte": 0.81}}, ["train001"]),
        ({"createdAt": {"$gte": "2025-01-13T00:00:00Z"}}, ["train002", "eval0001"]),
        ({"createdAt": {"$lt": "2025-01-06T00:00:00Z"}}, ["prep0001"]),
        ({"createdAt": {"$gte": "2025-01-13T00:00:00"}}, []),
        ({"$or": [{"tags": "champion"}, {"name": "prep0001"}]}, ["prep0001", "train002"]),
        ({"$and": [{"sweep": "swp00001"}, {"display_name": {"$regex": "-2$"}}]}, ["train002"]),
        ({"$nor": [{"jobType": "train"}, {"jobType": "prepare"}]}, ["eval0001"]),
        ({"$not": {"jobType": "train"}, "state": {"$ne": "failed"}}, ["prep0001", "eval0001"]),
        ({"name": {"$in": ["prep0001", "nobody"]}}, ["prep0001"]),
        ({"tags": {"$nin": ["churn"]}, "user": "ada"}, ["prep0001", "train001", "eval0001"]),
        ({"group": {"$exists": True}}, []),
        ({"name": {"$not": {"$regex": "0001"}}}, ["train001", "train002"]),
    ],
)
def test_filters_find_what_they_say(sandbox: Sandbox, filters: dict[str, Any], found: list[str]) -> None:
    assert names(sandbox, filters=json.dumps(filters)) == found


@pytest.mark.parametrize(
    ("filters", "complaint"),
    [
        ('{"shoeSize": 1}', "invalid filter key: shoeSize"),
        ('{"state": {"$near": 1}}', "invalid filter operator: $near"),
        ('{"config.max_depth": NaN}', "invalid filters: NaN is no JSON"),
        ("[]", "invalid filters: not an object"),
        ("{", "invalid filters: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
)
def test_filters_that_mean_nothing_are_errors(sandbox: Sandbox, filters: str, complaint: str) -> None:
    assert asked(sandbox, RUNS, filters=filters).json()["errors"][0]["message"] == complaint


def test_an_order_may_go_down(sandbox: Sandbox) -> None:
    assert names(sandbox, order="-created_at")[0] == "eval0001"
    assert asked(sandbox, RUNS, order="+shoe_size").json()["errors"]


def test_a_fault_meets_one_operation_alone(sandbox: Sandbox) -> None:
    sandbox.fail("/Runs$", status=429, headers={"Retry-After": "1"})
    assert data(sandbox, "query Who { viewer { username } }")
    assert asked(sandbox, RUNS).status_code == 429
    assert asked(sandbox, RUNS).status_code == 200


def test_every_answer_tells_the_quota(sandbox: Sandbox) -> None:
    sandbox.quota["RateLimit-Remaining"] = "0"
    assert asked(sandbox, RUNS).headers["ratelimit-remaining"] == "0"


def test_a_project_is_hidden_denied_or_shown(sandbox: Sandbox) -> None:
    sandbox.world.hide_project("acme/churn")
    assert data(sandbox, RUNS) == {"project": None}
    sandbox.world.hide_project("acme/churn", "denied")
    assert asked(sandbox, RUNS).json()["errors"][0]["extensions"] == {"code": "PERMISSION_ERROR"}
    sandbox.world.hide_project("acme/churn", "granted")
    assert len(names(sandbox)) == 4
