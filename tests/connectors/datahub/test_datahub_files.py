"""Metadata files: what stands in them is found, what cannot be read is put aside, and what they lack is gone."""

import json
import os
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from watersmeet.federation.errors import SourceRefused, SourceUnavailable
from watersmeet.federation.model import AssetKind, EdgeKind

from ..conftest import Told
from .conftest import Connect, Read, column, dataset, proposal, written

A, B = dataset("db.a"), dataset("db.b")
STATED = {"name": "a"}


def test_a_proposal_and_a_snapshot_say_the_same(tmp_path: Path, read: Read) -> None:
    lineage = {"upstreams": [{"dataset": B, "type": "VIEW"}]}
    snapshot = {
        "proposedSnapshot": {
            "com.linkedin.pegasus2avro.metadata.snapshot.DatasetSnapshot": {
                "urn": A,
                "aspects": [{"com.linkedin.pegasus2avro.dataset.UpstreamLineage": lineage}],
            }
        }
    }
    one = read(written(tmp_path / "one.json", proposal(A, "upstreamLineage", lineage)))
    other = read(written(tmp_path / "two.json.gz", snapshot))
    assert one.edges == other.edges
    [edge] = one.edges
    assert (edge.upstream, edge.downstream, edge.kind, edge.transformation) == (B, A, EdgeKind.DERIVE, "VIEW")
    assert not one.records[B].described


def test_an_aspect_in_a_text_is_read_like_one_in_json(tmp_path: Path, read: Read) -> None:
    record = proposal(A, "datasetProperties", None) | {
        "aspect": {"contentType": "application/json", "value": json.dumps({"name": "Größe"})}
    }
    assert [one.name for one in told_of(read(written(tmp_path / "x.json", record)), A) if one.name] == ["db.a", "Größe"]


def told_of(told: Told, native_id: str) -> list[Any]:
    return [one for scope in told.scopes for one in scope.records if one.native_id == native_id]


def test_a_folder_is_read_with_one_record_a_line_too(tmp_path: Path, read: Read) -> None:
    written(tmp_path / "a.json", proposal(A, "datasetProperties", STATED))
    (tmp_path / "b.ndjson").write_text("\n".join(json.dumps(proposal(B, "status", {"removed": False})) for _ in "12"))
    told = read(tmp_path)
    assert {A, B} <= set(told.records)
    assert told.complete
    assert "dataset" in told.listed


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (3, "it is no object"),
        ("text", "it is no object"),
        ({}, "neither a proposal"),
        (proposal("urn:li:dataset:(hive,db.t,PROD)", "status", {}), "should be the URN of a dataPlatform"),
        (proposal("urn:li:dataset:(urn:li:dataPlatform:hive,db.t)", "status", {}), "should have 3 parts"),
        (proposal(B, "status", {}, "UNDO"), "the change 'UNDO'"),
        (proposal(B, "", {}), "names no aspect"),
        ({"entityUrn": B, "aspectName": "status"}, "has no value"),
        ({"entityUrn": B, "aspectName": "status", "aspect": {"value": "{"}}, "is no JSON"),
        (proposal(B, "status", [1]), "the aspect is no object"),
        ({"proposedSnapshot": {"x.DatasetSnapshot": {"urn": B}}}, "has no list of aspects"),
        ({"proposedSnapshot": {"x.DatasetSnapshot": {"urn": B, "aspects": [{}]}}}, "does not name its class"),
        (proposal(B, "datasetProperties", [{"op": "test", "path": "/x"}], "PATCH"), "a patch"),
        (proposal(B, "datasetProperties", {"op": "add"}, "PATCH"), "a patch is a list of operations"),
    ],
)
def test_a_bad_record_is_put_aside_with_place_and_reason_and_the_rest_stands(
    tmp_path: Path, read: Read, record: Any, reason: str
) -> None:
    told = read(written(tmp_path / "x.json", record, proposal(A, "datasetProperties", STATED)))
    [aside] = told.skipped
    assert reason in aside.reason
    assert aside.what.startswith("x.json#1")
    assert A in told.records
    assert told.complete


@pytest.mark.parametrize(
    "torn",
    [
        pytest.param(b'{"entityUrn": tru}', id="a word"),
        pytest.param(b"tru", id="a word by itself"),
        pytest.param(b'{"a": 1,}', id="a comma too many"),
        pytest.param(b'{"a": "x\ny"}', id="a line in a text"),
        pytest.param(b'{"a" 1}', id="no colon"),
        pytest.param(b'{"a": 1} {"b"}', id="no comma behind"),
        pytest.param(b'{"a": [1 2]}', id="no comma"),
        pytest.param(b'{"a": "\\x"}', id="an escape that is none"),
        pytest.param(b'{"a": "}]{[", "b": ["]", tru]}', id="brackets in a text"),
        pytest.param(b"}", id="a bracket too many"),
    ],
)
@pytest.mark.parametrize("by_line", [False, True], ids=["a list", "lines"])
def test_a_record_that_is_no_json_ends_no_file(tmp_path: Path, read: Read, torn: bytes, by_line: bool) -> None:
    good = [orjson.dumps(proposal(one, "datasetProperties", STATED)) for one in (A, B)]
    file = tmp_path / ("x.jsonl" if by_line else "x.json")
    middle = [good[0], torn, good[1]]
    file.write_bytes(b"\n".join(middle) if by_line else b"[" + b",\n".join(middle) + b"]")
    told = read(file)
    assert {A, B} <= set(told.records)
    assert told.skipped
    assert all(one.what.startswith(f"{file.name}#") for one in told.skipped)
    assert "x.json" in told.skipped[0].what
    assert (told.complete, told.listed) == (True, set()), "whose it was nobody knows: nothing is taken for deleted"


def test_half_a_file_says_what_it_holds_and_nothing_of_what_it_lacks(tmp_path: Path, read: Read) -> None:
    file = written(tmp_path / "x.json", proposal(A, "datasetProperties", STATED), proposal(B, "status", {}))
    file.write_bytes(file.read_bytes()[:-30])
    told = read(file)
    assert A in told.records
    assert told.failures == ["file x.json cannot be read to its end: it ends in the middle of a record"]
    assert (told.listed, told.complete) == (set(), False)


def test_a_broken_archive_is_told(tmp_path: Path, read: Read) -> None:
    file = written(tmp_path / "x.json.gz", proposal(A, "datasetProperties", STATED))
    file.write_bytes(b"no archive at all")
    told = read(file)
    assert [one.what for one in told.skipped] == ["file x.json.gz"]
    assert not told.complete


def test_a_record_beyond_the_limit_is_named_and_never_cut_in_silence(tmp_path: Path, read: Read) -> None:
    """DataHub, check 13: what is over the byte cap is recorded as truncated."""
    large = proposal(B, "datasetProperties", {"description": "x" * 4000})
    file = written(tmp_path / "x.json", large, proposal(A, "datasetProperties", STATED))
    told = read(file, http={"page_bytes": 2000})
    assert [(one.what, one.reason[:9]) for one in told.skipped] == [("x.json#1", "truncated")]
    assert A in told.records
    assert (told.listed, told.complete) == (set(), False)


def test_a_file_without_an_entity_is_taken_for_a_mistake(tmp_path: Path, read: Read) -> None:
    told = read(written(tmp_path / "x.json"))
    assert told.listed == set()
    assert told.failures == ["no entity stands in the files: that is taken for a mistake, and nothing for deleted"]


def test_files_that_are_as_they_were_are_not_read_again(tmp_path: Path, read: Read) -> None:
    file = written(tmp_path / "x.json", proposal(A, "datasetProperties", STATED))
    first = read(file)
    again = read(file, first.cursor)
    assert (again.scopes, again.listed, again.complete) == ([], set(), True)
    written(file, proposal(B, "datasetProperties", STATED))
    os.utime(file, ns=(1, 1))
    assert B in read(file, again.cursor).records


def test_a_path_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path, connect: Connect) -> None:
    with pytest.raises(SourceUnavailable, match=r"there is no .*nothing\.json: look at `path`"):
        connect(tmp_path / "nothing.json").check()


def test_a_folder_that_may_not_be_read_is_refused(
    tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refused)
    with pytest.raises(SourceRefused, match=r"cannot be read .Permission denied"):
        connect(tmp_path).check()


def test_links_that_lead_out_of_the_folder_are_left_alone(tmp_path: Path, connect: Connect, read: Read) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    outside = written(tmp_path / "out.json", proposal(B, "datasetProperties", STATED))
    written(inside / "a.json", proposal(A, "datasetProperties", STATED))
    (inside / "b.json").symlink_to(outside)
    assert connect(inside).check().message == "1 files"
    told = read(inside)
    assert [one.what for one in told.skipped] == ["file b.json"]
    assert (B in told.records, told.listed) == (False, set())


def test_a_removed_entity_dies_after_everything_that_was_said_of_it_and_a_restored_one_lives(
    tmp_path: Path, read: Read
) -> None:
    """DataHub, check 10: soft-deleted changes the state, edges stay; restored is active."""
    removed = proposal(A, "status", {"removed": True})
    lineage = proposal(A, "upstreamLineage", {"upstreams": [{"dataset": B, "type": "COPY"}]})
    told = read(written(tmp_path / "x.json", removed, lineage, proposal(B, "status", {"removed": False})))
    [stone] = [one for one in told.tombstones if not one.is_withdrawn]
    assert stone.native_id == A
    assert stone.at is not None
    assert all(scope.stated_at is not None and scope.stated_at < stone.at for scope in told.scopes)
    assert len(told.edges) == 1
    assert [one.native_id for one in told.tombstones if one.is_withdrawn] == [B]
    restored = read(written(tmp_path / "x.json", removed, proposal(A, "status", {"removed": False})))
    assert all(one.is_withdrawn for one in restored.tombstones)


def test_deletions_in_a_file_are_those_of_an_aspect_or_of_the_whole(tmp_path: Path, read: Read) -> None:
    told = read(
        written(
            tmp_path / "x.json",
            proposal(A, "upstreamLineage", {"upstreams": [{"dataset": B, "type": "COPY"}]}),
            proposal(A, "upstreamLineage", None, "DELETE"),
            proposal(B, "datasetKey", None, "DELETE"),
        )
    )
    assert told.scopes[-1].edges == ()
    assert told.scopes[-1].key == f"dataset/{A}/upstreamLineage"
    assert [one.native_id for one in told.tombstones] == [B]


def test_what_is_not_selected_is_not_read(tmp_path: Path, connect: Connect, read: Read) -> None:
    task = "urn:li:dataJob:(urn:li:dataFlow:(airflow,tmp.dag,prod),t)"
    records = [proposal(one, "status", {}) for one in (A, dataset("tmp.x"), task, "urn:li:tag:tmp.t")]
    file = written(tmp_path / "x.json", *records)
    told = read(file, exclude=["tmp.*"])
    assert set(told.records) == {A, "urn:li:tag:tmp.t"}
    everything = read(file)
    hidden = set(connect(file, exclude=["tmp.*"]).left_out(everything.records.values()))
    assert hidden == {dataset("tmp.x"), task, "urn:li:dataFlow:(airflow,tmp.dag,prod)"}


def test_patches_address_upstreams_and_pairs_of_columns_by_key(tmp_path: Path, read: Read) -> None:
    """The base may come after its patches; a slash in a key is written ~1."""
    c = dataset("s3/c", "s3")
    up, down = column(B, "x"), column(A, "y")
    base = {
        "upstreams": [{"dataset": B, "type": "COPY"}],
        "fineGrainedLineages": [
            {
                "upstreamType": "FIELD_SET",
                "upstreams": [up, column(B, "z")],
                "downstreamType": "FIELD",
                "downstreams": [down],
            }
        ],
    }
    operations = [
        {"op": "add", "path": f"/upstreams/{c.replace('/', '~1')}", "value": {"dataset": c, "type": "VIEW"}},
        {"op": "remove", "path": f"/upstreams/{B}"},
        {
            "op": "add",
            "path": f"/fineGrainedLineages/SUM/{down}/NONE/{column(B, 'v')}",
            "value": {"confidenceScore": 0.5},
        },
        {"op": "remove", "path": f"/fineGrainedLineages/NONE/{down}/NONE/{up}"},
    ]
    file = written(
        tmp_path / "x.json",
        proposal(A, "upstreamLineage", operations[:0], "PATCH"),
        proposal(A, "upstreamLineage", base),
        proposal(A, "upstreamLineage", operations, "PATCH"),
    )
    told = read(file)
    assert told.pairs(EdgeKind.DERIVE) == {(c, A), (column(B, "v"), down), (column(B, "z"), down)}
    [pair] = [one for one in told.edges if one.upstream == column(B, "v") and one.kind is EdgeKind.DERIVE]
    assert (pair.confidence, pair.transformation) == (0.5, "SUM")


def test_patches_of_other_aspects_are_read_too(tmp_path: Path, read: Read) -> None:
    patches = [
        proposal(
            A, "globalTags", [{"op": "add", "path": "/tags/urn:li:tag:x", "value": {"tag": "urn:li:tag:x"}}], "PATCH"
        ),
        proposal(A, "globalTags", {"patch": [{"op": "add", "path": "/tags/urn:li:tag:y", "value": {}}]}, "PATCH"),
        proposal(A, "globalTags", [{"op": "remove", "path": "/tags/urn:li:tag:x"}], "PATCH"),
        proposal(
            A,
            "ownership",
            [{"op": "add", "path": "/owners/urn:li:corpuser:ann/DATAOWNER", "value": {"owner": "urn:li:corpuser:ann"}}],
            "PATCH",
        ),
        proposal(A, "datasetProperties", [{"op": "add", "path": "/customProperties/a~1b", "value": "c"}], "PATCH"),
        proposal(A, "datasetProperties", [{"op": "replace", "path": "/description", "value": "told"}], "PATCH"),
        proposal(
            A,
            "editableSchemaMetadata",
            [
                {
                    "op": "add",
                    "path": "/editableSchemaFieldInfo/id/globalTags/tags/urn:li:tag:x",
                    "value": {"tag": "urn:li:tag:x"},
                }
            ],
            "PATCH",
        ),
    ]
    told = read(written(tmp_path / "x.json", *patches))
    facets = {name: value for one in told_of(told, A) for name, value in one.facets.items()}
    assert facets["tags"] == [{"key": "y"}]
    assert facets["owners"] == [{"name": "ann", "role": "DATAOWNER"}]
    assert facets["datahub.datasetProperties"] == {"customProperties": {"a/b": "c"}, "description": "told"}
    assert told.records[column(A, "id")].facets["tags"] == [{"key": "x"}]


def test_the_events_of_a_run_in_a_file_add_up(tmp_path: Path, read: Read) -> None:
    run = "urn:li:dataProcessInstance:r"
    began = {"timestampMillis": 1_700_000_000_000, "status": "STARTED"}
    ended = {"timestampMillis": 1_700_000_060_000, "status": "COMPLETE", "result": {"type": "SUCCESS"}}
    file = written(tmp_path / "x.json", *(proposal(run, "dataProcessInstanceRunEvent", one) for one in (began, ended)))
    last = read(file).scopes[-1].records[0].run
    assert last is not None
    assert last.started_at is not None
    assert last.ended_at is not None
    assert (last.state.value, (last.ended_at - last.started_at).seconds) == ("SUCCEEDED", 60)


EXPECTED: dict[str, tuple[dict[str, int], dict[tuple[str, str, str], int]]] = {
    "bootstrap_mce.json": (
        {
            "dataPlatform": 27, "mlFeature": 20, "dataset": 7, "mlPrimaryKey": 7, "mlFeatureTable": 5,
            "glossaryTerm": 3, "chart": 2, "container": 2, "corpGroup": 2, "dataJob": 2, "tag": 2,
            "assertion": 1, "corpuser": 1, "dashboard": 1, "dataFlow": 1, "glossaryNode": 1, "mlModel": 1, "query": 1,
            "post": 3,
        },
        {
            ("DERIVE", "dataset", "mlFeature"): 20, ("DERIVE", "dataset", "mlPrimaryKey"): 7,
            ("PART_OF", "mlFeature", "mlFeatureTable"): 20, ("PART_OF", "mlPrimaryKey", "mlFeatureTable"): 7,
            ("DERIVE", "dataset", "dataset"): 7, ("ORDER", "dataJob", "dataJob"): 1,
            ("READ", "dataset", "dataJob"): 2, ("WRITE", "dataJob", "dataset"): 2, ("DERIVE", "dataset", "chart"): 2,
            ("DERIVE", "chart", "dashboard"): 2, ("CHECK", "dataset", "assertion"): 1,
            ("CHECK", "schemaField", "assertion"): 1, ("DERIVE", "dataset", "mlModel"): 1,
            ("CHECK", "dataset", "mlModel#evaluation"): 1, ("CHECK", "mlModel", "mlModel#evaluation"): 1,
            ("DERIVE", "schemaField", "schemaField"): 1,
        },
    ),
    "mlflow_mcps_golden.json": (
        {"tag": 4, "container": 2, "dataProcessInstance": 1, "mlModel": 1, "mlModelGroup": 1, "platformResource": 1},
        {
            ("WRITE", "dataProcessInstance", "mlModel"): 2, ("VERSION_OF", "mlModel", "mlModelGroup"): 1,
            ("VERSION_OF", "mlModel", "versionSet"): 1, ("PART_OF", "dataProcessInstance", "container"): 1,
        },
    ),
    "feast_repository_mces_golden.json": (
        {"mlFeature": 6, "mlFeatureTable": 2, "tag": 2, "mlPrimaryKey": 1},
        {
            ("DERIVE", "dataset", "mlFeature"): 8, ("DERIVE", "dataset", "mlPrimaryKey"): 1,
            ("PART_OF", "mlFeature", "mlFeatureTable"): 6, ("PART_OF", "mlPrimaryKey", "mlFeatureTable"): 1,
        },
    ),
    "dbt_test_column_meta_mapping_golden.json": (
        {"dataset": 21, "glossaryTerm": 6, "tag": 2},
        {("DERIVE", "dataset", "dataset"): 30, ("DERIVE", "schemaField", "schemaField"): 158},
    ),
}  # fmt: skip
"""Entities and edges. Of a model that a run wrote both sides tell; four datasets of dbt's file are only patched."""


@pytest.mark.parametrize("name", EXPECTED)
def test_what_datahubs_own_connectors_wrote_is_found_to_the_last_edge(shared: Path, read: Read, name: str) -> None:
    """DataHub, check 1: in file mode."""
    told = read(shared / "data" / "datahub" / name, options={"ignore": []})
    entities, edges = EXPECTED[name]
    assert (told.skipped, told.failures, told.complete) == ([], [], True)
    assert Counter(one.key.split("/")[0] for one in told.scopes if one.key.endswith("Key")) == entities
    found = Counter((edge.kind.value, of(edge.upstream), of(edge.downstream)) for edge in told.edges)
    structure = {("PART_OF", "schemaField", "dataset"), ("PART_OF", "dataJob", "dataFlow")}
    assert {key: count for key, count in found.items() if key not in structure} == edges


def of(native_id: str) -> str:
    kind = native_id.split(":")[2]
    return f"{kind}#evaluation" if native_id.endswith("#evaluation") else kind


def test_nothing_that_a_recorded_file_says_is_lost(shared: Path, read: Read) -> None:
    """Every aspect is a scope and a facet; every entry of column lineage has its pairs."""
    for name in EXPECTED:
        records = json.loads((shared / "data" / "datahub" / name).read_text())
        told = read(shared / "data" / "datahub" / name, options={"ignore": []})
        records_of = [(scope.key.removeprefix("series/"), one) for scope in told.scopes for one in scope.records]
        facets = {(key, facet) for key, one in records_of for facet in one.facets}
        for record in records:
            if "entityUrn" in record and not record["aspectName"].endswith("Key"):
                key = f"{record['entityType']}/{record['entityUrn']}/{record['aspectName']}"
                assert (key, f"datahub.{record['aspectName']}") in facets
            for entry in [one for aspect in snapshot(record) for one in aspect.get("fineGrainedLineages") or ()]:
                pairs = {(up, down) for up in entry["upstreams"] for down in entry["downstreams"]}
                assert pairs <= told.pairs(EdgeKind.DERIVE)


def snapshot(record: Any) -> list[Any]:
    told = next(iter(record.get("proposedSnapshot", {"": {}}).values()))
    return [next(iter(one.values())) for one in told.get("aspects", ())]


def test_a_training_run_bears_the_id_that_its_tracker_gave_it(shared: Path, read: Read) -> None:
    """DataHub, check 2: run, model version, registered model; the experiment holds the run; a version set is a stub."""
    told = read(shared / "data" / "datahub" / "mlflow_mcps_golden.json", options={"trackers": {"mlflow": "tracking"}})
    run = "urn:li:dataProcessInstance:2666299269d6ebea994d5ec0c29e3aca"
    spelled = {one.parts for record in told_of(told, run) for one in record.spellings}
    assert ("tracking", "", "run", "02660a3bee9941ed983667f678ce5611") in spelled
    version, model = (
        f"urn:li:{one},PROD)"
        for one in (
            "mlModel:(urn:li:dataPlatform:mlflow,test-model_1",
            "mlModelGroup:(urn:li:dataPlatform:mlflow,test-model",
        )
    )
    assert (run, version) in told.pairs(EdgeKind.WRITE)
    assert {down for up, down in told.pairs(EdgeKind.VERSION_OF) if up == version} == {
        model,
        "urn:li:versionSet:(658730e7177b283e4f94410fe4b41519,mlModel)",
    }
    [(_, experiment)] = told.pairs(EdgeKind.PART_OF)
    assert AssetKind.EXPERIMENT in {one.kind for one in told_of(told, experiment)}
    assert not told.records["urn:li:versionSet:(658730e7177b283e4f94410fe4b41519,mlModel)"].described
    assert ("tracking", "", "model-version", "test-model/1") in {
        one.parts for record in told_of(told, version) for one in record.spellings
    }


def test_memory_does_not_grow_with_the_file(tmp_path: Path, connect: Connect) -> None:
    """DataHub, check 13: streamed."""
    filler = "x" * 4000
    records = (
        proposal(dataset(f"db.t{number}"), "datasetProperties", {"description": filler}) for number in range(5000)
    )
    file = written(tmp_path / "x.json", *records)
    assert file.stat().st_size > 20 * 2**20
    tracemalloc.start()
    try:
        done = max(batch.done for batch in connect(file).read(None))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert done == 5000
    assert peak < 16 * 2**20


def test_what_opens_doors_is_never_read_and_what_is_ignored_is_not(tmp_path: Path, read: Read) -> None:
    secret = proposal("urn:li:dataHubSecret:s", "dataHubSecretValue", {"value": "x"})
    file = written(tmp_path / "x.json", secret, proposal("urn:li:post:p", "postInfo", {}), proposal(A, "status", {}))
    assert set(read(file).records) == {A}
    assert set(read(file, options={"ignore": []}).records) == {A, "urn:li:post:p"}


def test_what_complete_files_lack_is_gone(tmp_path: Path, connect: Connect) -> None:
    file = written(tmp_path / "x.json", proposal(A, "status", {}))
    assert list(connect(file).gone([B])) == [B]
    assert connect(file).refused == ()


def test_an_evaluation_goes_with_its_model_when_names_are_judged(tmp_path: Path, connect: Connect, read: Read) -> None:
    model = "urn:li:mlModel:(urn:li:dataPlatform:x,m,PROD)"
    judged = proposal(model, "mlModelEvaluationData", {"evaluationData": [{"dataset": A}]})
    file = written(tmp_path / "x.json", judged)
    told = read(file)
    assert set(connect(file, exclude=["db.*"]).left_out(told.records.values())) == {A}


@pytest.mark.parametrize("path", ["/description/x", "description", ""])
def test_a_patch_that_leads_nowhere_changes_nothing(tmp_path: Path, read: Read, path: str) -> None:
    patch = [{"op": "replace", "path": "/name", "value": "no"}, {"op": "add", "path": path, "value": "x"}]
    file = written(
        tmp_path / "x.json",
        proposal(A, "datasetProperties", {"name": "yes", "description": "text"}),
        proposal(A, "datasetProperties", patch, "PATCH"),
    )
    told = read(file)
    assert len(told.skipped) == 1
    assert "yes" in {one.name for one in told_of(told, A)}
