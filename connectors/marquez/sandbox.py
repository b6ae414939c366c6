"""Marquez in miniature: its REST API as a client meets it, on loopback, with faults on demand."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ...federation.clock import Clock, utcnow
from .. import story
from ..loopback import Loopback, whole_path
from .sandbox_routes import Reply, Routes
from .sandbox_things import Row
from .sandbox_world import World

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


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that arrived."""

    method: str
    path: str
    """With its query, as it went over the wire."""
    authorization: str | None


class Sandbox(Loopback):
    """A server on 127.0.0.1. With `empty` it starts without the story; entering it starts it, leaving it stops it."""

    platform = "Marquez"

    def __init__(
        self,
        port: int = 0,
        empty: bool = False,
        *,
        token: str | None = None,
        is_unstable: bool = False,
        is_fork: bool = False,
        clock: Clock = utcnow,
    ) -> None:
        """`token`: what a proxy in front wants to see, as Marquez itself asks for nothing."""
        super().__init__(port)
        self._token = token
        self.world = World(clock)
        self.routes = Routes(self.world, lambda: self.url, is_unstable=is_unstable, is_fork=is_fork)
        self.calls: list[Asked] = []
        self.between: list[Callable[[Asked], None]] = []
        """Called before each answer, so that the world can move while it is read."""
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

    def call(self, method: str, *path: str) -> Any:
        """Make one call below /api/v1 without HTTP."""
        return self._call(method, path, b"").body

    def _call(self, method: str, path: Iterable[str], body: bytes) -> Reply:
        return self.routes.answer(method, list(path), {}, body, "application/json")

    async def answer(self, request: Request) -> Response:
        """Answer as Marquez would."""
        path = whole_path(request)
        asked = Asked(request.method, path, request.headers.get("authorization"))
        self.calls.append(asked)
        body = _inflated(await request.body(), request.headers.get("content-encoding", ""))
        for one in list(self.between):
            one(asked)
        return self._respond(asked, path, body, request.headers.get("content-type", ""))

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


def _sent(reply: Reply) -> Response:
    headers = dict(reply.headers)
    if reply.body is not None:
        return Response(orjson.dumps(reply.body), reply.status, headers, "application/json")
    if reply.status >= 400:
        page = _PAGE.format(reply.status, _REASONS.get(reply.status, ""))
        return Response(page, reply.status, {**headers, "content-type": "text/html;charset=iso-8859-1"})
    return Response(b"", reply.status, headers)


def _inflated(body: bytes, encoding: str) -> bytes:
    return zlib.decompress(body, wbits=31) if encoding == "gzip" else body
