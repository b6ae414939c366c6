"""Everything at once for a while: syncs, events, questions, restarts. Nothing is lost, wrong, or grows without end."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from watersmeet.federation.graph.graph import KEEP_SECONDS
from watersmeet.federation.store import Store
from watersmeet.federation.sync import lag

from ..e2e.service import Service, wait_for
from ..kills.forks import Forks
from ..kills.test_killed_servers import serving
from ..kills.worlds import World
from .askers import FIND, FOLLOWED, Askers, Heard, key_of
from .stars import BROKEN, STARS, Emitters, Sky, star

SECONDS = int(os.environ.get("WATERSMEET_SOAK", "0")) // 2
"""On each database."""
GROWTH = 1.10
SLACK = 24 * 2**20
"""A warm server may grow by a tenth and by so many bytes: the pages of the database, and what Python keeps."""

pytestmark = [
    pytest.mark.skipif(SECONDS == 0, reason="takes minutes: `make soak` runs it"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc"),
    pytest.mark.timeout(0),
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World.opened(tmp_path, seed=31) as one:
        yield one


def memory(service: Service) -> int:
    """What the server's process holds now, in bytes."""
    for line in Path(f"/proc/{service.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def test_a_soak(store_url: str, world: World, forks: Forks) -> None:
    sky, heard = Sky(), Heard()
    with serving(world, store_url) as service:
        restarts = unsteady(service, sky, heard, world, SECONDS * 0.3)
        samples = steady(service, sky, heard, world, SECONDS * 0.7)
        assert heard.wrong == []
        assert sky.refused == []
        judge_quiet(service, store_url, sky, lambda: world.follow(forks, service.config))
        service.stop()
        log = service.log()
    tell(store_url, sky, heard, restarts, samples)
    assert heard.answers > SECONDS / 4
    assert min(restarts, heard.begun, heard.messages, sky.rejected) > 0
    assert "Traceback" not in log
    assert "exc_type" not in log
    judge_memory(samples)
    judge_kept(store_url, sky)
    world.check(forks, service.config, store_url, [*sorted(acknowledged_or_kept(store_url, sky)), *BROKEN])


def unsteady(service: Service, sky: Sky, heard: Heard, world: World, lasting: float) -> int:
    """The server is killed or asked to end every few seconds; returns how often."""
    ends, restarts = time.monotonic() + lasting, 0
    with Emitters(service.url, sky), Askers(service.url, sky, heard, list(world.houses)):
        while time.monotonic() < ends:
            world.change()
            time.sleep(world.chance.uniform(1, 6))
            service.stop(signal.SIGKILL if restarts % 2 else signal.SIGTERM)
            service.start()
            restarts += 1
    return restarts


def steady(service: Service, sky: Sky, heard: Heard, world: World, lasting: float) -> list[int]:
    """One life of the server under the same load; returns its memory from when it was warm.

    Graphs that were replaced are kept for a while, so it fills for so long; a shorter soak judges what it can.
    """
    service.stop()
    filling = min(KEEP_SECONDS, lasting * 0.72)
    with Emitters(service.url, sky), Askers(service.url, sky, heard, list(world.houses)):
        service.start()
        began, samples = time.monotonic(), list[int]()
        while time.monotonic() < began + lasting:
            world.change()
            time.sleep(1)
            if time.monotonic() > began + filling:
                samples.append(memory(service))
    return samples


def judge_quiet(service: Service, url: str, sky: Sky, follow: Callable[[], None]) -> None:
    """When nobody posts any more and all sources were read, every star leads to exactly what the store's events say."""
    with Store.open(url, create=False) as store:
        wait_for(lambda: not lag(store, "inlet"), "all events in the graph", 300)
        wait_for(lambda: all(row.ended_at for row in store.journal.syncs(first=1000)), "the end of the syncs", 120)
    follow()
    said = [orjson.loads(body) for body in kept(url)]
    for number in range(STARS):
        name = star(number)
        told = {one["outputs"][0]["name"] for one in said if one["inputs"][0]["name"] == name}
        assert sky.known(number) <= told
        assert followed(service, number) == told


def followed(service: Service, number: int) -> set[str]:
    """All pages at once, from a server that is left alone."""
    asset = service.ask(FIND, key=key_of(star(number)))["asset"]
    names: set[str] = set()
    cursor = None
    while True:
        page = service.ask(FOLLOWED, root=asset["id"], after=cursor)["lineage"]
        told = page["completeness"]
        assert (told["truncated"], told["hidden"], told["stale"]) == (False, 0, [])
        assert {one["source"] for one in told["failures"]} <= {"inlet"}, told["failures"]  # the letters that wait there
        names |= {node["name"] for node in page["nodes"] if node["depth"] > 0}
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return names


def judge_memory(samples: list[int]) -> None:
    """The last quarter of a warm life holds no more than its first, but for some slack."""
    quarter = max(1, len(samples) // 4)
    first, last = max(samples[:quarter]), max(samples[-quarter:])
    assert last <= first * GROWTH + SLACK, f"{first >> 20} MiB became {last >> 20} MiB"


def kept(url: str) -> Counter[bytes]:
    """The events of the store."""
    found: Counter[bytes] = Counter()
    after = 0
    with Store.open(url, create=False) as store:
        while rows := store.events.after("inlet", after, 1000):
            found.update(body for _, body in rows)
            after = rows[-1][0]
    return found


def acknowledged_or_kept(url: str, sky: Sky) -> set[bytes]:
    """What is in the store: all that was acknowledged, and what was sent as the server died."""
    there = kept(url)
    return {body for body in sky.events if body in there}


def judge_kept(url: str, sky: Sky) -> None:
    """Every acknowledged event is there, once, as it was sent; and nothing that nobody sent."""
    there = kept(url)
    assert [body for body, was in sky.events.items() if was and body not in there] == []
    assert [body for body, count in there.items() if count > 1] == []
    assert [body for body in there if body not in sky.events] == []


def tell(url: str, sky: Sky, heard: Heard, restarts: int, samples: list[int]) -> None:
    """The figures."""
    many = sum(sky.events.values())
    print(
        f"\n{url.partition(':')[0]}: {SECONDS} s, {many} events acknowledged and {sky.rejected} refused, "
        f"{heard.answers} answers on {heard.pages} pages, {heard.begun} syncs, {heard.messages} messages, "
        f"{restarts} restarts; asked again: {dict(heard.later)}; memory of a warm server "
        f"{samples[0] >> 20} MiB, at the end {samples[-1] >> 20} MiB, at most {max(samples) >> 20} MiB"
    )
