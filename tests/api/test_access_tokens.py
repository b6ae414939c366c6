"""With tokens made, every door wants one, and none tells why a wrong one is wrong."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from watersmeet.api.access import DOORS, OPEN, known
from watersmeet.api.app import create_app
from watersmeet.federation.clock import utcnow
from watersmeet.federation.store import Store

from .access import BODIES, FAR, ask, connect, id_of, token
from .conftest import HERE, PEER, Serve, Service


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are looked up at every request, so that no test waits."""
    monkeypatch.setattr(known, "FRESH", 0.0)


def entries(service: Service, what: str) -> list[tuple[str, str | None, Any]]:
    return [(row.by, row.address, row.detail) for row in service.store.audit.entries(what=what)]


def test_the_first_token_closes_every_door(service: Service):
    assert ask(service, peer=PEER).status == 200, "this machine, as long as there is none"
    token(service, "viewer")
    for path in DOORS:
        if path.startswith("/"):
            told = ask(service, path, body=BODIES.get(path), peer=PEER)
            assert (told.status, told.code) == (401, "UNAUTHENTICATED"), path
            assert told.headers["www-authenticate"] == "Bearer"


def test_what_tells_nothing_stays_open(service: Service, monkeypatch: pytest.MonkeyPatch):
    token(service, "viewer")
    for path in sorted(OPEN):
        assert ask(service, path).status == 200, path
    from watersmeet.federation.errors import StoreUnavailable

    def gone() -> bool:
        raise StoreUnavailable("the store at /srv/secret is full")

    monkeypatch.setattr(service.store, "is_ready", gone)
    ready = ask(service, "/readyz")
    assert (ready.status, ready.text) == (503, '{"status":"unavailable"}')


def test_a_setting_keeps_this_machine_steward_beside_tokens(serve: Serve):
    service = serve(server={"local_without_token": True})
    token(service, "viewer")
    assert ask(service, peer=PEER).status == 200
    assert ask(service, body={"query": 'mutation { sync(source: "tracking") { id } }'}, peer=PEER).code is None
    assert ask(service).status == 401
    assert ask(service, peer=PEER, host="evil.example").status == 401
    assert ask(service, peer=PEER, x_forwarded_for="127.0.0.1").status == 401


def test_a_token_opens_from_any_address_and_by_any_name_of_the_server(service: Service):
    text = token(service, "viewer")
    assert ask(service, text=text, host="lineage.acme.io").status == 200
    assert ask(service, text=text, host="lineage.acme.io", origin="https://lineage.acme.io").status == 200
    assert ask(service, authorization=f"bearer   {text}").status == 200


def test_a_page_of_another_origin_is_refused_even_with_a_token(service: Service):
    text = token(service, "admin")
    told = ask(service, text=text, host="lineage.acme.io", origin="https://evil.example")
    assert (told.status, told.code) == (403, "FORBIDDEN")
    assert ask(service, text=text, origin="null").status == 403


def wrong_tokens(service: Service) -> dict[str, str]:
    good = token(service, "admin", "good")
    expired = token(service, "admin", "expired", utcnow() - timedelta(seconds=1))
    revoked = token(service, "admin", "revoked")
    service.store.tokens.revoke(id_of(revoked), by="tests")
    return {
        "malformed": "wm_short",
        "unknown": "wm_" + "a" * 10 + "_" + "b" * 52,
        "expired": expired,
        "revoked": revoked,
        "another secret": good[:-1] + ("a" if good[-1] != "a" else "b"),
    }


def test_every_wrong_token_gets_the_same_answer_and_its_own_entry(service: Service):
    """OpenLineage, receive check 15."""
    told = {why: ask(service, text=text) for why, text in wrong_tokens(service).items()}
    plain = ask(service)
    for why, answer in told.items():
        assert (answer.status, answer.text) == (401, plain.text), why
        assert answer.headers["www-authenticate"] == "Bearer", why
    reasons = [detail["reason"] for _by, _address, detail in entries(service, "refused")]
    assert reasons == [
        "malformed token",
        "unknown token",
        "expired token",
        "revoked token",
        "unknown token",
        "no token",
    ]


@pytest.mark.parametrize("header", ["", "Bearer", "Basic dTpw", "Bearer a b", "Bearer \t", "wm_x", "Token x"])
def test_a_header_that_is_none_is_a_wrong_token(service: Service, header: str):
    token(service, "viewer")
    assert ask(service, authorization=header).status == 401


def test_a_token_never_goes_by_the_address(service: Service):
    text = token(service, "admin")
    with structlog.testing.capture_logs() as lines:
        for query in (
            f"token={text}",
            f"access_token={text}",
            f"x={text}",
            f"authorization=Bearer%20{text}",
            "token=x",
        ):
            told = ask(service, f"/graphql?query={{__typename}}&{query}", method="GET")
            assert (told.status, told.code) == (400, "BAD_INPUT")
        assert ask(service, f"/{text}").status == 400
    assert text not in repr(lines)
    assert text not in repr(entries(service, "refused"))


def test_no_answer_and_no_log_holds_a_token(service: Service):
    texts = [token(service, "viewer"), *wrong_tokens(service).values()]
    with structlog.testing.capture_logs() as lines:
        answers = "".join(ask(service, text=text).text for text in texts)
    for text in texts:
        assert text not in answers + repr(lines) + repr(service.store.audit.entries())
    kept = repr(service.store.tokens.all())
    assert all(text.rpartition("_")[2] not in kept for text in texts[2:])


def test_whoever_fails_too_often_is_told_to_wait_and_others_are_not(serve: Serve):
    service = serve(server={"failures": 3})
    good = token(service, "viewer")
    assert [ask(service, text="wm_x").status for _ in range(5)] == [401, 401, 401, 429, 429]
    told = ask(service, text="wm_x")
    assert 0 < int(told.headers["retry-after"]) <= 60
    assert "server.failures" in told.text
    assert ask(service, text="wm_x", peer=("203.0.113.10", 1)).status == 401
    assert ask(service, text=good).status == 200, "who shares the address is not locked out"


def test_networks_of_ipv6_count_as_one_address(serve: Serve):
    service = serve(server={"failures": 2})
    token(service, "viewer")
    peers = [(f"2001:db8:1:2::{number}", 1) for number in range(1, 4)]
    assert [ask(service, text="wm_x", peer=peer).status for peer in peers] == [401, 401, 429]
    assert ask(service, text="wm_x", peer=("2001:db8:1:3::1", 1)).status == 401


def test_a_proxy_that_is_believed_tells_the_client_and_another_does_not(serve: Serve):
    service = serve(server={"trusted_proxies": ["10.1.0.0/16"], "failures": 2})
    text = token(service, "viewer")
    proxy = ("10.1.2.3", 1)
    ask(service, text=text, peer=proxy, x_forwarded_for="6.6.6.6, 198.51.100.7, 10.1.9.9")
    ask(service, text=text, peer=FAR, x_forwarded_for="6.6.6.6")
    assert [address for _by, address, _detail in entries(service, "token.new_address")] == ["198.51.100.7", FAR[0]]
    said = [ask(service, text="wm_x", peer=proxy, x_forwarded_for="6.6.6.6, 198.51.100.8").status for _ in range(3)]
    assert said == [401, 401, 429]
    assert ask(service, text="wm_x", peer=proxy, x_forwarded_for="6.6.6.6, 198.51.100.9").status == 401


def test_refusals_cannot_fill_the_disk(serve: Serve):
    service = serve(server={"failures": 100_000})
    token(service, "viewer")
    before = service.store.audit.prove().entries
    for _ in range(50):
        ask(service, text="wm_x")
    assert len(entries(service, "refused")) == 1
    for number in range(300):
        ask(service, f"/nowhere/{number}", text="wm_x", peer=(f"203.0.{number // 250}.{number % 250}", 1))
    assert service.store.audit.prove().entries - before < 210


def test_what_was_only_counted_is_written_when_the_server_ends(serve: Serve):
    service = serve()
    token(service, "viewer")
    with TestClient(create_app(service.services), base_url=HERE, client=FAR) as client:
        for _ in range(7):
            assert client.get("/metrics").status_code == 401
    assert [detail.get("repeated") for _by, _address, detail in entries(service, "refused")] == [None, 6]


def test_a_new_address_is_in_the_audit_log_and_the_use_in_the_list(service: Service):
    text = token(service, "viewer", "ci")
    for peer in (FAR, FAR, ("198.51.100.1", 1)):
        ask(service, text=text, peer=peer)
    assert [address for _by, address, _detail in entries(service, "token.new_address")] == [FAR[0], "198.51.100.1"]
    [row] = service.store.tokens.all()
    assert row.used_from == "198.51.100.1"
    assert row.used_at is not None


def test_a_mutation_and_its_failure_are_written_down_with_who_did_it(service: Service):
    text = token(service, "steward", "ada")
    query = "mutation($s: String!) { sync(source: $s, full: true) { id } }"
    ask(service, text=text, body={"query": query, "variables": {"s": "tracking"}})
    ask(service, text=text, body={"query": query, "variables": {"s": "nope"}})
    by = f"token {id_of(text)} (ada)"
    done = {"arguments": {"full": True, "source": "tracking"}, "field": "Mutation.sync"}
    assert entries(service, "mutation")[0] == (by, FAR[0], done)
    [(who, _address, failed)] = entries(service, "mutation.failed")
    assert (who, failed["code"]) == (by, "NOT_FOUND")


def test_a_mutation_that_cannot_be_written_down_is_not_done(service: Service, monkeypatch: pytest.MonkeyPatch):
    from watersmeet.federation.errors import StoreUnavailable

    def full(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("the disk is full. Make room on its disk")

    monkeypatch.setattr(service.store.audit, "record", full)
    assert service.refused('mutation { sync(source: "tracking") { id } }')["code"] == "UNAVAILABLE"
    assert service.store.journal.syncs() == []


def test_a_revoked_token_opens_nothing_within_seconds_in_every_process(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(known, "FRESH", 2.0)
    service = serve()
    text = token(service, "viewer")
    assert ask(service, text=text).status == 200
    with Store.open(f"sqlite:///{service.store.url.partition('///')[2]}") as other:
        other.tokens.revoke(id_of(text), by="tests")
    until = time.monotonic() + 60
    while ask(service, text=text).status != 401:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_store_that_cannot_be_asked_lets_nobody_in(service: Service, monkeypatch: pytest.MonkeyPatch):
    from watersmeet.federation.errors import StoreUnavailable

    text = token(service, "admin")
    assert ask(service, text=text).status == 200

    def gone() -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(service.store.tokens, "all", gone)
    assert ask(service, text=text).status == 503
    assert ask(service).status == 503
    assert ask(service, "/healthz").status == 200


# WebSockets


def greeted(socket: Any, payload: Any = None) -> Any:
    socket.send_json({"type": "connection_init", **({"payload": payload} if payload is not None else {})})
    return socket.receive_json()


@pytest.mark.parametrize("key", ["Authorization", "authorization"])
def test_a_websocket_may_show_its_token_when_it_begins(service: Service, key: str):
    text = token(service, "viewer")
    with connect(service) as socket:
        assert greeted(socket, {key: f"Bearer {text}"})["type"] == "connection_ack"
        payload = {"query": "{ sources { name } }"}
        socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
        assert socket.receive_json()["payload"]["data"]["sources"]


def test_a_websocket_may_show_its_token_in_the_handshake(service: Service):
    with connect(service, token(service, "viewer"), peer=FAR) as socket:
        assert greeted(socket)["type"] == "connection_ack"


@pytest.mark.parametrize("payload", [None, {}, {"Authorization": "Bearer wm_x"}, {"Authorization": 1}, {"token": "x"}])
def test_a_websocket_that_does_not_say_whose_it_is_ends(service: Service, payload: Any):
    token(service, "viewer")
    with connect(service, peer=FAR) as socket, pytest.raises(WebSocketDisconnect) as ended:
        greeted(socket, payload)
    assert ended.value.code == 4403


def test_a_websocket_does_nothing_before_it_has_said_whose_it_is(service: Service):
    token(service, "viewer")
    with connect(service, peer=FAR) as socket:
        socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": "{ sources { name } }"}})
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()
    assert ended.value.code == 4401


@pytest.mark.parametrize(("role", "headers"), [("viewer", {"origin": "https://evil.example"}), ("inlet", {})])
def test_a_handshake_is_refused_like_a_request(service: Service, role: str, headers: dict[str, str]):
    text = token(service, role)
    with pytest.raises(WebSocketDenialResponse) as refused, connect(service, text, PEER, **headers):
        pass
    assert refused.value.status_code == 403
    with pytest.raises(WebSocketDenialResponse) as refused, connect(service, "wm_x"):
        pass
    assert refused.value.status_code == 401


def test_an_inlet_token_gets_no_websocket_by_introducing_itself(service: Service):
    text = token(service, "inlet")
    with connect(service, peer=FAR) as socket, pytest.raises(WebSocketDisconnect) as ended:
        greeted(socket, {"Authorization": f"Bearer {text}"})
    assert ended.value.code == 4403


@pytest.mark.parametrize("in_greeting", [False, True])
def test_a_websocket_ends_when_its_token_is_revoked(
    service: Service, monkeypatch: pytest.MonkeyPatch, in_greeting: bool
):
    """One socket a test: each has an event loop of its own here, and the server has but one."""
    from watersmeet.api.access import gate

    monkeypatch.setattr(gate, "_LOOK", 0.05)
    text = token(service, "viewer")
    with connect(service, None if in_greeting else text) as socket:
        greeting = {"Authorization": f"Bearer {text}"} if in_greeting else None
        assert greeted(socket, greeting)["type"] == "connection_ack"
        service.store.tokens.revoke(id_of(text), by="tests")
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()
        assert ended.value.code == 4403


def test_a_mutation_over_a_websocket_needs_its_role_too(service: Service):
    with connect(service, token(service, "viewer")) as socket:
        assert greeted(socket)["type"] == "connection_ack"
        payload = {"query": 'mutation { sync(source: "tracking") { id } }'}
        socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
        [error] = socket.receive_json()["payload"]["errors"]
        assert (error["extensions"]["code"], error["extensions"]["needed"]) == ("FORBIDDEN", "steward")
    assert service.store.journal.syncs() == []


def test_tokens_are_random_and_of_a_form_that_scanners_know(service: Service):
    texts = {token(service, "viewer") for _ in range(20)}
    assert len(texts) == 20
    assert all(re.fullmatch(r"wm_[a-z2-7]{10}_[a-z2-7]{52}", text) for text in texts)
