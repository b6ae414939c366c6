"""DataHub in miniature: its metadata service as a client meets it, on loopback, with faults on demand."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ..loopback import Loopback, whole_path
from . import sandbox_story as story
from .sandbox_changelog import CONSUMERS, MAX_EVENTS
from .sandbox_registry import Refusal, Row
from .sandbox_routes import Call, Reply, Routes, Unknown
from .sandbox_scroll import Searches
from .sandbox_world import World, Write

_TOO_MANY = "Too many simultaneous requests, retry again later."


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that arrived."""

    method: str
    path: str
    """With its query, as it went over the wire."""
    body: Any = None
    authorization: str | None = None


class Sandbox(Loopback):
    """A server on 127.0.0.1. With `empty` it starts without the story; entering it starts it, leaving it stops it."""

    platform = "DataHub"

    def __init__(
        self,
        port: int = 0,
        empty: bool = False,
        *,
        version: str = "v1.7.0",
        token: str | None = None,
        has_scroll: bool = True,
        runs: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        world: Callable[[Callable[[], float]], World] = World,
    ) -> None:
        """`has_scroll`: False is a server from before the scroll over all types. `runs`: the tracker's two run ids.

        `world`: another one than that which remembers what is written, made with the clock.
        """
        super().__init__(port)
        self._version = version
        self._token = token
        self._clock = clock
        self._story_at: float | None = None
        self.world = world(self._now)
        self._searches = Searches(self._now)
        self.hidden: set[str] = set()
        """Types that the caller may not read: a page that holds one is refused as a whole."""
        self._routes = Routes(self.world, self._searches, self.hidden)
        self._routes.has_scroll = has_scroll
        self.may_follow = True
        """False: the caller may not read the change log."""
        self.most_wait = 10.0
        """How many seconds a poll waits for a full page at most, whatever it asks for."""
        self.calls: list[Asked] = []
        self.between: list[Callable[[Asked], None]] = []
        """Called before each answer, so that the world can move while it is read."""
        if not empty:
            self._tell(runs)

    def put(self, urn: str, aspect: str, value: Row, *, actor: str = story.ADA, version: str | None = None) -> None:
        """Let somebody write an aspect, or add an event to a series. Raises `Refusal`."""
        self.world.write(Write(urn, aspect, value, if_version=version), actor=actor)

    def value(self, urn: str, aspect: str) -> Row:
        """The latest value of an aspect."""
        return self.world.entities[urn].aspects[aspect].value

    def soft_delete(self, urn: str, *, removed: bool = True) -> None:
        """Mark an entity as removed, or bring it back."""
        self.put(urn, "status", {"removed": removed})

    def hard_delete(self, urn: str) -> None:
        """Delete an entity as if it had never been."""
        self.world.delete(urn)

    def hide(self, type_name: str) -> None:
        """Take the caller's permission to read entities of a type."""
        self.hidden.add(type_name)

    def show(self, type_name: str) -> None:
        """Give it back."""
        self.hidden.discard(type_name)

    def pin(self) -> None:
        """Let every scroll look at a point in time, and not those of slices alone (POINT_IN_TIME_CREATION_ENABLED)."""
        self._routes.is_pinned = True

    @property
    def fixed(self) -> set[str]:
        """Types, entities and aspects that the caller may not edit: a call that names one is refused as a whole."""
        return self._routes.fixed

    def break_aspect(self, urn: str, aspect: str, value: Any) -> None:
        """Let something stand in an aspect, or in one that nobody knows, that no server takes."""
        self.world.breaks(urn, aspect, value)

    def restart(self) -> None:
        """Lose what is only in memory: the points in time of sliced scrolls."""
        self._searches.forget()

    def forget_log(self) -> None:
        """Let the retention of the change log take what is in it."""
        self.world.log.forget()

    async def answer(self, request: Request) -> Response:
        """Answer as DataHub would."""
        sent = await request.body()
        path = whole_path(request)
        try:
            body = orjson.loads(sent) if sent.strip() else None
        except orjson.JSONDecodeError:
            return _sent(Reply({"error": "Bad Request", "message": "JSON parse error"}, 400))
        asked = Asked(request.method, path, body, request.headers.get("authorization"))
        self.calls.append(asked)
        for one in list(self.between):
            one(asked)
        if self._token is not None and asked.authorization != f"Bearer {self._token}":
            return Response("<html><h1>Unauthorized</h1></html>", 401, media_type="text/html")
        try:
            return _sent(await self._respond(asked))
        except Refusal as error:
            return _sent(Reply({"error": error.error, "message": str(error)}, error.status))
        except Unknown:
            where = path.partition("?")[0]
            return _sent(Reply({"status": 404, "error": "Not Found", "path": where}, 404))

    async def _respond(self, asked: Asked) -> Reply:
        where, _, query = asked.path.partition("?")
        lists = parse_qs(query, keep_blank_values=True)
        params = {name: values[-1] for name, values in lists.items()}
        if where == "/config":
            return Reply(self._config())
        if where == "/openapi/v1/events/poll":
            return await self._poll(params)
        segments = [unquote(one) for one in where.strip("/").split("/")]
        return self._routes.answer(Call(asked.method, segments, params, lists, asked.body))

    def _config(self) -> Row:
        return {
            "models": {},
            "managedIngestion": {"enabled": True, "defaultCliVersion": self._version.removeprefix("v")},
            "statefulIngestionCapable": True,
            "supportsImpactAnalysis": True,
            "timeZone": "GMT",
            "datasetUrnNameCasing": False,
            "retention": "true",
            "noCode": "true",
            "patchCapable": True,
            "telemetry": {"enabledCli": False, "enabledIngestion": False},
            "datahub": {"serverType": "quickstart", "serverEnv": "core"},
            "versions": {"acryldata/datahub": {"version": self._version, "commit": "0" * 40}},
        }

    async def _poll(self, params: Mapping[str, str]) -> Reply:
        log, topic = self.world.log, params.get("topic", "")
        if not self.may_follow:
            return Reply(status=403)
        if log.polling >= CONSUMERS:
            return Reply({"error": _TOO_MANY}, 429)
        limit = min(int(params.get("limit", "100")), MAX_EVENTS)
        start = log.start(topic, params.get("offsetId"), is_looking_back="lookbackWindowDays" in params)
        log.polling += 1
        try:
            until = time.monotonic() + min(float(params.get("pollTimeoutSeconds", "5")), self.most_wait)
            # A page that is not full is waited for until the end.
            while log.waiting(topic, start) < limit and time.monotonic() < until:
                await asyncio.sleep(0.02)
            return Reply(log.page(topic, start, limit))
        finally:
            log.polling -= 1

    def _tell(self, runs: Sequence[str]) -> None:
        try:
            for one in story.told(runs):
                self._story_at = one.seconds
                self.world.write(Write(one.urn, one.aspect, one.value), actor="urn:li:corpuser:datahub")
        finally:
            self._story_at = None

    def _now(self) -> float:
        return self._story_at if self._story_at is not None else self._clock()


def _sent(reply: Reply) -> Response:
    if reply.body is None:
        return Response(b"", reply.status)
    return Response(orjson.dumps(reply.body), reply.status, media_type="application/json")
