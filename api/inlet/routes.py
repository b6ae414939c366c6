"""What is posted and what is answered: 2xx means stored, 4xx means that it can never be right, 503 means again."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ...config.settings import Inlet as Limits
from ...federation.errors import StoreUnavailable
from ...federation.events import Broken, bury, judged
from ...federation.openlineage import Admitted, Refused
from ...federation.openlineage import Limits as EventLimits
from ...federation.store import Store
from ..metrics import Metrics
from ..wire import TooLarge, WrongRequest, body_of, json_bytes
from .intake import Busy, Intake

Done = TypeVar("Done")
_AT_ONCE = 2
"""Bodies that are judged at the same time; each may take ten times its size in memory."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What became of the events of one body."""

    admitted: list[tuple[int, Admitted]]
    refused: list[tuple[int, Refused]]


class Inlet:
    """The two addresses that emitters know."""

    def __init__(self, store: Store, limits: Limits, intake: Intake, metrics: Metrics) -> None:
        self._store = store
        self._limits = limits
        self._intake = intake
        self._metrics = metrics
        self._key = store.secret()
        self._judging = EventLimits(depth=limits.nesting, strict=limits.strict)
        self._room = Room(2 * limits.inflated_bytes)
        self._judges = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="inlet")

    def close(self) -> None:
        """Begin nothing more."""
        self._judges.shutdown(wait=False, cancel_futures=True)

    async def one(self, request: Request) -> Response:
        """`POST /api/v1/lineage`: one event. 201 as Marquez says it, once the event is safe."""
        return await self._answered(self._one, request)

    async def many(self, request: Request) -> Response:
        """`POST /api/v1/lineage/batch`: a list of events. 200 with a summary, once all good ones are safe."""
        return await self._answered(self._many, request)

    async def _one(self, body: bytes) -> Response:
        try:
            admitted = await self._apart(self._admitted, body)
        except Refused as error:
            return await self._refused("POST /api/v1/lineage", error, body)
        if broken := await self._stored([admitted]):
            return await self._refused("POST /api/v1/lineage", broken[0], admitted.body)
        return _json({"accepted": 1, "warnings": [str(warning) for warning in admitted.warnings]}, 201)

    async def _many(self, body: bytes) -> Response:
        try:
            events = msgspec.json.decode(body, type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            refused = Refused(f"the body is no JSON list of events: {error}", "$", 400)
            return await self._refused("POST /api/v1/lineage/batch", refused, body)
        if len(events) > self._limits.batch:
            message = f"{len(events)} events are more than a batch may hold; `inlet.batch` sets that"
            return _json({"error": message}, 413)
        judged = await self._apart(self._judge, events)
        for index, error in judged.refused:
            await self._bury(f"POST /api/v1/lineage/batch[{index}]", error, bytes(events[index]))
        broken = await self._stored([admitted for _, admitted in judged.admitted])
        for place, error in broken.items():
            index, admitted = judged.admitted[place]
            await self._bury(f"POST /api/v1/lineage/batch[{index}]", error, admitted.body)
            judged.refused.append((index, error))
        return _json(_summary(len(events), sorted(judged.refused, key=_index)), 200)

    def _judge(self, events: Sequence[msgspec.Raw]) -> _Judged:
        judged = _Judged([], [])
        for index, event in enumerate(events):
            try:
                judged.admitted.append((index, self._admitted(bytes(event))))
            except Refused as error:
                judged.refused.append((index, error))
        return judged

    def _admitted(self, body: bytes) -> Admitted:
        return judged(body, key=self._key, limits=self._judging)

    async def _stored(self, events: Sequence[Admitted]) -> dict[int, Broken]:
        """Keep events; those that the store cannot hold, by their places. Raises `Busy`, `StoreUnavailable`."""
        broken: dict[int, Broken] = {}
        try:
            if events:
                await self._intake.put(events)
        except (Busy, StoreUnavailable):
            raise
        except Exception as error:
            if len(events) == 1:
                return {0: Broken(error)}
            for place, event in enumerate(events):
                if alone := await self._stored([event]):
                    broken[place] = alone[0]
        return broken

    async def _refused(self, place: str, error: Refused, body: bytes) -> Response:
        """The answer to an event that was not taken: its sender's fault, or ours, and then it is kept all the same."""
        is_whole = await self._bury(place, error, body)
        if isinstance(error, Broken) and is_whole:
            warning = "kept, but not part of the graph: it met an error of the server, and waits as a letter"
            return _json({"accepted": 0, "warnings": [warning]}, 202)
        return _json({"error": error.reason, "path": error.path}, error.status)

    async def _bury(self, place: str, error: Refused, body: bytes) -> bool:
        """Keep what is refused, so that somebody can find out why. Raises `StoreUnavailable`."""
        self._metrics.events("refused")
        _log.info("an event was refused", place=place, reason=error.reason, at=error.path)
        return await self._apart(lambda: bury(self._store, self._limits.id, place, error, body))

    async def _apart(self, work: Callable[..., Done], *args: Any, **kwargs: Any) -> Done:
        return await asyncio.get_running_loop().run_in_executor(self._judges, lambda: work(*args, **kwargs))

    async def _answered(self, take: Callable[[bytes], Any], request: Request) -> Response:
        try:
            with self._room.some() as taken:
                limits = self._limits
                body = await body_of(
                    request,
                    wire=limits.wire_bytes,
                    inflated=limits.inflated_bytes,
                    gzip=True,
                    taken=taken,
                    patience=limits.arrival.total_seconds(),
                )
                return await take(body)
        except WrongRequest as error:
            return _json({"error": str(error)}, error.status, error.headers)
        except TooLarge as error:
            setting = "inlet.inflated_bytes" if error.inflated else "inlet.wire_bytes"
            return _json({"error": f"{error}; `{setting}` sets that"}, 413)
        except (Busy, StoreUnavailable) as error:
            self._metrics.events("turned_away")
            _log.warning("events were turned away for now", reason=str(error))
            return _json({"error": "not now: the same request will be taken later"}, 503, {"Retry-After": "1"})
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it


class Room:
    """How many bytes of bodies may be in memory at once, over all requests."""

    def __init__(self, most: int) -> None:
        self._free = most

    @contextmanager
    def some(self) -> Generator[Callable[[int], None]]:
        """Call what this gives with each number of bytes that is kept. It raises `Busy`."""
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            if count > self._free:
                raise Busy("too many bytes are on their way in at once")
            self._free -= count
            taken += count

        try:
            yield take
        finally:
            self._free += taken


def _summary(received: int, refused: Sequence[tuple[int, Refused]]) -> dict[str, Any]:
    failed = [
        {"index": index, "reason": error.reason, "path": error.path, "retriable": False} for index, error in refused
    ]
    return {
        "status": "partial_success" if failed else "success",
        "summary": {
            "received": received,
            "successful": received - len(failed),
            "failed": len(failed),
            "retriable": 0,
            "non_retriable": len(failed),
        },
        "failed_events": failed,
    }


def _index(one: tuple[int, Refused]) -> int:
    return one[0]


def _json(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(json_bytes(body), status, headers, "application/json")
