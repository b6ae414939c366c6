"""`source forget`: what a source said is taken back."""

from typing import TYPE_CHECKING, Annotated

import typer

from .keeping import watching
from .session import Commands, Json, operator, session

if TYPE_CHECKING:
    from rich.console import Console

    from ...federation.rows import Forgotten

Id = Annotated[str, typer.Argument(metavar="ID", help="The source's id or name; also one that has left the file.")]
Purge = Annotated[
    bool, typer.Option("--purge", help="Erase its rows, raw events and letters too. There is no way back.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_source = typer.Typer(cls=Commands, help="One source, as the store knows it.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.add_typer(_source, name="source")


@_source.command("forget")
def forget(ctx: typer.Context, source: Id, purge: Purge = False, yes: Yes = False, as_json: Json = False) -> None:
    """Take back everything that a source said. What others say stays."""
    from ...federation.errors import BadInput, NotFound
    from ..opening import registry_of

    here = session(ctx, as_json)
    settings = here.settings()
    with here.store(settings) as store:
        rows = store.journal.sources()
        found = next((row for row in rows if row.id == source), None)
        found = found or next((row for row in rows if row.name == source), None)
        if found is None:
            raise NotFound(f"no source {source!r}: `watersmeet sources` lists them")
        if not yes:
            if here.as_json:
                raise BadInput("say --yes: with --json nobody is asked")
            what = "erase everything that" if purge else "take back everything that"
            held = store.journal.counts(found.id)
            typer.confirm(f"{what} {found.id} said ({held.assets} assets, {held.edges} edges)?", abort=True, err=True)
        with watching(here, "forget") as watch:
            done = store.forget(
                found.id,
                registry_of(settings),
                purge=purge,
                by=operator(),
                watch=lambda what, count: watch(f"{what} {count}", 0, 0),
            )
    here.answer(done, lambda screen: _show(screen, done, is_configured=found.removed_at is None))


def _show(screen: "Console", done: "Forgotten", *, is_configured: bool) -> None:
    screen.print(f"{done.source}: {done.retired} claims retired")
    if done.purged:
        screen.print(f"{done.erased} rows erased; backups taken before still hold them")
    if is_configured:
        screen.print("it is still in the configuration: the next sync reads it again")
