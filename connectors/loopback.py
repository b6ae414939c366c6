"""The server under every platform in miniature: on loopback, in a thread, with faults on demand."""

import asyncio
import gzip
import re
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Self

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
_SIGN_ON = "<!doctype html><html><head><title>Sign in</title></head><body><form action='/login'></form></body></html>"


_DEEP = 100_000


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    """32 MB of nothing in 32 kB."""
    return gzip.compress(b"[" + b" " * 2**25 + b"]")


@dataclass(slots=True)
class Fault:
    """What goes wrong on calls whose path and query match: the first `skip` are spared, then `times` of them fail.

    `kind`: "status" (with `status` and `body`), "truncated" (half the JSON), "reset" (the connection breaks off),
    "html" (200 with a page, as a single sign-on in front answers), "slow" (`seconds` late), "bomb" (a little that
    unpacks to a lot), "nested" (lists in lists without end), "bent" (the good answer as `bend` changes it).
    """

    path: str
    kind: str = "status"
    status: int = 503
    times: int = 1
    skip: int = 0
    headers: Mapping[str, str] | None = None
    seconds: float = 0.0
    bend: Callable[[Any], Any] = dict
    body: str = "<html>no</html>"

    def strikes(self, path: str) -> bool:
        """Whether this call is one of those that fail."""
        if re.search(self.path, path) is None:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if not self.times:
            return False
        self.times -= 1
        return True

    def spoil(self, response: Response) -> Response:
        """What arrives instead of a good answer."""
        body = bytes(response.body)
        match self.kind:
            case "truncated":
                return Response(body[: len(body) // 2], 200, media_type="application/json")
            case "reset":
                return _BrokenOff(body[: len(body) // 2])
            case "html":
                return Response(_SIGN_ON, 200, media_type="text/html")
            case "slow":
                return response
            case "bomb":
                return Response(_bomb(), 200, {"Content-Encoding": "gzip"}, "application/json")
            case "nested":
                return Response(b"[" * _DEEP + b"]" * _DEEP, 200, media_type="application/json")
            case "bent":
                return Response(orjson.dumps(self.bend(orjson.loads(body))), 200, media_type="application/json")
            case _:
                return Response(self.body, self.status, dict(self.headers or {}), "text/html")


class Loopback(ABC):
    """A server on 127.0.0.1; entering it starts it, leaving it stops it."""

    platform: ClassVar[str]
    """What it is a miniature of."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self.url = ""
        self.faults: list[Fault] = []
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @abstractmethod
    async def answer(self, request: Request) -> Response:
        """Answer as the platform would, when nothing goes wrong."""

    async def called(self, request: Request) -> str:
        """What faults are matched against."""
        return whole_path(request)

    def fail(self, path: str, **fault: Any) -> Fault:
        """Let calls fail whose path matches; see `Fault`."""
        self.faults.append(Fault(path, **fault))
        return self.faults[-1]

    def start(self) -> Self:
        """Listen on the port, or on a free one, and answer from a thread. Raises `OSError` for a taken port."""
        listening = socket.create_server(("127.0.0.1", self._port))
        # Else each body waits 40 ms, until the client has acknowledged its head.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = Starlette(routes=[Route("/{path:path}", self._answered, methods=_METHODS)])
        config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError(f"the miniature of {self.platform} ended before it listened; its log says why")
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=10)
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self if self._server is not None else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _answered(self, request: Request) -> Response:
        try:
            return await self._spoilt(request)
        except ClientDisconnect:
            return Response()  # whoever asked was killed

    async def _spoilt(self, request: Request) -> Response:
        path = await self.called(request)
        fault = next((one for one in self.faults if one.strikes(path)), None)
        response = await self.answer(request)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        return response if fault is None else fault.spoil(response)


def whole_path(request: Request) -> str:
    """Path and query as they went over the wire."""
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    path = raw.decode("ascii", "replace").partition("?")[0]
    return f"{path}?{query.decode('ascii', 'replace')}" if query else path


class _BrokenOff(Response):
    """Promises more than it sends, and goes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = str(len(self.body) + 1000).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(self.body), "more_body": False})
