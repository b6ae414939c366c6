"""Syncs of a large source: killed on the way, run to their end, and what each of them cost."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watersmeet.federation.columns import EVER, GraphColumns
from watersmeet.federation.model import AssetKind, EdgeKind
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

from ..measured import measured, watersmeet

MOST_MEGABYTES = 300


@dataclass(frozen=True, slots=True)
class Synced:
    """What one `watersmeet sync` said, and what it cost."""

    row: dict[str, Any]
    requests: int
    megabytes: float


class Watched:
    """One source in a store of its own. `requests`: how many have arrived at the platform so far."""

    def __init__(self, folder: Path, source: dict[str, Any], requests: Callable[[], int], **environment: str) -> None:
        self.store = f"sqlite:///{folder / 'store.db'}"
        self._config = folder / "watersmeet.yaml"
        self._config.write_text(json.dumps({"store": {"url": self.store}, "sources": [source]}))
        self._name, self._platform = source["name"], source["platform"]
        self._requests = requests
        self._environment = os.environ | environment

    def sync(self) -> Synced:
        """A sync to its end; its memory by the system, its requests by the platform."""
        before, began = self._requests(), time.monotonic()
        command = watersmeet("--json", "--config", str(self._config), "sync")
        done = measured(command, timeout=None, env=self._environment)
        assert done.code == 0, done.out + done.err
        (row,) = json.loads(done.out)
        synced = Synced(row, self._requests() - before, done.megabytes)
        print(
            f"\n  {time.monotonic() - began:.0f} s, {synced.requests} requests, {synced.megabytes:.0f} MB, "
            f"{row['written']} rows written"
        )
        return synced

    def killed(self, requests: int) -> int:
        """A sync that is killed when so many requests have arrived; how many had when it was dead."""
        before = self._requests()
        with Store.open(self.store) as store:
            store.journal.declare([SourceRow(self._name, self._name, self._platform, None, 0)])
            number = store.journal.enqueue(self._name, full=False)
        # What `sync` runs in a process of its own.
        command = watersmeet("--config", str(self._config), "pull", str(number))
        running = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        while self._requests() - before < requests:
            assert running.poll() is None, f"it ended before it could be killed: {running.communicate()[0]}"
            time.sleep(0.01)
        running.kill()
        running.communicate()
        return self._requests() - before

    def graph(self) -> "Graph":
        """What the store holds now."""
        with Store.open(self.store, create=False) as store:
            return Graph(store.reader.columns())


class Graph:
    """Counts over the whole store."""

    def __init__(self, columns: GraphColumns) -> None:
        self._columns = columns

    def records(self, kind: AssetKind) -> int:
        """How many things of a kind are described and stand."""
        columns = self._columns
        return int((self._of(columns.kind, kind) & ~columns.stub & (columns.tombstoned == EVER)).sum())

    def edges(self, kind: EdgeKind, between: AssetKind) -> int:
        """How many edges of a kind come from a thing of one kind."""
        columns = self._columns
        kinds = columns.kind[np.searchsorted(columns.record, columns.up)]
        is_wanted = columns.edge_kind == list(EdgeKind).index(kind)
        return int((is_wanted & self._of(kinds, between)).sum())

    @staticmethod
    def _of(kinds: NDArray[np.uint8], kind: AssetKind) -> NDArray[np.bool_]:
        return kinds == list(AssetKind).index(kind)
