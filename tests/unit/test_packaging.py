"""What is shipped is what the tree holds."""

import os
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("api", "config", "connectors", "federation")


def folders() -> set[str]:
    """Every folder of the tree that holds code, as the package it is imported as."""
    return {
        ".".join(["watersmeet", *module.parent.relative_to(ROOT).parts])
        for top in SHIPPED
        for module in (ROOT / top).rglob("*.py")
    } | {"watersmeet"}


def shipped(path: Path) -> str:
    """What a file of the tree is called in the wheel."""
    return f"watersmeet/{path.relative_to(ROOT).as_posix()}"


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel() -> set[str]:
    """The names in the wheel that `make package` has just built."""
    folder = os.environ.get("WATERSMEET_WHEEL")
    if not folder:
        pytest.skip("no wheel was built: `make package` builds one and looks into it")
    (path,) = (ROOT / folder).glob("watersmeet-*.whl")
    return set(zipfile.ZipFile(path).namelist())


def test_every_folder_of_code_is_listed(pyproject: dict[str, Any]):
    assert set(pyproject["tool"]["setuptools"]["packages"]) == folders()


def test_every_extra_is_part_of_all(pyproject: dict[str, Any]):
    extras = pyproject["project"]["optional-dependencies"]
    named = extras["all"][0].removeprefix("watersmeet[").removesuffix("]").split(",")
    assert sorted(named) == sorted(set(extras) - {"all"})


def test_every_module_of_a_miniature_is_kept_from_readers_and_writers(pyproject: dict[str, Any]):
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    (names,) = [one["forbidden_modules"] for one in contracts if one["type"] == "forbidden"]
    held = {f"watersmeet.connectors.*.{path.stem}" for path in (ROOT / "connectors").glob("*/sandbox*.py")}
    assert set(names) == held


def test_the_root_holds_no_code_but_its_docstring():
    assert [path.name for path in ROOT.glob("*.py")] == ["__init__.py"]


def test_the_wheel_holds_every_module_of_the_tree(wheel: set[str]):
    assert {shipped(path) for top in SHIPPED for path in (ROOT / top).rglob("*.py")} - wheel == set()


def test_the_wheel_holds_what_is_no_code(wheel: set[str]):
    configurations = {shipped(path) for path in (ROOT / "config").glob("*.yaml")}
    pages = {shipped(path) for path in (ROOT / "api" / "web").rglob("*") if path.is_file()}
    assert configurations >= {"watersmeet/config/example.yaml", "watersmeet/config/demo.yaml"}
    assert (configurations | pages | {"watersmeet/py.typed"}) - wheel == set()


def test_the_wheel_holds_nothing_of_the_tests(wheel: set[str]):
    assert [name for name in wheel if not name.startswith(("watersmeet/", "watersmeet-"))] == []
    assert [name for name in wheel if name.startswith("watersmeet/tests")] == []
