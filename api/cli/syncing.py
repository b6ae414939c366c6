"""`sync`: pull sources now, each in a process of its own, and show how far they are."""

import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from .exits import Code
from .session import Json, Session, console, leave, session
from .sources import Names

if TYPE_CHECKING:
    from rich.console import Console

    from ...config.settings import Settings
    from ...federation.rows import SyncRow
    from ...federation.store import Store

Full = Annotated[bool, typer.Option("--full", help="Read everything again, not only what is new.")]
_EVERY = 0.25
_BAD = {
    "Misconfigured": Code.MISCONFIGURED,
    "StoreUnavailable": Code.STORE,
    "AlreadyRunning": Code.BUSY,
    "NotFound": Code.NOT_FOUND,
}

Watch = Callable[["Sequence[SyncRow]"], None]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(sync)
    app.command(hidden=True)(pull)


def sync(ctx: typer.Context, sources: Names = None, full: Full = False, as_json: Json = False) -> None:
    """Pull sources now: all without a name. Waits for posted events to be understood, too."""
    here = session(ctx, as_json)
    settings = here.settings()
    with _interruptible(), here.store(settings) as store:
        rows = _pull_all(here, settings, store, sources, full)
        rows += _posted(settings, store, sources, full)
        here.answer(rows, lambda console: _sum_up(console, rows))
    leave(max(map(_code, rows), default=Code.OK))


def pull(ctx: typer.Context, sync_id: int) -> None:
    """Do a queued pull in this process; what the parent of `Syncs` starts."""
    from ..syncs import pull_here

    stopping = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    here = session(ctx)
    settings = here.settings()
    with here.store(settings) as store:
        leave(_code(pull_here(settings, store, sync_id, stopping=stopping.is_set)))


def _pull_all(
    here: Session, settings: "Settings", store: "Store", names: list[str] | None, full: bool
) -> "list[SyncRow]":
    from ..syncs import OPEN, Syncs, pick

    posted = {settings.inlet.id, settings.inlet.name}
    wanted = [name for name in names if name not in posted] if names else [source.id for source in settings.sources]
    chosen = [pick(settings.sources, name, str(settings.path)) for name in wanted]
    syncs = Syncs(store, settings.path)
    try:
        numbers = [syncs.start(source.id, full) for source in chosen]
        with _watching(here, [source.name for source in chosen]) as watch:
            while True:
                rows = [store.journal.sync(number) for number in numbers]
                watch(rows)
                if not any(row.state in OPEN for row in rows):
                    return rows
                time.sleep(_EVERY)
    finally:
        syncs.close()


def _posted(settings: "Settings", store: "Store", names: list[str] | None, full: bool) -> "list[SyncRow]":
    """Until every posted event is part of the graph; a server that does the same is waited for.

    The journal gets a row where the inlet was named, or where something waited.
    """
    from ...federation.sync import follow, lag
    from ..opening import registry_of

    inlet = settings.inlet
    is_named = bool({inlet.id, inlet.name} & set(names or ()))
    if not is_named and not lag(store, inlet.id):
        return []
    row = follow(store, inlet.id, registry_of(settings), full=full and is_named, pause=lambda: time.sleep(_EVERY))
    return [row]


@contextmanager
def _interruptible() -> Generator[None]:
    """SIGTERM counts as Ctrl-C: what runs is cancelled, not left behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _watching(here: Session, names: Sequence[str]) -> Generator[Watch]:
    """A bar for each source on a terminal; elsewhere one line when it begins and one when it ends."""
    screen = console(to_stderr=True)
    if here.as_json or not names:
        yield lambda rows: None
    elif screen.is_terminal:
        with _bars(screen, names) as watch:
            yield watch
    else:
        yield _lines(screen, names)


def _lines(screen: "Console", names: Sequence[str]) -> Watch:
    said: dict[str, str] = {}

    def watch(rows: "Sequence[SyncRow]") -> None:
        for name, row in zip(names, rows, strict=True):
            if said.get(name) != row.state:
                said[name] = row.state
                screen.print(f"{name}: {row.state.lower()}")

    return watch


@contextmanager
def _bars(screen: "Console", names: Sequence[str]) -> Generator[Watch]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen) as progress:
        tasks = [progress.add_task(name, total=None, said="") for name in names]

        def watch(rows: "Sequence[SyncRow]") -> None:
            for task, row in zip(tasks, rows, strict=True):
                said = f"{row.state.lower()}, {row.read} read, {row.written} written"
                total = row.total if row.ended_at is None else max(row.done, 1)
                progress.update(task, completed=row.done or (1 if row.ended_at else 0), total=total, said=said)

        yield watch


def _sum_up(console: "Console", rows: "Sequence[SyncRow]") -> None:
    for row in rows:
        numbers = f"{row.read} read, {row.written} written, {row.removed} removed, {row.skipped} skipped"
        console.print(f"{row.source}: {row.state.lower()}: {numbers}")
        if row.message:
            console.print(f"  {row.message}")
        for grant in row.missing_grants:
            console.print(f"  lacks the grant: {grant}")
    if not rows:
        console.print("nothing to pull: no sources are configured")


def _code(row: "SyncRow") -> Code:
    match row.state.value:
        case "SUCCEEDED":
            return Code.OK
        case "FAILED" | "CANCELLED" if row.error:
            return _BAD.get(row.error, Code.SOURCE)
        case _:
            return Code.INCOMPLETE
