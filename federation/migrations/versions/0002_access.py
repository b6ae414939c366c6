"""Who may ask, and what was done: bearer tokens, and the audit log with its chains' heads."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey
from sqlalchemy.dialects import sqlite

revision = "0002"
down_revision = "0001"

INT = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()


def upgrade() -> None:
    _table(
        "token",
        _must("id", TEXT),
        _must("name", TEXT),
        _must("role", TEXT),
        _must("hash", BYTES),
        _must("created_at", INT),
        Column("expires_at", INT),
        Column("revoked_at", INT),
        Column("used_at", INT),
        Column("used_from", TEXT),
        PrimaryKey("id"),
    )
    _table(
        "token_address",
        _must("token", TEXT),
        _must("address", TEXT),
        _must("seen_at", INT),
        PrimaryKey("token", "address"),
    )
    _table(
        "audit",
        _must("chain", TEXT),
        _must("seq", INT),
        _must("at", INT),
        _must("what", TEXT),
        _must("hash", BYTES),
        _must("body", BYTES),
        PrimaryKey("chain", "seq"),
    )
    op.create_index("audit_at", "audit", ["at"])
    op.create_index("audit_what", "audit", ["what", "at"])
    _table(
        "audit_head",
        _must("chain", TEXT),
        _must("seq", INT),
        _must("hash", BYTES),
        _must("sealed", INT),
        PrimaryKey("chain"),
    )


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(name, *parts, sqlite_strict=True)


def _must(name: str, kind: sa.types.TypeEngine[Any]) -> Column[Any]:
    return Column(name, kind, nullable=False, autoincrement=False)
