"""What the fields of one request share: the services, its time, and loaders that ask the store once for many."""

import asyncio
import contextvars
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

import strawberry
from strawberry.dataloader import DataLoader

from ...federation import patience
from ...federation.errors import BadInput, Forbidden, OutOfTime
from ...federation.model import EdgeKind
from ...federation.rows import Head, Named, RecordRow, Runs, SyncRow
from ..access import Access, Caller, Entry
from ..services import Services
from .answering import Answering
from .errors import LimitExceeded
from .glance import Glance
from .parts import AliasRow, aliases
from .relay import Cursors

Ask = ParamSpec("Ask")
Answer = TypeVar("Answer")


class Watched:
    """What all subscriptions of a process look at."""

    def __init__(self) -> None:
        self.syncs: Glance[list[SyncRow]] = Glance()
        self.head: Glance[int] = Glance()


@dataclass
class Context:
    """One request, or one WebSocket (whose loaders keep nothing, since it lives long)."""

    services: Services
    executor: Executor
    answering: Answering
    cursors: Cursors
    watched: "Watched"
    access: Access
    entry: Entry
    """Who asks; of a WebSocket it is known once it has introduced itself."""
    deadline: float | None = None
    """On the monotonic clock; None: every call has the whole time to itself."""
    lasting: bool = False
    connection_params: dict[str, Any] | None = None
    objects: int = 0
    """So many the answer holds already."""
    loaders: "Loaders" = field(init=False)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self, keep=not self.lasting)

    async def call(self, work: Callable[Ask, Answer], *args: Ask.args, **kwargs: Ask.kwargs) -> Answer:
        """Do what reads or computes in a thread, within the time that is left. Raises `LimitExceeded`."""
        loop, here = asyncio.get_running_loop(), contextvars.copy_context()
        deadline = self._deadline()

        def do() -> Answer:
            with patience.until(deadline):
                patience.check()
                return work(*args, **kwargs)

        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await loop.run_in_executor(self.executor, here.run, do)
        except (TimeoutError, OutOfTime) as error:
            raise self._too_late() from error

    @property
    def caller(self) -> Caller:
        """Who asks. Raises `Forbidden` for somebody who has not said it."""
        if self.entry.caller is None:
            raise Forbidden("this needs a token: the WebSocket has not introduced itself")
        return self.entry.caller

    def count(self) -> None:
        """One more object is put into the answer. Raises `LimitExceeded`."""
        if self.lasting:
            return
        self.objects += 1
        limits = self.services.settings.server.limits
        if self.objects > limits.answer:
            raise LimitExceeded(
                f"the answer holds more than {limits.answer} objects: ask for smaller pages",
                setting="server.limits.answer",
            )
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise self._too_late()

    def anew(self) -> "Context":
        """The same for one query of a WebSocket, with its own time."""
        limits = self.services.settings.server.limits
        deadline = time.monotonic() + limits.time.total_seconds()
        shared = (self.services, self.executor, self.answering, self.cursors, self.watched, self.access)
        return Context(*shared, self.entry, deadline)

    def page(self, first: int) -> int:
        """`first`, if it may be asked for. Raises `BadInput`, `LimitExceeded`."""
        return checked_page(first, self.services.settings.server.limits.page)

    def _deadline(self) -> float:
        if self.deadline is None:
            return time.monotonic() + self.services.settings.server.limits.time.total_seconds()
        return self.deadline

    def _too_late(self) -> LimitExceeded:
        seconds = self.services.settings.server.limits.time.total_seconds()
        return LimitExceeded(
            f"the question takes longer than {seconds:g} s: ask for less depth or a smaller page",
            setting="server.limits.time",
        )


def checked_page(first: int, most: int) -> int:
    """`first`, if a page may have that size. Raises `BadInput`, `LimitExceeded`."""
    if first < 0:
        raise BadInput(f"first: {first} is no size of a page")
    if first > most:
        raise LimitExceeded(
            f"first: {first} is more than the {most} that a page may have", setting="server.limits.page"
        )
    return first


Info = strawberry.Info[Context, None]


@dataclass(frozen=True, slots=True)
class RunsAsked:
    """A page of an asset's runs: how many, and behind which start and id."""

    asset: int
    first: int
    behind: tuple[int, int] | None


class Loaders:
    """Each gathers what the fields of a page want and asks for it in one call."""

    def __init__(self, context: Context, *, keep: bool) -> None:
        reader = context.services.store.reader
        self._context = context
        self.heads: DataLoader[int, Head | None] = DataLoader(self._by_id(reader.heads), cache=keep)
        self.records: DataLoader[int, list[RecordRow] | None] = DataLoader(self._by_id(reader.assets), cache=keep)
        self.keys: DataLoader[int, list[str] | None] = DataLoader(self._by_id(reader.keys), cache=keep)
        self.aliases: DataLoader[int, list[AliasRow] | None] = DataLoader(
            self._by_id(lambda ids: aliases(context.services.store, ids)), cache=keep
        )
        self.columns: DataLoader[int, list[Named] | None] = DataLoader(
            self._by_id(lambda ids: reader.parts_of(ids, EdgeKind.PART_OF)), cache=keep
        )
        self.versions: DataLoader[int, list[Named] | None] = DataLoader(
            self._by_id(lambda ids: reader.parts_of(ids, EdgeKind.VERSION_OF)), cache=keep
        )
        self.jobs: DataLoader[int, int | None] = DataLoader(self._by_id(reader.jobs_of), cache=keep)
        self.runs: DataLoader[RunsAsked, Runs | None] = DataLoader(self._runs, cache=keep)

    async def _runs(self, asked: list[RunsAsked]) -> list[Runs | None]:
        """One read for all assets of which the same page is asked for."""
        reader = self._context.services.store.reader
        found: dict[RunsAsked, Runs] = {}
        for first, behind in dict.fromkeys((one.first, one.behind) for one in asked):
            owners = [one.asset for one in asked if (one.first, one.behind) == (first, behind)]
            pages = await self._context.call(reader.runs_of, owners, first, behind)
            found |= {RunsAsked(asset, first, behind): page for asset, page in pages.items()}
        return [found.get(one) for one in asked]

    def _by_id(self, ask: Callable[[Sequence[int]], dict[int, Answer]]) -> Callable[[list[int]], Any]:
        async def load(ids: list[int]) -> list[Answer | None]:
            found = await self._context.call(ask, sorted(set(ids)))
            return [found.get(one) for one in ids]

        return load
