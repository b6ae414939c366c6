"""Weights & Biases in miniature: its GraphQL API as a client meets it, on loopback, with faults on demand."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import unquote

import orjson
from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response

from ..loopback import Loopback, whole_path
from .sandbox_filestream import streamed, take
from .sandbox_graph import Invalid, answered, operation, schema
from .sandbox_query_root import Query
from .sandbox_shelving import Mutation
from .sandbox_storage import Storage
from .sandbox_story import seed_story
from .sandbox_world import World
from .sandbox_writing import note_file

KEY = "0123456789abcdef" * 3
"""What the miniature lets in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that arrived."""

    operation: str
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    user_agent: str = ""
    complaints: tuple[str, ...] = ()
    """Why the schema refused it."""


class Sandbox(Loopback):
    """A server on 127.0.0.1, and an object store on another port. With `empty` it starts without the story; entering it
    starts it, leaving it stops it. Faults are matched against `/graphql/<operation>`.

    `twins`: ids of the runs of an MLflow that tells the same story, oldest first; the trainings refer to them.
    """

    platform = "Weights & Biases"

    def __init__(
        self,
        port: int = 0,
        empty: bool = False,
        *,
        key: str = KEY,
        twins: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(port)
        self.key = key
        self._lacking: frozenset[str] = frozenset()
        self.world = World(self._sign, clock)
        self.storage = Storage(self.world.stored, clock, self._keep)
        self.calls: list[Asked] = []
        self.refuses_keys = False
        """A bad key gets 401, as some deployments answer, and not `viewer: null`."""
        self.quota = {"RateLimit-Limit": "1000", "RateLimit-Remaining": "1000", "RateLimit-Reset": "60"}
        """What each answer says of the rate limit."""
        if not empty:
            seed_story(self.world, twins)

    def start(self) -> Self:
        """Listen on the port, or on a free one, and answer from a thread. Raises `OSError` for a taken port."""
        self.storage.start()
        try:
            return super().start()
        except OSError:
            self.storage.stop()
            raise

    def stop(self) -> None:
        """Stop listening."""
        super().stop()
        self.storage.stop()

    def lack(self, *fields: str) -> None:
        """Be a server of another age, which does not know some fields (`Artifact.digestAlgorithm`)."""
        self._lacking |= set(fields)

    def know_all(self) -> None:
        """Be a server of today again."""
        self._lacking = frozenset()

    async def called(self, request: Request) -> str:
        """The path with the operation behind it."""
        path = whole_path(request)
        return f"{path}/{operation(_query(await request.body()))}" if path == "/graphql" else path

    async def answer(self, request: Request) -> Response:
        """Answer as the service would."""
        if (run := streamed(self.world, request.url.path)) is not None and request.method == "POST":
            if not self._is_known(request):
                return self._json({"error": "unauthorized"}, 401)
            take(self.world, run, _sent(await request.body()))
            return self._json({"stopped": False, "limits": {}})
        if request.url.path.startswith("/artifactsV2/"):
            return self._file(request)
        if (request.method, request.url.path) != ("POST", "/graphql"):
            return Response("404 page not found", 404, media_type="text/plain")
        body = await request.body()
        query = _query(body)
        variables: dict[str, Any] = _sent(body).get("variables") or {}
        agent = request.headers.get("user-agent", "")
        is_known = self._is_known(request)
        if not is_known and self.refuses_keys:
            self.calls.append(Asked(operation(query), variables, agent))
            refused = {"message": "user is not logged in", "extensions": {"code": "PERMISSION_ERROR"}}
            return self._json({"errors": [refused], "data": None}, 401)
        try:
            told = answered(schema(self._lacking), self._roots(is_known=is_known), query, variables)
        except Invalid as error:
            self.calls.append(Asked(operation(query), variables, agent, tuple(error.messages)))
            return self._json({"errors": [{"message": message} for message in error.messages]}, 400)
        self.calls.append(Asked(operation(query), variables, agent))
        return self._json(told)

    def _roots(self, *, is_known: bool) -> dict[OperationType, object]:
        return {
            OperationType.QUERY: Query(self.world, is_known=is_known),
            OperationType.MUTATION: Mutation(self.world, self.storage, is_known=is_known),
        }

    def _keep(self, path: str, body: bytes) -> None:
        run, name = self.world.run_of(path)
        if run is None:
            self.world.uploads[path] = body
        else:
            note_file(run, name, body)

    def _file(self, request: Request) -> Response:
        """A file of a version by the older way: at the service itself, with the key."""
        *_, id_, _, name = request.url.path.split("/")
        found = self.world.artifacts.get(unquote(id_)) if self._is_known(request) else None
        body = self.world.stored(f"artifacts/{found.number}/{name}") if found else None
        return Response(body or b"404", 200 if body is not None else 404)

    def _sign(self, path: str) -> str:
        return self.storage.sign(path)

    def _is_known(self, request: Request) -> bool:
        wanted = base64.b64encode(f"api:{self.key}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {wanted}"

    def _json(self, told: dict[str, Any], status: int = 200) -> Response:
        return Response(orjson.dumps(told), status, self.quota, "application/json")


def _sent(body: bytes) -> dict[str, Any]:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}


def _query(body: bytes) -> str:
    return str(_sent(body).get("query") or "")
