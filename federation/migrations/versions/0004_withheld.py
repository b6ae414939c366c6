"""Scopes can be withheld: out of the selection, or forgotten, without an end in what they said."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("scope", sa.Column("withheld", sa.Text()))
