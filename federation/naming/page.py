"""Addresses of pages that people look at: what MLflow's and Marquez's browsers show there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from .mlflow import Address
from .registry import Registry, address_of

_PARTS = re.compile(r"https?://[^/?#]+([^?#]*)(?:\?[^#]*)?(?:#([^?]*))?.*", re.IGNORECASE | re.DOTALL)
_MLFLOW = (
    (re.compile(r".*/runs/([0-9a-f]{32})(?:/.*)?"), "run"),
    (re.compile(r".*/models/(m-[0-9a-zA-Z]+)(?:/.*)?"), "logged-model"),
    (re.compile(r".*/models/([^/]+)/versions/(\d+)(?:/.*)?"), "model-version"),
    (re.compile(r".*/models/([^/]+)(?:/.*)?"), "model"),
    (re.compile(r".*/prompts/([^/]+)(?:/.*)?"), "prompt"),
    (re.compile(r".*/experiments/([^/]+)(?:/.*)?"), "experiment"),
)
_MARQUEZ = (
    re.compile(r".*/(?P<what>dataset|job)/(?P<namespace>[^/]+)/(?P<name>[^/]+)/?"),
    re.compile(r".*/namespaces/(?P<namespace>[^/]+)/(?P<what>dataset|job)s/(?P<name>[^/]+)(?:/.*)?"),
    re.compile(r".*/datasets/column-level/(?P<namespace>[^/]+)/(?P<name>[^/]+)/?(?P<what>)"),
)
_RUN = re.compile(r".*/jobs/runs/([0-9a-fA-F-]{36})(?:/.*)?")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows: a thing of MLflow, or one that OpenLineage names."""

    address: Address | None = None
    instance: str = ""
    namespace: str = ""
    name: str = ""
    run: str = ""
    is_job: bool = False


def addresses(url: str, registry: Registry) -> Iterator[Page]:
    """What the page at an address may show; nothing for an address that no browser of ours has."""
    found = _PARTS.fullmatch(url)
    if found is None:
        return
    platform, source = registry.addresses.get(address_of(url), ("", ""))
    path = (found[1] or "") + (found[2] or "")
    if platform in ("", "mlflow"):
        yield from _mlflow(path, source)
    if platform in ("", "marquez", "openlineage"):
        yield from _marquez(path)


def _mlflow(path: str, source: str) -> Iterator[Page]:
    for pattern, type_ in _MLFLOW:
        shown = pattern.fullmatch(path)
        if shown is not None:
            yield Page(Address(type_, "/".join(map(unquote, shown.groups()))), source)
            return


def _marquez(path: str) -> Iterator[Page]:
    run = _RUN.fullmatch(path)
    if run is not None:
        yield Page(run=run[1])
        return
    for pattern in _MARQUEZ:
        shown = pattern.fullmatch(path)
        if shown is not None:
            namespace, name = unquote(shown["namespace"]), unquote(shown["name"])
            yield Page(namespace=namespace, name=name, is_job=shown["what"] == "job")
            return
