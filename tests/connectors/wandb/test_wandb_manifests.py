"""What the manifests of Weights & Biases lead to, and what becomes of those that cannot be had."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from watersmeet.connectors.wandb.place import version_id
from watersmeet.connectors.wandb.read import Wandb
from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.connectors.wandb.sandbox_artifacts import Artifact
from watersmeet.connectors.wandb.sandbox_world import entry, within
from watersmeet.federation.model import AssetKind, EdgeKind, Form

from .miniature import ALWAYS, To, asked, edges, read, records, skipped, source

PATH = "acme/fraud"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A project with one run; nothing that is asked of it may be wrong."""
    with Sandbox(empty=True) as running:
        running.world.log_run(PATH, "maker")
        yield running
        assert [one.complaints for one in running.calls if one.complaints] == []


def logged(sandbox: Sandbox, entries: Mapping[str, Mapping[str, Any]], name: str = "words") -> Artifact:
    """A version with a manifest of these entries."""
    return sandbox.world.log_artifact(sandbox.world.project(PATH).all_runs[0], name, "dataset", entries)


def on_s3(path: str, **more: Any) -> dict[str, Any]:
    """The line of a file in a lake."""
    return {"digest": "d", "ref": f"s3://lake/{path}", "size": 2, **more}


def facet(batches: Any, version: Artifact) -> Mapping[str, Any]:
    """What is told of a version's manifest."""
    told = [one for batch in batches for scope in batch.scopes for one in scope.records]
    return next(
        one.facets["manifest"] for one in told if one.native_id == version_id(version.id) and "manifest" in one.facets
    )


def test_a_manifest_leads_to_the_files_and_versions_behind_a_version(sandbox: Sandbox) -> None:
    """Wandb, check 2: an s3 reference with its version, an entry of another version, one without a hash."""
    base = logged(sandbox, {"b.json": entry(b"b")}, "base")
    made = logged(
        sandbox,
        {
            "a.parquet": on_s3("raw/a.parquet", extra={"versionID": "V1"}) | {"ref": "s3a://lake/raw/a.parquet"},
            "b.json": within(base, "b.json"),
            "c.csv": {"digest": "https://x.test/c.csv", "ref": "https://x.test/c.csv"},
            "d.txt": entry(b"d"),
            "e.txt": {"digest": "ee", "ref": "wandb-client-artifact://abc/e.txt"},
        },
    )
    told = read(sandbox)
    assert {(one.upstream, one.downstream) for one in edges(told, EdgeKind.DERIVE)} == {
        ("file/s3://lake/raw/a.parquet", version_id(made.id)),
        ("file/https://x.test/c.csv", version_id(made.id)),
        (version_id(base.id), version_id(made.id)),
    }
    found = facet(told, made)
    assert found["digest_agrees"] is True
    assert found["without_hash"] == 1
    assert [(one["has_hash"], one.get("versionID")) for one in found["files"]] == [(True, "V1"), (False, None)]
    assert "unresolved" in skipped(told)[0].reason
    assert records(told)["file/s3://lake/raw/a.parquet"].kind is AssetKind.DATASET
    assert {one.authorization for one in sandbox.storage.calls} == {None}


def test_files_in_very_many_folders_are_collapsed_into_higher_ones(sandbox: Sandbox) -> None:
    logged(sandbox, {f"{n:05}": on_s3(f"x/d{n}/f.csv") for n in range(1500)})
    assert [one.upstream for one in edges(read(sandbox), EdgeKind.DERIVE)] == ["file/s3://lake/x/"]


def test_a_digest_that_the_entries_do_not_add_up_to_is_said(sandbox: Sandbox) -> None:
    made = logged(sandbox, {"a": on_s3("a")})
    sandbox.world.change(made, digest="0" * 32)
    told = read(sandbox)
    assert facet(told, made)["digest_agrees"] is False
    (one,) = skipped(told)
    assert "do not add up" in one.reason
    assert not one.lost
    assert [one.upstream for one in edges(told, EdgeKind.DERIVE)] == ["file/s3://lake/a"]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 403, "body": "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"},
        {"status": 200, "body": '{"nothing": 1}'},
        {"status": 200, "body": '{"contents": {"a": {"digest": "x"}, "b": '},
    ],
)
def test_a_manifest_that_cannot_be_had_costs_nothing_else(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    """Wandb, check 10: a manifest behind an address that is over."""
    made = logged(sandbox, {"a": on_s3("a")})
    sandbox.storage.fail("wandb_manifest", times=ALWAYS, **fault)
    told = read(sandbox)
    assert records(told)[version_id(made.id)].name == "words:v0"
    (one,) = skipped(told)
    assert one.lost  # an answer is a lower bound without it
    assert asked(sandbox, "Manifest") == 2
    assert told[-1].complete


def test_a_manifest_on_a_host_that_is_not_listed_is_not_fetched(sandbox: Sandbox) -> None:
    logged(sandbox, {"a": on_s3("a")})
    told = read(sandbox, also=["http://127.0.0.1:9"])
    assert "is not asked" in skipped(told)[0].reason
    assert not sandbox.storage.calls


def test_a_manifest_on_the_instance_itself_is_fetched_without_the_key(sandbox: Sandbox) -> None:
    here = "http://wandb.acme.io:8080"
    made = logged(sandbox, {"a": {"digest": "d", "ref": "file:///data/a.csv"}})
    made.hand_out = lambda path: sandbox.storage.sign(path).replace(sandbox.storage.url, here)
    with closing(Wandb(source(sandbox, url=here, also=[]), transport=To(sandbox))) as reader:
        told = list(reader.read(None))
    (one,) = edges(told, EdgeKind.DERIVE)
    assert records(told)[one.upstream].spellings[0].form is Form.LOCAL
    assert [one.authorization for one in sandbox.storage.calls] == [None]
