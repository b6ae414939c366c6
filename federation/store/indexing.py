"""The words by which records are found: indexed anew beside the old index, then swapped in.

Only SQLite needs it: PostgreSQL generates its column.

While it grows, every change of a record below the mark goes into both indexes, so that none is lost to the swap.
"""

import sqlalchemy as sa

from .tables import counter, record

STEP = 1000
"""Records that one transaction indexes: some ten milliseconds."""
MARK = "indexing"
"""The counter that says up to which record the new index goes."""

_COLUMNS = "name, native_id, description"
_NEW, _OLD = "new.name, new.native_id, new.description", "old.name, old.native_id, old.description"
_BELOW = f"(SELECT value FROM counter WHERE name = '{MARK}')"


def _table(name: str) -> str:
    return (
        f"CREATE VIRTUAL TABLE {name} USING fts5({_COLUMNS}, content='record', content_rowid='id', "
        "tokenize=\"unicode61 separators '_.-/:'\", prefix='2 3')"
    )


def _triggers(name: str, *, below: bool) -> dict[str, str]:
    """By their names; `below` keeps out what the new index does not hold yet."""
    added = f"INSERT INTO {name}(rowid, {_COLUMNS}) VALUES (new.id, {_NEW});"
    removed = f"INSERT INTO {name}({name}, rowid, {_COLUMNS}) VALUES ('delete', old.id, {_OLD});"
    guard = f" WHEN old.id <= {_BELOW}" if below else ""
    return {
        f"{name}_added": f"AFTER INSERT ON record{guard.replace('old', 'new')} BEGIN {added} END",
        f"{name}_removed": f"AFTER DELETE ON record{guard} BEGIN {removed} END",
        f"{name}_changed": f"AFTER UPDATE OF {_COLUMNS} ON record{guard} BEGIN {removed} {added} END",
    }


def begin(connection: sa.Connection) -> None:
    """An empty index beside the old one, which from now on hears of every change."""
    discard(connection)
    connection.execute(sa.insert(counter).values(name=MARK, value=0))
    _make(connection, "record_text_next", below=True)


def is_begun(connection: sa.Connection) -> bool:
    """Whether an index is being made."""
    return connection.execute(sa.select(counter.c.value).where(counter.c.name == MARK)).first() is not None


def go_on(connection: sa.Connection, limit: int = STEP) -> int:
    """Index the next records; returns how many, 0 when all are in."""
    at = connection.execute(sa.select(counter.c.value).where(counter.c.name == MARK)).scalar_one()
    asked = sa.select(record.c.id).where(record.c.id > at).order_by(record.c.id).limit(limit)
    ids = connection.execute(asked).scalars().all()
    if not ids:
        return 0
    connection.exec_driver_sql(
        f"INSERT INTO record_text_next(rowid, {_COLUMNS}) SELECT id, {_COLUMNS} FROM record WHERE id > ? AND id <= ?",
        (at, ids[-1]),
    )
    connection.execute(sa.update(counter).where(counter.c.name == MARK).values(value=ids[-1]))
    return len(ids)


def swap(connection: sa.Connection) -> None:
    """The new index takes the old one's place."""
    _unmake(connection, "record_text")
    for name in _triggers("record_text_next", below=True):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    connection.exec_driver_sql("ALTER TABLE record_text_next RENAME TO record_text")
    for name, rule in _triggers("record_text", below=False).items():
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {rule}")
    connection.execute(sa.delete(counter).where(counter.c.name == MARK))


def discard(connection: sa.Connection) -> None:
    """Take away a half-made index."""
    _unmake(connection, "record_text_next")
    connection.execute(sa.delete(counter).where(counter.c.name == MARK))


def _make(connection: sa.Connection, name: str, *, below: bool) -> None:
    connection.exec_driver_sql(_table(name))
    for trigger, rule in _triggers(name, below=below).items():
        connection.exec_driver_sql(f"CREATE TRIGGER {trigger} {rule}")


def _unmake(connection: sa.Connection, name: str) -> None:
    for trigger in _triggers(name, below=True):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {trigger}")
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
