"""Records of a metadata file are told apart wherever they end, and however long they are."""

import json
import tracemalloc
from io import BytesIO
from pathlib import Path

import pytest

from watersmeet.connectors.datahub.elements import elements

from ..conftest import Told
from .conftest import Connect, Read, dataset, proposal

A, B = dataset("db.a"), dataset("db.b")
BEFORE, BEHIND = (json.dumps(proposal(one, "datasetProperties", {"name": one})).encode() for one in (A, B))


@pytest.mark.parametrize("cut", [b'{"entityUrn": "u", "aspect": {"json": {}', b'{"entityUrn": "u, "aspect": {}}'])
def test_a_record_without_an_end_is_no_reason_to_take_anything_for_gone(tmp_path: Path, read: Read, cut: bytes) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(b"[" + b",".join((BEFORE, cut, BEHIND)) + b"]")
    told = read(file)
    assert A in told.records
    assert len(told.failures) == 1
    assert (told.listed, told.complete) == (set(), False)


LONG = {
    "a text": b'"' + b"x" * 9_000_000 + b'"',
    "a text of quotes": b'"' + rb"\"" * 4_500_000 + b'"',
    "brackets": b"[" + b"{}," * 1_000_000 + b"{}]",
}


@pytest.mark.parametrize("long", LONG.values(), ids=LONG)
def test_what_is_too_long_is_passed_over_and_never_held(tmp_path: Path, connect: Connect, long: bytes) -> None:
    """DataHub, check 13: in a file; it is named, and what stands behind it is read."""
    file = tmp_path / "x.json"
    file.write_bytes(b"[" + b'{"entityUrn": %s}' % long + b"," + BEHIND + b"]")
    tracemalloc.start()
    try:
        batches = list(connect(file, http={"page_bytes": 1_000_000}).read(None))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000
    told = Told.by(batches)
    assert B in told.records
    assert [(one.what, one.reason[:9]) for one in told.skipped] == [("x.json#1", "truncated")]
    assert not told.complete


class Slices(BytesIO):
    """A stream that gives a few bytes at a time."""

    few = 1

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.few)


RECORDS = ['{"a": "b\\\\"}', '"text \\" goes on"', "12.5", '{"c": [{"d": "}{[]"}, {}]}', "true", '{"\\\\\\"": ["ö"]}']


@pytest.mark.parametrize("joint", [",", "\n", " , "])
@pytest.mark.parametrize("few", range(1, 12))
def test_wherever_a_chunk_ends_the_same_records_are_found(joint: str, few: int) -> None:
    for start, end in (("", ""), ("", "\n"), ("[", "]"), ("[ ", " ]\n")):
        stream = Slices((start + joint.join(RECORDS) + end).encode())
        stream.few = few
        assert [one.text for one in elements(stream, 100)] == [one.encode() for one in RECORDS]


def test_only_what_is_longer_than_the_limit_is_passed_over() -> None:
    found = list(elements(BytesIO(b'[{"a": 1}, {"a": 12}, {"a": 123}, 12345678, 123456789, 1]'), 9))
    assert [one.number for one in found if one.text is None] == [3]
    assert [one.text for one in found if one.text] == [b'{"a": 1}', b'{"a": 12}', b"12345678", b"123456789", b"1"]
