"""`token`: who may ask the server, and as what."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from .session import Commands, Json, operator, session

if TYPE_CHECKING:
    from rich.console import Console

    from ...federation.rows import TokenRow

_tokens = typer.Typer(cls=Commands, help="Tokens: who may ask the server, and as what.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="What it is for, such as the program that will hold it.", metavar="NAME")]
RoleOption = Annotated[str, typer.Option("--role", help="viewer, steward, admin or inlet (may only post events).")]
Expires = Annotated[
    str | None, typer.Option("--expires", help="How long it opens anything, such as 90d; else for ever.")
]
Id = Annotated[str, typer.Argument(help="The token's id, as `token list` shows it.", metavar="ID")]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.add_typer(_tokens, name="token")


@_tokens.command("create")
def create(ctx: typer.Context, name: Name, role: RoleOption, expires: Expires = None, as_json: Json = False) -> None:
    """Make a token and show it: this once, and never again."""
    from ...federation.clock import utcnow
    from ...federation.errors import BadInput
    from ..access import Role, make

    here = session(ctx, as_json)
    known = {one.value: one for one in Role}
    if role not in known:
        raise BadInput(f"--role {role!r} is none: there are {', '.join(known)}")
    if not name.strip() or len(name) > 100:
        raise BadInput("the name is empty or longer than 100 characters: say what the token is for")
    now = utcnow()
    text, row = make(name.strip(), known[role], now, now + _span(expires) if expires is not None else None)
    with here.store(here.settings()) as store:
        store.tokens.create(row, by=operator())

    def show(console: "Console") -> None:
        console.print(text)
        until = f"until {row.expires_at:%Y-%m-%d %H:%M} UTC" if row.expires_at else "for ever"
        console.print(f"{role} {row.name!r}, id {row.id}, {until}")
        console.print("It is shown this once: keep it where secrets are kept.")

    here.answer({"token": text, **_shown(row)}, show)


@_tokens.command("list")
def list_tokens(ctx: typer.Context, as_json: Json = False) -> None:
    """List every token that was made: its role, until when, and when it was last used. No token is shown."""
    here = session(ctx, as_json)
    with here.store(here.settings()) as store:
        rows = store.tokens.all()

    def show(console: "Console") -> None:
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for heading in ("id", "name", "role", "state", "created", "expires", "last used", "from"):
            table.add_column(heading)
        for row in rows:
            times = (_spelt(row.created_at), _spelt(row.expires_at), _spelt(row.used_at, "never"))
            table.add_row(row.id, row.name, row.role, _state(row), *times, row.used_from or "")
        console.print(table)

    here.answer([_shown(row) for row in rows], show)


@_tokens.command("revoke")
def revoke(ctx: typer.Context, id: Id, as_json: Json = False) -> None:
    """Take a token's rights away for good; running servers know it within seconds."""
    here = session(ctx, as_json)
    with here.store(here.settings()) as store:
        row = store.tokens.revoke(id, by=operator())
    here.answer(_shown(row), lambda console: console.print(f"{row.name!r} ({row.id}) opens nothing any more"))


def _span(text: str) -> timedelta:
    from ...config.values import duration
    from ...federation.errors import BadInput

    try:
        span = duration(text.strip())
    except ValueError as error:
        raise BadInput(f"--expires {text!r} {error}, such as 90d or 12h") from error
    if span <= timedelta(0):
        raise BadInput(f"--expires {text!r} is over before it began: 90d or 12h, for example")
    return span


def _shown(row: "TokenRow") -> dict[str, object]:
    """What may be seen of a token."""
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "state": _state(row),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "used_at": row.used_at,
        "used_from": row.used_from,
    }


def _state(row: "TokenRow") -> str:
    from ...federation.clock import utcnow

    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= utcnow() else "in force"


def _spelt(time: datetime | None, otherwise: str = "") -> str:
    return time.isoformat(timespec="minutes") if time else otherwise
