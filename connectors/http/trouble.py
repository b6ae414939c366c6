"""What goes wrong between us and a platform, translated into what the operator can do."""

from collections.abc import Callable
from datetime import datetime, timedelta

from ...federation.errors import SourceChanged, SourceError, SourceRefused, SourceUnavailable, WatersmeetError
from .answer import Answer


class Absent(SourceChanged):
    """404 or 410: the thing or the route is not there."""

    def __init__(self, message: str, answer: Answer, sample: str = "") -> None:
        super().__init__(message, sample=sample)
        self.answer = answer


class Rejected(SourceChanged):
    """Any other answer that says our question is wrong."""

    def __init__(self, message: str, answer: Answer, sample: str = "") -> None:
        super().__init__(message, sample=sample)
        self.answer = answer


class Denied(SourceRefused):
    """401 or 403."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


class Redirected(SourceRefused):
    """An answer sends us to another origin, where we do not go."""

    def __init__(self, message: str, location: str) -> None:
        super().__init__(message)
        self.location = location


class Failing(SourceUnavailable):
    """The platform itself is in trouble, after all patience."""

    def __init__(self, message: str, answer: Answer, retry_at: datetime | None = None) -> None:
        super().__init__(message, retry_at=retry_at)
        self.answer = answer


class TooMuch(SourceUnavailable):
    """An answer was larger, or took longer, than is taken at once: a smaller page may go through."""


Later = Callable[[str, datetime | None], SourceError]


class Trouble(Exception):
    """One try failed: whether another may help, and what is raised when patience is at its end."""

    def __init__(
        self,
        message: str,
        error: Later,
        now: datetime,
        *,
        passing: bool = True,
        slow: bool = False,
        pressed: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self._message = message
        self._error = error
        self._now = now
        self.passing = passing
        self.slow = slow
        self.pressed = pressed
        self.retry_after = retry_after

    def final(self, tries: int, *, retry_after: float | None = None) -> WatersmeetError:
        """The error for the caller."""
        wait = self.retry_after if retry_after is None else retry_after
        at = self._now + timedelta(seconds=wait) if wait and wait < 1e8 else None
        often = f" ({tries} tries)" if tries > 1 else ""
        asks = f"; it asks us to come back at {at:%Y-%m-%dT%H:%M:%SZ}" if self.retry_after and at else ""
        return self._error(f"{self._message}{often}{asks}", at)


def unavailable(message: str, at: datetime | None) -> SourceError:
    """Again later."""
    return SourceUnavailable(message, retry_at=at)


def too_much(message: str, at: datetime | None) -> SourceError:
    """Again later, or with a smaller page."""
    return TooMuch(message, retry_at=at)


def failing(answer: Answer) -> Later:
    """Again later; the answer comes along."""
    return lambda message, at: Failing(message, answer, at)


def changed(sample: str) -> Later:
    """Not what we know; retried only because half an answer looks the same."""
    return lambda message, _: SourceChanged(message, sample=sample)
