"""Fifty emitters at once, and a server that is killed under them: what was acknowledged is there, once."""

import gzip
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from watersmeet.federation.store import Store
from watersmeet.federation.sync import lag

from ..e2e.service import Service, wait_for
from ..scale import how_many, scale
from .fire_events import original, run_id

EMITTERS = 50
REAL = 5
"""So many of them are the client that people use."""

pytestmark = [
    pytest.mark.hard,
    pytest.mark.skipif(scale() == "quick", reason="takes minutes: `make test-hard` runs it"),
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]


@dataclass
class Heard:
    """What the emitters were told, together."""

    acknowledged: list[str] = field(default_factory=list[str])
    seconds: list[float] = field(default_factory=list[float])
    refused: list[str] = field(default_factory=list[str])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, runs: list[str], seconds: float, answer: httpx2.Response) -> None:
        with self.lock:
            if answer.status_code in (200, 201):
                self.acknowledged += runs
                self.seconds.append(seconds)
            elif answer.status_code != 503:
                self.refused.append(f"{answer.status_code} {answer.text[:200]}")


def made(emitter: int, turn: int, event: int = 0) -> dict[str, Any]:
    """An event that no other emitter sends."""
    number = (emitter * 100_000 + turn) * 10 + event
    return original(number)


def emit(url: str, emitter: int, heard: Heard, until: threading.Event) -> None:
    """As emitters do: one connection that is kept, and the same request again where it broke or was put off."""
    with httpx2.Client(base_url=url, trust_env=False, timeout=5) as client:
        for turn in range(100_000):
            if until.is_set():
                return
            events = [made(emitter, turn, one) for one in range(5 if emitter % 10 == 3 else 1)]
            body = json.dumps(events if len(events) > 1 else events[0]).encode()
            headers = {"content-type": "application/json"}
            if emitter % 3 == 0:
                body, headers["content-encoding"] = gzip.compress(body, 3), "gzip"
            path = "/api/v1/lineage/batch" if len(events) > 1 else "/api/v1/lineage"
            while not until.is_set():
                began = time.perf_counter()
                try:
                    answer = client.post(path, content=body, headers=headers)
                except httpx2.HTTPError:
                    time.sleep(0.1)
                    continue
                heard.note([one["run"]["runId"] for one in events], time.perf_counter() - began, answer)
                if answer.status_code != 503:
                    break
                time.sleep(0.2)


def emit_for_real(url: str, emitter: int, heard: Heard, until: threading.Event) -> None:
    """The client of OpenLineage: what it does not raise, it takes for sent."""
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.transport.http import HttpCompression, HttpConfig, HttpTransport

    compression = HttpCompression.GZIP if emitter % 2 else None
    client = OpenLineageClient(transport=HttpTransport(HttpConfig(url=url, compression=compression)))
    try:
        for turn in range(100_000):
            if until.is_set():
                return
            run = run_id((emitter * 100_000 + turn) * 10)
            event = RunEvent(
                eventType=RunState.COMPLETE,
                eventTime="2026-11-20T12:00:00Z",
                producer="https://example.com/real",
                run=Run(runId=run),
                job=Job(namespace=f"real-{emitter}", name="nightly"),
            )
            try:
                client.emit(event)
            except Exception:  # the server was away for longer than the client waits: nothing was acknowledged
                time.sleep(0.1)
                continue
            with heard.lock:
                heard.acknowledged.append(run)
    finally:
        client.close()


@pytest.fixture
def service(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A server on each database."""
    monkeypatch.setenv("NO_PROXY", "*")
    one = Service(tmp_path)
    told = yaml.safe_load(one.config.read_text())
    told["store"] = {"url": store_url}
    one.config.write_text(yaml.safe_dump(told))
    with one:
        yield one


def test_what_was_acknowledged_is_there_once_after_every_kill(service: Service, store_url: str):
    """OpenLineage, receive check 15."""
    pytest.importorskip("openlineage.client", reason="uv sync installs openlineage-python")
    is_sqlite = store_url.startswith("sqlite")
    lasting = how_many(quick=3, ci=60, long=300) if is_sqlite else how_many(quick=3, ci=20, long=120)
    kills = how_many(quick=1, ci=4, long=20) if is_sqlite else how_many(quick=1, ci=2, long=8)
    heard, until, began = Heard(), threading.Event(), time.monotonic()
    with ThreadPoolExecutor(EMITTERS) as emitters:
        sent = [
            emitters.submit(emit_for_real if one >= EMITTERS - REAL else emit, service.url, one, heard, until)
            for one in range(EMITTERS)
        ]
        try:
            _kill_meanwhile(service, heard, kills, lasting)
        finally:
            until.set()
        for one in sent:
            one.result()
    seconds = time.monotonic() - began
    service.stop(signal.SIGKILL)
    assert heard.refused == []
    with Store.open(store_url, create=False) as store:
        kept = _kept(store)
    assert len(heard.acknowledged) > EMITTERS
    assert [run for run in heard.acknowledged if run not in kept] == []
    assert [run for run, count in kept.items() if count > 1] == []
    service.start()
    with Store.open(store_url, create=False) as store:
        waiting = lag(store, "inlet")
        wait_for(lambda: lag(store, "inlet") < max(waiting, 1), "more of them in the graph", 300)
        assert store.letters.count() == 0
    assert "Traceback" not in service.log()
    assert "exc_type" not in service.log()
    _tell(store_url, heard, seconds, kills)


def _kill_meanwhile(service: Service, heard: Heard, kills: int, lasting: float) -> None:
    """Each life of the server takes events before it is killed; together they last so long at least."""
    for _ in range(kills + 1):
        before, ends = len(heard.acknowledged), time.monotonic() + lasting / (kills + 1)
        wait_for(lambda before=before: len(heard.acknowledged) > before, "an acknowledged event")
        time.sleep(max(0.0, ends - time.monotonic()))
        service.stop(signal.SIGKILL)
        service.start()


def _kept(store: Store) -> Counter[str]:
    kept: Counter[str] = Counter()
    after = 0
    while rows := store.events.after("inlet", after, 1000):
        kept.update(json.loads(body)["run"]["runId"] for _, body in rows)
        after = rows[-1][0]
    return kept


def _tell(store_url: str, heard: Heard, seconds: float, kills: int) -> None:
    ordered = sorted(heard.seconds)
    half, most = (1000 * ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    many = len(heard.acknowledged)
    print(
        f"{store_url.partition(':')[0]}: {many} events in {seconds:.0f} s with {kills} kills and starts, "
        f"{many / seconds:.0f} a second, p50 {half:.0f} ms, p99 {most:.0f} ms, {os.cpu_count()} cores"
    )
