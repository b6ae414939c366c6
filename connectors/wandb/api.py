"""How Weights & Biases is asked: one GraphQL endpoint, a key as password, answers that are partly errors."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from ...config.errors import Misconfigured
from ...config.settings import Source
from ...federation.errors import SourceChanged, SourceError, SourceRefused, SourceUnavailable
from ...federation.model import Json
from ..http import Anonymous, Basic, Denied, Failing, Http, Limits, Rejected
from .documents import optional, without
from .wire import field, loads, objects, sample, text, values_of

HANDED_OUT = (
    "storage.googleapis.com",
    "*.amazonaws.com",
    "*.blob.core.windows.net",
    "*.wandb.ai",
    "*.coreweave.com",
    "*.cwobject.com",
)
"""Where the hosted service keeps files: what it hands out by address is asked there, without the key."""
_UNKNOWN = re.compile(r"""Cannot query field ["'“](\w+)["'”] on type ["'“](\w+)["'”]""")
_DENIED = re.compile(r"permission|not logged in|relogin|unauthori[sz]ed|forbidden|access denied", re.IGNORECASE)
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
_KEY = re.compile(r"(?:[\w-]+-)?[\w-]{40,}")
_ATTEMPTS = 20
_DENIALS = 50
"""So many changes in a row that a right is missing for: then the key may not write there at all."""
RIGHT = "Give the key's owner the right to write there, or configure another key; then write the same again"


class Revoked(SourceRefused):
    """The key itself is taken no more: whatever else is asked with it comes to the same."""


class Unwritten(Exception):
    """One change that is refused, while others may be taken; its text is the reason."""


class Forbidden(Unwritten):
    """The same, since a right is missing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered, and what could not be: one line for each path."""

    data: Json
    problems: tuple[str, ...] = ()


class Api:
    """One instance. What it does not know is remembered in `lacking` and asked for no more."""

    def __init__(
        self,
        source: Source,
        *,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = f"wandb {source.name!r}"
        self._check_key(source)
        url = _endpoint(source.url or "")
        shared: dict[str, Any] = {
            "source": self.name,
            "limits": Limits.of(source.http),
            "ca": source.ca,
            "client_cert": source.client_cert,
            "client_key": source.client_key,
            "transport": transport,
            "sleep": sleep,
        }
        self._http = Http(url, auth=Basic("api", source.secret_token), also=source.also or HANDED_OUT, **shared)
        self._nobody = Http(url, auth=Anonymous(), **shared)
        self._base = httpx2.URL(url)
        self.lacking: set[tuple[str, str]] = set()
        self._denials = 0

    def _check_key(self, source: Source) -> None:
        secret = source.secret_token()
        if secret is None:
            raise Misconfigured(
                f"{self.name}: it is given no key. Write `token: ${{WANDB_API_KEY}}`; keys are made on the page "
                "/authorize of the instance"
            )
        key = secret.get_secret_value()
        if not (_JWT.fullmatch(key) or _KEY.fullmatch(key)):
            raise Misconfigured(
                f"{self.name}: the token is no API key of Weights & Biases: those have 40 characters or more, this one "
                f"has {len(key)}. Copy it anew from the page /authorize of the instance"
            )

    def ask(self, document: str, variables: Mapping[str, Json] | None = None) -> Reply:
        """The answer to a question, as far as there is one. Raises `SourceError` where there is nothing at all."""
        for _ in range(_ATTEMPTS):
            body = self._posted(without(document, frozenset(self.lacking)), variables or {})
            errors = objects(field(body, "errors"))
            unknown = {(found[2], found[1]) for one in errors for found in _UNKNOWN.finditer(text(one, "message"))}
            new = (unknown & optional(document)) - self.lacking
            if not new:
                return self._reply(body, errors)
            self.lacking |= new
        raise SourceChanged(f"{self.name}: it does not know {_ATTEMPTS} of the fields that are asked for, one by one")

    def pages(
        self, document: str, variables: Mapping[str, Json], first: int, *names: str, after: str | None = None
    ) -> Iterator[Reply]:
        """The pages of the connection at `names`. One without edges is not the end as long as it says there are more;
        one that leads back is an error."""
        former = {after}
        while True:
            reply = self.ask(document, {**variables, "first": first, "after": after})
            yield reply
            info = field(reply.data, *names, "pageInfo")
            if field(info, "hasNextPage") is not True:
                return
            after = text(info, "endCursor") or None
            if after in former:
                what = ".".join(names)
                raise SourceChanged(f"{self.name}: the listing {what} says there is more, and does not say where")
            former.add(after)

    def file(self, url: str) -> bytes:
        """What was handed out by address. No credential goes along, to whichever host."""
        target = httpx2.URL(url)
        if (target.scheme, target.host, target.port) == (self._base.scheme, self._base.host, self._base.port):
            prefix = self._base.raw_path.decode().rstrip("/")
            path = target.raw_path.decode()
            if path.startswith(prefix):
                return self._nobody.get_bytes(path.removeprefix(prefix))
        return self._http.fetch(url)

    def change(self, document: str, variables: Mapping[str, Json]) -> Json:
        """What became of a change: the first thing that is answered. It is sent again after a failure, so that it must
        come to the same twice. Raises `Unwritten` where this one change is refused, and `SourceError`."""
        reply = self.ask_beside(document, variables)
        changed = next(iter(values_of(reply.data)), None)
        if changed is not None:
            self._denials = 0
            return changed
        told = "; ".join(reply.problems) or "no reason told"
        raise self._denied(f"{self.name}: {told}") if _DENIED.search(told) else Unwritten(told)

    def ask_beside(self, document: str, variables: Mapping[str, Json]) -> Reply:
        """The answer to a question that one change hangs on, and no other. Raises as `change` does."""
        try:
            return self.ask(document, variables)
        except SourceChanged as error:
            raise Unwritten(str(error)) from error
        except Revoked:
            raise
        except SourceRefused as error:
            raise self._denied(str(error)) from error

    def _denied(self, told: str) -> Exception:
        """A right that is missing in one place keeps back what belongs there; one that is missing everywhere, all."""
        self._denials += 1
        said = f"{told}. {RIGHT}"
        return SourceRefused(said) if self._denials >= _DENIALS else Forbidden(said)

    def put(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Put a file where an address was handed out for it. No credential goes along."""
        self._http.put(url, body, headers)

    def post(self, path: str, body: bytes) -> None:
        """Hand something over below the address of the instance."""
        self._http.post(path, body)

    @property
    def requests(self) -> int:
        """How many requests went out."""
        return self._http.requests + self._nobody.requests

    def close(self) -> None:
        """Give back connections."""
        self._http.close()
        self._nobody.close()

    def _posted(self, document: str, variables: Mapping[str, Json]) -> Json:
        try:
            return self._http.post_json("/graphql", {"query": document, "variables": dict(variables)})
        except Rejected as error:
            # Old servers answer 400 to a field that they do not know.
            body, _ = loads(error.answer.text())
            if error.answer.status == 400 and objects(field(body, "errors")):
                return body
            raise
        except Denied as error:
            if error.answer.status == 401:
                raise Revoked(str(error)) from error
            raise
        except Failing as error:
            if error.answer.status != 429:
                raise
            raise SourceUnavailable(f"rate_limited: {error}", retry_at=error.retry_at) from error

    def _reply(self, body: Json, errors: list[Json]) -> Reply:
        data = field(body, "data")
        if data is None:
            raise self._refusal(errors, body)
        return Reply(data, tuple(_problem(one) for one in errors))

    def _refusal(self, errors: list[Json], body: Json) -> SourceError:
        told = "; ".join(_problem(one) for one in errors) or "an answer without data"
        codes = " ".join(text(one, "extensions", "code") + text(one, "message") for one in errors)
        if _DENIED.search(codes):
            return SourceRefused(f"{self.name}: {told}. Give the key's owner access, or configure another key")
        if re.search(r"timed? ?out|try again|internal|unavailable|rate limit", codes, re.IGNORECASE):
            return SourceUnavailable(f"{self.name}: {told}")
        return SourceChanged(f"{self.name}: {told}", sample=sample(body))


def _problem(error: Json) -> str:
    path = field(error, "path")
    where = ".".join(str(one) for one in path) if isinstance(path, list) else ""  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # foreign JSON, shown only
    return f"{where or 'no path told'}: {sample(text(error, 'message')) or 'no reason told'}"


def _endpoint(url: str) -> str:
    """The API of the address that people know."""
    parts = httpx2.URL(url) if url.startswith("http") else None
    match parts.host if parts is not None else "":
        case "wandb.ai" | "www.wandb.ai":
            return "https://api.wandb.ai"
        case "forge.coreweave.com":
            return "https://api.forge.coreweave.com"
        case _:
            return url
