"""A table of twenty thousand columns, read over real HTTP by a process that is measured."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from watersmeet.connectors.datahub.sandbox import Sandbox

from ...measured import measured
from .names import column, dataset

WIDE, UP, SMALL = dataset("db.wide"), dataset("db.up"), dataset("db.small")
COLUMNS, PAIRS = 20_000, 50_000
MOST_MEGABYTES = 300
READER = """
import json, sys
from watersmeet.config.settings import Source
from watersmeet.connectors.datahub.read import DataHub

told = json.loads(sys.argv[1])
source = Source.model_validate({"name": "catalog", "platform": "datahub", **told})
reading, columns, pairs, skipped, names, complete = DataHub(source), set(), 0, [], set(), False
for batch in reading.read(None):
    for scope in batch.scopes:
        names |= {one.native_id for one in scope.records if ":dataset:" in one.native_id[:16]}
        columns |= {hash(one.native_id) for one in scope.records if one.kind.value == "COLUMN" and one.described}
        pairs += sum(1 for one in scope.edges if one.kind.value == "DERIVE")
    skipped += [(one.what, one.reason) for one in batch.skipped]
    complete = batch.complete
print(json.dumps({"columns": len(columns), "pairs": pairs, "skipped": skipped, "names": sorted(names),
                  "complete": complete}))
"""


@pytest.fixture(scope="module")
def wide() -> Iterator[Sandbox]:
    """A server with one table as large as DataHub lets any be, and a small one."""
    type_ = {"type": {"com.linkedin.schema.NumberType": {}}}
    fields = [
        {"fieldPath": f"c{number}", "nativeDataType": "NUMBER", "type": type_, "description": "x" * 665}
        for number in range(COLUMNS)
    ]
    head = {"schemaName": "x", "platform": "urn:li:dataPlatform:hive", "version": 0, "hash": ""}
    schema = {**head, "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}}, "fields": fields}
    pairs = [
        {
            "upstreamType": "FIELD_SET",
            "upstreams": [column(UP, f"u{number // COLUMNS}")],
            "downstreamType": "FIELD",
            "downstreams": [column(WIDE, f"c{number % COLUMNS}")],
        }
        for number in range(PAIRS)
    ]
    assert 15_500_000 < len(json.dumps(schema)) < 16_000_000
    with Sandbox(empty=True) as sandbox:
        sandbox.most_wait = 0.0
        sandbox.put(WIDE, "schemaMetadata", schema)
        sandbox.put(WIDE, "upstreamLineage", {"upstreams": [], "fineGrainedLineages": pairs})
        sandbox.put(SMALL, "datasetProperties", {"name": "small"})
        yield sandbox


def reads(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    """What a process of its own reads, and how much memory it took at most."""
    told = json.dumps({"url": sandbox.url, "http": {"timeout": "120s"}, **settings})
    done = measured([sys.executable, "-c", READER, told])
    assert done.code == 0, done.err
    return {**json.loads(done.out), "megabytes": done.megabytes}


def test_a_very_wide_table_is_read_whole_in_little_memory(wide: Sandbox) -> None:
    """DataHub, check 13: 16 MB of schema, 20,000 fields and 50,000 pairs over the API, under 300 MB."""
    told = reads(wide)
    assert (told["columns"], told["pairs"]) == (COLUMNS, PAIRS)
    assert (told["skipped"], told["complete"]) == ([], True)
    assert told["megabytes"] < MOST_MEGABYTES


def test_a_table_beyond_the_cap_is_named_and_the_others_are_read(wide: Sandbox) -> None:
    """DataHub, check 13: over the byte cap it is recorded as truncated, never silently cut."""
    told = reads(wide, http={"timeout": "120s", "page_bytes": 1_000_000})
    assert {(what, reason.partition(":")[0]) for what, reason in told["skipped"]} == {(WIDE, "truncated")}
    assert {WIDE, SMALL} <= set(told["names"])
    assert (told["columns"], told["pairs"], told["complete"]) == (0, 0, False)
