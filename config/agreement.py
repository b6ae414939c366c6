"""What sources, authorities and bindings must agree on among themselves, judged on the settings as they were given."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from .problems import suggestion
from .registry import UNKNOWN
from .section import Conflict


def disagreements(given: Mapping[str, object]) -> Iterator[Conflict]:
    """Names that two have, aliases of two authorities, bindings to what is not there."""
    yield from _twins(given)
    yield from _shared_aliases(given)
    yield from _loose_bindings(given)


def _twins(given: Mapping[str, object]) -> Iterator[Conflict]:
    inlet = given.get("inlet")
    taken = {_told(inlet, key) or "inlet": (-1, f"inlet.{key}") for key in ("id", "name")}
    for position, source in enumerate(_list(given, "sources")):
        name = _told(source, "name")
        for key, word in (("name", name), ("id", _told(source, "id") or name)):
            if not word:
                continue
            owner, place = taken.setdefault(word, (position, f"sources[{position}].{key}"))
            if owner != position and (key == "name" or word != name):
                yield Conflict(("sources", position, key), f"is the same as {place}: each needs its own")


def _shared_aliases(given: Mapping[str, object]) -> Iterator[Conflict]:
    taken = dict[tuple[str, str], str]()
    for name, authority in _mapping(given, "authorities").items():
        system = name.partition("/")[0]
        for alias in _texts(authority, "aliases"):
            owner = taken.setdefault((system, alias.casefold()), name)
            if owner != name:
                reason = f"share an alias with {owner}: one name of one system means one authority"
                yield Conflict(("authorities", name, "aliases"), reason)


def _loose_bindings(given: Mapping[str, object]) -> Iterator[Conflict]:
    sources = [_told(given.get("inlet"), "name") or "inlet"]
    sources += [word for source in _list(given, "sources") for key in ("name", "id") if (word := _told(source, key))]
    authorities = [*_mapping(given, "authorities"), UNKNOWN]
    for position, binding in enumerate(_list(given, "bindings")):
        source, authority = _told(binding, "source"), _told(binding, "authority")
        if source and source not in sources:
            yield Conflict(("bindings", position, "source"), f"is no source here; {suggestion(source, sources)}")
        if authority and "/" in authority and authority not in authorities:
            reason = f"is not declared under authorities; {suggestion(authority, authorities)}"
            yield Conflict(("bindings", position, "authority"), reason, "authorities: {snowflake/acme-prod: {}}")


def _told(item: object, key: str) -> str:
    value = _get(item, key)
    return value if isinstance(value, str) else ""


def _get(item: object, key: str) -> object:
    return cast(Mapping[str, object], item).get(key) if isinstance(item, Mapping) else getattr(item, key, None)


def _texts(item: object, key: str) -> list[str]:
    value = _get(item, key)
    if isinstance(value, str):
        return [text.strip() for text in value.split(",")]
    texts = cast(Sequence[object], value) if isinstance(value, list | tuple) else ()
    return [text.strip() for text in texts if isinstance(text, str)]


def _list(given: Mapping[str, object], key: str) -> list[object]:
    value = given.get(key)
    return list(cast(Sequence[object], value)) if isinstance(value, list | tuple) else []


def _mapping(given: Mapping[str, object], key: str) -> dict[str, object]:
    value = given.get(key)
    return dict(cast(Mapping[str, object], value)) if isinstance(value, Mapping) else {}
