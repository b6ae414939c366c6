"""`backup` and `restore`: the store as one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .keeping import watching
from .session import Json, log_to_stderr, operator, session

if TYPE_CHECKING:
    from rich.console import Console

    from ...federation.rows import Copied

Target = Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE", show_default=False)]
Taken = Annotated[Path, typer.Argument(help="A file that `backup` wrote.", metavar="FILE", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(backup)
    app.command()(restore)


def backup(ctx: typer.Context, file: Target, force: Force = False, as_json: Json = False) -> None:
    """Copy the whole store into one file while everything goes on."""
    here = session(ctx, as_json)
    with here.store(here.settings()) as store, watching(here, "backup") as watch:
        store.audit.record("store.backup", by=operator(), detail={"file": str(file)})
        done = store.back_up(file, force=force, watch=lambda some, total: watch("copying", some, total))
    here.answer(done, lambda screen: _show(screen, done, "the copy"))


def restore(ctx: typer.Context, file: Taken, as_json: Json = False) -> None:
    """Make the configured store, which must not be there yet, of such a file."""
    from ...federation.store.backup import restore as restored

    here = session(ctx, as_json)
    log_to_stderr()
    settings = here.settings()
    with watching(here, "restore") as watch:
        done = restored(file, settings.store.url, watch=lambda some, total: watch("copying", some, total))
    with here.store(settings) as store:
        store.audit.record("store.restore", by=operator(), detail={"file": str(file), "rows": done.rows})
    here.answer(done, lambda screen: _show(screen, done, "the store"))


def _show(screen: "Console", done: "Copied", what: str) -> None:
    screen.print(f"{what} is whole: {done.rows:,} rows, {done.bytes / 2**20:,.1f} MiB, up to change {done.seq:,}")
    screen.print(done.file)
