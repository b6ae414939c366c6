"""Pulls in processes of their own: whatever becomes of them, the journal knows."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from watersmeet.api.opening import open_store
from watersmeet.api.syncs import Syncs
from watersmeet.config.settings import Settings, load
from watersmeet.federation.errors import AlreadyRunning, NotFound
from watersmeet.federation.model import SyncState
from watersmeet.federation.store import Store

from .conftest import EVENT


@pytest.fixture
def settings(tmp_path: Path, silent: str) -> Settings:
    (tmp_path / "events.ndjson").write_text(json.dumps(EVENT) + "\n")
    file = tmp_path / "watersmeet.yaml"
    sources = [
        {"name": "events", "platform": "openlineage", "path": "./events.ndjson"},
        {"name": "slow", "platform": "mlflow", "url": silent},
    ]
    file.write_text(json.dumps({"store": {"url": "sqlite:///store.db"}, "sources": sources}))
    return load(file, {})


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings) as store:
        yield store


@pytest.fixture
def syncs(store: Store, settings: Settings) -> Iterator[Syncs]:
    syncs = Syncs(store, settings.path, grace=timedelta(seconds=2))
    yield syncs
    syncs.close()


def test_a_pull_runs_in_a_process_of_its_own_and_ends_in_the_journal(syncs: Syncs, store: Store):
    number = syncs.start("events")
    assert syncs.processes()[number] != os.getpid()
    row = syncs.wait(number, timeout=60)
    assert row.state is SyncState.SUCCEEDED, row.message
    assert store.journal.counts("events").assets >= 3


def test_a_process_that_is_killed_leaves_a_failed_sync_that_tells_how(syncs: Syncs):
    number = syncs.start("slow")
    os.kill(syncs.processes()[number], signal.SIGKILL)
    row = syncs.wait(number, timeout=60)
    assert row.state is SyncState.FAILED
    assert "SIGKILL" in (row.message or "")


def test_one_source_is_not_pulled_twice_at_a_time(syncs: Syncs):
    syncs.start("slow")
    with pytest.raises(AlreadyRunning, match="slow"):
        syncs.start("slow")


def test_a_source_that_nobody_configured_is_not_pulled(syncs: Syncs):
    with pytest.raises(NotFound, match="nowhere"):
        syncs.start("nowhere")


def test_a_source_that_left_the_configuration_fails_with_its_name(syncs: Syncs, store: Store, settings: Settings):
    assert settings.path is not None
    settings.path.write_text('store: {url: "sqlite:///store.db"}\n')
    row = syncs.run("events")
    assert row.state is SyncState.FAILED
    assert "events" in (row.message or "")


def test_closing_cancels_what_runs_and_ends_what_does_not_listen(syncs: Syncs):
    number = syncs.start("slow")
    pid = syncs.processes()[number]
    began = threading.Event()
    while syncs.wait(number, timeout=0.2).state is SyncState.QUEUED:
        began.wait(0.1)
    syncs.close()
    assert syncs.wait(number).state is SyncState.CANCELLED
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
