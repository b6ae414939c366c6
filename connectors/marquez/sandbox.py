"""Marquez in miniature: its REST API as a client meets it, on loopback, with faults on demand."""

import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .. import story
from .sandbox_routes import Reply, Routes
from .sandbox_things import Row
from .sandbox_world import World

_METHODS = ["GET", "POST", "PUT", "DELETE"]
_SIGN_ON = "<!doctype html><html><head><title>Sign in</title></head><body><form action='/login'></form></body></html>"
_PAGE = """<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>
<title>Error {0} {1}</title>
</head>
<body><h2>HTTP ERROR {0} {1}</h2>
</body>
</html>
"""
_REASONS = {400: "Bad Request", 500: "Internal Server Error", 503: "Service Unavailable"}


def utcnow() -> datetime:
    """The time now, aware."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Fault:
    """What goes wrong on calls whose path and query match: the first `skip` are spared, then `times` of them fail.

    `kind`: "status" (with `status`), "truncated" (half the JSON), "reset" (the connection breaks off), "html" (200 with
    a page to sign in), "slow" (`seconds` late).
    """

    path: str
    kind: str = "status"
    status: int = 503
    times: int = 1
    skip: int = 0
    headers: Mapping[str, str] | None = None
    seconds: float = 0.0

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


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that arrived."""

    method: str
    path: str
    """With its query, as it went over the wire."""
    authorization: str | None


class Sandbox:
    """A server on 127.0.0.1. With `empty` it starts without the story; entering it starts it, leaving it stops it."""

    def __init__(
        self,
        port: int = 0,
        empty: bool = False,
        *,
        token: str | None = None,
        is_unstable: bool = False,
        is_fork: bool = False,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        """`token`: what a proxy in front wants to see, as Marquez itself asks for nothing."""
        self._port = port
        self._token = token
        self.url = ""
        self.world = World(clock)
        self.routes = Routes(self.world, lambda: self.url, is_unstable=is_unstable, is_fork=is_fork)
        self.calls: list[Asked] = []
        self.faults: list[Fault] = []
        self.between: list[Callable[[Asked], None]] = []
        """Called before each answer, so that the world can move while it is read."""
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        if not empty:
            self.seed(story.events("tracking:5000"))

    def seed(self, events: Iterable[Row]) -> None:
        """Take events without HTTP. Raises `ValueError` where one is refused."""
        for event in events:
            reply = self._call("POST", ["lineage"], orjson.dumps(event))
            if reply.status != 201:
                raise ValueError(f"Marquez refuses an event with {reply.status}: {reply.body}")

    def symlink_job(self, namespace: str, name: str, target: str) -> None:
        """Make a job lead to another: old databases hold such ones, no call makes them."""
        self.world.jobs[(namespace, name)].symlink = (namespace, target)

    def fail(self, path: str, **fault: Any) -> Fault:
        """Let calls fail whose path matches; see `Fault`."""
        self.faults.append(Fault(path, **fault))
        return self.faults[-1]

    def call(self, method: str, *path: str) -> Any:
        """Make one call below /api/v1 without HTTP."""
        return self._call(method, path, b"").body

    def _call(self, method: str, path: Iterable[str], body: bytes) -> Reply:
        return self.routes.answer(method, list(path), {}, body, "application/json")

    # The server

    def start(self) -> Self:
        """Listen on the port, or on a free one, and answer from a thread."""
        listening = socket.create_server(("127.0.0.1", self._port))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])
        config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the miniature of Marquez ended before it listened; its log says why")
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

    async def _answer(self, request: Request) -> Response:
        raw: bytes = request.scope["raw_path"]
        query: bytes = request.scope["query_string"]
        path = raw.decode("ascii", "replace").partition("?")[0] + (
            "?" + query.decode("ascii", "replace") if query else ""
        )
        asked = Asked(request.method, path, request.headers.get("authorization"))
        self.calls.append(asked)
        body = _inflated(await request.body(), request.headers.get("content-encoding", ""))
        for one in list(self.between):
            one(asked)
        fault = next((one for one in self.faults if one.strikes(path)), None)
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.seconds)
        response = self._respond(asked, path, body, request.headers.get("content-type", ""))
        return response if fault is None else _broken(fault, response)

    def _respond(self, asked: Asked, path: str, body: bytes, content_type: str) -> Response:
        if self._token is not None and asked.authorization != f"Bearer {self._token}":
            return Response("<html><h1>401 Authorization Required</h1></html>", 401, media_type="text/html")
        where, _, query = path.partition("?")
        segments = [unquote(one) for one in where.split("/")[1:]]
        if segments[:2] == ["api", "v2beta"]:
            return _sent(Reply(503))
        if segments[:2] != ["api", "v1"]:
            return _sent(Reply(404, {"code": 404, "message": "HTTP 404 Not Found"}))
        params = dict(parse_qsl(query, keep_blank_values=True))
        return _sent(self.routes.answer(asked.method, segments[2:], params, body, content_type))


class _BrokenOff(Response):
    """Promises more than it sends, and goes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = str(len(self.body) + 1000).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(self.body), "more_body": False})


def _sent(reply: Reply) -> Response:
    headers = dict(reply.headers)
    if reply.body is not None:
        return Response(orjson.dumps(reply.body), reply.status, headers, "application/json")
    if reply.status >= 400:
        page = _PAGE.format(reply.status, _REASONS.get(reply.status, ""))
        return Response(page, reply.status, {**headers, "content-type": "text/html;charset=iso-8859-1"})
    return Response(b"", reply.status, headers)


def _broken(fault: Fault, response: Response) -> Response:
    body = bytes(response.body)
    match fault.kind:
        case "truncated":
            return Response(body[: len(body) // 2], 200, media_type="application/json")
        case "reset":
            return _BrokenOff(body[: len(body) // 2])
        case "html":
            return Response(_SIGN_ON, 200, media_type="text/html")
        case "slow":
            return response
        case _:
            return Response("<html>no</html>", fault.status, dict(fault.headers or {}), "text/html")


def _inflated(body: bytes, encoding: str) -> bytes:
    return zlib.decompress(body, wbits=31) if encoding == "gzip" else body
