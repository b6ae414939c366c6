"""The client: one request, told to one source, with all the patience it is given."""

import random
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Self, TypeVar

import httpx2
import orjson
import structlog

from ...config.settings import Misconfigured, Source
from ...federation.clock import Clock, utcnow
from ...federation.errors import SourceRefused
from ...federation.model import Json
from .address import based, joined, origin, where_of, wire_path
from .answer import Answer, CutOff, NotJson, TooLarge, inflated
from .auth import Anonymous, Auth, auth_of
from .egress import Resolve, never, resolved
from .identity import trust
from .paging import Params, by_token
from .patience import Limits, Pace, Patience, comes_back, over_budget
from .pinned import Judge, Pinned
from .redaction import address
from .strangers import Strangers
from .translation import Translation
from .trouble import Trouble

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "watersmeet"}
_SENT_ON = (301, 302, 303, 307, 308)


class Http:
    """Asks one source. Everything it raises is a `SourceError` or `Misconfigured`; it never names a secret."""

    def __init__(
        self,
        base_url: str,
        *,
        source: str,
        auth: Auth | None = None,
        headers: Mapping[str, str] | None = None,
        also: Iterable[str] = (),
        limits: Limits | None = None,
        ca: Path | None = None,
        client_cert: Path | None = None,
        client_key: Path | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Clock = utcnow,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        on_request: Callable[[str, str], None] | None = None,
        resolve: Resolve = resolved,
        lasting: Iterable[str] = (),
    ) -> None:
        """`source` is how messages call it (`marquez 'lab'`); `on_request` is told method and path of each try;
        `lasting` are words by which an answer of 500 and more says that asking again does not help.

        A `transport` takes the place of the network, and of the look at where names lead.
        """
        self._base = based(base_url, source)
        self._auth = auth or Anonymous()
        self._limits = limits or Limits()
        self._sleep = sleep
        self._clock = clock
        self._now = monotonic
        self._jitter = jitter
        self._on_request = on_request
        self._pace = Pace()
        self._translation = Translation(source, self._secrets, clock, lasting)
        self._source = source
        context = trust(self._base, source, ca, client_cert, client_key)

        def client(tls: ssl.SSLContext, judge: Judge, sent: Mapping[str, str]) -> httpx2.Client:
            return _client(transport or Pinned(tls, source, judge, resolve), sent)

        strange = ssl.create_default_context if transport is None else lambda: context
        self._strangers = Strangers(self._base, also, source, resolve, client, strange)
        self._client = client(context, never, {**_HEADERS, **(headers or {})})
        self.requests = 0
        """How many requests went out, tries counted one by one."""
        self.begin()

    @classmethod
    def of(
        cls,
        source: Source,
        *,
        headers: Mapping[str, str] | None = None,
        also: Iterable[str] = (),
        limits: Limits | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Clock = utcnow,
        lasting: Iterable[str] = (),
        on_request: Callable[[str, str], None] | None = None,
    ) -> Self:
        """As the settings describe the source; `also` is what its platform hands out by default, `limits` narrower."""
        return cls(
            source.url or "",
            source=f"{source.platform} {source.name!r}",
            auth=auth_of(source),
            headers=headers,
            also=source.also or also,
            limits=limits or Limits.of(source.http),
            ca=source.ca,
            client_cert=source.client_cert,
            client_key=source.client_key,
            transport=transport,
            sleep=sleep,
            clock=clock,
            lasting=lasting,
            on_request=on_request,
        )

    def begin(self) -> None:
        """Start the budget of a whole read anew."""
        total = self._limits.total
        self._ends_at = None if total is None else self._now() + total.total_seconds()

    # What is asked

    def get_json(self, path: str, params: Params | None = None, *, retries: int | None = None) -> Json:
        """The JSON at a path below the base. Raises `SourceError`."""
        return self.get(path, params, retries=retries)[1]

    def get(self, path: str, params: Params | None = None, *, retries: int | None = None) -> tuple[Answer, Json]:
        """The same with the answer that it stood in, for who must know where it came from."""
        return self._patiently("GET", path, params, None, self._json, retries)

    def post_json(self, path: str, body: Json, params: Params | None = None, *, retries: int | None = None) -> Json:
        """What is answered to a JSON body, which is sent again after a failure: it must be a question."""
        return self._patiently("POST", path, params, orjson.dumps(body), self._json, retries)[1]

    def post(self, path: str, body: bytes) -> Answer:
        """Hand over a JSON body as it is, and again after a failure: who takes it may get it twice."""
        return self._patiently("POST", path, None, body, self._translation.taken, None)

    def get_text(self, path: str, params: Params | None = None, *, retries: int | None = None) -> str:
        """Something that is no JSON."""
        return self._patiently("GET", path, params, None, lambda where, answer: answer.text(), retries)

    def get_bytes(self, path: str, params: Params | None = None, *, retries: int | None = None) -> bytes:
        """A file."""
        return self._patiently("GET", path, params, None, lambda where, answer: answer.body, retries)

    def pages(
        self, path: str, params: Params | None = None, *, following: Callable[[Json], str | None], into: str
    ) -> Iterator[Json]:
        """All pages of a listing whose answer names the next one; `into` is the parameter that takes the name."""
        return by_token(lambda more: self.get_json(path, {**(params or {}), **more}), following, into, self._source)

    def fetch(self, url: str) -> bytes:
        """What the platform handed out by address, from a host listed under `also`: without any credential of ours."""
        target = self._read_address(url)
        client = self._strangers.asked_for(target)
        return self._try_until_good("GET", target, lambda left: self._foreign("GET", client, target, left), None)

    def put(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Put a file at an address that the platform handed out for it: without any credential of ours."""
        target = self._read_address(url)
        client = self._client if origin(target) == origin(self._base) else self._strangers.asked_for(target)
        self._try_until_good(
            "PUT", target, lambda left: self._foreign("PUT", client, target, left, body, headers), None
        )

    def close(self) -> None:
        """Give back connections."""
        self._client.close()
        self._strangers.close()

    # How it is asked

    def _patiently(
        self,
        method: str,
        path: str,
        params: Params | None,
        body: bytes | None,
        read: Callable[[str, Answer], T],
        retries: int | None,
    ) -> T:
        url = joined(str(self._base), path)
        if params:
            url = url.copy_merge_params({key: str(value) for key, value in params.items()})

        def attempt(left: float) -> T:
            where = where_of(method, url)
            return read(where, self._translation.judged(where, self._answer(method, url, body, left)))

        return self._try_until_good(method, url, attempt, retries)

    def _try_until_good(self, method: str, url: httpx2.URL, attempt: Callable[[float], T], retries: int | None) -> T:
        deadline = self._now() + self._limits.budget.total_seconds()
        patience = Patience(self._limits, retries, deadline, self._now, self._jitter)
        while True:
            self._keep_pace(patience)
            started = self._now()
            try:
                good = attempt(patience.left)
            except Trouble as trouble:
                if trouble.pressed:
                    self._pace.pressed()
                wait = patience.wait_after(trouble)
                _log.info("asked again", source=self._source, what=where_of(method, url), why=str(trouble), wait=wait)
                self._sleep(wait)
            else:
                self._pace.answered(self._now() - started)
                return good

    def _keep_pace(self, patience: Patience) -> None:
        if self._ends_at is not None and self._limits.total is not None and self._now() >= self._ends_at:
            raise over_budget(self._source, self._limits.total)
        if patience.tries == 0 and (pause := self._pace.due(self._limits.longest_wait)):
            self._sleep(pause)

    def _json(self, where: str, answer: Answer) -> tuple[Answer, Json]:
        return answer, self._translation.json(where, answer, self._limits.nesting)

    def _answer(self, method: str, url: httpx2.URL, body: bytes | None, left: float) -> Answer:
        """One try, sent on within the origin; a credential that was renewed meanwhile gets one more."""
        sent = self._credentials()
        answer, location = self._send(method, url, body, sent, left)
        if answer.status == 401 and (renewed := self._credentials()) != sent:
            sent = renewed
            answer, location = self._send(method, url, body, sent, left)
        for _ in range(self._limits.redirects):
            if location is None:
                return answer
            target = self._translation.sent_on_to(self._base, method, url, answer.status, location)
            answer, location = self._send(method, target, body, sent, left, moved=True)
            url = target
        if location is not None:
            raise self._translation.endless(where_of(method, url), answer)
        return answer

    def _send(
        self,
        method: str,
        url: httpx2.URL,
        body: bytes | None,
        credentials: Mapping[str, str],
        left: float,
        *,
        moved: bool = False,
    ) -> tuple[Answer, str | None]:
        headers = dict(credentials) | ({"Content-Type": "application/json"} if body is not None else {})
        request = self._client.build_request(method, url, content=body, headers=headers, timeout=self._timeout(left))
        where = where_of(method, url)
        self._count(method, url)
        response = self._received(where, self._client, request, left)
        self._client.cookies.clear()
        location = response.headers.get("location") if response.status_code in _SENT_ON else None
        return self._read(where, response, left, moved=moved), location

    def _foreign(
        self,
        method: str,
        client: httpx2.Client,
        url: httpx2.URL,
        left: float,
        body: bytes | None = None,
        sent: Mapping[str, str] | None = None,
    ) -> bytes:
        request = client.build_request(method, url, content=body, headers=sent, timeout=self._timeout(left))
        where = f"{method} {url.host}{url.path}"
        self._count(method, url)
        response = self._received(where, client, request, left)
        client.cookies.clear()
        return self._translation.judged(where, self._read(where, response, left, moved=False)).body

    def _received(self, where: str, client: httpx2.Client, request: httpx2.Request, left: float) -> httpx2.Response:
        try:
            return client.send(request, stream=True)
        except httpx2.TransportError as error:
            raise self._translation.broken(where, self._base, error) from error

    def _read(self, where: str, response: httpx2.Response, left: float, *, moved: bool) -> Answer:
        """All of the answer, as long as it keeps within size and time."""
        limits, ends_at = self._limits, self._now() + left
        body = BytesIO()  # hands over what it holds: joining it would have it twice in memory
        try:
            if response.is_stream_consumed:  # a transport that had it all in memory
                pieces = inflated([response.content], "", limits.wire_bytes, limits.inflated_bytes)
            else:
                encoding = response.headers.get("content-encoding", "")
                pieces = inflated(response.iter_raw(), encoding, limits.wire_bytes, limits.inflated_bytes)
            for piece in pieces:
                body.write(piece)
                if self._now() > ends_at:
                    raise self._translation.too_slow(where)
        except httpx2.TransportError as error:
            raise self._translation.broken(where, self._base, error) from error
        except (CutOff, NotJson, TooLarge) as error:
            raise self._translation.unreadable(where, error) from error
        finally:
            response.close()
        told = response.headers
        status, path = response.status_code, wire_path(response.request.url)
        self._pace.told(told)
        return Answer(status, path, told.get("content-type", ""), body.getvalue(), moved, comes_back(status, told))

    def _timeout(self, left: float) -> httpx2.Timeout:
        return httpx2.Timeout(max(min(self._limits.timeout.total_seconds(), left), 0.001))

    def _credentials(self) -> dict[str, str]:
        headers = {name: secret.get_secret_value() for name, secret in self._auth.headers().items()}
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise Misconfigured(
                f"{self._source}: the credential holds characters that no header can: is it the right file?"
            )
        return headers

    def _secrets(self) -> list[str]:
        return [secret.get_secret_value() for secret in self._auth.secrets()]

    def _count(self, method: str, url: httpx2.URL) -> None:
        self.requests += 1
        if self._on_request is not None:
            self._on_request(method, url.raw_path.decode("ascii"))

    def _read_address(self, url: str) -> httpx2.URL:
        try:
            return httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise SourceRefused(f"{self._source}: what it handed out is no address: {address(url)}") from error


def _client(transport: httpx2.BaseTransport, headers: Mapping[str, str]) -> httpx2.Client:
    # Neither proxies nor certificates from the environment: requests go where the settings say and nowhere else.
    return httpx2.Client(transport=transport, headers=headers, follow_redirects=False, trust_env=False)
