"""`sources` and `check`: which platforms are read, how they are, and whether they can be reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from .exits import Code
from .session import Json, leave, session

if TYPE_CHECKING:
    from rich.console import Console

    from ...config.settings import Source
    from ...federation.rows import SkipRow, SourceRow
    from ...federation.store import Store

Names = Annotated[list[str] | None, typer.Argument(help="Names or ids; all without any.", metavar="[SOURCE]...")]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(check)
    app.command("sources")(list_sources)


@dataclass(frozen=True, slots=True)
class Found:
    """What reaching one source brought to light."""

    source: str
    platform: str
    reachable: bool
    version: str | None
    message: str
    missing_grants: tuple[str, ...] = ()
    error: str | None = None

    @property
    def code(self) -> Code:
        """How bad it is."""
        if self.error == "Misconfigured":
            return Code.MISCONFIGURED
        if not self.reachable:
            return Code.SOURCE
        return Code.INCOMPLETE if self.missing_grants else Code.OK


@dataclass(frozen=True, slots=True)
class Standing:
    """One source, as the store knows it."""

    name: str
    id: str
    platform: str
    url: str | None
    state: str
    last_sync_at: datetime | None
    last_complete_at: datetime | None
    assets: int
    edges: int
    stubs: int
    skipped: int
    letters: int
    waiting_events: int
    message: str | None
    aside: "list[SkipRow] | None" = None
    """What was kept aside, the newest first, where the source was named."""


def check(ctx: typer.Context, sources: Names = None, as_json: Json = False) -> None:
    """Reach the sources: their versions, and which permissions are missing."""
    here = session(ctx, as_json)
    settings = here.settings()
    chosen = _chosen(settings.sources, sources, str(settings.path))
    found = [_reach(source) for source in chosen]

    def show(console: "Console") -> None:
        for one in found:
            mark = "ok" if one.code is Code.OK else "!!"
            version = f" {one.version}" if one.version else ""
            console.print(f"{mark} {one.source} ({one.platform}{version}) {one.message}".rstrip())
            for grant in one.missing_grants:
                console.print(f"   lacks the grant: {grant}")
        if not found:
            console.print("no sources are configured: name some under `sources`")

    here.answer(found, show)
    leave(max((one.code for one in found), default=Code.OK))


def _chosen(configured: "Sequence[Source]", names: list[str] | None, where: str) -> "list[Source]":
    from ..syncs import pick

    return [pick(configured, name, where) for name in names] if names else list(configured)


def _reach(source: "Source") -> Found:
    from ...connectors.catalogue import connector
    from ...federation.errors import SourceError, SourceRefused, WatersmeetError

    try:
        reader = connector(source)
        try:
            health = reader.check()
        finally:
            reader.close()
    except WatersmeetError as error:
        grants = error.grants if isinstance(error, SourceRefused) else ()
        remedy = f" ({error.remedy})" if isinstance(error, SourceError) else ""
        return Found(source.name, source.platform, False, None, f"{error}{remedy}", grants, type(error).__name__)
    return Found(source.name, source.platform, health.reachable, health.version, health.message, health.missing_grants)


def list_sources(ctx: typer.Context, sources: Names = None, as_json: Json = False) -> None:
    """List the sources: how they are, when they were last read; of named ones also what was kept aside."""
    here = session(ctx, as_json)
    with here.store(here.settings()) as store:
        rows = _rows(store, sources)
        standings = [_standing(store, row, with_aside=bool(sources)) for row in rows]

    def show(console: "Console") -> None:
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        counted = ("assets", "edges", "stubs", "skipped", "letters")
        for heading in ("source", "platform", "state", "last complete", *counted, "message"):
            table.add_column(heading, justify="right" if heading in counted else "left")
        for one in standings:
            last = one.last_complete_at.isoformat(timespec="seconds") if one.last_complete_at else "never"
            counts = tuple(str(getattr(one, name)) for name in counted)
            table.add_row(one.name, one.platform, one.state, last, *counts, one.message or "")
        console.print(table)
        for skip in (skip for one in standings for skip in one.aside or ()):
            at = skip.at.isoformat(timespec="seconds")
            console.print(f"{'!!' if skip.lost else '--'} {skip.source}: {skip.what}: {skip.reason} ({at})")

    here.answer(standings, show)


def _rows(store: "Store", names: list[str] | None) -> "list[SourceRow]":
    from ...federation.errors import NotFound

    rows = store.journal.sources()
    found = [row for row in rows if not names or {row.id, row.name} & set(names)]
    unknown = [name for name in names or () if not any(name in (row.id, row.name) for row in rows)]
    if unknown:
        raise NotFound(f"no source {unknown[0]!r}; there are: {', '.join(row.name for row in rows)}")
    return found


def _standing(store: "Store", row: "SourceRow", *, with_aside: bool = False) -> Standing:
    from ...federation.sync import lag

    last = next(iter(store.journal.syncs(row.id, first=1)), None)
    complete = store.journal.last_complete(row.id)
    counts = store.journal.counts(row.id)
    state = "REMOVED" if row.removed_at else last.state.value if last else "NEVER_SYNCED"
    return Standing(
        name=row.name,
        id=row.id,
        platform=row.platform,
        url=row.url,
        state=state,
        last_sync_at=last and (last.started_at or last.queued_at),
        last_complete_at=complete and complete.ended_at,
        assets=counts.assets,
        edges=counts.edges,
        stubs=counts.stubs,
        skipped=counts.skipped,
        letters=counts.letters,
        waiting_events=lag(store, row.id),
        message=last.message if last else None,
        aside=store.journal.skips(row.id) if with_aside else None,
    )
