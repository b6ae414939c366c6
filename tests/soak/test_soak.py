"""Everything at once for as long as `$SECONDS_OF_SOAK` says: syncs, emitters, queries and restarts against one server.

The oracle is a set that only grows. What an answer shows lies between what an answer that had ended before it was
asked showed, and what had been sent to the inlet or the platform before it ended. When all is still, it is all.
"""

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from watersmeet.connectors.marquez.sandbox import Sandbox
from watersmeet.federation.store import Store

from ..connectors.contract.marquez_house import DAY, event
from ..e2e.service import Service, wait_for
from ..scale import how_many, scale

SECONDS = int(os.environ.get("SECONDS_OF_SOAK") or how_many(quick=15, ci=120, long=1200))
EMITTERS, READERS, NAMES = 3, 2, 50
ROOT = "postgres://db:5432/shop.public.root"
BELOW = "query($key: String!) { asset(key: $key) { downstream(depth: 2, first: 500) { total nodes { name kind } } } }"
SYNCS = "{ syncs(first: 1) { total } }"
GROWTH = 1.3
"""So much more memory than after the warm-up may the longest life of the server end with."""

pytestmark = [
    pytest.mark.hard,
    pytest.mark.timeout(SECONDS * 2 + 600),
    pytest.mark.skipif(
        scale() == "quick" and "SECONDS_OF_SOAK" not in os.environ, reason="takes minutes: `make soak` runs it"
    ),
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of a process is read from /proc"),
]


@dataclass
class World:
    """What was told and what was seen, by all threads."""

    sent: set[str] = field(default_factory=set[str])
    seen: frozenset[str] = frozenset()
    acknowledged: list[str] = field(default_factory=list[str])
    malformed: int = 0
    queries: int = 0
    edits: int = 0
    restarts: Counter[str] = field(default_factory=Counter[str])
    faults: list[str] = field(default_factory=list[str])
    lock: threading.Lock = field(default_factory=threading.Lock)
    enough: threading.Event = field(default_factory=threading.Event)

    def upper(self) -> frozenset[str]:
        with self.lock:
            return frozenset(self.sent)


def _name(turn: int) -> int:
    """A new name each tenth turn, until there are enough: the graph grows, then only its runs do."""
    return turn // 10 if turn < 10 * NAMES else turn % NAMES


def emit(url: str, emitter: int, world: World) -> None:
    """One event after the other, each again until it is acknowledged; each tenth is followed by one cut in half."""
    with httpx2.Client(base_url=url, trust_env=False, timeout=20) as client:
        for turn in range(SECONDS * 20):
            if world.enough.wait(0.1):
                return
            told = event(f"e{emitter}_{_name(turn)}", DAY + timedelta(hours=turn), reads="root")
            body = json.dumps(told).encode()
            with world.lock:
                world.sent.add(told["outputs"][0]["name"])
            if _post(client, body, world) in (200, 201):
                world.acknowledged.append(told["run"]["runId"])
            if turn % 10 == 0 and _post(client, body[: len(body) // 2], world) is not None:
                world.malformed += 1


def _post(client: httpx2.Client, body: bytes, world: World) -> int | None:
    """The status at last, or nothing where all ended before there was one."""
    for _ in range(2000):
        try:
            answer = client.post("/api/v1/lineage", content=body, headers={"content-type": "application/json"})
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            if answer.status_code < 500:
                return answer.status_code
            if answer.status_code != 503:
                world.faults.append(f"inlet: {answer.status_code} {answer.text[:300]}")
            time.sleep(0.1)
        if world.enough.is_set():
            return None
    return None


def edit(sandbox: Sandbox, world: World) -> None:
    """New runs in the platform."""
    for turn in range(SECONDS * 4):
        if world.enough.wait(0.5):
            return
        told = event(f"mq_{turn % NAMES}", DAY + timedelta(hours=turn), reads="root")
        with world.lock:
            world.sent.add(told["outputs"][0]["name"])
        sandbox.seed([told])
        world.edits += 1


def shown(client: httpx2.Client) -> frozenset[str] | None:
    """The datasets of an answer, or nothing where the server is away."""
    try:
        answer = client.post("/graphql", json={"query": BELOW, "variables": {"key": ROOT}})
    except httpx2.HTTPError:
        return None
    if answer.status_code == 503:
        return None
    body = answer.json()
    assert "errors" not in body, body
    if body["data"]["asset"] is None:
        return frozenset()
    page = body["data"]["asset"]["downstream"]
    assert page["total"] == len(page["nodes"]), page["total"]
    return frozenset(one["name"] for one in page["nodes"] if one["kind"] == "DATASET") - {"shop.public.root"}


def read(url: str, world: World) -> None:
    """Ask, and hold each answer to the oracle."""
    with httpx2.Client(base_url=url, trust_env=False, timeout=60) as client:
        for _ in range(SECONDS * 20):
            if world.enough.wait(0.1):
                return
            lower = world.seen
            answer = shown(client)
            if answer is None:
                continue
            upper = world.upper()
            if not lower <= answer <= upper:
                world.faults.append(f"lost {sorted(lower - answer)}, invented {sorted(answer - upper)}")
            with world.lock:
                world.seen |= answer
                world.queries += 1


def memory(service: Service) -> float:
    """MB of the server that are resident."""
    pages = int(Path(f"/proc/{service.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def restart(service: Service, world: World) -> list[float]:
    """Half of the time restarts; then one long life: its memory after the start, the warm-up and the end."""
    middle = time.monotonic() + SECONDS / 2
    for turn in range(SECONDS):
        if time.monotonic() > middle:
            break
        time.sleep(3)
        how = signal.SIGKILL if turn % 2 else signal.SIGTERM
        service.stop(how)
        service.start()
        world.restarts[how.name] += 1
    measured = [memory(service)]
    for share in (SECONDS / 6, SECONDS / 3):
        time.sleep(share)
        measured.append(memory(service))
    return measured


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_answers_are_right_and_nothing_is_lost_while_everything_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_PROXY", "*")
    world = World()
    with Sandbox() as sandbox:
        source = {"name": "pipelines", "platform": "marquez", "url": sandbox.url, "schedule": "every 5s"}
        with Service(tmp_path, [source]) as service, ThreadPoolExecutor(EMITTERS + READERS + 1) as threads:
            work: list[Future[None]] = [threads.submit(emit, service.url, one, world) for one in range(EMITTERS)]
            work += [threads.submit(read, service.url, world) for _ in range(READERS)]
            work.append(threads.submit(edit, sandbox, world))
            try:
                measured = restart(service, world)
            finally:
                world.enough.set()
            for one in work:
                one.result()
            with httpx2.Client(base_url=service.url, trust_env=False, timeout=60) as client:
                wait_for(lambda: shown(client) == world.upper(), "all that was told in the answer, and no more")
            syncs = service.ask(SYNCS)["syncs"]["total"]
        assert world.faults == []
        for word in ("Traceback", "exc_type", "never retrieved"):
            assert word not in service.log()
        _kept(tmp_path, world)
        service.run("doctor", "--full")
    _tell(world, measured, syncs)
    assert measured[2] <= measured[1] * GROWTH


def _kept(folder: Path, world: World) -> None:
    """Each acknowledged event is in the store once; an emitter may not have heard of others."""
    kept: Counter[str] = Counter()
    after = 0
    with Store.open(f"sqlite:///{folder / 'store.db'}", create=False) as store:
        while rows := store.events.after("inlet", after, 1000):
            kept.update(json.loads(body)["run"]["runId"] for _, body in rows)
            after = rows[-1][0]
    assert world.acknowledged
    assert [run for run in world.acknowledged if run not in kept] == []
    assert [run for run, count in kept.items() if count > 1] == []


def _tell(world: World, measured: list[float], syncs: int) -> None:
    start, warm, end = measured
    print(
        f"soak of {SECONDS} s: {len(world.acknowledged)} events acknowledged, {world.malformed} malformed, "
        f"{world.edits} edits, {syncs} syncs, {world.queries} answers checked, {world.restarts['SIGTERM']} restarts, "
        f"{world.restarts['SIGKILL']} kills; memory {start:.0f} MB at start, {warm:.0f} warm, {end:.0f} at the end"
    )
