"""Reading JSON that others made: what is not as expected counts as not told."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is a list."""
    return isinstance(value, list)


def object_of(value: Any, key: str) -> Mapping[str, Any]:
    """The object under a key; empty where there is none."""
    found = value.get(key) if is_object(value) else None
    return found if is_object(found) else {}


def list_of(value: Any, key: str) -> Sequence[Any]:
    """The list under a key; empty where there is none."""
    found = value.get(key) if is_object(value) else None
    return found if is_list(found) else ()


def objects_of(value: Any, key: str) -> Sequence[Mapping[str, Any]]:
    """The objects in the list under a key."""
    return [one for one in list_of(value, key) if is_object(one)]


def text_of(value: Any, key: str) -> str:
    """The text under a key; empty where there is none. A number is as good as its text."""
    found = value.get(key) if is_object(value) else None
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else ""
