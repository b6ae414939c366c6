"""How a DataHub, or what was exported of one, is read."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import ClassVar

import httpx2

from ...config.settings import Source
from ...federation.connector import Batch, Cursor, Health
from ...federation.model import Record
from .files import Files
from .options import Options
from .saying import Place
from .selection import left_out


def utcnow() -> datetime:
    """The time now, aware."""
    return datetime.now(UTC)


class DataHub:
    """One catalogue, or the files of one."""

    platform: ClassVar[str] = "datahub"

    def __init__(
        self,
        source: Source,
        *,
        transport: httpx2.BaseTransport | None = None,
        clock: Callable[[], datetime] = utcnow,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        options = Options.of(source.options, source.name)
        place = Place(source.id, options.trackers)
        self._source = source
        self._from = Files(source, place)

    def check(self) -> Health:
        """Reach it, and tell what is missing."""
        return self._from.check()

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        """What is new since then; everything, if there is no cursor or a full reading is due."""
        yield from self._from.read(since)

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        """What complete files lack is gone."""
        yield from native_ids

    @property
    def selection(self) -> str:
        """Which entities are read."""
        return self._source.selection

    def left_out(self, records: Iterable[Record]) -> Iterator[str]:
        """Those whose names are not wanted."""
        yield from left_out(self._source, records)

    def close(self) -> None:
        """Give back connections."""
