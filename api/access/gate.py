"""Stands before every path and every WebSocket, and lets in whom `Access` lets in."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..wire import json_bytes
from .access import Access, Refused
from .caller import Entry, put_entry

_LOOK = 2.0
"""Seconds between looks at whether a WebSocket's token is still in force."""
_GONE = 4403
_POLICY = 1008


class Gate:
    """The ASGI middleware."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        entry = self._access.entry(scope)
        put_entry(scope, entry)
        refused = await self._access.judge(scope, entry)
        if refused is not None:
            await _refuse(scope, refused, receive, send)
        elif scope["type"] == "websocket":
            await self._watched(entry, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _watched(self, entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket, until it ends or its token is taken away."""
        revoked = asyncio.ensure_future(self._revoked(entry))
        closed = False

        async def receiving() -> Message:
            nonlocal closed
            heard = asyncio.ensure_future(receive())
            await asyncio.wait({heard, revoked}, return_when=asyncio.FIRST_COMPLETED)
            if heard.done():
                return heard.result()
            heard.cancel()
            if not closed:
                closed = True
                await send({"type": "websocket.close", "code": _GONE, "reason": "the token is in force no longer"})
            return {"type": "websocket.disconnect", "code": _GONE}

        async def sending(message: Message) -> None:
            if not closed:
                await send(message)

        try:
            await self._app(scope, receiving, sending)
        finally:
            revoked.cancel()

    async def _revoked(self, entry: Entry) -> None:
        while entry.caller is None or await self._access.still(entry.caller):
            await asyncio.sleep(_LOOK)


async def _refuse(scope: Scope, refused: Refused, receive: Receive, send: Send) -> None:
    extensions = {"code": refused.code, **refused.extensions}
    body = json_bytes({"errors": [{"message": refused.message, "extensions": extensions}]})
    headers: list[tuple[Any, Any]] = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(name.encode(), value.encode()) for name, value in refused.headers.items()]
    kind = "http"
    if scope["type"] == "websocket":
        await receive()  # the handshake, which may be answered only once it is taken
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _POLICY, "reason": "not let in"})
            return
        kind = "websocket.http"
    await send({"type": f"{kind}.response.start", "status": refused.status, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})
