"""The inlet under fire: whatever is sent at it, the server stays up, answers clearly, and loses nothing it took."""

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from watersmeet.api.exporting import Chosen, exported
from watersmeet.federation.letters import replay
from watersmeet.federation.model import LetterState
from watersmeet.federation.naming import Registry
from watersmeet.federation.openlineage import admit
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import lag, project_events

from ..e2e.service import Service, wait_for
from ..scale import how_many
from .fire_events import SECRET, namespaces, original, run_id
from .fire_mutations import ONE, Shot, spoilt, written

PARTS = 2
BODIES = how_many(quick=300, ci=10_000, long=100_000) // PARTS
SAMPLE = how_many(quick=15, ci=100, long=1000)
MEMORY = 700 * 2**20
"""Bytes that the server may have had at most."""


class Fired:
    """What was sent and what was answered."""

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.kinds: dict[int, str] = {}
        self.wrong: list[str] = []

    def note(self, number: int, kind: str, answer: httpx2.Response) -> None:
        self.statuses[number], self.kinds[number] = answer.status_code, kind
        if answer.status_code >= 500 or not _is_clear(answer) or SECRET in answer.text:
            self.wrong.append(f"{number} {kind}: {answer.status_code} {answer.text[:300]}")


def _is_clear(answer: httpx2.Response) -> bool:
    told: Any = answer.json()
    return isinstance(told, dict) and (answer.status_code < 300 or bool(told["error"]))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A server that takes less than by default, so that its limits are met."""
    one = Service(tmp_path)
    told = yaml.safe_load(one.config.read_text())
    told["inlet"] = {"wire_bytes": 2**20, "inflated_bytes": 4 * 2**20}
    one.config.write_text(yaml.safe_dump(told))
    with one:
        yield one


def fire(service: Service, seed: int, count: int, events: Any = original) -> Fired:
    """Send spoilt events from four sides at once; the same seed sends the same."""
    fired = Fired()

    def some(side: int) -> None:
        with httpx2.Client(base_url=service.url, trust_env=False, timeout=60) as client:
            for number in range(side, count, 4):
                kind, shot = spoilt(random.Random(f"{seed}/{number}"), events(number))
                fired.note(number, kind, _send(client, shot))

    with ThreadPoolExecutor(4) as sides:
        list(sides.map(some, range(4)))
    return fired


def _send(client: httpx2.Client, shot: Shot) -> httpx2.Response:
    headers: Any = [(name.encode(), value.encode("latin-1")) for name, value in shot.headers.items()]
    if "content-type" not in shot.headers:
        headers.append((b"content-type", b"application/json"))
    content = iter([shot.body[:100], shot.body[100:]]) if shot.chunked else shot.body
    return client.post(shot.path, content=content, headers=headers)


def opened(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder / 'store.db'}", create=False)


@pytest.mark.hard
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(PARTS))
def test_spoilt_events_are_answered_kept_or_refused_and_can_be_corrected(service: Service, tmp_path: Path, seed: int):
    fired = fire(service, seed, BODIES)
    assert fired.wrong == []
    assert {201, 400, 415, 422} <= set(fired.statuses.values())
    with opened(tmp_path) as store:
        wait_for(lambda: lag(store, "inlet") == 0, "every event in the graph", 300)
        letters = {row.id: row.body for row in store.letters.page(1_000_000)}
        assert [row.id for row in store.letters.page(1_000_000) if row.reason == "internal"] == []
        assert [body for body in letters.values() if SECRET.encode() in body.replace(b"\0", b"")] == []
        assert [body for _, body in store.events.after("inlet", 0, 1_000_000) if SECRET.encode() in body] == []
        _correct(store, fired, letters, tmp_path)
    assert service.ask('{ search(text: "shop") { total } sources { name letters } }')["search"]["total"] > 0
    _check(service)
    print(f"seed {seed}: {len(fired.statuses)} bodies: {sorted(Counter(fired.statuses.values()).items())}, "
          f"{len(letters)} letters, at most {_memory(service) / 2**20:.0f} MiB")  # fmt: skip


def _correct(store: Store, fired: Fired, letters: dict[int, bytes], folder: Path) -> None:
    """Replay a sample of letters with the original events: the graph is then that of the originals."""
    by_run = {found[0].decode(): letter for letter, body in letters.items() if (found := re.search(_RUN, body))}
    refused = [
        number
        for number, status in sorted(fired.statuses.items())
        if status in (400, 422) and fired.kinds[number] not in ("batch", "top") and run_id(number) in by_run
    ]
    chosen = refused[:SAMPLE]
    assert len(chosen) >= min(SAMPLE, 5)
    for number in chosen:
        row = replay(store, by_run[run_id(number)], registry=Registry.EMPTY, body=written(original(number)))
        assert row.state is LetterState.REPLAYED
    spaces = [space for number in chosen for space in namespaces(number)]
    with Store.open(f"sqlite:///{folder / 'plain.db'}") as plain:
        plain.journal.declare([SourceRow("inlet", "inlet", "openlineage", None, 0)])
        plain.events.append("inlet", [admit(written(original(one)), key=plain.secret()) for one in chosen])
        while project_events(plain, "inlet", Registry.EMPTY):
            pass
        wanted = sorted(exported(plain, "full", Chosen(namespaces=spaces)))
    assert wanted
    assert sorted(exported(store, "full", Chosen(namespaces=spaces))) == wanted


_RUN = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def _memory(service: Service) -> int:
    """The most that the server has had in memory, in bytes."""
    assert service._process is not None  # pyright: ignore[reportPrivateUsage] - whose memory is asked for
    status = Path(f"/proc/{service._process.pid}/status").read_text()  # pyright: ignore[reportPrivateUsage]
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def _check(service: Service) -> None:
    log = service.log()
    assert "Traceback" not in log
    assert "exc_type" not in log
    assert '"level": "error"' not in log
    assert SECRET not in log
    if sys.platform == "linux":
        assert _memory(service) < MEMORY


@pytest.mark.hard
def test_recorded_events_of_real_emitters_are_spoilt_too(service: Service, shared: Path, tmp_path: Path):
    found = [json.loads(file.read_bytes()) for file in sorted((shared / "data/openlineage/events").rglob("*.json"))]
    events = [one for each in found for one in (each if isinstance(each, list) else [each]) if isinstance(one, dict)]
    assert events
    usable = [one for one in events if {"run", "job", "outputs"} <= set(one) and one["outputs"]]
    fired = fire(service, 7, how_many(quick=60, ci=1000, long=10_000), lambda number: usable[number % len(usable)])
    assert fired.wrong == []
    with opened(tmp_path) as store:
        wait_for(lambda: lag(store, "inlet") == 0, "every event in the graph", 200)
        assert [row.id for row in store.letters.page(100_000) if row.reason == "internal"] == []
    _check(service)


def test_what_was_cut_off_in_the_middle_of_a_secret_shows_none_of_it(service: Service, tmp_path: Path):
    """Each place where a body can break."""
    for number in range(3):
        body = written(original(number))
        places = [one for found in re.finditer(SECRET, body.decode()) for one in range(found.start(), found.end() + 8)]
        with httpx2.Client(base_url=service.url, trust_env=False, timeout=60) as client:
            for place in places:
                assert _send(client, Shot(body[:place], path=ONE)).status_code == 400
    with opened(tmp_path) as store:
        bodies = [row.body for row in store.letters.page(10_000)]
    assert bodies
    assert [body for body in bodies if re.search(rb"PLANTE|-conn|-key$|-pw$|-extra$", body)] == []
