"""`export`: what is known, in a form that other tools read."""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from ...config.errors import Misconfigured
from .session import Commands, Json, Session, console, leave, session

if TYPE_CHECKING:  # so that `--help` answers at once
    from ..exporting import Chosen, Losses


class Shape(StrEnum):
    """Which events are written."""

    FULL = "full"
    LEGACY = "legacy"


class Receiver(StrEnum):
    """Whose limits are kept to."""

    ANY = "any"
    MARQUEZ = "marquez"


Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="The file to write, one event a line; - is stdout.")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="URL", help="The receiver to post the events to, below api/v1/lineage.")
]
Profile = Annotated[
    Shape, typer.Option("--profile", help="full: all kinds of events; legacy: run events only, for older consumers.")
]
TokenEnv = Annotated[
    str | None,
    typer.Option("--token-env", metavar="VARIABLE", help="The environment variable that holds a token for --to."),
]
State = Annotated[
    Path | None,
    typer.Option("--state", metavar="FILE", help="Remembers what --to acknowledged, so that it is not sent again."),
]
Refused = Annotated[
    Path | None,
    typer.Option("--refused", metavar="FILE", help="Where to write the events that --to refused, one a line."),
]
Batch = Annotated[int, typer.Option("--batch", min=1, max=1000, help="So many events a request of --to.")]
Gzip = Annotated[bool, typer.Option("--gzip", help="Pack what is posted to --to.", show_default=False)]

Target = Annotated[
    Receiver,
    typer.Option("--target", help="marquez: hold back what would break it."),
]
Differences = Annotated[
    Path | None, typer.Option("--differences", metavar="FILE", help="Where to write what the events cannot say.")
]

Platforms = Annotated[list[str] | None, typer.Option("--platform", help="Only what this platform tells; repeatable.")]
Namespaces = Annotated[
    list[str] | None, typer.Option("--namespace", help="Only datasets and jobs of this namespace; repeatable.")
]
Since = Annotated[datetime | None, typer.Option("--since", help="Only runs that started from then on (UTC).")]

_export = typer.Typer(cls=Commands, help="Write what is known in a form that other tools read.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.add_typer(_export, name="export")


@_export.command("openlineage")
def openlineage(
    ctx: typer.Context,
    output: Output = None,
    to: To = None,
    profile: Profile = Shape.FULL,
    platform: Platforms = None,
    namespace: Namespaces = None,
    since: Since = None,
    token_env: TokenEnv = None,
    state: State = None,
    refused: Refused = None,
    batch: Batch = 1,
    gzip: Gzip = False,
    target: Target = Receiver.ANY,
    differences: Differences = None,
    as_json: Json = False,
) -> None:
    """Write the graph, or a part of it, as OpenLineage events: into a file, one a line, or to a receiver over HTTP."""
    from ..exporting import Chosen, Losses
    from .posting import Posting

    here = session(ctx, as_json)
    chosen = Chosen(platform or (), namespace or (), since and since.replace(tzinfo=since.tzinfo or UTC))
    posting = Posting(to, token_env, state, refused, batch, gzip, target is Receiver.MARQUEZ)
    posting.agree_with(output)
    losses = Losses()
    if output is not None:
        _write(here, output, profile.value, chosen, losses)
        report(losses, differences)
    else:
        code = posting.run(here, profile.value, chosen, losses)
        report(losses, differences)
        leave(code)


def report(losses: "Losses", file: Path | None) -> None:
    """Write what the events cannot say, where that is wanted, and say that there is something."""
    if file is not None:
        with opened(file) as stream:
            stream.write(json.dumps(losses.told(), ensure_ascii=False, indent=2).encode() + b"\n")
    elif losses.total:
        told = f"{losses.total} things are beyond the legacy profile; --differences FILE counts them by kind"
        console(to_stderr=True).print(told)


def _write(here: Session, output: Path, profile: str, chosen: "Chosen", losses: "Losses") -> None:
    from ..exporting import exported

    count = 0
    with here.store(here.settings()) as store, opened(output) as stream:
        for line in exported(store, profile, chosen, losses):
            stream.write(line)
            stream.write(b"\n")
            count += 1
    if output != Path("-"):
        here.answer(
            {"wrote": str(output), "events": count}, lambda screen: screen.print(f"wrote {count} events to {output}")
        )
    else:
        console(to_stderr=True).print(f"{count} events")


@contextmanager
def opened(output: Path) -> Generator[BinaryIO]:
    """The file under another name until it is whole, so that nobody reads half of it."""
    if output == Path("-"):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    beside = output.with_name(f"{output.name}.part")
    try:
        with beside.open("wb") as stream:
            yield stream
        beside.replace(output)
    except OSError as error:
        raise Misconfigured(
            f"{output} cannot be written: {error.strerror}; name a file in a folder of yours"
        ) from error
    finally:
        beside.unlink(missing_ok=True)
