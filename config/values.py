"""How durations, sizes, lists, paths and patterns are written in the settings."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints, ValidationInfo

from .section import wrong

_STEPS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]i?b|b)", re.IGNORECASE)
_LONGEST = timedelta(days=3660)


def duration(text: str) -> timedelta:
    """`90s`, `15m`, `1h30m`, `2d` → a span of time. Raises `ValueError`."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.replace(" ", ""):
        raise ValueError("is not a duration: numbers with ms, s, m, h or d")
    seconds = sum(float(number) * _STEPS[unit] for number, unit in parts)
    if seconds > _LONGEST.total_seconds():
        raise ValueError("is longer than ten years")
    return timedelta(seconds=seconds)


def spell_duration(span: timedelta) -> str:
    """The shortest way to write a span: the inverse of `duration`."""
    left, parts = round(span.total_seconds() * 1000), list[str]()
    for unit, step in _STEPS.items():
        count, left = divmod(left, round(step * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _read_duration(given: object) -> object:
    if isinstance(given, timedelta):
        return given
    if not isinstance(given, str):
        raise wrong("is a duration and needs its unit: ms, s, m, h or d")
    try:
        return duration(given.strip())
    except ValueError as error:
        raise wrong(str(error)) from error


def _positive(span: timedelta) -> timedelta:
    if span <= timedelta(0):
        raise wrong("must be longer than nothing")
    return span


def _read_size(given: object) -> object:
    match = _SIZE.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None:
        return given
    return int(float(match[1]) * _UNITS[match[2].lower()])


def _split(given: object) -> object:
    if isinstance(given, str):
        return tuple(part.strip() for part in given.split(",") if part.strip())
    return given


def _absolute(path: Path, info: ValidationInfo) -> Path:
    folder = folder_of(info.context)
    return Path(folder, path.expanduser()) if folder else path.expanduser()


def folder_of(context: Any) -> Path | None:
    """What relative paths start from, as `load` hands it through the validation; None for settings made in code."""
    return cast(dict[str, Path], context).get("folder") if isinstance(context, dict) else None


Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration),
    AfterValidator(_positive),
    PlainSerializer(spell_duration, return_type=str),
]
"""Written `30s`, `15m`, `1h30m`."""

Size = Annotated[int, BeforeValidator(_read_size)]
"""Written in bytes or as `64 MiB`."""

FilePath = Annotated[Path, AfterValidator(_absolute)]
"""Relative to the folder of the configuration file; `~` is the home folder."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

Texts = Annotated[tuple[Text, ...], BeforeValidator(_split)]
"""A list, or one text with commas, as environment variables need it."""
