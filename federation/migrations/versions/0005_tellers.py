"""A death is known by who told it, so that it can be taken back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column
from sqlalchemy.dialects import sqlite

revision = "0005"
down_revision = "0004"

INT = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
KEPT = "record, died_at, revived_at, reason, recorded_at"


def upgrade() -> None:
    op.create_table(
        "life_told",
        Column("record", INT, nullable=False),
        Column("died_at", INT, nullable=False),
        Column("teller", sa.Text(), nullable=False),
        Column("revived_at", INT),
        Column("reason", sa.Text(), nullable=False),
        Column("recorded_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("record", "died_at", "teller"),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO life_told ({KEPT}, teller) SELECT {KEPT}, '' FROM life")
    op.drop_table("life")
    op.rename_table("life_told", "life")
