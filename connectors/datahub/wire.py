"""How DataHub writes times, maps, unions and stamps, and how they are read without keeping a secret."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson

from ...federation.model import Json
from ...federation.openlineage.confidential import hides, mark, redacted
from ..http.redaction import scrubbed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STAMPS = frozenset({"auditStamp", "lastObserved", "lifecycleLastUpdated"})
"""What moves each time the same thing is told again."""
_USER_DATA = frozenset({"sampleValues", "topSqlQueries"})
"""Rows and queries of people that profiles carry along."""
_LONGEST = 2000


def moment(milliseconds: Json) -> datetime | None:
    """Epoch milliseconds as an aware time; 0 and what is no time were not told."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or milliseconds <= 0:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except (OverflowError, ValueError):
        return None


def stamped(value: Json, name: str) -> datetime | None:
    """The time in an audit or time stamp `{time, actor}`."""
    return moment(field(field(value, name), "time"))


def field(value: Json, name: str) -> Json:
    """A field of an object; of anything else nothing."""
    return cast(Mapping[str, Any], value).get(name) if isinstance(value, Mapping) else None


def members(value: Json) -> dict[str, Any] | None:
    """An object; None if it is none."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


def text(value: Json, name: str) -> str | None:
    """A text field that is not empty, unwrapped if it stands in a union of texts, without secrets."""
    found = field(value, name)
    if isinstance(found, Mapping):
        found = field(cast(Json, found), "string")
    return prose(found) if isinstance(found, str) and found.strip() else None


def objects(value: Json, name: str) -> Iterator[dict[str, Any]]:
    """The objects of a list."""
    found = field(value, name)
    if isinstance(found, list):
        yield from (cast(dict[str, Any], one) for one in cast(list[Any], found) if isinstance(one, dict))


def texts(value: Json, name: str) -> list[str]:
    """The texts of a list."""
    found = field(value, name)
    return [one for one in cast(list[Any], found) if isinstance(one, str)] if isinstance(found, list) else []


def unwrapped(value: Json) -> Json:
    """What stands in a union: `{"com.linkedin.schema.StringType": {}}` gives its content."""
    if isinstance(value, Mapping):
        members = cast(Mapping[str, Json], value)
        name = next(iter(members), "")
        if len(members) == 1 and ("." in name or name == "string"):
            return members[name]
    return cast(Json, value)


def union_name(value: Json) -> str | None:
    """The class that a union says it holds, without its namespace."""
    if isinstance(value, Mapping) and len(cast(Mapping[str, Any], value)) == 1:
        return next(iter(cast(Mapping[str, Any], value))).rpartition(".")[2]
    return None


def prose(written: str) -> str:
    """A text of people or programs as it may be stored."""
    return written if written.startswith("urn:li:") else redacted(written)[0]


def kept(value: Json, leave_out: frozenset[str] = frozenset(), name: str = "") -> Json:
    """A value as it may be stored at any depth: no secrets, no rows of users, nothing that moves by itself."""
    if isinstance(value, Mapping):
        members = cast(Mapping[str, Any], value)
        unwanted = leave_out | _STAMPS | _USER_DATA
        pair = members.get("name") or members.get("key")
        if isinstance(pair, str) and isinstance(members.get("value"), str) and hides(pair, members["value"]):
            members = {**members, "value": mark("a secret by its name")}
        return {inner: kept(item, name=inner) for inner, item in members.items() if inner not in unwanted}
    if isinstance(value, list):
        return [kept(item, name=name) for item in cast(list[Any], value)]
    if isinstance(value, str):
        return mark("a secret by its name") if hides(name, value) else prose(value)
    return value


def sample(value: Json) -> str:
    """A short cut of something that was not understood, scrubbed."""
    written = value if isinstance(value, str) else orjson.dumps(value, default=str).decode("utf-8", "replace")
    return scrubbed(redacted(written[:_LONGEST])[0])
