"""How MLflow writes times, tags, JSON in strings and addresses, and how we read them without keeping a secret."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import orjson

from ...config.address import MASK
from ...federation.model import Json
from ...federation.openlineage.confidential import redacted

_SECRET = re.compile(
    r"passw(or)?d|secret|api[_-]?key|access[_-]?key|private[_-]?key|credential|(^|[._-])token$", re.IGNORECASE
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s\"'<>]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(milliseconds: Json) -> datetime | None:
    """MLflow's epoch milliseconds as an aware time; absent, zero and impossible values were not told."""
    if isinstance(milliseconds, str) and milliseconds.lstrip("-").isdigit():
        milliseconds = int(milliseconds)
    if not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool) or milliseconds == 0:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except (OverflowError, ValueError):
        return None


def number(value: Json) -> int:
    """A whole number that may be absent or a string of digits."""
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return 0


def rows(answer: Json, name: str) -> list[dict[str, Any]]:
    """The list called `name`: MLflow leaves empty ones out (proto3 JSON)."""
    listed = field(answer, name)
    return (
        [cast(dict[str, Any], row) for row in cast(list[Any], listed) if isinstance(row, dict)]
        if isinstance(listed, list)
        else []
    )


def field(answer: Json, name: str) -> Json:
    """One field of an object that may be absent, `{}` or no object at all."""
    return cast(Mapping[str, Any], answer).get(name) if isinstance(answer, Mapping) else None


def text(answer: Json, name: str) -> str:
    """A string field; absent is empty, which MLflow itself does not tell apart."""
    value = field(answer, name)
    return value if isinstance(value, str) else "" if value is None else str(value)


def pairs(listed: Json) -> dict[str, str]:
    """`[{key, value}]` (or a JSON object in a string, as evaluation datasets write it) as a dictionary."""
    if isinstance(listed, str):
        listed = loads(listed)
    if isinstance(listed, Mapping):
        return {str(key): str(value) for key, value in cast(Mapping[Any, Any], listed).items()}
    if not isinstance(listed, Sequence):
        return {}
    return {text(pair, "key"): text(pair, "value") for pair in cast(Sequence[Any], listed) if text(pair, "key")}


def loads(written: Json) -> Json:
    """JSON that MLflow keeps in a string; None if it is none."""
    if not isinstance(written, str):
        return written
    try:
        return orjson.loads(written)
    except orjson.JSONDecodeError:
        return None


def linked_prompts(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    """Name and version of the prompts that a run, a model or a trace used, each once."""
    found = ((text(one, "name"), text(one, "version")) for one in objects(loads(tags.get("mlflow.linkedPrompts", ""))))
    return list(dict.fromkeys((name, version) for name, version in found if name and version))


def objects(value: Json) -> Iterator[Json]:
    """The objects of a JSON list."""
    if isinstance(value, list):
        yield from (one for one in cast(list[Any], value) if isinstance(one, dict))


def without_secrets(address: str) -> str:
    """A URI without user, password, query and fragment: signed addresses end up in dataset sources."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return MASK
    if not parts.scheme or "://" not in address:
        return address.partition("?")[0] if "?" in address and "=" in address else address
    host = parts.netloc
    if "@" in host and parts.scheme.lower() not in _CONTAINERS:
        host = host.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


_CONTAINERS = frozenset({"abfs", "abfss", "wasb", "wasbs"})
"""In `abfss://container@account.dfs…` what stands before the @ is no user."""


def scrubbed(key: str, value: str) -> str:
    """A parameter's or tag's value as it may be stored."""
    if _SECRET.search(key):
        return MASK
    value = _ADDRESS.sub(lambda found: without_secrets(found[0]), value) if "://" in value else value
    return redacted(value)[0] if "=" in value or ":" in value else value


def prose(value: str | None) -> str | None:
    """What people write as a name or a description, as it may be stored; None where there is nothing."""
    return scrubbed("", value) if value else None


def scrubbed_pairs(tags: Mapping[str, str], leave_out: Iterable[str] = (), limit: int | None = None) -> dict[str, str]:
    """All that may be stored of parameters or tags, at most `limit` of them."""
    left_out = frozenset(leave_out)
    kept = {key: scrubbed(key, value) for key, value in sorted(tags.items()) if key not in left_out}
    return dict(list(kept.items())[:limit])


def sample(value: Json) -> str:
    """A short cut of something that we did not understand, scrubbed."""
    written = value if isinstance(value, str) else orjson.dumps(value, default=str).decode("utf-8", "replace")
    return scrubbed("", written[:2000])[:500]
