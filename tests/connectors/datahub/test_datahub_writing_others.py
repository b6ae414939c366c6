"""What other platforms tell goes into DataHub, and of every fact it is said what became of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from watersmeet.connectors.catalogue import platforms
from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.connectors.marquez.sandbox import Sandbox as Marquez
from watersmeet.connectors.mlflow.sandbox import Sandbox as MLflow
from watersmeet.connectors.wandb.sandbox import KEY
from watersmeet.connectors.wandb.sandbox import Sandbox as Wandb
from watersmeet.federation.dossier import Dossier, Outcome, Verdict
from watersmeet.federation.model import AssetKind, EdgeKind

from ..handed import handed
from .official import is_sound
from .rounds import graph, read_back, versions, written

SANDBOXES: Mapping[str, Any] = {"mlflow": MLflow, "marquez": Marquez, "wandb": Wandb}
S3 = "urn:li:dataset:(urn:li:dataPlatform:s3,lake/features/customer_features,PROD)"
MARTS = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.marts.customer_orders,PROD)"
RAW = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.raw.orders,PROD)"


def story(tmp_path: Path, platform: str) -> list[Dossier]:
    """What the miniature of a platform tells."""
    folder = tmp_path / "story"
    folder.mkdir()
    settings = {"token": KEY} if platform == "wandb" else {}
    with SANDBOXES[platform]() as sandbox:
        return handed(folder, platform, sandbox.url, **settings)


@pytest.mark.parametrize("platform", SANDBOXES)
def test_every_fact_has_an_outcome_and_the_same_again_writes_nothing(tmp_path: Path, platform: str) -> None:
    assert platform in platforms()
    dossiers = story(tmp_path, platform)
    with Sandbox(empty=True) as sandbox:
        outcomes = written({"url": sandbox.url}, dossiers)
        assert all(one.reason for one in outcomes if one.verdict is not Verdict.MIGRATED)
        assert Verdict.FAILED not in {one.verdict for one in outcomes}
        before = versions(sandbox)
        assert written({"url": sandbox.url}, dossiers) == outcomes
        assert versions(sandbox) == before
        assert_sound(sandbox)
        served = graph(read_back(tmp_path / "served", sandbox.url), is_served=True)
    assert written({"path": str(tmp_path / "out.json")}, dossiers) == outcomes
    assert graph(read_back(tmp_path / "filed", tmp_path / "out.json"), is_served=True) == served


@pytest.mark.parametrize("platform", SANDBOXES)
def test_it_does_not_matter_in_which_order_and_with_which_others_a_thing_is_handed_over(
    tmp_path: Path, platform: str
) -> None:
    dossiers, stood = story(tmp_path, platform), list[Any]()
    for order, at_once in ((dossiers, len(dossiers)), (dossiers, 1), (dossiers[::-1], 3)):
        with Sandbox(empty=True) as sandbox:
            told = {(one.native_id, one.fact): one for one in written({"url": sandbox.url}, order, at_once)}
            there = {
                (urn, name): stored.value
                for urn, entity in sandbox.world.entities.items()
                for name, stored in entity.aspects.items()
            }
        stood.append((there, told))
    assert stood[1] == stood[0]
    assert stood[2] == stood[0]


def assert_sound(sandbox: Sandbox) -> None:
    """DataHub's own schemas take all that was written."""
    for urn, entity in sandbox.world.entities.items():
        for name, stored in entity.aspects.items():
            assert is_sound(name, stored.value), (urn, name, stored.value)
        for name, events in entity.series.items():
            assert all(is_sound(name, one.value) for one in events), (urn, name)


def test_a_training_stands_between_what_it_read_and_the_model_that_it_made(tmp_path: Path) -> None:
    with Sandbox(empty=True) as sandbox:
        written({"url": sandbox.url}, story(tmp_path, "mlflow"))
        back = {one.record.native_id: one for one in read_back(tmp_path / "back", sandbox.url)}
    trainings = [one for one in back.values() if one.record.name == "train-churn-2"]
    [training] = trainings
    assert training.record.kind is AssetKind.RUN
    assert training.record.subtype == "ML Training Run"
    assert training.record.facets["parameters"] == {"max_depth": "5"}
    assert training.record.run is not None
    assert training.record.run.state.value == "SUCCEEDED"
    told = {(edge.kind, edge.upstream, edge.downstream) for edge in training.edges}
    [made] = [down for kind, _, down in told if kind is EdgeKind.WRITE and ",m-" in down]
    [read] = [up for kind, up, _ in told if kind is EdgeKind.READ and "customer_features" in up]
    assert any(edge.upstream == S3 for edge in back[read].edges), "the version that it read came from the table"
    registered = back["urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn_2,PROD)"]
    assert registered.record.name == "churn/2"
    assert "upstreamLineage" not in str(registered.record.facets)
    between = [
        one for one in back.values() if any(edge.downstream == registered.record.native_id for edge in one.edges)
    ]
    assert any(edge.upstream == made for one in between for edge in one.edges)
    assert {edge.alias for edge in registered.edges} >= {"champion"}


def test_tables_stand_under_the_names_that_datahub_would_give_them(tmp_path: Path) -> None:
    dossiers = story(tmp_path, "marquez")
    with Sandbox(empty=True) as sandbox:
        outcomes = written({"url": sandbox.url}, dossiers)
        fields = sandbox.value(MARTS, "schemaMetadata")["fields"]
        assert [one["fieldPath"] for one in fields] == ["customer_id", "country", "orders", "total_spent"]
        pairs = sandbox.value(MARTS, "upstreamLineage")["fineGrainedLineages"]
        assert [f"urn:li:schemaField:({RAW},amount)"] in [one["upstreams"] for one in pairs]
    assert by_reason(outcomes, "the run or job that it went through") > 0


def test_an_endpoint_that_a_run_made_is_one_of_the_model_that_it_read(tmp_path: Path) -> None:
    with Sandbox(empty=True) as sandbox:
        outcomes = written({"url": sandbox.url}, story(tmp_path, "marquez"))
        [model] = [one for one in sandbox.world.entities if one.startswith("urn:li:mlModel:")]
        [endpoint] = sandbox.value(model, "mlModelProperties")["deployments"]
    assert "kserve://prod/churn-api" in endpoint
    assert by_reason(outcomes, "stands as a deployment of the models that the run read") == 1


def test_instance_and_environment_are_part_of_the_names(tmp_path: Path) -> None:
    options = {"env": "DEV", "platform_instance": {"postgres": "warehouse"}}
    with Sandbox(empty=True) as sandbox:
        written({"url": sandbox.url, "options": options}, story(tmp_path, "marquez"))
        urn = "urn:li:dataset:(urn:li:dataPlatform:postgres,warehouse.shop.marts.customer_orders,DEV)"
        told = sandbox.value(urn, "dataPlatformInstance")
    assert told["instance"] == "urn:li:dataPlatformInstance:(urn:li:dataPlatform:postgres,warehouse)"


def test_what_datahub_knows_better_of_a_table_stands(tmp_path: Path) -> None:
    """Kept is what another word stands in place of, and nothing else of the table: the reason says whose word."""
    field = {
        "fieldPath": "orders",
        "nativeDataType": "TINYINT",
        "type": {"type": {"com.linkedin.schema.NumberType": {}}},
        "nullable": False,
        "jsonProps": '{"theirs": true}',
    }
    head = {"schemaName": "x", "platform": "urn:li:dataPlatform:postgres", "version": 0, "hash": ""}
    schema = {**head, "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}}, "fields": [field]}
    dossiers = story(tmp_path, "marquez")
    with Sandbox(empty=True) as sandbox:
        sandbox.put(MARTS, "schemaMetadata", schema)
        sandbox.put(MARTS, "datasetProperties", {"name": "Customer orders", "description": "by hand"})
        outcomes = written({"url": sandbox.url}, dossiers)
        fields = sandbox.value(MARTS, "schemaMetadata")["fields"]
        told = sandbox.value(MARTS, "datasetProperties")
        assert written({"url": sandbox.url}, dossiers) == outcomes
    assert {**fields[0], **field} == fields[0]
    assert {one["fieldPath"] for one in fields} == {"customer_id", "country", "orders", "total_spent"}
    assert (told["name"], told["description"]) == ("Customer orders", "by hand")
    assert told["customProperties"], "what it lacked was added"
    kept = {(one.native_id.rpartition("/")[2], one.fact): one for one in outcomes if one.verdict is Verdict.KEPT}
    table = next(one.native_id for one in outcomes if one.target == MARTS and one.fact == "name").rpartition("/")[2]
    orders = {(f"{table}#orders", fact) for fact in ("facets/ordinal", "facets/type")}
    assert set(kept) == {(table, "name"), (table, "facets/schema"), *orders}
    assert {one.reason for one in kept.values()} == {
        "what DataHub was told of it before stands: another source may know it better"
    }


def by_reason(outcomes: list[Outcome], reason: str) -> int:
    """How many facts were transformed for a reason."""
    return sum(one.verdict is Verdict.TRANSFORMED and one.reason.startswith(reason) for one in outcomes)
