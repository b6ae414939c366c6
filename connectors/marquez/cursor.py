"""How far a Marquez server has been read, as plain JSON that survives a kill."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import xxhash

from ...federation.connector import Cursor
from .names import moment, spell

_FORMAT = 1
KNOWN = 5000
"""More events within the overlap are not remembered: the store recognises them all the same."""
LISTED = 50_000
"""More things that a list held are not remembered: their deletion is told by the lists alone."""


@dataclass(slots=True)
class Mark:
    """The whole cursor while a read goes on."""

    newest: datetime | None = None
    """The latest event that is stored."""
    known: dict[bytes, None] = field(default_factory=dict[bytes, None])
    """Hashes of the latest events, oldest first."""
    sweep: datetime | None = None
    """Where a reading from the first event on was cut off."""
    snapshot_at: datetime | None = None
    """When the lists were last read."""
    listed: set[bytes] = field(default_factory=set[bytes])
    """Hashes of what they held: only what was there once can be gone."""
    failures: tuple[str, ...] = ()
    """What the lists could not tell, until they are read again."""

    @classmethod
    def of(cls, since: Cursor | None) -> "Mark":
        """Read a stored cursor; one of another format is as none, so everything is read again."""
        if since is None or since.get("format") != _FORMAT:
            return cls()
        return cls(
            newest=moment(since.get("newest")),
            known=dict.fromkeys(_unpacked(since.get("known"), 8)),
            sweep=moment(since.get("sweep")),
            snapshot_at=moment(since.get("snapshot_at")),
            listed=set(_unpacked(since.get("listed"), 4)),
            failures=tuple(since.get("failures") or ()),
        )

    def heard(self, hashes: Iterable[bytes]) -> None:
        """Remember events as stored."""
        for one in hashes:
            self.known.pop(one, None)
            self.known[one] = None
        for one in list(self.known)[: max(len(self.known) - KNOWN, 0)]:
            del self.known[one]

    def json(self) -> Cursor:
        """As it is stored."""
        return {
            "format": _FORMAT,
            "newest": _spelled(self.newest),
            "known": _packed(self.known),
            "sweep": _spelled(self.sweep),
            "snapshot_at": _spelled(self.snapshot_at),
            "listed": _packed(sorted(self.listed)[:LISTED]),
            "failures": list(self.failures),
        }


def event_hash(body: bytes) -> bytes:
    """What an event is recognised by."""
    return xxhash.xxh3_64_digest(body)


def name_hash(native_id: str) -> bytes:
    """What a listed thing is recognised by; a mix-up costs one question."""
    return xxhash.xxh32_digest(native_id.encode("utf-8", "surrogatepass"))


def _spelled(at: datetime | None) -> str | None:
    return None if at is None else spell(at)


def _packed(hashes: Iterable[bytes]) -> str:
    return base64.b64encode(b"".join(hashes)).decode("ascii")


def _unpacked(text: Any, size: int) -> list[bytes]:
    packed = base64.b64decode(text) if isinstance(text, str) else b""
    return [packed[start : start + size] for start in range(0, len(packed), size)]
