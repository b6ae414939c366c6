"""What an error says to whoever asked: a code, a remedy, and nothing of our inside."""

from collections.abc import Callable, Iterator
from typing import Any

import structlog
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types.execution import StreamExecutionResult

from ...federation.errors import (
    AlreadyRunning,
    Ambiguous,
    BadInput,
    CursorExpired,
    Forbidden,
    Misconfigured,
    NotFound,
    SourceError,
    StoreUnavailable,
    WatersmeetError,
)

_log = structlog.get_logger(__name__)
_CODES: tuple[tuple[type[WatersmeetError], str], ...] = (
    (NotFound, "NOT_FOUND"),
    (Ambiguous, "AMBIGUOUS"),
    (CursorExpired, "CURSOR_EXPIRED"),
    (BadInput, "BAD_INPUT"),
    (Forbidden, "FORBIDDEN"),
    (StoreUnavailable, "UNAVAILABLE"),
    (AlreadyRunning, "UNAVAILABLE"),
    (SourceError, "UNAVAILABLE"),
    (Misconfigured, "UNAVAILABLE"),
)
_HIDDEN = "something went wrong inside Watersmeet: its log has the trace under the request id {id}"
_AWAY = "the store cannot be read or written now: the log says why, under the request id {id}"


class LimitExceeded(BadInput):
    """A request asks for more than the configuration allows; `setting` is the key that says so."""

    def __init__(self, message: str, *, setting: str) -> None:
        super().__init__(f"{message}; `{setting}` sets that")
        self.setting = setting


def code_of(error: WatersmeetError) -> str:
    """The word in `extensions.code`."""
    if isinstance(error, LimitExceeded):
        return "LIMIT_EXCEEDED"
    return next((code for kind, code in _CODES if isinstance(error, kind)), "INTERNAL")


def told(error: GraphQLError) -> GraphQLError:
    """The same error as it may leave the house."""
    if "code" in (error.extensions or {}):
        return error
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, WatersmeetError):
        said = as_json(cause)
        return _as(error, said["message"], said["extensions"])
    if cause is None or isinstance(cause, GraphQLError):
        return _as(error, error.message, {"code": "BAD_INPUT"})
    _log.error("a field could not be answered", path=error.path, exc_info=cause)
    return _as(error, _HIDDEN.format(id=_request()), {"code": "INTERNAL", "requestId": _request()})


def as_json(error: WatersmeetError) -> dict[str, Any]:
    """An error as it may leave the house, wherever it comes from."""
    if isinstance(error, StoreUnavailable | Misconfigured):  # addresses and paths are the operator's business
        _log.error("the store could not be asked", exc_info=error)
        message = _AWAY.format(id=_request())
        return {"message": message, "extensions": {"code": "UNAVAILABLE", "requestId": _request()}}
    return {"message": str(error), "extensions": _extensions(error)}


def _request() -> str:
    """The id under which the log has the request at hand."""
    return str(structlog.contextvars.get_contextvars().get("request_id", "unknown"))


def _extensions(error: WatersmeetError) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": code_of(error)}
    if isinstance(error, LimitExceeded):
        extensions["setting"] = error.setting
    if isinstance(error, Forbidden):
        extensions["needed"] = error.needed
    if isinstance(error, Ambiguous):
        extensions["candidates"] = [
            {"id": str(asset), "source": source, "nativeId": native_id} for asset, source, native_id in error.candidates
        ]
    return extensions


def _as(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


class Told(SchemaExtension):
    """Rewrites the errors of every result, whichever way it goes out."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self._heard = heard
        self._streamed = False

    def on_operation(self) -> Iterator[None]:
        """Rewrite what a query or mutation ended with."""
        yield
        if not self._streamed:
            self._rewrite(self.execution_context.result)

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        """Rewrite each result of a subscription before it is sent."""
        self._streamed = True
        self._rewrite(result)
        yield None

    def _rewrite(self, result: Any) -> None:
        errors: list[GraphQLError] | None = getattr(result, "errors", None)
        if errors:
            result.errors = [told(error) for error in errors]
            for error in result.errors:
                self._heard((error.extensions or {}).get("code", "INTERNAL"))
