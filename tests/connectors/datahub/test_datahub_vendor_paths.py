"""DataHub's own client and its own ingestion, on our miniature and with our files."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.federation.dossier import Dossier

from ..handed import handed
from . import official
from .official import ENDPOINT, FAMILY, FEATURE, MODEL, ORDERS, RUN, TASK, TOTALS
from .rounds import EVERYTHING, graph, read_back, written

INGEST = """
import json, sys
from datahub.ingestion.run.pipeline import Pipeline
pipeline = Pipeline.create(json.loads(sys.argv[1]))
pipeline.run()
pipeline.raise_from_status(raise_warnings=True)
"""


def ingest(path: Path, url: str) -> None:
    """`datahub ingest` from a file into a server, as its users would."""
    sink = {"type": "datahub-rest", "config": {"server": url, "mode": "SYNC"}}
    recipe = {"source": {"type": "file", "config": {"path": str(path)}}, "sink": sink}
    environment = {**os.environ, "DATAHUB_TELEMETRY_ENABLED": "false"}
    done = subprocess.run(
        [sys.executable, "-c", INGEST, json.dumps(recipe)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture
def story(tmp_path: Path) -> list[Dossier]:
    """What our miniature tells."""
    folder = tmp_path / "story"
    folder.mkdir()
    with Sandbox() as sandbox:
        return handed(folder, "datahub", sandbox.url, options=EVERYTHING)


def test_datahub_itself_loads_the_file_that_we_write(tmp_path: Path, story: list[Dossier]) -> None:
    """DataHub, check 24: export to a file, load it by DataHub's own ingestion, pull: the same graph."""
    written({"path": str(tmp_path / "out.json")}, story)
    with Sandbox(empty=True) as sandbox:
        ingest(tmp_path / "out.json", sandbox.url)
        served = graph(read_back(tmp_path / "served", sandbox.url), is_served=True)
    # Its classes write out the defaults of fields, so that raw aspects are not the same letter by letter.
    assert without_raw(served) == without_raw(graph(story, is_served=True))


def without_raw(told: dict[Any, Any]) -> dict[Any, Any]:
    """All but the aspects as they were written, and what its ingestion keeps of itself."""
    return {
        key: (*value[:-1], {name: one for name, one in value[-1].items() if not name.startswith("datahub.")})
        if isinstance(value, tuple)
        else value
        for key, value in told.items()
        if not str(key).startswith(("urn:li:dataHubExecutionRequest:", "urn:li:dataHubIngestionSource:"))
    }


def edges(client: Any, **asked: Any) -> set[tuple[str, str]]:
    found, page = set[tuple[str, str]](), client.scroll_lineage(count=2, **asked)
    while True:
        found |= {(one.upstream_urn, one.downstream_urn) for one in page.relationships}
        if not page.scroll_id:
            return found
        page = client.scroll_lineage(count=2, scroll_id=page.scroll_id, **asked)


def test_the_client_scrolls_over_lineage() -> None:
    with Sandbox(empty=True) as sandbox:
        for urn, aspect in official.aspects():
            sandbox.put(urn, aspect.ASPECT_NAME, official.wire(aspect))
        with official.graph(sandbox.url) as client:
            every = edges(client)
            assert {(ORDERS, TOTALS), (ORDERS, TASK), (TASK, TOTALS), (TOTALS, FEATURE), (TOTALS, RUN)} <= every
            assert {(RUN, MODEL), (MODEL, FAMILY)} <= every
            assert (MODEL, ENDPOINT) not in every, "deployments are not flagged as lineage"
            direction = official.LineageDirection
            assert edges(client, urns=[TASK], direction=direction.UPSTREAM) == {(ORDERS, TASK)}
            assert edges(client, urns=[TASK], direction=direction.DOWNSTREAM) == {(TASK, TOTALS)}
            assert edges(client, urns=[TASK]) == {(ORDERS, TASK), (TASK, TOTALS)}
            assert edges(client, urns=[MODEL], relationship_types=["TrainedBy"]) == {(RUN, MODEL)}
            field = official.field(TOTALS, "total")
            assert edges(client, urns=[field]) == set(), "columns have none"


def test_what_is_softly_deleted_is_in_no_lineage_unless_asked_for() -> None:
    with Sandbox(empty=True) as sandbox:
        for urn, aspect in official.aspects():
            sandbox.put(urn, aspect.ASPECT_NAME, official.wire(aspect))
        sandbox.soft_delete(TASK)
        with official.graph(sandbox.url) as client:
            assert edges(client, urns=[TASK]) == set()
            assert len(edges(client, urns=[TASK], include_soft_delete=True)) == 2
