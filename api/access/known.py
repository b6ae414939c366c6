"""Which tokens open something at present, as a running server knows it: never older than two seconds."""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from ...federation.clock import utcnow
from ...federation.errors import StoreUnavailable
from ...federation.rows import TokenRow
from ...federation.store import Store
from ...federation.store.tokens import COARSE
from .caller import Caller
from .roles import Role
from .token import Presented, read

FRESH = 2.0
"""Seconds after which a token that was revoked, by whatever process, opens nothing more."""
_USES = 10_000
_NOBODY = bytes(32)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A token that opens nothing. Whoever showed it never learns why; the audit log does."""

    reason: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    tokens: dict[str, TokenRow] = field(default_factory=dict[str, TokenRow])
    at: float = float("-inf")


class Known:
    """The store's tokens, read again when they are needed and older than `FRESH`."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._seen = _Seen()
        self._reading = asyncio.Lock()
        self._uses: OrderedDict[tuple[str, str], float] = OrderedDict()

    @property
    def had_any(self) -> bool:
        """Whether there was a token when the store was last asked."""
        return bool(self._seen.tokens)

    async def any(self) -> bool:
        """Whether a token was ever made: from then on requests need one. Raises `StoreUnavailable`."""
        return bool(await self._tokens())

    async def caller(self, text: str, address: str) -> Caller | Wrong:
        """Whose token this is. Raises `StoreUnavailable`."""
        presented = read(text)
        tokens = await self._tokens()
        row = tokens.get(presented.id) if presented else None
        wrong = _judge(presented, row)
        if wrong is not None:
            return wrong
        assert row is not None
        role = next((role for role in Role if role.value == row.role), None)
        if role is None:
            return Wrong("a role that this version does not know", row.id)
        await self._note(row.id, address)
        return Caller(role, f"token {row.id} ({row.name})", address, row.id)

    async def still(self, caller: Caller) -> bool:
        """Whether a caller would be let in again. Raises `StoreUnavailable`."""
        if caller.token is None:
            return True
        row = (await self._tokens()).get(caller.token)
        return row is not None and _ended(row) is None

    async def _tokens(self) -> dict[str, TokenRow]:
        if self._clock() - self._seen.at < FRESH:
            return self._seen.tokens
        async with self._reading:
            began = self._clock()
            if began - self._seen.at >= FRESH:
                rows = await asyncio.to_thread(self._store.tokens.all)
                self._seen = _Seen({row.id: row for row in rows}, began)
        return self._seen.tokens

    async def _note(self, token: str, address: str) -> None:
        """Write down the use, a few minutes apart; a store that is busy keeps nobody out."""
        key, now = (token, address), self._clock()
        if now - self._uses.get(key, float("-inf")) < COARSE.total_seconds():
            return
        self._uses[key] = now
        self._uses.move_to_end(key)
        while len(self._uses) > _USES:
            self._uses.popitem(last=False)
        try:
            await asyncio.to_thread(self._store.tokens.used, token, address)
        except StoreUnavailable:
            del self._uses[key]
            _log.exception("the use of a token could not be written down", id=token)


def _judge(presented: Presented | None, row: TokenRow | None) -> Wrong | None:
    """Why a token opens nothing; None: it does. The comparison takes as long for whichever id."""
    same = hmac.compare_digest(presented.hash if presented else _NOBODY, row.hash if row else _NOBODY)
    if presented is None:
        return Wrong("malformed")
    if row is None or not same:
        return Wrong("unknown", row.id if row else None)
    ended = _ended(row)
    return None if ended is None else Wrong(ended, row.id)


def _ended(row: TokenRow) -> str | None:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= utcnow() else None
