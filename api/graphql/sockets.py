"""GraphQL over WebSocket (graphql-transport-ws): how many may be open, what may be said, and how much at once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import orjson
import strawberry.asgi
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler

from ...config.settings import Limits
from ..access import Entry, entry_of
from ..wire import json_bytes
from .context import Context
from .errors import LimitExceeded, as_json
from .schema import Schema

_TRY_LATER = 1013
_KINDS = ("connection_init", "ping", "pong", "subscribe", "complete")
_ID_BYTES = 64


class Sockets(strawberry.asgi.GraphQL[Context, None]):
    """All WebSockets of a process; who may open one is decided before."""

    def __init__(self, schema: Schema, limits: Limits, context: Callable[[Entry], Context]) -> None:
        """`context` makes what one connection shares."""
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=limits.init,
            max_subscriptions_per_connection=None,  # `_Conversation` counts, and names the setting
        )
        self.graphql_transport_ws_handler_class = _Conversation
        self.limits = limits
        self.conversations: set[_Conversation] = set()
        self._context = context
        self._open: Counter[str] = Counter()

    async def watch(self, socket: WebSocket) -> None:
        """One WebSocket, as long as it lasts."""
        client = socket.client.host if socket.client else ""
        refused = self._refusal(client)
        if refused is not None:
            await _turn_away(socket, refused)
            return
        self._open[client] += 1
        try:
            await self(socket.scope, socket.receive, socket.send)
        finally:
            self._open[client] -= 1
            self._open += Counter()  # forgets who has none any more

    def operations(self) -> int:
        """How many go on over all WebSockets."""
        return sum(len(one.operations) for one in self.conversations)

    async def get_context(self, request: Any, response: Any) -> Context:
        """One for the whole connection."""
        return self._context(entry_of(request.scope))

    async def on_ws_connect(self, context: Context) -> Any:
        """Let it begin, if it is known whose it is: from the handshake, else from what `connection_init` brings."""
        if not await context.access.introduce(context.entry, context.connection_params):
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)

    def decode_json(self, data: str | bytes) -> object:
        """A message. Raises `orjson.JSONDecodeError`, which is a `json.JSONDecodeError`."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        """A message, as text, which the protocol wants."""
        return json_bytes(data).decode()

    def _refusal(self, client: str) -> LimitExceeded | None:
        limits = self.limits
        if self._open.total() >= limits.connections:
            return LimitExceeded(
                f"{limits.connections} WebSockets are open, more may not be", setting="server.limits.connections"
            )
        if self._open[client] >= limits.connections_per_client:
            return LimitExceeded(
                f"{limits.connections_per_client} WebSockets are open from this address, more may not be",
                setting="server.limits.connections_per_client",
            )
        return None


async def _turn_away(socket: WebSocket, refused: LimitExceeded) -> None:
    if "websocket.http.response" not in socket.scope.get("extensions", {}):
        await socket.close(_TRY_LATER, "too many are watching")
        return
    body = json_bytes({"errors": [as_json(refused)]})
    await socket.send_denial_response(Response(body, 429, {"retry-after": "10"}, "application/json"))


class _Conversation(BaseGraphQLTransportWSHandler[Context, None]):
    """What is said on one WebSocket. A message that is none ends it, and nothing else."""

    async def handle(self) -> None:
        """Listen until it is closed."""
        self._sockets.conversations.add(self)
        try:
            await super().handle()
        finally:
            self._sockets.conversations.discard(self)

    async def handle_message(self, message: Any) -> None:
        """One message, whatever somebody sent."""
        wrong = _wrong(message)
        if wrong is not None:
            await self.handle_invalid_message(wrong)
            return
        await super().handle_message(message)
        await asyncio.sleep(0)  # others get their turn, however fast one speaks

    async def handle_subscribe(self, message: Any) -> None:
        """Begin an operation, if one more may go on."""
        refused = self._refusal() if self.connection_acknowledged and message["id"] not in self.operations else None
        if refused is None:
            await super().handle_subscribe(message)
        else:
            await self.send_message({"id": message["id"], "type": "error", "payload": [cast(Any, as_json(refused))]})

    def _refusal(self) -> LimitExceeded | None:
        limits = self._sockets.limits
        if len(self.operations) >= limits.subscriptions_per_connection:
            return LimitExceeded(
                f"{limits.subscriptions_per_connection} operations go on over this WebSocket, more may not",
                setting="server.limits.subscriptions_per_connection",
            )
        if self._sockets.operations() >= limits.subscriptions:
            return LimitExceeded(
                f"{limits.subscriptions} operations go on over all WebSockets, more may not",
                setting="server.limits.subscriptions",
            )
        return None

    @property
    def _sockets(self) -> Sockets:
        return cast(Sockets, self.view)


def _wrong(message: Any) -> str | None:
    """Why a message is none of the protocol; the reason fits into a closing frame (123 bytes)."""
    if not isinstance(message, dict):
        return "A message is an object"
    told = cast(dict[str, Any], message)
    kind = told.get("type")
    if kind not in _KINDS:
        return "Unknown message type"
    if kind in ("subscribe", "complete"):
        number = told.get("id")
        if not isinstance(number, str) or not 0 < len(number.encode()) <= _ID_BYTES:
            return f"`id` must be a text of 1 to {_ID_BYTES} bytes"
    return _wrong_query(told.get("payload")) if kind == "subscribe" else None


def _wrong_query(payload: Any) -> str | None:
    if not isinstance(payload, dict):
        return "`payload` must be an object"
    asked = cast(dict[str, Any], payload)
    if not isinstance(asked.get("query"), str) or not asked["query"].strip():
        return "`payload.query` is missing or no text"
    if not isinstance(asked.get("variables"), dict | None):
        return "`payload.variables` is no object"
    if not isinstance(asked.get("operationName"), str | None):
        return "`payload.operationName` is no text"
    return None
