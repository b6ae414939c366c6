"""What is wrong with a configuration, told so that it can be mended: where, which key, why, and how it is written."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

_WORD = re.compile(r"[\w./+-]*")

Loc = tuple[str | int, ...]
"""The way from the root of the settings to a key."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. No part of it repeats a value that was refused: it might be a secret in the wrong place."""

    place: str
    """The file and line, or the environment variable."""
    key: str
    reason: str
    example: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: {self.key}" if self.key else self.place
        stop = "" if self.reason.endswith("?") else "."
        return f"{where} {self.reason}" + (f"{stop} For example: {self.example}" if self.example else "")


def spell(loc: Loc) -> str:
    """`("sources", 0, "url")` → `sources[0].url`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_clean(part)}" for part in loc).lstrip(".")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The name that was probably meant."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Which name was probably meant, else which names there are."""
    names = sorted(set(known))
    close = nearest(word, names)
    return f"did you mean {close!r}?" if close else "there are " + ", ".join(names) if names else "there are none"


def _clean(part: str) -> str:
    # `token=hunter2` is a key to YAML: what follows the sign is none of the reader's business.
    word = _WORD.match(part)
    return part if word is None or word[0] == part else f"{word[0]}…"


def model_at(root: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    """The section that a way leads to or through a list or mapping into; None where none is."""
    here: Any = root
    for part in loc:
        here = _step(here, part)
    return _section(here)


def field_at(root: type[BaseModel], loc: Loc) -> FieldInfo | None:
    """The setting that a way ends at; None: there is none, or an item of a list."""
    model = model_at(root, loc[:-1]) if loc else None
    return model.model_fields.get(str(loc[-1])) if model else None


def in_words(error: ValidationError, root: type[BaseModel]) -> Iterable[tuple[Loc, str, str]]:
    """Way, reason and example of everything that did not fit the tree below `root`."""
    for found in error.errors(include_url=False, include_input=False):
        if found["type"] == "default_factory_not_called":
            continue  # follows from another key, which is told by itself
        loc = tuple(part for part in found["loc"] if part != "[key]")
        context = found.get("ctx", {})
        example = context.get("example") or example_of(root, loc)
        yield loc, _reason(found["type"], str(found["msg"]), root, loc), example


def example_of(root: type[BaseModel], loc: Loc) -> str:
    """How the key is written, in one line of YAML."""
    while loc and isinstance(loc[-1], int):
        loc = loc[:-1]
    field = field_at(root, loc)
    if field is None or not field.examples:
        return ""
    return f"{loc[-1]}: {_yaml(field.examples[0])}"


def _reason(kind: str, message: str, root: type[BaseModel], loc: Loc) -> str:
    match kind:
        case "extra_forbidden":
            model = model_at(root, loc[:-1])
            return f"is unknown; {suggestion(str(loc[-1]), model.model_fields if model else ())}"
        case "missing":
            return "is missing"
        case "model_type" | "dict_type" | "model_attributes_type":
            return "must be a mapping of keys to values"
        case "tuple_type" | "list_type":
            return "must be a list"
        case "string_type":
            return "must be text: put it in quotes"
        case "string_too_short":
            return "is empty"
        case "string_pattern_mismatch":
            return _pattern(root, loc)
        case "watersmeet":
            return message
        case _:
            return message.removeprefix("Input ")[:1].lower() + message.removeprefix("Input ")[1:]


def _pattern(root: type[BaseModel], loc: Loc) -> str:
    match loc[-1] if loc else "":
        case "name" | "id" | "source":
            return "may hold letters, digits, dot, underscore and hyphen only"
        case "authority":
            return "is written system/name, or unknown"
        case "platform":
            return "is a word in small letters"
        case _:
            return "is written system/name" if loc[:1] == ("authorities",) else "is not written as it must be"


def _yaml(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"' if value[:1] in "*&!%@`{[$" or ": " in value or "#" in value else value
    if isinstance(value, Sequence):
        return "[" + ", ".join(json.dumps(item) for item in value) + "]"  # pyright: ignore[reportUnknownVariableType]  # examples are untyped
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(item)}" for key, item in value.items()) + "}"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # examples are untyped
    return json.dumps(value)


def _step(here: Any, part: str | int) -> Any:
    model = _section(here)
    if model is not None:
        field = model.model_fields.get(str(part))
        return field.annotation if field else None
    arguments = get_args(here)
    if get_origin(here) is tuple and isinstance(part, int):
        return arguments[0]
    if get_origin(here) is dict:
        return arguments[1]
    return None


def _section(here: Any) -> type[BaseModel] | None:
    if get_origin(here) in (Union, UnionType):
        return next(filter(None, map(_section, get_args(here))), None)
    if isinstance(here, type) and issubclass(here, BaseModel) and not issubclass(here, SecretStr):
        return here
    return None
