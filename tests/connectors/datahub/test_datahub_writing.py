"""What was read from a DataHub goes into one again, and nothing of it is lost on the way."""

from pathlib import Path

import pytest

from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.federation.dossier import Dossier, Verdict

from ..handed import handed
from .rounds import EVERYTHING, graph, read_back, versions, written

FILES = (
    "bootstrap_mce.json",
    "dbt_test_column_meta_mapping_golden.json",
    "feast_repository_mces_golden.json",
    "mlflow_mcps_golden.json",
)


@pytest.fixture
def story(tmp_path: Path) -> list[Dossier]:
    """What our miniature tells."""
    folder = tmp_path / "story"
    folder.mkdir()
    with Sandbox() as sandbox:
        return handed(folder, "datahub", sandbox.url, options=EVERYTHING)


def goes_round(tmp_path: Path, dossiers: list[Dossier]) -> None:
    """By a file and by a server: the same graph; and again: nothing new."""
    outcomes = written({"path": str(tmp_path / "out.json")}, dossiers)
    assert {one.verdict for one in outcomes} == {Verdict.MIGRATED}
    assert graph(read_back(tmp_path / "filed", tmp_path / "out.json")) == graph(dossiers)
    with Sandbox(empty=True) as sandbox:
        written({"url": sandbox.url}, dossiers)
        before = versions(sandbox)
        assert written({"url": sandbox.url}, dossiers) == written({"url": sandbox.url}, dossiers)
        assert versions(sandbox) == before
        served = read_back(tmp_path / "served", sandbox.url)
    assert graph(served, is_served=True) == graph(dossiers, is_served=True)


@pytest.mark.parametrize("file", FILES)
def test_what_its_own_connectors_recorded_goes_round(tmp_path: Path, shared: Path, file: str) -> None:
    """DataHub, check 24: export to a file, load, pull: the same graph; re-emit: no new versions."""
    (tmp_path / "origin").mkdir()
    path = shared / "data" / "datahub" / file
    goes_round(tmp_path, handed(tmp_path / "origin", "datahub", path, options=EVERYTHING))


def test_the_story_goes_round(tmp_path: Path, story: list[Dossier]) -> None:
    """DataHub, check 24: with what our own miniature tells."""
    goes_round(tmp_path, story)
