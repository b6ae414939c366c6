"""What the tests of the writers are handed is what the store hands out."""

from pathlib import Path

from watersmeet.connectors.mlflow.sandbox import Sandbox
from watersmeet.federation.dossier import facts
from watersmeet.federation.model import AssetKind

from .handed import handed


def test_the_story_of_a_tracker_is_handed_over_with_its_columns_and_edges(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        dossiers = handed(tmp_path, "mlflow", sandbox.url)
    kinds = {one.record.kind for one in dossiers}
    assert {AssetKind.DATASET, AssetKind.RUN, AssetKind.MODEL_VERSION} <= kinds
    assert AssetKind.COLUMN not in kinds
    assert {one.platform for one in dossiers} == {"mlflow"}
    assert all(list(facts(one)) for one in dossiers)
