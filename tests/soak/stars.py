"""Emitters whose lineage anybody can foretell: each run reads one table, its star, and writes another, a ray."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx2
import orjson

from .crowd import Crowd

RAYS = 15
"""So many tables are written from one star."""
STARS = 12
SPACE = "postgres://soak:5432"
_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_PAUSE = 0.02
BROKEN: tuple[bytes, ...] = (
    b"",
    b"{",
    b"[1, 2, 3]",
    b'{"eventTime": "2026-11-20T12:00:00Z", "run": {"runId": "no job"}}',
    b'{"eventTime": "2026-11-20T12:00:00Z", "run": {"runId": ""}, "job": {"namespace": "soak"}}',
    b'{"eventTime": "yesterday", "inputs": {}, "job": {"namespace": "soak", "name": "x"}, "run": {"runId": "y"}}',
)
"""What is no event; each is refused, and stands among the letters once."""


def star(number: int) -> str:
    """The table that all runs of a star read."""
    return f"soak.raw.star_{number}"


def ray(number: int, turn: int) -> str:
    """One of the tables that are written from it."""
    return f"soak.mart.star_{number}_ray_{turn}"


def event(number: int, turn: int, telling: int) -> dict[str, Any]:
    """A run of that star and ray says for the so-manyth time that it is done."""
    return {
        "eventType": "COMPLETE",
        "eventTime": f"2026-11-20T{telling // 3600 % 24:02}:{telling // 60 % 60:02}:{telling % 60:02}.000001Z",
        "producer": "https://example.com/soak/1.0",
        "schemaURL": _SPEC,
        "run": {"runId": f"5000{number:04}-0000-4000-8000-{turn:012}"},
        "job": {"namespace": "soak", "name": f"star_{number}"},
        "inputs": [{"namespace": SPACE, "name": star(number)}],
        "outputs": [{"namespace": SPACE, "name": ray(number, turn)}],
    }


@dataclass
class Sky:
    """What was sent and what was acknowledged, star by star; safe to ask from many threads."""

    sent: list[set[str]] = field(default_factory=lambda: [set[str]() for _ in range(STARS)])
    acknowledged: list[set[str]] = field(default_factory=lambda: [set[str]() for _ in range(STARS)])
    events: dict[bytes, bool] = field(default_factory=dict[bytes, bool])
    """Each body, and whether it was acknowledged."""
    refused: list[str] = field(default_factory=list[str])
    """Answers that were neither a yes nor a later."""
    rejected: int = 0
    """Of what is no event."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def known(self, number: int) -> frozenset[str]:
        """The rays that were acknowledged."""
        with self.lock:
            return frozenset(self.acknowledged[number])

    def tried(self, number: int) -> frozenset[str]:
        """The rays that were sent."""
        with self.lock:
            return frozenset(self.sent[number])


class Emitters(Crowd):
    """They post without end, each event again until it is taken; `with` ends them."""

    def __init__(self, url: str, sky: Sky, many: int = 3) -> None:
        super().__init__()
        self._url = url
        self._sky = sky
        self._many = many

    def work(self) -> Sequence[Callable[[], None]]:
        return [partial(self._post, one, self._many) for one in range(self._many)]

    def _post(self, emitter: int, many: int) -> None:
        """First every ray of every star of this emitter, then all of them again: the graph stays as large as it is."""
        chance = random.Random(emitter)
        mine = [(number, turn) for turn in range(RAYS) for number in range(STARS) if number % many == emitter]
        with httpx2.Client(base_url=self._url, trust_env=False, timeout=20) as client:
            for count in range(10_000_000):
                number, turn = mine[count % len(mine)]
                body = orjson.dumps(event(number, turn, count // len(mine)), option=orjson.OPT_SORT_KEYS)
                with self._sky.lock:
                    self._sky.sent[number].add(ray(number, turn))
                    self._sky.events[body] = False
                self._until_taken(client, body)
                if self.until.is_set():
                    return
                with self._sky.lock:
                    self._sky.acknowledged[number].add(ray(number, turn))
                    self._sky.events[body] = True
                if count % 20 == 0:
                    self._refused(client, chance.choice(BROKEN))
                self.until.wait(_PAUSE)

    def _until_taken(self, client: httpx2.Client, body: bytes) -> None:
        while not self.until.is_set():
            status, said = self._told(client, body)
            if status == 201:
                return
            if status not in (0, 503):
                self._sky.refused.append(f"{status} {said}")
            time.sleep(0.1)

    def _refused(self, client: httpx2.Client, body: bytes) -> None:
        status, said = self._told(client, body)
        if status in (400, 422):
            with self._sky.lock:
                self._sky.rejected += 1
        elif status not in (0, 503):
            self._sky.refused.append(f"{status} {said} for what is no event")

    def _told(self, client: httpx2.Client, body: bytes) -> tuple[int, str]:
        """The status and the words; 0: nobody is there."""
        try:
            answer = client.post("/api/v1/lineage", content=body, headers={"content-type": "application/json"})
        except httpx2.HTTPError:
            return 0, ""
        return answer.status_code, answer.text[:200]
