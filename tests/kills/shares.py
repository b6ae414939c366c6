"""How many rounds there are of each kind of kill: 200 in CI, 1,000 at leisure, together; full disks come on top."""

from ..scale import how_many

DATABASES = 2
SHARES = {
    "sync": 60 * DATABASES,
    "server": 14 * DATABASES,
    "server's PostgreSQL": 12,
    "postmaster": 20,
    "backend": 20,
}
"""Rounds in CI, by kind."""
LONGER = 5
QUICK = {"sync": 2 * DATABASES, "postmaster": 2}


def rounds(of: str, *, parts: int = 1) -> int:
    """How many rounds a kind has, or one of `parts` tests of it."""
    ci = SHARES[of]
    return how_many(quick=QUICK.get(of, 0), ci=ci, long=ci * LONGER) // parts
