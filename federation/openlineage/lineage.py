"""What the two lineage facets say: which columns, datasets and jobs something was made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..model import Json
from .document import Pair, canonical, pair_of
from .foreign import is_list, is_object, object_of, objects_of, text_of


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that went into something: a dataset, a field of it, or a job."""

    pair: Pair | None
    """As it is written; None: the job that speaks."""
    is_job: bool = False
    field: str = ""
    run: str = ""
    how: str | None = None
    """The transformations, as one text."""


@dataclass(frozen=True, slots=True)
class Made:
    """What one dataset or job was made of."""

    target: Pair | None
    """As it is written; None: the job that speaks."""
    is_job: bool = False
    run: str = ""
    whole: tuple[Source, ...] = ()
    """What went into it as a whole, or changed all of it."""
    is_whole_told: bool = True
    """False: only details of columns are told."""
    columns: tuple[tuple[str, tuple[Source, ...]], ...] = ()

    @property
    def sources(self) -> Iterator[Source]:
        """Everything that went into it."""
        yield from self.whole
        for _, sources in self.columns:
            yield from sources


def of_columns(target: Pair, facet: Json) -> Made | None:
    """`columnLineage`; None where it names nothing."""
    columns: list[tuple[str, tuple[Source, ...]]] = []
    for name, one in sorted(object_of(facet, "fields").items()):
        spare = text_of(one, "transformationType") or None
        sources = tuple(_sources(objects_of(one, "inputFields"), spare))
        if sources:
            columns.append((name, sources))
    whole = tuple(_sources(objects_of(facet, "dataset"), None))
    return Made(target, whole=whole, columns=tuple(columns)) if whole or columns else None


def of_job(facet: Json) -> Iterator[Made]:
    """The `lineage` facet of a job."""
    for entry in objects_of(facet, "entries"):
        made = _entry(entry, pair_of(entry), is_job=_is_job(entry))
        if made.is_job or made.target is not None:
            yield made


def of_dataset(target: Pair, facet: Json) -> Made | None:
    """The `lineage` facet of a dataset."""
    return _entry(facet, target, is_job=False) if is_object(facet) else None


def united(several: Iterable[Made]) -> Mapping[Pair, Made]:
    """What was said of one dataset in several entries and events, as one, by its canonical pair."""
    found: dict[Pair, Made] = {}
    for one in several:
        if one.is_job or one.target is None:
            continue
        pair = canonical(*one.target)
        before = found.get(pair)
        found[pair] = one if before is None else _both(before, one)
    return found


def _both(one: Made, other: Made) -> Made:
    columns: dict[str, dict[Source, None]] = {}
    for name, sources in (*one.columns, *other.columns):
        columns.setdefault(name, {}).update(dict.fromkeys(sources))
    return Made(
        one.target,
        whole=tuple(dict.fromkeys((*one.whole, *other.whole))),
        is_whole_told=one.is_whole_told or other.is_whole_told,
        columns=tuple((name, tuple(sources)) for name, sources in sorted(columns.items())),
    )


def _entry(entry: Mapping[str, Any], target: Pair | None, *, is_job: bool) -> Made:
    columns: list[tuple[str, tuple[Source, ...]]] = []
    for name, one in sorted(object_of(entry, "fields").items()):
        columns.append((name, tuple(_inputs(objects_of(one, "inputs")))))
    return Made(
        target=target,
        is_job=is_job,
        run=text_of(entry, "runId"),
        whole=tuple(_inputs(objects_of(entry, "inputs"))),
        is_whole_told=is_list(entry.get("inputs")),
        columns=tuple(columns),
    )


def _inputs(told: Sequence[Mapping[str, Any]]) -> Iterator[Source]:
    for one in told:
        pair, is_job = pair_of(one), _is_job(one)
        if is_job or pair is not None:
            yield Source(pair, is_job, text_of(one, "field"), text_of(one, "runId"), _how(one, None))


def _is_job(one: Mapping[str, Any]) -> bool:
    told = text_of(one, "type").upper()
    return told == "JOB" or (told != "DATASET" and (bool(text_of(one, "runId")) or pair_of(one) is None))


def _sources(told: Sequence[Mapping[str, Any]], spare: str | None) -> Iterator[Source]:
    for one in told:
        pair, field = pair_of(one), text_of(one, "field")
        if pair is not None:
            yield Source(pair, field=field, how=_how(one, spare))


def _how(one: Mapping[str, Any], spare: str | None) -> str | None:
    """`DIRECT/AGGREGATION`; several are joined, masking is a word of its own."""
    told = objects_of(one, "transformations")
    words = {_step(text_of(step, "type"), text_of(step, "subtype"), step.get("masking") is True) for step in told}
    return ", ".join(sorted(word for word in words if word)) or spare


@lru_cache(maxsize=1024)
def _step(type_: str, subtype: str, is_masking: bool) -> str:
    word = "/".join(text.upper() for text in (type_, subtype) if text)
    return f"{word} (masking)" if is_masking and word else word
