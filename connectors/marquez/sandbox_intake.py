"""What Marquez answers to an event that is posted: where it looks, what it refuses, what it keeps all the same."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from .sandbox_things import Row
from .sandbox_world import Broken, World

_READER = "[Source: (org.glassfish.jersey.message.internal.ReaderInterceptorExecutor$UnCloseableInputStream); line: 1"
_CLASSES = {"JobEvent": "job", "DatasetEvent": "dataset"}


class Refused(Exception):
    """An answer that is no 201; `body` None: a page."""

    def __init__(self, status: int, body: Row | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def moment(text: Any) -> datetime:
    """A zoned time; without a zone it is the server's. Raises `ValueError` with the place."""
    if not isinstance(text, str):
        raise ValueError("Text could not be parsed at index 0")
    if text[10:11] != "T":
        at = 10 if text[:4].isdigit() else 0
        raise ValueError(f"Text '{text}' could not be parsed at index {at}")
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"Text '{text}' could not be parsed at index 19") from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def parsed(body: bytes) -> Row:
    """A JSON object. Raises `Refused`."""
    try:
        event = json.loads(body)
    except ValueError as error:
        # The status of the connection is 500, the one in the body 400.
        message = f"Unexpected character: {error}\n at {_READER}, column: 3]"
        raise Refused(500, {"code": 400, "message": message}) from error
    if not isinstance(event, dict):
        kind = "Array value (token `JsonToken.START_ARRAY`)" if isinstance(event, list) else "a scalar"
        message = f"Cannot deserialize value of type `marquez.service.models.LineageEvent` from {kind}\n at {_READER}]"
        raise Refused(500, {"code": 400, "message": message})
    return cast(Row, event)


class Intake:
    """Takes events: first into the feed, then, by itself, into the model."""

    def __init__(self, world: World) -> None:
        self._world = world

    def post(self, body: bytes) -> None:
        """Take one event. Raises `Refused`."""
        if not body.strip():
            raise Refused(422, {"errors": ["The request body must not be null"]})
        event = parsed(body)
        kind = _kind(event)
        problems = list(_problems(event, kind))
        if problems:
            raise Refused(422, {"errors": problems})
        at = self._time(event)
        if b"\\u0000" in body:
            raise Refused(500)
        self._world.events.append((at, kind, event))
        try:
            match kind:
                case "job":
                    self._world.job_event(at, event)
                case "dataset":
                    self._world.dataset_event(at, event)
                case _:
                    self._world.run_event(at, event)
        except Broken as error:
            raise Refused(error.status) from error

    def _time(self, event: Row) -> datetime:
        try:
            return moment(event["eventTime"])
        except ValueError as error:
            what = "Cannot deserialize value of type `java.time.ZonedDateTime` from String"
            raise Refused(500, {"code": 400, "message": f'{what} "{event["eventTime"]}": {error}'}) from error


def _kind(event: Row) -> str:
    """By the end of `schemaURL` alone; whatever is not known is a run's."""
    return _CLASSES.get(str(event.get("schemaURL") or "").rpartition("/")[2], "run")


def _problems(event: Row, kind: str) -> Any:
    if event.get("eventTime") is None:
        yield "eventTime must not be null"
    if event.get("producer") is None:
        yield "producer must not be null"
    wanted = {"run": ("run", "job"), "job": ("job",), "dataset": ("dataset",)}[kind]
    for name in wanted:
        told = event.get(name)
        if not isinstance(told, Mapping):
            yield f"{name} must not be null"
            continue
        members = cast(Mapping[str, Any], told)
        for member in ("runId",) if name == "run" else ("namespace", "name"):
            if members.get(member) is None:
                yield f"{name}.{member} must not be null"
