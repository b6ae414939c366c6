"""How many connections are open at once, and how long one may take to say what it wants."""

import asyncio
from functools import partial
from typing import Any, cast

import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from .wire import json_bytes

_log = structlog.get_logger(__name__)


def bounded(most: int, silence: float) -> Any:
    """uvicorn's protocol with bounds: `most` connections, and `silence` seconds for the head of a request."""
    return partial(Bounded, most=most, silence=silence)


class Bounded(H11Protocol):
    """Closes what asks nothing in time, however slowly it does so; one connection too many hears why it is closed.

    A body has a limit of its own, where it is read. uvicorn's own bounds count requests, and start a clock only
    behind the first.
    """

    def __init__(self, *args: Any, most: int, silence: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._most = most
        self._silence = silence
        self._clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Take it, or say that there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self._most:
            _log.warning("a connection was refused", open=len(self.connections), setting="server.connections")
            transport.write(_too_many(self._most))
            transport.close()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Some bytes: perhaps a whole head, perhaps a drop."""
        super().data_received(data)
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Nonsense behind the head of a request: whoever was about to answer it need not any more."""
        if self._is_asking():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._stop_clock()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """The clock runs from the first moment without a request to the next request, whatever comes between."""
        if self._is_asking() or self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._stop_clock()
        elif self._clock is None:
            self._clock = self.loop.call_later(self._silence, self._end)

    def _is_asking(self) -> bool:
        """Whether a request has come whose answer has not gone."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _end(self) -> None:
        self._clock = None
        if not self._is_asking() and not self.transport.is_closing():
            self.transport.close()


def _too_many(most: int) -> bytes:
    body = json_bytes({"error": f"more than {most} connections are open at once; `server.connections` sets that"})
    head = (
        "HTTP/1.1 503 Service Unavailable",
        "content-type: application/json",
        "retry-after: 1",
        "connection: close",
        f"content-length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body
