"""The audit log: whether anybody has been at it."""

from collections.abc import Iterator

from ...rows import Finding, Weight
from ..audit_proof import prove
from ..database import Database

_REMEDY = (
    "somebody changed the store from outside, or a copy was damaged: keep it as evidence, compare the log with the "
    "newest backup and with the seals that were kept elsewhere; `watersmeet audit verify` names every broken chain"
)


def examine(database: Database) -> Iterator[Finding]:
    """Every entry against its chain, the chains against their seals and heads."""
    with database.reading() as connection:
        broken = prove(connection).broken
    if broken:
        examples = tuple(f"entry {one.seq} of chain {one.chain}: {one.reason}" for one in broken[:5])
        what = f"{len(broken)} chains of the audit log are not what was written"
        yield Finding("audit", Weight.BROKEN, what, _REMEDY, len(broken), examples)
