"""How a DataHub, or what was exported of one, is read."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

import httpx2

from ...config.settings import Source
from ...federation.clock import Clock, utcnow
from ...federation.connector import Batch, Cursor, Health
from ...federation.model import Record, Skipped
from .files import Files
from .options import Options
from .rest import Rest
from .saying import Place
from .selection import left_out
from .server import Server

_LONG = 1.0
"""Waits of less than this, in seconds, are not told."""


class DataHub:
    """One catalogue, or the files of one."""

    platform: ClassVar[str] = "datahub"

    def __init__(
        self,
        source: Source,
        *,
        transport: httpx2.BaseTransport | None = None,
        clock: Clock = utcnow,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        options = Options.of(source.options, source.name)
        place = Place(source.id, options.trackers)
        self._source = source
        self._sleep = sleep
        self._waited = 0.0
        self._rest = Rest(source, transport, self._wait, clock) if source.url else None
        self._from: Files | Server = Files(source, place, options.ignore)
        if self._rest is not None:
            self._from = Server(source, options, place, self._rest, clock)

    def check(self) -> Health:
        """Reach it, and tell what is missing. Raises `SourceError`."""
        return self._from.check()

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        """What is new since then; everything, if there is no cursor or a full reading is due."""
        self._waited = told = 0.0
        for batch in self._from.read(since):
            if self._waited - told >= _LONG:
                told = self._waited
                reason = f"{told:,.0f} s in all: the server asked for patience, or was in trouble"
                batch = replace(batch, skipped=(*batch.skipped, Skipped("waiting for the server", reason, lost=False)))
            yield batch

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Those that answer 404; what complete files lack is gone."""
        if isinstance(self._from, Server):
            yield from self._from.gone(native_ids)
        else:
            yield from native_ids

    @property
    def refused(self) -> tuple[str, ...]:
        """Those that answer 403: a grant was taken away since they were read."""
        return tuple(self._from.refused) if isinstance(self._from, Server) else ()

    @property
    def selection(self) -> str:
        """Which entities are read."""
        return self._source.selection

    def left_out(self, records: Iterable[Record]) -> Iterator[str]:
        """Those whose names are not wanted."""
        yield from left_out(self._source, records)

    def _wait(self, seconds: float) -> None:
        self._waited += seconds
        self._sleep(seconds)

    def close(self) -> None:
        """Give back connections."""
        if self._rest is not None:
            self._rest.close()
