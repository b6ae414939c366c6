"""A cursor opens one page of one question to one store, and nothing else."""

import base64
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record
from watersmeet.federation.naming import Registry

from .conftest import NOON, Serve, Service

WALK = """query($root: ID!, $depth: Int! = 5, $first: Int! = 2, $after: String, $kinds: [AssetKind!], $level: Level) {
    page: lineage(root: $root, depth: $depth, first: $first, after: $after, kinds: $kinds, level: $level) {
        total pageInfo { endCursor } } }"""
SEARCH = """query($text: String!, $first: Int! = 2, $after: String, $kinds: [AssetKind!]) {
    page: search(text: $text, first: $first, after: $after, kinds: $kinds) {
        total edges { node { name } } pageInfo { endCursor hasNextPage } } }"""


def chain(service: Service) -> Service:
    names = [f"t{number}" for number in range(6)]
    service.tell(
        *(Record(name, AssetKind.DATASET, f"orders {name}") for name in names),
        edges=[Edge(up, down, EdgeKind.DERIVE) for up, down in pairwise(names)],
    )
    return service


def cursor(service: Service, query: str, **variables: Any) -> str:
    return service.ask(query, **variables)["page"]["pageInfo"]["endCursor"]


def asked(query: str) -> dict[str, Any]:
    return {"root": "1"} if query is WALK else {"text": "orders"}


@pytest.mark.parametrize("query", [WALK, SEARCH])
def test_a_cursor_that_was_tampered_with_opens_nothing(service: Service, query: str):
    given = cursor(chain(service), query, **asked(query))
    raw = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
    forged = [
        given[: len(given) // 2],
        given[1:],
        given + "AAAA",
        given * 2,
        "",
        "AAAA",
        "ünsinn",
        "\u202e",
        *(
            base64.urlsafe_b64encode(bytes([*raw[:place], raw[place] ^ 1, *raw[place + 1 :]])).decode().rstrip("=")
            for place in range(len(raw))
        ),
        base64.urlsafe_b64encode(raw[:-2]).decode().rstrip("="),
        base64.urlsafe_b64encode(bytes(16) + b"[1,1,1]").decode().rstrip("="),
    ]
    for one in forged:
        assert service.refused(query, after=one, **asked(query))["code"] == "BAD_INPUT", one


@pytest.mark.parametrize(
    ("query", "other"),
    [
        (WALK, {"root": "2"}),
        (WALK, {"depth": 4}),
        (WALK, {"level": "FINE"}),
        (WALK, {"kinds": ["DATASET"]}),
        (SEARCH, {"text": "order"}),
        (SEARCH, {"kinds": ["DATASET"]}),
    ],
)
def test_a_cursor_belongs_to_the_very_same_arguments(service: Service, query: str, other: dict[str, Any]):
    given = cursor(chain(service), query, **asked(query))
    assert service.refused(query, after=given, **{**asked(query), **other})["code"] == "BAD_INPUT"
    service.ask(query, after=given, first=1, **asked(query))  # the size of the page may change


def test_a_cursor_of_another_list_opens_nothing(service: Service):
    walk, search = (cursor(chain(service), query, **asked(query)) for query in (WALK, SEARCH))
    assert service.refused(WALK, after=search, **asked(WALK))["code"] == "BAD_INPUT"
    assert service.refused(SEARCH, after=walk, **asked(SEARCH))["code"] == "BAD_INPUT"


@pytest.mark.parametrize("query", [WALK, SEARCH])
def test_a_cursor_of_another_store_opens_nothing(serve: Serve, tmp_path: Path, query: str):
    one = chain(serve())
    two = chain(serve(store={"url": f"sqlite:///{tmp_path / 'another.db'}"}))
    given = cursor(one, query, **asked(query))
    assert two.refused(query, after=given, **asked(query))["code"] == "BAD_INPUT"
    one.ask(query, after=given, **asked(query))


def test_a_search_goes_on_where_nothing_moved_and_expires_where_something_did(service: Service):
    given = cursor(chain(service), SEARCH, text="orders")
    service.tell(Record("z", AssetKind.DATASET, "orders of zebras, of which there are many"), scope="thing/2")
    page = service.ask(SEARCH, text="orders", after=given)["page"]
    assert [edge["node"]["name"] for edge in page["edges"]] == ["orders t2", "orders t3"]
    service.tell(Record("a", AssetKind.DATASET, "orders"), scope="thing/3", at=NOON + timedelta(hours=1))
    assert service.refused(SEARCH, text="orders", after=given)["code"] == "CURSOR_EXPIRED"


LISTS = {
    "changes": "query($after: String) { page: changes(first: 1, after: $after) { pageInfo { endCursor } } }",
    "syncs": "query($after: String) { page: syncs(first: 1, after: $after) { pageInfo { endCursor } } }",
    "letters": "query($after: String) { page: letters(first: 1, after: $after) { pageInfo { endCursor } } }",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_numbered_list_expires_with_the_epoch_of_its_store(service: Service, name: str):
    """A store that was brought back gives the same numbers out again, for other things."""
    chain(service)
    for text in ("{", "["):
        service.client.post("/api/v1/lineage", content=text, headers={"content-type": "application/json"})
    source = service.store.journal.sources()[0].id
    for _ in range(2):
        service.store.journal.enqueue(source, full=False)
    given = cursor(service, LISTS[name])
    service.ask(LISTS[name], after=given)
    service.store.rebuild(Registry.EMPTY)
    told = service.refused(LISTS[name], after=given)
    assert told["code"] == "CURSOR_EXPIRED"
    service.ask(LISTS[name], after=cursor(service, LISTS[name]))
