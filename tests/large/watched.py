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
    """What one `watersmeet sync` or `migrate` said, and what it cost."""

    row: dict[str, Any]
    requests: int
    megabytes: float


class Watched:
    """One source in a store of its own, and where it is migrated to. `requests`: how many have arrived so far, at the
    platform that is read or, of migrations, at the one that is written to."""

    def __init__(
        self,
        folder: Path,
        source: dict[str, Any],
        requests: Callable[[], int],
        *targets: dict[str, Any],
        **environment: str,
    ) -> None:
        self.store = f"sqlite:///{folder / 'store.db'}"
        self._config = folder / "watersmeet.yaml"
        self._config.write_text(json.dumps({"store": {"url": self.store}, "sources": [source, *targets]}))
        self._name, self._platform = source["name"], source["platform"]
        self._requests = requests
        self._environment = os.environ | environment

    def sync(self) -> Synced:
        """A sync to its end; its memory by the system, its requests by the platform."""
        synced = self._done("sync", self._name)
        print(f"{synced.row['written']} rows written")
        return synced

    def migrated(self, target: str) -> Synced:
        """All that was read, written to another platform."""
        return self._done("migrate", self._name, "--to", target)

    def _done(self, *arguments: str) -> Synced:
        before, began = self._requests(), time.monotonic()
        done = measured(self._command("--json", *arguments), timeout=None, env=self._environment)
        assert done.code == 0, done.out + done.err
        told = json.loads(done.out)
        row = told[0] if isinstance(told, list) else told
        synced = Synced(row, self._requests() - before, done.megabytes)
        print(
            f"\n  {arguments[0]}: {time.monotonic() - began:.0f} s, {synced.requests} requests, "
            f"{synced.megabytes:.0f} MB"
        )
        return synced

    def _command(self, *arguments: str) -> list[str]:
        return watersmeet("--config", str(self._config), *arguments)

    def killed(self, requests: int) -> int:
        """A sync that is killed when so many requests have arrived; how many had when it was dead."""
        with Store.open(self.store) as store:
            store.journal.declare([SourceRow(self._name, self._name, self._platform, None, 0)])
            number = store.journal.enqueue(self._name, full=False)
        # What `sync` runs in a process of its own.
        return self._cut_off(requests, "pull", str(number))

    def killed_migrating(self, target: str, requests: int) -> int:
        """The same of a migration."""
        return self._cut_off(requests, "migrate", self._name, "--to", target)

    def _cut_off(self, requests: int, *arguments: str) -> int:
        before = self._requests()
        running = subprocess.Popen(
            self._command(*arguments),
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
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
