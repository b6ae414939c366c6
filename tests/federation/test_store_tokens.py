"""Tokens in the store: made, used, revoked, and never readable."""

from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.runtime.migration import MigrationContext

from watersmeet.federation.connector import Batch
from watersmeet.federation.errors import BadInput, NotFound
from watersmeet.federation.model import AssetKind, Record, Scope
from watersmeet.federation.rows import SourceRow, TokenRow
from watersmeet.federation.store import Store
from watersmeet.federation.store import tokens as tokens_module
from watersmeet.federation.store.database import Database
from watersmeet.federation.store.schema import _config  # pyright: ignore[reportPrivateUsage] - to stop half way

from .conftest import Clock


def made(store: Store, clock: Clock, name: str = "ci", days: float | None = None) -> TokenRow:
    expires = None if days is None else clock.now + timedelta(days=days)
    row = TokenRow(f"id-{name}-{clock.now:%H%M}", name, "viewer", b"\x01" * 32, clock.now, expires)
    return store.tokens.create(row, by="tests")


def test_a_token_is_kept_until_it_is_revoked_and_its_row_beyond(store: Store, clock: Clock):
    row = made(store, clock)
    assert store.tokens.valid() == [row]
    clock.move(hours=1)
    revoked = store.tokens.revoke(row.id, by="tests")
    assert revoked.revoked_at == clock.now
    assert store.tokens.valid() == []
    assert store.tokens.all() == [revoked]
    clock.move(hours=1)
    assert store.tokens.revoke(row.id, by="tests") == revoked, "revoking twice changes nothing"


def test_a_token_ends_by_itself(store: Store, clock: Clock):
    row = made(store, clock, days=1)
    assert store.tokens.valid() == [row]
    clock.move(days=1)
    assert store.tokens.valid() == []


def test_two_tokens_in_force_never_bear_one_name(store: Store, clock: Clock):
    row = made(store, clock)
    with pytest.raises(BadInput, match="another name"):
        made(store, clock)
    store.tokens.revoke(row.id, by="tests")
    clock.move(minutes=1)
    assert made(store, clock).name == "ci"


def test_an_unknown_id_is_told(store: Store):
    with pytest.raises(NotFound, match="token list"):
        store.tokens.revoke("nope", by="tests")


def test_the_last_use_is_known_to_a_few_minutes(store: Store, clock: Clock):
    row = made(store, clock)
    began = clock.now
    assert store.tokens.used(row.id, "10.0.0.1")
    clock.move(minutes=1)
    assert not store.tokens.used(row.id, "10.0.0.1")
    [found] = store.tokens.all()
    assert (found.used_at, found.used_from) == (began, "10.0.0.1")
    clock.move(minutes=10)
    store.tokens.used(row.id, "10.0.0.1")
    assert store.tokens.all()[0].used_at == clock.now


def test_a_new_address_of_a_token_stands_in_the_audit_log_once(store: Store, clock: Clock):
    row = made(store, clock)
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.2"):
        store.tokens.used(row.id, address)
    entries = store.audit.entries(what="token.new_address")
    assert [entry.address for entry in entries] == ["10.0.0.1", "10.0.0.2"]


def test_the_addresses_of_a_token_are_bounded(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tokens_module, "ADDRESSES", 3)
    row = made(store, clock)
    for number in range(6):
        clock.move(seconds=1)
        store.tokens.used(row.id, f"10.0.0.{number}")
    assert not store.tokens.used(row.id, "10.0.0.5")
    assert store.tokens.used(row.id, "10.0.0.0"), "the oldest was forgotten"


def test_making_and_revoking_stand_in_the_audit_log(store: Store, clock: Clock):
    row = made(store, clock, days=3)
    store.tokens.revoke(row.id, by="command line (ada)")
    store.tokens.revoke(row.id, by="command line (ada)")
    [created] = store.audit.entries(what="token.create")
    assert created.by == "tests"
    assert created.detail["role"] == "viewer"
    [revoked] = store.audit.entries(what="token.revoke")
    assert (revoked.by, revoked.detail["id"]) == ("command line (ada)", row.id)


def test_a_store_of_before_is_brought_up_with_what_it_holds(empty_url: str, clock: Clock):
    with closing(Database(empty_url)) as database, database.writing() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with closing(Database(empty_url)) as database, database.writing() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == "0001"
        values = {"id": 1, "key": "a", "name": "a", "platform": "marquez", "position": 0, "added_at": 1}
        connection.execute(sa.insert(sa.table("source", *map(sa.column, values))).values(values))
        connection.execute(sa.text("UPDATE counter SET value = 1 WHERE name = 'source'"))
    with Store.open(empty_url, clock=clock) as store:
        assert store.journal.sources() == [SourceRow("a", "a", "marquez", None, 0)]
        said = Scope("s", (Record("r", AssetKind.DATASET, "orders"),))
        store.ledger.write("a", Batch((said,)), read_started_at=clock.now)
        assert made(store, clock) in store.tokens.valid()
        assert store.audit.prove().broken == ()
