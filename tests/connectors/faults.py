"""A transport that lets chosen calls fail, for every test that wants to see what a reader makes of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

SIGN_ON = "<!doctype html><html><head><title>Sign in</title></head><body><form>Password</form></body></html>"


class _Streamed(httpx2.SyncByteStream):
    """A body in pieces, that may break off."""

    def __init__(self, pieces: list[bytes], error: Exception | None = None) -> None:
        self._pieces = pieces
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._error is not None:
            raise self._error


@dataclass
class Fault:
    """What goes wrong. `kind`: status, reset, cut (the connection ends in the body), truncated (half the JSON, ended
    well), html (a sign-on, 200), page (any page, 200), timeout, refused (nobody listens)."""

    kind: str = "status"
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


class FaultTransport(httpx2.BaseTransport):
    """Passes calls on to `inner` (a transport, or a function from request to response), but for those that fail.

    `faults` are by the number of the call, counted from 1; a call that is tried again is a further call. `when` chooses
    by the request instead: the first fault it answers strikes.
    """

    def __init__(
        self,
        inner: httpx2.BaseTransport | Callable[[httpx2.Request], httpx2.Response] | None = None,
        faults: Mapping[int, Fault] | None = None,
        *,
        when: Callable[[httpx2.Request, int], Fault | None] | None = None,
    ) -> None:
        if inner is None:
            inner = httpx2.HTTPTransport(trust_env=False)
        self._inner = inner if isinstance(inner, httpx2.BaseTransport) else httpx2.MockTransport(inner)
        self._faults = dict(faults or {})
        self._when = when
        self.requests: list[httpx2.Request] = []

    @property
    def paths(self) -> list[str]:
        """What was asked, in order, as it went over the wire."""
        return [request.url.raw_path.decode() for request in self.requests]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        number = len(self.requests)
        fault = self._faults.get(number) or (self._when(request, number) if self._when is not None else None)
        if fault is None:
            return self._inner.handle_request(request)
        return self._failing(fault, request)

    def close(self) -> None:
        self._inner.close()

    def _failing(self, fault: Fault, request: httpx2.Request) -> httpx2.Response:
        match fault.kind:
            case "reset":
                raise httpx2.ReadError("connection reset by peer", request=request)
            case "refused":
                raise httpx2.ConnectError("connection refused", request=request)
            case "timeout":
                raise httpx2.ReadTimeout("timed out", request=request)
            case "html":
                return _answer(200, SIGN_ON.encode(), "text/html")
            case "page":
                return _answer(200, b"<!doctype html><html><title>Welcome</title></html>", "text/html")
            case "truncated":
                whole = self._whole(request)
                return _answer(200, whole[: len(whole) // 2])
            case "cut":
                whole = self._whole(request)
                error = httpx2.RemoteProtocolError("peer closed connection without sending complete message body")
                stream = _Streamed([whole[: len(whole) // 2]], error)
                return httpx2.Response(200, headers={"content-type": "application/json"}, stream=stream)
            case _:
                return _answer(fault.status, fault.body, "application/json", fault.headers)

    def _whole(self, request: httpx2.Request) -> bytes:
        response = self._inner.handle_request(request)
        response.read()
        return response.content


def _answer(
    status: int, body: bytes, content_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> httpx2.Response:
    return httpx2.Response(status, headers={"content-type": content_type, **(headers or {})}, stream=_Streamed([body]))


def answers(body: Any, status: int = 200) -> Callable[[httpx2.Request], httpx2.Response]:
    """An inner transport that answers everything with the same JSON."""
    return lambda request: httpx2.Response(status, json=body)


class Sleeper:
    """A clock that moves only when somebody sleeps; give `sleep` and `monotonic` to the client."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now
