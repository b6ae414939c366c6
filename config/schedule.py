"""When a source is pulled by itself: `every 15m`, or a line of cron."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from .section import wrong
from .values import duration, spell_duration

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SHORTEST = timedelta(seconds=1)
_PART = re.compile(r"(?:\*|(?P<low>[a-z0-9]+)(?:-(?P<high>[a-z0-9]+))?)(?:/(?P<step>\d{1,2}))?")
_DAYS_SEEN = 8 * 366  # over a century's missing leap day a 29th of February comes after eight years


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again, at a fixed distance."""

    interval: timedelta

    @property
    def longest_gap(self) -> timedelta:
        """The longest time that may pass between two pulls."""
        return self.interval

    def __str__(self) -> str:
        return f"every {spell_duration(self.interval)}"


@dataclass(frozen=True, slots=True)
class Cron:
    """At the minutes that a line of cron names, in UTC. Every field is spelled out, so that nobody parses it again."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[str, ...]
    """By name, since schedulers disagree whether 0 is Sunday or Monday."""

    @property
    def longest_gap(self) -> timedelta:
        """The longest time that may pass between two pulls."""
        times = [timedelta(hours=hour, minutes=minute) for hour in self.hours for minute in self.minutes]
        within = max((later - earlier for earlier, later in pairwise(times)), default=timedelta(0))
        days = list(self._matching_days())
        apart = max(later - earlier for earlier, later in pairwise(days))
        return max(within, apart - times[-1] + times[0])

    def _matching_days(self) -> Iterator[date]:
        for ordinal in range(date(2096, 1, 1).toordinal(), date(2096, 1, 1).toordinal() + 2 * _DAYS_SEEN):
            day = date.fromordinal(ordinal)
            weekday = _WEEKDAYS[day.isoweekday() % 7]
            if day.day in self.days and day.month in self.months and weekday in self.weekdays:
                yield day

    def __str__(self) -> str:
        return self.text


def parse_schedule(text: str) -> Every | Cron:
    """What is written under `schedule`. Raises `ValueError` with the part that cannot be."""
    words = text.lower().split()
    if words[:1] == ["every"]:
        return _every("".join(words[1:]))
    if len(words) == 5:
        return _cron(" ".join(words), words)
    raise ValueError("is neither `every` with a duration nor a line of cron with five fields")


def _every(text: str) -> Every:
    interval = duration(text)
    if interval < _SHORTEST:
        raise ValueError("is too often: at least a second must lie between two pulls")
    return Every(interval)


def _cron(text: str, words: list[str]) -> Cron:
    minutes, hours, days, months = (
        _field(name, word, low, high, names)
        for name, word, low, high, names in (
            ("minute", words[0], 0, 59, ()),
            ("hour", words[1], 0, 23, ()),
            ("day of the month", words[2], 1, 31, ()),
            ("month", words[3], 1, 12, _MONTHS),
        )
    )
    weekdays = {number % 7 for number in _field("day of the week", words[4], 0, 7, _WEEKDAYS)}
    if len(days) < 31 and len(weekdays) < 7:
        raise ValueError("names a day of the month and a day of the week; cron means either, so name only one of them")
    if all(day > _longest_month(months) for day in days):
        raise ValueError("names a day that none of its months has")
    return Cron(text, minutes, hours, days, months, tuple(_WEEKDAYS[number] for number in sorted(weekdays)))


def _longest_month(months: tuple[int, ...]) -> int:
    return max(29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in months)


def _field(name: str, word: str, low: int, high: int, names: tuple[str, ...]) -> tuple[int, ...]:
    values = set[int]()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"has a {name} that cron does not know")
        values.update(_range(name, match, low, high, names))
    return tuple(sorted(values))


def _range(name: str, match: re.Match[str], low: int, high: int, names: tuple[str, ...]) -> range:
    step = int(match["step"] or 1)
    if match["low"] is None:
        first, last = low, high
    else:
        first = _number(name, match["low"], low, names)
        alone = high if match["step"] else first
        last = _number(name, match["high"], low, names) if match["high"] else alone
    if step < 1 or not low <= first <= last <= high:
        raise ValueError(f"has a {name} out of {low}-{high}")
    return range(first, last + 1, step)


def _number(name: str, word: str, low: int, names: tuple[str, ...]) -> int:
    if word in names:
        return names.index(word) + (low if names is _MONTHS else 0)
    if not word.isdigit():
        raise ValueError(f"has a {name} that cron does not know")
    return int(word)


def _read(given: object) -> object:
    if isinstance(given, Every | Cron):
        return given
    if not isinstance(given, str):
        raise wrong("must be text")
    try:
        return parse_schedule(given)
    except ValueError as error:
        raise wrong(str(error)) from error


Schedule = Annotated[Every | Cron, BeforeValidator(_read), PlainSerializer(str, return_type=str)]
"""Written `every 15m` or `0 6 * * mon-fri`."""
