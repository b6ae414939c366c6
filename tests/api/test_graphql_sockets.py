"""WebSockets under fire: whatever somebody sends ends his own connection at most."""

import json
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from watersmeet.federation.model import AssetKind, Record

from .conftest import Serve, Service

SOCKET = "ws://127.0.0.1:8765/graphql"
WATCH = "subscription { syncs { id } }"


def limited(serve: Serve, **limits: Any) -> Service:
    return serve(server={"limits": limits})


def connect(service: Service) -> WebSocketTestSession:
    return service.client.websocket_connect(SOCKET, subprotocols=["graphql-transport-ws"])


@contextmanager
def greeted(service: Service) -> Generator[WebSocketTestSession]:
    with connect(service) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
        yield socket


def begin(socket: WebSocketTestSession, query: str, number: str = "1", **payload: Any) -> None:
    socket.send_json({"id": number, "type": "subscribe", "payload": {"query": query, **payload}})


def told(socket: WebSocketTestSession, query: str, number: str = "1", **payload: Any) -> dict[str, Any]:
    begin(socket, query, number, **payload)
    return socket.receive_json()


def closed(socket: WebSocketTestSession) -> tuple[int, str]:
    """With which code and reason the connection was closed, after whatever was still said."""
    try:
        while True:
            socket.receive_json()
    except WebSocketDisconnect as end:
        return end.code, end.reason


def test_who_says_nothing_is_sent_away(serve: Serve):
    with connect(limited(serve, init="50ms")) as socket:
        assert closed(socket)[0] == 4408


def test_who_asks_before_he_greets_is_sent_away(service: Service):
    with connect(service) as socket:
        begin(socket, "{ __typename }")
        assert closed(socket)[0] == 4401


def test_who_greets_twice_is_sent_away(service: Service):
    with greeted(service) as socket:
        socket.send_json({"type": "connection_init"})
        assert closed(socket)[0] == 4429


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "null",
        "7",
        '"subscribe"',
        "[]",
        "[" * 2000,
        "{}",
        '{"type": 7}',
        '{"type": ["subscribe"]}',
        '{"type": "unheard of"}',
        '{"type": "' + "x" * 5000 + '"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": ["1"], "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": "{ __typename }"}',
        '{"type": "subscribe", "id": "1", "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 7}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "operationName": {}}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": {}}',
        json.dumps({"type": "complete", "id": "é" * 40}),
    ],
)
def test_a_message_that_is_none_closes_the_connection_and_nothing_else(service: Service, message: str):
    with greeted(service) as other:
        with greeted(service) as socket:
            socket.send_text(message)
            code, reason = closed(socket)
        assert code == 4400
        assert 0 < len(reason.encode()) <= 123
        assert told(other, "{ __typename }")["payload"] == {"data": {"__typename": "Query"}}


def test_bytes_close_the_connection(service: Service):
    with greeted(service) as socket:
        socket.send_bytes(b'{"type": "ping"}')
        assert closed(socket)[0] == 4400


def test_an_operation_that_goes_on_may_not_be_begun_again(service: Service):
    with greeted(service) as socket:
        begin(socket, WATCH)
        begin(socket, WATCH)
        assert closed(socket)[0] == 4409


def test_a_query_over_a_websocket_is_answered_once(service: Service):
    with greeted(service) as socket:
        assert told(socket, "{ __typename }", "a") == {
            "id": "a",
            "type": "next",
            "payload": {"data": {"__typename": "Query"}},
        }
        assert socket.receive_json() == {"id": "a", "type": "complete"}


@pytest.mark.parametrize(
    ("query", "payload"),
    [
        ("{ nope }", {}),
        ("{ sources { name }", {}),
        ("query A { __typename } query B { __typename }", {}),
        ("query A { __typename }", {"operationName": "B"}),
        ("fragment F on Query { __typename }", {}),
        ("query($n: Int!) { syncs(first: $n) { total } }", {}),
        ("subscription { syncs { id } sources: syncs { id } }", {}),
        ("subscription { __typename }", {}),
    ],
)
def test_a_query_that_cannot_be_is_an_error_with_a_code_and_the_connection_goes_on(
    service: Service, query: str, payload: dict[str, Any]
):
    with greeted(service) as socket:
        message = told(socket, query, **payload)
        assert message["type"] == "error"
        assert {error["extensions"]["code"] for error in message["payload"]} == {"BAD_INPUT"}
        assert told(socket, "{ __typename }", "2")["payload"] == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("limits", "query", "payload"),
    [
        ({"depth": 2}, "{ syncs { edges { node { id } } } }", {}),
        ({"cost": 1}, "{ impact(root: 1) { total } }", {}),
        ({"aliases": 1}, "{ a: sources { name } b: sources { name } }", {}),
        ({"directives": 1}, "{ a @skip(if: false) b @skip(if: false) }", {}),
        ({"fragments": 1}, "{ ...F ...F } fragment F on Query { __typename }", {}),
        ({"tokens": 10}, "{ sources { name name name name name name name } }", {}),
        ({"items": 1}, "subscription { changes(ids: [1, 2]) { seq } }", {}),
        ({"text": 64}, "query($t: String!) { search(text: $t) { total } }", {"variables": {"t": "x" * 65}}),
        ({"values": 1}, "{ __typename }", {"variables": {"a": 1, "b": 2}}),
        ({"nesting": 1}, "{ __typename }", {"variables": {"a": [[1]]}}),
        ({"introspection": False}, "subscription { __schema { types { name } } }", {}),
    ],
)
def test_every_limit_of_a_query_holds_over_a_websocket(
    serve: Serve, limits: dict[str, Any], query: str, payload: dict[str, Any]
):
    [setting] = limits
    with greeted(limited(serve, **limits)) as socket:
        message = told(socket, query, **payload)
        assert message["type"] == "error"
        [error] = message["payload"]
        assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "setting": f"server.limits.{setting}"}


def test_a_page_and_an_answer_are_held_to_their_limits_over_a_websocket(serve: Serve):
    service = limited(serve, page=300, answer=100)
    service.tell(*(Record(f"d/{n}", AssetKind.DATASET, f"orders {n}") for n in range(200)))
    query = '{ search(text: "orders", first: %s) { edges { node { name } } } }'
    with greeted(service) as socket:
        for number, (first, setting) in enumerate({"301": "page", "200": "answer"}.items()):
            message = told(socket, query.replace("%s", first), str(number))
            [error] = message["payload"]["errors"]
            assert error["extensions"]["setting"] == f"server.limits.{setting}"
            assert socket.receive_json()["type"] == "complete"


def test_one_connection_has_as_many_operations_as_the_limit(serve: Serve):
    service = limited(serve, subscriptions_per_connection=2)
    with greeted(service) as socket, greeted(service) as other:
        begin(socket, WATCH, "1")
        begin(socket, WATCH, "2")
        message = told(socket, WATCH, "3")
        assert (message["type"], message["id"]) == ("error", "3")
        assert message["payload"][0]["extensions"]["setting"] == "server.limits.subscriptions_per_connection"
        socket.send_json({"type": "complete", "id": "1"})
        assert told(socket, "{ __typename }", "4")["type"] == "next"
        assert told(other, "{ __typename }")["type"] == "next"


def test_all_connections_together_have_as_many_operations_as_the_limit(serve: Serve):
    service = limited(serve, subscriptions=2)
    with greeted(service) as socket, greeted(service) as other:
        begin(socket, WATCH, "1")
        begin(socket, WATCH, "2")
        socket.send_json({"type": "ping"})
        assert socket.receive_json() == {"type": "pong"}
        message = told(other, WATCH)
        assert message["payload"][0]["extensions"]["setting"] == "server.limits.subscriptions"
        socket.send_json({"type": "complete", "id": "1"})
        socket.send_json({"type": "ping"})
        assert socket.receive_json() == {"type": "pong"}
        assert told(other, "{ __typename }")["type"] == "next"


@pytest.mark.parametrize("setting", ["connections", "connections_per_client"])
def test_as_many_connections_are_open_as_the_limit_and_one_that_ends_makes_room(serve: Serve, setting: str):
    service = limited(serve, **{setting: 2})
    with ExitStack() as held:
        held.enter_context(greeted(service))
        second = ExitStack()
        second.enter_context(greeted(service))
        with pytest.raises(WebSocketDenialResponse) as refused, connect(service):
            pass
        assert refused.value.status_code == 429
        [error] = refused.value.json()["errors"]
        assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "setting": f"server.limits.{setting}"}
        second.close()
        held.enter_context(greeted(service))


def test_a_protocol_that_is_not_ours_is_refused(service: Service):
    for protocols in ([], ["graphql-ws"], ["nonsense"]):
        with service.client.websocket_connect(SOCKET, subprotocols=protocols) as socket:
            assert closed(socket)[0] == 4406


def test_whoever_leaves_in_the_middle_leaves_nothing_behind(service: Service):
    for _ in range(30):
        with greeted(service) as socket:
            begin(socket, WATCH, "1")
            begin(socket, "{ sources { name } }", "2")
    with greeted(service) as socket:
        for number in range(20):
            begin(socket, WATCH, str(number))
        socket.send_json({"type": "ping"})
        assert socket.receive_json() == {"type": "pong"}
