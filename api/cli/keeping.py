"""`doctor` and `rebuild`: what keeps a store sound."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from .exits import Code
from .session import Json, Session, console, leave, log_to_stderr, operator, session

if TYPE_CHECKING:
    from rich.console import Console

    from ...federation.rows import Rebuilt

Full = Annotated[bool, typer.Option("--full", help="Look at everything, not at a sample of what is derived.")]
Watch = Callable[[str, int, int], None]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(doctor)
    app.command()(rebuild)


def doctor(ctx: typer.Context, full: Full = False, as_json: Json = False) -> None:
    """Look whether the store is sound, and say what to do where it is not. Changes nothing."""
    from ..examining import examined

    here = session(ctx, as_json)
    settings = here.settings()
    log_to_stderr()
    with watching(here, "doctor") as watch:
        found = examined(settings, full=full, watch=lambda what: watch(what, 0, 0))
    broken = [one for one in found if one.weight == "BROKEN"]

    def show(screen: "Console") -> None:
        for one in found:
            screen.print(f"{'!!' if one in broken else '--'} {one.what}")
            for example in one.examples:
                screen.print(f"     {example}")
            screen.print(f"   {one.remedy}")
        looked = "everything" if full else "a sample of what is derived, and everything else (--full looks at all)"
        screen.print(f"{len(broken)} broken, {len(found) - len(broken)} to note; looked at {looked}")

    here.answer({"sound": not broken, "findings": found}, show)
    leave(Code.INCOMPLETE if broken else Code.OK)


def rebuild(ctx: typer.Context, as_json: Json = False) -> None:
    """Derive everything derived again from the claims: records, keys, joins, search. Others may go on meanwhile."""
    from ..opening import registry_of

    here = session(ctx, as_json)
    settings = here.settings()
    with here.store(settings) as store, watching(here, "rebuild") as watch:
        store.audit.record("store.rebuild", by=operator())
        done = store.rebuild(registry_of(settings), watch=lambda one: watch(one.step, one.done, one.total))
    here.answer(done, lambda screen: _show(screen, done))
    leave(Code.INCOMPLETE if done.mended.get("left") else Code.OK)


def _show(screen: "Console", done: "Rebuilt") -> None:
    if done.resumed:
        screen.print("went on with a rebuild that had been ended before its time")
    said = {
        "records": "records were not what is claimed of them",
        "claims": "edges were not what was stated",
        "orphans": "rows belonged to nothing",
        "members": "records were shown under a wrong asset",
        "moved": "records moved to another asset",
        "left": "scopes could not be judged, since their source was written all the time: rebuild again",
    }
    for what, number in done.mended.items():
        screen.print(f"{number} {said.get(what, what)}")
    if not done.mended:
        screen.print("everything was as the claims give it")
    screen.print("page cursors of before have expired")


@contextmanager
def watching(here: Session, what: str) -> Generator[Watch]:
    """A bar on a terminal, nothing elsewhere."""
    screen = console(to_stderr=True)
    if here.as_json or not screen.is_terminal:
        yield lambda step, done, total: None
        return
    from rich.progress import Progress

    with Progress(console=screen) as progress:
        task = progress.add_task(what, total=None)

        def watch(step: str, done: int, total: int) -> None:
            progress.update(task, description=f"{what}: {step}", completed=done, total=total or None)

        yield watch
