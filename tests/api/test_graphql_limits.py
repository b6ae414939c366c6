"""No query can take the server down: each limit refuses before the work begins, and names its setting."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from watersmeet.federation.model import AssetKind, Record

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


def test_depth_beside_introspection_counts_too(serve: Serve):
    exceeds(limited(serve, depth=3), "{ __schema { queryType { name } } " + NESTED.strip()[1:], "depth")


def test_introspection_may_go_as_deep_as_its_own_rule_lets_it(serve: Serve):
    limited(serve, depth=2).ask("{ __schema { types { fields { type { ofType { ofType { name } } } } } } }")


def test_directives_are_counted_where_they_stand(serve: Serve):
    service = limited(serve, directives=2)
    service.ask("{ sources @include(if: true) { name @skip(if: false) } }")
    exceeds(service, "{ sources @include(if: true) { name @skip(if: false) platform @skip(if: false) } }", "directives")


def test_directives_hide_in_no_fragment(serve: Serve):
    service = limited(serve, directives=2)
    inside = "fragment F on Source { name @skip(if: false) }"
    service.ask(f"{{ sources {{ ...F ...F }} }} {inside}")
    exceeds(service, f"{{ sources {{ ...F ...F ...F }} }} {inside}", "directives")


def test_a_query_may_define_as_many_fragments_as_the_limit(serve: Serve):
    service = limited(serve, fragments=3)
    defined = [f"fragment F{n} on Source {{ name }}" for n in range(4)]
    service.ask(f"{{ sources {{ ...F0 ...F1 ...F2 }} }} {' '.join(defined[:3])}")
    exceeds(service, f"{{ sources {{ ...F0 ...F1 ...F2 }} }} {' '.join(defined)}", "fragments")


def test_a_query_may_name_fragments_as_often_as_the_limit(serve: Serve):
    service = limited(serve, fragments=3)
    query = "{ sources { %s } } fragment F on Source { name }"
    service.ask(query % ("...F " * 3))
    exceeds(service, query % ("...F " * 4), "fragments")


def test_tokens_are_counted_while_the_query_is_read(serve: Serve):
    service = limited(serve, tokens=20)
    service.ask("{ sources { " + "name " * 14 + "} }")
    exceeds(service, "{ sources { " + "name " * 16 + "} }", "tokens")


def test_comments_count_as_well(serve: Serve):
    exceeds(limited(serve, tokens=20), "{ sources { name } }\n" + "#\n" * 50, "tokens")


def test_fragments_in_fragments_do_not_explode(serve: Serve):
    service = limited(serve, fragments=1000)
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


LISTS = """query($w: [String!], $i: [ID!]) {
    search(text: "", first: 1, tags: $w) { total } changes(first: 1, ids: $i) { total } }"""


def test_a_list_in_the_arguments_may_be_as_long_as_the_limit(serve: Serve):
    service = limited(serve, items=3)
    service.ask(LISTS, w=["a"] * 3, i=["1"] * 3)
    for variables in ({"w": ["a"] * 4}, {"i": ["1"] * 4}):
        exceeds(service, LISTS, "items", **variables)
    service.ask("{ changes(ids: [1, 2, 3]) { total } }")
    exceeds(service, "{ changes(ids: [1, 2, 3, 4]) { total } }", "items")
    exceeds(service, "query($i: [ID!] = [1, 2, 3, 4]) { changes(ids: $i) { total } }", "items")


def test_all_lists_at_their_limit_are_no_more_than_a_store_can_take(service: Service):
    words = [str(number) for number in range(1000)]
    query = """query($w: [String!], $i: [ID!]) { changes(ids: $i) { total }
        search(text: "", platforms: $w, sources: $w, tags: $w, owners: $w) { total } }"""
    service.ask(query, w=words, i=words)


def test_a_text_in_the_arguments_may_be_as_long_as_the_limit(serve: Serve):
    service = limited(serve, text=64)
    query = "query($t: String!, $w: [String!]) { search(text: $t, tags: $w) { total } }"
    service.ask(query, t="a" * 64, w=["b" * 64])
    exceeds(service, query, "text", t="a" * 65)
    exceeds(service, query, "text", t="a", w=["b" * 65])
    exceeds(service, f'{{ asset(key: "{"a" * 65}") {{ id }} }}', "text")
    exceeds(service, f'query($t: String! = "{"a" * 65}") {{ search(text: $t) {{ total }} }}', "text")


def test_the_longest_text_is_no_more_than_a_search_can_take(service: Service):
    for text in ("a" * 8192, "a " * 4096, "% " * 4096, "é" * 8192, "/" * 8192):
        service.ask("query($t: String!) { search(text: $t) { total } asset(key: $t) { id } }", t=text)


def test_variables_may_hold_as_many_values_as_the_limit(serve: Serve):
    service = limited(serve, values=10)
    query = 'query($w: [String!]) { search(text: "", tags: $w) { total } }'
    service.ask(query, w=["a"] * 9)
    exceeds(service, query, "values", w=["a"] * 10)
    exceeds(service, query, "values", w=[], unused={str(number): number for number in range(10)})


def test_values_may_stand_in_one_another_as_deep_as_the_limit(serve: Serve):
    service = limited(serve, nesting=2)
    query = "query($w: Walk) { lineage(root: 1, walk: $w) { total } }"
    assert service.refused(query, w={"edges": ["READ"]})["code"] == "NOT_FOUND"
    exceeds(service, query, "nesting", w={"edges": [["READ"]]})
    exceeds(service, query, "nesting", w={}, unused=[[[]]])
    exceeds(service, "{ lineage(root: 1, walk: {edges: [[READ]]}) { total } }", "nesting")


def test_values_nested_beyond_what_python_can_follow_are_refused_too(service: Service):
    deep = "[" * 900 + "]" * 900
    query = "query($w: Walk) { lineage(root: 1, walk: $w) { total } }"
    body = f'{{"query": "{query}", "variables": {{"w": {deep}}}}}'
    answer = service.client.post("/graphql", content=body, headers={"content-type": "application/json"}).json()
    assert answer["errors"][0]["extensions"]["setting"] == "server.limits.nesting"


def test_an_answer_may_hold_as_many_objects_as_the_limit(serve: Serve):
    service = limited(serve, answer=100)
    service.tell(*(Record(f"d/{n}", AssetKind.DATASET, f"orders {n}") for n in range(60)))
    query = '{ search(text: "orders", first: %d) { total edges { node { name } } } }'
    assert service.ask(query % 40)["search"]["total"] == 60
    exceeds(service, query % 60, "answer")


def test_more_queries_than_may_wait_are_asked_to_come_again(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    service = limited(serve, queries=1)
    asked, go_on = threading.Event(), threading.Event()

    def slow(first: int, after: int) -> tuple[list[object], int]:
        asked.set()
        go_on.wait(60)
        return [], 0

    monkeypatch.setattr(service.store.reader, "gaps", slow)
    with ThreadPoolExecutor() as others:
        waiting = others.submit(service.ask, "{ gaps { total } }")
        assert asked.wait(60)
        response = service.client.post("/graphql", json={"query": "{ __typename }"})
        go_on.set()
        assert waiting.result(60) == {"gaps": {"total": 0}}
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    assert response.json()["errors"][0]["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "setting": "server.limits.queries",
    }
    assert service.ask("{ __typename }") == {"__typename": "Query"}


PAGE = 'search(text: "orders", first: 2000) { edges { node { id kind name platforms stub } cursor } }'
HEAVY = "{" + " ".join(f"a{number}: {PAGE}" for number in range(8)) + "}"


def filled(service: Service) -> Service:
    service.tell(*(Record(f"d/{n}", AssetKind.DATASET, f"orders {n}") for n in range(2000)))
    return service


def test_others_are_answered_while_a_heavy_answer_is_put_together(serve: Serve):
    service = filled(limited(serve, time="10m"))
    with ThreadPoolExecutor() as others:
        heavy = others.submit(service.ask, HEAVY)
        for _ in range(5):
            assert service.client.get("/healthz").status_code == 200
            assert service.ask("{ sources { name } }")["sources"][0] == {"name": "tracking"}
        assert not heavy.done(), "the heavy query was too light to show anything"
        answer = heavy.result(300)
    assert {len(page["edges"]) for page in answer.values()} == {2000}


def test_an_answer_that_takes_too_long_to_put_together_is_given_up(serve: Serve):
    service = filled(limited(serve, time="500ms"))
    answer = service.post(HEAVY)
    assert answer.get("data") is None
    assert {error["extensions"]["setting"] for error in answer["errors"]} == {"server.limits.time"}
    assert service.ask("{ sources { name } }")["sources"][0] == {"name": "tracking"}


def test_a_text_that_no_store_can_hold_is_bad_input(service: Service):
    query = "query($t: String!, $s: [String!]) { search(text: $t, sources: $s) { total } }"
    assert service.refused(query, t="a\0b")["code"] == "BAD_INPUT"
    assert service.refused(query, t="a", s=["\0"])["code"] == "BAD_INPUT"


def test_changes_takes_as_many_ids_as_a_list_may_have_and_no_more(serve: Serve):
    query = "query($ids: [ID!]) { changes(ids: $ids, first: 1) { total } }"
    service = serve()
    ids = [str(number) for number in range(10_000_000, 10_001_000)]
    assert service.ask(query, ids=ids)["changes"]["total"] == 0
    exceeds(service, query, "items", ids=[*ids, "1"])
