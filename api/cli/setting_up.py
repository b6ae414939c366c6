"""`init` and `config`: a first configuration, and what is wrong with it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...config.errors import Misconfigured
from .exits import Code
from .session import Commands, Json, leave, session

if TYPE_CHECKING:
    from rich.console import Console

_config = typer.Typer(cls=Commands, help="The configuration: is it right, and what does it say?", no_args_is_help=True)
Target = Annotated[Path, typer.Argument(help="The file to write.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(init)
    app.add_typer(_config, name="config")


def init(ctx: typer.Context, file: Target = Path("watersmeet.yaml"), as_json: Json = False) -> None:
    """Write a configuration with every key explained. Never overwrites."""
    from ...config.settings import EXAMPLE

    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Misconfigured(f"{file} is there already and stays as it is; name another file, or move it") from error
    except OSError as error:
        raise Misconfigured(f"{file} cannot be written: {error.strerror}; name a file in a folder of yours") from error
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(EXAMPLE.read_text(encoding="utf-8"))

    def show(console: "Console") -> None:
        console.print(f"wrote {file}\nnext: name your sources in it, then `watersmeet check` and `watersmeet sync`")

    session(ctx, as_json).answer({"wrote": str(file)}, show)


@_config.command("check")
def check(ctx: typer.Context, as_json: Json = False) -> None:
    """Read the configuration and list everything that is wrong with it."""
    from ...config.settings import problems

    here = session(ctx, as_json)
    found = problems(here.config)

    def show(console: "Console") -> None:
        for problem in found:
            console.print(str(problem))
        if not found:
            console.print("nothing is wrong with the configuration")

    here.answer({"problems": found}, show)
    leave(Code.MISCONFIGURED if found else Code.OK)


@_config.command("show")
def show(ctx: typer.Context, as_json: Json = False) -> None:
    """Print the configuration in force, with defaults, and without any secret."""
    import yaml

    here = session(ctx, as_json)
    settings = here.settings()

    def printed(console: "Console") -> None:
        console.print(f"# {settings.path or 'the environment'}")
        console.print(yaml.safe_dump(settings.redacted(), sort_keys=False, allow_unicode=True).rstrip())

    here.answer(settings.redacted(), printed)
