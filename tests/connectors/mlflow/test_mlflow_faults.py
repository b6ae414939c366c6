"""What a server in trouble leads to; the numbers are those of the guide's acceptance checks."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from watersmeet.config.errors import Misconfigured
from watersmeet.config.settings import Source
from watersmeet.connectors.mlflow.read import MLflow
from watersmeet.connectors.mlflow.sandbox import Sandbox
from watersmeet.federation.connector import Batch
from watersmeet.federation.errors import SourceRefused, SourceUnavailable

from .conftest import Connect, Reading

Read = Callable[..., Reading]
V2 = "/api/2.0/mlflow"
SMALL = {"page_size": 2}


@pytest.fixture
def runs(sandbox: Sandbox) -> list[str]:
    """Ten runs, which fill five pages of two."""
    body = {"experiment_id": "0"}
    made = [sandbox.call("POST", f"{V2}/runs/create", body | {"start_time": 1000 + number}) for number in range(10)]
    return [f"run/default/{one['run']['info']['run_id']}" for one in made]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429},
        {"status": 429, "headers": {"Retry-After": "7"}},
        {"status": 503, "times": 2},
        {"kind": "reset"},
        {"kind": "truncated"},
    ],
    ids=str,
)
def test_a_passing_fault_is_waited_out(
    sandbox: Sandbox, read: Read, runs: list[str], waited: list[float], fault: dict[str, Any]
) -> None:
    """MLflow, check 10."""
    sandbox.fail("runs/search", skip=3, **fault)
    told = read(sandbox.url, options=SMALL)
    assert sorted(told.named("run")) == sorted(runs)
    assert told.complete
    assert max(waited) == 7 if "headers" in fault else max(waited) < 2
    assert sum(waited) < 10


def test_a_server_that_stays_down_ends_the_sync_and_the_next_one_goes_on(
    sandbox: Sandbox, connect: Connect, read: Read, runs: list[str], waited: list[float]
) -> None:
    """MLflow, check 10: patience has an end, and the watermark stays where it was."""
    sandbox.fail("runs/search", skip=3, times=100)
    told: list[Batch] = []
    with pytest.raises(SourceUnavailable, match=r"503 on POST /api/2\.0/mlflow/runs/search"):
        told.extend(connect(sandbox.url, options=SMALL).read(None))
    first = Reading(told)
    sandbox.faults.clear()
    second = read(sandbox.url, first.cursor, options=SMALL)
    assert sum(waited) < 120
    assert not first.listed
    assert first.cursor["workspaces"]["default"]["start"] == 0
    assert {*first.named("run"), *second.named("run")} == set(runs)
    assert second.complete


def test_a_page_that_is_too_large_is_asked_for_in_halves(sandbox: Sandbox, read: Read, runs: list[str]) -> None:
    """MLflow, check 15."""
    for run in runs:
        params = [{"key": f"p{number}", "value": "x" * 500} for number in range(20)]
        body = {"run_id": run.removeprefix("run/default/"), "params": params}
        sandbox.call("POST", f"{V2}/runs/log-batch", body)
    told = read(sandbox.url, http={"page_bytes": 40_000, "retries": 0})
    assert sorted(told.named("run")) == sorted(runs)


@pytest.mark.parametrize("fault", [{"status": 401}, {"status": 403}, {"kind": "html"}], ids=str)
def test_a_refusal_in_the_middle_ends_the_sync_and_deletes_nothing(
    sandbox: Sandbox, connect: Connect, runs: list[str], fault: dict[str, Any]
) -> None:
    """MLflow, check 11: a sign-on page that answers 200 is a refusal too."""
    sandbox.fail("runs/search", skip=3, times=100, **fault)
    told: list[Batch] = []
    with pytest.raises(SourceRefused):
        told.extend(connect(sandbox.url, options=SMALL).read(None))
    assert not Reading(told).listed
    assert not Reading(told).tombstones


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("registered-models", "model"),
        ("model-versions", "model-version"),
        ("logged-models", "logged-model"),
        ("gateway", "gateway-endpoint"),
        ("datasets/search", "evaluation-dataset"),
    ],
)
def test_a_part_that_is_refused_is_named_and_the_rest_goes_on(
    sandbox: Sandbox, read: Read, runs: list[str], path: str, family: str
) -> None:
    sandbox.fail(path, status=403, times=100)
    told = read(sandbox.url)
    assert sorted(told.named("run")) == sorted(runs)
    assert family not in told.listed
    assert "experiment" in told.listed
    assert not told.complete
    assert told.failures
    assert told.grants


def test_a_listing_that_a_server_does_not_have_is_no_failure(sandbox: Sandbox, read: Read, runs: list[str]) -> None:
    sandbox.fail("datasets/search", status=404, times=100)
    told = read(sandbox.url)
    assert told.complete
    assert "default: evaluation datasets" in [one.what for one in told.skipped]
    assert "evaluation-dataset" not in told.listed


def test_a_wrong_password_is_told_as_such(read: Read, connect: Connect) -> None:
    with Sandbox(empty=True, password=("ml", "right")) as sandbox:
        assert connect(sandbox.url, username="ml", password="right").check().reachable
        with pytest.raises(SourceRefused, match="401") as refused:
            read(sandbox.url, username="ml", password="wr0ng")
    assert "wr0ng" not in str(refused.value)


def test_a_server_that_does_not_know_its_own_name_is_a_wrong_setting() -> None:
    said = "Invalid Host header - possible DNS rebinding attack detected"
    transport = httpx2.MockTransport(lambda request: httpx2.Response(403, text=said))
    source = Source(name="tracking", platform="mlflow", url="http://tracking.acme.io")
    with pytest.raises(Misconfigured, match="--allowed-hosts"):
        MLflow(source, transport=transport).check()


def test_nobody_at_the_address_is_unavailable(read: Read) -> None:
    with Sandbox(empty=True) as sandbox:
        address = sandbox.url
    with pytest.raises(SourceUnavailable):
        read(address, http={"retries": 1})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pages": 3}, "options.pages is not known"),
        ({"page_size": "many"}, "options.page_size must be a int"),
        ({"page_size": 0}, "between 1 and 5000"),
        ({"model_inputs": "sometimes"}, "auto, always or never"),
    ],
)
def test_options_that_are_wrong_are_told_with_what_is_right(
    connect: Connect, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        connect("http://127.0.0.1:1", options=options)
