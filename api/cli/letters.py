"""`letters`: events that could not be taken, why, and what to do with them."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...config.errors import Misconfigured
from .exits import Code
from .session import Commands, Json, console, leave, session

if TYPE_CHECKING:
    from rich.console import Console

    from ...config.settings import Settings
    from ...federation.rows import LetterRow
    from ...federation.store import Store


class State(StrEnum):
    """Which letters."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    ALL = "all"


Source = Annotated[str | None, typer.Option("--source", help="Only letters of this source (name or id).")]
Since = Annotated[datetime | None, typer.Option("--since", help="Only letters that came in from then on (UTC).")]
Which = Annotated[State, typer.Option("--state", help="Which letters, by what became of them.")]
First = Annotated[int, typer.Option("--first", min=1, max=10_000, help="How many at most, the newest first.")]
After = Annotated[int | None, typer.Option("--after", help="Only older ones than this id: the next page.")]
Id = Annotated[int, typer.Argument(metavar="ID", help="The letter's id.")]
SomeId = Annotated[int | None, typer.Argument(metavar="[ID]", help="The letter's id.")]
All = Annotated[bool, typer.Option("--all", help="All that wait; with --file those that the file names.")]
File = Annotated[
    Path | None,
    typer.Option("--file", "-f", help="The corrected event; with --all lines as `letters export` writes them."),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write, one letter a line; - is stdout.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for those who come later.")]
_PAGE = 500

_letters = typer.Typer(cls=Commands, help="Events that could not be taken: read, correct, replay or discard them.")


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.add_typer(_letters, name="letters", invoke_without_command=True)


@_letters.callback(invoke_without_command=True)
def listed(
    ctx: typer.Context,
    source: Source = None,
    since: Since = None,
    state: Which = State.WAITING,
    first: First = 50,
    after: After = None,
    as_json: Json = False,
) -> None:
    """List events that could not be taken: the newest first, with the reason and what can be done."""
    here = session(ctx, as_json)
    if ctx.invoked_subcommand is not None:
        return
    settings = here.settings()
    with here.store(settings) as store:
        chosen = _chosen(store, source, since, state)
        rows = store.letters.page(first + 1, after, **chosen)
        total = store.letters.count(**chosen)
    shown, more = rows[:first], len(rows) > first
    told = [{**_told(row), "bytes": len(row.body)} for row in shown]
    here.answer(
        {"letters": told, "total": total, "next": shown[-1].id if more else None},
        lambda screen: _table(screen, shown, total, more=more),
    )


@_letters.command()
def show(ctx: typer.Context, letter: Id, as_json: Json = False) -> None:
    """Show one letter: where it came in, what is wrong with it, and the body as it was kept, without secrets."""
    here = session(ctx, as_json)
    with here.store(here.settings()) as store:
        row = store.letters.one(letter)
    told = {**_told(row), "body": _text(row)}

    def person(screen: "Console") -> None:
        for name, value in told.items():
            if name != "body" and value is not None:
                screen.print(f"{name}: {value}")
        screen.print()
        screen.print(told["body"])

    here.answer(told, person)


@_letters.command()
def export(
    ctx: typer.Context,
    output: Output,
    source: Source = None,
    since: Since = None,
    state: Which = State.WAITING,
    as_json: Json = False,
) -> None:
    """Write letters with their bodies, one a line, to correct them in a file and replay them from there."""
    import orjson

    from .exporting import opened

    here = session(ctx, as_json)
    count = 0
    with here.store(here.settings()) as store, opened(output) as stream:
        for row in _every(store, source, since, state):
            stream.write(orjson.dumps(_line(row), option=orjson.OPT_APPEND_NEWLINE))
            count += 1
    if output == Path("-"):
        console(to_stderr=True).print(f"{count} letters")
    else:
        here.answer(
            {"wrote": str(output), "letters": count}, lambda screen: screen.print(f"wrote {count} letters to {output}")
        )


@_letters.command()
def replay(
    ctx: typer.Context,
    letter: SomeId = None,
    every: All = False,
    file: File = None,
    source: Source = None,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """Take a letter's event as if it came anew, corrected from a file or as it is. Doing so twice changes nothing."""
    here = session(ctx, as_json)
    if (letter is None) is not every:
        raise typer.BadParameter("name one letter, or say --all")
    settings = here.settings()
    with here.store(settings) as store:
        wanted = _wanted(store, letter, file, source, since)
        outcomes = [_replayed(settings, store, number, body) for number, body in wanted]

    def person(screen: "Console") -> None:
        for one in outcomes:
            done = (
                f"taken as event {one['replayed_as']}"
                if one["replayed_as"]
                else f"waits on: {one['reason']} at {one['path']}"
            )
            screen.print(f"letter {one['id']}: {done}")
        if not outcomes:
            screen.print("no letters wait")

    here.answer(outcomes, person)
    leave(Code.OK if all(one["replayed_as"] for one in outcomes) else Code.INCOMPLETE)


@_letters.command()
def discard(ctx: typer.Context, letter: Id, reason: Reason, as_json: Json = False) -> None:
    """Let a letter wait no more. It stays in the store, with the reason."""
    from ...federation.letters import discard as discarded

    here = session(ctx, as_json)
    with here.store(here.settings()) as store:
        row = discarded(store, letter, reason)
    here.answer(_told(row), lambda screen: screen.print(f"letter {row.id} is discarded: {row.note}"))


def _chosen(store: "Store", source: str | None, since: datetime | None, state: State) -> dict[str, Any]:
    from ...federation.model import LetterState

    return {
        "source_id": None if source is None else _source_id(store, source),
        "since": since and since.replace(tzinfo=since.tzinfo or UTC),
        "state": None if state is State.ALL else LetterState(state.name),
    }


def _source_id(store: "Store", given: str) -> str:
    """The id of a source that somebody names, by its id or name. Raises `NotFound`."""
    rows = store.journal.sources()
    return next((row.id for row in rows if row.id == given), None) or next(
        (row.id for row in rows if row.name == given), given
    )


def _every(store: "Store", source: str | None, since: datetime | None, state: State) -> "Iterator[LetterRow]":
    chosen = _chosen(store, source, since, state)
    after: int | None = None
    while rows := store.letters.page(_PAGE, after, **chosen):
        yield from rows
        after = rows[-1].id


def _wanted(
    store: "Store", letter: int | None, file: Path | None, source: str | None, since: datetime | None
) -> Sequence[tuple[int, bytes | None]]:
    """Which letters, each with its corrected body if there is one; the oldest first."""
    if letter is not None:
        return [(letter, None if file is None else _read(file))]
    if file is None:
        return sorted((row.id, None) for row in _every(store, source, since, State.WAITING))
    return sorted((_parsed(line, number, file) for number, line in enumerate(_lines(file), 1)), key=lambda one: one[0])


def _lines(file: Path) -> Iterator[bytes]:
    return (line for line in _read(file).split(b"\n") if line.strip())


def _parsed(line: bytes, number: int, file: Path) -> tuple[int, bytes]:
    import msgspec

    try:
        told = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        letter = msgspec.json.decode(told["id"], type=int)
        event = bytes(told.get("event", b"null"))
        body = event if event != b"null" else msgspec.json.decode(told["body"], type=str).encode()
    except (msgspec.DecodeError, UnicodeError, KeyError) as error:
        raise Misconfigured(
            f"{file}, line {number}: a line is an object with `id` and `event`, as `letters export` writes it"
        ) from error
    return letter, body


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}; name a file with the corrected event") from error


def _replayed(settings: "Settings", store: "Store", letter: int, body: bytes | None) -> dict[str, Any]:
    from ...federation.letters import replay as replayed
    from ...federation.openlineage import Limits, Refused
    from ..opening import registry_of

    limits = Limits(depth=settings.inlet.nesting)
    try:
        row = replayed(store, letter, registry=registry_of(settings), body=body, limits=limits)
    except Refused as error:
        return {"id": letter, "state": "WAITING", "replayed_as": None, "reason": error.reason, "path": error.path}
    return {"id": row.id, "state": row.state.value, "replayed_as": row.event, "reason": None, "path": None}


def _told(row: "LetterRow") -> dict[str, Any]:
    from ...federation.letters import remedy

    return {
        "id": row.id,
        "source": row.source,
        "at": row.at,
        "place": row.place,
        "reason": row.reason,
        "path": row.path,
        "state": row.state.value,
        "remedy": remedy(row),
        "replayed_as": row.event,
        "note": row.note,
        "settled_at": row.settled_at,
    }


def _line(row: "LetterRow") -> dict[str, Any]:
    """A letter as a line: what can be read as JSON as `event`, to be corrected; anything else as text."""
    import orjson

    event: Any = None
    try:
        event = orjson.loads(row.body)
    except orjson.JSONDecodeError:
        event = None
    body = {"event": event} if event is not None else {"event": None, "body": _text(row)}
    return {**_told(row), **body}


def _text(row: "LetterRow") -> str:
    return row.body.decode("utf-8", "replace")


def _table(screen: "Console", rows: "list[LetterRow]", total: int, *, more: bool) -> None:
    from rich.table import Table

    from ...federation.letters import remedy

    table = Table(box=None, pad_edge=False)
    for heading in ("id", "source", "at", "state", "reason", "where"):
        table.add_column(heading, justify="right" if heading == "id" else "left")
    for row in rows:
        at = row.at.isoformat(timespec="seconds")
        table.add_row(str(row.id), row.source, at, row.state.value.lower(), row.reason, row.path)
    screen.print(table if rows else "no letters")
    if rows:
        screen.print(f"{len(rows)} of {total}; of the newest: {remedy(rows[0])}")
    if more:
        screen.print(f"the next page: --after {rows[-1].id}")
