"""The audit log shows each way in which somebody may lay hands on it."""

import hashlib
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from watersmeet.federation.rows import AuditProof
from watersmeet.federation.store import Store
from watersmeet.federation.store.database import Database
from watersmeet.federation.store.tables import audit, audit_head

from .conftest import Clock

Tamper = Callable[[sa.Connection, str], Any]
LAST = 8
"""How many entries the chains have that somebody lays hands on."""


def told(store: Store, count: int = 5) -> str:
    """So many entries of one process; returns its chain."""
    rows = [store.audit.record("thing.done", by="somebody", detail={"number": number}) for number in range(count)]
    return rows[-1].chain


def tampered(url: str, how: Tamper, chain: str) -> AuditProof:
    with closing(Database(url)) as database, database.writing() as connection:
        how(connection, chain)
    with Store.open(url) as store:
        return store.audit.prove()


def at(chain: str, seq: int) -> sa.ColumnElement[bool]:
    return (audit.c.chain == chain) & (audit.c.seq == seq)


def forged(connection: sa.Connection, chain: str, seq: int, *, rehash: bool) -> None:
    row = connection.execute(sa.select(audit).where(at(chain, seq))).one()
    entry = json.loads(bytes(row.body))
    entry["by"] = "somebody else"
    body = json.dumps(entry, separators=(",", ":"), sort_keys=True).encode()
    values: dict[str, Any] = {"body": body}
    if rehash:
        values["hash"] = hashlib.sha256(body).digest()
    connection.execute(sa.update(audit).where(at(chain, seq)).values(values))


def removed(connection: sa.Connection, chain: str, seq: int) -> None:
    connection.execute(sa.delete(audit).where(at(chain, seq)))


def cut(connection: sa.Connection, chain: str, above: int) -> None:
    connection.execute(sa.delete(audit).where(audit.c.chain == chain, audit.c.seq > above))


def cut_and_forget(connection: sa.Connection, chain: str, above: int) -> None:
    cut(connection, chain, above)
    last = connection.execute(sa.select(audit.c.hash).where(at(chain, above))).scalar_one()
    connection.execute(sa.update(audit_head).where(audit_head.c.chain == chain).values(seq=above, hash=last))


def swap(connection: sa.Connection, chain: str, one: int, other: int) -> None:
    rows = {seq: connection.execute(sa.select(audit).where(at(chain, seq))).one() for seq in (one, other)}
    for here, there in ((one, other), (other, one)):
        values = {name: getattr(rows[there], name) for name in ("at", "what", "hash", "body")}
        connection.execute(sa.update(audit).where(at(chain, here)).values(values))


def changed(connection: sa.Connection, chain: str, **values: Any) -> None:
    connection.execute(sa.update(audit).where(at(chain, 3)).values(values))


def added(connection: sa.Connection, chain: str) -> None:
    row = connection.execute(sa.select(audit).where(at(chain, LAST))).one()
    entry = {**json.loads(bytes(row.body)), "seq": LAST + 1, "before": bytes(row.hash).hex()}
    body = json.dumps(entry, separators=(",", ":"), sort_keys=True).encode()
    mark = hashlib.sha256(body).digest()
    values = {"chain": chain, "seq": LAST + 1, "at": row.at, "what": row.what, "hash": mark, "body": body}
    connection.execute(sa.insert(audit).values(values))


TAMPERED: dict[str, tuple[Tamper, int, str]] = {
    "an entry's words": (lambda c, chain: forged(c, chain, 4, rehash=False), 4, "changed"),
    "an entry's words with their hash": (lambda c, chain: forged(c, chain, 4, rehash=True), 4, "changed"),
    "the newest entry with its hash": (lambda c, chain: forged(c, chain, LAST, rehash=True), LAST, "changed"),
    "an entry's time": (lambda c, chain: changed(c, chain, at=1), 3, "changed"),
    "what was done": (lambda c, chain: changed(c, chain, what="x"), 3, "changed"),
    "a body that is none": (lambda c, chain: changed(c, chain, body=b"{"), 3, "changed"),
    "an entry in the middle taken out": (
        lambda c, chain: c.execute(sa.delete(audit).where(at(chain, 4))),
        4,
        "missing",
    ),
    "the first entry taken out": (lambda c, chain: c.execute(sa.delete(audit).where(at(chain, 1))), 1, "missing"),
    "two entries in the other order": (lambda c, chain: swap(c, chain, 3, 5), 3, "another place"),
    "the newest entries cut off": (lambda c, chain: cut(c, chain, 4), 5, "missing"),
    "one entry put in": (added, LAST + 1, "put in"),
    "the whole chain taken out": (lambda c, chain: cut(c, chain, 0), 1, "missing"),
}


def test_the_first_broken_entry_of_each_chain_is_named(store: Store, store_url: str, clock: Clock):
    chains: dict[str, str] = {}
    for what in (*TAMPERED, "nothing"):
        with Store.open(store_url, clock=clock) as process:
            chains[what] = told(process, LAST)
    with closing(Database(store_url)) as database, database.writing() as connection:
        for what, (how, _seq, _reason) in TAMPERED.items():
            how(connection, chains[what])
    broken = {one.chain: one for one in store.audit.prove().broken}
    assert chains["nothing"] not in broken
    for what, (_how, seq, reason) in TAMPERED.items():
        found = broken.pop(chains[what])
        assert found.seq == seq, what
        assert reason in found.reason, what
    assert broken == {}


def test_a_log_that_nobody_touched_is_whole(store: Store, clock: Clock):
    told(store)
    clock.move(hours=2)
    told(store)
    proof = store.audit.prove()
    assert (proof.entries, proof.chains, proof.seals, proof.broken) == (12, 1, 2, ())
    assert proof.sealed_at == clock.now


def test_an_empty_log_is_whole(store: Store):
    proof = store.audit.prove()
    assert (proof.entries, proof.seals, proof.broken, proof.sealed_at) == (0, 0, (), None)


@pytest.mark.parametrize("above", [0, 3])
def test_what_was_cut_off_so_that_the_store_forgot_it_too_is_noticed_up_to_the_last_seal(
    store: Store, store_url: str, clock: Clock, above: int
):
    with Store.open(store_url, clock=clock) as other:
        chain = told(other)
    assert told(store, 1) != chain
    clock.move(hours=2)
    assert store.audit.seal()

    def how(connection: sa.Connection, chain: str) -> None:
        if above:
            cut_and_forget(connection, chain, above)
        else:
            cut(connection, chain, 0)
            connection.execute(sa.delete(audit_head).where(audit_head.c.chain == chain))

    [broken] = tampered(store_url, how, chain).broken
    assert (broken.chain, broken.seq) == (chain, above + 1)
    assert "a seal names" in broken.reason


def test_a_seal_that_was_forged_shows_in_the_chain_that_holds_it(store: Store, store_url: str):
    chain = told(store)
    [broken] = tampered(store_url, lambda c, chain: forged(c, chain, 2, rehash=True), chain).broken
    assert (broken.chain, broken.seq) == (chain, 2)


def test_seals_come_hourly_and_only_when_there_is_something_to_seal(store: Store, store_url: str, clock: Clock):
    told(store, 1)
    assert not store.audit.seal()
    clock.move(hours=3)
    assert not store.audit.seal(), "nothing was written since"
    with Store.open(store_url, clock=clock) as other:
        chain = told(other, 2)  # the first of them is sealed at once, since the last seal is old
        assert not other.audit.seal()
        clock.move(minutes=61)
        assert store.audit.seal(), "whichever process looks first seals for all"
    seals = store.audit.entries(what="seal")
    assert len(seals) == 3
    assert [name for name, _seq, _mark in seals[-1].detail["heads"]] == [chain]  # pyright: ignore[reportIndexIssue, reportGeneralTypeIssues] - any JSON
    assert seals[-1].detail["before"][:2] == [seals[1].chain, seals[1].seq]  # pyright: ignore[reportIndexIssue, reportOptionalSubscript] - any JSON


def test_processes_have_chains_of_their_own_and_writers_of_one_take_turns(store: Store, store_url: str):
    from threading import Thread

    with Store.open(store_url) as other:
        writers = [Thread(target=told, args=(which, 10)) for which in (store, store, other, other)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    proof = store.audit.prove()
    assert (proof.chains, proof.broken) == (2, ())
    assert proof.entries - proof.seals == 40


def test_an_entry_of_a_transaction_that_failed_is_not_there_and_leaves_no_gap(store: Store, store_url: str):
    told(store, 1)

    def fail() -> None:
        database = store.audit._db  # pyright: ignore[reportPrivateUsage] - the transaction is the store's own
        with database.writing() as connection:
            store.audit.append(connection, "thing.done", by="somebody")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    told(store, 1)
    assert store.audit.prove().broken == ()
    assert len(store.audit.entries(what="thing.done")) == 2


def test_no_secret_gets_into_an_entry(store: Store, store_url: str):
    made = "wm_" + "a" * 10 + "_" + "b" * 52
    detail = {
        "password": "hunter2",
        "reason": f"Authorization: Bearer {made}",
        "deep": [{"url": "https://u:hunter2@h/"}],
    }
    store.audit.record("thing.done", by=f"token {made}", address=made, detail=detail)
    store.audit.record("thing.done", by="x", detail={"text": f"see {made}", "long": "x" * 10_000, "odd": "a\x00\ud800"})
    with closing(Database(store_url)) as database, database.reading() as connection:
        written = b"".join(bytes(body) for body in connection.execute(sa.select(audit.c.body)).scalars())
    assert b"hunter2" not in written
    assert made.encode() not in written
    assert len(written) < 10_000
    assert store.audit.prove().broken == ()


def test_entries_are_listed_by_time_and_kind_even_if_one_is_spoiled(store: Store, store_url: str, clock: Clock):
    chain = told(store, 2)
    clock.move(hours=2)
    store.audit.record("other.done", by="somebody", address="10.0.0.1", detail={"x": 1})
    [row] = store.audit.entries(since=clock.now, what="other.done")
    assert (row.by, row.address, row.detail) == ("somebody", "10.0.0.1", {"x": 1})
    assert [row.detail["number"] for row in store.audit.entries(what="thing.done")] == [0, 1]
    tampered(store_url, lambda c, chain: c.execute(sa.update(audit).where(at(chain, 1)).values(body=b"{")), chain)
    assert store.audit.entries(what="thing.done")[0].detail == {"spoiled": True}
    assert len(store.audit.entries(first=2)) == 2
