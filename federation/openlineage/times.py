"""Times as producers write them: with or without zone, seconds, nanoseconds, or a zone's name in brackets."""

import re
from datetime import UTC, datetime, timedelta, timezone

_TIME = re.compile(
    r"""\s*(\d{4})-(\d\d)-(\d\d)
    (?:[T\ ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?
    \s*(Z|z|[+-]\d\d(?::?\d\d)?)?(?:\[[^\]]*\])?\s*""",
    re.VERBOSE,
)


def moment(text: object) -> datetime | None:
    """The aware time of a text, in microseconds; without zone it is UTC. None: no time."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        return datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro, _zone(zone)
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
