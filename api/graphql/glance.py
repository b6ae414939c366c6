"""One look into the store for all who watch: it is taken at most so often, however many they are."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Seen = TypeVar("Seen")

EVERY = 0.5
"""Seconds between two looks."""


class Glance(Generic[Seen]):
    """What was seen last, looked at again once it is older than `EVERY`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looking = asyncio.Lock()
        self._seen: tuple[float, Seen] | None = None

    async def fresh(self, look: Callable[[], Awaitable[Seen]]) -> Seen:
        """What there is to see; whoever comes first looks for the others too."""
        async with self._looking:
            if self._seen is None or self._clock() - self._seen[0] >= EVERY:
                self._seen = (self._clock(), await look())
            return self._seen[1]
