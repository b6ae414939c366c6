"""Which commands there are; what they need is imported when they run, so that `--help` answers at once."""

from pathlib import Path
from typing import Annotated

import typer

from . import (
    asking,
    audit,
    copying,
    demo,
    exporting,
    forgetting,
    keeping,
    letters,
    migrating,
    serving,
    setting_up,
    sources,
    syncing,
    tokens,
)
from .session import Commands, Json, Session

app = typer.Typer(
    cls=Commands,
    help="One lineage graph from many platforms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 incomplete, 2 usage, 3 configuration, 4 source, 5 store, 6 not found, 7 busy.",
)

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The configuration; else $WATERSMEET_CONFIG, else ./watersmeet.yaml."),
]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("watersmeet"))
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version and end.")]


@app.callback()
def _begin(ctx: typer.Context, config: Config = None, as_json: Json = False, version: Version = False) -> None:  # pyright: ignore[reportUnusedFunction]  # typer calls it
    ctx.obj = Session(config=config, as_json=as_json)


setting_up.add_to(app)
sources.add_to(app)
syncing.add_to(app)
asking.add_to(app)
exporting.add_to(app)
letters.add_to(app)
serving.add_to(app)
keeping.add_to(app)
forgetting.add_to(app)
migrating.add_to(app)
copying.add_to(app)
tokens.add_to(app)
audit.add_to(app)
demo.add_to(app)
