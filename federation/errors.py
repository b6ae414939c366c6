"""What can go wrong, cut by what the caller can do about it (the tree is drawn in `config.errors`)."""

from collections.abc import Sequence
from datetime import datetime

from ..config.errors import Misconfigured, WatersmeetError

__all__ = [
    "AlreadyRunning",
    "Ambiguous",
    "BadInput",
    "CursorExpired",
    "Forbidden",
    "Misconfigured",
    "NotFound",
    "OutOfTime",
    "SourceChanged",
    "SourceError",
    "SourceRefused",
    "SourceUnavailable",
    "StoreUnavailable",
    "Unfit",
    "WatersmeetError",
    "word_for",
]


class SourceError(WatersmeetError):
    """A platform could not be read; `source` is the configured name when it is known."""

    remedy = "look at the log of the sync"


class SourceUnavailable(SourceError):
    """Down, slow, throttling or cut off: the same call may go through later."""

    remedy = "try again later; check that the address answers"

    def __init__(self, message: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class SourceRefused(SourceError):
    """A credential or a grant is missing: `grants` names them in the platform's own words."""

    remedy = "give the credential the named grant, or configure another credential"

    def __init__(self, message: str, *, grants: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.grants = tuple(grants)


class SourceChanged(SourceError):
    """The platform answered in a way that our mapping does not know; `sample` is a scrubbed cut of it."""

    remedy = "report it with the kept sample, or update Watersmeet"

    def __init__(self, message: str, *, sample: str = "") -> None:
        super().__init__(message)
        self.sample = sample[:2000]


class StoreUnavailable(WatersmeetError):
    """The store cannot be opened, read or written now: locked, full, read-only, unreachable."""


class OutOfTime(WatersmeetError):
    """Whoever asked waits no longer, so the work for it has stopped."""


class NotFound(WatersmeetError):
    """Nothing by that name or id."""


class Ambiguous(WatersmeetError):
    """More than one thing by that name; `candidates` lists (asset id, source, native id)."""

    def __init__(self, message: str, *, candidates: Sequence[tuple[int, str, str]] = ()) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


class BadInput(WatersmeetError):
    """An argument that can never be right, whatever the store holds."""


class Unfit(BadInput):
    """A value that no database of ours can hold: trying again later does not help."""


class CursorExpired(BadInput):
    """A page cursor of a graph that is kept no longer: ask again from the start."""

    code = "CURSOR_EXPIRED"


class Forbidden(WatersmeetError):
    """The caller's role is not enough; `needed` names one that is."""

    def __init__(self, message: str, *, needed: str = "") -> None:
        super().__init__(message)
        self.needed = needed


class AlreadyRunning(WatersmeetError):
    """Another process holds the lock for this work."""


def word_for(error: Exception) -> str:
    """The class of this tree that an error is of: a connector's own kinds of it are known by their parent's name."""
    known = (one.__name__ for one in type(error).__mro__ if one.__name__ in __all__)
    return next(known, type(error).__name__)
