"""How Weights & Biases writes times, connections and JSON in strings, and how we read them without keeping secrets."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import orjson

from ...federation.model import Json
from ...federation.openlineage.confidential import hides, mark, redacted
from ..http.redaction import scrubbed

_LONGEST = 2000
_NO_NUMBER = re.compile(r"\bNaN\b|\bInfinity\b")
_SETTING = re.compile(r"""([\w.-]+)(["']?\s*:\s+)("[^"\n]*"|'[^'\n]*'|[^\s,}\]]+)""")
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)


def field(value: Json, *names: str) -> Json:
    """What stands at the end of these fields; None where one of them is no object."""
    for name in names:
        value = cast(Mapping[str, Any], value).get(name) if isinstance(value, Mapping) else None
    return value


def text(value: Json, *names: str) -> str:
    """A text; empty where there is none."""
    found = field(value, *names)
    return found if isinstance(found, str) else "" if found is None else str(found)


def number(value: Json, *names: str) -> int:
    """A whole number; 0 where there is none. Some servers write big ones as text."""
    found = field(value, *names)
    try:
        return int(found or 0)
    except (TypeError, ValueError, OverflowError):
        return 0


def nodes(value: Json, *names: str) -> list[Json]:
    """The things of a connection; edges without one (hidden rows) are left out."""
    return [node for edge in edges(value, *names) if (node := field(edge, "node")) is not None]


def edges(value: Json, *names: str) -> list[Json]:
    """The edges of a connection."""
    return objects(field(value, *names, "edges"))


def objects(value: Json) -> list[Json]:
    """The objects of a list."""
    if not isinstance(value, list):
        return []
    return [cast(Json, one) for one in cast(list[Any], value) if isinstance(one, Mapping)]


def values_of(value: Json) -> list[Json]:
    """What stands in an object, without the names."""
    return list(cast(Mapping[str, Any], value).values()) if isinstance(value, Mapping) else []


def texts(value: Json) -> list[str]:
    """The texts of a list."""
    return [one for one in cast(list[Any], value) if isinstance(one, str)] if isinstance(value, list) else []


def moment(written: Json) -> datetime | None:
    """A time; old servers leave the zone out, and mean UTC. What is no time was not told."""
    if not isinstance(written, str) or not written:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at if at >= _EARLIEST else None


def stamp(at: datetime) -> str:
    """A time as filters want it: without the Z nothing matches, and nothing is said."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def loads(written: Json) -> tuple[Json, str]:
    """JSON that stands in a string, NaN and infinities read as their words; if it is none, what is wrong with it."""
    if not isinstance(written, str) or not written:
        return None, ""
    try:
        return orjson.loads(written), ""
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(written, parse_constant=str), ""
    except (ValueError, RecursionError) as error:
        return None, str(error) or type(error).__name__


def has_no_numbers(written: Json) -> bool:
    """Whether JSON in a string holds NaN or infinities, which are none."""
    found: list[str] = []
    if isinstance(written, str) and _NO_NUMBER.search(written):
        try:
            json.loads(written, parse_constant=found.append)
        except (ValueError, RecursionError):
            return False
    return bool(found)


def values(config: Json) -> dict[str, Json]:
    """A run's config without its wrapping (`{"lr": {"value": 0.1, "desc": null}}`) and the client's own keys."""
    if not isinstance(config, Mapping):
        return {}
    found: dict[str, Json] = {}
    for name, value in cast(Mapping[str, Any], config).items():
        if not name.startswith("_") and name != "wandb_version":
            found[name] = field(value, "value") if isinstance(value, Mapping) and "value" in value else value
    return found


def numbers(summary: Json) -> Iterator[tuple[str, float]]:
    """The numbers of a summary; those inside objects by their path."""
    for name, value in _leaves(summary):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value


def not_numbers(summary: Json) -> Iterator[tuple[str, str]]:
    """Where a summary has NaN or infinities instead: bare ones, and those in quotes that the client writes."""
    for name, value in _leaves(summary):
        if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
            yield name, value


def _leaves(summary: Json, before: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(summary, Mapping):
        for name, value in cast(Mapping[str, Any], summary).items():
            if not isinstance(value, Mapping):
                yield f"{before}{name}", value
            elif not name.startswith("_") and not before.count("."):
                yield from _leaves(cast(Json, value), f"{before}{name}.")


def kept(value: Json, name: str = "") -> Json:
    """A value as it may be stored: no secrets at any depth."""
    if isinstance(value, Mapping):
        return {inner: kept(item, inner) for inner, item in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list):
        return [kept(item, name) for item in cast(list[Any], value)]
    if isinstance(value, str):
        return mark("a secret by its name") if hides(name, value) else redacted(value)[0]
    return value


def prose(value: Json, *names: str) -> str | None:
    """What people write, as it may be stored; None where there is nothing."""
    found = text(value, *names)
    return redacted(found)[0] if found else None


def settings(written: str) -> str:
    """A text in YAML, as it may be stored: lines are told by name what is a secret."""

    def cut(found: re.Match[str]) -> str:
        hidden = hides(found[1], found[3].strip("\"'"))
        return f"{found[1]}{found[2]}{mark('a secret by its name')}" if hidden else found[0]

    return redacted(_SETTING.sub(cut, written))[0]


def parameter(name: str, value: Json) -> str:
    """One value of a config as text."""
    safe = kept(value, name)
    written = safe if isinstance(safe, str) else json.dumps(safe, ensure_ascii=False, default=str)
    return written[:_LONGEST]


def sample(value: Json) -> str:
    """A short cut of something that was not understood, scrubbed."""
    written = value if isinstance(value, str) else json.dumps(value, default=str)
    return scrubbed(redacted(written[:_LONGEST])[0])[:500]


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two times that may not be told."""
    told = [at for at in (one, other) if at is not None]
    return max(told, default=None)


def plausible(at: datetime | None, now: datetime) -> datetime | None:
    """A time, unless it is ahead of ours: such a one moves no watermark, for what comes later would lie behind it."""
    return at if at is not None and at <= now else None
