"""What the miniature of DataHub lets in: known types and aspects, names that hold, fields that must be there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .sandbox_facts import CLASSES, FABRICS, REQUIRED, SERIES, TYPES
from .urn import BadUrn, Urn, urn

Row = dict[str, Any]
MAX_ASPECT = 16_000_000
_WITH_FABRIC = frozenset({"dataset", "mlModel", "mlModelGroup", "mlModelDeployment"})
_ACTOR = "urn:li:corpuser:datahub"


class Refusal(Exception):
    """A write or a question that DataHub answers with a status and a reason."""

    def __init__(self, message: str, status: int = 400, error: str = "Validation Error") -> None:
        super().__init__(message)
        self.status = status
        self.error = error


@dataclass(frozen=True, slots=True)
class Type:
    """One type of entity."""

    name: str
    key: str
    parts: tuple[str, ...]
    """How the key aspect calls the parts of the URN."""
    aspects: tuple[str, ...]

    @property
    def spec(self) -> Row:
        """As the registry's page tells it."""
        return {
            "name": self.name,
            "keyAspectName": self.key,
            "keyAspectSpec": _annotated(self.key),
            "aspectSpecs": [_annotated(one) for one in self.aspects],
        }


def _annotated(aspect: str) -> Row:
    return {"aspectAnnotation": {"name": aspect, "schemaVersion": 1}}


def _types() -> dict[str, Type]:
    found: dict[str, Type] = {}
    for paragraph in _paragraphs(TYPES):
        name, key, *aspects = paragraph.split()
        aspect, _, parts = key.rstrip(")").partition("(")
        found[name] = Type(name, aspect, tuple(parts.split(",")), tuple(aspects))
    return found


def _classes() -> dict[str, str]:
    found: dict[str, str] = {}
    for paragraph in _paragraphs(CLASSES):
        namespace, *classes = paragraph.split()
        for one in classes:
            name, _, aspect = one.partition("=")
            found[f"{namespace}.{name}"] = aspect or _NAMES[name.lower()]
    return found


def _paragraphs(text: str) -> list[str]:
    return re.split(r"\n(?! )", text.strip())


KNOWN: Mapping[str, Type] = _types()
_NAMES = {one.lower(): one for known in KNOWN.values() for one in (known.key, *known.aspects)}
_KINDS = {one.lower(): one for one in KNOWN}
ASPECT_OF: Mapping[str, str] = _classes()
"""The aspect behind a class: `com.linkedin.common.Ownership`."""
CLASS_OF: Mapping[str, str] = {aspect: name for name, aspect in ASPECT_OF.items()}
_REQUIRED = {name: fields.split(",") for name, _, fields in (one.partition(":") for one in REQUIRED.split())}


def is_series(aspect: str) -> bool:
    """Whether an aspect is a series of events."""
    return aspect in SERIES


def named(aspect: str) -> str | None:
    """An aspect however its letters are cased in a path; None for no aspect."""
    return _NAMES.get(aspect.lower())


def kind(name: str) -> Type:
    """A type however its letters are cased in a path. Raises `Refusal`."""
    if name.lower() not in _KINDS:
        raise Refusal(f"Failed to find entity with name {name} in EntityRegistry")
    return KNOWN[_KINDS[name.lower()]]


def kind_of(text: str) -> Type:
    """The type of a URN that may be written to. Raises `Refusal`."""
    return KNOWN[judged(text).type]


def judged(text: Any) -> Urn:
    """A URN that a server takes: well formed, of a known type, in a known environment. Raises `Refusal`."""
    wrong = Refusal(f"Invalid urn!: {text}", error=f"Invalid urn!: {text}")
    try:
        found = urn(str(text))
    except BadUrn as error:
        raise wrong from error
    if found.type not in KNOWN or len(found.parts) != len(KNOWN[found.type].parts):
        raise wrong
    if found.type in _WITH_FABRIC and found.parts[-1] not in FABRICS:
        raise wrong
    return found


def key_of(text: str) -> Row:
    """The key aspect that a URN implies."""
    found = judged(text)
    return dict(zip(KNOWN[found.type].parts, found.parts, strict=True))


def judge(text: str, aspect: str, value: Any) -> None:
    """Whether a server takes this aspect. Raises `Refusal`."""
    known = kind_of(text)
    if aspect not in (known.key, *known.aspects):
        raise Refusal(f"Unknown aspect {aspect} for entity {known.name}")
    if not isinstance(value, dict):
        raise Refusal(f"{aspect} of {text} is no record")
    for field in _REQUIRED.get(aspect, ()):
        if field not in value:
            raise Refusal(f"ERROR :: /{field} :: field is required but not found and has no default value ({aspect})")
    if len(orjson.dumps(value)) > MAX_ASPECT:
        raise Refusal(f"{aspect} of {text} is larger than {MAX_ASPECT} bytes")


def defaults_of(text: str) -> dict[str, Row]:
    """The aspects that a server adds to what is written for the first time."""
    known, found = kind_of(text), judged(text)
    added = {known.key: key_of(text)}
    if "browsePathsV2" in known.aspects:
        added["browsePathsV2"] = {"path": [{"id": "Default"}]}
    if "dataPlatformInstance" in known.aspects and found.platform:
        added["dataPlatformInstance"] = {"platform": f"urn:li:dataPlatform:{found.platform}"}
    return added
