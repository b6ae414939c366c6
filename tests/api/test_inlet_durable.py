"""A real server, real sockets, a real emitter: what was answered with 2xx is there, whatever happens next."""

import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from watersmeet.federation.store import Store

from .test_inlet_posting import event

Started = tuple[str, "subprocess.Popen[str]"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[], Started]]:
    """Start a server over the store of this test; it is gone when the test is."""
    program = (
        "from watersmeet.config.settings import Settings\n"
        "from watersmeet.api.server import serve\n"
        f"serve(Settings.of({{'store': {{'url': 'sqlite:///{tmp_path / 'store.db'}'}}, 'server': {{'port': 0}}}}))\n"
    )
    running: list[subprocess.Popen[str]] = []

    def start() -> Started:
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        running.append(process)
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        return found[0], process

    yield start
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def post(address: str, body: dict[str, Any]) -> bool:
    try:
        response = httpx2.post(f"{address}/api/v1/lineage", json=body, trust_env=False, timeout=10)
    except httpx2.HTTPError:
        return False
    return response.status_code == 201


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_every_event_that_was_answered_survives_a_kill(server: Callable[[], Started], tmp_path: Path):
    """OpenLineage, receive check 15."""
    address, process = server()
    bodies = [event(n, producer=f"https://emitter/{n}") for n in range(300)]
    with ThreadPoolExecutor(50) as emitters:
        answers = [emitters.submit(post, address, body) for body in bodies]
        while sum(answer.done() for answer in answers) < 40:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        answered = [body["producer"] for body, answer in zip(bodies, answers, strict=True) if answer.result()]
    assert answered
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        kept = Counter(orjson.loads(body)["producer"] for _, body in store.events.after("inlet", 0, 1000))
    assert max(kept.values()) == 1
    assert set(answered) <= set(kept)
    again, _ = server()
    assert all(post(again, body) for body in bodies[:20])
    metrics = httpx2.get(f"{again}/metrics", trust_env=False).text
    assert "watersmeet_dead_letters 0.0" in metrics


def test_what_was_put_off_is_sent_again_by_the_client_until_it_is_taken(
    server: Callable[[], Started], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """OpenLineage, receive check 14: somebody else writes to the store until a 503 went out."""
    pytest.importorskip("openlineage.client", reason="uv sync installs openlineage-python")
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.transport.http import HttpConfig, HttpTransport

    monkeypatch.setenv("NO_PROXY", "*")
    address, _ = server()
    run = "0190a0e0-0000-7000-8000-00000000cafe"
    sent = RunEvent(
        eventType=RunState.COMPLETE,
        eventTime="2026-11-20T12:00:00Z",
        producer="https://example.com/real",
        run=Run(runId=run),
        job=Job(namespace="shop", name="nightly"),
    )
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    client = OpenLineageClient(transport=HttpTransport(HttpConfig(url=address)))
    with closing(other), closing(client), ThreadPoolExecutor(1) as emitter:
        other.execute("BEGIN IMMEDIATE")
        emitted = emitter.submit(client.emit, sent)
        for _ in range(300):
            if 'outcome="turned_away"' in httpx2.get(f"{address}/metrics", trust_env=False).text:
                break
            assert not emitted.done()
            time.sleep(0.1)
        else:
            raise AssertionError("nothing was put off")
        other.execute("ROLLBACK")
        emitted.result(timeout=60)
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        kept = [orjson.loads(body)["run"]["runId"] for _, body in store.events.after("inlet", 0, 1000)]
    assert kept == [run]


def test_the_client_of_openlineage_is_at_home_here(server: Callable[[], Started], monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("openlineage.client", reason="uv sync installs openlineage-python")
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
    from openlineage.client.transport.http import HttpCompression, HttpConfig, HttpTransport
    from openlineage.client.uuid import generate_new_uuid

    monkeypatch.setenv("NO_PROXY", "*")
    address, _ = server()
    for compression in (None, HttpCompression.GZIP):
        client = OpenLineageClient(transport=HttpTransport(HttpConfig(url=address, compression=compression)))
        client.emit(
            RunEvent(
                eventType=RunState.COMPLETE,
                eventTime="2026-11-20T12:00:00Z",
                producer="https://example.com/real",
                run=Run(runId=str(generate_new_uuid())),
                job=Job(namespace="shop", name="nightly"),
                inputs=[InputDataset(namespace="postgres://db:5432", name="shop.public.orders")],
                outputs=[OutputDataset(namespace="postgres://db:5432", name="shop.public.report")],
            )
        )
        client.close()
    query = {"query": '{ asset(key: "postgres://db:5432/shop.public.report") { name upstream { total } } }'}
    asset: Any = None
    for _ in range(100):
        asset = httpx2.post(f"{address}/graphql", json=query, trust_env=False).json()["data"]["asset"]
        if asset is not None and asset["upstream"]["total"] == 3:
            break
        time.sleep(0.1)
    assert asset is not None
    assert asset["upstream"]["total"] == 3
