"""Those who ask while others post: each answer lies between what had to be in it and what could be in it."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from .crowd import Crowd
from .stars import SPACE, STARS, Sky, star

FIND = "query($key: String!) { asset(key: $key) { id } }"
FOLLOWED = """query($root: ID!, $after: String) {
  lineage(root: $root, direction: DOWNSTREAM, kinds: [DATASET], first: 4, after: $after) {
    nodes { name depth } pageInfo { hasNextPage endCursor }
    completeness { exact truncated hidden stale { source reason } failures { source what } }
  }
}"""
SYNC = "mutation($source: String!) { sync(source: $source) { id } }"
WATCH = "subscription { syncs { id state } }"
_LATER = ("UNAVAILABLE", "CURSOR_EXPIRED")
"""Codes that say: ask again."""


@dataclass
class Heard:
    """What the askers were told, together."""

    answers: int = 0
    pages: int = 0
    later: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    messages: int = 0
    """Of the subscriptions."""
    begun: int = 0
    """Syncs."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    seen: list[frozenset[str]] = field(default_factory=lambda: [frozenset[str]()] * STARS)
    """The largest answer about each star that has ended."""


def key_of(name: str) -> str:
    """What a person would paste to find a table."""
    return f"dataset:{SPACE}:{name}"


class Askers(Crowd):
    """Two ask without end, one begins syncs, one listens; `with` ends them."""

    def __init__(self, url: str, sky: Sky, heard: Heard, sources: list[str]) -> None:
        super().__init__()
        self._url = url
        self._sky = sky
        self._heard = heard
        self._sources = sources

    def work(self) -> Sequence[Callable[[], None]]:
        return (lambda: self._ask(1), lambda: self._ask(2), self._sync, self._listen)

    def _ask(self, seed: int) -> None:
        chance = random.Random(seed)
        with httpx2.Client(base_url=self._url, trust_env=False, timeout=60) as client:
            while not self.until.wait(0.02):
                number = chance.randrange(STARS)
                with self._heard.lock:
                    before = self._heard.seen[number]
                found = self._followed(client, number)
                if found is None:
                    continue
                self._judge(number, before, found, self._sky.tried(number))

    def _judge(self, number: int, before: frozenset[str], found: frozenset[str], after: frozenset[str]) -> None:
        """What an earlier answer held is in it, and nothing that nobody had sent."""
        with self._heard.lock:
            self._heard.answers += 1
            if not before <= found:
                self._heard.wrong.append(f"star {number} lost {sorted(before - found)[:5]}")
            if not found <= after:
                self._heard.wrong.append(f"star {number} has {sorted(found - after)[:5]}, which nobody sent")
            if len(found) > len(self._heard.seen[number]):
                self._heard.seen[number] = found

    def _followed(self, client: httpx2.Client, number: int) -> frozenset[str] | None:
        """All pages of what a star leads to; None where the server was away or says that it moved on."""
        names: list[str] = []
        cursor: str | None = None
        asset = self._told(client, FIND, key=key_of(star(number)))
        if asset is None or asset["asset"] is None:
            return None
        while True:
            told = self._told(client, FOLLOWED, root=asset["asset"]["id"], after=cursor)
            if told is None:
                return None
            page = told["lineage"]
            names += [node["name"] for node in page["nodes"] if node["depth"] > 0]
            with self._heard.lock:
                self._heard.pages += 1
            if not page["pageInfo"]["hasNextPage"]:
                break
            cursor = page["pageInfo"]["endCursor"]
        if len(set(names)) != len(names):
            self._heard.wrong.append(f"star {number}: pages overlap")
        return frozenset(names)

    def _told(self, client: httpx2.Client, query: str, **variables: Any) -> Any:
        try:
            answer = client.post("/graphql", json={"query": query, "variables": variables})
        except httpx2.HTTPError:
            self._later("away")
            return None
        told = answer.json()
        for error in told.get("errors", ()):
            code = error["extensions"]["code"]
            if code in _LATER:
                self._later(code)
            else:
                self._heard.wrong.append(f"{answer.status_code} {error}")
        return None if "errors" in told else told["data"]

    def _later(self, why: str) -> None:
        with self._heard.lock:
            self._heard.later[why] += 1

    def _sync(self) -> None:
        chance = random.Random(3)
        with httpx2.Client(base_url=self._url, trust_env=False, timeout=60) as client:
            while not self.until.wait(1):
                body = {"query": SYNC, "variables": {"source": chance.choice(self._sources)}}
                try:
                    told = client.post("/graphql", json=body).json()
                except httpx2.HTTPError:
                    continue
                codes = [error["extensions"]["code"] for error in told.get("errors", ())]
                if not codes:
                    self._heard.begun += 1
                elif codes != ["UNAVAILABLE"]:  # another one is running
                    self._heard.wrong.append(f"a sync: {told['errors']}")

    def _listen(self) -> None:
        url = f"{self._url.replace('http', 'ws', 1)}/graphql"
        while not self.until.wait(0.2):
            try:
                with connect(url, subprotocols=["graphql-transport-ws"], proxy=None, open_timeout=20) as socket:  # pyright: ignore
                    socket.send(json.dumps({"type": "connection_init"}))
                    socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": WATCH}}))
                    while not self.until.is_set():
                        self._hear(json.loads(socket.recv(timeout=5)))
            except (OSError, WebSocketException, TimeoutError):
                continue

    def _hear(self, told: Any) -> None:
        if told["type"] == "next":
            with self._heard.lock:
                self._heard.messages += 1
            if "errors" in told["payload"]:
                self._heard.wrong.append(f"a subscription: {told['payload']['errors']}")
