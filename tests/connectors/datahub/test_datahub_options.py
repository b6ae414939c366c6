"""What a DataHub source can be told, and what is answered to what it cannot."""

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.settings import Misconfigured
from watersmeet.connectors.datahub.options import Options

_NONE_OR_MANY = ("ignore", "trackers", "platform_instance")


def test_what_is_told_stands_and_the_rest_is_as_usual() -> None:
    given = {"page_size": 10, "events": False, "full_hours": 12, "ignore": ["post"], "trackers": {"mlflow": "tracking"}}
    options = Options.of(given, "catalog")
    assert (options.page_size, options.events, options.full_every) == (10, False, timedelta(hours=12))
    assert (options.ignore, options.trackers) == (("post",), {"mlflow": "tracking"})
    assert options.events_retention == timedelta(days=6)


@pytest.mark.parametrize(
    ("page", "heading"), [("connectors.md", "### `datahub`"), ("platforms/datahub.md", "## Options")]
)
def test_every_option_is_on_the_pages_with_its_default(page: str, heading: str) -> None:
    told = (Path(__file__).parents[3] / "docs" / page).read_text(encoding="utf-8")
    part = told.partition(heading)[2].partition("\n#")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^`|]+?)`? \|", part, re.MULTILINE))
    listed = {name: str(getattr(Options(), name)).lower() for name in rows if name not in _NONE_OR_MANY}
    assert rows.keys() == {one.name for one in fields(Options)}
    assert {name: rows[name].lower() for name in listed} == {
        name: value if page == "connectors.md" else value.removesuffix(".0") for name, value in listed.items()
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"pages": 1}, "options.pages is not known to datahub; known are env, events, "),
        ({"page_size": "many"}, "options.page_size must be a int, not 'many'"),
        ({"page_size": True}, "options.page_size must be a int"),
        ({"page_size": 0}, "options.page_size is at least 1"),
        ({"run_events": -1}, "options.run_events is 0 or more"),
        ({"events": 1}, "options.events must be a bool"),
        ({"full_hours": "12"}, "options.full_hours must be a float"),
        ({"ignore": "post"}, "options.ignore must be a list of types"),
        ({"env": "PRODX"}, "options.env 'PRODX' is none of DataHub's: CERT, CORP, "),
        ({"platform_instance": []}, "options.platform_instance names an instance for a platform"),
        ({"trackers": ["mlflow"]}, "options.trackers names a source for a platform"),
    ],
)
def test_what_cannot_be_told_is_named_with_what_can(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        Options.of(given, "catalog")
    assert reason in str(refused.value)
