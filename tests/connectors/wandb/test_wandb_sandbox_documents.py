"""The miniature's schema covers what the vendor's client reads with, and what the connector asks."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import DocumentNode, parse, validate

from watersmeet.connectors.wandb import documents, mutations
from watersmeet.connectors.wandb.manifests import MANIFESTS
from watersmeet.connectors.wandb.sandbox_graph import schema

_OURS = ("\nquery", "\nmutation")
_OPERATION = re.compile(r"\s*(#graphql\s*)?query\s+\w+")


def texts(tree: ast.AST) -> Iterator[str]:
    """All strings of a module but for the templates that are filled in at run time."""
    filled_in = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in filled_in
            and "{{" not in node.value
        ):
            yield node.value


def questions(package: Path) -> Iterator[tuple[str, DocumentNode]]:
    """Every question that can be read out of a package without running it."""
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package)
        if place.parts[0] in ("proto", "vendor", "integration"):
            continue
        for text in filter(_OPERATION.match, texts(ast.parse(path.read_text(encoding="utf-8")))):
            yield f"{place}: {text.split('(')[0].strip()}", parse(text)


@pytest.fixture(scope="module")
def asked_by_client() -> dict[str, DocumentNode]:
    """The vendor's own questions."""
    wandb = pytest.importorskip("wandb", reason="needs the extra wandb: uv sync --extra wandb")
    runs: Any = pytest.importorskip("wandb.apis.public.runs")
    files: Any = pytest.importorskip("wandb.apis.public.files")
    found = dict(questions(Path(inspect.getfile(wandb)).parent))
    made = {
        "Runs, lazy": runs._create_runs_query(lazy=True),
        "Runs, whole": runs._create_runs_query(lazy=False),
        "RunFiles": files.Files._get_query(None),
    }
    return found | {name: parse(text) for name, text in made.items()}


def test_the_schema_answers_whatever_the_client_reads_with(asked_by_client: dict[str, DocumentNode]) -> None:
    """Wandb, check 15: a new release of the client that asks for more shows here first."""
    wrong = {name: [one.message for one in validate(schema(), told)] for name, told in asked_by_client.items()}
    assert {name: errors for name, errors in wrong.items() if errors} == {}
    assert len(asked_by_client) >= 60


def test_the_schema_answers_whatever_the_connector_asks() -> None:
    """Wandb, check 15: those that are put together for many things at once, too."""
    told = vars(documents) | vars(mutations)
    mine = {name: text for name, text in told.items() if isinstance(text, str) and text.startswith(_OURS)}
    for many in (documents.manifests, documents.versions):
        for count in (1, 2, MANIFESTS):
            mine[f"{many.__name__}({count})"] = text = many(count)
            mine[f"{many.__name__}({count}) of an old server"] = documents.without(text, documents.optional(text))
    wrong = {name: [one.message for one in validate(schema(), parse(text))] for name, text in mine.items()}
    assert {name: errors for name, errors in wrong.items() if errors} == {}
    assert len(mine) >= 30
