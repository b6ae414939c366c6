"""Two clients of one source: one for pages, which are asked for in halves where they are large, one for the rest."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import httpx2

from ...config.settings import Source
from ...federation.clock import Clock, utcnow
from .client import Http
from .patience import Limits

PAGE_BYTES = 20 * 2**20
"""A page beyond this is asked for in halves: decoded, it would take ten times as much memory."""


_BOTH = ("roomy", "paged")


class Sizes:
    """Both are opened when they are first asked for."""

    def __init__(
        self,
        source: Source,
        *,
        headers: Mapping[str, str] | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Clock = utcnow,
        lasting: Iterable[str] = (),
    ) -> None:
        self._source = source
        self._how: dict[str, Any] = {
            "headers": headers,
            "transport": transport,
            "sleep": sleep,
            "clock": clock,
            "lasting": tuple(lasting),
        }

    @cached_property
    def roomy(self) -> Http:
        """Takes what the settings let through."""
        return Http.of(self._source, **self._how)

    @cached_property
    def paged(self) -> Http:
        """Takes no more than a page may have (`TooMuch`)."""
        limits = Limits.of(self._source.http)
        most = min(limits.inflated_bytes, PAGE_BYTES)
        smaller = replace(limits, wire_bytes=min(limits.wire_bytes, most), inflated_bytes=most)
        return Http.of(self._source, limits=smaller, **self._how)

    @property
    def requests(self) -> int:
        """How many requests both sent, tries counted one by one."""
        return sum(client.requests for client in self._opened())

    def close(self) -> None:
        """Give back connections."""
        for client in self._opened():
            client.close()
        for name in _BOTH:
            self.__dict__.pop(name, None)

    def _opened(self) -> list[Http]:
        return [client for name in _BOTH if (client := self.__dict__.get(name)) is not None]
