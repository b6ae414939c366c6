"""Rows of a page that are no objects are set aside by name, and end no listing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.marquez.read import Marquez
from watersmeet.connectors.marquez.sandbox import Sandbox as MarquezSandbox
from watersmeet.connectors.mlflow.read import MLflow
from watersmeet.connectors.mlflow.sandbox import Sandbox as MLflowSandbox
from watersmeet.federation.model import Skipped

from .conftest import NOW, Told

SECRET = "hunter2-and-more"


def also(name: str, *strange: Any) -> Callable[[Any], Any]:
    """The same answer with rows at the front of its list that are none, in place of as many at its end."""
    return lambda answer: {**answer, name: [*strange, *answer[name]][: max(len(answer[name]), len(strange))]}


def skipped(told: Told) -> list[Skipped]:
    return [one for batch in told.batches for one in batch.skipped if one.lost]


def of_marquez(sandbox: MarquezSandbox, **options: Any) -> Told:
    told = {"name": "lab", "platform": "marquez", "url": sandbox.url, "options": options}
    connector = Marquez(Source.model_validate(told), clock=lambda: NOW)
    try:
        return Told.by(connector.read(None))
    finally:
        connector.close()


def of_mlflow(sandbox: MLflowSandbox, **options: Any) -> Told:
    told = {"name": "lab", "platform": "mlflow", "url": sandbox.url, "options": options}
    connector = MLflow(Source.model_validate(told), clock=lambda: datetime.now(UTC))
    try:
        return Told.by(connector.read(None))
    finally:
        connector.close()


def test_the_feed_goes_on_behind_them() -> None:
    with MarquezSandbox() as sandbox:
        whole = of_marquez(sandbox, page_size=5)
        sandbox.fail("events/lineage", kind="bent", bend=also("events", f"password={SECRET}"), times=1)
        told = of_marquez(sandbox, page_size=5)
    assert [event.body for event in told.events] == [event.body for event in whole.events]
    [one] = skipped(told)
    assert one.what.startswith("the feed from 1970-01-01T00:00:00.000000Z, events: row 1")
    assert SECRET not in one.sample


@pytest.mark.parametrize("what", ["namespaces", "datasets", "jobs"])
def test_the_lists_of_marquez_go_on_behind_them(what: str) -> None:
    def longer(answer: Any) -> Any:
        return {**answer, what: [None, {"id": 7}, *answer[what]]}

    with MarquezSandbox() as sandbox:
        whole = of_marquez(sandbox)
        sandbox.fail(rf"/{what}\?", kind="bent", bend=longer, times=1)
        told = of_marquez(sandbox)
    assert {scope.key for scope in told.scopes} == {scope.key for scope in whole.scopes}
    assert [one.reason for one in skipped(told)] == ["it is no object", "it has no name"]
    assert all(what in one.what for one in skipped(told))


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("experiments/search", "experiments"),
        ("runs/search", "runs"),
        ("logged-models/search", "models"),
        ("registered-models/search", "registered_models"),
        ("model-versions/search", "model_versions"),
    ],
)
def test_the_listings_of_mlflow_go_on_behind_them(where: str, name: str) -> None:
    with MLflowSandbox() as sandbox:
        whole = of_mlflow(sandbox)
        longer: Callable[[Any], Any] = lambda answer: {**answer, name: [[], *answer.get(name, [])]}  # noqa: E731  # short
        sandbox.fail(where, kind="bent", bend=longer, times=1, skip=1 if name == "runs" else 0)
        told = of_mlflow(sandbox)
    assert {scope.key for scope in told.scopes} == {scope.key for scope in whole.scopes}
    assert [(one.what, one.reason) for one in skipped(told)] == [
        (f"default: {name}: row 1 of a page", "it is no object")
    ]
