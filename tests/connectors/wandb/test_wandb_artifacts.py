"""What stands beside the runs of Weights & Biases: artifacts, manifests, registries, sweeps, and what is gone."""

import base64
import hashlib
from typing import Any

import httpx2
import pytest

from watersmeet.config.errors import Misconfigured
from watersmeet.federation.errors import SourceChanged, SourceUnavailable
from watersmeet.federation.model import AssetKind, EdgeKind, Form

from .telling import Platform, page, projects, run
from .told import STORE, artifact, collection, edges, listing, records, runs, shelf, skipped


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
    assert skipped(told)[0].lost  # an answer is a lower bound without it
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
