"""`serve`: the endpoint, the inlet and the scheduler in one process."""

from typing import Annotated

import typer

from .session import Json, session

Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Instead of `server.port`; 0 takes a free one.")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(serve)


def serve(ctx: typer.Context, port: Port = None, as_json: Json = False) -> None:
    """Serve GraphQL, the inlet and the web page; pull the sources when they are due."""
    from ..server import serve as run

    here = session(ctx, as_json)
    run(here.settings(), port=port)
