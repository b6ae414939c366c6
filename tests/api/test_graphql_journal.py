"""Sources, syncs, changes and gaps; setting a sync going; and watching from another process's view."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import WebSocketTestSession

from watersmeet.api.graphql.standing import status_of
from watersmeet.federation.errors import AlreadyRunning
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record, SyncState
from watersmeet.federation.rows import SourceRow, SyncRow, Written

from .conftest import NOON, Serve, Service

SOCKET = "ws://127.0.0.1:8765/graphql"
SYNC = "mutation($s: String!, $f: Boolean! = false) { sync(source: $s, full: $f) { id source state full } }"


def test_sources_come_in_the_order_of_the_configuration(service: Service):
    service.tell(Record("a", AssetKind.DATASET, "orders"), edges=[Edge("raw", "a", EdgeKind.DERIVE)])
    sources = service.ask(
        "{ sources { id name platform url status assets stubs edges skipped missingGrants lastCompleteSync } }"
    )
    assert [(one["id"], one["name"]) for one in sources["sources"]] == [
        ("tracking", "tracking"),
        ("cat", "catalogue"),
        ("inlet", "inlet"),
    ]
    assert sources["sources"][0] == {
        "id": "tracking",
        "name": "tracking",
        "platform": "mlflow",
        "url": "http://127.0.0.1:1",
        "status": "NEVER_SYNCED",
        "assets": 2,
        "stubs": 1,
        "edges": 1,
        "skipped": 0,
        "missingGrants": [],
        "lastCompleteSync": None,
    }


def test_a_source_that_lacks_a_grant_says_so_by_name(service: Service):
    number = service.store.journal.enqueue("tracking", False)
    service.store.journal.start(number)
    service.store.journal.finish(
        number, SyncState.PARTIAL, complete=False, error="SourceRefused", grants=["READ on experiment 3"]
    )
    [source] = [
        one for one in service.ask("{ sources { name status missingGrants } }")["sources"] if one["missingGrants"]
    ]
    assert source == {"name": "tracking", "status": "REFUSED", "missingGrants": ["READ on experiment 3"]}


def row(state: SyncState, **said: Any) -> SyncRow:
    told: dict[str, Any] = {"complete": False, "started_at": NOON, "ended_at": NOON, "message": None, **said}
    return SyncRow(
        1, "tracking", state, False, NOON, read=0, written=0, removed=0, skipped=0, done=0, total=None, **told
    )


DONE = row(SyncState.SUCCEEDED, complete=True)


@pytest.mark.parametrize(
    ("last", "complete", "hours", "status"),
    [
        (None, None, 0, "NEVER_SYNCED"),
        (row(SyncState.QUEUED), None, 0, "SYNCING"),
        (row(SyncState.RUNNING), DONE, 99, "SYNCING"),
        (DONE, DONE, 1, "OK"),
        (DONE, DONE, 3, "STALE"),
        (row(SyncState.FAILED, error="SourceUnavailable"), DONE, 0, "UNREACHABLE"),
        (row(SyncState.FAILED, error="SourceRefused"), DONE, 0, "REFUSED"),
        (row(SyncState.FAILED, error="SourceChanged"), DONE, 0, "DEGRADED"),
        (row(SyncState.PARTIAL, failures=("page 3",)), DONE, 0, "DEGRADED"),
        (row(SyncState.SUCCEEDED, complete=True, missing_grants=("READ",)), DONE, 0, "DEGRADED"),
        (row(SyncState.CANCELLED), None, 0, "NEVER_SYNCED"),
        (row(SyncState.CANCELLED), DONE, 1, "OK"),
    ],
)
def test_the_status_of_a_source_is_what_its_last_pulls_say(
    last: SyncRow | None, complete: SyncRow | None, hours: int, status: str
):
    source = SourceRow("tracking", "tracking", "mlflow", None, 0, stale_after_seconds=7200)
    assert status_of(source, last, complete, NOON + timedelta(hours=hours)).value == status


def test_a_source_that_left_the_configuration_is_removed(serve: Serve):
    first = serve()
    first.tell(Record("a", AssetKind.DATASET, "orders"), source="cat")
    second = serve(sources=[{"name": "tracking", "platform": "mlflow", "url": "http://127.0.0.1:1"}])
    statuses = {one["name"]: one["status"] for one in second.ask("{ sources { name status } }")["sources"]}
    assert statuses["catalogue"] == "REMOVED"
    assert second.refused(SYNC, s="catalogue")["code"] == "BAD_INPUT"


def test_a_sync_can_be_set_going_by_name_or_id(service: Service):
    assert service.ask(SYNC, s="catalogue")["sync"] == {
        "id": "1",
        "source": "catalogue",
        "state": "QUEUED",
        "full": False,
    }
    assert service.ask(SYNC, s="cat", f=True)["sync"]["full"] is True


def test_a_sync_of_nothing_known_is_not_found_and_lists_what_there_is(service: Service):
    error = service.refused(SYNC, s="nope")
    assert error["code"] == "NOT_FOUND"
    assert "catalogue" in error["message"]


def test_the_inlet_cannot_be_pulled(service: Service):
    assert service.refused(SYNC, s="inlet")["code"] == "BAD_INPUT"


def test_a_source_that_is_being_pulled_is_not_pulled_twice(serve: Serve):
    def busy(store: Any, source: str, full: bool) -> int:
        if store.journal.running(source):
            raise AlreadyRunning("sync 1 is running: wait for it")
        return store.journal.enqueue(source, full)

    service = serve(start_sync=busy)
    assert service.ask(SYNC, s="tracking")["sync"]["id"] == "1"
    assert service.ask(SYNC, s="tracking")["sync"]["id"] == "1"
    assert service.refused(SYNC, s="tracking", f=True)["code"] == "UNAVAILABLE"


def test_a_sync_is_never_set_going_by_get(service: Service):
    answer = service.client.get("/graphql", params={"query": 'mutation { sync(source: "tracking") { id } }'}).json()
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert service.store.journal.count_syncs() == 0


def test_syncs_come_the_newest_first_and_in_pages(service: Service):
    for source in ("tracking", "cat", "tracking"):
        service.store.journal.enqueue(source, False)
    query = """query($s: String, $a: String) { syncs(source: $s, first: 2, after: $a) {
        total edges { node { id source } } pageInfo { hasNextPage endCursor } } }"""
    page = service.ask(query)["syncs"]
    assert [edge["node"]["id"] for edge in page["edges"]] == ["3", "2"]
    assert page["total"] == 3
    rest = service.ask(query, a=page["pageInfo"]["endCursor"])["syncs"]
    assert [edge["node"]["id"] for edge in rest["edges"]] == ["1"]
    assert rest["pageInfo"]["hasNextPage"] is False
    assert service.ask(query, s="catalogue")["syncs"]["edges"] == [{"node": {"id": "2", "source": "catalogue"}}]


def test_progress_is_a_share_where_the_source_tells_how_much_there_is(service: Service):
    number = service.store.journal.enqueue("tracking", False)
    service.store.journal.start(number)
    query = "{ syncs { edges { node { state progress read } } } }"
    assert service.ask(query)["syncs"]["edges"][0]["node"]["progress"] is None
    service.store.journal.progress(number, Written(read=3), 3, 12)
    assert service.ask(query)["syncs"]["edges"][0]["node"] == {"state": "RUNNING", "progress": 0.25, "read": 3}


def test_changes_tell_what_became_of_an_asset(service: Service):
    service.tell(Record("a", AssetKind.DATASET, "orders"))
    service.tell(Record("a", AssetKind.DATASET, "orders 2"), at=NOON + timedelta(hours=1))
    service.tell(Record("b", AssetKind.DATASET, "other"), scope="thing/2")
    query = "query($ids: [ID!]) { changes(ids: $ids) { total edges { node { seq asset what before after source } } } }"
    own = service.ask(query, ids=["1"])["changes"]
    assert [edge["node"]["what"] for edge in own["edges"]] == ["created", "renamed"]
    assert {edge["node"]["asset"] for edge in own["edges"]} == {"1"}
    assert own["total"] == 2
    assert service.ask(query)["changes"]["total"] == 3
    numbers = [int(edge["node"]["seq"]) for edge in service.ask(query)["changes"]["edges"]]
    assert numbers == sorted(numbers)


def test_changes_can_be_cut_by_time(service: Service):
    service.tell(Record("a", AssetKind.DATASET, "orders"))
    query = "query($f: DateTime, $t: DateTime) { changes(from: $f, to: $t) { total } }"
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert service.ask(query, f=later)["changes"]["total"] == 0
    assert service.ask(query, t=later)["changes"]["total"] == 1


def test_a_disagreement_about_the_kind_is_a_gap(service: Service):
    from .test_graphql_assets import TABLE

    service.tell(Record("a", AssetKind.DATASET, "orders", spellings=TABLE))
    service.tell(Record("b", AssetKind.FEATURE_TABLE, "orders", spellings=TABLE), source="cat")
    gaps = service.ask("{ gaps { total edges { node { asset what remedy } } } }")["gaps"]
    assert gaps["total"] == 1
    assert "kind" in gaps["edges"][0]["node"]["what"]


# Watching


def open_socket(service: Service) -> WebSocketTestSession:
    return service.client.websocket_connect(SOCKET, subprotocols=["graphql-transport-ws"])


def subscribe(socket: WebSocketTestSession, query: str, number: str = "1", **variables: Any) -> None:
    payload = {"query": query, "variables": variables}
    socket.send_json({"id": number, "type": "subscribe", "payload": payload})


def greet(socket: WebSocketTestSession) -> None:
    socket.send_json({"type": "connection_init"})
    assert socket.receive_json() == {"type": "connection_ack"}


def test_syncs_are_told_as_they_get_on_whoever_runs_them(service: Service):
    number = service.store.journal.enqueue("tracking", False)
    with open_socket(service) as socket:
        greet(socket)
        subscribe(socket, "subscription { syncs { id source state progress } }")
        first = socket.receive_json()["payload"]["data"]["syncs"]
        assert first == {"id": str(number), "source": "tracking", "state": "QUEUED", "progress": None}
        service.store.journal.start(number)
        assert socket.receive_json()["payload"]["data"]["syncs"]["state"] == "RUNNING"
        service.store.journal.finish(number, SyncState.SUCCEEDED, complete=True)
        assert socket.receive_json()["payload"]["data"]["syncs"] == {**first, "state": "SUCCEEDED", "progress": 1.0}


def test_changes_are_told_for_the_assets_that_were_asked_for(service: Service):
    service.tell(Record("a", AssetKind.DATASET, "orders"))
    service.tell(Record("b", AssetKind.DATASET, "other"), scope="thing/2")
    with open_socket(service) as socket:
        greet(socket)
        subscribe(socket, "subscription($i: [ID!]!) { changes(ids: $i) { asset what } }", i=["1"])
        time.sleep(0.3)  # nothing is said when it begins
        service.tell(Record("b", AssetKind.DATASET, "other 2"), scope="thing/2", at=NOON + timedelta(hours=1))
        service.tell(Record("a", AssetKind.DATASET, "orders 2"), at=NOON + timedelta(hours=1))
        assert socket.receive_json()["payload"]["data"]["changes"] == {"asset": "1", "what": "renamed"}


def test_a_subscription_that_cannot_be_is_an_error_with_a_code(service: Service):
    with open_socket(service) as socket:
        greet(socket)
        subscribe(socket, 'subscription { changes(ids: ["x"]) { asset } }')
        message = socket.receive_json()
        [error] = message["payload"]["errors"] if message["type"] == "next" else message["payload"]
        assert error["extensions"]["code"] == "BAD_INPUT"


def test_one_connection_cannot_watch_without_end(service: Service):
    with open_socket(service) as socket:
        greet(socket)
        for number in range(21):
            subscribe(socket, "subscription { syncs { id } }", str(number))
        message = socket.receive_json()
        assert message["type"] == "error"
        assert message["id"] == "20"


# The ways of HTTP


def test_a_query_may_go_by_get(service: Service):
    query = {"query": "query($t: String!) { search(text: $t) { total } }", "variables": json.dumps({"t": "x"})}
    assert service.client.get("/graphql", params=query).json() == {"data": {"search": {"total": 0}}}


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql", ""],
)
def test_only_json_is_taken(service: Service, kind: str):
    response = service.client.post("/graphql", content=b'{"query": "{ __typename }"}', headers={"content-type": kind})
    assert response.status_code == 415
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b'"x"',
        b"{}",
        b'{"query": 1}',
        b'{"query": "{a}", "variables": []}',
        b"[" * 5000,
        b"\xff",
    ],
)
def test_a_body_that_is_no_request_is_told_so(service: Service, body: bytes):
    response = service.client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"


def test_a_syntax_error_tells_the_place(service: Service):
    answer = service.post("{ sources { name }")
    assert answer["errors"][0]["locations"] == [{"line": 1, "column": 19}]
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert "data" not in answer


def test_who_asks_for_the_graphql_media_type_gets_its_status_codes(service: Service):
    headers = {"accept": "application/graphql-response+json"}
    good = service.client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert (good.status_code, good.headers["content-type"]) == (200, "application/graphql-response+json")
    assert service.client.post("/graphql", json={"query": "{ nope }"}, headers=headers).status_code == 400


def test_what_goes_wrong_inside_stays_inside(service: Service, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: Any) -> None:
        raise ValueError("secret detail")

    monkeypatch.setattr(service.store.reader, "gaps", broken)
    error = service.refused("{ gaps { total } }")
    assert error["code"] == "INTERNAL"
    assert "secret" not in error["message"]


def test_a_subscription_does_not_go_over_http(service: Service):
    error = service.refused("subscription { syncs { id } }")
    assert error["code"] == "BAD_INPUT"
    assert "WebSocket" in error["message"]
