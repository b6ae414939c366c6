"""How Marquez' names become ours: the same ones that its events get, so that lists and feed meet in one record."""

import re
from datetime import UTC, datetime
from typing import Any, cast

from ...federation.model import Json
from ...federation.naming import openlineage_canonical

_REWRITTEN = re.compile(r"[^a-z:/A-Z0-9\-_.@+]")

Pair = tuple[str, str]


def dataset_id(namespace: str, name: str) -> str:
    """The native id of a dataset."""
    return "/".join(openlineage_canonical(namespace, name))


def column_id(dataset: str, column: str) -> str:
    """The native id of a column."""
    return f"{dataset}#{column}"


def job_id(namespace: str, name: str) -> str:
    """The native id of a job."""
    return f"job:{namespace}/{name}"


def run_id(number: str) -> str:
    """The native id of a run."""
    return f"run:{number}"


def stored(namespace: str) -> str:
    """A job's namespace as Marquez stores it (§5 of its `NamespaceName`): what is not allowed becomes `_`."""
    return _REWRITTEN.sub("_", namespace)


def moment(text: Json) -> datetime | None:
    """A time as Marquez writes it; what is none was not told."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)


def spell(at: datetime) -> str:
    """A time as Marquez reads it: zoned, with `Z`, as a `+` would have to be encoded."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def pair_of(told: Any) -> Pair | None:
    """Namespace and name of an object; None where one is missing."""
    if not isinstance(told, dict):
        return None
    members = cast(dict[str, Any], told)
    namespace, name = members.get("namespace"), members.get("name")
    if isinstance(namespace, str) and isinstance(name, str) and namespace and name:
        return namespace, name
    return None
