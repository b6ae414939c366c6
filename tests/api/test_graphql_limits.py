"""No query can take the server down: each limit refuses before the work begins, and names its setting."""

import json
import threading
import time
from typing import Any

import pytest

from .conftest import Serve, Service


def limited(serve: Serve, **limits: Any) -> Service:
    return serve(server={"limits": limits})


def exceeds(service: Service, query: str, setting: str, **variables: Any) -> None:
    error = service.refused(query, **variables)
    assert error["code"] == "LIMIT_EXCEEDED"
    assert error["setting"] == f"server.limits.{setting}"
    assert f"server.limits.{setting}" in error["message"]


NESTED = '{ search(text: "") { edges { node { columns { edges { node { name } } } } } } }'

HIDDEN = """{ search(text: "") { edges { ...E } } }
fragment E on AssetEdge { node { ...N } }
fragment N on Asset { run { job } }"""


def test_a_query_may_be_as_deep_as_the_limit_and_no_deeper(serve: Serve):
    service = limited(serve, depth=7)
    service.ask(NESTED)
    exceeds(service, NESTED.replace("name", "run { state }"), "depth")


def test_depth_is_counted_through_fragments(serve: Serve):
    limited(serve, depth=5).ask(HIDDEN)


def test_too_much_depth_hides_in_no_fragment(serve: Serve):
    exceeds(limited(serve, depth=4), HIDDEN, "depth")


def test_nesting_beyond_what_python_can_follow_is_refused_too(serve: Serve):
    service = limited(serve, tokens=100_000)
    exceeds(service, "{a" * 20_000 + "}" * 20_000, "depth")


def test_aliases_are_counted_through_fragments(serve: Serve):
    service = limited(serve, aliases=4)
    service.ask("{ a: sources { n: name m: name } b: sources { name } }")
    exceeds(service, "{ a: sources { ...F } b: sources { ...F } } fragment F on Source { n: name m: name }", "aliases")


def test_directives_are_counted_like_aliases(serve: Serve):
    service = limited(serve, aliases=2)
    service.ask("{ sources @include(if: true) { name @skip(if: false) } }")
    exceeds(service, "{ sources @include(if: true) { name @skip(if: false) platform @skip(if: false) } }", "aliases")


def test_tokens_are_counted_while_the_query_is_read(serve: Serve):
    service = limited(serve, tokens=20)
    service.ask("{ sources { " + "name " * 14 + "} }")
    exceeds(service, "{ sources { " + "name " * 16 + "} }", "tokens")


def test_comments_count_as_well(serve: Serve):
    exceeds(limited(serve, tokens=20), "{ sources { name } }\n" + "#\n" * 50, "tokens")


def test_fragments_in_fragments_do_not_explode(service: Service):
    links = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(200))
    began = time.monotonic()
    exceeds(service, f"{{ ...F0 }} {links} fragment F200 on Query {{ sources {{ name }} }}", "tokens")
    assert time.monotonic() - began < 30  # doubled two hundred times it would not end at all


def test_a_fragment_within_itself_is_bad_input(service: Service):
    error = service.refused("{ ...F } fragment F on Query { sources { name } ...F }")
    assert error["code"] == "BAD_INPUT"


def test_a_list_in_a_list_costs_as_much_as_all_its_pages(serve: Serve):
    service = limited(serve, cost=40)
    query = 'query($n: Int!) { search(text: "", first: $n) { edges { node { upstream(first: 100) { total } } } } }'
    service.ask(query, n=20)
    exceeds(service, query, "cost", n=21)


def test_the_cost_counts_defaults_of_variables_and_of_fields(serve: Serve):
    service = limited(serve, cost=39)
    exceeds(service, '{ search(text: "") { edges { node { upstream { total } } } } }', "cost")
    query = 'query($n: Int! = 20) { search(text: "", first: $n) { edges { node { upstream { total } } } } }'
    exceeds(service, query, "cost")
    service.ask(query, n=19)


def test_the_cost_of_fragments_counts_where_they_stand(serve: Serve):
    service = limited(serve, cost=40)
    query = """query($n: Int!) { search(text: "", first: $n) { edges { node { ...W } } } }
        fragment W on Asset { upstream { total } }"""
    service.ask(query, n=20)
    exceeds(service, query, "cost", n=21)


def test_lists_within_lists_cost_even_if_nothing_is_walked(service: Service):
    exceeds(
        service,
        '{ search(text: "", first: 1000) { edges { node { runs(first: 1000) { edges { node { name } } } } } } }',
        "cost",
    )


def test_of_several_operations_the_one_that_is_asked_for_counts(serve: Serve):
    service = limited(serve, cost=5)
    query = "query Dear { impact(root: 1, first: 1000) { total } } query Cheap { sources { name } }"
    answer = service.client.post("/graphql", json={"query": query, "operationName": "Cheap"}).json()
    assert answer == {"data": {"sources": [{"name": "tracking"}, {"name": "catalogue"}, {"name": "inlet"}]}}
    answer = service.client.post("/graphql", json={"query": query, "operationName": "Dear"}).json()
    assert answer["errors"][0]["extensions"]["setting"] == "server.limits.cost"


@pytest.mark.parametrize(
    "query",
    [
        'search(text: "", first: 51) { total }',
        "changes(first: 51) { total }",
        "syncs(first: 51) { total }",
        "gaps(first: 51) { total }",
        "letters(first: 51) { total }",
        "lineage(root: 1, first: 51) { total }",
        "impact(root: 1, first: 51) { total }",
        "paths(from: 1, to: 1, first: 51) { total }",
    ],
)
def test_no_page_may_be_larger_than_the_limit(serve: Serve, query: str):
    exceeds(limited(serve, page=50), f"{{ {query} }}", "page")


@pytest.mark.parametrize("first", [-1, -100])
def test_a_negative_page_is_bad_input(service: Service, first: int):
    assert service.refused(f'{{ search(text: "", first: {first}) {{ total }} }}')["code"] == "BAD_INPUT"


def test_a_body_may_be_as_large_as_the_limit(serve: Serve):
    service = limited(serve, body_bytes=2048)
    body = json.dumps({"query": "{ sources { name } }"}).encode()
    fits = service.client.post("/graphql", content=body.ljust(2048), headers={"content-type": "application/json"})
    assert fits.status_code == 200
    response = service.client.post("/graphql", content=body.ljust(2049), headers={"content-type": "application/json"})
    assert response.status_code == 413
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "setting": "server.limits.body_bytes"}


def test_a_body_of_unknown_length_is_cut_off_at_the_limit(serve: Serve):
    service = limited(serve, body_bytes=2048)
    sent = 0

    def endless():
        nonlocal sent
        while sent < 10**6:
            sent += 1000
            yield b" " * 1000

    response = service.client.post("/graphql", content=endless(), headers={"content-type": "application/json"})
    assert response.status_code == 413


def test_a_batch_may_hold_as_many_queries_as_the_limit(serve: Serve):
    service = limited(serve, batch=2)
    one = {"query": "{ sources { name } }"}
    assert len(service.client.post("/graphql", json=[one, one]).json()) == 2
    response = service.client.post("/graphql", json=[one, one, one])
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED", "setting": "server.limits.batch"}


def test_a_question_that_takes_too_long_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    service = limited(serve, time="50ms")

    go_on, ended = threading.Event(), threading.Event()

    def slow(first: int, after: int) -> tuple[list[object], int]:
        go_on.wait(60)
        ended.set()
        return [], 0

    monkeypatch.setattr(service.store.reader, "gaps", slow)
    exceeds(service, "{ gaps { total } }", "time")
    assert not ended.is_set(), "the answer came while the work still went on"
    go_on.set()
    assert service.ask("{ __typename }") == {"__typename": "Query"}


def test_introspection_can_be_switched_off(serve: Serve):
    service = limited(serve, introspection=False)
    exceeds(service, "{ __schema { types { name } } }", "introspection")
    exceeds(service, '{ ...F } fragment F on Query { __type(name: "Asset") { name } }', "introspection")
    assert service.ask("{ __typename }") == {"__typename": "Query"}


def test_introspection_cannot_be_made_to_explode(service: Service):
    bomb = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
    assert service.refused(bomb)["code"] == "BAD_INPUT"


def test_fields_that_overlap_are_judged_in_time(service: Service):
    began = time.monotonic()
    service.post("{ sources { " + "name " * 4900 + "} }")
    service.post("{" + "sources { name } " * 1200 + "}")
    assert time.monotonic() - began < 30  # compared pair by pair it would take minutes


def test_the_limits_hold_on_a_websocket_too(serve: Serve):
    service = limited(serve, cost=1, aliases=1)
    with service.client.websocket_connect(
        "ws://127.0.0.1:8765/graphql", subprotocols=["graphql-transport-ws"]
    ) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json()["type"] == "connection_ack"
        for number, query in enumerate(
            ["{ impact(root: 1) { total } }", "{ a: sources { name } b: sources { name } }"]
        ):
            socket.send_json({"id": str(number), "type": "subscribe", "payload": {"query": query}})
            message = socket.receive_json()
            assert message["type"] == "error"
            assert message["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_a_list_of_words_may_be_as_long_as_a_page(serve: Serve):
    service = limited(serve, page=3)
    query = """query($w: [String!], $i: [ID!]) {
        search(text: "", first: 1, tags: $w) { total } changes(first: 1, ids: $i) { total } }"""
    service.ask(query, w=["a"] * 3, i=["1"] * 3)
    for variables in ({"w": ["a"] * 4}, {"i": ["1"] * 4}):
        exceeds(service, query, "page", **variables)


def test_a_text_that_no_store_can_hold_is_bad_input(service: Service):
    query = "query($t: String!, $s: [String!]) { search(text: $t, sources: $s) { total } }"
    assert service.refused(query, t="a\0b")["code"] == "BAD_INPUT"
    assert service.refused(query, t="a", s=["\0"])["code"] == "BAD_INPUT"
