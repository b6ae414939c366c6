"""MLflow in miniature: its REST API as a client meets it, on loopback, with faults on demand."""

import base64
import itertools
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response

from .. import story
from ..loopback import Loopback
from .sandbox_query import Refusal, Row
from .sandbox_routes import Unknown, World, answer

_UNAUTHENTICATED = (
    "You are not authenticated. Please see https://www.mlflow.org/docs/latest/auth/index.html"
    "#authenticating-to-mlflow on how to authenticate."
)
_NO_LOGIN = ("/health", "/api/3.0/mlflow/server-info")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that arrived."""

    method: str
    path: str
    workspace: str | None


class Sandbox(Loopback):
    """A server on 127.0.0.1. With `empty` it starts without the story; entering it starts it, leaving it stops it."""

    platform = "MLflow"

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
        super().__init__(port)
        self._version = version
        self._password = password
        self._clock = clock
        self._story_at: int | None = None
        ids = itertools.count()  # the first one, 0, is `Default`
        self._worlds = {name: World(name, self._now, ids) for name in ("default", *workspaces)}
        self._has_workspaces = bool(workspaces)
        self.calls: list[Asked] = []
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

    async def answer(self, request: Request) -> Response:
        """Answer as MLflow would."""
        path = request.url.path
        self.calls.append(Asked(request.method, path, request.headers.get("x-mlflow-workspace")))
        return self._respond(request, path, _body(await request.body(), request))

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
