"""Where in a JSON document something stands: cheap to carry along, written out only when somebody asks."""

import re

Place = tuple["Place", str | int] | None
"""The place of the parent and the last step; the root has no step."""

ROOT: Place = None
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST = 300


def written(place: Place) -> str:
    """`$.run.facets['spark.plan'][2]`, cut where it gets too long to be read."""
    steps: list[str] = []
    while place is not None:
        steps.append(_step(place[1]))
        place = place[0]
    text = "$" + "".join(reversed(steps))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN.fullmatch(step) else "['" + step.replace("\\", "\\\\").replace("'", "\\'") + "']"
