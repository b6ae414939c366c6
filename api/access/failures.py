"""How often an address may fail, and how failures are written down without filling the disk."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

WINDOW = 60.0
"""Seconds over which failures are counted."""
ADDRESSES = 4096
"""So many addresses are counted at once, the newest; more are one."""
REFUSALS = 200
"""So many different refusals a minute have an entry of their own."""
OTHERS = "others"


class Failures:
    """Wrong tokens of the last minute, by address."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, address: str) -> int:
        """Seconds for which the address is told to wait; 0: it may fail again."""
        began, count = self._counts.get(address, (0.0, 0))
        left = began + WINDOW - self._clock()
        return max(1, round(left)) if count >= self._most and left > 0 else 0

    def failed(self, address: str) -> None:
        """Count one."""
        now = self._clock()
        began, count = self._counts.pop(address, (now, 0))
        self._counts[address] = (now, 1) if now - began >= WINDOW else (began, count + 1)
        while len(self._counts) > ADDRESSES:
            self._counts.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One request that was refused, as far as the audit log cares."""

    address: str
    reason: str
    door: str
    by: str = "nobody"


@dataclass(slots=True)
class _Counted:
    began: float
    more: int = 0


class Refusals:
    """The first refusal of a kind is written at once, what repeats it within a minute as one number."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted: OrderedDict[Refusal, _Counted] = OrderedDict()
        self._lock = Lock()  # answers are put together in threads

    def first(self, refusal: Refusal) -> Refusal | None:
        """What is to be written now; None: it was only counted."""
        with self._lock:
            return self._first(refusal)

    def due(self, *, all_of_them: bool = False) -> list[tuple[Refusal, int]]:
        """What was counted for a minute, with how often it came again; it then begins anew."""
        with self._lock:
            return self._due(all_of_them)

    def _first(self, refusal: Refusal) -> Refusal | None:
        known = self._counted.get(refusal)
        if known is None and len(self._counted) >= REFUSALS:
            refusal = Refusal(OTHERS, OTHERS, OTHERS)
            known = self._counted.get(refusal)
        if known is not None:
            known.more += 1
            return None
        self._counted[refusal] = _Counted(self._clock())
        return refusal

    def _due(self, all_of_them: bool) -> list[tuple[Refusal, int]]:
        now, found = self._clock(), list[tuple[Refusal, int]]()
        for refusal, counted in list(self._counted.items()):
            if all_of_them or now - counted.began >= WINDOW:
                del self._counted[refusal]
                if counted.more:
                    found.append((refusal, counted.more))
        return found
