"""The page about connectors: its example runs, and what it says of options is complete."""

import re
import sys
import types
from dataclasses import fields
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import httpx2
import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors import catalogue
from watersmeet.connectors.marquez.options import Options
from watersmeet.connectors.mlflow.options import Options as MLflowOptions
from watersmeet.connectors.wandb.options import Options as WandbOptions
from watersmeet.federation.connector import Connector
from watersmeet.federation.errors import SourceRefused
from watersmeet.federation.model import EdgeKind

from .conftest import Told

PAGE = (Path(__file__).parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")
TABLES = [
    {"name": "orders", "changed": "2026-01-01T00:00:00Z", "owners": ["ada"]},
    {"name": "broken"},
    {"name": "totals", "changed": "2026-01-02T00:00:00Z", "made_from": ["orders"]},
]


def shelf(request: httpx2.Request) -> httpx2.Response:
    """The platform of the example."""
    if request.headers.get("authorization") != "Bearer s3cret":
        return httpx2.Response(401)
    match request.url.path:
        case "/about":
            return httpx2.Response(200, json={"version": "7", "denied": ["read owners"]})
        case "/tables":
            after = request.url.params.get("changed_after", "")
            rows = [one for one in TABLES if one.get("changed", after + "x") > after]
            if "token" in request.url.params:
                return httpx2.Response(200, json={"tables": rows[2:]})
            return httpx2.Response(200, json={"tables": rows[:2], "next": "2"})
        case path:
            known = path.removeprefix("/tables/") in [one["name"] for one in TABLES]
            return httpx2.Response(200 if known else 404, json={})


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page's example, installed as the package that the page names."""
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    [(platform, module, attribute)] = re.findall(r'^(\w+) = "(\w+):(\w+)"$', PAGE, re.MULTILINE)
    made = types.ModuleType(module)
    monkeypatch.setitem(sys.modules, module, made)
    exec(compile(code, "docs/connectors.md", "exec"), made.__dict__)
    point = EntryPoint(platform, f"{module}:{attribute}", catalogue.GROUP)

    def installed(group: str) -> list[EntryPoint]:
        return [point] if group == point.group else []

    monkeypatch.setattr(catalogue, "entry_points", installed)
    return getattr(made, attribute)


def source(token: str = "s3cret") -> Source:
    return Source.model_validate({"name": "acme", "platform": "shelf", "url": "http://shelf.test", "token": token})


def test_the_example_is_found_by_its_entry_point(example: Any):
    made = catalogue.connector(source())
    assert isinstance(made, example)
    assert isinstance(made, Connector)
    assert "shelf" in catalogue.platforms()
    made.close()


def test_the_example_reads_its_platform(example: Any):
    connector = example(source(), transport=httpx2.MockTransport(shelf))
    assert connector.check().missing_grants == ("read owners",)
    told = Told.by(connector.read(None))
    assert told.pairs(EdgeKind.DERIVE) == {("orders", "totals")}
    assert told.records["orders"].facets["owners"] == [{"name": "ada"}]
    assert [one.what for one in told.skipped] == ["table broken"]
    assert told.listed == {"table"}
    assert told.complete
    later = Told.by(connector.read(told.cursor))
    assert later.scopes == []
    assert later.listed == set()
    assert list(connector.gone(["orders", "dropped"])) == ["dropped"]


def test_the_example_says_which_credential_is_wrong(example: Any):
    connector = example(source("other"), transport=httpx2.MockTransport(shelf))
    with pytest.raises(SourceRefused, match="shelf 'acme': 401 on GET /about"):
        connector.check()


def test_every_platform_of_ours_has_its_part():
    for platform in ("datahub", "marquez", "mlflow", "openlineage", "wandb"):
        assert f"### `{platform}`" in PAGE


@pytest.mark.parametrize(
    ("platform", "options"), [("marquez", Options), ("mlflow", MLflowOptions), ("wandb", WandbOptions)]
)
def test_every_option_is_there_with_its_default(platform: str, options: Any):
    part = PAGE.partition(f"### `{platform}`")[2].partition("\n#")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| (?:`([\w.]+)`|none) \|", part, re.MULTILINE))
    assert told.keys() == {one.name for one in fields(options)}
    assert options.of({name: value(text) for name, text in told.items()}, "x") == options()


def value(text: str) -> Any:
    """A default as YAML would read it."""
    if text in ("true", "false"):
        return text == "true"
    if text.isdigit():
        return int(text)
    return float(text) if text.replace(".", "").isdigit() else text


def test_an_option_that_is_none_is_answered_with_those_that_are():
    with pytest.raises(Exception, match=r"options\.overlaps is not known to platform marquez; there are: overlap,"):
        Options.of({"overlaps": "1h"}, "x")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("overlap", 24, "needs its unit"), ("page_size", 0, "from 1 to 10000"), ("retention", "yes", "true or false")],
)
def test_an_option_of_the_wrong_kind_is_named(name: str, value: object, reason: str):
    with pytest.raises(Exception, match=rf"options\.{name} .*{reason}"):
        Options.of({name: value}, "x")
