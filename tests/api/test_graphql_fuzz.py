"""Whatever is asked, the answer is JSON, fits the schema, and is never a fault of ours."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from graphql import build_schema

from watersmeet.api.graphql import sdl
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Form, Nature, Record, Role, Run, RunState, Spelling

from ..scale import how_many
from .conftest import NOON, Serve, Service
from .questions import Questions, misfits, mutated

SCHEMA = build_schema(sdl())
CODES = {"NOT_FOUND", "BAD_INPUT", "AMBIGUOUS", "CURSOR_EXPIRED", "LIMIT_EXCEEDED"}
TABLE = (Spelling(Form.OPENLINEAGE, ("postgres://db:5432", "shop.public.orders")),)


def filled(service: Service) -> list[str]:
    """A little of everything; returns ids."""
    tables = [Record(f"t{n}", AssetKind.DATASET, f"orders {n}", facets={"tags": [{"key": "pii"}]}) for n in range(12)]
    service.tell(
        Record("orders", AssetKind.DATASET, "orders", spellings=TABLE, facets={"schema": [{"name": "id"}], "x": 2**70}),
        Record("orders#id", AssetKind.COLUMN, "id"),
        Record("churn", AssetKind.MODEL, "churn", description="who leaves"),
        Record("churn/1", AssetKind.MODEL_VERSION, "churn v1"),
        *tables,
        edges=[
            Edge("orders#id", "orders", EdgeKind.PART_OF),
            Edge("churn/1", "churn", EdgeKind.VERSION_OF),
            Edge("churn/1", "churn", EdgeKind.ALIAS_OF, alias="champion", valid_from=NOON),
            *(Edge(f"t{n}", f"t{n + 1}", EdgeKind.DERIVE, confidence=0.5) for n in range(11)),
        ],
    )
    runs = [Record(f"r{n}", AssetKind.RUN, f"run {n}", run=Run(RunState.FAILED, NOON, error="boom")) for n in range(5)]
    service.tell(
        Record("job", AssetKind.JOB, "nightly"),
        *runs,
        edges=[
            *(Edge(run.native_id, "job", EdgeKind.RUN_OF) for run in runs),
            *(Edge("orders", run.native_id, EdgeKind.READ, Role.TRAINING) for run in runs),
            *(Edge(run.native_id, "churn/1", EdgeKind.WRITE) for run in runs),
        ],
        nature=Nature.HAPPENED,
        scope="runs",
    )
    service.tell(
        Record("t", AssetKind.FEATURE_TABLE, "orders", spellings=TABLE, url="http://x/1"),
        source="cat",
        at=NOON + timedelta(hours=1),
    )
    service.store.journal.enqueue("tracking", False)
    return [str(number) for number in range(1, 26)]


def sent(service: Service, body: bytes, chance: random.Random) -> Any:
    """An answer, whatever was sent; it is JSON and never a 5xx."""
    if chance.random() < 0.15 and len(body) < 4000:
        response = service.client.get("/graphql", params=address_of(body))
    else:
        response = service.client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (200, 400), response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def address_of(body: bytes) -> dict[str, str]:
    """The same request for a GET."""
    try:
        asked = json.loads(body)
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in asked.items()}
        return {
            key.encode(errors="replace").decode(): text.encode(errors="replace").decode() for key, text in texts.items()
        }
    except (ValueError, AttributeError):
        return {"query": body.decode(errors="replace")}


def codes(answer: Any) -> set[str]:
    return {error["extensions"]["code"] for error in answer.get("errors", ())}


def cursors_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [one for key, one in value.items() if key in ("endCursor", "cursor") and isinstance(one, str)]
        return own + [one for inner in value.values() for one in cursors_in(inner)]
    return [one for inner in value for one in cursors_in(inner)] if isinstance(value, list) else []


@pytest.mark.hard
@pytest.mark.parametrize("seed", range(4))
def test_a_question_that_fits_the_schema_gets_an_answer_that_fits_it_too(serve: Serve, seed: int):
    service, chance = serve(), random.Random(seed)
    questions = Questions(SCHEMA, chance, filled(service))
    answered = 0
    for _ in range(how_many(quick=20, ci=300, long=3000)):
        body, chosen = questions.ask()
        answer = sent(service, json.dumps(body).encode(), chance)
        assert codes(answer) <= CODES, (body, answer)
        assert "errors" in answer or not list(misfits(answer["data"], chosen)), (body, answer)
        if answer.get("data") is not None:
            answered += 1
            assert not list(misfits(answer["data"], chosen)), (body, answer)
            questions.cursors += cursors_in(answer["data"])
    assert answered, "no question at all could be answered"


@pytest.mark.hard
@pytest.mark.parametrize("seed", range(4))
def test_a_question_with_wrong_bytes_gets_an_answer_all_the_same(serve: Serve, seed: int):
    service, chance = serve(), random.Random(seed + 50)
    questions = Questions(SCHEMA, chance, filled(service))
    for _ in range(how_many(quick=20, ci=200, long=2000)):
        body, _ = questions.ask()
        answer = sent(service, mutated(json.dumps(body, ensure_ascii=False).encode(), chance), chance)
        told = answer if isinstance(answer, list) else [answer]
        assert set().union(*map(codes, told)) <= CODES, (body, answer)
    assert service.ask("{ __typename }") == {"__typename": "Query"}
