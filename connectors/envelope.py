"""How single OpenLineage events are taken out of what they come in."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import orjson

from ..federation.model import Json

_RECORDED = ({"path", "headers", "body"}, {"body", "headers"}, {"method", "path", "headers", "body"})


def written(event: Json) -> bytes:
    """An event as bytes again; what orjson cannot write (lone surrogates, huge numbers) is escaped."""
    try:
        return orjson.dumps(event)
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(event, separators=(",", ":")).encode("ascii")


def is_bare(value: Json) -> bool:
    """Whether a JSON value is an event (or a broken one) by itself, and nothing that events are wrapped in."""
    return not isinstance(value, list) and not _is_recorded(value)


def events(value: Json) -> Iterator[Json]:
    """The events in a JSON value: one, a list of them, or what a recorder wrote of a request."""
    if isinstance(value, list):
        for one in cast(list[Any], value):
            yield from events(one)
    elif _is_recorded(value):
        yield from events(_body(cast(Mapping[str, Any], value)["body"]))
    else:
        yield value


def _is_recorded(value: Json) -> bool:
    return isinstance(value, Mapping) and set(cast(Mapping[str, Any], value)) in _RECORDED


def _body(body: Json) -> Json:
    if not isinstance(body, str):
        return body
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
