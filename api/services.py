"""What the endpoint needs from the rest of the house, joined in one value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ..config.settings import Settings
from ..federation.graph import Graph
from ..federation.inquiry import Inquiry
from ..federation.naming import Registry
from ..federation.store import Store


def _unscheduled(_source_id: str) -> datetime | None:
    return None


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that an app is made of; the caller opens and closes them."""

    settings: Settings
    store: Store
    graph: Graph
    inquiry: Inquiry
    start_sync: Callable[[str, bool], int]
    """Begin a pull of a source (its id; True: everything) and return the sync's id. Raises `AlreadyRunning`."""
    registry: Registry = field(default=Registry.EMPTY)
    """Which names mean one place, for what the inlet brings."""
    next_sync: Callable[[str], datetime | None] = _unscheduled
    """When a source (its id) is due; None without a schedule."""
