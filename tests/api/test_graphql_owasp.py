"""The headings of OWASP's GraphQL cheat sheet, in its order, and what each means here."""

import json
import re
import time
from typing import Any

import pytest
import structlog

from watersmeet.federation.errors import Misconfigured, StoreUnavailable
from watersmeet.federation.model import AssetKind, Record

from .conftest import Serve, Service

SYNC = 'mutation { sync(source: "tracking") { id } }'
JSON = {"content-type": "application/json"}


def limited(serve: Serve, **limits: Any) -> Service:
    return serve(server={"limits": limits})


# Input validation


@pytest.mark.parametrize(
    "query",
    [
        "lineage(root: 1, direction: SIDEWAYS) { total }",
        'lineage(root: 1, depth: "3") { total }',
        "lineage(root: 1, depth: 99999999999) { total }",
        "lineage(root: 1, depth: 1.5) { total }",
        "lineage(root: 1, depth: -1) { total }",
        "lineage(root: 1, walk: {minConfidence: 2}) { total }",
        "lineage(root: 1, walk: {unheardOf: 2}) { total }",
        'lineage(root: 1, asOf: "soon") { total }',
        'search(text: "x", kinds: [TEAPOT]) { total }',
        "search(text: null) { total }",
        'search(text: "x", first: -1) { total }',
        'asset(id: "1", key: "x") { id }',
        'asset(id: "1 OR 1=1") { id }',
    ],
)
def test_input_validation_lets_only_what_the_schema_says_in(service: Service, query: str):
    service.tell(Record("a", AssetKind.DATASET, "orders"))
    answer = service.post(f"{{ {query} }}")
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_INPUT"}


# Injection prevention


SQL = [
    "'; DROP TABLE record; --",
    "' OR '1'='1",
    '" OR ""="',
    "1; SELECT pg_sleep(9)",
    "%' UNION SELECT value FROM info --",
]
QUERY_LANGUAGES = [
    '" NEAR "',
    "orders*",
    "name:orders",
    "a OR b",
    "NOT x",
    "^x",
    "{a b}",
    ":*",
    "a & !b",
    "<->",
    "('",
    "\\",
]
NOSQL = ['{"$gt": ""}', "$where", "'; return true; var x='"]
COMMANDS = ["; touch x", "$(id)", "`id`", "| cat /etc/passwd", "../../../etc/passwd"]
ADDRESSES = [
    "http://127.0.0.1:1/x",
    "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "gopher://x",
    "//evil",
]


@pytest.mark.parametrize("text", [*SQL, *QUERY_LANGUAGES, *NOSQL, *COMMANDS, *ADDRESSES])
def test_injection_whatever_a_text_holds_is_looked_for_and_never_done(service: Service, text: str):
    service.tell(Record("a", AssetKind.DATASET, "orders"), Record("secret", AssetKind.DATASET, "payroll"))
    query = """query($t: String!, $l: [String!]!) {
        asset(key: $t) { id } search(text: $t) { edges { node { name } } } bySource: asset(key: "a", source: $t) { id }
        filtered: search(text: "", tags: $l, owners: $l, platforms: $l, sources: $l) { total } }"""
    answer = service.ask(query, t=text, l=[text])
    assert answer["asset"] is answer["bySource"] is None
    assert "payroll" not in json.dumps(answer)
    assert answer["filtered"] == {"total": 0}
    assert service.refused("query($t: String!) { syncs(source: $t) { total } }", t=text)["code"] == "NOT_FOUND"
    assert service.ask('{ search(text: "") { total } }') == {"search": {"total": 2}}


@pytest.mark.parametrize("text", ADDRESSES)
def test_injection_no_address_in_an_argument_is_ever_asked(
    service: Service, text: str, monkeypatch: pytest.MonkeyPatch
):
    def called(*_: Any) -> None:
        raise AssertionError("an address was opened")

    monkeypatch.setattr("socket.getaddrinfo", called)
    monkeypatch.setattr("socket.socket.connect", called)
    service.ask("query($t: String!) { asset(key: $t) { id } search(text: $t) { total } }", t=text)
    assert service.refused("mutation($t: String!) { sync(source: $t) { id } }", t=text)["code"] == "NOT_FOUND"


def test_injection_markup_from_a_platform_leaves_as_json_that_no_browser_renders(service: Service):
    markup = "<script>alert(1)</script>"
    service.tell(Record("a", AssetKind.DATASET, markup, description=markup))
    for response in (
        service.client.post("/graphql", json={"query": "{ asset(id: 1) { name description } }"}),
        service.client.get("/graphql", params={"query": "{ asset(id: 1) { name } }"}, headers={"accept": "text/html"}),
        service.client.get("/graphql", params={"query": f"{{ {markup} }}"}, headers={"accept": "text/html"}),
    ):
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "script-src" not in response.headers["content-security-policy"]
        assert response.headers["content-security-policy"].startswith("default-src 'self'")


def test_injection_the_console_writes_answers_as_text_only(service: Service):
    script = service.client.get("/console.js").text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", script)


def test_injection_no_answer_repeats_a_header_or_path_as_markup(service: Service):
    for path in ("/<script>alert(1)</script>", "/graphql/<b>"):
        response = service.client.get(path)
        assert response.status_code == 404
        assert "<" not in response.text
        assert response.headers["x-content-type-options"] == "nosniff"


# Denial of service: every limit by itself stands in test_graphql_limits and test_graphql_sockets


@pytest.mark.parametrize(
    ("heading", "limit", "query"),
    [
        ("depth limiting", {"depth": 2}, "{ syncs { edges { node { id } } } }"),
        ("amount limiting", {"page": 10}, '{ search(text: "", first: 11) { total } }'),
        (
            "pagination",
            {"cost": 50},
            '{ search(text: "") { edges { node { runs(first: 100) { total } upstream { total } } } } }',
        ),
        ("query cost analysis", {"cost": 5}, "{ impact(root: 1, first: 1000) { total } }"),
        ("batching by aliases", {"aliases": 2}, "{ a: sources { id } b: sources { id } c: sources { id } }"),
        ("batching by fields", {"tokens": 20}, "{ " + "sources { id } " * 10 + "}"),
    ],
)
def test_denial_of_service_is_refused_before_it_begins(serve: Serve, heading: str, limit: dict[str, int], query: str):
    [setting] = limit
    assert limited(serve, **limit).refused(query)["setting"] == f"server.limits.{setting}", heading


def test_denial_of_service_equal_queries_of_a_batch_ask_the_store_once_for_a_page(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    service.tell(*(Record(f"d/{n}", AssetKind.DATASET, f"orders {n}") for n in range(30)))
    calls: list[Any] = []
    real = service.store.reader.assets

    def counted(ids: Any) -> Any:
        calls.append(ids)
        return real(ids)

    monkeypatch.setattr(service.store.reader, "assets", counted)
    one = {"query": '{ search(text: "orders", first: 30) { edges { node { description owners { name } } } } }'}
    assert len(service.client.post("/graphql", json=[one, one]).json()) == 2
    assert len(calls) == 1, "server-side batching and caching: the second query finds what the first one read"


# Access control


def test_access_control_no_query_tells_what_signs_cursors_or_is_configured_in_secret(serve: Serve):
    secret = "tok-3n-of-the-platform"
    service = serve(sources=[{"name": "tracking", "platform": "mlflow", "url": "http://127.0.0.1:1", "token": secret}])
    number = service.store.journal.enqueue("tracking", False)
    service.store.journal.start(number)
    told = service.post(
        "{ sources { id name platform url status message } syncs { edges { node { message failures } } } }"
    )
    assert secret not in json.dumps(told)
    names = service.ask("{ __schema { types { fields { name } inputFields { name } } } }")
    assert not re.search(r"secret|password|token|credential", json.dumps(names).lower())


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_access_control_other_methods_do_nothing(service: Service, method: str):
    response = service.client.request(method, "/graphql", content=json.dumps({"query": SYNC}), headers=JSON)
    assert response.status_code == 405
    assert service.store.journal.count_syncs() == 0


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (SYNC, None),
        (f"query A {{ __typename }} {SYNC.replace('mutation', 'mutation B')}", "B"),
        (f"query A {{ __typename }} {SYNC.replace('mutation', 'mutation B')}", None),
        (f"{SYNC.replace('mutation', 'mutation B')} query A {{ __typename }}", None),
        ('mutation { ...F } fragment F on Mutation { sync(source: "tracking") { id } }', None),
        ('{ ...F } fragment F on Mutation { sync(source: "tracking") { id } }', None),
        ("subscription { syncs { id } }", None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_access_control_nothing_but_a_query_goes_by_get(service: Service, method: str, query: str, name: str | None):
    params = {"query": query, **({"operationName": name} if name else {})}
    response = service.client.request(method, "/graphql", params=params)
    assert response.status_code in (200, 400)
    if method == "GET":
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert service.store.journal.count_syncs() == 0


def test_access_control_a_query_beside_a_mutation_may_go_by_get(service: Service):
    query = f"query A {{ __typename }} {SYNC.replace('mutation', 'mutation B')}"
    answer = service.client.get("/graphql", params={"query": query, "operationName": "A"})
    assert answer.json() == {"data": {"__typename": "Query"}}
    assert service.store.journal.count_syncs() == 0


def test_access_control_a_body_cannot_make_a_get_a_post(service: Service):
    response = service.client.request("GET", "/graphql", content=json.dumps({"query": SYNC}), headers=JSON)
    assert response.status_code == 400
    headers = {**JSON, "x-http-method-override": "POST"}
    service.client.request("GET", "/graphql", params={"query": SYNC, "_method": "POST"}, headers=headers)
    assert service.store.journal.count_syncs() == 0


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json-patch+json",
        "application/jsonx",
        "application/json, text/plain",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json;charset=utf-7",
    ],
)
def test_access_control_a_page_of_another_origin_cannot_post_without_asking_first(service: Service, kind: str | None):
    headers = {} if kind is None else {"content-type": kind}
    response = service.client.post("/graphql", content=json.dumps({"query": SYNC}), headers=headers)
    assert response.status_code == 415
    assert response.headers["content-type"] == "application/json"
    assert service.store.journal.count_syncs() == 0


def test_access_control_two_content_types_are_none(service: Service):
    headers = [("content-type", "application/json"), ("content-type", "text/plain")]
    response = service.client.post("/graphql", content=json.dumps({"query": SYNC}), headers=headers)
    assert response.status_code == 415
    assert service.store.journal.count_syncs() == 0


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON", 'application/json; charset="UTF-8"'])
def test_access_control_json_is_taken_however_it_is_spelled(service: Service, kind: str):
    response = service.client.post("/graphql", content=b'{"query": "{ __typename }"}', headers={"content-type": kind})
    assert response.json() == {"data": {"__typename": "Query"}}


def test_access_control_another_encoding_of_the_same_text_is_no_json(service: Service):
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        response = service.client.post("/graphql", content=json.dumps({"query": SYNC}).encode(encoding), headers=JSON)
        assert response.status_code == 400
    assert service.store.journal.count_syncs() == 0


# Batching attacks


def test_batching_attacks_a_list_of_mutations_is_counted_and_each_is_judged(serve: Serve):
    service = limited(serve, batch=2)
    response = service.client.post("/graphql", json=[{"query": SYNC}] * 3)
    assert response.json()["errors"][0]["extensions"]["setting"] == "server.limits.batch"
    assert service.store.journal.count_syncs() == 0
    mixed = service.client.post("/graphql", json=[{"query": "{ __typename }"}, {"query": "{ nope }"}]).json()
    assert [("data" in one, "errors" in one) for one in mixed] == [(True, False), (False, True)]


@pytest.mark.parametrize("batch", [[[{"query": "{ __typename }"}]], [None], ["{ __typename }"], [{}], [7]])
def test_batching_attacks_a_batch_holds_queries_and_nothing_else(service: Service, batch: Any):
    response = service.client.post("/graphql", json=batch)
    assert response.status_code == 400


def test_batching_attacks_all_queries_of_a_batch_share_one_time(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    service = limited(serve, time="300ms", batch=10)
    asked: list[int] = []

    def slow(first: int, after: int) -> Any:
        asked.append(first)
        time.sleep(0.4)
        return [], 0

    monkeypatch.setattr(service.store.reader, "gaps", slow)
    answers = service.client.post("/graphql", json=[{"query": "{ gaps { total } }"}] * 10).json()
    assert {one["errors"][0]["extensions"]["setting"] for one in answers} == {"server.limits.time"}
    assert len(asked) <= 1


def test_batching_attacks_a_mutation_under_many_names_is_counted(serve: Serve):
    service = limited(serve, aliases=3)
    query = "mutation { " + " ".join(f'm{n}: sync(source: "tracking") {{ id }}' for n in range(4)) + " }"
    assert service.refused(query)["setting"] == "server.limits.aliases"
    assert service.store.journal.count_syncs() == 0


# Secure configurations


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Asset") { name } }',
        "{ x: __schema { queryType { name } } }",
        "{ ... on Query { __schema { types { name } } } }",
        "{ ...F } fragment F on Query { ...G } fragment G on Query { __schema { types { name } } }",
        "mutation { __schema { types { name } } }",
        "subscription { __schema { types { name } } }",
        "query A { __typename } query B { __schema { types { name } } }",
        "{ __schema @skip(if: true) { types { name } } }",
        "{\n#\n__schema\n{ types { name } } }",
    ],
)
def test_secure_configuration_the_schema_can_be_kept_to_oneself(serve: Serve, query: str):
    service = limited(serve, introspection=False)
    for answer in (
        service.client.post("/graphql", json={"query": query}).json(),
        service.client.get("/graphql", params={"query": query}).json(),
        service.client.post("/graphql", json={"query": query, "operationName": "A"}).json(),
    ):
        assert answer["errors"][0]["extensions"].get("setting") == "server.limits.introspection" or (
            answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
        )
        assert "data" not in answer


MISSPELT = [
    "{ asse { id } }",
    "{ search(txt: 1) { total } }",
    "{ ...F } fragment F on Asst { id }",
    'query($k: AssetKin) { search(text: "") { total } }',
    '{ search(text: "", kinds: [DATASE]) { total } }',
    "{ lineage(root: 1, walk: {edge: [READ]}) { total } }",
    "{ sources @inclde(if: true) { id } }",
]


@pytest.mark.parametrize("query", MISSPELT)
def test_secure_configuration_without_introspection_nothing_is_suggested(serve: Serve, query: str):
    assert "did you mean" not in json.dumps(limited(serve, introspection=False).post(query)).lower()


@pytest.mark.parametrize(
    ("kind", "variables"), [("[AssetKind!]", {"x": ["DATASE"]}), ("Walk", {"x": {"edge": ["READ"]}})]
)
def test_secure_configuration_nothing_is_suggested_for_variables_either(
    serve: Serve, kind: str, variables: dict[str, Any]
):
    argument = "kinds: $x" if kind != "Walk" else "walk: $x"
    query = f"query($x: {kind}) {{ lineage(root: 1, {argument}) {{ total }} }}"
    answer = limited(serve, introspection=False).post(query, **variables)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert "did you mean" not in json.dumps(answer).lower()
    assert "did you mean" in json.dumps(serve().post(query, **variables)).lower(), "the test can tell the difference"


def test_secure_configuration_the_console_can_be_switched_off(serve: Serve):
    service = serve(server={"console": False})
    for path in ("/", "/console.js", "/console.css"):
        assert service.client.get(path).status_code == 404
    assert service.ask("{ __typename }") == {"__typename": "Query"}


def test_secure_configuration_there_is_no_console_at_the_endpoint(service: Service):
    response = service.client.get("/graphql", headers={"accept": "text/html"})
    assert (response.status_code, response.headers["content-type"]) == (400, "application/json")


INSIDE = re.compile(
    r"Traceback|File \"|\.py\b|SELECT |sqlalchemy|psycopg|sqlite|[a-z]Error\b|0x[0-9a-f]{6}|store\.db|hunter2"
)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("hunter2 in SELECT value FROM info"),
        KeyError("hunter2"),
        RecursionError("hunter2"),
        MemoryError("hunter2"),
        OSError(28, "No space left on device", "/var/lib/watersmeet/store.db"),
        StoreUnavailable("the store sqlite:////var/lib/watersmeet/store.db cannot do this now: disk is full"),
        Misconfigured("hunter2"),
    ],
)
def test_excessive_errors_what_goes_wrong_inside_is_told_by_its_id_only(
    service: Service, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def broken(*_: Any, **__: Any) -> None:
        raise error

    for reader in ("gaps", "heads", "present_id", "search"):
        monkeypatch.setattr(service.store.reader, reader, broken)
    query = '{ gaps { total } asset(id: 1) { id } identity(id: 1) { id } search(text: "") { total } }'
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        response = service.client.post("/graphql", json={"query": query})
    assert response.status_code == 200
    told = response.json()
    number = response.headers["x-request-id"]
    for one in told["errors"]:
        assert one["extensions"] == {"code": one["extensions"]["code"], "requestId": number}
        assert one["extensions"]["code"] in ("INTERNAL", "UNAVAILABLE")
        assert number in one["message"]
        assert not INSIDE.search(json.dumps(one)), one
    [first, *_] = [line for line in lines if line["log_level"] == "error"]
    assert first["request_id"] == number
    assert first["exc_info"] is error


def test_excessive_errors_nothing_of_the_inside_is_in_what_was_merely_asked_wrongly(service: Service):
    for query in ("{", "{ nope }", "{ asset(id: {}) { id } }", "\\", '{ asset(key: "\\u{110000}") { id } }', *MISSPELT):
        assert not INSIDE.search(json.dumps(service.post(query)))


def test_excessive_errors_a_wrong_query_gets_no_more_of_them_than_anybody_reads(service: Service):
    answer = service.post("{" + " ".join(f"nope{number}" for number in range(2000)) + "}")
    assert len(answer["errors"]) <= 101
