"""The store's tables, as SQLAlchemy sees them; the migrations are what makes them.

Times are UTC microseconds since 1970. Enumerated values are positions in the model's enums. Long texts (names may be
4 kB) are found by a 128-bit hash, since a B-tree entry of PostgreSQL holds 2.7 kB at most.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Double, Index, LargeBinary, MetaData, Table, Text, UniqueConstraint
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine


class Bytes(LargeBinary):
    """Bytes as they are: both drivers take and give them so, and a call for each of many million values is dear."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Nothing is done to what is written."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Nor to what is read."""


Int = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Real: TypeEngine[Any] = Double[float]().with_variant(sqlite.REAL(), "sqlite")

metadata = MetaData()


def _table(name: str, *parts: Column[Any] | Index | UniqueConstraint) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True)


def _id() -> Column[int]:
    return Column("id", Int, primary_key=True, autoincrement=False)


info = _table(
    "info",
    Column("name", Text, primary_key=True),
    Column("value", Bytes, nullable=False),
)
"""What the store knows of itself: its id, its secret, the version of the naming rules its keys were derived with."""

counter = _table(
    "counter",
    Column("name", Text, primary_key=True),
    Column("value", Int, nullable=False),
)
"""Blocks of ids, and the heads of the logs (`change`, `event`), whose row lock makes their numbers commit order."""

source = _table(
    "source",
    _id(),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("url", Text),
    Column("position", Int, nullable=False),
    Column("stale_after", Real),
    Column("added_at", Int, nullable=False),
    Column("removed_at", Int),
)

sync = _table(
    "sync",
    _id(),
    Column("source", Int, nullable=False),
    Column("state", Text, nullable=False),
    Column("full", Int, nullable=False),
    Column("queued_at", Int, nullable=False),
    Column("started_at", Int),
    Column("ended_at", Int),
    Column("complete", Int, nullable=False),
    Column("read", Int, nullable=False),
    Column("written", Int, nullable=False),
    Column("removed", Int, nullable=False),
    Column("skipped", Int, nullable=False),
    Column("done", Int, nullable=False),
    Column("total", Int),
    Column("message", Text),
    Column("error", Text),
    Column("grants", Bytes, nullable=False),
    Column("failures", Bytes, nullable=False),
    Column("cancel", Int, nullable=False),
    Index("sync_source", "source", "id"),
)

cursor = _table(
    "cursor",
    Column("source", Int, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("body", Bytes, nullable=False),
)

skip = _table(
    "skip",
    Column("source", Int, primary_key=True, autoincrement=False),
    Column("what_hash", Bytes, primary_key=True),
    Column("what", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sample", Text, nullable=False),
    Column("lost", Int, nullable=False),
    Column("at", Int, nullable=False),
)

scope = _table(
    "scope",
    _id(),
    Column("source", Int, nullable=False),
    Column("key_hash", Bytes, nullable=False),
    Column("key", Text, nullable=False),
    Column("family", Text, nullable=False),
    Column("nature", Text, nullable=False),
    Column("hash", Bytes, nullable=False),
    Column("stated_at", Int, nullable=False),
    Column("told_at", Int),
    Column("missed_at", Int),
    Column("gone_at", Int),
    Column("withheld", Text),
    UniqueConstraint("source", "key_hash", name="scope_key"),
    Index("scope_family", "source", "family"),
)
"""`told_at`: the platform's own time of the newest statement; `missed_at`: the complete listing that first lacked it;
`gone_at`: it was retired then; `withheld`: why, if not because the platform lacked it."""

statement = _table(
    "statement",
    Column("scope", Int, primary_key=True, autoincrement=False),
    Column("stated_at", Int, primary_key=True, autoincrement=False),
    Column("hash", Bytes, primary_key=True),
    Column("recorded_at", Int, nullable=False),
    Column("edges", Bytes, nullable=False),
)
"""What a STANDING or TIMED scope said, each time that it was new: the intervals of its claims follow from it."""

doc = _table(
    "doc",
    _id(),
    Column("source", Int, nullable=False),
    Column("hash", Bytes, nullable=False),
    Column("body", Bytes, nullable=False),
    UniqueConstraint("source", "hash", name="doc_hash"),
)
"""Bodies of descriptions, each kept once however often it was said."""

fact = _table(
    "fact",
    _id(),
    Column("scope", Int, nullable=False),
    Column("record", Int, nullable=False),
    Column("doc", Int, nullable=False),
    Column("described", Int, nullable=False),
    Column("stated_at", Int, nullable=False),
    Column("recorded_at", Int, nullable=False),
    Column("retired_at", Int),
    Index("fact_scope", "scope"),
    Index("fact_record", "record", "doc"),
)

record = _table(
    "record",
    _id(),
    Column("source", Int, nullable=False),
    Column("native_hash", Bytes, nullable=False),
    Column("native_id", Text, nullable=False),
    Column("asset", Int, nullable=False),
    Column("kind", Int, nullable=False),
    Column("subtype", Text),
    Column("name", Text, nullable=False),
    Column("described", Int, nullable=False),
    Column("suspect", Int, nullable=False),
    Column("teller", Text),
    Column("description", Text),
    Column("url", Text),
    Column("created_at", Int),
    Column("updated_at", Int),
    Column("run_state", Int),
    Column("run_started", Int),
    Column("run_ended", Int),
    Column("run_error", Text),
    Column("tombstoned_at", Int),
    Column("recorded_at", Int, nullable=False),
    Column("body", Bytes, nullable=False),
    UniqueConstraint("source", "native_hash", name="record_native"),
    Index("record_native_hash", "native_hash"),
    Index("record_asset", "asset"),
)
"""The projection of all facts about one source's asset; `body` holds spellings and facets."""

label = _table(
    "label",
    Column("record", Int, primary_key=True, autoincrement=False),
    Column("type", Text, primary_key=True),
    Column("text_hash", Bytes, primary_key=True),
    Column("text", Text, nullable=False),
    Index("label_text", "type", "text_hash"),
)
"""Tags and owners, folded, for the filters of search."""

life = _table(
    "life",
    Column("record", Int, primary_key=True, autoincrement=False),
    Column("died_at", Int, primary_key=True, autoincrement=False),
    Column("teller", Text, primary_key=True),
    Column("revived_at", Int),
    Column("reason", Text, nullable=False),
    Column("recorded_at", Int, nullable=False),
)

claim = _table(
    "claim",
    _id(),
    Column("source", Int, nullable=False),
    Column("scope", Int, nullable=False),
    Column("up", Int, nullable=False),
    Column("down", Int, nullable=False),
    Column("kind", Int, nullable=False),
    Column("role", Int, nullable=False),
    Column("flow", Int, nullable=False),
    Column("evidence", Int, nullable=False),
    Column("confidence", Real, nullable=False),
    Column("via", Int, nullable=False),
    Column("planned", Int, nullable=False),
    Column("outcome", Int, nullable=False),
    Column("valid_from", Int),
    Column("valid_to", Int),
    Column("transformation", Text),
    Column("alias", Text),
    Column("weight", Real),
    Column("recorded_at", Int, nullable=False),
    Column("retired_at", Int),
    Index("claim_scope", "scope"),
    Index("claim_up", "up"),
    Index("claim_down", "down"),
)

spelled = _table(
    "spelled",
    Column("record", Int, primary_key=True, autoincrement=False),
    Column("key_hash", Bytes, primary_key=True),
    Column("place_hash", Bytes, nullable=False),
    Column("key", Text, nullable=False),
    Column("strong", Int, nullable=False),
    Column("rule", Text, nullable=False),
    Index("spelled_key", "key_hash"),
    Index("spelled_place", "place_hash"),
)
"""The keys that `naming` derived from a record's spellings; `place_hash` is of the key without its authority."""

dirty = _table("dirty", Column("record", Int, primary_key=True, autoincrement=False))
"""Records whose keys or joins must be derived again."""

member = _table(
    "member",
    Column("record", Int, primary_key=True, autoincrement=False),
    Column("asset", Int, primary_key=True, autoincrement=False),
    Column("recorded_at", Int, primary_key=True, autoincrement=False),
    Column("retired_at", Int),
    Index("member_asset", "asset"),
)
"""Which asset a record belonged to, and when we thought so. A record alone has no row."""

link = _table(
    "link",
    _id(),
    Column("asset", Int, nullable=False),
    Column("left", Int, nullable=False),
    Column("right", Int, nullable=False),
    Column("rule", Text, nullable=False),
    Column("score", Real, nullable=False),
    Column("evidence", Bytes, nullable=False),
    Column("recorded_at", Int, nullable=False),
    Column("retired_at", Int),
    Index("link_asset", "asset"),
)

refusal = _table(
    "refusal",
    Column("key_hash", Bytes, primary_key=True),
    Column("key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("records", Bytes, nullable=False),
    Column("at", Int, nullable=False),
)
"""Keys that would have joined what must stay apart."""

change = _table(
    "change",
    Column("seq", Int, primary_key=True, autoincrement=False),
    Column("at", Int, nullable=False),
    Column("source", Int, nullable=False),
    Column("record", Int, nullable=False),
    Column("other", Int),
    Column("what", Text, nullable=False),
    Column("before", Bytes),
    Column("after", Bytes),
    Index("change_record", "record", "seq"),
    Index("change_other", "other", "seq"),
    Index("change_at", "at"),
)

event = _table(
    "event",
    _id(),
    Column("source", Int, nullable=False),
    Column("hash", Bytes, nullable=False),
    Column("entity_hash", Bytes, nullable=False),
    Column("entity", Text, nullable=False),
    Column("event_time", Int),
    Column("received_at", Int, nullable=False),
    Column("body", Bytes, nullable=False),
    UniqueConstraint("source", "hash", name="event_hash"),
    Index("event_entity", "source", "entity_hash"),
    Index("event_number", "source", "id"),
)

letter = _table(
    "letter",
    _id(),
    Column("source", Int, nullable=False),
    Column("hash", Bytes, nullable=False),
    Column("place", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("body", Bytes, nullable=False),
    Column("at", Int, nullable=False),
    Column("state", Text, nullable=False, server_default="WAITING"),
    Column("seen_at", Int),
    Column("settled_at", Int),
    Column("note", Text),
    Column("event", Int),
    UniqueConstraint("source", "hash", name="letter_hash"),
    Index("letter_state", "source", "state"),
)
"""Events that could not be taken; `event` is the number that one was replayed as, `seen_at` when it last came up."""

token = _table(
    "token",
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("hash", Bytes, nullable=False),
    Column("created_at", Int, nullable=False),
    Column("expires_at", Int),
    Column("revoked_at", Int),
    Column("used_at", Int),
    Column("used_from", Text),
)
"""Bearer tokens: `id` is their public part, `hash` the SHA-256 of the secret one. A revoked token keeps its row."""

token_address = _table(
    "token_address",
    Column("token", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("seen_at", Int, nullable=False),
)
"""From where a token was used, so that a new address is noticed."""

audit = _table(
    "audit",
    Column("chain", Text, primary_key=True),
    Column("seq", Int, primary_key=True, autoincrement=False),
    Column("at", Int, nullable=False),
    Column("what", Text, nullable=False),
    Column("hash", Bytes, nullable=False),
    Column("body", Bytes, nullable=False),
    Index("audit_at", "at"),
    Index("audit_what", "what", "at"),
)
"""Who did what: one chain a writing process. `body` holds the whole entry and the hash before it, `hash` is its
SHA-256; the columns beside them are for finding it."""

audit_head = _table(
    "audit_head",
    Column("chain", Text, primary_key=True),
    Column("seq", Int, nullable=False),
    Column("hash", Bytes, nullable=False),
    Column("sealed", Int, nullable=False),
)
"""The newest entry of each chain, and the newest that a seal names; the row's lock makes a chain's numbers gapless."""
