"""What a DataHub source can be told, and what is answered to what it cannot."""

from datetime import timedelta
from typing import Any

import pytest

from watersmeet.config.settings import Misconfigured
from watersmeet.connectors.datahub.options import Options


def test_what_is_told_stands_and_the_rest_is_as_usual() -> None:
    given = {"page_size": 10, "events": False, "full_hours": 12, "ignore": ["post"], "trackers": {"mlflow": "tracking"}}
    options = Options.of(given, "catalog")
    assert (options.page_size, options.events, options.full_every) == (10, False, timedelta(hours=12))
    assert (options.ignore, options.trackers) == (("post",), {"mlflow": "tracking"})
    assert options.events_retention == timedelta(days=6)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"pages": 1}, "options.pages is not known to datahub; known are events, "),
        ({"page_size": "many"}, "options.page_size must be a int, not 'many'"),
        ({"page_size": True}, "options.page_size must be a int"),
        ({"page_size": 0}, "options.page_size is at least 1"),
        ({"run_events": -1}, "options.run_events is 0 or more"),
        ({"events": 1}, "options.events must be a bool"),
        ({"full_hours": "12"}, "options.full_hours must be a float"),
        ({"ignore": "post"}, "options.ignore must be a list of types"),
        ({"trackers": ["mlflow"]}, "options.trackers names a source for a platform"),
    ],
)
def test_what_cannot_be_told_is_named_with_what_can(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        Options.of(given, "catalog")
    assert reason in str(refused.value)
