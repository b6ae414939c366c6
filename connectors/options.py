"""How the `options` of a source are read: names that its platform knows, each with a value of the kind it has there."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from ..config.errors import Misconfigured

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
Reader = Callable[[Any], Any]
"""Makes the value of what is given; raises `ValueError` with what it has to be."""


def read_options(
    kind: type[T], given: Mapping[str, Any], source: str, platform: str, readers: Mapping[str, Reader] | None = None
) -> T:
    """The dataclass of a platform's options; `readers` are for what is neither text, number nor yes or no.

    Raises `Misconfigured` with what is allowed.
    """
    known: dict[str, type[Any]] = {one.name: type(one.default) for one in fields(kind)}
    read = dict[str, Any]()
    for name, value in given.items():
        if name not in known:
            allowed = ", ".join(sorted(known))
            raise Misconfigured(f"source {source!r}: options.{name} is not known to {platform}; known are {allowed}")
        reader = (readers or {}).get(name) or _plain(known[name])
        try:
            read[name] = reader(value)
        except ValueError as error:
            raise Misconfigured(f"source {source!r}: options.{name} {error}, not {value!r}") from error
    return kind(**read)


def _plain(wanted: type[Any]) -> Reader:
    def reader(value: Any) -> Any:
        allowed = (int, float) if wanted is float else wanted
        if not isinstance(value, allowed) or (isinstance(value, bool) and wanted is not bool):
            raise ValueError(f"must be a {wanted.__name__}")
        return value

    return reader
