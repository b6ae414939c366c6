"""What the miniature of DataHub lets in: known types and aspects, names that hold, fields that must be there."""

from typing import Any

import orjson

from .registry import KNOWN, REQUIRED, Type
from .schemas import FABRICS
from .urn import BadUrn, Urn, urn

Row = dict[str, Any]
MAX_ASPECT = 16_000_000
_WITH_FABRIC = frozenset({"dataset", "mlModel", "mlModelGroup", "mlModelDeployment"})
_KINDS = {one.lower(): one for one in KNOWN}


class Refusal(Exception):
    """A write or a question that DataHub answers with a status and a reason."""

    def __init__(self, message: str, status: int = 400, error: str = "Validation Error") -> None:
        super().__init__(message)
        self.status = status
        self.error = error


def spec_of(known: Type) -> Row:
    """A type as the registry's page tells it."""
    return {
        "name": known.name,
        "keyAspectName": known.key,
        "keyAspectSpec": _annotated(known.key),
        "aspectSpecs": [_annotated(one) for one in known.aspects],
    }


def _annotated(aspect: str) -> Row:
    return {"aspectAnnotation": {"name": aspect, "schemaVersion": 1}}


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
    for field in REQUIRED.get(aspect, ()):
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
