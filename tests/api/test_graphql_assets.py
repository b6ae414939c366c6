"""What can be asked about assets, and how much the store is bothered for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Form, Nature, Record, Role, Run, RunState, Spelling

from .conftest import NOON, Service

TABLE = (Spelling(Form.OPENLINEAGE, ("postgres://db:5432", "shop.public.orders")),)


def churn(service: Service) -> None:
    """A model with three versions, one of them a champion, and the run that made it."""
    service.tell(
        Record("model", AssetKind.MODEL, "churn", description="who leaves us"),
        *(Record(f"version/{n}", AssetKind.MODEL_VERSION, f"churn v{n}") for n in (1, 2, 10)),
        edges=[
            *(Edge(f"version/{n}", "model", EdgeKind.VERSION_OF) for n in (1, 2, 10)),
            Edge("version/2", "model", EdgeKind.ALIAS_OF, alias="champion", valid_from=NOON),
            Edge(
                "version/1",
                "model",
                EdgeKind.ALIAS_OF,
                alias="champion",
                valid_from=NOON - timedelta(days=9),
                valid_to=NOON,
            ),
        ],
    )


def id_of(service: Service, name: str) -> str:
    found = service.ask("query($t: String!) { search(text: $t) { edges { node { id name } } } }", t=name)
    return next(edge["node"]["id"] for edge in found["search"]["edges"] if edge["node"]["name"] == name)


def test_an_asset_of_two_sources_is_one_with_both_sayings(service: Service):
    service.tell(
        Record(
            "orders",
            AssetKind.DATASET,
            "orders",
            spellings=TABLE,
            facets={
                "owners": [{"name": "ann", "role": "steward"}],
                "tags": [{"key": "pii"}],
                "x": {"from": "tracking"},
            },
        )
    )
    service.tell(
        Record(
            "t/1",
            AssetKind.DATASET,
            "public.orders",
            description="every order",
            url="http://catalogue/t/1",
            created_at=NOON,
            spellings=TABLE,
            facets={"owners": [{"name": "ann", "role": "steward"}, {"name": "bob"}], "x": 2, "y": [1]},
        ),
        source="cat",
    )
    asset = service.ask(
        """{ asset(id: 1) { id kind name description createdAt platforms facets stub
             owners { name role source } tags { key value source } keys
             records { source platform nativeId url name facets } } }"""
    )["asset"]
    assert asset["id"] == "1"
    assert (asset["name"], asset["description"]) == ("orders", "every order")
    assert asset["createdAt"] == "2026-11-20T12:00:00+00:00"
    assert asset["platforms"] == ["mlflow", "marquez"]
    assert asset["stub"] is False
    assert [record["source"] for record in asset["records"]] == ["tracking", "catalogue"]
    assert asset["records"][1]["url"] == "http://catalogue/t/1"
    assert asset["facets"]["x"] == {"from": "tracking"}
    assert asset["facets"]["y"] == [1]
    assert asset["owners"] == [
        {"name": "ann", "role": "steward", "source": "tracking"},
        {"name": "ann", "role": "steward", "source": "catalogue"},
        {"name": "bob", "role": None, "source": "catalogue"},
    ]
    assert asset["tags"] == [{"key": "pii", "value": None, "source": "tracking"}]
    assert any("orders" in key for key in asset["keys"])


def test_a_former_id_is_answered_with_the_present_asset(service: Service):
    service.tell(Record("a", AssetKind.DATASET, "orders", spellings=TABLE))
    service.tell(Record("b", AssetKind.DATASET, "orders", spellings=TABLE), source="cat")
    assert service.ask("{ asset(id: 2) { id } }") == {"asset": {"id": "1"}}


def test_identity_tells_the_members_and_the_reason(service: Service):
    service.tell(Record("a", AssetKind.DATASET, "orders", spellings=TABLE))
    service.tell(Record("b", AssetKind.DATASET, "orders", spellings=TABLE), source="cat")
    identity = service.ask(
        """{ identity(id: 2) { id members { source nativeId } links { left right rule score evidence }
             decisions { id } } }"""
    )["identity"]
    assert identity["id"] == "1"
    assert identity["members"] == [
        {"source": "tracking", "nativeId": "a"},
        {"source": "catalogue", "nativeId": "b"},
    ]
    [link] = identity["links"]
    assert {link["left"], link["right"]} == {"1", "2"}
    assert identity["decisions"] == []


def test_versions_come_the_newest_first_and_aliases_with_their_history(service: Service):
    churn(service)
    asset = service.ask(
        """{ asset(id: 1) { versions(first: 2) { total edges { node { name } } pageInfo { hasNextPage } }
             aliases { name version validFrom validTo source } } }"""
    )["asset"]
    assert asset["versions"]["total"] == 3
    assert [edge["node"]["name"] for edge in asset["versions"]["edges"]] == ["churn v10", "churn v2"]
    assert asset["versions"]["pageInfo"]["hasNextPage"] is True
    assert [(alias["version"], alias["validTo"]) for alias in asset["aliases"]] == [
        (id_of(service, "churn v2"), None),
        (id_of(service, "churn v1"), "2026-11-20T12:00:00+00:00"),
    ]


def test_as_of_decides_which_alias_held(service: Service):
    churn(service)
    query = "query($t: DateTime) { asset(id: 1, asOf: $t) { aliases { version } } }"
    before = (NOON - timedelta(days=1)).isoformat()
    assert service.ask(query, t=before)["asset"]["aliases"] == [{"version": id_of(service, "churn v1")}]
    assert service.ask(query, t=NOON.isoformat())["asset"]["aliases"] == [{"version": id_of(service, "churn v2")}]


def test_columns_come_as_the_schema_lists_them_and_in_pages(service: Service):
    names = ["zip", "id", "amount"]
    service.tell(
        Record("orders", AssetKind.DATASET, "orders", facets={"schema": [{"name": name} for name in names]}),
        *(Record(f"orders#{name}", AssetKind.COLUMN, name) for name in names),
        edges=[Edge(f"orders#{name}", "orders", EdgeKind.PART_OF) for name in names],
    )
    query = """query($after: String) { asset(id: 1) { columns(first: 2, after: $after) {
        total edges { cursor node { name kind } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""
    page = service.ask(query)["asset"]["columns"]
    assert page["total"] == 3
    assert [edge["node"]["name"] for edge in page["edges"]] == ["zip", "id"]
    assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
    rest = service.ask(query, after=page["pageInfo"]["endCursor"])["asset"]["columns"]
    assert [edge["node"]["name"] for edge in rest["edges"]] == ["amount"]
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)


def test_runs_of_a_job_come_the_newest_first_and_know_their_job(service: Service):
    runs = [
        Record(f"run/{n}", AssetKind.RUN, f"run {n}", run=Run(RunState.FAILED, NOON + timedelta(hours=n), error="boom"))
        for n in (1, 3, 2)
    ]
    service.tell(
        Record("job", AssetKind.JOB, "nightly"),
        *runs,
        edges=[Edge(run.native_id, "job", EdgeKind.RUN_OF) for run in runs],
        nature=Nature.HAPPENED,
    )
    job = service.ask(
        "{ asset(id: 1) { run { state } runs { edges { node { name run { state error startedAt job } } } } } }"
    )
    assert job["asset"]["run"] is None
    found = [edge["node"] for edge in job["asset"]["runs"]["edges"]]
    assert [run["name"] for run in found] == ["run 3", "run 2", "run 1"]
    assert found[0]["run"] == {
        "state": "FAILED",
        "error": "boom",
        "startedAt": "2026-11-20T15:00:00+00:00",
        "job": "1",
    }


def test_an_asset_is_asked_for_by_exactly_one_of_id_and_key(service: Service):
    for arguments in ("", '(id: 1, key: "x")'):
        error = service.refused(f"{{ asset{arguments} {{ id }} }}")
        assert error["code"] == "BAD_INPUT"


def test_an_asset_that_is_not_there_is_null_and_no_error(service: Service):
    assert service.ask('{ a: asset(id: 99) { id } b: asset(key: "no such thing") { id } }') == {"a": None, "b": None}


@pytest.mark.parametrize(
    "field", ["identity(id: 99) { id }", "lineage(root: 99) { total }", "impact(root: 99) { total }"]
)
def test_whatever_else_is_not_there_is_null_with_an_error(service: Service, field: str):
    answer = service.post(f"{{ it: {field} }}")
    assert answer["data"] == {"it": None}
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("given", ["x", "1.5", "-1", "99999999999999999999999", "\u0661"])
def test_an_id_that_is_no_number_is_bad_input(service: Service, given: str):
    assert service.refused("query($id: ID!) { identity(id: $id) { id } }", id=given)["code"] == "BAD_INPUT"


def test_a_name_that_two_things_bear_is_ambiguous_and_lists_them(service: Service):
    service.tell(Record("thing", AssetKind.DATASET, "one"))
    service.tell(Record("thing", AssetKind.JOB, "two"), source="cat")
    error = service.refused('{ asset(key: "thing") { id } }')
    assert error["code"] == "AMBIGUOUS"
    assert {(one["source"], one["nativeId"]) for one in error["candidates"]} == {
        ("tracking", "thing"),
        ("cat", "thing"),
    }
    assert service.ask('{ asset(key: "thing", source: "cat") { name } }') == {"asset": {"name": "two"}}


@pytest.mark.parametrize("given", ["2026-11-20T12:00:00", "2026-11-20", "yesterday", ""])
def test_a_time_without_a_zone_is_bad_input(service: Service, given: str):
    error = service.refused("query($t: DateTime) { asset(id: 1, asOf: $t) { id } }", t=given)
    assert error["code"] == "BAD_INPUT"
    error = service.refused(f'{{ asset(id: 1, asOf: "{given}") {{ id }} }}')
    assert error["code"] == "BAD_INPUT"


@pytest.mark.parametrize("given", ["2026-11-20T12:00:00Z", "2026-11-20T13:00:00.123456+01:00"])
def test_a_time_with_a_zone_is_taken(service: Service, given: str):
    assert service.ask("query($t: DateTime) { asset(id: 1, asOf: $t) { id } }", t=given) == {"asset": None}


def test_search_filters_and_pages(service: Service):
    service.tell(
        *(Record(f"d/{n}", AssetKind.DATASET, f"orders {n}", facets={"tags": [{"key": "gold"}]}) for n in range(5)),
        Record("j", AssetKind.JOB, "orders job"),
    )
    service.tell(Record("x", AssetKind.DATASET, "orders x"), source="cat")
    query = """query($a: String, $k: [AssetKind!], $s: [String!], $t: [String!]) {
        search(text: "orders", first: 4, after: $a, kinds: $k, sources: $s, tags: $t) {
            total edges { node { name } } pageInfo { hasNextPage endCursor } } }"""
    seen: list[str] = []
    after = None
    while True:
        page = service.ask(query, a=after)["search"]
        seen += [edge["node"]["name"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert sorted(seen) == [*(f"orders {n}" for n in range(5)), "orders job", "orders x"]
    assert page["total"] == 7
    assert service.ask(query, k=["JOB"])["search"]["total"] == 1
    assert service.ask(query, s=["catalogue"])["search"]["total"] == 1
    assert service.ask(query, t=["gold"])["search"]["total"] == 5


def test_an_empty_page_still_tells_the_total(service: Service):
    churn(service)
    page = service.ask('{ search(text: "churn", first: 0) { total edges { cursor } pageInfo { hasNextPage } } }')[
        "search"
    ]
    assert page == {"total": 4, "edges": [], "pageInfo": {"hasNextPage": True}}


def test_a_cursor_of_another_question_or_by_another_hand_is_bad_input(service: Service):
    churn(service)
    page = service.ask('{ search(text: "churn", first: 1) { pageInfo { endCursor } } }')["search"]
    query = "query($t: String!, $a: String) { search(text: $t, after: $a) { total } }"
    cursor = page["pageInfo"]["endCursor"]
    service.ask(query, t="churn", a=cursor)
    for text, after in (("other", cursor), ("churn", cursor[:-1] + "A"), ("churn", "AAAA"), ("churn", "ünsinn")):
        assert service.refused(query, t=text, a=after)["code"] == "BAD_INPUT"


def test_a_page_of_assets_costs_the_store_the_same_however_many_they_are(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    service.tell(
        *(Record(f"d/{n}", AssetKind.DATASET, f"orders {n}", facets={"owners": [{"name": "ann"}]}) for n in range(40)),
    )
    calls: list[str] = []
    for name in ("assets", "heads", "keys", "edges_of", "assets_of", "search", "runs_of", "parts_of", "jobs_of"):
        real = getattr(service.store.reader, name)

        def counted(*args: Any, name: str = name, real: Any = real, **kwargs: Any) -> Any:
            calls.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(service.store.reader, name, counted)
    service.ask(
        """{ search(text: "orders", first: 40) { edges { node { name description owners { name } tags { key } keys
             records { nativeId } aliases { name } versions(first: 1) { total } runs(first: 1) { total } } } } }"""
    )
    assert len(calls) <= 9, calls


def test_a_job_of_many_runs_is_read_by_the_page(service: Service, monkeypatch: pytest.MonkeyPatch):
    runs = [
        Record(f"run/{n}", AssetKind.RUN, f"run {n}", run=Run(RunState.SUCCEEDED, NOON + timedelta(minutes=n // 2)))
        for n in range(300)
    ]
    edges = [Edge(run.native_id, "job", EdgeKind.RUN_OF) for run in runs]
    service.tell(Record("job", AssetKind.JOB, "nightly"), *runs, edges=edges, nature=Nature.HAPPENED)
    read: list[int] = []
    for name in ("assets", "heads"):
        real = getattr(service.store.reader, name)

        def counted(ids: Any, real: Any = real) -> Any:
            read.extend(ids)
            return real(ids)

        monkeypatch.setattr(service.store.reader, name, counted)
    query = """query($a: String) { asset(key: "job") { runs(first: 7, after: $a) {
        total edges { node { name } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""
    page = service.ask(query)["asset"]["runs"]
    assert (page["total"], page["pageInfo"]["hasNextPage"]) == (300, True)
    assert len(read) <= 9
    names = [edge["node"]["name"] for edge in page["edges"]]
    late = [Record("late", AssetKind.RUN, "late", run=Run(RunState.RUNNING, NOON + timedelta(days=1)))]
    late_edge = [Edge("late", "job", EdgeKind.RUN_OF)]
    service.tell(*late, edges=late_edge, nature=Nature.HAPPENED, scope="late", at=NOON + timedelta(days=1))
    while page["pageInfo"]["hasNextPage"]:  # a run that comes meanwhile pushes none into the next page
        page = service.ask(query, a=page["pageInfo"]["endCursor"])["asset"]["runs"]
        assert (page["total"], page["pageInfo"]["hasPreviousPage"]) == (301, True)
        names += [edge["node"]["name"] for edge in page["edges"]]
    assert names == [f"run {n}" for n in reversed(range(300))]


def test_a_page_of_versions_goes_on_behind_the_last_one_shown(service: Service):
    churn(service)
    query = """query($a: String) { asset(id: 1) { versions(first: 1, after: $a) { edges { node { name } }
        pageInfo { endCursor } } } }"""
    page = service.ask(query)["asset"]["versions"]
    assert page["edges"][0]["node"]["name"] == "churn v10"
    service.tell(
        Record("version/11", AssetKind.MODEL_VERSION, "churn v11"),
        edges=[Edge("version/11", "model", EdgeKind.VERSION_OF)],
        scope="thing/2",
    )
    rest = service.ask(query, a=page["pageInfo"]["endCursor"])["asset"]["versions"]
    assert rest["edges"][0]["node"]["name"] == "churn v2"


def test_a_list_without_the_one_that_the_last_page_ended_with_has_expired(service: Service):
    churn(service)
    query = """query($a: String) { asset(id: 1) { versions(first: 1, after: $a) { edges { node { name } }
        pageInfo { endCursor } } } }"""
    page = service.ask(query)["asset"]["versions"]
    service.tell(
        Record("model", AssetKind.MODEL, "churn"),
        *(Record(f"version/{n}", AssetKind.MODEL_VERSION, f"churn v{n}") for n in (1, 2)),
        edges=[Edge(f"version/{n}", "model", EdgeKind.VERSION_OF) for n in (1, 2)],
        at=NOON + timedelta(hours=1),
    )
    assert service.refused(query, a=page["pageInfo"]["endCursor"])["code"] == "CURSOR_EXPIRED"


def test_lineage_is_told_with_its_completeness(service: Service):
    service.tell(
        Record("in", AssetKind.DATASET, "orders"),
        Record("job", AssetKind.JOB, "train"),
        Record("out", AssetKind.MODEL, "churn"),
        edges=[Edge("in", "job", EdgeKind.READ, Role.TRAINING), Edge("job", "out", EdgeKind.WRITE)],
    )
    answer = service.ask(
        """{ lineage(root: 3, direction: UPSTREAM, depth: 5) { root { name } total totalEdges truncated
             nodes { id kind name depth platforms restricted columnExact run { state } }
             edges { upstream downstream kind role evidence confidence sources via runs validFrom lastSeenAt }
             pageInfo { hasNextPage }
             completeness { exact hidden undated stale { source reason remedy } failures { what } }
             compact } }"""
    )["lineage"]
    assert answer["root"] == {"name": "churn"}
    assert [(node["name"], node["depth"]) for node in answer["nodes"]] == [("churn", 0), ("train", 1), ("orders", 2)]
    assert {(e["upstream"], e["downstream"], e["kind"], e["role"]) for e in answer["edges"]} == {
        ("1", "2", "READ", "TRAINING"),
        ("2", "3", "WRITE", None),
    }
    assert answer["total"] == 3
    assert answer["totalEdges"] == 2
    assert answer["completeness"]["exact"] is False  # nothing was ever completely read
    assert set(answer["compact"]) == {"nodes", "edges", "legend"}
    assert len(answer["compact"]["nodes"]["id"]) == 3


def test_upstream_and_downstream_of_an_asset_are_the_same_walks(service: Service):
    service.tell(
        Record("in", AssetKind.DATASET, "orders"),
        Record("out", AssetKind.DATASET, "report"),
        edges=[Edge("in", "out", EdgeKind.DERIVE)],
    )
    answer = service.ask("{ asset(id: 1) { upstream { total } downstream { total nodes { name } } } }")["asset"]
    assert answer["upstream"]["total"] == 1
    assert [node["name"] for node in answer["downstream"]["nodes"]] == ["orders", "report"]


def test_impact_counts_by_kind_and_depth_and_paths_lead_there(service: Service):
    service.tell(
        Record("in", AssetKind.DATASET, "orders"),
        Record("mid", AssetKind.DATASET, "daily"),
        Record("out", AssetKind.DASHBOARD, "report"),
        edges=[Edge("in", "mid", EdgeKind.DERIVE), Edge("mid", "out", EdgeKind.DERIVE)],
    )
    impact = service.ask("{ impact(root: 1) { root { name } total counts { kind depth count } nodes { name } } }")[
        "impact"
    ]
    assert impact["total"] == 2
    assert {(c["kind"], c["depth"], c["count"]) for c in impact["counts"]} == {("DATASET", 1, 1), ("DASHBOARD", 2, 1)}
    paths = service.ask("{ paths(from: 1, to: 3) { total truncated paths { nodes { name } edges { kind } } } }")[
        "paths"
    ]
    assert paths["total"] == 1
    assert [node["name"] for node in paths["paths"][0]["nodes"]] == ["orders", "daily", "report"]


def test_a_cursor_of_a_walk_pages_through_one_state(service: Service):
    service.tell(
        Record("in", AssetKind.DATASET, "orders"),
        *(Record(f"o/{n}", AssetKind.DATASET, f"out {n}") for n in range(5)),
        edges=[Edge("in", f"o/{n}", EdgeKind.DERIVE) for n in range(5)],
    )
    query = """query($a: String) { lineage(root: 1, direction: DOWNSTREAM, first: 2, after: $a) {
        total nodes { id } edges { downstream } pageInfo { hasNextPage endCursor } } }"""
    seen: list[str] = []
    after = None
    for _ in range(3):
        page = service.ask(query, a=after)["lineage"]
        assert page["total"] == 6
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert len(seen) == len(set(seen)) == 6
    assert service.refused(query, a="nonsense")["code"] in ("BAD_INPUT", "CURSOR_EXPIRED")


def test_facets_with_numbers_and_text_that_json_libraries_dislike_come_back(service: Service):
    facets = {"big": 2**70, "text": "a\u2028b\ud83d\ude00", "deep": {"list": [1, None, True, 1.5]}}
    service.tell(Record("d", AssetKind.DATASET, "odd", facets=facets))
    told = service.ask("{ asset(id: 1) { facets } }")["asset"]["facets"]
    assert told["deep"] == facets["deep"]
    assert int(told["big"]) == 2**70


def test_times_leave_with_their_zone(service: Service):
    churn(service)
    recorded = service.ask("{ asset(id: 1) { records { recordedAt } } }")["asset"]["records"][0]["recordedAt"]
    assert datetime.fromisoformat(recorded).utcoffset() == timedelta(0)
    assert datetime.fromisoformat(recorded) <= datetime.now(UTC)
