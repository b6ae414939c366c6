"""What the store knows of itself, by name: its id, its secret, its epoch, how far a long work has come."""

import secrets
from typing import Any

import sqlalchemy as sa

from .codec import decode, encode
from .tables import info

EPOCH = "epoch"


def value(connection: sa.Connection, name: str) -> bytes | None:
    """What is kept under a name."""
    found = connection.execute(sa.select(info.c.value).where(info.c.name == name)).scalar_one_or_none()
    return None if found is None else bytes(found)


def put(connection: sa.Connection, name: str, said: bytes) -> None:
    """Keep something under a name."""
    if connection.execute(sa.update(info).where(info.c.name == name).values(value=said)).rowcount == 0:
        connection.execute(sa.insert(info).values(name=name, value=said))


def drop(connection: sa.Connection, name: str) -> None:
    """Keep nothing under a name."""
    connection.execute(sa.delete(info).where(info.c.name == name))


def document(connection: sa.Connection, name: str) -> Any:
    """The JSON kept under a name; None without."""
    return decode(value(connection, name))


def put_document(connection: sa.Connection, name: str, said: Any) -> None:
    """Keep JSON under a name."""
    put(connection, name, encode(said))


def encoded(said: Any) -> bytes:
    """JSON as the store keeps it."""
    return encode(said)


def epoch(connection: sa.Connection) -> str:
    """What changes when the store is rebuilt, restored or migrated: whoever remembers another one begins anew."""
    return (value(connection, EPOCH) or b"").decode()


def renew_epoch(connection: sa.Connection) -> str:
    """Begin a new epoch: page cursors and snapshots of before are worth nothing from the commit on."""
    fresh = secrets.token_hex(8)
    put(connection, EPOCH, fresh.encode())
    return fresh
