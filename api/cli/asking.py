"""`ask` and `search`: questions to the graph, answered in the terminal."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from .exits import Code
from .session import Json, leave, session

if TYPE_CHECKING:
    from rich.console import Console


class Way(StrEnum):
    """Where to look from the thing that is asked about."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


class Fineness(StrEnum):
    """How fine to look."""

    FINE = "fine"
    ASSET = "asset"
    COLUMN = "column"


Key = Annotated[str, typer.Argument(help="Whatever you would paste: an id, a URI, models:/name@alias, a table's name.")]
Direction = Annotated[Way, typer.Option("--direction", "-d", help="Where to look.")]
Depth = Annotated[int, typer.Option("--depth", min=1, max=1000, help="How many steps; a job or run is one, too.")]
Level = Annotated[Fineness | None, typer.Option("--level", help="How fine to look; asset, if the key is no column.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="TIME", help="As it was then: 2025-01-15, or with a time.")
]
First = Annotated[int, typer.Option("--first", min=1, max=10_000, help="How many things to show at most.")]
Source = Annotated[str | None, typer.Option("--source", help="Which source's thing, where several bear the name.")]
Text = Annotated[str, typer.Argument(help="Words of a name.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only this kind: dataset, job, model_version …")]
Platforms = Annotated[list[str] | None, typer.Option("--platform", help="Only what this platform knows.")]
Sources = Annotated[list[str] | None, typer.Option("--source", help="Only what this source knows.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(ask)
    app.command()(search)


def ask(
    ctx: typer.Context,
    key: Key,
    direction: Direction = Way.BOTH,
    depth: Depth = 5,
    level: Level = None,
    as_of: AsOf = None,
    source: Source = None,
    first: First = 500,
    as_json: Json = False,
) -> None:
    """What is upstream and downstream of a thing, and how complete the answer is."""
    from ...federation.graph import Graph
    from ...federation.inquiry import Inquiry
    from ...federation.model import Direction as Directions
    from ...federation.model import Level as Levels
    from ..opening import registry_of
    from .tree import completeness, tree

    here = session(ctx, as_json)
    at = moment(as_of)
    directions = {Way.UP: Directions.UPSTREAM, Way.DOWN: Directions.DOWNSTREAM, Way.BOTH: Directions.BOTH}
    settings = here.settings()
    with here.store(settings) as store:
        inquiry = Inquiry(store, Graph(store), registry=registry_of(settings))
        root = inquiry.find(key, source=source, as_of=at)
        answer = inquiry.lineage(
            root,
            directions[direction],
            depth=depth,
            level=Levels[level.name] if level else None,
            as_of=at,
            first=first,
        )

    is_cut = answer.page_info.has_next_page
    unshown = answer.total - len(answer.nodes) if is_cut else 0

    def show(console: "Console") -> None:
        for line in (*tree(answer), *completeness(answer.completeness, unshown)):
            console.print(line)
        if is_cut:
            console.print(f"  {len(answer.nodes)} of {answer.total} things are shown: ask with a larger --first")

    here.answer(answer, show)
    leave(Code.OK if answer.completeness.exact and not is_cut else Code.INCOMPLETE)


def search(
    ctx: typer.Context,
    text: Text,
    kind: Kinds = None,
    platform: Platforms = None,
    source: Sources = None,
    first: First = 20,
    as_json: Json = False,
) -> None:
    """Find assets by words of their names."""
    from ...federation.model import AssetKind
    from ...federation.store import Wanted

    here = session(ctx, as_json)
    kinds = tuple(_kind(word, [known.value for known in AssetKind]) for word in kind or ())
    wanted = Wanted(
        text, kinds=tuple(map(AssetKind, kinds)), platforms=tuple(platform or ()), sources=tuple(source or ())
    )
    with here.store(here.settings()) as store:
        found = store.reader.search(wanted, first=first)
        heads = store.reader.heads(found.ids)
    shown = [heads[number] for number in found.ids if number in heads]

    def show(console: "Console") -> None:
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for heading in ("id", "kind", "name", "platforms"):
            table.add_column(heading, overflow="fold")
        for head in shown:
            table.add_row(str(head.id), head.kind.value.lower(), head.name, ", ".join(head.platforms))
        console.print(table)
        console.print(f"{len(shown)} of {found.total}")

    here.answer({"total": found.total, "assets": shown}, show)


def moment(text: str | None) -> datetime | None:
    """A time as people write it; without a zone it is UTC. Raises `BadInput`."""
    if text is None:
        return None
    from ...federation.errors import BadInput

    try:
        told = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no time; for example 2025-01-15 or 2025-01-15T08:30:00Z") from error
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _kind(word: str, known: list[str]) -> str:
    from ...federation.errors import BadInput

    kind = word.upper().replace("-", "_").replace(" ", "_")
    if kind not in known:
        raise BadInput(f"no kind {word!r}; there are: {', '.join(known).lower()}")
    return kind
