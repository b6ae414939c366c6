"""What is read from the folders of runs that were never sent, as the vendor's own client writes them."""

import os
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.wandb.log import Broken, message, records
from watersmeet.connectors.wandb.read import Wandb
from watersmeet.federation.connector import Batch
from watersmeet.federation.errors import SourceUnavailable
from watersmeet.federation.model import AssetKind, EdgeKind, Record, RunState

pytest.importorskip("wandb")

RUN = """
import pathlib, sys, wandb
run = wandb.init(project="fraud", entity="acme", config={"lr": 0.1, "api_key": "s3cret"}, job_type="train",
    tags=["a"], name="n1")
for step in range(2000):
    run.log({"loss": 1 / (step + 1), "text": "x" * 50})
file = pathlib.Path(sys.argv[1], "x.txt")
file.write_text("hi")
made = wandb.Artifact("ds", "dataset", metadata={"rows": 1})
made.add_file(str(file))
made.add_reference("https://data.acme.test/tx/part-0.parquet", checksum=False)
run.log_artifact(made, aliases=["best"])
run.finish()
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the vendor's client left a run."""
    folder = tmp_path_factory.mktemp("offline")
    place = {f"WANDB_{name}": str(folder) for name in ("DIR", "CACHE_DIR", "CONFIG_DIR", "DATA_DIR")}
    switches = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
    environment = os.environ | place | switches | {"WANDB_API_KEY": "k" * 40, "HOME": str(folder)}
    subprocess.run([sys.executable, "-c", RUN, str(folder)], env=environment, cwd=folder, check=True, timeout=120)
    return folder / "wandb"


def connector(path: Path) -> Wandb:
    return Wandb(Source.model_validate({"name": "disk", "platform": "wandb", "path": str(path)}))


def records_of(batches: list[Batch]) -> dict[str, Record]:
    told = (one for batch in batches for scope in batch.scopes for one in scope.records)
    return {one.native_id: one for one in told if one.described}


def test_what_the_client_left_on_disk_is_read_without_it(written: Path):
    told = list(connector(written).read(None))
    found = records_of(told)
    (run,) = [one for one in found.values() if one.kind is AssetKind.RUN]
    assert (run.name, run.subtype) == ("n1", "train")
    assert run.run is not None
    assert run.run.state is RunState.SUCCEEDED
    assert run.run.started_at is not None
    assert run.run.ended_at is not None
    assert run.facets["parameters"]["lr"] == "0.1"
    assert run.facets["metrics"]["loss"] == 0.0005
    assert run.facets["tags"] == [{"key": "a"}]
    assert "s3cret" not in str(found)
    edges = [one for batch in told for scope in batch.scopes for one in scope.edges]
    (version,) = [one.downstream for one in edges if one.kind is EdgeKind.WRITE]
    assert found[version].kind is AssetKind.DATASET_VERSION
    assert [(one.upstream, one.downstream) for one in edges if one.kind is EdgeKind.DERIVE] == [
        ("file/https://data.acme.test/tx/part-0.parquet", version)
    ]
    assert ("collection/acme/fraud/ds", "best") in [(one.downstream, one.alias) for one in edges]
    assert told[-1].complete


def test_that_it_tells_no_inputs_is_said(written: Path):
    told = list(connector(written).read(None))
    assert any("never what they used" in one.reason and not one.lost for batch in told for one in batch.skipped)
    assert "never what they used" in connector(written).check().message


def test_a_file_that_did_not_change_is_not_read_again(written: Path):
    since = list(connector(written).read(None))[-1].resume
    assert not [scope for batch in connector(written).read(since) for scope in batch.scopes]
    assert list(connector(written).gone(["run/acme/fraud/x"])) == []


def test_a_run_that_was_killed_counts_as_far_as_it_came(written: Path, tmp_path: Path):
    (file,) = written.rglob("*.wandb")
    cut = tmp_path / "cut.wandb"
    cut.write_bytes(file.read_bytes()[:-200])
    told = list(connector(cut).read(None))
    (run,) = [one for one in records_of(told).values() if one.kind is AssetKind.RUN]
    assert run.run is not None
    assert run.run.state is RunState.RUNNING
    assert "what stands before it counts" in next(one.reason for batch in told for one in batch.skipped)


def test_what_is_no_such_file_is_told_and_the_others_are_read(written: Path, tmp_path: Path):
    (file,) = written.rglob("*.wandb")
    shutil.copy(file, tmp_path / "good.wandb")
    (tmp_path / "bad.wandb").write_bytes(b"something else")
    (tmp_path / "empty.wandb").write_bytes(file.read_bytes()[:7])
    told = list(connector(tmp_path).read(None))
    reasons = [one.reason for batch in told for one in batch.skipped if one.lost]
    assert reasons == ["it tells of no run", "it tells of no run"]
    assert any(one.kind is AssetKind.RUN for one in records_of(told).values())


def test_a_damaged_block_is_noticed(written: Path, tmp_path: Path):
    (file,) = written.rglob("*.wandb")
    body = bytearray(file.read_bytes())
    body[200] ^= 0xFF
    (tmp_path / "x.wandb").write_bytes(body)
    with pytest.raises(Broken):
        list(records(tmp_path / "x.wandb"))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(SourceUnavailable, match=r"\.wandb"):
        list(connector(tmp_path / "none").read(None))


@pytest.mark.parametrize("data", [b"\x08", b"\x0a\x05ab", b"\x0b", b"\xff" * 12, b"\x09abc"])
def test_a_message_that_is_none_is_noticed(data: bytes):
    with pytest.raises(Broken):
        message(data)


def test_numbers_of_fixed_width_are_passed_over():
    assert message(b"\x09" + b"8" * 8 + b"\x15" + b"4" * 4 + b"\x18\x01") == {1: [b"8" * 8], 2: [b"4" * 4], 3: [1]}


def piece(kind: int, data: bytes) -> bytes:
    return struct.pack("<IHB", zlib.crc32(bytes([kind]) + data), len(data), kind) + data


def test_records_go_on_over_the_ends_of_blocks(tmp_path: Path):
    """A block of 32 KiB ends in padding: zeros where a piece would fit, nothing where none does."""
    file = tmp_path / "x.wandb"
    head = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
    filling = piece(1, b"a" * (32_768 - 7 - 7 - 3))  # leaves three bytes of the first block
    second = piece(2, b"b" * 100) + piece(3, b"c") + piece(4, b"d")
    body = head + filling + bytes(3) + second + bytes(32_768 - len(second)) + piece(1, b"e")
    file.write_bytes(body)
    assert [one[:1] + one[-1:] for one in records(file)] == [b"aa", b"bd", b"ee"]
    file.write_bytes(body[:-5])
    with pytest.raises(Broken, match="ends in the middle"):
        list(records(file))
