"""The same as against a real server, from a recording of one: `WATERSMEET_RECORD=1` records it anew."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from vcr import VCR  # pyright: ignore[reportMissingTypeStubs]  # vcrpy brings no types

from watersmeet.config.settings import Source
from watersmeet.connectors.mlflow.read import MLflow
from watersmeet.federation.connector import Cursor

from ...e2e.mlflow_server import RealMLflow
from .conftest import Reading
from .filled import CHECKS, Check, Ids

_FOLDER = Path(__file__).parents[1] / "cassettes" / "mlflow"
_TAPE, _ABOUT = _FOLDER / "filled.yaml", _FOLDER / "filled.json"


def _plain(response: Any) -> Any:
    told = response["headers"].get("content-type") or response["headers"].get("Content-Type") or ["application/json"]
    return {**response, "headers": {"content-type": told}}


def _without_headers(request: Any) -> Any:
    request.headers = {}
    return request


_RECORDER: Any = VCR(
    match_on=["method", "path", "query", "body"],
    before_record_request=_without_headers,
    before_record_response=_plain,
    decode_compressed_response=True,
)


def _read(url: str, now: datetime, since: Cursor | None) -> Reading:
    connector = MLflow(Source(name="tracking", platform="mlflow", url=url), clock=lambda: now)
    try:
        return Reading.by(connector.read(since))
    finally:
        connector.close()


def _twice(url: str, now: datetime) -> tuple[Reading, Reading]:
    first = _read(url, now, None)
    return first, _read(url, now + timedelta(minutes=15), first.cursor)


def _record(folder: Path) -> None:
    """Fill a fresh server, read it twice, and keep what it said."""
    now = datetime.now(UTC).replace(microsecond=0)
    with RealMLflow(folder) as server:
        ids = server.fill()
        _TAPE.unlink(missing_ok=True)
        with _RECORDER.use_cassette(str(_TAPE), record_mode="all"):
            _twice(server.url, now)
    _TAPE.write_text(f"# recorded: mlflow 3.17.2, {now.date()}\n{_TAPE.read_text()}")
    _ABOUT.write_text(json.dumps({"ids": ids, "now": now.isoformat()}, indent=1) + "\n")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Reading, Reading, Ids, Any]]:
    if os.environ.get("WATERSMEET_RECORD") == "1":
        _record(tmp_path_factory.mktemp("mlflow"))
    about = json.loads(_ABOUT.read_text())
    with _RECORDER.use_cassette(str(_TAPE), record_mode="none") as tape:
        first, second = _twice("http://127.0.0.1:5000", datetime.fromisoformat(about["now"]))
        yield first, second, about["ids"], tape


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_what_was_filled_in_is_read(recording: tuple[Reading, Reading, Ids, Any], check: Check) -> None:
    told, _, ids, _ = recording
    check(told, ids)


def test_the_second_sync_asks_little_and_tells_nothing_new(
    recording: tuple[Reading, Reading, Ids, Any],
) -> None:
    first, second, _, tape = recording
    before = {scope.key: scope for scope in first.scopes}
    assert [scope.key for scope in second.scopes if before.get(scope.key) != scope] == []
    assert first.complete
    assert second.complete
    assert tape.all_played
    assert tape.play_count < 50
