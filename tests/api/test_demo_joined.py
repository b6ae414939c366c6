"""What is one thing in life is one asset in the demonstration's store, whichever platform tells it, with the reason."""

from collections.abc import Iterator

import pytest

from watersmeet.api.demo import federate, platforms
from watersmeet.api.opening import open_store
from watersmeet.connectors import story
from watersmeet.federation.model import AssetKind
from watersmeet.federation.rows import RecordRow
from watersmeet.federation.store import Store


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with platforms() as settings, open_store(settings) as opened:
        federate(opened, settings)
        yield opened


def told_by(store: Store, asset: int) -> dict[str, str]:
    """The sources of an asset's records, each with what it calls the thing."""
    return {row.source: row.native_id for row in store.reader.assets([asset])[asset]}


def test_a_place_that_four_platforms_name_is_one_asset_since_its_address_is_one(store: Store) -> None:
    """A reference of W&B, DataHub's dataset, an OpenLineage pair and the source of an MLflow dataset."""
    (asset,) = {found.asset for found in store.reader.find_keys(["data|s3|lake|features/customer_features"])}
    assert told_by(store, asset) == {
        "tracking": f"data/{story.FEATURES}",
        "pipelines": story.FEATURES,
        "catalog": f"urn:li:dataset:(urn:li:dataPlatform:s3,{story.FEATURES.removeprefix('s3://')},PROD)",
        "experiments": f"file/{story.FEATURES}",
    }
    links = store.reader.links(asset)
    rules = {rule for link in links for rule in link.rule.split(" = ")}  # in pairs, by who was read first
    assert rules == {"OpenLineage name", "DataHub URN", "URI"}
    assert {key for link in links for key in link.evidence} == {"data|s3|lake|features/customer_features"}


def test_one_training_that_two_trackers_and_a_catalog_tell_is_one_run_since_the_tracker_is_named(store: Store) -> None:
    runs = [row for rows in every(store) for row in rows if row.kind is AssetKind.RUN and row.source == "tracking"]
    trainings = [row.asset for row in runs if set(told_by(store, row.asset)) >= {"tracking", "experiments", "catalog"}]
    assert len(trainings) == 2
    for asset in trainings:
        links = store.reader.links(asset)
        assert {link.rule for link in links} == {"MLflow id"}
        (key,) = {key for link in links for key in link.evidence}
        assert key == f"run|mlflow|tracking/default|{told_by(store, asset)['tracking'].rpartition('/')[2]}"


def test_the_code_that_both_trackers_ran_is_one_revision_however_its_address_is_written(store: Store) -> None:
    """Both trainings then hang on one revision of one repository, too."""
    code = [rows for rows in every(store) if rows[0].kind is AssetKind.CODE and len({row.source for row in rows}) > 1]
    (names,) = [{row.source: row.native_id for row in rows} for rows in code]
    assert set(names) == {"tracking", "pipelines", "experiments"}
    assert names["tracking"].removeprefix("git/") != names["experiments"].removeprefix("git/")


def every(store: Store) -> list[list[RecordRow]]:
    """The records of every asset."""
    return list(store.reader.assets(store.reader.columns().asset.tolist()).values())
