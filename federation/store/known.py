"""Which records anything is still said of: what was withheld leaves rows behind that stand for nothing."""

import sqlalchemy as sa

from .tables import claim, fact, record


def is_known() -> sa.ColumnElement[bool]:
    """A condition on `record`: it is described, or named, or at the end of an edge."""
    named = sa.exists(sa.select(sa.literal(1)).where(fact.c.record == record.c.id, fact.c.retired_at.is_(None)))
    ends = (
        sa.exists(sa.select(sa.literal(1)).where(end == record.c.id, claim.c.retired_at.is_(None)))
        for end in (claim.c.up, claim.c.down)
    )
    return sa.or_(record.c.described == 1, named, *ends)
