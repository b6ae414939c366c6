"""What one record of a metadata file says: a proposal of one aspect (MCP), or a snapshot of one entity (MCE)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson

from ...federation.model import Json
from .registry import ASPECT_OF
from .urn import BadUrn, Urn, read
from .wire import field, unwrapped

RESTATES = "watersmeet.restates"
"""How a line that we write marks that it corrects an earlier one, among its properties."""
_AVRO, _PLAIN = "com.linkedin.pegasus2avro.", "com.linkedin."
_STATED = frozenset({"UPSERT", "CREATE", "CREATE_ENTITY", "UPDATE", "RESTATE"})


class BadRecord(ValueError):
    """A record that says nothing that could be taken, with the reason."""


@dataclass(frozen=True, slots=True)
class Change:
    """One aspect of one entity, as one record states, patches or deletes it."""

    urn: Urn
    aspect: str
    """Empty where a whole entity is deleted."""
    kind: str
    """`UPSERT`, `PATCH` or `DELETE`."""
    value: Json = None
    restates: bool = False
    """It corrects what the same file stated of the aspect, which was never to be read alone."""


def changes(record: Json) -> Iterator[Change | BadRecord]:
    """All that a record says; of what cannot be taken the reason. The rest of the record stands."""
    try:
        if not isinstance(record, dict):
            raise BadRecord("it is no object")
        members = cast(dict[str, Any], record)
        if "proposedSnapshot" in members:
            yield from _snapshot(unwrapped(members["proposedSnapshot"]))
        elif "entityType" in members or "entityUrn" in members:
            yield _proposal(members)
        else:
            raise BadRecord("it is neither a proposal (entityUrn, aspectName) nor a snapshot (proposedSnapshot)")
    except BadRecord as error:
        yield error


def class_aspect(name: str) -> str:
    """The name under which a class of aspects is registered: `…common.GlobalTags` is `globalTags`."""
    known = ASPECT_OF.get(name.replace(_AVRO, _PLAIN))
    if known is not None:
        return known
    short = name.rpartition(".")[2]
    start = 2 if short.startswith("ML") else 1
    return short[:start].lower() + short[start:]


def _snapshot(snapshot: Json) -> Iterator[Change | BadRecord]:
    one = _urn(field(snapshot, "urn"))
    listed = field(snapshot, "aspects")
    if not isinstance(listed, list):
        raise BadRecord(f"the snapshot of {one.text} has no list of aspects")
    for number, aspect in enumerate(cast(list[Any], listed)):
        if isinstance(aspect, dict) and len(cast(dict[str, Any], aspect)) == 1:
            ((name, value),) = cast(dict[str, Any], aspect).items()
            yield Change(one, class_aspect(name), "UPSERT", _as_answered(value))
        else:
            yield BadRecord(f"aspects/{number} of {one.text} does not name its class")


def _proposal(record: Mapping[str, Any]) -> Change:
    one = _urn(unwrapped(record.get("entityUrn")))
    kind = record.get("changeType", "UPSERT")
    name = unwrapped(record.get("aspectName"))
    aspect = name if isinstance(name, str) else ""
    if kind == "DELETE":
        return Change(one, "" if aspect == f"{one.type}Key" else aspect, "DELETE")
    if kind not in _STATED and kind != "PATCH":
        raise BadRecord(f"the change {kind!r} of {one.text} is not known")
    if not aspect:
        raise BadRecord(f"the proposal of {one.text} names no aspect")
    value = _as_answered(_value(one, aspect, record.get("aspect")))
    restates = field(field(record.get("systemMetadata"), "properties"), RESTATES) is not None
    return Change(one, aspect, "PATCH" if kind == "PATCH" else "UPSERT", value, restates)


def _value(one: Urn, aspect: str, written: Json) -> Json:
    """`{"json": …}`, or `{"value": "<json text>"}`."""
    written = unwrapped(written)
    if field(written, "json") is not None:
        return field(written, "json")
    text = field(written, "value")
    if not isinstance(text, str):
        raise BadRecord(f"{aspect} of {one.text} has no value")
    return decoded(text, f"{aspect} of {one.text}")


def decoded(text: str, what: str) -> Json:
    """JSON in a text. Raises `BadRecord`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRecord(f"the value of {what} is no JSON: {error}") from error


def _as_answered(value: Json) -> Json:
    """Files may name the classes in unions by a namespace that servers do not know."""
    if isinstance(value, dict):
        members = cast(dict[str, Any], value)
        return {name.replace(_AVRO, _PLAIN): _as_answered(one) for name, one in members.items()}
    return [_as_answered(one) for one in cast(list[Any], value)] if isinstance(value, list) else value


def _urn(value: Json) -> Urn:
    try:
        return read(value)
    except BadUrn as error:
        raise BadRecord(f"{value!r} names no thing: {error}") from error
