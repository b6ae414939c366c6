"""The acceptance checks of a Marquez connector, by their numbers: what is gone, what moved, who is beside it."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from watersmeet.connectors.marquez.read import Marquez
from watersmeet.connectors.marquez.sandbox import Sandbox

from ..conftest import NOW, Told
from .telling import Read, event, jobs


class TestDeletion:
    """Marquez, check 13."""

    TABLE = ("s3://lake", "orders")

    def deleted(self, sandbox: Sandbox, read: Read, **settings: Any) -> Told:
        sandbox.seed([event("j", outputs=[self.TABLE, ("s3://lake", "kept")])])
        cursor = read(sandbox, **settings).cursor
        sandbox.call("DELETE", "namespaces", *[self.TABLE[0], "datasets", self.TABLE[1]])
        return read(sandbox, cursor, now=NOW + timedelta(hours=25), **settings)

    def test_what_was_listed_and_is_404_is_gone(self, sandbox: Sandbox, read: Read):
        told = self.deleted(sandbox, read)
        assert [stone.native_id for stone in told.tombstones] == ["s3://lake/orders"]
        assert told.listed == {"listed-dataset", "listed-job"}
        assert told.batches[-1].unsure

    def test_it_is_said_once(self, sandbox: Sandbox, read: Read):
        told = self.deleted(sandbox, read)
        assert read(sandbox, told.cursor, now=NOW + timedelta(hours=50)).tombstones == []

    def test_a_server_that_forgets_proves_nothing(self, sandbox: Sandbox, read: Read):
        told = self.deleted(sandbox, read, options={"retention": True})
        assert told.tombstones == []
        assert told.listed == set()

    def test_what_was_never_listed_was_not_deleted(self, sandbox: Sandbox, read: Read):
        """A dataset of an event that Marquez refused stands in the feed and never in the lists."""
        sandbox.seed([event("j", outputs=[self.TABLE])])
        sandbox.world.datasets[self.TABLE].hidden = True
        told = read(sandbox)
        assert told.tombstones == []
        assert read(sandbox, told.cursor, now=NOW + timedelta(hours=25)).tombstones == []

    def test_a_hidden_namespace_takes_its_things_along(self, sandbox: Sandbox, read: Read):
        sandbox.seed([event("j", outputs=[self.TABLE])])
        cursor = read(sandbox).cursor
        sandbox.call("DELETE", "namespaces", "s3://lake")
        sandbox.call("DELETE", "namespaces", "shop")
        told = read(sandbox, cursor, now=NOW + timedelta(hours=25))
        assert {stone.native_id for stone in told.tombstones} == {"s3://lake/orders", "job:shop/j"}

    def test_the_next_event_brings_it_back(self, sandbox: Sandbox, read: Read):
        told = self.deleted(sandbox, read)
        sandbox.seed([event("j", "2026-11-27T08:00:00Z", outputs=[self.TABLE])])
        back = read(sandbox, told.cursor, now=NOW + timedelta(hours=50))
        assert "s3://lake/orders" in {scope.key.removeprefix("listed-dataset/") for scope in back.scopes}
        assert back.tombstones == []

    def test_what_only_the_lists_told_is_asked_for(self, sandbox: Sandbox, connect: Callable[..., Marquez]):
        declared = {"eventTime": "2026-11-26T08:00:00Z", "producer": "p", "schemaURL": "https://x#/$defs/DatasetEvent"}
        for name in ("a/b", "c"):
            schema = {"fields": [{"name": "x", "type": "int"}]}
            dataset = {"namespace": "postgresql://db:5432", "name": name, "facets": {"schema": schema}}
            sandbox.seed([{**declared, "dataset": dataset}])
        connector = connect(sandbox)
        ids = [name for name in Told.by(connector.read(None)).records if "#" not in name]
        assert ids == ["postgres://db:5432/a/b", "postgres://db:5432/c"]
        sandbox.call("DELETE", "namespaces", "postgresql://db:5432", "datasets", "a/b")
        Told.by(connector.read(None))
        asked = [
            *ids,
            "postgres://db:5432/a/b#x",
            "postgres://db:5432/c#x",
            "postgres://elsewhere/a",
            "run:1",
            "job:shop/j",
        ]
        assert list(connector.gone(asked)) == [
            "postgres://db:5432/a/b",
            "postgres://db:5432/a/b#x",
            "postgres://db:5432/c#x",
        ]
        sandbox.fail("/datasets/", status=500, times=9)
        assert list(connect(sandbox).gone(["postgres://db:5432/a/b"])) == []


def test_a_job_that_leads_to_another_is_that_one(sandbox: Sandbox, read: Read):
    """Marquez, check 14: both names are one job's, so their histories are one."""
    sandbox.seed([event("old-report", "2026-11-25T08:00:00Z"), event("report")])
    sandbox.symlink_job("shop", "old-report", "report")
    told = read(sandbox)
    [scope] = [scope for scope in told.scopes if scope.key.startswith("job-alias/")]
    [record] = scope.records
    assert record.native_id == "job:shop/report"
    assert [one.parts for one in record.spellings] == [("shop", "report"), ("shop", "old-report")]
    assert told.tombstones == []


def test_two_servers_share_nothing(connect: Callable[..., Marquez], caplog: pytest.LogCaptureFixture):
    """Marquez, check 15: each gets its own credential, and no credential stands in anything that is told or logged."""
    caplog.set_level(logging.DEBUG)
    secrets = ("token-of-the-first", "token-of-the-second")
    with Sandbox(token=secrets[0]) as first, Sandbox(token=secrets[1]) as second:
        one = connect(first, name="one", token=secrets[0])
        other = connect(second, name="two", token=secrets[1])
        told = [Told.by(one.read(None)), Told.by(other.read(None)), Told.by(one.read(None))]
        assert {call.authorization for call in first.calls} == {f"Bearer {secrets[0]}"}
        assert {call.authorization for call in second.calls} == {f"Bearer {secrets[1]}"}
        assert told[0].complete
        assert told[1].complete
        with pytest.raises(Exception, match="401") as caught:
            Told.by(connect(first, name="wrong", token=secrets[1]).read(None))
        written = caplog.text + repr(told) + str(caught.value) + repr(one)
        assert not any(secret in written for secret in secrets)


def test_an_event_from_the_far_future_hides_nobody(sandbox: Sandbox, read: Read):
    sandbox.seed([event("now"), event("future", "2099-01-01T00:00:00Z")])
    told = read(sandbox)
    assert jobs(told) == ["now"]
    [waiting] = told.skipped
    assert waiting.what == "the feed at 2099-01-01T00:00:00.000000Z, job shop/future"
    assert "ahead of our clock" in waiting.reason
    assert not waiting.lost
    sandbox.seed([event("next", "2026-11-26T11:59:00Z")])
    assert jobs(read(sandbox, told.cursor)) == ["next"]


@pytest.mark.parametrize("at", range(4))
def test_a_read_that_was_killed_anywhere_goes_on(at: int, sandbox: Sandbox, read: Read):
    sandbox.seed([event(f"j{number}", f"2026-11-26T08:{number:02}:00Z") for number in range(20)])
    options = {"page_size": 5}
    whole = read(sandbox, options=options)
    before = Told(whole.batches[: at + 1])
    after = read(sandbox, before.cursor, options=options)
    assert sorted(jobs(before) + jobs(after)) == sorted(jobs(whole))
    last = read(sandbox, after.cursor, options=options)
    assert last.complete
    assert last.events == []
    assert {scope.key for scope in (*after.scopes, *last.scopes)} == {scope.key for scope in whole.scopes}


def test_only_chosen_namespaces_are_read(sandbox: Sandbox, read: Read):
    sandbox.seed([event("a", namespace="one"), event("b", namespace="two"), event("c", namespace="not that")])
    assert jobs(read(sandbox, namespaces=["one", "not that"])) == ["a", "c"]
    assert jobs(read(sandbox, exclude=["t*"])) == ["a", "c"]
    assert {name for name in read(sandbox, namespaces=["one"]).records if name.startswith("job:")} == {"job:one/a"}


def test_many_large_events_of_one_time_come_once_each(sandbox: Sandbox, read: Read):
    sandbox.seed([event(f"j{number}", run=number, own={"x": "a" * 5000}) for number in range(60)])
    told = read(sandbox, http={"page_bytes": 40_000, "retries": 0})
    assert sorted(jobs(told)) == sorted(f"j{number}" for number in range(60))


def test_pages_shrink_where_events_are_large(sandbox: Sandbox, read: Read):
    sandbox.seed([event(f"j{number}", f"2026-11-26T08:{number:02}:00Z", own={"x": "a" * 5000}) for number in range(30)])
    told = read(sandbox, http={"page_bytes": 40_000, "retries": 0})
    assert len(told.events) == 30


class TestChecking:
    def test_a_good_server(self, sandbox: Sandbox, connect: Callable[..., Marquez]):
        health = connect(sandbox).check()
        assert (health.reachable, health.version, health.message) == (True, "Marquez", "")
        assert health.capabilities == {"lists": True, "fork": False}

    def test_the_fork_is_told_by_what_it_can(self, connect: Callable[..., Marquez]):
        with Sandbox(is_fork=True) as sandbox:
            assert connect(sandbox).check().version == "Marquez (ilum fork)"

    def test_broken_lists_are_told(self, sandbox: Sandbox, connect: Callable[..., Marquez]):
        sandbox.world.poisoned.add("namespaces")
        health = connect(sandbox).check()
        assert health.reachable
        assert "one namespace that Marquez cannot show" in health.message
        assert not health.capabilities["lists"]
