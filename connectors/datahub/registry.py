"""Which types of entities DataHub knows, which aspects each may have, and which class stands behind an aspect."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import schemas


@dataclass(frozen=True, slots=True)
class Type:
    """One type of entity."""

    name: str
    key: str
    parts: tuple[str, ...]
    """How the key aspect calls the parts of the URN."""
    aspects: tuple[str, ...]


def named(aspect: str) -> str | None:
    """An aspect however its letters are cased in a path; None for no aspect."""
    return _NAMES.get(aspect.lower())


def is_series(aspect: str) -> bool:
    """Whether an aspect is a series of events."""
    return aspect in schemas.SERIES


def _types() -> dict[str, Type]:
    found: dict[str, Type] = {}
    for paragraph in _paragraphs(schemas.TYPES):
        name, key, *aspects = paragraph.split()
        aspect, _, parts = key.rstrip(")").partition("(")
        found[name] = Type(name, aspect, tuple(parts.split(",")), tuple(aspects))
    return found


def _classes() -> dict[str, str]:
    found: dict[str, str] = {}
    for paragraph in _paragraphs(schemas.CLASSES):
        namespace, *classes = paragraph.split()
        for one in classes:
            name, _, aspect = one.partition("=")
            found[f"{namespace}.{name}"] = aspect or _NAMES[name.lower()]
    return found


def _paragraphs(text: str) -> list[str]:
    return re.split(r"\n(?! )", text.strip())


KNOWN: Mapping[str, Type] = _types()
_NAMES = {one.lower(): one for known in KNOWN.values() for one in (known.key, *known.aspects)}
ASPECT_OF: Mapping[str, str] = _classes()
"""The aspect behind a class: `com.linkedin.common.Ownership`."""
CLASS_OF: Mapping[str, str] = {aspect: name for name, aspect in ASPECT_OF.items()}
REQUIRED: Mapping[str, Sequence[str]] = {
    name: fields.split(",") for name, _, fields in (one.partition(":") for one in schemas.REQUIRED.split())
}
"""The fields without which an aspect is refused."""
