"""The graph goes out over HTTP: in order, once, with what was refused by name, and on from where it was cut off."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner, Result

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import Code
from watersmeet.api.delivered import Delivered
from watersmeet.api.exporting import events
from watersmeet.api.pushing import MANY, Push, Refusal, Tally
from watersmeet.config.settings import Source
from watersmeet.connectors import story
from watersmeet.connectors.http import Http, Limits
from watersmeet.connectors.marquez.read import Marquez
from watersmeet.connectors.marquez.sandbox import Sandbox
from watersmeet.federation.errors import SourceRefused, SourceUnavailable
from watersmeet.federation.model import RunState
from watersmeet.federation.naming import Registry
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

from ..connectors.faults import Fault, FaultTransport, Sleeper
from .test_exporting import flows, opened, store, tell

__all__ = ["store"]
TOKEN = "wmt-this-is-secret"
FAILED: dict[str, Any] = {
    "eventType": "FAIL",
    "eventTime": "2025-01-20T00:01:00Z",
    "producer": "https://example.com/p",
    "run": {"runId": "0195c3a1-2f4e-7c11-9f00-3a2b1c0d9e8f"},
    "job": {"namespace": "airflow", "name": "reporting.revenue"},
    "inputs": [{"namespace": "postgres://warehouse:5432", "name": "shop.marts.customer_orders"}],
}


@pytest.fixture
def told(store: Store, tmp_path: Path) -> Store:
    """The story, and a run that failed."""
    tell(store, [*story.events("tracking:5000"), FAILED], tmp_path / "events")
    return store


@pytest.fixture
def marquez() -> Iterator[Sandbox]:
    """An empty Marquez in miniature behind a proxy that wants a token."""
    with Sandbox(empty=True, token=TOKEN) as sandbox:
        yield sandbox


@pytest.fixture
def command(told: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`watersmeet export openlineage --profile legacy` with a token in the environment, and no second tries."""
    monkeypatch.setenv("RECEIVER_TOKEN", TOKEN)
    config = tmp_path / "watersmeet.yaml"
    settings = {"store": {"url": f"sqlite:///{tmp_path / 'first.db'}"}, "http": {"retries": 0}}
    config.write_text(json.dumps(settings))

    def run(to: str, *arguments: str) -> Result:
        call = ["--config", str(config), "export", "openlineage", "--profile", "legacy", "--to", to]
        return CliRunner().invoke(app, [*call, "--token-env", "RECEIVER_TOKEN", *arguments])

    return run


class Receiver:
    """What stands behind a transport: it takes events, and says no to those that it is told to refuse."""

    def __init__(self, refuses: Callable[[dict[str, Any]], int | None] = lambda event: None) -> None:
        self._refuses = refuses
        self.took: list[dict[str, Any]] = []
        self.posts: list[list[dict[str, Any]]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = request.read()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        sent = orjson.loads(body)
        if request.url.path != MANY:
            self.posts.append([sent])
            status = self._refuses(sent)
            return self._taken([sent]) if status is None else httpx2.Response(status, json={"message": "no such thing"})
        self.posts.append(sent)
        failed = [{"index": at, "reason": "bad"} for at, event in enumerate(sent) if self._refuses(event)]
        self._taken([event for event in sent if not self._refuses(event)])
        return httpx2.Response(
            200, json={"status": "partial_success" if failed else "success", "failed_events": failed}
        )

    def _taken(self, some: list[dict[str, Any]]) -> httpx2.Response:
        self.took += some
        return httpx2.Response(201)


class Sender:
    """Exports to a receiver; `refused` and `waited` are what came of it."""

    def __init__(self, store: Store, receiver: Any, tmp_path: Path) -> None:
        self._store = store
        self._receiver = receiver
        self._state = tmp_path / "state.db"
        self._sleeper = Sleeper()
        self.refused: list[Refusal] = []
        self.waited = self._sleeper.slept

    def send(self, *, limits: Limits | None = None, profile: str = "legacy", when: Any = None, **how: Any) -> Tally:
        transport = FaultTransport(self._receiver, when=when)
        sleeper = self._sleeper
        http = Http(
            "http://receiver.test",
            source="receiver",
            headers={"Content-Encoding": "gzip"} if how.get("zipped") else None,
            transport=transport,
            sleep=sleeper.sleep,
            monotonic=sleeper.monotonic,
            jitter=lambda: 1.0,
            limits=limits,
        )
        with closing(http), Delivered(self._state, "http://receiver.test") as delivered:
            push = Push(http, delivered, refused=self.refused.append, **how)
            return push.send(events(self._store, profile))


def dead_from(call: int) -> Callable[[httpx2.Request, int], Fault | None]:
    """From that call on nobody listens."""
    return lambda request, number: Fault("refused") if number >= call else None


def expected(store: Store, profile: str = "legacy") -> list[dict[str, Any]]:
    return list(events(store, profile))


def read_back(marquez: Sandbox, file: Path) -> Any:
    """What our own reader finds in Marquez."""
    told = {"name": "here", "platform": "marquez", "url": marquez.url, "token": TOKEN}
    with opened(file) as second, closing(Marquez(Source.model_validate(told))) as connector:
        row = pull(second, "here", connector, registry=Registry.EMPTY)
        assert row.error is None, row.message
        return flows(second)


def test_marquez_gets_the_same_pairs_and_the_right_ends(
    told: Store, marquez: Sandbox, command: Callable[..., Result], tmp_path: Path
) -> None:
    """Marquez, check 16. OpenLineage, export check 4. OpenLineage, export check 15."""
    result = command(marquez.url, "--gzip")
    assert result.exit_code == Code.OK, result.output
    assert f"{len(expected(told))} events were taken by {marquez.url}" in result.stdout
    assert read_back(marquez, tmp_path / "second.db") == flows(told)
    assert RunState.FAILED in flows(told)[1].values()
    assert TOKEN not in result.output


def test_a_wrong_token_ends_it_before_the_second_event(marquez: Sandbox, command: Callable[..., Result]) -> None:
    result = command(marquez.url, "--token-env", "HOME")
    assert result.exit_code == Code.SOURCE
    assert "401 on POST /api/v1/lineage" in result.stderr
    assert "--token-env" in result.stderr
    assert len(marquez.calls) == 1


def test_what_is_refused_is_named_and_the_rest_goes_on(
    told: Store, marquez: Sandbox, command: Callable[..., Result], tmp_path: Path
) -> None:
    """OpenLineage, export check 13: Marquez stores no output in such a namespace."""
    odd: dict[str, Any] = {**FAILED, "eventType": "COMPLETE", "run": {"runId": "0195c3a1-2f4e-7c11-9f00-3a2b1c0d9e90"}}
    strange = {"namespace": "the lake", "name": "revenue"}
    tell(told, [odd | {"outputs": [strange]}, *story.events("tracking:5000")], tmp_path / "events")
    file = tmp_path / "refused.ndjson"
    result = command(marquez.url, "--refused", str(file), "--json")
    assert result.exit_code == Code.INCOMPLETE
    answer = json.loads(result.stdout)
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [one["status"] for one in kept] == [400] * answer["refused"]
    assert {one["event"]["run"]["runId"] for one in kept} == {odd["run"]["runId"]}
    assert [expected(told)[one["number"] - 1] for one in kept] == [one["event"] for one in kept]
    assert answer["events"] == len(expected(told)) - len(kept)
    assert answer["refusals"][-1]["event"] == f"COMPLETE airflow/reporting.revenue run {odd['run']['runId']}"


def test_marquez_is_not_broken_for_everybody(
    told: Store, marquez: Sandbox, command: Callable[..., Result], tmp_path: Path
) -> None:
    """OpenLineage, export check 15: what a Marquez cannot hold is held back and named; its lists go on answering."""
    odd: dict[str, Any] = {**FAILED, "eventType": "COMPLETE", "run": {"runId": "0195c3a1-2f4e-7c11-9f00-3a2b1c0d9e90"}}
    strange = {"namespace": "the lake", "name": "revenue"}
    tell(told, [odd | {"outputs": [strange]}, *story.events("tracking:5000")], tmp_path / "events")
    result = command(marquez.url, "--target", "marquez", "--json")
    assert result.exit_code == Code.INCOMPLETE
    answer = json.loads(result.stdout)
    assert {one["status"] for one in answer["refusals"]} == {0}
    assert all("'the lake'" in one["reason"] for one in answer["refusals"])
    listed = httpx2.get(f"{marquez.url}/api/v1/namespaces", headers={"authorization": f"Bearer {TOKEN}"})
    assert listed.status_code == 200


def test_what_run_events_cannot_say_is_counted(told: Store, command: Callable[..., Result], tmp_path: Path) -> None:
    """OpenLineage, export check 15: the difference report."""
    file = tmp_path / "differences.json"
    base = ["--config", str(tmp_path / "watersmeet.yaml"), "export", "openlineage", "--output", str(tmp_path / "out")]
    legacy = CliRunner().invoke(app, [*base, "--profile", "legacy", "--differences", str(file)])
    assert legacy.exit_code == Code.OK
    counted = {(one["what"], one["name"], one["of"]): one["count"] for one in json.loads(file.read_text())}
    whole = [event for event in events(told, "full") if "dataset" in event]
    schemas = sum("schema" in event["dataset"]["facets"] for event in whole)
    assert schemas > 0
    assert counted["facet", "schema", "DATASET"] == schemas
    full = CliRunner().invoke(app, [*base, "--profile", "full", "--differences", str(file)])
    assert (full.exit_code, json.loads(file.read_text())) == (Code.OK, [])
    assert "--differences FILE" in CliRunner().invoke(app, [*base, "--profile", "legacy"]).stderr


def test_a_receiver_that_died_is_gone_on_with_where_it_stood(told: Store, tmp_path: Path) -> None:
    """OpenLineage, export check 11: wherever it dies, nothing is missing and nothing comes twice."""
    whole = expected(told)
    for at in range(1, len(whole) + 1, 3):
        receiver = Receiver()
        sender = Sender(told, receiver, tmp_path / str(at))
        (tmp_path / str(at)).mkdir()
        with pytest.raises(SourceUnavailable, match="nobody answers"):
            sender.send(limits=Limits(retries=0), when=dead_from(at))
        tally = sender.send()
        assert receiver.took == whole
        assert (tally.sent, tally.before) == (len(whole) - at + 1, at - 1)
        assert sender.send() == Tally(sent=0, before=len(whole))
        assert receiver.took == whole


def test_the_command_says_how_to_go_on_and_does(
    told: Store, marquez: Sandbox, command: Callable[..., Result], tmp_path: Path
) -> None:
    """OpenLineage, export check 11, from the command line: the connection broke before an answer came."""
    marquez.fail("lineage", kind="reset", skip=5)
    state = tmp_path / "state.db"
    cut = command(marquez.url, "--state", str(state))
    assert cut.exit_code == Code.SOURCE
    assert "5 events are acknowledged, 0 refused" in cut.stderr
    assert f"--state {state} goes on from there" in cut.stderr
    result = command(marquez.url, "--state", str(state), "--json")
    assert json.loads(result.stdout)["before"] == 5
    assert read_back(marquez, tmp_path / "second.db") == flows(told)


def test_a_graph_that_changed_meanwhile_is_sent_as_it_is_with_each_end_last(told: Store, tmp_path: Path) -> None:
    receiver = Receiver()
    sender = Sender(told, receiver, tmp_path)
    sender.send()
    before = len(receiver.took)
    run = "0195c3a1-2f4e-7c11-9f00-3a2b1c0d9e8f"
    start = {**FAILED, "eventType": "START", "eventTime": "2025-01-20T00:00:00Z"}
    tell(told, [*story.events("tracking:5000"), FAILED, start], tmp_path / "events")
    tally = sender.send()
    assert [event["run"]["runId"] for event in receiver.took[before:]] == [run, run]
    assert [event["eventType"] for event in receiver.took[before:]] == ["START", "FAIL"]
    assert receiver.took[-1] in receiver.took[:before]
    assert tally.before == before - 2


@pytest.mark.parametrize(("zipped", "batch"), [(False, 1), (True, 1), (False, 7), (True, 1000)])
def test_however_it_is_packed_it_arrives_whole_and_in_order(
    told: Store, tmp_path: Path, zipped: bool, batch: int
) -> None:
    receiver = Receiver()
    Sender(told, receiver, tmp_path).send(zipped=zipped, batch=batch, profile="full")
    assert receiver.took == expected(told, "full")
    assert max(map(len, receiver.posts)) == min(batch, len(receiver.took))


@pytest.mark.parametrize("batch", [1, 4])
def test_a_refused_event_keeps_no_other_back(told: Store, tmp_path: Path, batch: int) -> None:
    """OpenLineage, export check 13, alone and in a batch."""
    receiver = Receiver(lambda event: 422 if event["eventType"] == "FAIL" else None)
    sender = Sender(told, receiver, tmp_path)
    tally = sender.send(batch=batch)
    assert [one.event["eventType"] for one in sender.refused] == ["FAIL"]
    assert "no such thing" in sender.refused[0].reason or sender.refused[0].reason == "bad"
    assert tally.refused == 1
    assert receiver.took == [event for event in expected(told) if event["eventType"] != "FAIL"]


def test_a_batch_that_is_refused_as_a_whole_goes_one_by_one(told: Store, tmp_path: Path) -> None:
    receiver = Receiver()
    sender = Sender(told, receiver, tmp_path)
    too_large = Fault(status=413, body=b'{"error": "too large"}')
    sender.send(batch=5, when=lambda request, n: too_large if request.url.path == MANY else None)
    assert receiver.took == expected(told)


def test_a_receiver_that_is_busy_is_asked_again_when_it_says(told: Store, tmp_path: Path) -> None:
    busy = {3: Fault(status=503, headers={"Retry-After": "7"}), 4: Fault(status=429, headers={"Retry-After": "2"})}
    receiver = Receiver()
    sender = Sender(told, receiver, tmp_path)
    sender.send(when=lambda request, n: busy.get(n))
    assert receiver.took == expected(told)
    assert [seconds for seconds in sender.waited if seconds >= 2] == [7.0, 2.0]


def test_one_event_that_breaks_the_receiver_is_set_aside_and_many_are_its_own_trouble(
    told: Store, tmp_path: Path
) -> None:
    broken = Fault(status=500, body=b'{"code": 500}')
    receiver = Receiver(lambda event: 500 if event["eventType"] == "FAIL" else None)
    sender = Sender(told, receiver, tmp_path)
    assert sender.send(limits=Limits(retries=1)).refused == 1
    assert [one.status for one in sender.refused] == [500]
    (tmp_path / "another").mkdir()
    another = Sender(told, Receiver(), tmp_path / "another")
    with pytest.raises(SourceUnavailable, match="500 on POST"):
        another.send(limits=Limits(retries=0), when=lambda request, n: broken)
    assert len(another.refused) == 4


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("html"), "a page to sign in"),
        (Fault(status=404), "--to is the address"),
        (Fault(status=403), "--token-env"),
        (Fault(status=415), "415 on POST"),
    ],
)
def test_who_is_no_receiver_is_told_after_one_event(told: Store, tmp_path: Path, fault: Fault, said: str) -> None:
    receiver = Receiver()
    sender = Sender(told, receiver, tmp_path)
    with pytest.raises(SourceRefused, match=said):
        sender.send(when=lambda request, n: fault)
    assert (receiver.took, sender.refused) == ([], [])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--output", "-", "--to", "http://127.0.0.1:1"], Code.USAGE, "--output FILE and --to URL"),
        ([], Code.USAGE, "--output FILE and --to URL"),
        (["--output", "-", "--state", "x"], Code.USAGE, "belong to --to"),
        (["--to", "http://127.0.0.1:1", "--token-env", "NOT_SET_ANYWHERE"], Code.MISCONFIGURED, "NOT_SET_ANYWHERE"),
        (["--to", "ftp://127.0.0.1"], Code.MISCONFIGURED, "no address of HTTP"),
        (["--to", "http://u:pw@127.0.0.1"], Code.MISCONFIGURED, "holds a user"),
        (["--to", "http://169.254.169.254"], Code.SOURCE, "metadata"),
        (["--to", "http://127.0.0.1:1", "--state", "/nowhere/x.db"], Code.MISCONFIGURED, "/nowhere/x.db"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(
    command: Callable[..., Result], tmp_path: Path, arguments: list[str], code: Code, said: str
) -> None:
    call = ["--config", str(tmp_path / "watersmeet.yaml"), "export", "openlineage", *arguments]
    result = CliRunner().invoke(app, call)
    assert result.exit_code == code, result.output
    assert said in result.stderr


def test_a_state_belongs_to_one_receiver_and_one_export_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with Delivered(file, "http://one.test") as first:
        first.add([b"1" * 16])
        with pytest.raises(Exception, match="another export is writing"):
            Delivered(file, "http://one.test")
    with pytest.raises(Exception, match=r"what http://one\.test has acknowledged"):
        Delivered(file, "http://two.test")
    with Delivered(file, "http://one.test") as again:
        assert (b"1" * 16 in again, b"2" * 16 in again) == (True, False)
    other = tmp_path / "other.db"
    other.write_text("a file that somebody needs")
    with pytest.raises(Exception, match=str(other)):
        Delivered(other, "http://one.test")
    assert other.read_text() == "a file that somebody needs"
