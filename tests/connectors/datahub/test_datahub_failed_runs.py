"""What a failed run says that it wrote is a plan: from a server in every order of events, and from files."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.datahub.read import DataHub
from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.federation.model import Edge, EdgeKind, RunState, SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

from ..conftest import NOW
from .conftest import Read
from .names import dataset, proposal, written

RUN = "urn:li:dataProcessInstance:r"
MODEL = "urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn_1,PROD)"
IN, OUT = dataset("in"), dataset("out")
MADE = round((NOW - timedelta(days=1)).timestamp() * 1000)
Pull = Callable[..., dict[EdgeKind, list[tuple[str, RunState | None, bool]]]]


def event(minutes: int, result: str | None = None) -> dict[str, Any]:
    at = MADE + minutes * 60_000
    if result is None:
        return {"timestampMillis": at, "status": "STARTED"}
    return {"timestampMillis": at, "status": "COMPLETE", "result": {"type": result, "nativeResultType": result}}


def lineage(**more: Any) -> list[tuple[str, dict[str, Any]]]:
    stamp = {"time": MADE, "actor": "urn:li:corpuser:ada"}
    return [
        ("dataProcessInstanceProperties", {"name": "train", "created": stamp, **more}),
        ("dataProcessInstanceInput", {"inputs": [], "inputEdges": [{"destinationUrn": IN}]}),
        (
            "dataProcessInstanceOutput",
            {"outputs": [], "outputEdges": [{"destinationUrn": OUT}, {"destinationUrn": MODEL}]},
        ),
    ]


def outcomes(edges: list[Edge]) -> dict[EdgeKind, list[tuple[str, RunState | None, bool]]]:
    """By kind, the other end, the outcome, and whether it is a plan."""
    found: dict[EdgeKind, list[tuple[str, RunState | None, bool]]] = {}
    for one in edges:
        if RUN in (one.upstream, one.downstream):
            end = one.upstream if one.downstream == RUN else one.downstream
            found.setdefault(one.kind, []).append((end, one.outcome, one.planned))
    return {kind: sorted(told) for kind, told in found.items()}


STANDS = {EdgeKind.READ: [(IN, None, False)], EdgeKind.WRITE: [(OUT, None, False), (MODEL, None, False)]}


def failed(state: RunState) -> dict[EdgeKind, list[tuple[str, RunState | None, bool]]]:
    return {EdgeKind.READ: [(IN, state, False)], EdgeKind.WRITE: [(OUT, state, True), (MODEL, state, False)]}


@pytest.fixture
def catalog() -> Iterator[Sandbox]:
    """A server that knows what one run read and wrote."""
    with Sandbox(empty=True, clock=NOW.timestamp) as sandbox:
        sandbox.most_wait = 0.0
        for aspect, value in lineage():
            sandbox.put(RUN, aspect, value)
        yield sandbox


@pytest.fixture
def pulled(catalog: Sandbox, tmp_path: Path) -> Iterator[Pull]:
    """Reads the server into one store, and tells what stands there of the run."""
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(f"sqlite:///{tmp_path / 'told.db'}"))
        source = Source.model_validate({"name": "catalog", "platform": "datahub", "url": catalog.url})
        store.journal.declare([SourceRow(source.id, source.name, "datahub", catalog.url, 0)])

        def pulling(after: timedelta = timedelta(0)) -> dict[EdgeKind, list[tuple[str, RunState | None, bool]]]:
            reading = DataHub(source, clock=lambda: NOW + after, sleep=lambda seconds: None)
            try:
                told = pull(store, source.id, reading, registry=Registry.EMPTY)
            finally:
                reading.close()
            assert told.state is SyncState.SUCCEEDED, told
            return outcomes([edge for _, one in store.dossiers.of(source.id) for edge in one.edges])

        yield pulling


@pytest.mark.parametrize(("result", "state"), [("FAILURE", RunState.FAILED), ("SKIPPED", RunState.ABORTED)])
def test_what_a_run_wrote_becomes_a_plan_when_it_fails_and_stands_when_it_was_mended(
    catalog: Sandbox, pulled: Pull, result: str, state: RunState
) -> None:
    catalog.put(RUN, "dataProcessInstanceRunEvent", event(0))
    assert pulled() == STANDS
    catalog.put(RUN, "dataProcessInstanceRunEvent", event(1, result))
    assert pulled() == failed(state)
    catalog.put(RUN, "dataProcessInstanceRunEvent", event(2))
    assert pulled() == STANDS
    catalog.put(RUN, "dataProcessInstanceRunEvent", event(3, "SUCCESS"))
    assert pulled() == STANDS


def test_a_run_that_failed_long_ago_is_not_asked_again_and_its_plan_stays_one(catalog: Sandbox, pulled: Pull) -> None:
    catalog.put(RUN, "dataProcessInstanceRunEvent", event(1, "FAILURE"))
    assert pulled() == failed(RunState.FAILED)
    assert pulled(timedelta(days=20)) == failed(RunState.FAILED)
    catalog.calls.clear()
    assert pulled(timedelta(days=40)) == failed(RunState.FAILED)
    assert not [one for one in catalog.calls if one.path.startswith("/aspects")]
    assert [one for one in catalog.calls if "/entity/scroll" in one.path], "everything was read again"


def test_what_a_stream_wrote_stands_however_it_ended(catalog: Sandbox, pulled: Pull) -> None:
    for aspect, value in lineage(type="STREAMING"):
        catalog.put(RUN, aspect, value)
    catalog.put(RUN, "dataProcessInstanceRunEvent", event(1, "FAILURE"))
    assert pulled() == STANDS


@pytest.mark.parametrize("order", ["before", "after", "another file"])
def test_a_file_tells_the_same_in_whatever_order(tmp_path: Path, read: Read, order: str) -> None:
    said = [proposal(RUN, aspect, value) for aspect, value in lineage()]
    ended = [proposal(RUN, "dataProcessInstanceRunEvent", one) for one in (event(1, "FAILURE"), event(0))]
    if order == "another file":
        written(tmp_path / "a.json", *said)
        written(tmp_path / "b.json", *ended)
    else:
        written(tmp_path / "a.json", *(ended + said if order == "before" else said + ended))
    told = read(tmp_path)
    assert outcomes([edge for scope in told.scopes for edge in scope.edges]) == failed(RunState.FAILED)


def test_a_retry_in_a_file_makes_a_fact_of_the_plan(tmp_path: Path, read: Read) -> None:
    said = [proposal(RUN, aspect, value) for aspect, value in lineage()]
    events = (event(3, "SUCCESS"), event(1, "FAILURE"))
    written(tmp_path / "a.json", *said, *(proposal(RUN, "dataProcessInstanceRunEvent", one) for one in events))
    assert outcomes([edge for scope in read(tmp_path).scopes for edge in scope.edges]) == STANDS
