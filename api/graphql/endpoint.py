"""GraphQL over HTTP and WebSocket: what a request must look like, and how its answer leaves."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.graphql import OperationType

from ...federation.errors import BadInput, WatersmeetError
from ..access import Access, Entry, entry_of
from ..metrics import Metrics
from ..services import Services
from ..wire import TooLarge, WrongRequest, body_of, json_bytes
from .answering import Answering, TooBusy
from .context import Context, Watched
from .errors import LimitExceeded, as_json
from .relay import Cursors
from .schema import Schema
from .sockets import Sockets

_THREADS = 8
"""So many questions are worked on at once; the rest waits, within its time."""
_JSON = "application/json"
_RESPONSE_JSON = "application/graphql-response+json"
_BY_METHOD = {
    "GET": (OperationType.QUERY,),
    "HEAD": (OperationType.QUERY,),
    "POST": (OperationType.QUERY, OperationType.MUTATION),
}


@dataclass(frozen=True, slots=True)
class _Operation:
    query: str
    variables: dict[str, Any] | None
    name: str | None


class Endpoint:
    """What stands behind `/graphql`."""

    def __init__(self, services: Services, metrics: Metrics, access: Access) -> None:
        self._services = services
        self._limits = services.settings.server.limits
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="question")
        self._answering = Answering(_THREADS, self._limits.queries)
        self._cursors = Cursors(services.store.secret())
        self._watched = Watched()
        self._schema = Schema(self._limits, metrics.error)
        self._access = access
        self._sockets = Sockets(self._schema, self._limits, lambda entry: self.context(entry, lasting=True))

    def close(self) -> None:
        """Begin nothing more."""
        self._answering.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def watch(self, socket: WebSocket) -> None:
        """One WebSocket, as long as it lasts."""
        await self._sockets.watch(socket)

    def context(self, entry: Entry, *, lasting: bool = False) -> Context:
        """What one request shares, or one WebSocket."""
        deadline = None if lasting else time.monotonic() + self._limits.time.total_seconds()
        shared = (self._services, self._executor, self._answering, self._cursors, self._watched, self._access)
        return Context(*shared, entry, deadline, lasting)

    async def answer(self, request: Request) -> Response:
        """One HTTP request, whatever it holds."""
        try:
            asked = await self._from_body(request) if request.method == "POST" else _from_address(request)
            context = self.context(entry_of(request.scope))
            if isinstance(asked, list):
                answers = [await self._execute(one, request.method, context) for one in asked]
                return Response(json_bytes(answers), media_type=_JSON)
            return _alone(request, await self._execute(asked, request.method, context))
        except WrongRequest as error:
            body = {"errors": [{"message": str(error), "extensions": {"code": "BAD_INPUT"}}]}
            return Response(json_bytes(body), error.status, error.headers, _JSON)
        except TooLarge as error:
            limit = LimitExceeded(str(error), setting="server.limits.body_bytes")
            return Response(json_bytes({"errors": [as_json(limit)]}), 413, media_type=_JSON)
        except TooBusy as error:
            return Response(json_bytes({"errors": [as_json(error)]}), 429, {"retry-after": "1"}, _JSON)
        except WatersmeetError as error:
            return Response(json_bytes({"errors": [as_json(error)]}), 400, media_type=_JSON)

    async def _from_body(self, request: Request) -> _Operation | list[_Operation]:
        body = await body_of(request, wire=self._limits.body_bytes, inflated=self._limits.body_bytes, gzip=False)
        try:
            told = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise WrongRequest(400, f"the body is no JSON: {error}") from error
        if not isinstance(told, list):
            return _operation(told)
        batch = cast(list[Any], told)
        if not batch:
            raise WrongRequest(400, "the body is an empty list: a batch holds at least one query")
        if len(batch) > self._limits.batch:
            message = f"the batch holds {len(batch)} queries, more than the {self._limits.batch} it may"
            raise LimitExceeded(message, setting="server.limits.batch")
        return [_operation(one) for one in batch]

    async def _execute(self, asked: _Operation, method: str, context: Context) -> dict[str, Any]:
        try:
            result = await self._schema.execute(
                asked.query,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.name,
                allowed_operation_types=_BY_METHOD[method],
            )
        except InvalidOperationTypeError as error:
            return {"errors": [as_json(_not_here(error, method))]}
        except CannotGetOperationTypeError as error:
            return {"errors": [as_json(BadInput(error.as_http_error_reason()))]}
        if not result.errors:
            return {"data": result.data}
        errors = [error.formatted for error in result.errors]
        # A request that was never begun has no data at all (GraphQL October 2021, §7.1.2).
        begun = result.data is not None or any(error.path for error in result.errors)
        return {"errors": errors, "data": result.data} if begun else {"errors": errors}


def _not_here(error: InvalidOperationTypeError, method: str) -> BadInput:
    if error.operation_type is OperationType.SUBSCRIPTION:
        return BadInput(f"subscriptions come over a WebSocket ({GRAPHQL_TRANSPORT_WS_PROTOCOL}), not by {method}")
    return BadInput(f"a {error.operation_type.value} does not go by {method}: POST it")


def _alone(request: Request, answer: dict[str, Any]) -> Response:
    """As `application/graphql-response+json` for who asks for that: then a request never begun is a 400."""
    if _RESPONSE_JSON in request.headers.get("accept", ""):
        return Response(json_bytes(answer), 200 if "data" in answer else 400, media_type=_RESPONSE_JSON)
    return Response(json_bytes(answer), media_type=_JSON)


def _from_address(request: Request) -> _Operation:
    asked: dict[str, Any] = dict(request.query_params)
    if "query" not in asked:
        raise WrongRequest(400, "there is no `query` in the address; the console is at /")
    if variables := asked.get("variables"):
        try:
            asked["variables"] = orjson.loads(variables)
        except orjson.JSONDecodeError as error:
            raise WrongRequest(400, f"`variables` is no JSON: {error}") from error
    else:
        asked["variables"] = None
    return _operation(asked)


def _operation(told: Any) -> _Operation:
    if not isinstance(told, dict):
        raise WrongRequest(400, 'a query comes as an object: {"query": …, "variables": {…}}')
    asked = cast(dict[str, Any], told)
    query, variables, name = asked.get("query"), asked.get("variables"), asked.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise WrongRequest(400, "`query` is missing or no text")
    if variables is not None and not isinstance(variables, dict):
        raise WrongRequest(400, "`variables` is no object")
    if name is not None and not isinstance(name, str):
        raise WrongRequest(400, "`operationName` is no text")
    return _Operation(query, cast(dict[str, Any] | None, variables), name or None)
