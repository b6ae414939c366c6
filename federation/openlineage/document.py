"""One kept event, read leniently: what is not as expected counts as not told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
import xxhash

from ..model import Json
from ..naming import openlineage_canonical
from .admit import NOTE
from .foreign import is_object, object_of, objects_of, text_of
from .moments import EPOCH, believed, moment

Pair = tuple[str, str]
"""Namespace and name."""
Facets = Mapping[str, Mapping[str, Json]]
Order = tuple[int, bytes]
"""When an event was, in microseconds, and its hash, which decides between equal times: never the order of arrival."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A dataset as one event names it."""

    pair: Pair
    """As the canon spells it."""
    spelled: Pair
    facets: Facets
    of_io: Facets
    """Its input or output facets."""


@dataclass(frozen=True, slots=True)
class Document:
    """One event."""

    order: Order
    at: datetime | None
    type: str
    producer: str
    run_id: str
    run_facets: Facets
    job: Pair | None
    job_facets: Facets
    inputs: tuple[Mention, ...]
    outputs: tuple[Mention, ...]
    dataset: Mention | None
    quarantined: Mapping[str, Json]

    @property
    def mentions(self) -> Iterator[Mention]:
        """All its datasets."""
        yield from self.inputs
        yield from self.outputs
        if self.dataset is not None:
            yield self.dataset


def read(body: bytes) -> Document:
    """Read what `admit` let in. Raises `ValueError` for what it would not have."""
    raw = orjson.loads(body)
    if not is_object(raw):
        raise ValueError("no JSON object")
    event: Mapping[str, Any] = raw
    note = object_of(event, NOTE)
    at = None if note.get("untold") else believed(moment(event.get("eventTime")))
    run, job, dataset = object_of(event, "run"), object_of(event, "job"), event.get("dataset")
    return Document(
        order=(_micros(at), xxhash.xxh3_128_digest(body)),
        at=at,
        type=text_of(event, "eventType").upper(),
        producer=text_of(event, "producer"),
        run_id=text_of(run, "runId"),
        run_facets=facets_of(run, "facets"),
        job=pair_of(job),
        job_facets=facets_of(job, "facets"),
        inputs=tuple(_mentions(event, "inputs", "inputFacets")),
        outputs=tuple(_mentions(event, "outputs", "outputFacets")),
        dataset=_mention(dataset, "") if is_object(dataset) else None,
        quarantined=object_of(note, "quarantined"),
    )


def pair_of(value: Mapping[str, Any]) -> Pair | None:
    """Namespace and name as they are written; None where one is missing."""
    namespace, name = value.get("namespace"), value.get("name")
    return (namespace, name) if isinstance(namespace, str) and isinstance(name, str) and name else None


def facets_of(value: Mapping[str, Any], key: str) -> Facets:
    """The facets under a key; `null` says that there is none."""
    return {name: facet for name, facet in object_of(value, key).items() if is_object(facet)}


@lru_cache(maxsize=65536)
def canonical(namespace: str, name: str) -> Pair:
    """The one spelling of a pair that all spellings of the same place share."""
    return openlineage_canonical(namespace, name)


def _mentions(event: Mapping[str, Any], side: str, facets: str) -> Iterator[Mention]:
    for one in objects_of(event, side):
        found = _mention(one, facets)
        if found is not None:
            yield found


def _mention(one: Mapping[str, Any], facets: str) -> Mention | None:
    spelled = pair_of(one)
    if spelled is None:
        return None
    return Mention(canonical(*spelled), spelled, facets_of(one, "facets"), facets_of(one, facets))


def _micros(at: datetime | None) -> int:
    if at is None:
        return -1
    told = at - EPOCH
    return (told.days * 86400 + told.seconds) * 1_000_000 + told.microseconds
