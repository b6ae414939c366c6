"""Which connector reads which platform: our own, and those that others have installed."""

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from ..config.settings import Misconfigured, Source
from ..federation.connector import Connector, Writer

GROUP = "watersmeet.connectors"
"""The entry point by which a distribution brings a connector: platform = a callable that takes a `Source`."""
_WRITERS = {
    "datahub": ("datahub.write", "open_writer"),
    "wandb": ("wandb.write", "WandbWriter"),
}
_OWN = {
    "datahub": ("datahub.read", "DataHub"),
    "marquez": ("marquez.read", "Marquez"),
    "mlflow": ("mlflow.read", "MLflow"),
    "openlineage": ("openlineage.read", "OpenLineage"),
    "wandb": ("wandb.read", "Wandb"),
}


def connector(source: Source) -> Connector:
    """The connector of a configured source. Raises `Misconfigured`."""
    made = _maker(source)(source)
    if not isinstance(made, Connector):
        raise Misconfigured(
            f"source {source.name!r}: what is installed for platform {source.platform!r} is no connector: "
            "it lacks one of platform, check, read, gone, close"
        )
    return made


def writer(source: Source) -> Writer:
    """The writer that makes a configured source a target. Raises `Misconfigured`."""
    if source.platform not in _WRITERS:
        known = ", ".join(sorted(_WRITERS))
        raise Misconfigured(
            f"target {source.name!r}: nothing writes to platform {source.platform!r}; there are: {known}"
        )
    module, name = _WRITERS[source.platform]
    made: Writer = getattr(import_module(f".{module}", __package__), name)(source)
    return made


def platforms() -> tuple[str, ...]:
    """The platforms that can be read here, by name."""
    return tuple(sorted({*_OWN, *(point.name for point in _others())}))


def _maker(source: Source) -> Callable[[Source], Any]:
    if source.platform in _OWN:
        module, name = _OWN[source.platform]
        return getattr(import_module(f".{module}", __package__), name)
    found = [point for point in _others() if point.name == source.platform]
    if not found:
        known = ", ".join(platforms())
        raise Misconfigured(
            f"source {source.name!r}: no connector for platform {source.platform!r}; there are: {known}. "
            "Another one is installed as a package beside Watersmeet"
        )
    if len(found) > 1:
        owners = ", ".join(sorted(_owner(point) for point in found))
        raise Misconfigured(
            f"source {source.name!r}: platform {source.platform!r} is read by several packages ({owners}): keep one"
        )
    return _loaded(source, found[0])


def _loaded(source: Source, point: EntryPoint) -> Callable[[Source], Any]:
    try:
        made = point.load()
    except (ImportError, AttributeError) as error:
        raise Misconfigured(
            f"source {source.name!r}: the connector {point.value!r} of {_owner(point)} cannot be loaded ({error}): "
            "install it again, with what it needs"
        ) from error
    if not callable(made):
        raise Misconfigured(f"source {source.name!r}: {point.value!r} of {_owner(point)} cannot be called")
    return cast(Callable[[Source], Any], made)


def _others() -> Iterator[EntryPoint]:
    yield from entry_points(group=GROUP)


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unknown package"
