"""Emitters that post to a server which comes and goes, and remember what it acknowledged."""

import threading
import time
from dataclasses import dataclass, field
from typing import Self

import httpx2
import orjson

from ..api.fire_events import original, run_id

MANY = 4
_JSON = {"content-type": "application/json"}


@dataclass
class Emitters:
    """They post one event after the other, each again until it is taken; `with` ends them."""

    url: str
    acknowledged: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])
    """Answers that are neither 201 nor a 503, which says: later."""
    later: int = 0
    sent: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """What was tried, by run: a part of it is kept though nobody lived to say so."""
    _until: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def __enter__(self) -> Self:
        for one in range(MANY):
            thread = threading.Thread(target=self._post, args=(one,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._until.set()
        for thread in self._threads:
            thread.join(60)

    def _post(self, emitter: int) -> None:
        with httpx2.Client(base_url=self.url, trust_env=False, timeout=10) as client:
            for turn in range(1_000_000):
                number = (emitter * 1_000_000 + turn) * 10
                self.sent[run_id(number)] = event = orjson.dumps(original(number))
                while not self._until.is_set():
                    try:
                        answer = client.post("/api/v1/lineage", content=event, headers=_JSON)
                    except httpx2.HTTPError:
                        time.sleep(0.05)  # nobody is there
                        continue
                    if answer.status_code == 201:
                        self.acknowledged.append(run_id(number))
                        break
                    self.later += 1
                    if answer.status_code != 503:
                        self.refused.append(f"{answer.status_code} {answer.text[:300]}")
                    time.sleep(0.05)
                if self._until.is_set():
                    return
                time.sleep(0.01)  # so that the graph of each round stays small
