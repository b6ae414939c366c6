"""What a Marquez can hold of the events that are sent to it (guide §2 and §5; the server checks too little of it)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

_NAMESPACE = re.compile(r"[a-zA-Z:;=/0-9_\-.@+]{1,1024}")
"""`NamespaceName`: what a path can ask for."""


def objection(event: Mapping[str, Any]) -> str | None:
    """Why an event may not be sent; None: it may.

    A namespace that no path can ask for is taken, or half stored, and breaks the lists of all users from then on.
    """
    for namespace in _namespaces(event):
        if not _NAMESPACE.fullmatch(namespace):
            return f"Marquez cannot hold the namespace {namespace[:200]!r}: it would answer its lists with 500 for ever"
    return None


def _namespaces(event: Mapping[str, Any]) -> Iterator[str]:
    """Of datasets and their symlinks; a job's is rewritten and breaks nothing."""
    datasets = [*(event.get("inputs") or ()), *(event.get("outputs") or ())]
    for one in (*datasets, event["dataset"]) if "dataset" in event else datasets:
        told = cast(Mapping[str, Any], one)
        yield str(told["namespace"])
        facets: dict[str, Any] = told.get("facets") or {}
        symlinks: dict[str, Any] = facets.get("symlinks") or {}
        links: list[dict[str, Any]] = symlinks.get("identifiers") or []
        yield from (str(link.get("namespace")) for link in links)
