"""Which runs and versions are read, and what they become."""

import base64
import hashlib
import json
from collections.abc import Iterable
from typing import Any

import httpx2
import pytest

from watersmeet.config.errors import Misconfigured
from watersmeet.federation.connector import Batch
from watersmeet.federation.errors import SourceChanged, SourceUnavailable
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Form, Record, Role, RunState, Skipped

from .telling import Platform, page, projects, run

STORE = "https://storage.googleapis.com/bucket/manifest.json"


def records(batches: Iterable[Batch]) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for one in (one for batch in batches for scope in batch.scopes for one in scope.records):
        if one.described or one.native_id not in found:
            found[one.native_id] = one
    return found


def edges(batches: Iterable[Batch], kind: EdgeKind) -> list[Edge]:
    return [one for batch in batches for scope in batch.scopes for one in scope.edges if one.kind is kind]


def skipped(batches: Iterable[Batch]) -> list[Skipped]:
    return [one for batch in batches for one in batch.skipped]


def runs(batches: Iterable[Batch]) -> list[str]:
    return [one for one in records(batches) if one.startswith("run/")]


def used(*ids: str, type_: str = "dataset", role: str = "", more: bool = False) -> dict[str, Any]:
    rows = [{"usedAs": [role] if role else [], "node": artifact(one, type_)} for one in ids]
    return {"totalCount": len(ids), "edges": rows, "pageInfo": {"hasNextPage": more, "endCursor": "next"}}


def artifact(id_: str, type_: str = "dataset", **more: Any) -> dict[str, Any]:
    project = {"id": "Pfraud", "name": "fraud", "entityName": "acme"}
    return {
        "id": id_,
        "versionIndex": 0,
        "state": "COMMITTED",
        "digest": "d" * 32,
        "artifactType": {"name": type_},
        "artifactSequence": {"id": f"C{type_}", "name": type_, "project": project},
        "createdAt": "2026-08-01T00:30:00Z",
    } | more


def collection(*versions: dict[str, Any], type_: str = "dataset", **more: Any) -> dict[str, Any]:
    names = [{"node": {"alias": "latest", "artifact": {"id": versions[-1]["id"]}}}] if versions else []
    return {
        "__typename": "ArtifactSequence",
        "id": f"C{type_}",
        "name": type_,
        "defaultArtifactType": {"name": type_},
        "aliases": {"edges": names, "pageInfo": {"hasNextPage": False}},
        "artifacts": listing(*versions),
    } | more


def listing(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"edges": [{"node": one} for one in nodes], "pageInfo": {"hasNextPage": False}}


def shelf(*versions: dict[str, Any], contents: dict[str, Any] | None = None, **answers: Any) -> Platform:
    """A project with one collection of these versions, each with a manifest of these contents."""
    members = [{"id": f"M{one['id']}", "artifact": one} for one in versions]
    manifest = {"id": "m", "file": {"directUrl": STORE}}
    told = {
        "ProjectPage": page([], artifactCollections=listing(collection(*versions))),
        "Memberships": {"artifactCollection": {"id": "C", "artifactMemberships": listing(*members)}},
        "Manifest": {"artifact": {"id": "A", "currentManifest": manifest if contents is not None else None}},
        STORE: httpx2.Response(200, json={"version": 1, "contents": contents or {}}),
    }
    return Platform(**(told | answers))


def test_a_run_becomes_what_it_was_with_what_it_used_and_logged():
    told = list(
        Platform(
            ProjectPage=page(
                [
                    run(
                        "a",
                        displayName="brisk-sun-1",
                        jobType="train",
                        tags=["best"],
                        user={"username": "ana"},
                        commit="a" * 40,
                        config=json.dumps(
                            {"lr": {"value": 0.1}, "_wandb": {"value": {}}, "api_key": {"value": "s3cret"}}
                        ),
                        summaryMetrics=json.dumps({"auc": 0.9, "loss": {"min": 1}, "_wandb": {"runtime": 1}}),
                        runInfo={"program": "train.py", "git": {"remote": "git@github.com:acme/fraud.git"}},
                        sweep={"id": "S1"},
                        inputArtifacts=used("A1", role="training"),
                        outputArtifacts=used("A2", type_="model"),
                    )
                ]
            )
        )
        .connector()
        .read(None)
    )
    one = records(told)["run/Ra"]
    assert (one.kind, one.name, one.subtype) == (AssetKind.RUN, "brisk-sun-1", "train")
    assert one.facets["metrics"] == {"auc": 0.9, "loss.min": 1}
    assert one.facets["parameters"]["lr"] == "0.1"
    assert "s3cret" not in str(one)
    assert one.facets["owners"] == [{"name": "ana"}]
    assert one.facets["tags"] == [{"key": "best"}]
    assert one.run is not None
    assert one.run.state is RunState.SUCCEEDED
    assert one.run.ended_at is not None
    assert one.run.ended_at.hour == 1
    assert "heartbeat" in one.facets["wandb"]["ended_at_is"]
    assert one.url == "https://forge.coreweave.com/wandb/acme/fraud/runs/a"
    git = f"git/git@github.com:acme/fraud.git@{'a' * 40}"
    assert [(one.upstream, one.role) for one in edges(told, EdgeKind.READ)] == [
        ("version/A1", Role.TRAINING),
        (git, Role.CODE),
    ]
    assert [one.downstream for one in edges(told, EdgeKind.WRITE)] == ["version/A2"]
    assert {one.downstream for one in edges(told, EdgeKind.PART_OF)} == {"project/Pfraud", "sweep/S1"}
    assert [one.downstream for one in edges(told, EdgeKind.RUN_OF)] == ["job/Pfraud/train|train.py"]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("pending", RunState.QUEUED),
        ("running", RunState.RUNNING),
        ("preempting", RunState.RUNNING),
        ("failed", RunState.FAILED),
        ("crashed", RunState.FAILED),
        ("killed", RunState.ABORTED),
        ("preempted", RunState.ABORTED),
        ("new word", RunState.UNKNOWN),
    ],
)
def test_the_word_for_a_state_is_kept_beside_ours(said: str, state: RunState):
    one = records(Platform(ProjectPage=page([run("a", state=said)])).connector().read(None))["run/Ra"]
    assert one.run is not None
    assert one.run.state is state
    assert one.facets["wandb"]["state"] == said
    is_open = state in (RunState.QUEUED, RunState.RUNNING)
    assert (one.run.ended_at is None) is is_open
    assert ("stale" in one.facets["wandb"]) is is_open


def test_what_a_run_was_judged_on_made_nothing_of_the_model_that_it_wrote():
    one = run("a", inputArtifacts=used("A1", role="eval"), outputArtifacts=used("A2", type_="model"))
    told = list(Platform(ProjectPage=page([one])).connector().read(None))
    assert edges(told, EdgeKind.READ)[0].role is Role.EVALUATION
    assert edges(told, EdgeKind.READ)[0].flow != edges(told, EdgeKind.WRITE)[0].flow


def test_artifacts_that_the_client_makes_by_itself_are_left_out_unless_asked_for():
    one = run("a", outputArtifacts=used("H", type_="wandb-history"))
    assert not edges(Platform(ProjectPage=page([one])).connector().read(None), EdgeKind.WRITE)
    asked = Platform(ProjectPage=page([one])).connector(options={"generated": True})
    assert edges(asked.read(None), EdgeKind.WRITE)


def test_a_run_that_another_tracker_knows_says_so_as_a_hint():
    config = json.dumps({"mlflow_run_id": {"value": "f" * 32}})
    told = Platform(ProjectPage=page([run("a", config=config, tags=["mlflow.run_id:0a"])])).connector().read(None)
    hints = [one for one in records(told)["run/Ra"].spellings if one.form is Form.MLFLOW]
    assert [(one.parts[3], one.weak) for one in hints] == [("f" * 32, True), ("0a", True)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"config": "{not json"}, "cannot be read"),
        ({"config": "[1]"}, "no object"),
        ({"summaryMetrics": json.dumps({"x": 1, "blob": "y" * 5_000_000})}, "characters"),
    ],
)
def test_a_run_whose_config_is_broken_is_kept_and_so_are_its_neighbours(broken: dict[str, Any], reason: str):
    """Wandb, check 8: malformed JSON and a summary of 5 MB."""
    told = list(Platform(ProjectPage=page([run("a"), run("b", **broken), run("c")])).connector().read(None))
    assert runs(told) == ["run/Ra", "run/Rb", "run/Rc"]
    (one,) = skipped(told)
    assert reason in one.reason
    assert not one.lost
    if "config" in broken:
        assert records(told)["run/Rb"].facets["wandb"]["config_text"] == broken["config"]


def test_numbers_that_are_none_are_no_reason_to_drop_the_others():
    """Wandb, check 8: NaN."""
    told = list(Platform(ProjectPage=page([run("a", summaryMetrics='{"loss": NaN, "auc": 1}')])).connector().read(None))
    assert records(told)["run/Ra"].facets["metrics"] == {"auc": 1}
    assert not skipped(told)


def pages(*told: dict[str, Any]) -> Any:
    """One page after another, whatever is asked for."""
    rest = list(told)
    return lambda _: rest.pop(0) if len(rest) > 1 else rest[0]


def test_an_empty_page_is_not_the_end_while_there_are_more():
    """Wandb, check 3: the vendor's client ends there."""
    told = pages(page([run("a")], count=2, after="1"), page([], count=2, after="2"), page([run("b")], count=2))
    assert runs(Platform(ProjectPage=told).connector().read(None)) == ["run/Ra", "run/Rb"]


@pytest.mark.parametrize("after", ["1", ""])
def test_a_cursor_that_does_not_move_is_an_error(after: str):
    lost = page([run("b")], count=9, after="x")
    lost["project"]["runs"]["pageInfo"]["endCursor"] = after or None
    told = list(Platform(ProjectPage=pages(page([run("a")], count=9, after="1"), lost)).connector().read(None))
    assert "does not say where" in "".join(one for batch in told for one in batch.failures)
    assert "run:Pfraud" not in told[-1].listed


def test_a_run_that_slipped_between_pages_is_found_by_the_count():
    """Wandb, check 7: pages are offsets, so a run removed meanwhile hides another one."""
    first = [page([run("a"), run("b")], count=4, after="1"), page([run("d")], count=3)]
    again = [page([run("b"), run("c")], count=3, after="1"), page([run("d")], count=3)]
    platform = Platform(ProjectPage=pages(first[0], page([run("d")], count=4), *again))
    told = list(platform.connector().read(None))
    assert sorted(runs(told)) == ["run/Ra", "run/Rb", "run/Rc", "run/Rd"]
    scopes = [scope.key for batch in told for scope in batch.scopes if scope.family == "run:Pfraud"]
    assert len(scopes) == len(set(scopes)) == 4


def test_runs_that_are_counted_and_not_shown_are_told():
    platform = Platform(ProjectPage=page([run("a")], count=3))
    told = list(platform.connector().read(None))
    assert "1 of 3 runs are shown" in "".join(one for batch in told for one in batch.failures)
    assert platform.times("ProjectPage") == 3


def test_a_killed_read_goes_on_behind_the_page_that_was_stored():
    """Wandb, check 6."""

    def answer(variables: dict[str, Any]) -> dict[str, Any]:
        match variables["after"]:
            case None:
                return page([run("a")], count=3, after="1")
            case "1":
                return page([run("b")], count=3, after="2")
            case _:
                return page([run("c")], count=3)

    stored: list[Batch] = []
    for batch in Platform(ProjectPage=answer).connector().read(None):
        stored.append(batch)
        if runs([batch]) == ["run/Rb"]:
            break
    platform = Platform(ProjectPage=answer)
    rest = list(platform.connector().read(stored[-1].resume))
    assert runs(rest) == ["run/Rc"]
    assert sorted(runs([*stored, *rest])) == ["run/Ra", "run/Rb", "run/Rc"]
    assert platform.times("ProjectPage") == 1
    assert "run:Pfraud" not in rest[-1].listed


def test_a_second_read_asks_for_what_is_new_with_times_that_have_a_zone():
    """Wandb, check 12: an idle cycle costs a request for each project and three more, and times end in Z."""
    platform = Platform(Projects=projects("a", "b"), ProjectPage=page([run("x")]))
    connector = platform.connector()
    since = list(connector.read(None))[-1].resume
    since = list(connector.read(since))[-1].resume  # tries once whether edits can be asked for
    platform.asked.clear()
    told = list(connector.read(since))
    assert len(platform.asked) <= 2 + 3
    filters = json.loads(platform.asked[-1][1]["filters"])
    assert filters["$or"] == [
        {"heartbeatAt": {"$gt": "2026-08-01T00:50:00Z"}},
        {"createdAt": {"$gt": "2026-08-01T00:50:00Z"}},
        {"state": "running"},
        {"updatedAt": {"$gt": "2026-08-01T00:50:00Z"}},
    ]
    assert told[-1].listed == ("project",)


def test_a_server_that_cannot_be_asked_for_edits_is_not():
    refusal = httpx2.Response(400, json={"errors": [{"message": "invalid filter key: updatedAt"}]})
    platform = Platform(ProjectPage=page([run("x")]), UpdatedFilter=refusal)
    connector = platform.connector()
    since = list(connector.read(None))[-1].resume
    list(connector.read(since))
    assert "updatedAt" not in platform.asked[-1][1]["filters"]


def test_a_run_with_more_inputs_than_a_page_is_read_to_the_last():
    """Wandb, check 11."""
    rest = {"project": {"id": "P", "run": {"id": "Ra", "inputArtifacts": used("A2", "A3")}}}
    one = run("a", inputArtifacts=used("A1", more=True))
    told = Platform(ProjectPage=page([one]), RunInputs=rest).connector().read(None)
    assert [one.upstream for one in edges(told, EdgeKind.READ)] == ["version/A1", "version/A2", "version/A3"]


def test_an_alias_that_moves_is_a_newer_statement_of_the_same_scope():
    told = list(shelf(artifact("A1"), artifact("A2")).connector().read(None))
    assert [(one.upstream, one.downstream, one.alias) for one in edges(told, EdgeKind.ALIAS_OF)] == [
        ("version/A2", "collection/Cdataset", "latest")
    ]
    assert "alias:Pfraud" in told[-1].listed


def test_a_manifest_leads_to_the_files_and_versions_behind_a_version():
    """Wandb, check 2: an s3 reference with its version, an entry of another version, one without a hash."""
    other = base64.b64encode(b"Artifact:9").decode()
    contents = {
        "a.parquet": {"digest": "e1", "ref": "s3a://lake/raw/a.parquet", "size": 7, "extra": {"versionID": "V1"}},
        "b.json": {"digest": "q", "ref": f"wandb-artifact://{b'Artifact:9'.hex()}/b.json"},
        "c.csv": {"digest": "https://x.test/c.csv", "ref": "https://x.test/c.csv"},
        "d.txt": {"digest": "dd", "birthArtifactID": "A1"},
        "e.txt": {"digest": "ee", "ref": "wandb-client-artifact://abc/e.txt"},
    }
    recipe = "".join(f"{path}:{one['digest']}\n" for path, one in sorted(contents.items()))
    digest = hashlib.md5(b"wandb-artifact-manifest-v1\n" + recipe.encode()).hexdigest()
    platform = shelf(artifact("A1", digest=digest), contents=contents)
    told = list(platform.connector().read(None))
    assert {(one.upstream, one.downstream) for one in edges(told, EdgeKind.DERIVE)} == {
        ("file/s3://lake/raw/a.parquet", "version/A1"),
        ("file/https://x.test/c.csv", "version/A1"),
        (f"version/{other}", "version/A1"),
    }
    facet = next(
        one.facets["manifest"]
        for batch in told
        for scope in batch.scopes
        for one in scope.records
        if "manifest" in one.facets
    )
    assert facet["digest_agrees"] is True
    assert facet["without_hash"] == 1
    assert [(one["has_hash"], one.get("versionID")) for one in facet["files"]] == [(True, "V1"), (False, None)]
    assert "unresolved" in skipped(told)[0].reason
    assert "authorization" not in platform.headers[-2]
    assert records(told)["file/s3://lake/raw/a.parquet"].kind is AssetKind.DATASET


def test_a_manifest_of_many_files_is_collapsed_into_folders():
    """Wandb, check 2: 50,000 entries."""
    contents = {
        f"{n:05}": {"digest": "d", "ref": f"s3://lake/day={n % 40}/{n}.parquet", "size": 2} for n in range(50_000)
    }
    told = list(shelf(artifact("A1"), contents=contents).connector().read(None))
    found = [one for one in records(told).values() if one.native_id.startswith("file/")]
    assert len(found) == 40
    assert {one.subtype for one in found} == {"folder"}
    assert sum(one.facets["wandb"]["files"] for one in found) == 50_000


@pytest.mark.parametrize(
    "file",
    [
        httpx2.Response(403, text="<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"),
        httpx2.Response(200, json={"nothing": 1}),
        httpx2.Response(200, text='{"contents": {"a": {"digest": "x"}, "b": '),
    ],
)
def test_a_manifest_that_cannot_be_had_costs_nothing_else(file: httpx2.Response):
    """Wandb, check 10: a manifest behind an address that is over."""
    platform = shelf(artifact("A1"), contents={}, **{STORE: file})
    told = list(platform.connector().read(None))
    assert records(told)["version/A1"].name == "dataset:v0"
    assert not skipped(told)[0].lost
    assert platform.times("Manifest") == 2
    assert told[-1].complete


def test_a_manifest_on_a_host_that_is_not_listed_is_not_fetched():
    elsewhere = {"artifact": {"id": "A", "currentManifest": {"file": {"directUrl": "https://elsewhere.test/m"}}}}
    told = list(shelf(artifact("A1"), contents={}, Manifest=elsewhere).connector().read(None))
    assert "elsewhere.test is not asked" in skipped(told)[0].reason


def test_a_version_that_is_pending_is_asked_for_again():
    connector = shelf(artifact("A1", state="PENDING"), contents={}).connector()
    since = list(connector.read(None))[-1].resume
    assert since is not None
    assert since["projects"]["Pfraud"]["pending"] == ("A1",)
    done = shelf(artifact("A1"), contents={"a": {"digest": "d", "ref": "s3://lake/a"}})
    assert edges(done.connector().read(since), EdgeKind.DERIVE)


def test_a_version_that_was_deleted_leaves_a_tombstone_and_its_edges():
    """Wandb, check 10: runs show it no more, it itself still tells who wrote and used it."""
    by = {"__typename": "Run", "id": "Ra", "createdAt": "2026-08-01T00:00:00Z"}
    many = {"artifact": {"id": "A1", "createdBy": by, "usedBy": listing({"id": "Rb"}, {"id": "Rc"})}}
    told = list(shelf(artifact("A1", state="DELETED"), contents=None, UsedBy=many).connector().read(None))
    assert [one.native_id for batch in told for one in batch.tombstones] == ["version/A1"]
    assert [one.upstream for one in edges(told, EdgeKind.WRITE)] == ["run/Ra"]
    assert [one.downstream for one in edges(told, EdgeKind.READ)] == ["run/Rb", "run/Rc"]


def test_a_registry_links_the_same_version_under_a_further_name():
    entry = collection(artifact("A1", "model"), type_="model", __typename="ArtifactPortfolio", id="Q", name="detector")
    members = listing({"id": "M", "versionIndex": 3, "artifact": artifact("A1", "model")})
    registry = projects("wandb-registry-model")
    told = list(
        Platform(
            Projects=registry,
            ProjectPage=page([], artifactCollections=listing(entry)),
            Memberships={"artifactCollection": {"id": "Q", "artifactMemberships": members}},
            Manifest={"artifact": {"id": "A1", "currentManifest": None}},
        )
        .connector()
        .read(None)
    )
    found = records(told)
    assert found["project/Pwandb-registry-model"].subtype == "registry"
    assert found["collection/Q"].subtype == "registered"
    assert [one for one in found if one.startswith("version/")] == ["version/A1"]
    assert {(one.downstream, one.alias) for one in edges(told, EdgeKind.ALIAS_OF)} == {
        ("collection/Q", "latest"),
        ("collection/Q", "v3"),
    }
    assert {one.downstream for one in edges(told, EdgeKind.VERSION_OF)} == {"collection/Q", "collection/Cmodel"}


def test_what_a_queue_or_an_automation_carries_is_never_asked_for():
    """Wandb, check 15: neither run specs nor payloads stand in any question."""
    told = {
        "project": {
            "id": "P",
            "allViews": listing({"id": "V", "displayName": "Weekly"}),
            "runQueues": [{"id": "Q", "name": "gpu", "runQueueItems": listing({"id": "I", "state": "FINISHED"})}],
            "triggers": [{"id": "T", "name": "promote", "triggeredAction": {"__typename": "NoOpTriggeredAction"}}],
        }
    }
    platform = Platform(Besides=told)
    found = records(platform.connector().read(None))
    assert [found[one].subtype for one in ("report/V", "queue/Q", "automation/T")] == ["report", "queue", "automation"]
    asked = "".join(variables["query"] for _, variables in platform.asked)
    assert not any(word in asked for word in ("runSpec", "requestPayload", "apiKeys", "template"))


@pytest.mark.parametrize(
    ("native_id", "name", "answer", "gone"),
    [
        ("version/A", "Artifact", {"artifact": None}, True),
        ("version/A", "Artifact", {"artifact": {"id": "A", "state": "DELETED"}}, True),
        ("version/A", "Artifact", {"artifact": {"id": "A", "state": "COMMITTED"}}, False),
        ("collection/C", "Collection", {"artifactCollection": None}, True),
        ("run/UnVuOnYxOmE6ZnJhdWQ6YWNtZQ==", "Run", {"project": {"id": "P", "run": None}}, True),
        ("run/UnVuOnYxOmE6ZnJhdWQ6YWNtZQ==", "Run", {"project": None}, False),
        ("run/opaque", "Run", {"project": {"id": "P", "run": None}}, False),
        ("job/x", "Run", {}, False),
    ],
)
def test_gone_is_what_the_platform_itself_has_no_more(native_id: str, name: str, answer: dict[str, Any], gone: bool):
    assert list(Platform(**{name: answer}).connector().gone([native_id])) == ([native_id] if gone else [])


def test_what_is_refused_is_not_gone():
    refusal = {"errors": [{"message": "permission denied"}], "data": None}
    connector = Platform(Artifact=refusal).connector()
    assert list(connector.gone(["version/A"])) == []
    assert connector.refused == ("version/A",)


def test_projects_are_chosen_by_name_or_by_path():
    platform = Platform(Projects=projects("fraud", "churn", "tmp"))
    told = records(platform.connector(include=["acme/*"], exclude=["tmp"]).read(None))
    assert {one for one in told if one.startswith("project/")} == {"project/Pfraud", "project/Pchurn"}
    connector = platform.connector(exclude=["acme/fraud"])
    assert list(connector.left_out(told.values())) == ["project/Pfraud"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pages": 1}, "known are"),
        ({"page_size": "x"}, "must be a int"),
        ({"page_size": 0}, "between 1 and 1000"),
        ({"max_references": 0}, "at least 1"),
    ],
)
def test_an_option_that_cannot_be_is_told(options: dict[str, Any], said: str):
    with pytest.raises(Misconfigured, match=said):
        Platform().connector(options=options)


def test_a_listing_that_leads_back_is_an_error():
    loop = {"artifactCollection": {"id": "C", "artifactMemberships": {"edges": [], "pageInfo": {"hasNextPage": True}}}}
    told = list(shelf(artifact("A1"), contents={}, Memberships=loop).connector().read(None))
    assert SourceChanged.__name__ not in str(told)
    assert "does not say where" in "".join(one for batch in told for one in batch.failures)


MORE = {"hasNextPage": True, "endCursor": "1"}


def test_sweeps_are_read_to_the_last_as_experiments_of_their_project():
    first = listing({"id": "S1", "name": "s1"}) | {"pageInfo": MORE}
    rest = {"project": {"id": "P", "sweeps": listing({"id": "S2", "name": "s2", "displayName": "grid"})}}
    found = records(Platform(ProjectPage=page([], sweeps=first), Sweeps=rest).connector().read(None))
    assert (found["sweep/S1"].name, found["sweep/S1"].subtype) == ("s1", "sweep")
    assert found["sweep/S2"].name == "grid"


def test_collections_and_aliases_are_read_to_the_last():
    names = {"edges": [], "pageInfo": MORE}
    first = listing(collection(id="C1", aliases=names)) | {"pageInfo": MORE}
    platform = Platform(
        ProjectPage=page([], artifactCollections=first),
        Aliases={"artifactCollection": {"aliases": listing({"alias": "old", "artifact": {"id": "A9"}})}},
        Collections={"project": {"id": "P", "artifactCollections": listing(collection(id="C2", type_="model"))}},
        Memberships={"artifactCollection": {"artifactMemberships": listing()}},
    )
    told = list(platform.connector().read(None))
    assert {"collection/C1", "collection/C2"} <= records(told).keys()
    assert ("version/A9", "old") in [(one.upstream, one.alias) for one in edges(told, EdgeKind.ALIAS_OF)]


def test_new_versions_are_read_until_one_is_older_than_the_last_read():
    """Wandb, check 12: a new version is seen within one cycle."""
    since = list(shelf(artifact("A1")).connector().read(None))[-1].resume
    new = [artifact(f"A{n}", createdAt=f"2026-08-0{n}T00:00:00Z") for n in (5, 4, 3)]
    first = collection(new[0], artifacts=listing(new[0]) | {"pageInfo": MORE})
    rest = listing(*new[1:], artifact("A1")) | {"pageInfo": MORE | {"endCursor": "2"}}
    platform = shelf(
        artifact("A1"),
        contents={},
        ProjectPage=page([], artifactCollections=listing(first)),
        Versions={"artifactCollection": {"id": "C", "artifacts": rest}},
    )
    told = list(platform.connector().read(since))
    assert {"version/A5", "version/A4", "version/A3"} <= records(told).keys()
    assert platform.times("Versions") == 1
    assert platform.times("Manifest") == 3
    assert platform.times("Memberships") == 0


def test_links_of_a_registry_that_fit_a_page_cost_no_further_question():
    entry = collection(
        type_="model",
        __typename="ArtifactPortfolio",
        artifactMemberships=listing({"id": "M", "versionIndex": 0, "artifact": {"id": "A1"}}),
    )
    platform = Platform(
        ProjectPage=page([run("a")], artifactCollections=listing(entry)),
        Memberships={"artifactCollection": {"artifactMemberships": listing()}},
    )
    connector = platform.connector()
    since = list(connector.read(None))[-1].resume
    platform.asked.clear()
    told = list(connector.read(since))
    assert [one.upstream for one in edges(told, EdgeKind.VERSION_OF)] == ["version/A1"]
    assert platform.times("Memberships") == 0


def test_reports_that_cannot_be_read_do_not_hold_up_the_rest():
    refusal = {"errors": [{"message": "permission denied"}], "data": None}
    told = list(Platform(Besides=refusal, ProjectPage=page([run("a")])).connector().read(None))
    assert "reports, queues and automations" in "".join(one for batch in told for one in batch.failures)
    assert "run:Pfraud" in told[-1].listed


def test_a_manifest_on_the_instance_itself_is_fetched_without_the_key():
    url = "http://wandb.acme.io:8080/storage/m?sign=1"
    platform = shelf(
        artifact("A1"),
        contents={},
        Manifest={"artifact": {"currentManifest": {"file": {"directUrl": url}}}},
        **{url: httpx2.Response(200, json={"contents": {"a": {"digest": "d", "ref": "file:///data/a.csv"}}})},
    )
    told = list(platform.connector(url="http://wandb.acme.io:8080").read(None))
    (one,) = edges(told, EdgeKind.DERIVE)
    assert records(told)[one.upstream].spellings[0].form is Form.LOCAL
    assert [one for one in platform.headers if "authorization" not in one]


def test_files_in_very_many_folders_are_collapsed_into_higher_ones():
    contents = {f"{n:05}": {"digest": "d", "ref": f"s3://lake/x/d{n}/f.csv"} for n in range(1500)}
    told = list(shelf(artifact("A1", digest="other"), contents=contents).connector().read(None))
    assert [one.upstream for one in edges(told, EdgeKind.DERIVE)] == ["file/s3://lake/x/"]


def test_a_throttle_while_a_manifest_is_asked_for_ends_the_read():
    platform = shelf(artifact("A1"), contents={}, Manifest=lambda _: httpx2.Response(429))
    with pytest.raises(SourceUnavailable, match="rate_limited"):
        list(platform.connector().read(None))


def test_metadata_that_cannot_be_read_is_kept_as_it_is():
    odd = artifact("A1", metadata="{odd", ttlDurationSeconds=60, tags=[{"name": "gold"}])
    one = records(shelf(odd).connector().read(None))["version/A1"]
    assert one.facets["wandb"]["metadata_text"] == "{odd"
    assert one.facets["wandb"]["ttl_seconds"] == 60
    assert one.facets["tags"] == [{"key": "gold"}]


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones():
    def answer(variables: dict[str, Any]) -> dict[str, Any]:
        many = variables["first"]
        return page([run(str(n), summaryMetrics="x" * 1000) for n in range(many)])

    platform = Platform(ProjectPage=answer)
    told = list(platform.connector(http={"page_bytes": 4096}, options={"page_size": 16}).read(None))
    assert [variables["first"] for name, variables in platform.asked if name == "ProjectPage"] == [16, 8, 4, 2]
    assert len(runs(told)) == 2


def test_a_single_run_that_is_too_large_ends_the_read_and_says_so():
    platform = Platform(ProjectPage=lambda _: page([run("a", summaryMetrics="x" * 9000)]))
    with pytest.raises(SourceUnavailable, match="page_bytes"):
        list(platform.connector(http={"page_bytes": 4096}).read(None))
