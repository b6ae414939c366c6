"""How DataHub writes the name of a thing: `urn:li:<type>:<key>`, and why a text is none."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ...federation.model import Json
from ...federation.naming.columns import datahub_path

PREFIX = "urn:li:"
_ESCAPES = {"%2C": ",", "%2c": ",", "%28": "(", "%29": ")"}
_SIGNS = re.compile(r"[(),]")
_ID, _URN = "", "urn"
_SHAPES: dict[str, Sequence[str]] = {
    "dataset": ("dataPlatform", _ID, _ID),
    "mlModel": ("dataPlatform", _ID, _ID),
    "mlModelGroup": ("dataPlatform", _ID, _ID),
    "mlModelDeployment": ("dataPlatform", _ID, _ID),
    "schemaField": (_URN, _ID),
    "dataFlow": (_ID, _ID, _ID),
    "dataJob": ("dataFlow", _ID),
    "dataProcess": (_ID, _ID, _ID),
    "mlFeature": (_ID, _ID),
    "mlPrimaryKey": (_ID, _ID),
    "mlFeatureTable": ("dataPlatform", _ID),
    "chart": (_ID, _ID),
    "dashboard": (_ID, _ID),
    "notebook": (_ID, _ID),
    "dataPlatformInstance": ("dataPlatform", _ID),
    "versionSet": (_ID, _ID),
}
"""What stands in the parentheses of each type: an id, a URN, or the URN of one type. Other types are not judged."""


class BadUrn(ValueError):
    """A text that names nothing, with the reason."""


@dataclass(frozen=True, slots=True)
class Urn:
    """One name, taken apart. Its text identifies the thing: `%` is not escaped, so decoding loses."""

    text: str
    type: str
    parts: tuple[str, ...]
    """The key: one id, or the parts in parentheses, as they are written."""

    def __str__(self) -> str:
        return self.text

    @property
    def label(self) -> str:
        """What a person would call it, as far as the name tells."""
        match self.type:
            case "dataset" | "mlModel" | "mlModelGroup" | "mlModelDeployment":
                return decoded(self.parts[1])
            case "dataFlow":
                return decoded(self.parts[1])
            case "dataProcess":
                return decoded(self.parts[0])
            case "schemaField":
                return decoded(".".join(datahub_path(self.parts[1])[0]) or self.parts[1])
            case _:
                return decoded(self.parts[-1])

    @property
    def platform(self) -> str:
        """The platform that the name tells: `snowflake`, `airflow`, `looker`; empty where it tells none."""
        if self.type in ("dataFlow", "chart", "dashboard", "notebook"):
            return self.parts[0]
        first = self.parts[0]
        return first.removeprefix("urn:li:dataPlatform:") if first.startswith("urn:li:dataPlatform:") else ""

    @property
    def parent(self) -> str:
        """The URN that this one stands in: of a field its dataset, of a task its flow; else empty."""
        return self.parts[0] if self.type in ("schemaField", "dataJob") else ""


@lru_cache(maxsize=256)
def urn(text: str) -> Urn:
    """The name in a text. Raises `BadUrn`."""
    if not text.startswith(PREFIX):
        raise BadUrn(f"it does not begin with {PREFIX}")
    type_, colon, key = text[len(PREFIX) :].partition(":")
    if not (type_.isascii() and type_.isalnum()):
        raise BadUrn("it names no type of thing")
    if not colon or not key.strip():
        raise BadUrn("it names a type and no thing of it")
    parts = tuple(_parts(key)) if key.startswith("(") else (key,)
    _judge(type_, parts)
    return Urn(text, type_, parts)


def read(value: Json) -> Urn:
    """The name in a JSON value. Raises `BadUrn`."""
    if not isinstance(value, str):
        raise BadUrn("it is no text")
    return urn(value)


def column(dataset: str, path: str) -> str:
    """The name of a field however its path is written: types are left out, the sign of a key schema is kept."""
    if "[" in path:
        path = ".".join(datahub_path(path)[0]) or path
    return f"{PREFIX}schemaField:({dataset},{path})"


def plain(one: Urn) -> str:
    """By which name the store knows a thing: a field by its simple path, everything else by its URN."""
    return column(*one.parts) if one.type == "schemaField" else one.text


def encoded(path: str) -> str:
    """A path of a field as it stands in a URN."""
    return path.replace(",", "%2C").replace("(", "%28").replace(")", "%29")


def decoded(text: str) -> str:
    """A part of a URN as a person would write it."""
    if "%" in text:
        for code, sign in _ESCAPES.items():
            text = text.replace(code, sign)
    return text


def _parts(key: str) -> Iterator[str]:
    """Cut at the commas that stand in no inner parentheses."""
    depth, start = 0, 1
    for found in _SIGNS.finditer(key):
        sign, at = found[0], found.start()
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and sign == ")" and at < len(key) - 1:
            raise BadUrn("something follows its last parenthesis")
        if depth == 1 and sign == ",":
            yield key[start:at]
            start = at + 1
    if depth:
        raise BadUrn("its parentheses do not match")
    yield key[start:-1]


def _judge(type_: str, parts: tuple[str, ...]) -> None:
    if not all(part.strip() for part in parts):
        raise BadUrn("one of its parts is empty")
    shape = _SHAPES.get(type_)
    if shape is not None and len(parts) != len(shape):
        raise BadUrn(f"a {type_} should have {len(shape)} parts, this one has {len(parts)}")
    for wanted, part in zip(shape or (), parts, strict=False):
        if wanted == _ID:
            if "(" in part or ")" in part:
                raise BadUrn(f"the part {part!r} holds parentheses that are not escaped")
        elif not part.startswith(PREFIX) or wanted not in (_URN, urn(part).type):
            raise BadUrn(f"the part {part!r} should be the URN of a {wanted if wanted != _URN else 'thing'}")
