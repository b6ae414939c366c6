"""The GraphQL console: one page of our own, which asks nobody but this server."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_WEB = Path(__file__).with_name("web")
_FILES = {
    "/": ("console.html", "text/html; charset=utf-8"),
    "/console.css": ("console.css", "text/css; charset=utf-8"),
    "/console.js": ("console.js", "text/javascript; charset=utf-8"),
}


def _page(name: str, kind: str) -> Response:
    return Response((_WEB / name).read_bytes(), headers={"content-type": kind, "cache-control": "no-cache"})


def _route(path: str) -> Route:
    name, kind = _FILES[path]

    async def page(_request: Request) -> Response:
        return _page(name, kind)

    return Route(path, page, methods=["GET"])


PAGES = tuple(_route(path) for path in _FILES)
"""The console's routes."""
