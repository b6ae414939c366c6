"""Paths of fields inside a dataset."""

import re

from .quoting import cut, nfc

_TOKEN = re.compile(r"\[([^\]=]+)=([^\]]*)\]")


def field_path(field: str) -> tuple[str, ...]:
    """The steps to a field: `a.b` is b in a; a step that holds a dot is quoted, and DataHub's types are left out."""
    if field.startswith("[version=2.0]"):
        return datahub_path(field)[0]
    return tuple(cut(nfc(field)))


def datahub_path(path: str) -> tuple[tuple[str, ...], bool]:
    """The steps of DataHub's field path, and whether it is of the key schema of a topic."""
    is_key = False
    for name, value in _TOKEN.findall(path):
        is_key = is_key or (name == "key" and value.lower() == "true")
    steps = [step for step in _TOKEN.sub("", path).split(".") if step]
    # A field of the key and one of the value may bear one name.
    return (("[key=True]", *steps) if is_key else tuple(steps)), is_key
