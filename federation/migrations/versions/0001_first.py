"""The first schema: sources, the journal, claims, the projection of records, identity, the logs."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects import sqlite

revision = "0001"
down_revision = None

INT = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
REAL: sa.types.TypeEngine[Any] = sa.Double[float]().with_variant(sqlite.REAL(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()
COUNTERS = ("change", "event", "source", "sync", "scope", "record", "doc", "fact", "claim", "link", "letter")

FTS5 = (
    "CREATE VIRTUAL TABLE record_text USING fts5(name, native_id, description, content='record', content_rowid='id', "
    "tokenize=\"unicode61 separators '_.-/:'\", prefix='2 3')",
    """CREATE TRIGGER record_text_added AFTER INSERT ON record BEGIN
    INSERT INTO record_text(rowid, name, native_id, description)
    VALUES (new.id, new.name, new.native_id, new.description);
END""",
    """CREATE TRIGGER record_text_removed AFTER DELETE ON record BEGIN
    INSERT INTO record_text(record_text, rowid, name, native_id, description)
    VALUES ('delete', old.id, old.name, old.native_id, old.description);
END""",
    """CREATE TRIGGER record_text_changed AFTER UPDATE OF name, native_id, description ON record BEGIN
    INSERT INTO record_text(record_text, rowid, name, native_id, description)
    VALUES ('delete', old.id, old.name, old.native_id, old.description);
    INSERT INTO record_text(rowid, name, native_id, description)
    VALUES (new.id, new.name, new.native_id, new.description);
END""",
)
"""External content with triggers: contentless tables can't delete below SQLite 3.43, and a renamed asset must not be
findable under its old name."""

TSVECTOR = (
    "ALTER TABLE record ADD COLUMN searched tsvector GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, "
    "left(translate(lower(name || ' ' || native_id || ' ' || coalesce(description, '')), '_.-/:', '     '), 200000)"
    ")) STORED",
    "CREATE INDEX record_searched ON record USING gin (searched)",
)


def upgrade() -> None:
    _tables()
    counter = sa.table("counter", sa.column("name", TEXT), sa.column("value", INT))
    op.bulk_insert(counter, [{"name": name, "value": 0} for name in COUNTERS])
    for statement in FTS5 if op.get_bind().dialect.name == "sqlite" else TSVECTOR:
        op.get_bind().exec_driver_sql(statement)


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(name, *parts, sqlite_strict=True)


def _must(name: str, kind: sa.types.TypeEngine[Any]) -> Column[Any]:
    return Column(name, kind, nullable=False, autoincrement=False)


def _tables() -> None:
    _table(
        "change",
        _must("seq", INT),
        _must("at", INT),
        _must("source", INT),
        _must("record", INT),
        Column("other", INT),
        _must("what", TEXT),
        Column("before", BYTES),
        Column("after", BYTES),
        PrimaryKey("seq"),
    )
    op.create_index("change_at", "change", ["at"])
    op.create_index("change_other", "change", ["other", "seq"])
    op.create_index("change_record", "change", ["record", "seq"])
    _table(
        "claim",
        _must("id", INT),
        _must("source", INT),
        _must("scope", INT),
        _must("up", INT),
        _must("down", INT),
        _must("kind", INT),
        _must("role", INT),
        _must("flow", INT),
        _must("evidence", INT),
        _must("confidence", REAL),
        _must("via", INT),
        _must("planned", INT),
        _must("outcome", INT),
        Column("valid_from", INT),
        Column("valid_to", INT),
        Column("transformation", TEXT),
        Column("alias", TEXT),
        Column("weight", REAL),
        _must("recorded_at", INT),
        Column("retired_at", INT),
        PrimaryKey("id"),
    )
    op.create_index("claim_down", "claim", ["down"])
    op.create_index("claim_scope", "claim", ["scope"])
    op.create_index("claim_up", "claim", ["up"])
    _table("counter", _must("name", TEXT), _must("value", INT), PrimaryKey("name"))
    _table("cursor", _must("source", INT), _must("name", TEXT), _must("body", BYTES), PrimaryKey("source", "name"))
    _table("dirty", _must("record", INT), PrimaryKey("record"))
    _table(
        "doc",
        _must("id", INT),
        _must("source", INT),
        _must("hash", BYTES),
        _must("body", BYTES),
        PrimaryKey("id"),
        Unique("source", "hash", name="doc_hash"),
    )
    _table(
        "event",
        _must("id", INT),
        _must("source", INT),
        _must("hash", BYTES),
        _must("entity_hash", BYTES),
        _must("entity", TEXT),
        Column("event_time", INT),
        _must("received_at", INT),
        _must("body", BYTES),
        PrimaryKey("id"),
        Unique("source", "hash", name="event_hash"),
    )
    op.create_index("event_entity", "event", ["source", "entity_hash"])
    op.create_index("event_number", "event", ["source", "id"])
    _table(
        "fact",
        _must("id", INT),
        _must("scope", INT),
        _must("record", INT),
        _must("doc", INT),
        _must("described", INT),
        _must("stated_at", INT),
        _must("recorded_at", INT),
        Column("retired_at", INT),
        PrimaryKey("id"),
    )
    op.create_index("fact_record", "fact", ["record", "doc"])
    op.create_index("fact_scope", "fact", ["scope"])
    _table("info", _must("name", TEXT), _must("value", BYTES), PrimaryKey("name"))
    _table(
        "label",
        _must("record", INT),
        _must("type", TEXT),
        _must("text_hash", BYTES),
        _must("text", TEXT),
        PrimaryKey("record", "type", "text_hash"),
    )
    op.create_index("label_text", "label", ["type", "text_hash"])
    _table(
        "letter",
        _must("id", INT),
        _must("source", INT),
        _must("hash", BYTES),
        _must("place", TEXT),
        _must("reason", TEXT),
        _must("path", TEXT),
        _must("body", BYTES),
        _must("at", INT),
        PrimaryKey("id"),
        Unique("source", "hash", name="letter_hash"),
    )
    _table(
        "life",
        _must("record", INT),
        _must("died_at", INT),
        Column("revived_at", INT),
        _must("reason", TEXT),
        _must("recorded_at", INT),
        PrimaryKey("record", "died_at"),
    )
    _table(
        "link",
        _must("id", INT),
        _must("asset", INT),
        _must("left", INT),
        _must("right", INT),
        _must("rule", TEXT),
        _must("score", REAL),
        _must("evidence", BYTES),
        _must("recorded_at", INT),
        Column("retired_at", INT),
        PrimaryKey("id"),
    )
    op.create_index("link_asset", "link", ["asset"])
    _table(
        "member",
        _must("record", INT),
        _must("asset", INT),
        _must("recorded_at", INT),
        Column("retired_at", INT),
        PrimaryKey("record", "asset", "recorded_at"),
    )
    op.create_index("member_asset", "member", ["asset"])
    _table(
        "record",
        _must("id", INT),
        _must("source", INT),
        _must("native_hash", BYTES),
        _must("native_id", TEXT),
        _must("asset", INT),
        _must("kind", INT),
        Column("subtype", TEXT),
        _must("name", TEXT),
        _must("described", INT),
        _must("suspect", INT),
        Column("teller", TEXT),
        Column("description", TEXT),
        Column("url", TEXT),
        Column("created_at", INT),
        Column("updated_at", INT),
        Column("run_state", INT),
        Column("run_started", INT),
        Column("run_ended", INT),
        Column("run_error", TEXT),
        Column("tombstoned_at", INT),
        _must("recorded_at", INT),
        _must("body", BYTES),
        PrimaryKey("id"),
        Unique("source", "native_hash", name="record_native"),
    )
    op.create_index("record_asset", "record", ["asset"])
    op.create_index("record_native_hash", "record", ["native_hash"])
    _table(
        "refusal",
        _must("key_hash", BYTES),
        _must("key", TEXT),
        _must("reason", TEXT),
        _must("records", BYTES),
        _must("at", INT),
        PrimaryKey("key_hash"),
    )
    _table(
        "scope",
        _must("id", INT),
        _must("source", INT),
        _must("key_hash", BYTES),
        _must("key", TEXT),
        _must("family", TEXT),
        _must("nature", TEXT),
        _must("hash", BYTES),
        _must("stated_at", INT),
        Column("told_at", INT),
        Column("missed_at", INT),
        Column("gone_at", INT),
        PrimaryKey("id"),
        Unique("source", "key_hash", name="scope_key"),
    )
    op.create_index("scope_family", "scope", ["source", "family"])
    _table(
        "skip",
        _must("source", INT),
        _must("what_hash", BYTES),
        _must("what", TEXT),
        _must("reason", TEXT),
        _must("sample", TEXT),
        _must("lost", INT),
        _must("at", INT),
        PrimaryKey("source", "what_hash"),
    )
    _table(
        "source",
        _must("id", INT),
        _must("key", TEXT),
        _must("name", TEXT),
        _must("platform", TEXT),
        Column("url", TEXT),
        _must("position", INT),
        Column("stale_after", REAL),
        _must("added_at", INT),
        Column("removed_at", INT),
        PrimaryKey("id"),
        Unique("key"),
    )
    _table(
        "spelled",
        _must("record", INT),
        _must("key_hash", BYTES),
        _must("place_hash", BYTES),
        _must("key", TEXT),
        _must("strong", INT),
        _must("rule", TEXT),
        PrimaryKey("record", "key_hash"),
    )
    op.create_index("spelled_key", "spelled", ["key_hash"])
    op.create_index("spelled_place", "spelled", ["place_hash"])
    _table(
        "statement",
        _must("scope", INT),
        _must("stated_at", INT),
        _must("hash", BYTES),
        _must("recorded_at", INT),
        _must("edges", BYTES),
        PrimaryKey("scope", "stated_at", "hash"),
    )
    _table(
        "sync",
        _must("id", INT),
        _must("source", INT),
        _must("state", TEXT),
        _must("full", INT),
        _must("queued_at", INT),
        Column("started_at", INT),
        Column("ended_at", INT),
        _must("complete", INT),
        _must("read", INT),
        _must("written", INT),
        _must("removed", INT),
        _must("skipped", INT),
        _must("done", INT),
        Column("total", INT),
        Column("message", TEXT),
        Column("error", TEXT),
        _must("grants", BYTES),
        _must("failures", BYTES),
        _must("cancel", INT),
        PrimaryKey("id"),
    )
    op.create_index("sync_source", "sync", ["source", "id"])
