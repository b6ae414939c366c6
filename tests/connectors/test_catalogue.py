"""Which connector a platform's name leads to."""

from importlib.metadata import EntryPoint

import pytest

from watersmeet.config.settings import Misconfigured, Source
from watersmeet.connectors import catalogue
from watersmeet.federation.connector import Connector


def source(platform: str, **more: object) -> Source:
    where = {"path": "./x"} if platform == "openlineage" else {"url": "http://lab.test"}
    return Source.model_validate({"name": "lab", "platform": platform, **where, **more})


class Nothing:
    def __init__(self, source: Source) -> None:
        """No connector at all."""


def installed(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    """As if packages had brought these connectors."""

    def found(group: str) -> list[EntryPoint]:
        return [point for point in points if point.group == group]

    monkeypatch.setattr(catalogue, "entry_points", found)


@pytest.mark.parametrize("platform", ["datahub", "marquez", "mlflow", "openlineage"])
def test_our_own_platforms_are_there(platform: str):
    made = catalogue.connector(source(platform))
    assert isinstance(made, Connector)
    assert made.platform == platform
    assert platform in catalogue.platforms()
    made.close()


def test_an_unknown_platform_is_answered_with_the_known_ones():
    with pytest.raises(
        Misconfigured, match=r"no connector for platform 'atlas'; there are: datahub, marquez, mlflow, openlineage"
    ):
        catalogue.connector(source("atlas"))


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (f"{__name__}:Nothing", "is no connector"),
        ("no.such.module:Atlas", "cannot be loaded"),
        (f"{__name__}:Missing", "cannot be loaded"),
        (f"{__name__}:__name__", "cannot be called"),
    ],
)
def test_what_others_bring_is_looked_at(value: str, complaint: str, monkeypatch: pytest.MonkeyPatch):
    point = EntryPoint("atlas", value, catalogue.GROUP)
    installed(monkeypatch, point)
    with pytest.raises(Misconfigured, match=complaint):
        catalogue.connector(source("atlas"))


def test_two_packages_for_one_platform_are_not_decided_by_chance(monkeypatch: pytest.MonkeyPatch):
    points = [EntryPoint("atlas", f"one{number}:Atlas", catalogue.GROUP) for number in range(2)]
    installed(monkeypatch, *points)
    with pytest.raises(Misconfigured, match="read by several packages"):
        catalogue.connector(source("atlas"))


def test_nobody_replaces_our_own(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, EntryPoint("openlineage", f"{__name__}:Nothing", catalogue.GROUP))
    assert isinstance(catalogue.connector(source("openlineage")), Connector)
