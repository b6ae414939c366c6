"""Files of OpenLineage events: what is read of them, from where, and what is left alone."""

import gzip
import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.settings import Misconfigured, Source
from watersmeet.connectors.openlineage.read import OpenLineage
from watersmeet.federation.connector import Connector, Cursor
from watersmeet.federation.errors import SourceRefused, SourceUnavailable

from .conftest import NOW, Told

Read = Callable[..., Told]


def event(name: str) -> dict[str, Any]:
    return {"eventType": "COMPLETE", "run": {"runId": name}, "job": {"namespace": "n", "name": name}}


def line(name: str) -> bytes:
    return json.dumps(event(name)).encode() + b"\n"


def names(told: Told) -> list[str]:
    return [body["job"]["name"] for body in told.bodies]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(since: Cursor | None = None, path: Path = tmp_path, now: datetime = NOW, **more: Any) -> Told:
        source = Source.model_validate({"name": "events", "platform": "openlineage", "path": path, **more})
        return Told.by(OpenLineage(source, clock=lambda: now).read(since))

    return reading


def written(path: Path, content: bytes, age: timedelta = timedelta(hours=1)) -> Path:
    """A file that was last written so long before the reader's present."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    at = (NOW - age).timestamp()
    os.utime(path, (at, at))
    return path


def test_it_is_a_connector(tmp_path: Path):
    source = Source.model_validate({"name": "events", "platform": "openlineage", "path": tmp_path})
    assert isinstance(OpenLineage(source), Connector)


class TestForms:
    @pytest.mark.parametrize("name", ["a.ndjson", "a.jsonl", "a.json", "a.ndjson.gz", "a.jsonl.gz", "a.json.gz"])
    def test_a_line_is_an_event_and_keeps_its_bytes_and_its_place(self, name: str, tmp_path: Path, read: Read):
        content = line("one") + b"\n  \n" + b'{"spaced" :  1.50 }\r\n' + line("two")[:-1]
        written(tmp_path / name, gzip.compress(content) if name.endswith(".gz") else content)
        told = read()
        assert [one.place for one in told.events] == [f"{name}:1", f"{name}:4", f"{name}:5"]
        assert told.events[1].body == b'{"spaced" :  1.50 }'
        assert told.complete

    @pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
    def test_a_list_and_an_event_over_several_lines_are_taken_apart(self, name: str, tmp_path: Path, read: Read):
        for content in (json.dumps([event("one"), event("two")]), json.dumps([event("one"), event("two")], indent=1)):
            written(tmp_path / name, gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
            assert names(read()) == ["one", "two"]
        single = b"\xef\xbb\xbf" + json.dumps(event("one"), indent=2).encode()
        written(tmp_path / name, gzip.compress(single) if name.endswith(".gz") else single)
        assert names(read()) == ["one"]

    def test_what_a_recorder_wrote_is_unwrapped(self, tmp_path: Path, read: Read):
        recorded: list[dict[str, Any]] = [
            {"path": "/api/v1/lineage", "headers": {}, "body": event("one")},
            {"path": "/api/v1/lineage/batch", "headers": {}, "body": [event("two"), event("three")]},
            {"path": "/api/v1/lineage", "headers": {}, "body": json.dumps(event("four"))},
        ]
        written(tmp_path / "a.ndjson", b"".join(json.dumps(one).encode() + b"\n" for one in recorded))
        assert names(read()) == ["one", "two", "three", "four"]

    def test_broken_lines_come_along_and_the_rest_too(self, tmp_path: Path, read: Read):
        written(tmp_path / "a.ndjson", line("one") + b'{"half": \n' + b"null\n" + b"\xff\xfe\n" + line("two"))
        told = read()
        assert [one.place for one in told.events] == [f"a.ndjson:{number}" for number in range(1, 6)]
        assert told.events[1].body == b'{"half":'

    def test_a_line_that_is_too_long_is_passed_over(self, tmp_path: Path, read: Read):
        long = b'{"x": "' + b"a" * 700_000 + b'"}\n'
        written(tmp_path / "a.ndjson", line("one") + long + line("two"))
        told = read(http={"page_bytes": 500_000})
        assert names(told) == ["one", "two"]
        assert [(one.what, one.reason) for one in told.skipped] == [("a.ndjson:2", "longer than 500,000 bytes")]

    def test_one_value_that_is_too_long_is_told_with_the_remedy(self, tmp_path: Path, read: Read):
        written(tmp_path / "a.json", json.dumps([event("x" * 1000)] * 100, indent=1).encode())
        told = read(http={"page_bytes": 50_000})
        assert told.events == []
        assert "write one event a line" in told.skipped[0].reason

    def test_a_bomb_is_not_unpacked_into_memory(self, tmp_path: Path, read: Read):
        written(tmp_path / "a.ndjson.gz", gzip.compress(line("one") + b'"' + b"a" * 50_000_000 + b'"\n' + line("two")))
        told = read(http={"page_bytes": 1_000_000})
        assert names(told) == ["one", "two"]
        assert len(told.skipped) == 1

    def test_real_recordings_are_read_whole(self, shared: Path, read: Read):
        told = read(path=shared / "data" / "emitters")
        assert len(told.events) == 328 + 1  # the events, and truth.json, which is none
        assert not told.skipped


class TestFolders:
    def test_files_are_read_by_name_also_in_folders_below_and_others_are_left_alone(self, tmp_path: Path, read: Read):
        written(tmp_path / "b.ndjson", line("b"))
        written(tmp_path / "a" / "c.ndjson", line("c"))
        written(tmp_path / "readme.txt", b"no events")
        written(tmp_path / ".hidden.json", line("hidden"))
        told = read()
        assert [one.place for one in told.events] == ["a/c.ndjson:1", "b.ndjson:1"]

    def test_patterns_choose(self, tmp_path: Path, read: Read):
        written(tmp_path / "dbt" / "a.ndjson", line("a"))
        written(tmp_path / "spark" / "b.ndjson", line("b"))
        assert names(read(include=["dbt/*"])) == ["a"]
        assert names(read(exclude=["dbt/*"])) == ["b"]

    def test_one_file_may_be_named_whatever_its_ending(self, tmp_path: Path, read: Read):
        file = written(tmp_path / "events.log", line("one"))
        assert names(read(path=file)) == ["one"]

    def test_circles_of_links_and_what_is_no_file_are_told_and_left_alone(self, tmp_path: Path, read: Read):
        (tmp_path / "circle").symlink_to(tmp_path)
        (tmp_path / "self.json").symlink_to(tmp_path / "self.json")
        (tmp_path / "out.json").symlink_to("/etc/hostname")
        os.mkfifo(tmp_path / "pipe.json")
        (tmp_path / "folder.json").mkdir()
        written(tmp_path / "a.ndjson", line("one"))
        (tmp_path / "linked.ndjson").symlink_to(tmp_path / "a.ndjson")
        told = read()
        assert names(told) == ["one", "one"]
        assert sorted(one.what for one in told.skipped) == ["file out.json", "file pipe.json", "file self.json"]
        assert told.complete

    def test_a_file_that_cannot_be_unpacked_stops_nothing(self, tmp_path: Path, read: Read):
        whole = gzip.compress(line("one") + b"".join(line(f"n{number}") for number in range(2000)))
        written(tmp_path / "a.ndjson.gz", whole[: len(whole) // 2])
        written(tmp_path / "b.ndjson.gz", b"this is no gzip")
        written(tmp_path / "c.ndjson", line("three"))
        told = read()
        assert names(told)[0] == "one"
        assert names(told)[-1] == "three"
        assert [one.what for one in told.skipped] == ["file a.ndjson.gz", "file b.ndjson.gz"]

    def test_a_path_that_is_not_there_says_so(self, tmp_path: Path, read: Read):
        with pytest.raises(SourceUnavailable, match=r"openlineage 'events': .*missing does not exist\. Check path"):
            read(path=tmp_path / "missing")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_folder_that_may_not_be_read_is_refused(self, tmp_path: Path, read: Read):
        closed = tmp_path / "closed"
        closed.mkdir(mode=0)
        with pytest.raises(SourceRefused) as caught:
            read(path=closed)
        assert caught.value.grants == (f"read {closed}",)

    def test_a_url_is_a_matter_of_the_settings(self):
        source = Source.model_validate({"name": "events", "platform": "openlineage", "url": "http://h"})
        with pytest.raises(Misconfigured, match="reads a path"):
            OpenLineage(source)


class TestGoingOn:
    def test_what_was_read_is_not_read_again(self, tmp_path: Path, read: Read):
        written(tmp_path / "a.ndjson", line("one"))
        written(tmp_path / "b.json", json.dumps([event("two")], indent=1).encode())
        first = read()
        second = read(first.cursor)
        assert names(first) == ["one", "two"]
        assert second.events == []
        assert second.cursor == first.cursor
        assert second.complete

    def test_a_file_that_grew_is_read_on(self, tmp_path: Path, read: Read):
        file = written(tmp_path / "a.ndjson", line("one") + line("two"))
        cursor = read().cursor
        written(file, file.read_bytes() + line("three"))
        told = read(cursor)
        assert [one.place for one in told.events] == ["a.ndjson:3"]
        assert read(told.cursor).events == []

    def test_a_line_that_is_being_written_waits_for_its_end(self, tmp_path: Path, read: Read):
        file = written(tmp_path / "a.ndjson", line("one") + line("two")[:20], age=timedelta(seconds=1))
        first = read()
        assert names(first) == ["one"]
        written(file, line("one") + line("two"), age=timedelta(seconds=0))
        second = read(first.cursor)
        assert [one.place for one in second.events] == ["a.ndjson:2"]

    def test_a_line_that_nobody_finishes_is_told_once_the_file_is_quiet(self, tmp_path: Path, read: Read):
        written(tmp_path / "a.ndjson", line("one") + b'{"half"', age=timedelta(seconds=1))
        first = read()
        assert len(first.events) == 1
        second = read(first.cursor, now=NOW + timedelta(hours=1))
        assert [one.body for one in second.events] == [b'{"half"']
        assert read(second.cursor, now=NOW + timedelta(hours=2)).events == []

    def test_a_last_line_without_an_end_is_taken_once(self, tmp_path: Path, read: Read):
        file = written(tmp_path / "a.ndjson", line("one")[:-1], age=timedelta(seconds=1))
        first = read()
        written(file, line("one") + line("two"))
        assert names(first) == ["one"]
        assert names(read(first.cursor)) == ["two"]

    @pytest.mark.parametrize("content", [line("three"), line("three") + line("four") + line("five")])
    def test_a_file_that_was_rewritten_is_read_anew(self, content: bytes, tmp_path: Path, read: Read):
        file = written(tmp_path / "a.ndjson", line("one") + line("two"))
        cursor = read().cursor
        written(file, content, age=timedelta(minutes=5))
        assert names(read(cursor)) == [json.loads(one)["job"]["name"] for one in content.splitlines()]

    def test_a_packed_file_that_changed_is_read_anew(self, tmp_path: Path, read: Read):
        file = written(tmp_path / "a.ndjson.gz", gzip.compress(line("one")))
        cursor = read().cursor
        written(file, gzip.compress(line("one")) + gzip.compress(line("two")))
        assert names(read(cursor)) == ["one", "two"]

    @pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz", "a.json"])
    def test_a_read_that_was_killed_goes_on_behind_its_last_batch(self, name: str, tmp_path: Path, read: Read):
        lines = [line(f"n{number}") for number in range(1201)]
        content = b"[" + b",\n".join(lines) + b"]" if name == "a.json" else b"".join(lines)
        written(tmp_path / name, gzip.compress(content) if name.endswith(".gz") else content)
        whole = read()
        assert [len(batch.events) for batch in whole.batches] == [500, 500, 201, 0]
        for at in range(3):
            before = Told(whole.batches[: at + 1])
            after = read(before.cursor)
            assert names(before) + names(after) == [f"n{number}" for number in range(1201)]

    def test_files_that_are_gone_are_forgotten(self, tmp_path: Path, read: Read):
        file = written(tmp_path / "a.ndjson", line("one"))
        cursor = read().cursor
        file.unlink()
        assert read(cursor).cursor["files"] == {}

    def test_a_cursor_of_another_format_is_as_none(self, tmp_path: Path, read: Read):
        written(tmp_path / "a.ndjson", line("one"))
        assert names(read({"format": 99, "files": {"a.ndjson": {"offset": 1}}})) == ["one"]
