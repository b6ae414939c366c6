"""Who is asking."""

from dataclasses import dataclass
from typing import Any

from .roles import Role


@dataclass(frozen=True, slots=True)
class Caller:
    """One who asks. Which rows they may see (by source, platform, tag) will stand here too, and travel the same way."""

    role: Role
    name: str
    """What the audit log calls them."""
    address: str = ""
    token: str | None = None
    """The id of the token; None: local."""


LOCAL = Caller(Role.STEWARD, "local", "127.0.0.1")
"""This machine, as long as it needs no token."""
_STATE = "watersmeet_entry"


@dataclass(slots=True)
class Entry:
    """What the gate knows of one request or WebSocket; a WebSocket may say who it is after it was opened."""

    address: str
    caller: Caller | None = None


def put_entry(scope: Any, entry: Entry) -> None:
    """Let what comes after the gate know who asks."""
    scope[_STATE] = entry


def entry_of(scope: Any) -> Entry:
    """What the gate left. Raises `KeyError` where no gate stands before."""
    return scope[_STATE]


def caller_of(scope: Any) -> Caller | None:
    """Who asks; None: a WebSocket that has not said it yet."""
    return entry_of(scope).caller
