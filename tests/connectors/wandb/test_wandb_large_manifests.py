"""A manifest costs its own bytes in memory and little more, however many entries it has."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from watersmeet.connectors.wandb import manifest
from watersmeet.connectors.wandb.manifest import Unreadable
from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.connectors.wandb.sandbox_world import reference

from .miniature import configured

MIB = 2**20
MEASURED = """
import json, sys
from watersmeet.config.settings import Source
from watersmeet.connectors.wandb.read import Wandb

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith("VmHWM")) * 1024

def folders(source):
    batches = Wandb(Source.model_validate(source)).read(None)
    records = [one for batch in batches for scope in batch.scopes for one in scope.records]
    return [one.facets["wandb"]["files"] for one in records if one.native_id.startswith("file/")]

warm, measured = json.loads(sys.argv[1])
folders(warm)
before = peak()
told = folders(measured)
print(json.dumps({"cost": peak() - before, "folders": len(told), "files": sum(told)}))
"""


@pytest.fixture(scope="module")
def small() -> Iterator[Sandbox]:
    """What makes the reader load what it needs, and fill the caches of names."""
    with sandbox(17_000) as running:
        yield running


def sandbox(entries: int) -> Sandbox:
    """A version of so many files in forty folders."""
    running = Sandbox(empty=True)
    run = running.world.log_run("acme/fraud", "maker")
    files = {
        f"{n:06}": reference(f"s3://lake/raw/day={n % 40}/part-{n:06}.parquet", f"{n:032x}") for n in range(entries)
    }
    running.world.log_artifact(run, "set", "dataset", files)
    return running


def size(running: Sandbox) -> int:
    """How large its manifest is."""
    (one,) = running.world.artifacts.values()
    body = running.world.stored(f"artifacts/{one.number}/wandb_manifest.json")
    assert body is not None
    return len(body)


def measured(small: Sandbox, large: Sandbox) -> dict[str, int]:
    """What reading it costs a process of its own."""
    given = json.dumps([configured(small), configured(large)])
    done = subprocess.run([sys.executable, "-c", MEASURED, given], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_manifest_of_very_many_entries_costs_its_own_bytes_and_little_more(small: Sandbox) -> None:
    """Wandb, check 2: 50,000 entries, and three times as many, under a cap, collapsed into their folders."""
    for entries in (50_000, 150_000):
        with sandbox(entries) as large:
            told = measured(small, large)
            assert (told["folders"], told["files"]) == (40, entries)
            assert told["cost"] < 1.25 * size(large) + 4 * MIB, f"{told['cost']:,} for {size(large):,} bytes"


def test_entries_are_found_wherever_a_window_ends() -> None:
    """Characters of several bytes, entries longer than a window, and blanks between all of them."""
    for shift in range(0, 70, 7):
        contents = {
            "x" * shift: {"digest": "d"},
            "ä€🙂" * 30_000: {"digest": "long", "extra": {"deep": ["🙂", {"}": "{"}]}},
            **{f"ü{n}": {"digest": str(n), "size": n} for n in range(3_000)},
        }
        for indent in (None, 3):
            body = json.dumps({"version": 1, "contents": contents}, ensure_ascii=False, indent=indent).encode()
            assert dict(manifest.entries(body)) == contents


@pytest.mark.parametrize(
    "told", ['{"contents": {"a": {"digest": "' + "x" * 5_000_000, '{"contents": {"a": 1' + " " * 9]
)
def test_a_manifest_that_breaks_off_is_told_wherever_it_does(told: str) -> None:
    with pytest.raises(Unreadable, match="breaks off or is no JSON"):
        list(manifest.entries(told.encode()))
