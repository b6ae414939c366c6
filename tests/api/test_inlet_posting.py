"""What an emitter of OpenLineage events gets back, and what becomes of what it sent."""

import gzip
import json
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx2
import pytest

from watersmeet.federation.errors import StoreUnavailable
from watersmeet.federation.sync import lag

from .conftest import Serve, Service

RUN = "0197a3c4-7f2e-7d12-b0c6-5f9a3e1b2c4d"


def event(number: int = 0, **more: Any) -> dict[str, Any]:
    """One event of a run that reads one table and writes another."""
    return {
        "eventType": "COMPLETE",
        "eventTime": f"2026-11-20T12:{number % 60:02}:00Z",
        "producer": "https://example.com/emitter/1.0",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": RUN},
        "job": {"namespace": "shop", "name": "nightly"},
        "inputs": [{"namespace": "postgres://db:5432", "name": "shop.public.orders"}],
        "outputs": [{"namespace": "postgres://db:5432", "name": "shop.public.report"}],
        **more,
    }


def post(service: Service, body: Any, path: str = "/api/v1/lineage", **headers: str) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return service.client.post(path, content=content, headers=sent)


def stored(service: Service) -> int:
    return service.store.events.count("inlet")


def caught_up(service: Service) -> None:
    """Wait until every event is part of the graph."""
    for _ in range(200):
        if lag(service.store, "inlet") == 0:
            return
        time.sleep(0.05)
    raise AssertionError("the follower does not come through")


def letters(service: Service) -> list[dict[str, Any]]:
    found = service.ask("{ letters { edges { node { source place reason path body } } } }")["letters"]["edges"]
    return [edge["node"] for edge in found]


def test_an_event_is_kept_before_it_is_answered_and_soon_part_of_the_graph(service: Service):
    response = post(service, event())
    assert response.status_code == 201
    assert stored(service) == 1
    caught_up(service)
    found = service.ask('{ search(text: "report") { edges { node { id name kind platforms } } } }')["search"]["edges"]
    assert [edge["node"]["kind"] for edge in found] == ["DATASET"]
    root = found[0]["node"]["id"]
    lineage = service.ask("query($r: ID!) { lineage(root: $r, direction: UPSTREAM) { nodes { name depth } } }", r=root)[
        "lineage"
    ]
    assert len(lineage["nodes"]) == 3
    assert any("orders" in node["name"] for node in lineage["nodes"])


def test_the_inlet_stands_among_the_sources_with_its_lag(service: Service):
    post(service, event())
    caught_up(service)
    [inlet] = [
        one for one in service.ask("{ sources { name status lag assets } }")["sources"] if one["name"] == "inlet"
    ]
    assert inlet["status"] == "OK"
    assert inlet["lag"] == 0
    assert inlet["assets"] >= 3


def test_the_same_event_again_changes_nothing_and_is_counted(service: Service):
    """OpenLineage, receive check 2."""
    for _ in range(3):
        assert post(service, event()).status_code == 201
    assert stored(service) == 1
    metrics = service.client.get("/metrics").text
    assert 'watersmeet_events_received_total{outcome="new"} 1.0' in metrics
    assert 'watersmeet_events_received_total{outcome="duplicate"} 2.0' in metrics


def test_a_packed_event_is_the_same_event(service: Service):
    body = json.dumps(event()).encode()
    assert post(service, body).status_code == 201
    assert post(service, gzip.compress(body, mtime=0), content_encoding="gzip").status_code == 201
    halves = gzip.compress(body[:50], mtime=0) + gzip.compress(body[50:], mtime=0)
    assert post(service, halves, content_encoding="gzip").status_code == 201
    assert stored(service) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(b"{}", mtime=0)[:-6], 400),
        (b"no gzip at all", 400),
        (gzip.compress(b"{}", mtime=0) + b"rest", 400),
    ],
)
def test_a_body_that_is_not_the_gzip_it_says_is_refused(service: Service, body: bytes, status: int):
    assert post(service, body, content_encoding="gzip").status_code == status
    assert stored(service) == 0


def test_another_packing_is_not_taken(service: Service):
    response = post(service, event(), content_encoding="br")
    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "gzip"


def test_a_body_larger_than_the_limit_is_cut_off_and_not_asked_for_again(serve: Serve):
    """OpenLineage, receive check 8."""
    service = serve(inlet={"wire_bytes": 2048, "inflated_bytes": 4096})
    response = post(service, event(x="a" * 3000))
    assert response.status_code == 413
    assert "inlet.wire_bytes" in response.json()["error"]
    assert "retry-after" not in response.headers
    assert stored(service) == 0


def test_a_bomb_is_cut_off_once_it_has_grown_to_the_limit(serve: Serve):
    """OpenLineage, receive check 8."""
    service = serve(inlet={"wire_bytes": 2**20, "inflated_bytes": 2**20})
    response = post(service, gzip.compress(b" " * 50_000_000, mtime=0), content_encoding="gzip")
    assert response.status_code == 413
    assert "inlet.inflated_bytes" in response.json()["error"]


def test_a_large_event_and_its_packed_form_are_taken(service: Service):
    """OpenLineage, receive check 8: in bounded memory, ours and the sender's together."""
    fields = [{"name": f"column_{n}", "type": "VARCHAR", "description": "x" * 40_000} for n in range(500)]
    facet = {"_producer": "https://example.com", "_schemaURL": "https://example.com/schema.json", "fields": fields}
    large = event(
        outputs=[{"namespace": "postgres://db:5432", "name": "shop.public.wide", "facets": {"schema": facet}}]
    )
    body = json.dumps(large).encode()
    packed = gzip.compress(body, mtime=0)
    assert len(body) > 20_000_000
    tracemalloc.start()
    try:
        assert post(service, body).status_code == 201
        caught_up(service)  # so that the two are not in memory at once
        assert post(service, packed, content_encoding="gzip").status_code == 201
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"{len(body) / 1e6:.0f} MB of an event, {peak / 1e6:.0f} MB of memory")
    assert peak < 30 * len(body)  # taking it, making it part of the graph, and sending it, all in this process
    assert stored(service) == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_only_json_is_taken(service: Service, kind: str):
    assert post(service, event(), content_type=kind).status_code == 415


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/v1/lineage", "/api/v1/lineage/batch"])
def test_there_is_nothing_but_post(service: Service, method: str, path: str):
    assert service.client.request(method, path).status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b'{"a": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        json.dumps({**event(), "job": {"name": "x"}}).encode(),
        json.dumps({**event(), "run": {}}).encode(),
    ],
)
def test_what_can_never_be_right_is_a_4xx_that_tells_the_place(service: Service, body: bytes):
    """OpenLineage, receive check 5."""
    response = post(service, body)
    assert response.status_code in (400, 422)
    assert response.json()["path"].startswith("$")
    assert response.json()["error"]
    assert stored(service) == 0
    assert post(service, event()).status_code == 201


def test_an_event_may_be_nested_as_deep_as_the_setting_says(serve: Serve):
    service = serve(inlet={"nesting": 10})
    assert post(service, event(deep=json.loads("[" * 9 + "]" * 9))).status_code == 201
    assert post(service, event(deep=json.loads("[" * 12 + "]" * 12))).status_code == 400


def test_a_facet_that_is_none_is_taken_with_a_warning(service: Service):
    """OpenLineage, receive check 7."""
    response = post(service, event(run={"runId": RUN, "facets": {"odd": 5}}))
    assert response.status_code == 201
    assert "$.run.facets.odd" in response.json()["warnings"][0]


def test_where_it_is_strict_a_facet_that_is_none_refuses_the_event(serve: Serve):
    """OpenLineage, receive check 7."""
    service = serve(inlet={"strict": True})
    response = post(service, event(run={"runId": RUN, "facets": {"odd": 5}}))
    assert (response.status_code, response.json()["path"]) == (422, "$.run.facets.odd")
    assert [letter["path"] for letter in letters(service)] == ["$.run.facets.odd"]
    assert post(service, event()).status_code == 201


def test_an_event_without_a_job_becomes_a_letter_that_people_can_read(service: Service):
    """OpenLineage, receive check 6."""
    wrong = event()
    del wrong["job"]
    response = post(service, wrong)
    assert response.status_code == 422
    [letter] = letters(service)
    assert letter["source"] == "inlet"
    assert letter["place"] == "POST /api/v1/lineage"
    assert letter["path"].startswith("$")
    assert RUN in letter["body"]


def test_a_letter_holds_no_secret(service: Service):
    wrong = event(password="hunter2-is-my-password")
    del wrong["job"]
    post(service, wrong)
    assert "hunter2" not in letters(service)[0]["body"]


def test_a_batch_is_answered_with_what_became_of_each(service: Service):
    """OpenLineage, receive check 14."""
    events = [event(n) for n in range(10)]
    for bad in (2, 5, 9):
        del events[bad]["job"]
    response = post(service, events, "/api/v1/lineage/batch")
    assert response.status_code == 200
    answer = response.json()
    assert answer["status"] == "partial_success"
    assert answer["summary"] == {"received": 10, "successful": 7, "failed": 3, "retriable": 0, "non_retriable": 3}
    assert [failed["index"] for failed in answer["failed_events"]] == [2, 5, 9]
    assert all(failed["reason"] and failed["retriable"] is False for failed in answer["failed_events"])
    assert stored(service) == 7
    assert len(letters(service)) == 3


def test_an_event_of_a_batch_is_the_same_event_as_when_it_comes_alone(service: Service):
    body = json.dumps([event(1), event(2)]).encode()
    assert post(service, body, "/api/v1/lineage/batch").json()["status"] == "success"
    assert post(service, event(1)).status_code == 201
    assert stored(service) == 2


def test_an_empty_batch_is_a_success_of_nothing(service: Service):
    assert post(service, [], "/api/v1/lineage/batch").json()["summary"]["received"] == 0


@pytest.mark.parametrize("body", [b"{}", b"1", b"[1,", b"", b"[" * 50_000])
def test_a_batch_that_is_no_list_is_refused_as_a_whole(service: Service, body: bytes):
    response = post(service, body, "/api/v1/lineage/batch")
    assert response.status_code in (200, 400)
    assert stored(service) == 0


def test_a_batch_may_hold_as_many_events_as_the_setting_says(serve: Serve):
    service = serve(inlet={"batch": 2})
    response = post(service, [event(n) for n in range(3)], "/api/v1/lineage/batch")
    assert response.status_code == 413
    assert "inlet.batch" in response.json()["error"]


def test_while_the_store_cannot_write_the_sender_is_asked_to_come_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    """OpenLineage, receive check 14: 503 with Retry-After."""

    def locked(*_: Any) -> None:
        raise StoreUnavailable("locked")

    with monkeypatch.context() as patched:
        patched.setattr(service.store.events, "append", locked)
        for body, path in ((event(), "/api/v1/lineage"), ([event()], "/api/v1/lineage/batch")):
            response = post(service, body, path)
            assert response.status_code == 503
            assert response.headers["retry-after"] == "1"
    assert post(service, event()).status_code == 201


def test_a_refused_event_is_asked_for_again_if_its_letter_cannot_be_kept(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    def locked(*_: Any) -> None:
        raise StoreUnavailable("locked")

    wrong = event()
    del wrong["job"]
    monkeypatch.setattr(service.store.letters, "bury", locked)
    assert post(service, wrong).status_code == 503


def test_too_much_at_once_is_asked_for_again(serve: Serve):
    service = serve(inlet={"wire_bytes": 2048, "inflated_bytes": 2048})
    from watersmeet.api.inlet.intake import Busy
    from watersmeet.api.inlet.routes import Room

    room = Room(100)
    with room.some() as take:
        take(60)
        with pytest.raises(Busy), room.some() as other:
            other(60)
    with room.some() as take:
        take(100)
    assert post(service, {"small": 1}).status_code == 422


def test_fifty_emitters_at_once_share_commits(service: Service, monkeypatch: pytest.MonkeyPatch):
    """OpenLineage, receive check 15."""
    commits: list[int] = []
    real = service.store.events.append

    def counted(source: str, arrived: Any) -> Any:
        commits.append(len(arrived))
        time.sleep(0.02)  # a disk that takes its time
        return real(source, arrived)

    monkeypatch.setattr(service.store.events, "append", counted)
    with ThreadPoolExecutor(50) as emitters:
        bodies = [event(n, producer=f"https://e/{n}") for n in range(50)]
        statuses = list(emitters.map(partial(_status, service), bodies))
    assert statuses == [201] * 50
    assert stored(service) == 50
    assert len(commits) < 50


def test_one_event_that_the_store_cannot_take_does_not_take_others_with_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    """OpenLineage, receive check 14: each event stands for itself."""
    real = service.store.events.append

    def picky(source: str, arrived: Any) -> Any:
        if any(b"poison" in one.body for one in arrived):
            raise ValueError("cannot be stored")
        time.sleep(0.05)
        return real(source, arrived)

    monkeypatch.setattr(service.store.events, "append", picky)
    bodies = [event(n, producer=f"https://e/{'poison' if n == 3 else n}") for n in range(8)]
    with ThreadPoolExecutor(8) as emitters:
        statuses = list(emitters.map(partial(_status, service), bodies))
    assert statuses.count(201) == 7
    assert statuses[3] == 202, "an error of the server: nobody need send it again"
    [letter] = letters(service)
    assert letter["reason"] == "internal"
    assert "poison" in letter["body"]


def _status(service: Service, body: dict[str, Any]) -> int:
    try:
        return post(service, body).status_code
    except ValueError:
        return 500  # the test client hands on what the server would log


def test_events_of_a_former_process_are_projected_when_the_service_starts(serve: Serve):
    first = serve()
    monkey = first.services.store
    post(first, event())
    caught_up(first)
    monkey.journal.set_cursor("inlet", {"after": 0}, "events")
    second = serve()
    caught_up(second)
    assert second.ask('{ search(text: "report") { total } }')["search"]["total"] == 1
