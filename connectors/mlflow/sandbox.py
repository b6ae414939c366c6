"""MLflow in miniature: its REST API as a client meets it, on loopback, with faults on demand."""

import base64
import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self, cast

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .. import story
from .sandbox_query import Refusal, Row
from .sandbox_routes import Unknown, World, answer

_UNAUTHENTICATED = (
    "You are not authenticated. Please see https://www.mlflow.org/docs/latest/auth/index.html"
    "#authenticating-to-mlflow on how to authenticate."
)
_SINGLE_SIGN_ON = "<!doctype html><html><body><form action='/login'>Sign in</form></body></html>"
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
_NO_LOGIN = ("/health", "/api/3.0/mlflow/server-info")


@dataclass(slots=True)
class Fault:
    """What goes wrong on calls whose path matches: the first `skip` are spared, then `times` of them fail.

    `kind`: "status" (with `status`), "truncated" (half the JSON), "reset" (the connection breaks off),
    "html" (200 with a page, as a single sign-on in front answers), "slow" (`seconds` late).
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
    workspace: str | None


class Sandbox:
    """A server on 127.0.0.1. With `empty` it starts without the story; entering it starts it, leaving it stops it."""

    def __init__(
        self,
        port: int = 0,
        empty: bool = False,
        *,
        version: str = "3.17.2",
        workspaces: Sequence[str] = (),
        password: tuple[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._port = port
        self._version = version
        self._password = password
        self._clock = clock
        self._story_at: int | None = None
        ids = itertools.count()  # the first one, 0, is `Default`
        self._worlds = {name: World(name, self._now, ids) for name in ("default", *workspaces)}
        self._has_workspaces = bool(workspaces)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""
        self.calls: list[Asked] = []
        self.faults: list[Fault] = []
        self.hidden: set[str] = set()
        """Workspaces that the caller has no grant in: searches answer 200 `{}`, gets 403."""
        self.world.tracking.create_experiment({"name": "Default"})
        if not empty:
            seed_story(self)

    def _now(self) -> int:
        return self._story_at or round(self._clock() * 1000)

    @property
    def world(self) -> World:
        """What the workspace `default` holds."""
        return self._worlds["default"]

    def workspace(self, name: str) -> World:
        """What one workspace holds."""
        return self._worlds[name]

    def call(self, method: str, path: str, body: Row, workspace: str = "default") -> Row:
        """Make one call without HTTP; for seeding."""
        return answer(self._worlds[workspace], method, path, body, is_modern=self._is_modern)

    @contextmanager
    def as_of_calls(self) -> Generator[Callable[[str, str, Row], Row]]:
        """Gives a `call` during which the clock stands where the calls say (a run's start, a metric's time)."""

        def told(method: str, path: str, body: Row) -> Row:
            times = [int(body[name]) for name in ("start_time", "timestamp", "end_time") if body.get(name)]
            self._story_at = max([*times, self._story_at or 0]) or None
            return self.call(method, path, body)

        try:
            yield told
        finally:
            self._story_at = None

    def fail(self, path: str, **fault: Any) -> Fault:
        """Let calls fail whose path matches; see `Fault`."""
        self.faults.append(Fault(path, **fault))
        return self.faults[-1]

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
                raise RuntimeError("the miniature of MLflow ended before it listened; its log says why")
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
        path = request.url.path
        self.calls.append(Asked(request.method, path, request.headers.get("x-mlflow-workspace")))
        fault = next((one for one in self.faults if one.strikes(path)), None)
        body = _body(await request.body(), request)
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.seconds)
        response = self._respond(request, path, body)
        return response if fault is None else _broken(fault, response)

    def _respond(self, request: Request, path: str, body: Row) -> Response:
        if path not in _NO_LOGIN and not self._may_enter(request):
            return Response(_UNAUTHENTICATED, 401, {"WWW-Authenticate": 'Basic realm="mlflow"'}, "text/html")
        if path == "/health":
            return Response("OK", media_type="text/plain")
        if path == "/version":
            return Response(self._version, media_type="text/html")
        name = request.headers.get("x-mlflow-workspace") or "default"
        try:
            return self._json(request.method, path, body, name)
        except Unknown:
            return Response("<!doctype html><title>404 Not Found</title>", 404, media_type="text/html")
        except Refusal as error:
            return Response(
                orjson.dumps({"error_code": error.code, "message": str(error)}),
                error.status,
                media_type="application/json",
            )

    def _json(self, method: str, path: str, body: Row, workspace: str) -> Response:
        if self._is_modern and path.endswith("/mlflow/server-info"):
            info = {"store_type": "SqlStore", "workspaces_enabled": self._has_workspaces}
            return _dumped({**info, "features_enabled": {"gateway": True}})
        if self._is_modern and path.endswith("/mlflow/workspaces"):
            return self._workspaces()
        if workspace not in self._worlds:
            raise Refusal(f"Workspace '{workspace}' not found", "RESOURCE_DOES_NOT_EXIST", 404)
        if workspace in self.hidden:
            if path.endswith(("/search", "/list")):
                return _dumped({})
            return Response("Permission denied", 403, media_type="text/html")
        found = answer(self._worlds[workspace], method, path, body, is_modern=self._is_modern)
        return Response(found, media_type="text/plain") if isinstance(found, str) else _dumped(found)

    def _workspaces(self) -> Response:
        if not self._has_workspaces:
            return Response("Endpoint disabled because the server is running without workspaces support.", 503)
        return _dumped({"workspaces": [{"name": name} for name in self._worlds if name not in self.hidden]})

    @property
    def _is_modern(self) -> bool:
        return int(self._version.partition(".")[0]) >= 3

    def _may_enter(self, request: Request) -> bool:
        if self._password is None:
            return True
        wanted = base64.b64encode(":".join(self._password).encode()).decode()
        return request.headers.get("authorization") == f"Basic {wanted}"


class _BrokenOff(Response):
    """Promises more than it sends, and goes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = str(len(self.body) + 1000).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(self.body), "more_body": False})


def _broken(fault: Fault, response: Response) -> Response:
    match fault.kind:
        case "truncated":
            return Response(bytes(response.body)[: len(response.body) // 2], 200, media_type="application/json")
        case "reset":
            return _BrokenOff(bytes(response.body)[: len(response.body) // 2])
        case "html":
            return Response(_SINGLE_SIGN_ON, 200, media_type="text/html")
        case "slow":
            return response
        case _:
            return Response("<html>no</html>", fault.status, dict(fault.headers or {}), "text/html")


def _body(sent: bytes, request: Request) -> Row:
    return orjson.loads(sent) if sent.strip() else dict(request.query_params)


def _dumped(answered: Row) -> Response:
    return Response(orjson.dumps(_lean(answered)), media_type="application/json")


def _lean(value: Any) -> Any:
    """Empty lists and absent values are left out, as MLflow's messages do."""
    if isinstance(value, dict):
        told = cast(Row, value).items()
        return {key: _lean(one) for key, one in told if one is not None and one != []}
    if isinstance(value, list):
        return [_lean(one) for one in cast(list[Any], value)]
    return value


def seed_story(sandbox: Sandbox) -> None:
    """The tracker's half of the story of `connectors.story`, and an LLM behind the gateway that explains the churn."""
    with sandbox.as_of_calls() as call:
        story.experiments(call)
    sandbox.world.tracking.sign_models({"orders": "double", "total_spent": "double"})
    route = {"provider": "openai", "model_name": "gpt-4o-mini", "weight": 1.0}
    endpoint = {"name": "churn-explainer", "model_configs": [route]}
    sandbox.call("POST", "/api/3.0/mlflow/gateway/endpoints/create", endpoint)
