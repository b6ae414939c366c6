"""What can be set for a Marquez source alone, under `options`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Self

from ...config.errors import Misconfigured
from ...config.values import duration


@dataclass(frozen=True, slots=True)
class Options:
    """How a Marquez server is read."""

    overlap: timedelta = timedelta(hours=24)
    """How far behind the newest event the next read starts: producers send late, and arrival has no time."""
    snapshot_every: timedelta = timedelta(hours=24)
    """How often everything is read again, with what only the lists know."""
    page_size: int = 500
    """Events and datasets a page."""
    jobs_page: int = 50
    """Jobs a page: each costs the server eleven queries."""
    retention: bool = False
    """True: the server forgets old things (`dbRetention`), so what is no longer there proves nothing."""

    @classmethod
    def of(cls, given: Mapping[str, Any], source: str) -> Self:
        """Read the settings. Raises `Misconfigured`."""
        known = {one.name: _READERS[type(one.default)] for one in fields(cls)}
        unknown = sorted(given.keys() - known.keys())
        if unknown:
            there = f"there are: {', '.join(known)}"
            raise Misconfigured(f"source {source!r}: options.{unknown[0]} is not known to platform marquez; {there}")
        return cls(**{name: _read(name, value, known[name], source) for name, value in given.items()})


def _read(name: str, value: Any, reader: Callable[[Any], Any], source: str) -> Any:
    try:
        return reader(value)
    except ValueError as error:
        raise Misconfigured(f"source {source!r}: options.{name} {error}") from error


def _span(value: Any) -> timedelta:
    if not isinstance(value, str):
        raise ValueError("is a duration and needs its unit, e.g. 24h")
    return duration(value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10_000:
        raise ValueError("must be a number from 1 to 10000, e.g. 500")
    return value


def _claim(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


_READERS: dict[type, Callable[[Any], Any]] = {timedelta: _span, int: _count, bool: _claim}
