"""How long, how often and how fast a platform is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from ...config.settings import Http as HttpSettings
from ...federation.errors import SourceUnavailable
from .trouble import Trouble

_FIRST = 0.5
_LONGEST = 30.0
_SLOW = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one platform may cost us."""

    timeout: timedelta = timedelta(seconds=30)
    """How long an answer may be silent."""
    retries: int = 5
    """How often one request is tried again."""
    slow_retries: int = 2
    """How often if it was too slow: whoever gave up early leaves the server at work on the first one."""
    budget: timedelta = timedelta(minutes=10)
    """How long one request may take in all, waits and retries included."""
    total: timedelta | None = None
    """How long everything between two calls of `begin` may take."""
    longest_wait: timedelta = timedelta(minutes=2)
    """A `Retry-After` beyond this ends the request: the next sync asks again."""
    wire_bytes: int = 64 * 2**20
    """How large an answer may be as it arrives."""
    inflated_bytes: int = 64 * 2**20
    """How large it may be once it is unpacked."""
    nesting: int = 200
    """How deep its objects and lists may stand in one another."""
    redirects: int = 5
    """How often one request may be sent on, within its own origin."""

    @classmethod
    def of(cls, settings: HttpSettings) -> Self:
        """The limits that the configuration sets."""
        size = settings.page_bytes
        return cls(
            timeout=settings.timeout,
            retries=settings.retries,
            budget=settings.budget,
            wire_bytes=size,
            inflated_bytes=size,
        )


class Patience:
    """How much one request may still take: tries and time."""

    def __init__(
        self,
        limits: Limits,
        retries: int | None,
        deadline: float,
        now: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._retries = limits.retries if retries is None else retries
        self._deadline = deadline
        self._now = now
        self._jitter = jitter
        self.tries = 0

    @property
    def left(self) -> float:
        """Seconds until the budget is used up."""
        return self._deadline - self._now()

    def wait_after(self, trouble: Trouble) -> float:
        """How long to wait before the next try. Raises the trouble's error when there is none."""
        self.tries += 1
        most = min(self._retries, self._limits.slow_retries) if trouble.slow else self._retries
        if not trouble.passing or self.tries > most:
            raise trouble.final(self.tries) from trouble
        backoff = min(_FIRST * 2.0 ** (self.tries - 1), _LONGEST) * (0.5 + self._jitter() / 2)
        wait = backoff if trouble.retry_after is None else max(trouble.retry_after, 0.0)
        if wait > self._limits.longest_wait.total_seconds() or wait >= self.left:
            raise trouble.final(self.tries, retry_after=wait) from trouble
        return wait


class Pace:
    """The pause between two requests: nothing as long as the platform keeps up, more when it is pressed."""

    def __init__(self, longest: float = 10.0) -> None:
        self._longest = longest
        self._rest = 0.0
        self.pause = 0.0

    def due(self, longest: timedelta) -> float:
        """Seconds to wait before the next request; a rest that was asked for is taken once, and not without end."""
        rest, self._rest = min(self._rest, longest.total_seconds()), 0.0
        return max(self.pause, rest)

    def told(self, headers: Mapping[str, str]) -> None:
        """The headers of an answer: `RateLimit-Remaining: 0` asks for a rest until `RateLimit-Reset`."""
        is_spent = headers.get("ratelimit-remaining", "").strip() == "0"
        self._rest = _seconds(headers.get("ratelimit-reset", "")) if is_spent else 0.0

    def answered(self, seconds: float) -> None:
        """A good answer; one that took long asks for a pause of its own size."""
        self.pause = (
            min(seconds / 2, self._longest) if seconds > _SLOW else (self.pause * 0.7 if self.pause > 0.05 else 0)
        )

    def pressed(self) -> None:
        """The platform asked us to slow down."""
        self.pause = min(max(self.pause * 2, 0.1), self._longest)


def comes_back(status: int, headers: Mapping[str, str]) -> str | None:
    """`Retry-After`; where a platform that is pressed tells none, the `RateLimit-Reset` of its quota."""
    told = headers.get("retry-after")
    return headers.get("ratelimit-reset") if told is None and status == 429 else told


def _seconds(told: str) -> float:
    # Some write the time of the day instead, which is no duration: their next answer will say 429.
    try:
        seconds = float(told)
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < 1e6 else 0.0


def over_budget(where: str, total: timedelta) -> SourceUnavailable:
    """What is raised when a whole read took too long."""
    return SourceUnavailable(
        f"{where}: the whole read took longer than {total}; it goes on from where it stood next time"
    )
