"""Times, ids and fixed words as GraphQL writes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry import ID

from ...federation import model
from ...federation.errors import BadInput

__all__ = [
    "ID",
    "SCALARS",
    "AssetKind",
    "Direction",
    "EdgeKind",
    "Evidence",
    "Level",
    "Role",
    "RunState",
    "SourceStatus",
    "SyncState",
    "number_of",
    "numbers_of",
]


def _enum(words: type[StrEnum]) -> Any:
    return strawberry.enum(words, description=(words.__doc__ or "").partition(" Append only.")[0].split("\n")[0])


for _words in (
    model.AssetKind,
    model.EdgeKind,
    model.Evidence,
    model.Role,
    model.RunState,
    model.SyncState,
    model.SourceStatus,
    model.Direction,
    model.Level,
):
    _enum(_words)

AssetKind = model.AssetKind
EdgeKind = model.EdgeKind
Evidence = model.Evidence
Role = model.Role
RunState = model.RunState
SyncState = model.SyncState
SourceStatus = model.SourceStatus
Direction = model.Direction
Level = model.Level


def _moment(value: object) -> datetime:
    told = None
    if isinstance(value, str):
        try:
            told = datetime.fromisoformat(value)
        except ValueError:
            told = None
    if told is None or told.tzinfo is None:
        raise GraphQLError(f"{value!r} is no time with a zone; for example 2026-11-20T12:00:00Z")
    return told


def _spelled(value: datetime) -> str:
    return value.isoformat()


SCALARS: Mapping[object, Any] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A time as ISO 8601 with its zone, for example 2026-11-20T12:00:00Z.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=_spelled,
        parse_value=_moment,
    ),
}
"""How Python's types are written where GraphQL has no word of its own."""

_LARGEST = 2**63 - 1


def number_of(given: str) -> int:
    """The store's number of an id. Raises `BadInput`."""
    if given.isascii() and given.isdigit() and (number := int(given[:20])) <= _LARGEST:
        return number
    raise BadInput(f"{given[:100]!r} is no id: ids are whole numbers; `asset(key:)` finds a thing by its name")


def numbers_of(given: Sequence[str] | None) -> list[int] | None:
    """The store's numbers of ids; None stays None. Raises `BadInput`."""
    return None if given is None else [number_of(one) for one in given]
