"""`audit`: who did what, and whether the log of it is what was written."""

from typing import TYPE_CHECKING, Annotated

import typer

from .exits import Code
from .session import Commands, Json, leave, session

if TYPE_CHECKING:
    from rich.console import Console

_audit = typer.Typer(cls=Commands, help="The audit log: who did what.", no_args_is_help=True)

Since = Annotated[str | None, typer.Option("--since", help="Only from this time on: ISO 8601, UTC if it has no zone.")]
What = Annotated[str | None, typer.Option("--what", help="Only this kind, such as refused or token.create.")]
First = Annotated[int, typer.Option("--first", min=1, help="How many are shown at most, the newest.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.add_typer(_audit, name="audit")


@_audit.command("list")
def list_entries(
    ctx: typer.Context, since: Since = None, what: What = None, first: First = 200, as_json: Json = False
) -> None:
    """List the newest entries, the oldest of them first."""
    here = session(ctx, as_json)
    from .asking import moment

    begin = moment(since)
    with here.store(here.settings()) as store:
        rows = store.audit.entries(since=begin, what=what, first=first)

    def show(console: "Console") -> None:
        import json

        for row in rows:
            detail = json.dumps(row.detail, ensure_ascii=True)
            console.print(f"{row.at:%Y-%m-%dT%H:%M:%SZ} {row.what} by {row.by} {row.address or ''} {detail}")

    here.answer(rows, show)


@_audit.command("verify")
def verify(ctx: typer.Context, as_json: Json = False) -> None:
    """Check every entry, chain and seal; name the first broken entry of each chain."""
    here = session(ctx, as_json)
    with here.store(here.settings()) as store:
        proof = store.audit.prove()

    def show(console: "Console") -> None:
        for one in proof.broken:
            console.print(f"broken: entry {one.seq} of chain {one.chain}: {one.reason}")
        sealed = f"sealed {proof.sealed_at:%Y-%m-%dT%H:%M:%SZ} as {proof.seal}" if proof.sealed_at else "not sealed yet"
        whole = "NOT whole" if proof.broken else "whole"
        console.print(f"the audit log is {whole}: {proof.entries} entries in {proof.chains} chains, {sealed}")

    here.answer(proof, show)
    leave(Code.INCOMPLETE if proof.broken else Code.OK)
