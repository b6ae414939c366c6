"""How many random histories each law is held to; together 10,000 in CI and 100,000 at leisure, on both databases."""

from ..scale import how_many

DATABASES = 2
SHARES = {
    "what was known": 900,
    "as of": 900,
    "two intervals": 100,
    "change log": 700,
    "unchanged": 500,
    "incremental": 500,
    "rebuild": 200,
    "order of events": 700,
    "one run": 600,
    "joins": 500,
    "follower": 10,
}
"""Histories in CI, by law and database."""
LONGER = 10
"""So many times as many at the long scale."""


def share(of: str, part: int = 1) -> int:
    """How many histories a law gets on one database, or one of `part` tests of it."""
    ci = SHARES[of] // part
    return how_many(quick=max(5, ci // 40), ci=ci, long=ci * LONGER)
