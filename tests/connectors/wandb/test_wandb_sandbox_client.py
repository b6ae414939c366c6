"""The miniature through the eyes of the vendor's own client."""

from collections.abc import Iterator
from typing import Any

import pytest

from watersmeet.connectors import story
from watersmeet.connectors.wandb.sandbox import Sandbox

from .vendor import asked_by_client

_ALL = """
found = {"projects": [p.name for p in api.projects("acme")], "runs": [], "used": [], "logged": [], "refs": []}
for run in api.runs("acme/churn", per_page=2, lazy=False):
    found["runs"].append([run.id, run.state, run.job_type, run.commit, run.config, dict(run.summary)])
    for art in run.used_artifacts():
        found["used"].append([run.id, art.qualified_name])
    for art in run.logged_artifacts():
        found["logged"].append([run.id, art.qualified_name])
        found["refs"] += [[art.name, e.ref, e.extra] for e in art.manifest.entries.values() if e.ref]
        assert art.manifest.digest() == art.digest
        assert art.logged_by().id == run.id
found["kinds"] = {t.name: sorted(c.name for c in t.collections()) for t in api.artifact_types("acme/churn")}
found["sweeps"] = [s.name for s in api.project("churn", "acme").sweeps()]
found["reports"] = [r.display_name for r in api.reports("acme/churn")]
found["automations"] = [a.name for a in api.automations(entity="acme-org")]
found["registry"] = [
    [v.qualified_name, v.source_qualified_name, v.is_link, sorted(v.aliases)]
    for registry in api.registries("Acme") for v in registry.versions()
]
told(found)
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def seen(sandbox: Sandbox) -> Any:
    """All that the client reads of the story."""
    return asked_by_client(sandbox, _ALL)


def test_the_client_reads_the_runs(seen: Any) -> None:
    assert seen["projects"] == ["churn"]
    assert [(one[0], one[1], one[2]) for one in seen["runs"]] == [
        ("prep0001", "finished", "prepare"),
        ("train001", "finished", "train"),
        ("train002", "finished", "train"),
        ("eval0001", "finished", "evaluate"),
    ]
    assert {one[3] for one in seen["runs"]} == {story.REVISION}
    assert [(one[4].get("max_depth"), one[5].get("auc")) for one in seen["runs"]][1:3] == [(4, 0.81), (5, 0.86)]


def test_the_client_reads_what_runs_read_and_wrote(seen: Any) -> None:
    assert seen["used"] == [
        ["train001", "acme/churn/customer-features:v0"],
        ["train001", "acme/churn/customer-holdout:v0"],
        ["train002", "acme/churn/customer-features:v0"],
        ["train002", "acme/churn/customer-holdout:v0"],
        ["eval0001", "acme/churn/churn-model:v1"],
        ["eval0001", "acme/churn/customer-holdout:v0"],
    ]
    assert seen["logged"] == [
        ["prep0001", "acme/churn/customer-features:v0"],
        ["prep0001", "acme/churn/customer-holdout:v0"],
        ["train001", "acme/churn/churn-model:v0"],
        ["train002", "acme/churn/churn-model:v1"],
    ]


def test_the_client_reads_the_manifests(seen: Any) -> None:
    """It computes each version's digest from the manifest, and finds the one that was told."""
    places = [uri.partition("://")[0] for _, uri, _ in seen["refs"]]
    assert places == ["gs", "s3", "https", "s3", "s3", "wandb-artifact", "wandb-artifact"]
    assert seen["refs"][1][1] == f"{story.FEATURES}/part-0.parquet"
    assert set(seen["refs"][1][2]) == {"etag", "versionID"}


def test_the_client_reads_collections_and_the_registry(seen: Any) -> None:
    assert seen["kinds"] == {"dataset": ["customer-features", "customer-holdout"], "model": ["churn-model"]}
    assert seen["registry"] == [
        ["acme-org/wandb-registry-model/churn:v0", "acme/churn/churn-model:v0", True, []],
        ["acme-org/wandb-registry-model/churn:v1", "acme/churn/churn-model:v1", True, ["latest", "production"]],
    ]


def test_the_client_reads_sweeps_reports_and_automations(seen: Any) -> None:
    assert (seen["sweeps"], seen["reports"]) == (["swp00001"], ["Churn by month"])
    assert seen["automations"] == ["deploy-champion"]


def test_no_question_of_the_client_is_refused(seen: Any, sandbox: Sandbox) -> None:
    assert [one for one in sandbox.calls if one.complaints] == []


def test_the_object_store_never_sees_the_key(seen: Any, sandbox: Sandbox) -> None:
    assert sandbox.storage.calls
    assert {one.authorization for one in sandbox.storage.calls} == {None}
