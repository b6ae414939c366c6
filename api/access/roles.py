"""Which role may go through which door: the only place that decides it."""

from enum import StrEnum

from ...federation.errors import Forbidden


class Role(StrEnum):
    """What a token, or this machine, may do."""

    VIEWER = "viewer"
    """Every question."""
    STEWARD = "steward"
    """Also sets syncs going, decides what is the same, and posts events."""
    ADMIN = "admin"
    """Everything."""
    INLET = "inlet"
    """Posts events, and nothing else."""


_ASK = frozenset({Role.VIEWER, Role.STEWARD, Role.ADMIN})
_STEER = frozenset({Role.STEWARD, Role.ADMIN})
_TELL = frozenset({Role.INLET, Role.STEWARD, Role.ADMIN})
_RULE = frozenset({Role.ADMIN})

OPEN: frozenset[str] = frozenset({"/", "/console.css", "/console.js", "/healthz", "/readyz"})
"""Paths that tell nothing, which anybody may see who may reach the server."""

DOORS: dict[str, frozenset[Role]] = {
    "/graphql": _ASK,
    "/metrics": _ASK,
    "/api/v1/lineage": _TELL,
    "/api/v1/lineage/batch": _TELL,
    "Mutation.sync": _STEER,
    "Subscription.syncs": _ASK,
    "Subscription.changes": _ASK,
}
"""Who may pass. What changes more than syncs and decisions do (writing to another platform, making tokens, forgetting a
source) is for admins alone, and this machine without a token is none."""


def may(role: Role, door: str) -> bool:
    """Whether a role may go through a door; one that nobody entered here is for admins."""
    return role in DOORS.get(door, _RULE)


def check(role: Role, door: str) -> None:
    """Raises `Forbidden`, which names the role that is needed."""
    if not may(role, door):
        needed = next(one for one in Role if one in DOORS.get(door, _RULE))
        raise Forbidden(f"{door} needs the role {needed.value}; the token at hand is {role.value}", needed=needed.value)
