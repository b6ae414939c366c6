"""The writer on the miniature: what every source's things become, once and only once, and read back."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.settings import Misconfigured, Source
from watersmeet.connectors import story
from watersmeet.connectors.catalogue import writer
from watersmeet.connectors.wandb.sandbox import KEY, Sandbox
from watersmeet.federation.connector import Writer
from watersmeet.federation.dossier import Dossier, Outcome, Verdict, unaccounted
from watersmeet.federation.errors import SourceRefused
from watersmeet.federation.model import AssetKind, EdgeKind, Record

from ..handed import handed, naming
from .targets import runs, settings, source, standing, told_by, unnumbered, versions, writing, written

PLATFORMS = ("datahub", "marquez", "mlflow", "wandb")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_fact_of_every_source_is_accounted_for_and_the_same_again_writes_nothing_new(
    platform: str, tmp_path: Path
) -> None:
    with told_by(platform, tmp_path) as dossiers, Sandbox(empty=True) as target:
        outcomes = written(target, dossiers)
        assert list(unaccounted(dossiers, outcomes)) == []
        assert max(Counter((one.native_id, one.fact) for one in outcomes).values()) == 1
        assert [one for one in outcomes if one.verdict is Verdict.FAILED] == []
        assert naming(outcomes, dossiers) == []
        assert [one for one in outcomes if one.verdict is not Verdict.MIGRATED and not one.reason] == []
        assert [one.complaints for one in target.calls if one.complaints] == []
        former = (versions(target), runs(target), len(target.world.artifacts))
        assert sum(former[0].values()) > 0
        assert written(target, dossiers) == outcomes
        assert (versions(target), runs(target), len(target.world.artifacts)) == former


@pytest.mark.parametrize("platform", PLATFORMS)
def test_it_does_not_matter_in_which_order_and_with_which_others_a_thing_is_handed_over(
    platform: str, tmp_path: Path
) -> None:
    """But for the numbers of versions, which are counted as they come."""
    with told_by(platform, tmp_path) as dossiers:
        stood = list[Any]()
        for order, at_once in ((dossiers, len(dossiers)), (dossiers, 1), (dossiers[::-1], 3)):
            with Sandbox(empty=True) as target:
                outcomes = written(target, order, at_once=at_once)
                told = {(one.native_id, one.fact): one.verdict for one in outcomes if not _numbers(one)}
                stood.append((unnumbered(standing(target)), told))
        assert stood[1] == stood[0]
        assert stood[2] == stood[0]


def _numbers(outcome: Outcome) -> bool:
    """Whether a fact is of what number a version has, or which is the last."""
    return bool(re.match(r"edges/ALIAS_OF/(v\d+|latest):", outcome.fact)) or outcome.fact == "name"


def pairs(dossiers: list[Dossier], kind: EdgeKind) -> set[tuple[str, str, str, str]]:
    """Edges of a kind by the names at their ends."""
    names = {one.record.native_id: one.record.name for one in dossiers}
    found = [edge for one in dossiers for edge in one.edges if edge.kind is kind]
    return {(names[one.upstream], names[one.downstream], one.role or "", one.alias or "") for one in found}


def named(dossiers: list[Dossier], kind: AssetKind) -> dict[str, Record]:
    return {one.record.name: one.record for one in dossiers if one.record.kind is kind}


def files(version: Record) -> list[dict[str, Any]]:
    """What it refers to, by address."""
    return sorted(version.facets["manifest"]["files"], key=lambda one: one["uri"])


def test_the_story_comes_back_from_a_second_instance_as_it_was(tmp_path: Path) -> None:
    """What differs: ids, times, addresses, digests (no content is copied), sweeps, reports, queues, and the mark in
    the metadata."""
    with told_by("wandb", tmp_path) as dossiers, Sandbox(empty=True) as second:
        outcomes = written(second, dossiers)
        back = handed(tmp_path, "wandb", second.url, "back", **settings(second))
        for kind in (EdgeKind.READ, EdgeKind.WRITE, EdgeKind.DERIVE, EdgeKind.VERSION_OF, EdgeKind.ALIAS_OF):
            assert pairs(back, kind) == pairs(dossiers, kind), kind
        kinds = (AssetKind.RUN, AssetKind.DATASET, AssetKind.DATASET_VERSION, AssetKind.MODEL, AssetKind.MODEL_VERSION)
        for kind in (*kinds, AssetKind.JOB, AssetKind.CODE):
            assert named(back, kind).keys() == named(dossiers, kind).keys(), kind
        for name, run in named(back, AssetKind.RUN).items():
            former = named(dossiers, AssetKind.RUN)[name]
            assert run.run is not None
            assert former.run is not None
            assert (run.run.state, run.subtype, run.description) == (
                former.run.state,
                former.subtype,
                former.description,
            )
            for facet in ("parameters", "metrics", "tags"):
                assert run.facets.get(facet) == former.facets.get(facet), (name, facet)
        for one in named(back, AssetKind.MODEL_VERSION).values():
            assert one.facets["manifest"]["digest_agrees"] is True
        for name, one in named(back, AssetKind.DATASET_VERSION).items():
            former = named(dossiers, AssetKind.DATASET_VERSION)[name]
            assert files(one) == files(former)
        assert [one.reason for one in outcomes if one.fact.startswith("edges/DERIVE") and one.reason] == []


def test_the_story_of_mlflow_stands_in_weights_and_biases(tmp_path: Path) -> None:
    with told_by("mlflow", tmp_path) as dossiers, Sandbox(empty=True) as target:
        written(target, dossiers)
        back = handed(tmp_path, "wandb", target.url, "back", **settings(target))
        runs_there = named(back, AssetKind.RUN)
        former = named(dossiers, AssetKind.RUN)["train-churn-1"]
        assert runs_there["train-churn-1"].facets["parameters"] == former.facets["parameters"]
        assert runs_there["train-churn-1"].facets["metrics"] == former.facets["metrics"]
        assert pairs(back, EdgeKind.READ) >= {
            ("features-customer_features:v0", "train-churn-1", "TRAINING", ""),
            ("features-customer_holdout:v0", "train-churn-1", "EVALUATION", ""),
        }
        assert pairs(back, EdgeKind.WRITE) == {
            ("train-churn-1", "churn-1:v0", "", ""),
            ("train-churn-2", "churn-2:v0", "", ""),
        }
        champions = {edge for edge in pairs(back, EdgeKind.ALIAS_OF) if edge[3] == "champion"}
        assert {one[:2] for one in champions} == {("churn:v1", "churn")}, "the second that was made is the second there"
        models = {(one.record.name, one.record.subtype) for one in back if one.record.kind is AssetKind.MODEL}
        assert models >= {("churn", "registered"), ("churn", None)}
        assert ("lake/features/customer_features", "features-customer_features:v0", "", "") in pairs(
            back, EdgeKind.DERIVE
        )
        code = named(back, AssetKind.CODE)
        assert [one.facets["commit"] for one in code.values()] == [story.REVISION]


def test_the_catalogue_makes_the_writer(tmp_path: Path) -> None:
    with Sandbox(empty=True) as target:
        made = writer(source(target))
        assert isinstance(made, Writer)
        health = made.check()
        assert (health.reachable, health.message, health.missing_grants) == (True, "writes to acme", ())
        made.close()
    catalog = writer(Source.model_validate({"name": "x", "platform": "datahub", "path": str(tmp_path / "out.json")}))
    assert (catalog.platform, isinstance(catalog, Writer)) == ("datahub", True)
    catalog.close()
    with pytest.raises(Misconfigured, match=r"nothing writes to platform 'openlineage'; there are: datahub, wandb"):
        writer(Source.model_validate({"name": "x", "platform": "openlineage", "path": str(tmp_path)}))


def test_a_key_that_may_only_read_is_told_before_and_while_writing(tmp_path: Path) -> None:
    with told_by("wandb", tmp_path) as dossiers, Sandbox(empty=True) as target:
        target.world.entities["acme"].read_only = True
        with writing(target) as made:
            assert made.check().missing_grants == ("write to acme",)
        with pytest.raises(SourceRefused, match=r"permission denied to write to acme.*right to write there") as raised:
            written(target, dossiers)
        assert KEY not in str(raised.value)
        assert runs(target) == []


def test_a_key_or_an_entity_that_is_not_there_is_said(tmp_path: Path) -> None:
    with told_by("wandb", tmp_path) as dossiers, Sandbox(empty=True) as target:
        with writing(target, workspaces=["nobody"]) as made:
            assert made.check().missing_grants == ("an entity to write to",)
        with pytest.raises(SourceRefused, match="no entity nobody for this key"):
            written(target, dossiers, workspaces=["nobody"])
        strange = "z" * 40
        with writing(target, token=strange) as made:
            assert made.check().reachable is False
        with pytest.raises(SourceRefused, match="the key is not known there") as raised:
            written(target, dossiers, token=strange)
        assert strange not in str(raised.value)
