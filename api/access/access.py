"""Judges every request before anything of it is done: who asks, and may they?"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl

import structlog
from starlette.datastructures import Headers
from starlette.types import Scope

from ...config.settings import Server
from ...federation.errors import Forbidden, StoreUnavailable
from ...federation.model import Json
from ...federation.store import Store
from .address import Addresses
from .caller import LOCAL, Caller, Entry
from .failures import Failures, Refusal, Refusals
from .known import Known
from .local import Local
from .roles import OPEN, Role, check
from .token import PATTERN

_IN_ADDRESS = frozenset({"access_token", "api_key", "apikey", "authorization", "bearer", "token"})
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
_TEND = 20.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request is not let in, as it may be told."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    extensions: Mapping[str, str] = field(default_factory=dict[str, str])


_UNAUTHENTICATED = Refused(
    401,
    "UNAUTHENTICATED",
    "this needs a token in force, as the header `Authorization: Bearer …`; `watersmeet token create` makes one",
    {"www-authenticate": "Bearer"},
)
_AWAY = Refused(503, "UNAVAILABLE", "the store cannot be asked now whom it knows", {"retry-after": "1"})


class Access:
    """The rules of one server: tokens where there are any, else this machine alone."""

    def __init__(self, server: Server, store: Store) -> None:
        self._store = store
        self._paths = frozenset[str]()
        self._local = Local(server.allowed_hosts)
        self._local_without_token = server.local_without_token
        self._addresses = Addresses(server.trusted_proxies)
        self._known = Known(store)
        self._failures = Failures(server.failures)
        self._refusals = Refusals()

    def know(self, paths: frozenset[str]) -> None:
        """Which paths lead somewhere."""
        self._paths = paths

    def entry(self, scope: Scope) -> Entry:
        """Somebody at the door, of whom only the address is known."""
        return Entry(self._addresses.of(scope))

    async def judge(self, scope: Scope, entry: Entry) -> Refused | None:
        """Let in (`entry` then knows who), or say why not. A WebSocket may still have to introduce itself."""
        if _token_in_address(scope):
            return await self._turn_away(_in_address(), entry, scope, "a token in the address")
        try:
            needed = await self._known.any()
        except StoreUnavailable:
            seen = self._known.had_any or self._local.refusal(scope) is None
            return None if scope["path"] in OPEN and seen else _AWAY
        return await (self._by_token(scope, entry) if needed else self._by_place(scope, entry))

    async def introduce(self, entry: Entry, params: Any) -> bool:
        """Whom a WebSocket's `connection_init` names, where its handshake named nobody; False: nobody we know."""
        if entry.caller is not None:
            return True
        told = cast(dict[str, Any], params) if isinstance(params, dict) else {}
        text = next((told[name] for name in ("Authorization", "authorization") if name in told), None)
        try:
            if await self._admit(entry, text if isinstance(text, str) else None, "/graphql") is not None:
                return False
        except StoreUnavailable:
            return False
        caller, entry.caller = entry.caller, None  # until it is known that they may
        return caller is not None and await self._let_in(caller, entry, "/graphql") is None

    async def still(self, caller: Caller) -> bool:
        """Whether a WebSocket may stay open; as long as the store cannot tell, it may."""
        try:
            return await self._known.still(caller)
        except StoreUnavailable:
            return True

    async def forbid(self, caller: Caller, error: Forbidden, door: str) -> None:
        """Write down that somebody known asked for what their role does not allow."""
        await self._note(Refusal(caller.address, f"needs the role {error.needed}", door, caller.name))

    async def tend(self) -> None:
        """Write down what was only counted, and seal the audit log where that is due; until it is cancelled."""
        while True:
            await asyncio.sleep(_TEND)
            await asyncio.to_thread(self.settle)

    def settle(self, *, all_of_it: bool = False) -> None:
        """One turn of that."""
        try:
            for refusal, times in self._refusals.due(all_of_them=all_of_it):
                self._record(refusal, {"repeated": times})
            self._store.audit.seal()
        except StoreUnavailable as error:
            _log.error("the audit log could not be written", reason=str(error))

    async def _by_place(self, scope: Scope, entry: Entry) -> Refused | None:
        why = self._local.refusal(scope)
        if why is not None:
            return await self._turn_away(Refused(403, "FORBIDDEN", why), entry, scope, why.partition(":")[0])
        return await self._let_in(LOCAL, entry, scope["path"])

    async def _by_token(self, scope: Scope, entry: Entry) -> Refused | None:
        foreign = self._local.foreign(scope)
        if foreign is not None:
            return await self._turn_away(Refused(403, "FORBIDDEN", foreign), entry, scope, foreign.partition(":")[0])
        shown = Headers(scope=scope).getlist("authorization")
        if not shown and self._local_without_token and self._local.refusal(scope) is None:
            return await self._let_in(LOCAL, entry, scope["path"])
        if scope["path"] in OPEN or (not shown and scope["type"] == "websocket" and scope["path"] == "/graphql"):
            return None
        try:
            refused = await self._admit(entry, " ".join(shown) if shown else None, self._door(scope["path"]))
        except StoreUnavailable:
            return _AWAY
        if refused is not None:
            return refused
        caller, entry.caller = entry.caller, None  # until it is known that they may
        assert caller is not None
        return await self._let_in(caller, entry, scope["path"])

    async def _admit(self, entry: Entry, header: str | None, door: str) -> Refused | None:
        """Find out whose token it is; None as header: nobody's. Raises `StoreUnavailable`."""
        bearer = _BEARER.fullmatch(header or "")
        found = await self._known.caller(bearer[1] if bearer else "", entry.address)
        if isinstance(found, Caller):
            entry.caller = found
            return None
        reason = "no token" if header is None else f"{found.reason} token"
        by = f"token {found.token}" if found.token else "nobody"
        await self._note(Refusal(entry.address, reason, door, by))
        wait = self._failures.wait(entry.address)
        if wait:
            return _too_often(wait)
        self._failures.failed(entry.address)
        return _UNAUTHENTICATED

    async def _let_in(self, caller: Caller, entry: Entry, path: str) -> Refused | None:
        try:
            if path in OPEN or (path not in self._paths and caller.role is not Role.INLET):
                pass  # anybody may see it, or learn that nothing is there
            else:
                check(caller.role, self._door(path))
        except Forbidden as error:
            await self.forbid(caller, error, self._door(path))
            return Refused(403, "FORBIDDEN", str(error), extensions={"needed": error.needed})
        entry.caller = caller
        return None

    async def _turn_away(self, refused: Refused, entry: Entry, scope: Scope, reason: str) -> Refused:
        await self._note(Refusal(entry.address, reason, self._door(scope["path"])))
        return refused

    async def _note(self, refusal: Refusal) -> None:
        first = self._refusals.first(refusal)
        _log.warning("refused", door=refusal.door, reason=refusal.reason)
        if first is None:
            return
        try:
            await asyncio.to_thread(self._record, first, {})
        except StoreUnavailable:
            _log.exception("a refused request could not be written down")

    def _record(self, refusal: Refusal, more: Mapping[str, Json]) -> None:
        detail: dict[str, Json] = {"door": refusal.door, "reason": refusal.reason, **more}
        self._store.audit.record("refused", by=refusal.by, address=refusal.address, detail=detail)

    def _door(self, path: str) -> str:
        """The path, unless somebody invented it."""
        return path if path in self._paths else "a path that leads nowhere"


def _token_in_address(scope: Scope) -> bool:
    query = scope.get("query_string", b"").decode("latin-1")
    if PATTERN.search(query) or PATTERN.search(scope["path"]):
        return True
    return any(name.lower() in _IN_ADDRESS for name, _ in parse_qsl(query, keep_blank_values=True, max_num_fields=None))


def _in_address() -> Refused:
    return Refused(
        400,
        "BAD_INPUT",
        "a token never goes into the address, where logs and histories keep it: send the header `Authorization: "
        "Bearer …`, and revoke this token (`watersmeet token revoke`)",
    )


def _too_often(wait: int) -> Refused:
    return Refused(
        429,
        "LIMIT_EXCEEDED",
        "too many requests without a token in force came from this address within a minute; `server.failures` sets "
        "how many may",
        {"retry-after": str(wait)},
        {"setting": "server.failures"},
    )
