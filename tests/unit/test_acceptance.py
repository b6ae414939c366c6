"""Each acceptance check of the platforms' guides has a test whose docstring names it, in one form."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

TESTS = Path(__file__).parents[1]


class Check(NamedTuple):
    """One numbered check of a guide."""

    guide: str
    """`MLflow, check`, as docstrings write it."""
    number: int


CHECKS = {
    "MLflow, check": 16,
    "Marquez, check": 16,
    "OpenLineage, receive check": 15,
    "OpenLineage, export check": 15,
    "DataHub, check": 24,
    "Wandb, check": 16,
}
"""How many each guide has."""
NOT_HERE = {
    Check("MLflow, check", 16): "writing into MLflow is a proposal: Watersmeet only reads platforms",
    Check(
        "DataHub, check", 23
    ): "its smoke tests lie in its repository, which no test fetches: its client is asked instead",
    Check("Wandb, check", 16): "Weave's traces and evaluations are a later phase of the guide: they are not read",
}
"""Those that have no test, and why."""
REAL = {Check("MLflow, check", number) for number in (*range(1, 10), 12, 13, 14)}
"""Those that the guide wants to be shown on a real server."""
SECTIONS = {
    "MLflow, check": ("mlflow.md", "## 8 ", ""),
    "Marquez, check": ("marquez.md", "## 11 ", ""),
    "OpenLineage, receive check": ("openlineage.md", "## 12 ", "Receive"),
    "OpenLineage, export check": ("openlineage.md", "## 12 ", "Export"),
    "DataHub, check": ("datahub.md", "## 9. ", ""),
    "Wandb, check": ("wandb.md", "## 9. ", ""),
}
_NAMED = re.compile(r"(\w+, (?:receive |export )?check) (\d+)( \(real server\))?(?=[.:,])")
_LOOSE = re.compile(r"\b(?:check|receive|export) \d", re.IGNORECASE)


class Named(NamedTuple):
    """A test that names a check."""

    check: Check
    real: bool
    test: str


def docstrings() -> Iterator[tuple[str, str]]:
    """Every test, and every class of tests, with what it says of itself."""
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.lower().startswith("test"):
                yield f"{file.name}::{node.name}", ast.get_docstring(node) or ""


def named() -> list[Named]:
    """What the tests name."""
    return [
        Named(Check(guide, int(number)), bool(real), test)
        for test, said in docstrings()
        for guide, number, real in _NAMED.findall(said)
    ]


@pytest.mark.parametrize("guide", CHECKS)
def test_every_check_has_a_test_or_a_reason(guide: str) -> None:
    wanted = {Check(guide, number) for number in range(1, CHECKS[guide] + 1)}
    found = {one.check for one in named() if one.check.guide == guide}
    assert sorted(wanted - found - NOT_HERE.keys()) == [], "checks without a test"
    assert sorted(found - wanted) == [], "tests of checks that there are not"
    assert sorted(found & NOT_HERE.keys()) == [], "checks that have a test: take them out of NOT_HERE"


def test_what_is_to_be_shown_on_a_real_server_is() -> None:
    assert sorted(REAL - {one.check for one in named() if one.real}) == []


def test_checks_are_named_in_one_form() -> None:
    loose = [test for test, said in docstrings() if _LOOSE.search(_NAMED.sub("", said))]
    assert loose == []
    assert {one.check.guide for one in named()} == set(CHECKS)


@pytest.mark.parametrize("guide", CHECKS)
def test_the_guides_have_as_many(guide: str, shared: Path) -> None:
    file, section, part = SECTIONS[guide]
    text = (shared / "platforms" / file).read_text(encoding="utf-8")
    text = text[text.index(section.strip()) :].split("\n## ")[0]
    text = text[text.index(f"\n{part}\n") + len(part) + 2 :].split("\n\n")[0] if part else text
    numbers = [int(one) for one in re.findall(r"(?:^|(?<=[.] ))(\d+)\. (?=\S)", text, re.MULTILINE)]
    assert numbers == list(range(1, CHECKS[guide] + 1))
