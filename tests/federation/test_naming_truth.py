"""Real emitters' names, against what their author knows of them."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from watersmeet.federation.model import AssetKind, Form, Spelling
from watersmeet.federation.naming import Registry, is_suspect, keys, openlineage_canonical


@pytest.fixture(scope="module")
def truth(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "data" / "emitters" / "truth.json").read_text())


def strong(namespace: str, name: str) -> set[str]:
    found = keys(Spelling(Form.OPENLINEAGE, (namespace, name)), AssetKind.DATASET, Registry.EMPTY)
    return {key.text for key in found if key.strong}


def test_every_name_of_a_thing_has_a_strong_key_and_no_two_things_share_one(truth: dict[str, Any]) -> None:
    holders: dict[str, set[str]] = defaultdict(set)
    for thing in truth["physical"]:
        for name in thing["names"]:
            found = strong(name["namespace"], name["name"])
            assert found
            for key in found:
                holders[key].add(thing["id"])
    assert {key: things for key, things in holders.items() if len(things) > 1} == {}


def test_what_one_emitter_calls_a_file_every_emitter_does(truth: dict[str, Any]) -> None:
    told_by_many = [
        name
        for thing in truth["physical"]
        for name in thing["names"]
        if name["namespace"] == "file" and len(name["by"]) > 1
    ]
    assert told_by_many
    for name in told_by_many:
        assert openlineage_canonical(f"file:{name['name']}", "") == ("file", name["name"])
        assert strong("file", f"file:{name['name']}") == strong("file", name["name"])


def datasets(folder: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for file in sorted(folder.glob("*.ndjson")):
        for line in file.read_text().splitlines():
            event = json.loads(line)["body"]
            for one in [*event.get("inputs", ()), *event.get("outputs", ()), *filter(None, [event.get("dataset")])]:
                facets = one.get("facets", {})
                yield one["namespace"], one["name"], facets
                for column in facets.get("columnLineage", {}).get("fields", {}).values():
                    for source in column["inputFields"]:
                        yield source["namespace"], source["name"], {}


def test_every_recorded_pair_is_canonical_and_has_keys(shared: Path) -> None:
    seen = {(namespace, name) for namespace, name, _ in datasets(shared / "data" / "emitters")}
    assert len(seen) > 30
    for pair in seen:
        assert openlineage_canonical(*pair) == pair
        assert strong(*pair)


def test_sql_functions_among_the_recorded_names_are_suspect_and_no_real_name_is(
    shared: Path, truth: dict[str, Any]
) -> None:
    names: dict[str, set[str]] = defaultdict(set)
    for namespace, name, _ in datasets(shared / "data" / "emitters"):
        names[namespace].add(name)
    suspect = {(ns, name) for ns, all_ in names.items() for name in all_ if is_suspect(name, all_, ns)}
    real = {(name["namespace"], name["name"]) for thing in truth["physical"] for name in thing["names"]}
    assert not suspect & real
    assert "read_parquet" in {name for _, name in suspect}
    assert {name.count(".") for _, name in suspect} <= {0, 1}


def test_recorded_symlinks_of_tables_are_aliases_and_those_of_their_metadata_join_nothing(shared: Path) -> None:
    kept, dropped = set[str](), set[str]()
    for _, _, facets in datasets(shared / "data" / "emitters"):
        for one in facets.get("symlinks", {}).get("identifiers", ()):
            spelling = Spelling(Form.SYMLINK, (one["namespace"], one["name"], one["type"]))
            for key in keys(spelling, AssetKind.DATASET, Registry.EMPTY):
                assert key.is_alias
                (kept if key.strong else dropped).add(one["name"])
    assert "shop.customer_revenue" in kept
    assert not kept & dropped


@pytest.mark.parametrize("folder", ["openlineage/events", "marquez", "marquez-real"])
def test_no_recorded_pair_of_anybody_is_too_odd(shared: Path, folder: str) -> None:
    pairs = set[tuple[str, str]]()

    def collect(value: dict[str, Any]) -> dict[str, Any]:
        namespace, name = value.get("namespace"), value.get("name")
        if isinstance(namespace, str) and isinstance(name, str):
            pairs.add((namespace, name))
        return value

    for file in (shared / "data" / folder).rglob("*.json"):
        json.loads(file.read_text(encoding="utf-8", errors="replace") or "null", object_hook=collect)
    assert pairs
    for pair in pairs:
        once = openlineage_canonical(*pair)
        assert openlineage_canonical(*once) == once
        assert strong(*pair) == strong(*once)
