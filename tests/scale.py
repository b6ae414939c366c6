"""How hard the tests press: lightly in `make test`, as CI does in `make test-hard`, for hours in `make test-long`."""

import os
from typing import Literal

Scale = Literal["quick", "ci", "long"]


def scale() -> Scale:
    """What `$WATERSMEET_SCALE` asks for; `quick` where it is silent."""
    asked = os.environ.get("WATERSMEET_SCALE", "quick")
    if asked not in ("quick", "ci", "long"):
        raise ValueError(f"WATERSMEET_SCALE is {asked!r}: it can be quick, ci or long")
    return asked


def how_many(*, quick: int, ci: int, long: int) -> int:
    """The number of rounds, histories, bodies or seconds at the scale that is asked for."""
    return {"quick": quick, "ci": ci, "long": long}[scale()]


def examples(ci: int) -> int:
    """How many examples a test marked `law` gets: all in CI, a few each time that somebody types `make test`."""
    return how_many(quick=max(5, ci // 6), ci=ci, long=10 * ci)
