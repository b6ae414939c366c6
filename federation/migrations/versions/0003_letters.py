"""Letters have a fate: they wait, were replayed as an event, or were discarded for a reason."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column
from sqlalchemy.dialects import sqlite

revision = "0003"
down_revision = "0002"

INT = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")


def upgrade() -> None:
    op.add_column("letter", Column("state", sa.Text(), nullable=False, server_default="WAITING"))
    op.add_column("letter", Column("seen_at", INT))
    op.add_column("letter", Column("settled_at", INT))
    op.add_column("letter", Column("note", sa.Text()))
    op.add_column("letter", Column("event", INT))
    op.execute("UPDATE letter SET seen_at = at")
    op.create_index("letter_state", "letter", ["source", "state"])
