"""What only a DataHub that is written to can be told: where things of other platforms stand in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ...config.errors import Misconfigured
from ..options import read_options
from .sandbox_facts import FABRICS


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """`options` of a target of platform datahub; what was read from a DataHub keeps its names whatever they say."""

    env: str = "PROD"
    """In which environment things of other platforms stand."""
    platform_instance: Mapping[str, str] = field(default_factory=dict[str, str])
    """`{postgres: warehouse}`: the instance of a platform, which stands in front of names and beside them."""

    @classmethod
    def of(cls, given: Mapping[str, Any], target: str) -> "WriteOptions":
        """Read the `options` of a target; raises `Misconfigured` with what is allowed."""
        options = read_options(cls, given, target, "writing to datahub", {"platform_instance": _instances})
        if options.env not in FABRICS:
            allowed = ", ".join(sorted(FABRICS))
            raise Misconfigured(f"source {target!r}: options.env {options.env!r} is none of DataHub's: {allowed}")
        return options


def _instances(value: Any) -> dict[str, str]:
    if isinstance(value, dict) and all(isinstance(one, str) and one for one in cast(dict[str, object], value).values()):
        return cast(dict[str, str], value)
    raise ValueError("names an instance for a platform")
