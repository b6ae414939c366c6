"""Times as producers write them."""

import re
from datetime import UTC, datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""How far a clock may be ahead of ours and still be believed."""

_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?"
    r"\s*([Zz]|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?"
    r"(?:\[[^\]]*\])?",
    re.ASCII | re.IGNORECASE,
)


def moment(text: object) -> datetime | None:
    """The time of a text, in UTC, cut to microseconds; None for what is none. Without a zone it is UTC.

    Java writes a zone's name behind (`Z[UTC]`), leaves out seconds that are zero, and counts nanoseconds.
    """
    found = _TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        told = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), min(int(second or 0), 59), micros, UTC
        )
        return (told - _offset(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def believed(told: datetime | None, now: datetime | None = None) -> datetime | None:
    """The same, unless it lies before 1970 or more than a day ahead of `now`."""
    if told is None or told < EPOCH or (now is not None and told > now + AHEAD):
        return None
    return told


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(6, "0")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:6]))
    timezone(ahead)  # raises ValueError for a day or more
    return ahead if zone[0] == "+" else -ahead
