"""Pulls in processes of their own, so that a connector can neither block nor take down who asked for it."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from ..config.settings import Settings, Source
from ..connectors.catalogue import connector
from ..federation.errors import AlreadyRunning, NotFound, StoreUnavailable, WatersmeetError
from ..federation.model import SyncState
from ..federation.rows import SyncRow
from ..federation.store import Store
from ..federation.sync import pull
from .opening import registry_of

OPEN = (SyncState.QUEUED, SyncState.RUNNING)
GRACE = timedelta(seconds=10)
"""How long a cancelled pull may take to store its batch before its process is ended."""
_AGAIN = 2.0
"""Seconds until the end of a pull is written down again, where the store did not answer."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Child:
    source: str
    process: "subprocess.Popen[bytes]"
    ended: threading.Event = field(default_factory=threading.Event)


class Syncs:
    """The pulls that this process has started."""

    def __init__(self, store: Store, config: Path | None, *, grace: timedelta = GRACE) -> None:
        """`config` is the file of the settings, which the processes read again (so no secret is handed over)."""
        self._store = store
        self._config = config
        self._grace = grace
        self._children: dict[int, _Child] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._ending = threading.Event()

    def start(self, source_id: str, full: bool = False) -> int:
        """Begin a pull and return its id. Raises `NotFound`, `AlreadyRunning`."""
        with self._lock:
            if self._closed:
                raise AlreadyRunning(f"{source_id!r} is not pulled: this process is about to end")
            running = [number for number, child in self._children.items() if child.source == source_id]
            if running:
                raise AlreadyRunning(f"sync {running[0]} of {source_id!r} is running: wait for it, or cancel it")
            number = self._store.journal.enqueue(source_id, full)
            child = _Child(source_id, self._spawn(number))
            self._children[number] = child
        threading.Thread(target=self._attend, args=(number, child), name=f"sync-{number}", daemon=True).start()
        return number

    def run(self, source_id: str) -> SyncRow:
        """Pull and wait for the end, as the scheduler does. Raises `AlreadyRunning`."""
        return self.wait(self.start(source_id))

    def wait(self, sync_id: int, timeout: float | None = None) -> SyncRow:
        """Wait for a pull that was started here; returns what the journal says of it then."""
        child = self._children.get(sync_id)
        if child is not None:
            child.ended.wait(timeout)
        return self._store.journal.sync(sync_id)

    def processes(self) -> dict[int, int]:
        """The process of each pull that runs here."""
        with self._lock:
            return {number: child.process.pid for number, child in self._children.items()}

    def cancel(self, sync_id: int) -> None:
        """Ask a pull, whoever started it, to stop after the batch at hand."""
        self._store.journal.cancel(sync_id)

    def close(self) -> None:
        """Cancel what runs, give it time to store its batch, then end it."""
        with self._lock:
            self._closed = True
            children = dict(self._children)
        for number, child in children.items():
            if self._may_run_on(number):
                child.process.terminate()
        self._ending.set()
        for child in children.values():
            if not child.ended.wait(self._grace.total_seconds()):
                child.process.kill()
                child.ended.wait(self._grace.total_seconds())

    def _may_run_on(self, number: int) -> bool:
        """Cancel a pull; False: it has ended. Where the store does not answer its process is told all the same."""
        try:
            if self._store.journal.sync(number).state not in OPEN:
                return False
            self._store.journal.cancel(number)
        except StoreUnavailable as error:
            _log.warning("a sync is ended without a word in the journal", sync=number, reason=str(error))
        return True

    def _spawn(self, number: int) -> "subprocess.Popen[bytes]":
        config = ["--config", str(self._config)] if self._config is not None else []
        command = [sys.executable, "-m", f"{__package__}.cli", *config, "pull", str(number)]
        # A session of its own: Ctrl-C is for us, who then cancel and wait.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)

    def _attend(self, number: int, child: _Child) -> None:
        """Wait for the process; write down the end of one that could not do so itself."""
        message = f"the sync process ended with {spell_exit(child.process.wait())}"
        try:
            while not self._wrote_down(number, message) and not self._ending.wait(_AGAIN):
                pass
        except WatersmeetError:
            _log.exception("the end of a sync could not be written down", source=child.source, sync=number)
        finally:
            with self._lock:
                self._children.pop(number, None)
            child.ended.set()

    def _wrote_down(self, number: int, message: str) -> bool:
        try:
            close_open(self._store, number, message)
        except StoreUnavailable as error:
            _log.warning("the end of a sync waits for the store", sync=number, reason=str(error))
            return False
        return True


def close_open(store: Store, sync_id: int, message: str) -> None:
    """End a pull in the journal whose process is gone; one that has ended stays as it is."""
    row = store.journal.sync(sync_id)
    if row.state in OPEN:
        state = SyncState.CANCELLED if row.cancel else SyncState.FAILED
        store.journal.finish(sync_id, state, complete=False, message=message, error="Killed")


def spell_exit(code: int) -> str:
    """An exit code as people know it."""
    if code >= 0:
        return f"code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def pull_here(
    settings: Settings, store: Store, sync_id: int, *, stopping: Callable[[], bool] = lambda: False
) -> SyncRow:
    """Do a pull that is queued, in this process. What keeps it from beginning ends it in the journal too."""
    row = store.journal.sync(sync_id)
    try:
        source = pick(settings.sources, row.source, str(settings.path))
        registry = registry_of(settings)
        reader = connector(source)
    except WatersmeetError as error:
        error_name = type(error).__name__
        store.journal.finish(sync_id, SyncState.FAILED, complete=False, message=str(error), error=error_name)
        raise
    try:
        return pull(store, source.id, reader, registry=registry, sync_id=sync_id, full=row.full, stopping=stopping)
    finally:
        reader.close()


def pick(sources: Sequence[Source], name_or_id: str, where: str) -> Source:
    """A configured source by its id or name; `where` is the file they stand in. Raises `NotFound`."""
    for source in sources:
        if name_or_id in (source.id, source.name):
            return source
    known = ", ".join(source.name for source in sources) or "none yet"
    raise NotFound(f"no source {name_or_id!r} in {where}; configured: {known}")
