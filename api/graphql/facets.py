"""What the records of one asset add up to: the first source that tells a thing decides, lists are united."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from ...federation.rows import RecordRow

Told = TypeVar("Told")


def first_told(records: Iterable[RecordRow], tell: Callable[[RecordRow], Told | None]) -> Told | None:
    """The first record's saying; records come the best source's first."""
    return next((told for row in records if (told := tell(row)) is not None), None)


def merged(records: Sequence[RecordRow]) -> dict[str, Any]:
    """All facets; of two sources that fill the same one, the earlier counts (all of them stand under `records`)."""
    facets: dict[str, Any] = {}
    for row in records:
        for name, facet in row.facets.items():
            facets.setdefault(name, facet)
    return facets


def listed(records: Iterable[RecordRow], facet: str) -> Iterator[tuple[RecordRow, Mapping[str, Any]]]:
    """The entries of a well-known list facet in all records, with the record that has them."""
    for row in records:
        entries = row.facets.get(facet)
        for entry in cast(Sequence[Any], entries) if isinstance(entries, list) else ():
            if isinstance(entry, Mapping):
                yield row, cast(Mapping[str, Any], entry)


def text(value: Any) -> str | None:
    """A value of a facet as text; what is no text and no number is not told."""
    return None if value is None or isinstance(value, dict | list) else str(value)


def column_order(records: Iterable[RecordRow]) -> dict[str, int]:
    """The place of each column's name in the schema that the best source tells."""
    places: dict[str, int] = {}
    for _, entry in listed(records, "schema"):
        name = text(entry.get("name"))
        if name is not None:
            places.setdefault(name, len(places))
    return places
