"""How long whoever asks will wait: what reads or computes for a question gives up when that time is over."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from .errors import OutOfTime

_until: ContextVar[float | None] = ContextVar("until", default=None)
"""On the monotonic clock; None: as long as it takes."""


@contextmanager
def until(deadline: float | None) -> Generator[None]:
    """Do what is within for somebody who waits until then, on the monotonic clock; None: as long as it takes."""
    before = _until.set(deadline)
    try:
        yield
    finally:
        _until.reset(before)


def left() -> float | None:
    """The seconds that remain, never less than none; None: no end."""
    deadline = _until.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def is_over() -> bool:
    """Whether nobody waits any more."""
    deadline = _until.get()
    return deadline is not None and time.monotonic() >= deadline


def check() -> None:
    """Go on only while somebody waits. Raises `OutOfTime`."""
    if is_over():
        raise OutOfTime("the time for this question is over")
