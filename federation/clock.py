"""The time, as whoever needs it is given it: by a function, so that it can be another one."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Tells the time now, aware."""


def utcnow() -> datetime:
    """The clock of everything that is not given another."""
    return datetime.now(UTC)
